"""Curves of trials: scores by offset or by planted strength."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure

from sslmepr.labels import MODALITIES
from sslmepr.report import theme
from sslmepr.report.figures.panels import legend, panel_grid

_SHAPES = [theme.MARKERS[name] for name in MODALITIES]


@theme.both_modes
def trial_lines(
    table: pd.DataFrame, across: str, by: str, marks: Mapping[str, float] | None = None
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
    marks : mapping of str to float, optional
        Metric to a value that is marked by a dotted line.
    """
    metrics, names = (list(dict.fromkeys(table[key])) for key in ("metric", by))
    figure, grid = panel_grid(len(metrics), (2.3, 2.4), (0.0, 0.5))
    colours = [*theme.modality_colours().values()]
    step = (table[across].max() - table[across].min()) / 60
    for axes, metric in zip(grid.flat, metrics, strict=False):
        if marks and metric in marks:
            axes.axhline(marks[metric], color=theme.faint(), ls=":", lw=1.4)
        for place, name in enumerate(names):
            here = table[(table["metric"] == metric) & (table[by] == name)]
            here = here.sort_values(across)
            # Side by side, or intervals of equal values would hide each other.
            where = here[across] + step * (place - (len(names) - 1) / 2)
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
        axes.set_xticks(sorted(table[across].unique()))
        axes.grid(axis="y")
    legend(figure, grid[0, 0].get_legend_handles_labels()[0])
    return figure
