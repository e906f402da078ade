"""Emotion-trait associations as a table in colour."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Colormap, Normalize
from matplotlib.figure import Figure

from sslmepr.association.grid import cell_matrix, number_column
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.matrices import draw_matrix
from sslmepr.report.figures.panels import entitle, panel_grid
from sslmepr.report.words import plain, pretty

PANEL = (3.4, 3.1)


def association_panels(found: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Divide a table of associations into panels.

    Parameters
    ----------
    found : DataFrame
        corpus, source, level, emotion, trait, r and further columns to show; the table
        of :func:`sslmepr.association.study_associations.study_associations`.

    Returns
    -------
    dict
        Title to the rows of one corpus, source and level. Those without any defined
        correlation are left out.
    """
    panels = {}
    for (corpus, source, level), part in found.groupby(
        ["corpus", "source", "level"], sort=False
    ):
        if part["r"].isna().all():
            continue
        title = f"{pretty(source)}\n{plain(corpus, 'corpus')}"
        title += "" if level == "clip" else f", {plain(level, 'level')}"
        panels[title] = part
    return panels


def strongest(tables: Mapping[str, pd.DataFrame]) -> str:
    """The largest correlation of all tables in words, for a description.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        As for :func:`association_heatmap`.
    """
    parts = [
        table.rename(columns={_column(table): "r"}).assign(title=title)
        for title, table in tables.items()
    ]
    cells = pd.concat(parts, ignore_index=True)
    cell = cells.loc[cells["r"].abs().idxmax()]
    pair = f"{cell['emotion']} and {cell['trait'].replace('_', ' ')}"
    title = " ".join(cell["title"].split())
    return f"The strongest is {apa_number(cell['r'])} for {pair} ({title})."


@theme.both_modes
def association_heatmap(
    tables: Mapping[str, pd.DataFrame], limit: float = 0.6, refused: bool = False
) -> Figure:
    """One panel of emotions by traits per table, on one colour scale.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Title to a table with emotion, trait and r (or any one other column of numbers,
        such as ``planted``). Cells with ``significant`` True are bold and framed; their
        titles have the interval where there are ``low`` and ``high``.
    limit : float
        Absolute correlation at which the colour is strongest.
    refused : bool
        Whether the numbers are not to be relied on: grey, and none is framed.
    """
    colours = theme.greys() if refused else theme.diverging()
    figure, grid = panel_grid(len(tables), PANEL, (0.0, 0.6), sharey=True)
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=False):
        shown = table.drop(columns="significant", errors="ignore") if refused else table
        _panel(axes, shown, limit, colours)
        entitle(axes, title)
    scale = ScalarMappable(Normalize(-limit, limit), colours)
    bar = figure.colorbar(scale, ax=grid, location="bottom", shrink=0.6, aspect=30)
    bar.set_label("correlation")
    bar.outline.set_visible(False)
    bar.solids.set_rasterized(True)
    return figure


def _panel(axes: Axes, table: pd.DataFrame, limit: float, colours: Colormap) -> None:
    values = cell_matrix(table, _column(table))
    significant = np.zeros(values.shape, dtype=bool)
    if "significant" in table:
        significant = (cell_matrix(table, "significant") == 1) & np.isfinite(values)
    details = np.where(significant, ", significant", "").astype(object)
    if {"low", "high"} <= set(table):
        details = _written(" [{}, {}]", table, "low", "high") + details
    rows, columns = (
        [place for place, name in enumerate(names) if name in set(table[what])]
        for what, names in (("emotion", SCORED_EMOTIONS), ("trait", TRAITS))
    )
    chosen = np.ix_(rows, columns)
    values = values[chosen]
    draw_matrix(
        axes,
        values,
        [SCORED_EMOTIONS[row] for row in rows],
        [TRAITS[column].replace("_", "\n") for column in columns],
        colours,
        (-limit, limit),
        np.vectorize(apa_number, otypes=[object])(values),
        significant[chosen],
        details[chosen],
    )
    plt.setp(axes.get_xticklabels(), rotation=35, ha="right", rotation_mode="anchor")


def _column(table: pd.DataFrame) -> str:
    return "r" if "r" in table else number_column(table)


def _written(form: str, table: pd.DataFrame, *columns: str) -> np.ndarray:
    """Numbers of each cell in words, as (emotion, trait) array."""
    numbers = [cell_matrix(table, column) for column in columns]
    write = np.vectorize(
        lambda *values: form.format(*map(apa_number, values)), otypes=[object]
    )
    return write(*numbers)
