"""Many simulated worlds: recovery, power and false-positive rate."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.report import theme
from sslmepr.report.figures.panels import entitle, legend, panel_grid
from sslmepr.report.figures.recovery import side_by_side

SPREAD = 0.07
"""Width over which cells with the same planted correlation are drawn side by side."""

NAMES, NARROW = 1.8, 1.15
"""Widths in inches of the names of kinds of worlds, and of the title of a panel."""

BEYOND = 3.0
"""Times the upper limit of its band that a panel shows at most."""


@theme.both_modes
def expected_panels(means: pd.DataFrame) -> Figure:
    """Mean recovered against planted correlations, one panel per source.

    One point per strength and cell, with a bar of one standard deviation over worlds.

    Parameters
    ----------
    means : DataFrame
        source, emotion, planted, expected, deviation, of one condition.
    """
    sources = list(dict.fromkeys(means["source"]))
    figure, grid = panel_grid(len(sources), (3.4, 3.2), (0.0, 0.5), sharey=True)
    ends = means["expected"].abs() + means["deviation"].fillna(0)
    reach = 0.05 + max(ends.max(), means["planted"].abs().max() + SPREAD / 2)
    colours = theme.emotion_colours()
    for axes, source in zip(grid.flat, sources, strict=False):
        here = means[means["source"] == source]
        alike = here.groupby("planted")["planted"].transform("size")
        shift = side_by_side(here["planted"], SPREAD / alike)
        here = here.assign(x=here["planted"] + shift)
        axes.axhline(0, color=theme.faint(), lw=0.6)
        axes.plot([-reach, reach], [-reach, reach], color=theme.faint(), lw=1, ls="--")
        for emotion in SCORED_EMOTIONS:
            cells = here[here["emotion"] == emotion]
            x, y, half = cells["x"], cells["expected"], cells["deviation"]
            colour = colours[emotion]
            axes.vlines(x, y - half, y + half, color=colour, lw=0.9, alpha=0.5)
            axes.scatter(x, y, color=colour, s=16, zorder=3)
            axes.scatter([], [], color=colour, s=38, label=theme.pretty(emotion))
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
        axes.set(xlabel="planted correlation", title=theme.pretty(source))
    plt.setp(grid[:, 0], ylabel="mean recovered correlation")
    legend(figure, grid[0, 0].get_legend_handles_labels()[0])
    return figure


@theme.both_modes
def condition_panels(
    summary: pd.DataFrame, bands: Mapping[str, tuple[float, float]]
) -> Figure:
    """One panel per metric, one row per kind of worlds, with its band of good values.

    Parameters
    ----------
    summary : DataFrame
        source, condition, strength, metric, estimate, low, high. Each source and
        strength has a colour and a marker.
    bands : mapping of str to (float, float)
        Metric to the limits between which it should be, drawn as a band; what lies
        beyond three times the upper one is an arrow at the edge, with its number.
    """
    names = list(dict.fromkeys(summary["condition"]))
    series = summary[["source", "strength"]].drop_duplicates()
    series = [*series.itertuples(index=False, name=None)]
    size = (1.2, 0.9 + 0.07 * (len(series) + 1) * len(names))
    figure, grid = panel_grid(len(bands), size, (NAMES, 0.5), sharey=True)
    looks = [
        *zip(theme.modality_colours().values(), theme.MARKERS.values(), strict=False)
    ]
    for axes, (metric, band) in zip(grid.flat, bands.items(), strict=False):
        axes.axvspan(*band, color=theme.faint(), alpha=0.35, lw=0)
        places = []
        for place, ((source, strength), (colour, marker)) in enumerate(
            zip(series, looks, strict=False)
        ):
            here = summary[
                (summary["metric"] == metric)
                & (summary["source"] == source)
                & (summary["strength"] == strength)
            ]
            y = np.array([names.index(each) for each in here["condition"]], float)
            y = y + 0.7 * ((place + 0.5) / len(series) - 0.5)
            label = f"{theme.pretty(source)}, |r| = {strength:g}"
            places += [
                (*each, colour) for each in zip(here["estimate"], y, strict=True)
            ]
            axes.hlines(y, here["low"], here["high"], color=colour, lw=2, alpha=0.55)
            axes.scatter(
                here["estimate"],
                y,
                color=colour,
                marker=marker,
                s=26,
                zorder=3,
                label=label,
            )
        axes.set_yticks(range(len(names)), names)
        axes.set_ylim(len(names) - 0.5, -0.5)
        # A few worlds without much of an estimate must not hide all the others.
        right = min(axes.get_xlim()[1], BEYOND * band[1])
        axes.set_xlim(right=right)
        for x, y, colour in places:
            if x > right:
                axes.scatter(right, y, color=colour, marker=">", s=40, clip_on=False)
                axes.text(0.97 * right, y, f"{x:.2f}", ha="right", va="center")
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        entitle(axes, theme.pretty(metric), NARROW)
    legend(figure, grid.flat[0].get_legend_handles_labels()[0])
    return figure
