"""One clip through the stages, and among all others."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.report import theme
from sslmepr.report.figures.panels import entitle, legend, panel_grid

FILLED = {"stage 1": False, "stage 2": True, "late fusion": False, "stage 3": True}
"""Stage to whether its mark is filled: the later of the two that see the same."""


@theme.both_modes
def journey_dots(tables: Mapping[str, pd.DataFrame]) -> Figure:
    """What each stage says of a clip: hollow first, filled later, and what is true.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Title to modality, stage (one of `FILLED`), predicted, usual and true, in the
        order of the rows.
    """
    names = list(dict.fromkeys(pd.concat(tables.values())["modality"]))
    size = 3.4, 0.7 + 0.32 * len(names)
    figure, grid = panel_grid(len(tables), size, (0.0, 0.5), sharey=True)
    colours = theme.modality_colours()
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=False):
        for name, mine in table.groupby("modality", sort=False):
            place, colour = names.index(name), colours[name]
            ends = mine["predicted"].iloc[[0, -1]]
            axes.plot(ends, [place, place], color=colour, lw=1.6, alpha=0.6)
            for row in mine.itertuples():
                face = colour if FILLED[row.stage] else theme.page()
                axes.plot(
                    row.predicted, place, "o", ms=7, mfc=face, mec=colour, mew=1.6
                )
        last = table.iloc[-1]
        axes.axvline(last["usual"], color=theme.faint(), ls=":", lw=1.4)
        if pd.notna(last["true"]):
            axes.axvline(last["true"], color=theme.ink(), lw=1.4)
        axes.set(xlim=(-0.03, 1.03))
        entitle(axes, title)
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
    grid[0, 0].set_yticks(range(len(names)), [theme.pretty(name) for name in names])
    grid[0, 0].set_ylim(len(names) - 0.5, -0.5)
    ink = {"color": theme.ink(), "ls": "none", "marker": "o", "ms": 7}
    legend(
        figure,
        [
            plt.Line2D([], [], mfc=theme.page(), label="stage 1, late fusion", **ink),
            plt.Line2D([], [], label="stage 2, stage 3", **ink),
            plt.Line2D([], [], color=theme.ink(), lw=1.4, label="raters"),
            plt.Line2D(
                *([], []), color=theme.faint(), ls=":", lw=1.4, label="average clip"
            ),
        ],
    )
    return figure


@theme.both_modes
def place_scatter(table: pd.DataFrame, emotion: str, trait: str) -> Figure:
    """Predictions of an emotion and a trait for all clips, with one of them marked.

    Parameters
    ----------
    table : DataFrame
        emotion and trait (predicted), chosen (True for one clip).
    emotion, trait : str
        Of which they are the predictions.
    """
    figure, axes = plt.subplots(figsize=(min(4.2, theme.width()), 3.2))
    axes.scatter(
        *(table["emotion"], table["trait"]),
        s=12,
        lw=0,
        color=theme.faint(),
        alpha=0.6,
        rasterized=True,
    )
    mine = table[table["chosen"]]
    axes.scatter(mine["emotion"], mine["trait"], s=90, color=theme.accent(), zorder=3)
    for row in mine.itertuples():
        axes.annotate(
            "this clip",
            (row.emotion, row.trait),
            (8, 8),
            textcoords="offset points",
            fontweight="bold",
        )
    axes.set_xlabel(f"{theme.pretty(emotion)}, predicted probability")
    axes.set_ylabel(f"{theme.pretty(trait)}, predicted")
    axes.grid()
    return figure
