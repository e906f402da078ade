"""Scores with their intervals, against the floor and the ceiling; learning curves."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.report import theme
from sslmepr.report.figures.panels import legend, panel_grid

METRIC_NAMES = {
    "mWACC": "mWACC (emotions)",
    "mF1": "mF1 (emotions)",
    "mUAR": "mUAR (emotions)",
    "mACC": "mACC (traits)",
    "CCC": "CCC (traits)",
    "skill": "skill over the mean (traits)",
}


def highest(table: pd.DataFrame, rows: str = "modality") -> str:
    """The best row of each metric in words, for a description of `metric_dots`."""
    best = table.loc[table.groupby("metric", sort=False)["estimate"].idxmax()]
    words = best["metric"] + " " + best["estimate"].map("{:.2f}".format)
    return f"Highest: {', '.join(words + ' (' + best[rows] + ')')}."


@theme.both_modes
def metric_dots(
    table: pd.DataFrame, rows: str = "modality", hue: str | None = None
) -> Figure:
    """Dot and interval per row, one panel per metric.

    Parameters
    ----------
    table : DataFrame
        metric, `rows`, estimate, low, high; optionally ``baseline`` (guessing:
        a dotted tick) and ``ceiling`` (the ideal observer: an open diamond), and `hue`,
        whose values are drawn side by side within a row. Order is that of the table.
    rows : str
        Column that names the rows; modalities keep their colours and markers.
    hue : str, optional
        For example ``split``.
    """
    metrics = list(dict.fromkeys(table["metric"]))
    names = list(dict.fromkeys(table[rows]))
    hues = [None] if hue is None else list(dict.fromkeys(table[hue]))
    height = 0.6 + 0.3 * len(names) * max(1, 0.75 * len(hues))
    figure, grid = panel_grid(len(metrics), (2.0, height), (1.0, 0.4), sharey=True)
    for axes, metric in zip(grid.flat, metrics, strict=False):
        here = table[table["metric"] == metric]
        for number, value in enumerate(hues):
            part = here if value is None else here[here[hue] == value]
            offset = 0.3 * (number - (len(hues) - 1) / 2)
            _dots(axes, part, names, rows, offset, faded=number > 0)
        axes.set_title(METRIC_NAMES.get(metric, metric))
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        axes.margins(x=0.08)
    grid[0, 0].set_yticks(range(len(names)), [theme.pretty(name) for name in names])
    grid[0, 0].set_ylim(len(names) - 0.5, -0.5)
    _legend(figure, table, hues)
    return figure


def _dots(axes, part, names, rows, offset, faded) -> None:
    colours = theme.modality_colours()
    for row in part.to_dict("records"):
        name, y = row[rows], names.index(row[rows]) + offset
        colour = colours.get(name, theme.accent())
        marker = theme.MARKERS.get(name, "o")
        axes.hlines(y, row["low"], row["high"], color=colour, lw=2.4, alpha=0.55)
        face = theme.page() if faded else colour
        axes.scatter(
            row["estimate"],
            y,
            marker=marker,
            s=46,
            c=[face],
            edgecolors=colour,
            zorder=3,
        )
        if np.isfinite(row.get("baseline", np.nan)):
            axes.vlines(
                row["baseline"], y - 0.28, y + 0.28, color=theme.faint(), ls=":", lw=1.6
            )
        if np.isfinite(row.get("ceiling", np.nan)):
            axes.scatter(
                row["ceiling"],
                y,
                marker="D",
                s=30,
                facecolors="none",
                edgecolors=theme.ink(),
                linewidths=1,
                zorder=3,
            )


def _legend(figure: Figure, table: pd.DataFrame, hues: list) -> None:
    handles = []
    if len(hues) > 1:
        for number, value in enumerate(hues):
            face = theme.page() if number else theme.accent()
            handles.append(
                plt.scatter(
                    [], [], s=46, c=[face], edgecolors=theme.accent(), label=str(value)
                )
            )
    if "baseline" in table:
        handles += plt.plot([], [], color=theme.faint(), ls=":", label="guessing")
    if "ceiling" in table:
        handles.append(
            plt.scatter(
                [],
                [],
                marker="D",
                s=30,
                facecolors="none",
                edgecolors=theme.ink(),
                label="ideal observer",
            )
        )
    if handles:
        legend(figure, handles)


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
    colours, others = theme.modality_colours(), list(theme.emotion_colours().values())
    for axes, quantity in zip(grid.flat, quantities, strict=False):
        for number, name in enumerate(names):
            line = history[(history["quantity"] == quantity) & (history[hue] == name)]
            colour = colours.get(name, others[(number + 1) % len(others)])
            label = theme.pretty(str(name))
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
