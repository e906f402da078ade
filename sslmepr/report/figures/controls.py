"""Which associations survive which control, as a matrix."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.association.grid import CELL, cell_index
from sslmepr.labels import TRAITS
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.matrices import draw_matrix


@theme.both_modes
def survival_matrix(
    table: pd.DataFrame, planted: pd.DataFrame | None = None, limit: float = 0.6
) -> Figure:
    """Thirty rows, a column for each control; cells that survive are framed.

    Parameters
    ----------
    table : DataFrame
        control, emotion, trait, r, survives; as from
        :func:`sslmepr.association.controls.control_table`.
    planted : DataFrame, optional
        emotion, trait, planted; a triangle beside a row with a planted association
        points in its direction.
    limit : float
        Absolute correlation at which the colour is strongest.
    """
    controls = list(dict.fromkeys(table["control"]))
    cells = cell_index()
    wide = table.pivot(index=CELL, columns="control")
    wide = wide[["r", "survives"]].reindex(cells)
    values = wide["r"][controls].to_numpy(float)
    survives = wide["survives"][controls].to_numpy(bool)
    width = min(theme.width(), 2.4 + 0.95 * len(controls))
    figure, axes = plt.subplots(figsize=(width, 7.6))
    draw_matrix(
        axes,
        values,
        [f"{emotion} × {trait}" for emotion, trait in cells],
        controls,
        theme.diverging(),
        (-limit, limit),
        np.vectorize(apa_number)(values),
        survives,
        np.where(survives, ", survives", ""),
    )
    axes.xaxis.tick_top()
    axes.set_xticks(range(len(controls)), [_lines(name) for name in controls])
    axes.tick_params(length=0)
    if width < 2.0 + 0.8 * len(controls):
        axes.tick_params(axis="x", rotation=90)
    for edge in range(len(TRAITS), len(cells), len(TRAITS)):
        axes.axhline(edge - 0.5, color=theme.faint(), linewidth=0.8)
    if planted is not None:
        _mark(axes, planted.set_index(CELL)["planted"].reindex(cells))
    return figure


def _lines(name: str) -> str:
    return theme.pretty(name).replace(" ", "\n")


def _mark(axes, planted: pd.Series) -> None:
    """Triangles left of the rows with a planted association."""
    for row, value in enumerate(planted):
        if value:
            axes.scatter(
                -0.62,
                row,
                marker="^" if value > 0 else "v",
                s=30,
                color=theme.ink(),
                clip_on=False,
            )
    axes.set_xlim(-0.75, axes.get_xlim()[1])
