"""Kinds of sequence block side by side."""

import pandas as pd
from matplotlib.figure import Figure

from sslmepr.labels import MODALITIES
from sslmepr.report import theme
from sslmepr.report.figures.panels import legend, panel_grid

SPREAD = 0.5
"""Part of a row's height over which its blocks are drawn above each other."""


@theme.both_modes
def block_gains(table: pd.DataFrame) -> Figure:
    """Gain of each sequence block, one panel per task, each with its own axis.

    Parameters
    ----------
    table : DataFrame
        what, task, block, estimate, low, high; of one metric, a difference.
    """
    tasks, blocks = (list(dict.fromkeys(table[key])) for key in ("task", "block"))
    rows = [list(dict.fromkeys(table.loc[table["task"] == t, "what"])) for t in tasks]
    panel = (2.2, 0.6 + 0.42 * max(map(len, rows)))
    figure, grid = panel_grid(len(tasks), panel, (0.0, 0.5))
    colours = [*theme.modality_colours().values()]
    shapes = [theme.MARKERS[name] for name in MODALITIES]
    for axes, task, names in zip(grid.flat, tasks, rows, strict=False):
        axes.axvline(0, color=theme.faint(), lw=1)
        for number, block in enumerate(blocks):
            here = table[(table["task"] == task) & (table["block"] == block)]
            shift = SPREAD * ((number + 0.5) / len(blocks) - 0.5)
            places = [names.index(name) + shift for name in here["what"]]
            colour = colours[number % len(colours)]
            axes.hlines(
                places, here["low"], here["high"], color=colour, lw=2.4, alpha=0.55
            )
            axes.scatter(
                here["estimate"],
                places,
                color=colour,
                marker=shapes[number % len(shapes)],
                s=34,
                zorder=3,
                label=theme.pretty(block),
            )
        axes.set_yticks(range(len(names)), [theme.pretty(name) for name in names])
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_title(theme.pretty(task))
        axes.grid(axis="x")
    legend(figure, grid[0, 0].get_legend_handles_labels()[0])
    return figure
