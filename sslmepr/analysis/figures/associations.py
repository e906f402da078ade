"""Emotion-trait associations as a table in colour, and against what was planted."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.analysis import theme
from sslmepr.analysis.apa import apa_number
from sslmepr.analysis.figures.matrices import draw_matrix, text_colour
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

PANEL_WIDTH, PANEL_HEIGHT = 4.4, 3.9


def association_heatmap(
    tables: Mapping[str, pd.DataFrame], limit: float = 0.6, columns: int = 2
) -> Figure:
    """One 6 x 5 panel per table, on one colour scale.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Title to a table with emotion, trait and r (or any one other column of numbers,
        such as ``planted``). Intervals are written where there are ``low`` and
        ``high``; cells with ``significant`` True are bold and framed.
    limit : float
        Absolute correlation at which the colour is strongest.
    columns : int
        Panels side by side.
    """
    columns = min(columns, len(tables))
    rows = -(-len(tables) // columns)
    figure, grid = plt.subplots(
        rows,
        columns,
        figsize=(PANEL_WIDTH * columns + 0.7, PANEL_HEIGHT * rows),
        squeeze=False,
        sharey=True,
    )
    for axes in grid.flat[len(tables) :]:
        axes.set_visible(False)
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=False):
        image = _panel(axes, table, limit)
        axes.set_title(title)
    bar = figure.colorbar(image, ax=grid, shrink=0.75, aspect=30, pad=0.02)
    bar.set_label("correlation")
    bar.outline.set_visible(False)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, limit: float):
    colours, limits = theme.diverging(), (-limit, limit)
    name = "r" if "r" in table else _number_column(table)
    values = _matrix(table, name)
    traits = [trait.replace("_", "\n") for trait in TRAITS]
    image = draw_matrix(axes, values, list(SCORED_EMOTIONS), traits, colours, limits)
    plt.setp(axes.get_xticklabels(), rotation=35, ha="right", rotation_mode="anchor")
    intervals = {"low", "high"} <= set(table)
    significant = np.zeros(values.shape, dtype=bool)
    if "significant" in table:
        significant = _matrix(table, "significant") == 1
    for row, column in np.argwhere(np.isfinite(values)):
        axes.text(
            column,
            row,
            apa_number(values[row, column]),
            va="bottom" if intervals else "center",
            fontsize=10,
            fontweight="bold" if significant[row, column] else "normal",
            ha="center",
            color=text_colour(values[row, column], colours, limits),
        )
        if significant[row, column]:
            _frame(axes, row, column)
    if intervals:
        _write_intervals(axes, table, values, colours, limits)
    return image


def _write_intervals(axes, table, values, colours, limits) -> None:
    low, high = _matrix(table, "low"), _matrix(table, "high")
    for row, column in np.argwhere(np.isfinite(values) & np.isfinite(low)):
        ends = f"[{apa_number(low[row, column])}, {apa_number(high[row, column])}]"
        axes.text(
            column,
            row + 0.08,
            ends,
            ha="center",
            va="top",
            fontsize=6.8,
            color=text_colour(values[row, column], colours, limits),
        )


def _frame(axes: Axes, row: int, column: int) -> None:
    axes.add_patch(
        plt.Rectangle(
            (column - 0.46, row - 0.45),
            0.92,
            0.9,
            fill=False,
            edgecolor=theme.ink(),
            linewidth=1.4,
        )
    )


def _number_column(table: pd.DataFrame) -> str:
    names = table.drop(columns=["emotion", "trait"]).select_dtypes("number").columns
    if len(names) != 1:
        raise ValueError(f"a panel needs r or one column of numbers, not {list(names)}")
    return names[0]


def _matrix(table: pd.DataFrame, name: str) -> np.ndarray:
    wide = table.pivot(index="emotion", columns="trait", values=name)
    wide = wide.reindex(index=list(SCORED_EMOTIONS), columns=list(TRAITS))
    return wide.to_numpy(dtype=float)


def recovery_scatter(
    comparison: pd.DataFrame, axes: Axes | None = None, note: str = ""
) -> Axes:
    """Recovered against planted correlations, with intervals; one point per cell.

    Cells with the same planted value are drawn side by side, and where all have it the
    axis has no ticks; filled points are significant.

    Parameters
    ----------
    comparison : DataFrame
        From :func:`sslmepr.analysis.recovery.compare`. The ideal observer's values are
        drawn as open diamonds where they are given.
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
    colours = theme.emotion_colours()
    table = table.assign(x=table["planted"] + _side_by_side(table["planted"]))
    for emotion in SCORED_EMOTIONS:
        cells = table[table["emotion"] == emotion]
        if cells.empty:
            continue
        colour, x = colours[emotion], cells["x"]
        axes.vlines(x, cells["low"], cells["high"], color=colour, lw=1.1, alpha=0.75)
        filled = np.where(cells["significant"], colour, theme.page())
        axes.scatter(x, cells["recovered"], c=filled, edgecolors=colour, s=38, zorder=3)
        axes.scatter([], [], color=colour, s=38, label=theme.pretty(emotion))
    if table["observer"].notna().any():
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


def _side_by_side(planted: pd.Series, step: float = 0.011) -> pd.Series:
    """Shifts that keep cells with equal values from covering each other."""
    groups = planted.groupby(planted)
    return step * (groups.cumcount() - (groups.transform("size") - 1) / 2)
