"""Curves of trials: scores by offset or by planted strength."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.labels import MODALITIES
from sslmepr.report import theme
from sslmepr.report.figures.panels import legend, panel_grid

_SHAPES = [theme.MARKERS[name] for name in MODALITIES]


@theme.both_modes
def trial_lines(
    table: pd.DataFrame,
    across: str,
    by: str,
    marks: Mapping[str, float | Sequence[float]] | None = None,
    by_ratio: bool = False,
) -> Figure:
    """One panel per metric, one line for each value of a column.

    Parameters
    ----------
    table : DataFrame
        metric, `across`, `by`, estimate, low, high.
    across : str
        Column of the horizontal axis.
    by : str
        Column whose values get a line each, with a colour and marker of its own.
    marks : mapping of str to float or sequence of float, optional
        Metric to one or more values that are marked by dotted lines.
    by_ratio : bool
        Whether the horizontal axis is logarithmic.
    """
    metrics, names = (list(dict.fromkeys(table[key])) for key in ("metric", by))
    figure, grid = panel_grid(len(metrics), (2.3, 2.4), (0.0, 0.5))
    colours = [*theme.modality_colours().values()]
    ends = np.array([table[across].min(), table[across].max()])
    forth, back = (np.log, np.exp) if by_ratio else (np.asarray, np.asarray)
    step = np.ptp(forth(ends)) / 60
    for axes, metric in zip(grid.flat, metrics, strict=False):
        if marks and metric in marks:
            for mark in np.atleast_1d(marks[metric]):
                axes.axhline(mark, color=theme.faint(), ls=":", lw=1.4)
        for place, name in enumerate(names):
            here = table[(table["metric"] == metric) & (table[by] == name)]
            here = here.sort_values(across)
            # Side by side, or intervals of equal values would hide each other.
            where = back(forth(here[across]) + step * (place - (len(names) - 1) / 2))
            colour = colours[place % len(colours)]
            axes.vlines(
                where, here["low"], here["high"], color=colour, alpha=0.55, lw=2
            )
            axes.plot(
                where,
                here["estimate"],
                marker=_SHAPES[place % len(_SHAPES)],
                color=colour,
                lw=1.4,
                label=theme.pretty(str(name)),
            )
        axes.set(title=theme.pretty(metric), xlabel=theme.pretty(across))
        places = sorted(table[across].unique())
        if by_ratio:
            axes.set_xscale("log")
            axes.minorticks_off()
        axes.set_xticks(places, [f"{place:,g}" for place in places])
        axes.grid(axis="y")
    legend(figure, grid[0, 0].get_legend_handles_labels()[0])
    return figure
