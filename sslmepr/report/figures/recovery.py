"""Recovered associations against those of the labels."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.association.verdicts import PRESENT, UNDECIDED
from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.panels import entitle, legend, panel_grid
from sslmepr.report.figures.verdicts import matrix_axes, verdict_mark

RING = {"marker": "o", "s": 260, "facecolors": "none", "linewidths": 1.2}
"""Style of a scatter: around the mark of a pair that was built in."""

STEP = 0.011
"""Between cells with the same true correlation, which are drawn side by side."""


@theme.both_modes
def recovery_panels(worlds: Mapping[str, pd.DataFrame]) -> Figure:
    """Recovered correlations against those of the labels, one panel per world.

    One point with its interval per cell; filled points are significant. Cells with the
    same true value are drawn side by side, and where all have it the axis has no ticks.

    Parameters
    ----------
    worlds : mapping of str to DataFrame
        Title to a table from :func:`sslmepr.association.recovery.compare`, with the
        columns rated and planted. The ideal observer's values, of people rather than of
        labels, are drawn against what is planted, as open diamonds, where they are
        given.
    """
    figure, grid = panel_grid(len(worlds), (3.4, 3.2), (0.0, 0.5))
    drawn = pd.concat(worlds.values())[["rated", "recovered", "low", "high"]]
    # The same for all, since the comparison of the worlds is the point.
    reach = 0.08 + np.nanmax(drawn.abs().to_numpy(float), initial=0.3)
    for axes, (name, comparison) in zip(grid.flat, worlds.items(), strict=False):
        _scatter(axes, comparison.dropna(subset=["recovered"]), reach)
        significant = int(comparison["significant"].sum())
        of = f"{significant} of {len(comparison)} cells"
        entitle(axes, f"{theme.pretty(name)}: {of}")
    legend(figure, grid[0, 0].get_legend_handles_labels()[0])
    return figure


def _scatter(axes: Axes, table: pd.DataFrame, reach: float) -> None:
    axes.axhline(0, color=theme.faint(), lw=0.6)
    alike = table["rated"].nunique() == 1
    if not alike:
        axes.axvline(0, color=theme.faint(), lw=0.6)
        axes.plot([-reach, reach], [-reach, reach], color=theme.faint(), lw=1, ls="--")
    _cells(axes, _placed(table, "rated"))
    if table["observer"].notna().any():
        _observer(axes, _placed(table, "planted"))
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes.set(xlabel="correlation of the labels", ylabel="recovered correlation")
    if alike:
        # Places along the axis then only keep the cells apart.
        value = abs(table["rated"].iloc[0]) and table["rated"].iloc[0]  # no minus zero
        axes.set(xlabel=f"correlation of the labels: {value:g} everywhere", xticks=[])


def _placed(table: pd.DataFrame, truth: str) -> pd.DataFrame:
    """The table with places along the axis, `x`."""
    return table.assign(x=table[truth] + side_by_side(table[truth], STEP))


def _cells(axes: Axes, table: pd.DataFrame) -> None:
    """Points with intervals in the colours of their emotions, at `x`."""
    colours = theme.emotion_colours()
    for emotion in SCORED_EMOTIONS:
        cells = table[table["emotion"] == emotion]
        if cells.empty:
            continue
        colour, x = colours[emotion], cells["x"]
        axes.vlines(x, cells["low"], cells["high"], color=colour, lw=1.1, alpha=0.75)
        filled = np.where(cells["significant"], colour, theme.page())
        axes.scatter(x, cells["recovered"], c=filled, edgecolors=colour, s=38, zorder=3)
        axes.scatter([], [], color=colour, s=38, label=theme.pretty(emotion))


def _observer(axes: Axes, table: pd.DataFrame) -> None:
    axes.scatter(
        table["x"],
        table["observer"],
        marker="D",
        s=22,
        facecolors="none",
        edgecolors=theme.ink(),
        linewidths=0.9,
        label="Ideal observer",
        zorder=2,
    )


@theme.both_modes
def truth_matrix(comparison: pd.DataFrame) -> Figure:
    """What is called and what is true of each pair: a mark, a ring and two numbers.

    Parameters
    ----------
    comparison : DataFrame
        From :func:`sslmepr.association.recovery.compare`, with the columns rated and
        planted: what was built in has a ring.
    """
    narrow = theme.width() < 5
    figure, axes, places = matrix_axes(comparison, 0.75 if narrow else 0.6)
    between = "\n" if narrow else " "
    for cell in comparison.itertuples():
        words = f"{theme.pretty(cell.emotion)}, {theme.pretty(cell.trait)}"
        interval = f"{apa_number(cell.recovered)} [{apa_number(cell.low)}, "
        interval += f"{apa_number(cell.high)}]"
        told = PRESENT if cell.significant else UNDECIDED
        built = "built in" if cell.planted else "not built in"
        x, y = places[cell.emotion, cell.trait]
        if cell.planted:
            axes.scatter(x, y - 0.2, **RING, edgecolors=theme.ink())
        axes.scatter(
            x,
            y - 0.2,
            **verdict_mark(told, cell.recovered),
            gid=theme.named(
                f"{words}: {told}, {interval}; labels {apa_number(cell.rated)}, {built}"
            ),
        )
        axes.text(
            x,
            y + 0.25,
            f"{apa_number(cell.recovered)}{between}({apa_number(cell.rated)})",
            ha="center",
            va="center",
            color=theme.ink() if cell.significant else theme.faint(),
            fontweight="bold" if cell.significant else "normal",
        )
    marks = {
        "called present, more": verdict_mark(PRESENT, 1),
        "called present, less": verdict_mark(PRESENT, -1),
        "undecided": verdict_mark(UNDECIDED, 0),
        "built into the people": RING | {"edgecolors": theme.ink()},
    }
    legend(
        figure,
        [axes.scatter([], [], label=name, **mark) for name, mark in marks.items()],
    )
    return figure


def side_by_side(truth: pd.Series, step) -> pd.Series:
    """Shifts by multiples of `step` that keep cells with equal values apart.

    Parameters
    ----------
    truth : Series
    step : float or Series
        The same for all rows, or one for each.
    """
    groups = truth.groupby(truth)
    return step * (groups.cumcount() - (groups.transform("size") - 1) / 2)
