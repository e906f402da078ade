"""Associations of a model beside published self-reports."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.association.grid import CELL, CELLS
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.panels import entitle, legend, panel_grid
from sslmepr.report.words import plain


@theme.both_modes
def people_panels(tables: Mapping[str, pd.DataFrame], reports: pd.DataFrame) -> Figure:
    """A line for each pair: a model's association with its interval, and self-reports.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Title of a panel to emotion, trait, r, low, high.
    reports : DataFrame
        emotion, trait, kind (``trait``: the emotion in general, a full mark; ``state``:
        at the moment, a hollow one), r; a pair may have several rows.
    """
    told = set(zip(reports["emotion"], reports["trait"], strict=True))
    pairs = [cell for cell in CELLS if cell in told]
    panel = (1.6, 0.9 + 0.19 * len(pairs))
    shared = {"sharex": True, "sharey": True}
    figure, grid = panel_grid(len(tables), panel, (2.0, 0.7), **shared)
    for axes, (title, table) in zip(grid.flat, tables.items(), strict=False):
        axes.axvline(0, color=theme.faint(), lw=1)
        for place in range(1, len(pairs)):
            if pairs[place][0] != pairs[place - 1][0]:
                axes.axhline(place - 0.5, color=theme.faint(), lw=0.5)
        _panel(axes, table.merge(reports, on=CELL, suffixes=("", "_people")), pairs)
        entitle(axes, title, panel[0])
        axes.tick_params(axis="y", length=0)
        axes.locator_params(axis="x", nbins=4)
    for axes in grid[-1]:
        axes.set_xlabel("r")
    labels = [f"{theme.pretty(one)}, {plain(other)}" for one, other in pairs]
    grid[0, 0].set_yticks(range(len(pairs)), labels)
    grid[0, 0].set_ylim(len(pairs) - 0.5, -0.5)
    legend(
        figure,
        [
            plt.scatter([], [], label="this study, with interval", **_own()),
            plt.scatter([], [], label="self-reports, in general", **_reported("trait")),
            plt.scatter([], [], label="at the moment", **_reported("state")),
        ],
    )
    return figure


def _panel(axes: Axes, cells: pd.DataFrame, pairs: list[tuple[str, str]]) -> None:
    for cell in cells.dropna(subset=["r"]).itertuples():
        place = pairs.index((cell.emotion, cell.trait))
        axes.hlines(place, cell.low, cell.high, color=theme.accent(), lw=2, alpha=0.5)
        axes.scatter(cell.r, place, **_own())
        axes.scatter(
            cell.r_people,
            place,
            gid=theme.named(
                f"{theme.pretty(cell.emotion)}, {theme.pretty(cell.trait)}: "
                f"{apa_number(cell.r_people)} in self-reports, "
                f"{apa_number(cell.r)} in this study"
            ),
            **_reported(cell.kind),
        )


def _own() -> dict:
    """Look of the association of this study."""
    return {"marker": "o", "s": 22, "color": theme.accent(), "zorder": 2}


def _reported(kind: str) -> dict:
    """Look of a self-report."""
    faces = theme.page() if kind == "state" else theme.ink()
    look = {"facecolors": faces, "edgecolors": theme.ink()}
    return look | {"marker": "D", "s": 20, "zorder": 3}
