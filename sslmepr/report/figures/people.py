"""Associations of a study beside published self-reports."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.figures.panels import legend, panel_grid

SHAPES = ("D", "s", "^", "v")
"""Markers of sources of self-reports."""

KINDS = {"trait": "in general", "state": "at the moment"}
"""How somebody was asked for an emotion."""


@theme.both_modes
def reports_forest(found: pd.DataFrame, reports: pd.DataFrame) -> Figure:
    """A panel for each emotion: for each trait, this study's r and that of people.

    Parameters
    ----------
    found : DataFrame
        emotion, trait, r, low, high: of this study. Pairs without a self-report are
        left out.
    reports : DataFrame
        From `sslmepr.association.self_reports.shown_reports`.
    """
    pairs = found.merge(reports[["emotion", "trait"]].drop_duplicates())
    emotions = [name for name in SCORED_EMOTIONS if name in set(pairs["emotion"])]
    traits = [name for name in TRAITS if name in set(pairs["trait"])]
    kinds = " (" + reports["kind"].map(KINDS) + ")"
    reports = reports.assign(name=reports["source"].map(theme.pretty) + kinds)
    sources = list(dict.fromkeys(reports["name"]))
    figure, grid = panel_grid(
        max(len(emotions), 1), (1.8, 2.2), (1.3, 0.8), sharex=True, sharey=True
    )
    colours = theme.emotion_colours()
    for axes, emotion in zip(grid.flat, emotions, strict=False):
        axes.axvline(0, color=theme.faint(), lw=0.8)
        mine = {"color": colours[emotion], "marker": "o", "s": 38}
        _row(axes, pairs[pairs["emotion"] == emotion], traits, -0.3, mine)
        for number, source in enumerate(sources):
            theirs = reports[
                (reports["name"] == source) & (reports["emotion"] == emotion)
            ]
            theirs = theirs[theirs["trait"].isin(traits)]
            style = {"color": theme.faint(), "marker": SHAPES[number], "s": 16}
            _row(axes, theirs, traits, 0.15 * number - 0.1, style)
        axes.set(title=theme.pretty(emotion), xlim=(-1, 1))
    grid[0, 0].set_yticks(range(len(traits)), [theme.pretty(name) for name in traits])
    grid[0, 0].set_ylim(len(traits) - 0.4, -0.6)
    for axes in grid[-1]:
        axes.set_xlabel("correlation")
    keys = [("this study", "o", theme.ink())]
    keys += [
        (name, shape, theme.faint())
        for name, shape in zip(sources, SHAPES, strict=False)
    ]
    legend(
        figure,
        [
            grid[0, 0].scatter([], [], marker=shape, color=colour, label=name)
            for name, shape, colour in keys
        ],
    )
    return figure


def _row(
    axes: Axes, cells: pd.DataFrame, traits: list[str], step: float, style: dict
) -> None:
    places = np.array([traits.index(name) for name in cells["trait"]]) + step
    axes.hlines(
        places, cells["low"], cells["high"], color=style["color"], lw=1.6, alpha=0.6
    )
    axes.scatter(cells["r"], places, zorder=3, **style)
