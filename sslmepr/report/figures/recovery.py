"""Recovered associations against the planted ones."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.report import theme
from sslmepr.report.figures.panels import entitle, legend, panel_grid

STEP = 0.011
"""Between cells with the same planted correlation, which are drawn side by side."""


@theme.both_modes
def recovery_panels(worlds: Mapping[str, pd.DataFrame]) -> Figure:
    """Recovered against planted correlations, with intervals, one panel per world.

    One point per cell; filled points are significant. Cells with the same planted value
    are drawn side by side, and where all have it the axis has no ticks.

    Parameters
    ----------
    worlds : mapping of str to DataFrame
        Title to a table from :func:`sslmepr.association.recovery.compare`. The ideal
        observer's values are drawn as open diamonds where they are given.
    """
    figure, grid = panel_grid(len(worlds), (3.4, 3.2), (0.0, 0.5))
    drawn = pd.concat(worlds.values())[["planted", "recovered", "low", "high"]]
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
