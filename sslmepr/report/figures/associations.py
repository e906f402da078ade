"""Emotion-trait associations as a table in colour."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.association.grid import cell_matrix, number_column
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.matrices import draw_matrix, frame_cells, text_colour
from sslmepr.report.figures.panels import panel_grid
from sslmepr.report.words import plain, pretty

PANEL = (4.4, 3.9)


def association_panels(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Pair every table of associations with its table without halo.

    Parameters
    ----------
    found : DataFrame
        corpus, source, level, halo, emotion, trait, r and further columns to show; the
        table of :func:`sslmepr.association.study.study_associations`.

    Returns
    -------
    dict
        Title to the rows of one corpus, source, level and halo. A pair is left out if
        one of its tables has no defined correlation.
    """
    panels = {}
    for (corpus, source, level), part in found.groupby(
        ["corpus", "source", "level"], sort=False
    ):
        raw, left = part[~part["halo"]], part[part["halo"]]
        if raw["r"].isna().all() or left["r"].isna().all():
            continue
        title = f"{pretty(source)}\n{plain(corpus, 'corpus')}"
        title += "" if level == "clip" else f", {plain(level, 'level')}"
        panels |= {title: raw, f"{title}, no halo": left}
    return panels


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
    figure, grid = panel_grid(len(tables), columns, PANEL, (0.7, 0.0), sharey=True)
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=False):
        image = _panel(axes, table, limit)
        axes.set_title(title)
    # Beside one row, so that it is as tall as a panel however many rows there are.
    bar = figure.colorbar(image, ax=grid[0], aspect=25, pad=0.02)
    bar.set_label("correlation")
    bar.outline.set_visible(False)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, limit: float):
    colours, limits = theme.diverging(), (-limit, limit)
    name = "r" if "r" in table else number_column(table)
    values = cell_matrix(table, name)
    traits = [trait.replace("_", "\n") for trait in TRAITS]
    image = draw_matrix(axes, values, list(SCORED_EMOTIONS), traits, colours, limits)
    plt.setp(axes.get_xticklabels(), rotation=35, ha="right", rotation_mode="anchor")
    intervals = {"low", "high"} <= set(table)
    significant = np.zeros(values.shape, dtype=bool)
    if "significant" in table:
        significant = (cell_matrix(table, "significant") == 1) & np.isfinite(values)
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
    frame_cells(axes, significant)
    if intervals:
        _write_intervals(axes, table, values, colours, limits)
    return image


def _write_intervals(axes, table, values, colours, limits) -> None:
    low, high = cell_matrix(table, "low"), cell_matrix(table, "high")
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
