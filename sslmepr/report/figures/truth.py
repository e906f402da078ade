"""Predictions against what is true, and who is read worse."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from sslmepr.labels import EMOTIONS
from sslmepr.report import theme
from sslmepr.report.figures.matrices import draw_matrix
from sslmepr.report.figures.panels import entitle, panel_grid
from sslmepr.report.truth_findings import differs


@theme.both_modes
def truth_panels(table: pd.DataFrame) -> Figure:
    """Mean label up, mean prediction across, a dot for each group of clips.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.evaluation.against_truth.against_truth`.
    """
    targets = list(dict.fromkeys(table["target"]))
    figure, grid = panel_grid(len(targets), (1.7, 1.65), (0.0, 0.3))
    colours = theme.emotion_colours()
    for axes, target in zip(grid.flat, targets, strict=False):
        mine = table[table["target"] == target]
        colour = colours.get(target, theme.accent())
        axes.axline((0, 0), slope=1, color=theme.faint(), ls=":", lw=1.2)
        axes.vlines(mine["predicted"], mine["low"], mine["high"], color=colour, lw=2)
        axes.plot(mine["predicted"], mine["estimate"], "o", ms=4.5, color=colour)
        axes.set(xlim=(0, 1), ylim=(0, 1), xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        axes.grid()
        entitle(axes, theme.pretty(target))
    figure.supxlabel("predicted", fontsize=10)
    figure.supylabel("labelled", fontsize=10)
    return figure


@theme.both_modes
def confusion_matrix(table: pd.DataFrame) -> Figure:
    """Of the clips with each strongest emotion, how many got which.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.evaluation.against_truth.confusion`.
    """
    shares = table.pivot(index="true", columns="predicted", values="share")
    rows = [name for name in EMOTIONS if name in shares.index]
    shares = shares.loc[rows, list(EMOTIONS)].to_numpy()
    counts = table.groupby("true")["clips"].sum()
    width = min(5.6, theme.width())
    figure, grid = panel_grid(1, (width, 0.36 * len(rows) + 1.1))
    axes = grid[0, 0]
    draw_matrix(
        axes,
        shares,
        rows,
        EMOTIONS,
        theme.sequential(),
        (0, 1),
        np.vectorize(lambda share: f"{100 * share:.0f}")(shares),
        framed=np.array([[row == column for column in EMOTIONS] for row in rows]),
    )
    axes.set_yticks(
        range(len(rows)), [f"{theme.pretty(name)} ({counts[name]})" for name in rows]
    )
    axes.tick_params(axis="x", labelrotation=45)
    axes.set_xlabel("given most probability, % of the row")
    axes.set_ylabel("strongest label (clips)")
    return figure


@theme.both_modes
def group_dots(table: pd.DataFrame) -> Figure:
    """Scores of people who look or sound alike, one panel per metric.

    Parameters
    ----------
    table : DataFrame
        From :func:`sslmepr.evaluation.groups.group_scores`, with a column ``people``
        that names the group for readers.
    """
    metrics = list(dict.fromkeys(table["metric"]))
    names = list(dict.fromkeys(table["people"]))
    size = 3.0, 0.6 + 0.3 * len(names)
    figure, grid = panel_grid(len(metrics), size, (1.0, 0.3), sharey=True)
    for axes, metric in zip(grid.flat, metrics, strict=False):
        mine = table[table["metric"] == metric]
        for row in mine.assign(sure=differs(mine) != 0).itertuples():
            place = names.index(row.people)
            colour = theme.accent() if row.sure else theme.faint()
            axes.hlines(place, row.low, row.high, color=colour, lw=2.4, alpha=0.6)
            axes.plot(row.estimate, place, "o", ms=6, color=colour)
        entitle(axes, theme.pretty(metric))
        axes.grid(axis="x")
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
    grid[0, 0].set_yticks(range(len(names)), names)
    grid[0, 0].set_ylim(len(names) - 0.5, -0.5)
    return figure
