"""Associations of a model against published self-reports."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.association.grid import CELL
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.figures.panels import panel_grid

LETTERS = dict(zip(TRAITS, "OCEAS", strict=True))
"""Letters of the traits; S is emotional stability."""


def people_panels(
    tables: Mapping[str, pd.DataFrame], reports: pd.DataFrame, columns: int = 3
) -> Figure:
    """Self-reports across, a model's associations up; one panel per table.

    A cell is the letter of its trait (`LETTERS`) in the colour of its emotion: a
    capital for the emotion in general, a small letter for the moment. The axes have
    different scales, because sizes must not be compared; in a shaded quarter both have
    the same sign.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Title to emotion, trait, r, low, high.
    reports : DataFrame
        emotion, trait, kind (``trait`` or ``state``), r; a cell may have several rows.
    columns : int
        Panels side by side.
    """
    figure, grid = panel_grid(
        len(tables), columns, (3.7, 3.5), (0.0, 0.5), sharex=True, sharey=True
    )
    drawn = [table[["low", "high", "r"]].abs().to_numpy() for table in tables.values()]
    reach = 1.08 * np.nanmax(np.concatenate(drawn), initial=0.1)
    across = 1.15 * reports["r"].abs().max()
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=False):
        axes.set(xlim=(-across, across), ylim=(-reach, reach))
        _panel(axes, table.merge(reports, on=CELL, suffixes=("", "_people")))
        axes.set_title(title)
    for axes in grid[-1]:
        axes.set_xlabel("in self-reports, r")
    for axes in grid[:, 0]:
        axes.set_ylabel("in this study, r")
    colours = theme.emotion_colours()
    handles = [
        plt.scatter([], [], color=colours[name], label=theme.pretty(name))
        for name in SCORED_EMOTIONS
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def _panel(axes: Axes, cells: pd.DataFrame) -> None:
    bottom, top = axes.get_ylim()
    for end, xmin, xmax in ((top, 0.5, 1.0), (bottom, 0.0, 0.5)):
        axes.axhspan(0, end, xmin, xmax, color=theme.faint(), alpha=0.1, lw=0)
    axes.axhline(0, color=theme.faint(), lw=0.6)
    axes.axvline(0, color=theme.faint(), lw=0.6)
    colours = theme.emotion_colours()
    for cell in cells.dropna(subset=["r"]).itertuples():
        colour = colours[cell.emotion]
        axes.vlines(cell.r_people, cell.low, cell.high, color=colour, lw=0.9, alpha=0.5)
        letter = LETTERS[cell.trait]
        axes.text(
            cell.r_people,
            cell.r,
            letter.lower() if cell.kind == "state" else letter,
            color=colour,
            ha="center",
            va="center",
            fontsize=10,
            fontweight="bold",
        )
