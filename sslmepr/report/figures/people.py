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
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.panels import entitle, legend, panel_grid

MARKERS = dict(zip(TRAITS, theme.MARKERS.values(), strict=True))
"""Trait to the marker that stands for it."""


@theme.both_modes
def people_panels(tables: Mapping[str, pd.DataFrame], reports: pd.DataFrame) -> Figure:
    """Self-reports across, a model's associations up; one panel per table.

    A cell is the marker of its trait in the colour of its emotion: full for the emotion
    in general, hollow for the moment. The axes have different scales, because sizes
    must not be compared; in a shaded quarter both have the same sign.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Title to emotion, trait, r, low, high.
    reports : DataFrame
        emotion, trait, kind (``trait`` or ``state``), r; a cell may have several rows.
    """
    figure, grid = panel_grid(
        len(tables), (3.4, 3.0), (0.0, 1.0), sharex=True, sharey=True
    )
    drawn = [table[["low", "high", "r"]].abs().to_numpy() for table in tables.values()]
    reach = 1.08 * np.nanmax(np.concatenate(drawn), initial=0.1)
    across = 1.15 * reports["r"].abs().max()
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=False):
        axes.set(xlim=(-across, across), ylim=(-reach, reach))
        _panel(axes, table.merge(reports, on=CELL, suffixes=("", "_people")))
        entitle(axes, title)
    for axes in grid[-1]:
        axes.set_xlabel("in self-reports, r")
    for axes in grid[:, 0]:
        axes.set_ylabel("in this study, r")
    colours = theme.emotion_colours()
    handles = [
        plt.scatter([], [], color=colours[name], label=theme.pretty(name))
        for name in SCORED_EMOTIONS
    ]
    handles += [
        plt.scatter([], [], color=theme.ink(), marker=marker, label=theme.pretty(name))
        for name, marker in MARKERS.items()
    ]
    legend(figure, handles)
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
        axes.scatter(
            cell.r_people,
            cell.r,
            marker=MARKERS[cell.trait],
            s=34,
            color=theme.page() if cell.kind == "state" else colour,
            edgecolors=colour,
            zorder=3,
            gid=theme.named(
                f"{theme.pretty(cell.emotion)}, {theme.pretty(cell.trait)}: "
                f"{apa_number(cell.r_people)} in self-reports, "
                f"{apa_number(cell.r)} in this study"
            ),
        )
