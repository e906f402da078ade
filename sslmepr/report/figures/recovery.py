"""Recovered associations against the planted ones."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.report import theme

STEP = 0.011
"""Between cells with the same planted correlation, which are drawn side by side."""


def recovery_panels(worlds: Mapping[str, pd.DataFrame]) -> Figure:
    """Recovered against planted correlations, one panel per world.

    Parameters
    ----------
    worlds : mapping of str to DataFrame
        Title to a table from :func:`sslmepr.association.recovery.compare`.
    """
    size = (1.6 + 3.9 * len(worlds), 4.1)
    figure, grid = plt.subplots(1, len(worlds), figsize=size, squeeze=False)
    for axes, (name, comparison) in zip(grid[0], worlds.items(), strict=True):
        recovery_scatter(comparison, axes)
        significant = int(comparison["significant"].sum())
        axes.set_title(
            f"{theme.pretty(name)}: {significant} of {len(comparison)} cells"
        )
    for axes in grid[0][:-1]:
        axes.get_legend().remove()
    return figure


def recovery_scatter(
    comparison: pd.DataFrame, axes: Axes | None = None, note: str = ""
) -> Axes:
    """Recovered against planted correlations, with intervals; one point per cell.

    Cells with the same planted value are drawn side by side, and where all have it the
    axis has no ticks; filled points are significant.

    Parameters
    ----------
    comparison : DataFrame
        From :func:`sslmepr.association.recovery.compare`. The ideal observer's values
        are drawn as open diamonds where they are given.
    note : str
        Written into the upper left corner, for example the agreement in numbers.
    """
    if axes is None:
        _, axes = plt.subplots(figsize=(6.4, 5.2))
    table = comparison.dropna(subset=["recovered"])
    drawn = table[["planted", "recovered", "low", "high"]].abs()
    reach = 0.08 + np.nanmax(drawn.to_numpy(), initial=0.3)
    axes.axhline(0, color=theme.faint(), lw=0.6)
    alike = table["planted"].nunique() == 1
    if not alike:
        axes.axvline(0, color=theme.faint(), lw=0.6)
        axes.plot([-reach, reach], [-reach, reach], color=theme.faint(), lw=1, ls="--")
    table = table.assign(x=table["planted"] + side_by_side(table["planted"], STEP))
    _cells(axes, table)
    if table["observer"].notna().any():
        _observer(axes, table)
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
    axes.set(xlabel="planted correlation", ylabel="recovered correlation")
    if alike:
        # Places along the axis then only keep the cells apart.
        value = table["planted"].iloc[0]
        axes.set(xlabel=f"planted correlation: {value:g} everywhere", xticks=[])
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    if note:
        axes.text(0.03, 0.97, note, transform=axes.transAxes, va="top", fontsize=9.5)
    return axes


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


def side_by_side(planted: pd.Series, step) -> pd.Series:
    """Shifts by multiples of `step` that keep cells with equal values apart.

    Parameters
    ----------
    planted : Series
    step : float or Series
        The same for all rows, or one for each.
    """
    groups = planted.groupby(planted)
    return step * (groups.cumcount() - (groups.transform("size") - 1) / 2)
