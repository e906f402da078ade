"""Scores with their intervals, against the floor and the ceiling; learning curves."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.report import theme
from sslmepr.report.figures.panels import entitle, legend, panel_grid
from sslmepr.report.words import plain


def highest(table: pd.DataFrame) -> str:
    """The best row of each metric in words, for a description of `metric_dots`."""
    best = table.loc[table.groupby("metric", sort=False)["estimate"].idxmax()]
    words = best["metric"] + " " + best["estimate"].map("{:.2f}".format)
    return f"Highest: {', '.join(words + ' (' + best['modality'].map(plain) + ')')}."


@theme.both_modes
def metric_dots(table: pd.DataFrame) -> Figure:
    """Dot and interval per modality, one panel per metric.

    Parameters
    ----------
    table : DataFrame
        metric, modality (or what else is scored), estimate, low, high; optionally
        ``baseline`` (guessing: a dotted tick) and ``ceiling`` (the ideal observer: an
        open diamond). Order is that of the table.
    """
    metrics = list(dict.fromkeys(table["metric"]))
    names = list(dict.fromkeys(table["modality"]))
    height = 0.6 + 0.3 * len(names)
    figure, grid = panel_grid(len(metrics), (2.0, height), (1.0, 0.4), sharey=True)
    for axes, metric in zip(grid.flat, metrics, strict=False):
        _dots(axes, table[table["metric"] == metric], names)
        entitle(axes, theme.pretty(metric))
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.08)
    grid[0, 0].set_yticks(range(len(names)), [theme.pretty(name) for name in names])
    grid[0, 0].set_ylim(len(names) - 0.5, -0.5)
    guess = plt.Line2D([], [], color=theme.faint(), ls=":", label="guessing")
    observer = plt.scatter([], [], label="ideal observer", **_ceiling())
    handles = {"baseline": guess, "ceiling": observer}
    handles = [handle for column, handle in handles.items() if column in table]
    if handles:
        legend(figure, handles)
    return figure


def _dots(axes, table, names) -> None:
    colours = theme.modality_colours()
    for row in table.to_dict("records"):
        name, y = row["modality"], names.index(row["modality"])
        colour = colours.get(name, theme.accent())
        axes.hlines(y, row["low"], row["high"], color=colour, lw=2.4, alpha=0.55)
        marker = theme.MARKERS.get(name, "o")
        axes.scatter(row["estimate"], y, marker=marker, s=46, c=[colour], zorder=3)
        if np.isfinite(row.get("baseline", np.nan)):
            axes.vlines(
                row["baseline"], y - 0.28, y + 0.28, color=theme.faint(), ls=":", lw=1.6
            )
        if np.isfinite(row.get("ceiling", np.nan)):
            axes.scatter(row["ceiling"], y, zorder=3, **_ceiling())


def _ceiling() -> dict:
    """Look of the ideal observer's mark."""
    return {"marker": "D", "s": 30, "facecolors": "none", "edgecolors": theme.ink()}


@theme.both_modes
def learning_curves(history: pd.DataFrame, hue: str = "modality") -> Figure:
    """One panel per quantity, epochs along the bottom, one line per `hue`.

    Parameters
    ----------
    history : DataFrame
        epoch, quantity (``loss``, ``dev score`` ...), value, and `hue`; optionally
        ``best`` (True at the epoch that was kept, which is marked).
    """
    quantities = list(dict.fromkeys(history["quantity"]))
    figure, grid = panel_grid(len(quantities), (3.4, 2.6), (0.0, 0.4))
    names = list(dict.fromkeys(history[hue]))
    colours = theme.modality_colours()
    others = list(colours.values())
    for axes, quantity in zip(grid.flat, quantities, strict=False):
        for number, name in enumerate(names):
            line = history[(history["quantity"] == quantity) & (history[hue] == name)]
            colour = colours.get(name, others[number % len(others)])
            label = f"seed {name}" if hue == "seed" else theme.pretty(str(name))
            axes.plot(line["epoch"], line["value"], color=colour, label=label)
            if "best" in line:
                kept = line[line["best"].astype(bool)]
                marker = theme.MARKERS.get(name, "o")
                axes.scatter(kept["epoch"], kept["value"], color=colour, marker=marker)
        axes.set_title(theme.pretty(quantity))
        axes.set_xlabel("epoch")
        axes.xaxis.get_major_locator().set_params(integer=True)
        axes.grid()
    if len(names) > 1:
        legend(figure, grid[0, 0].get_legend_handles_labels()[0])
    return figure
