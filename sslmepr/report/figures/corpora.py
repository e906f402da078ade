"""Corpora: frequencies of labels, correlations of traits, projections of features."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS, TRAITS
from sslmepr.report import theme
from sslmepr.report.apa import apa_number
from sslmepr.report.figures.matrices import draw_matrix, write_values


def label_distribution(clips: pd.DataFrame, title: str = "") -> Figure:
    """How many clips show each emotion, and how trait scores spread.

    Parameters
    ----------
    clips : DataFrame
        A clip table. A task that no clip is labelled for gets no panel.

    Raises
    ------
    ValueError
        If no clip has any label.
    """
    emotions = clips[list(EMOTION_COLUMNS)].dropna()
    traits = clips[list(TRAIT_COLUMNS)].dropna()
    parts = [(_emotions, emotions), (_traits, traits)]
    parts = [(draw, labels) for draw, labels in parts if len(labels)]
    if not parts:
        raise ValueError(f"{title or 'clips'}: no clip has a label")
    figure, grid = plt.subplots(
        1, len(parts), figsize=(4.7 * len(parts), 2.9), squeeze=False
    )
    for axes, (draw, labels) in zip(grid[0], parts, strict=True):
        draw(axes, labels)
    if title:
        figure.suptitle(title, x=0.01, ha="left", fontsize=10.5, fontweight="bold")
    return figure


def _emotions(axes: Axes, labels: pd.DataFrame) -> None:
    share = (labels > 0).mean()
    colours = list(theme.emotion_colours().values())
    axes.barh(range(len(EMOTIONS)), 100 * share, color=colours, height=0.72)
    for row, value in enumerate(100 * share):
        axes.text(value + 0.8, row, f"{value:.0f}", va="center", fontsize=9)
    axes.set_yticks(range(len(EMOTIONS)), [theme.pretty(name) for name in EMOTIONS])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"% of {len(labels)} clips that show it")
    axes.margins(x=0.12)


def _traits(axes: Axes, labels: pd.DataFrame) -> None:
    import seaborn as sns  # takes a second that most chapters need not wait for

    sns.violinplot(
        labels.set_axis([theme.pretty(name) for name in TRAITS], axis=1),
        orient="h",
        color=theme.accent(),
        linecolor=theme.ink(),
        inner="box",
        cut=0,
        linewidth=1,
        ax=axes,
    )
    axes.tick_params(axis="y", length=0)
    axes.set_xlim(0, 1)
    axes.set_xlabel(f"score in {len(labels)} clips (quartiles and median)")


def trait_correlations(clips: pd.DataFrame, axes: Axes | None = None) -> Axes:
    """Pearson correlations among the traits of a clip table."""
    if axes is None:
        _, axes = plt.subplots(figsize=(4.8, 3.9))
    labels = clips[list(TRAIT_COLUMNS)].dropna()
    values = labels.corr().to_numpy(copy=True)
    values[np.triu_indices(len(TRAITS))] = np.nan
    values, rows, columns = values[1:, :-1], list(TRAITS[1:]), list(TRAITS[:-1])
    colours, limits = theme.diverging(), (-1.0, 1.0)
    lower = np.tril(np.ones(values.shape, dtype=bool))
    draw_matrix(axes, np.where(lower, values, 0.0), rows, columns, colours, limits)
    for row, column in np.argwhere(~lower):
        axes.add_patch(
            plt.Rectangle(
                (column - 0.5, row - 0.5), 1, 1, facecolor=theme.page(), lw=0, zorder=3
            )
        )
    texts = np.array([[apa_number(value) for value in row] for row in values])
    write_values(axes, np.where(lower, values, np.nan), texts, colours, limits)
    plt.setp(axes.get_xticklabels(), rotation=30, ha="right", rotation_mode="anchor")
    axes.set_title(f"Traits among themselves, {len(labels)} clips")
    return axes


def projection_scatter(
    points: pd.DataFrame, hue: str, explained: tuple[float, float] | None = None
) -> Figure:
    """Clips on the first two principal components, one panel per modality.

    There are at most three panels per row.

    Parameters
    ----------
    points : DataFrame
        x, y, `hue`, and optionally modality; as from
        :func:`sslmepr.report.projection.project`.
    hue : str
        A column of names (emotions keep their colours) or of numbers.
    explained : pair of float, optional
        Shares of variance, for a single panel.
    """
    panels = list(dict.fromkeys(points["modality"])) if "modality" in points else [None]
    columns = min(len(panels), 3)
    rows = math.ceil(len(panels) / columns)
    figure, grid = plt.subplots(
        rows, columns, figsize=(3.3 * columns + 0.8, 3.1 * rows + 0.3), squeeze=False
    )
    for unused in grid.flat[len(panels) :]:
        unused.set_axis_off()
    numeric = pd.api.types.is_float_dtype(points[hue])
    for axes, panel in zip(grid.flat, panels, strict=False):
        here = points if panel is None else points[points["modality"] == panel]
        drawn = _points(axes, here, hue, numeric)
        axes.set_title("" if panel is None else theme.pretty(panel))
        axes.set_xticks([])
        axes.set_yticks([])
        if explained and panel is None:
            axes.set_xlabel(f"first direction ({100 * explained[0]:.0f} % of variance)")
            axes.set_ylabel(f"second ({100 * explained[1]:.0f} %)")
    if numeric:
        bar = figure.colorbar(drawn, ax=grid, shrink=0.8, label=theme.pretty(hue))
        bar.outline.set_visible(False)
    else:
        handles, labels = grid[0, 0].get_legend_handles_labels()
        figure.legend(
            handles,
            labels,
            loc="outside lower center",
            ncols=math.ceil(len(labels) / rows),
            markerscale=1.8,
        )
    return figure


def _points(axes: Axes, table: pd.DataFrame, hue: str, numeric: bool):
    style = {"s": 16, "linewidths": 0, "alpha": 0.8}
    if numeric:
        return axes.scatter(
            table["x"], table["y"], c=table[hue], cmap=theme.gradient(), **style
        )
    colours, others = theme.emotion_colours(), list(theme.modality_colours().values())
    known = [name for name in EMOTIONS if name in set(table[hue])]
    names = known + sorted(set(table[hue]) - set(known))
    for number, name in enumerate(names):
        here = table[table[hue] == name]
        colour = colours.get(name, others[number % len(others)])
        label = theme.pretty(str(name))
        axes.scatter(here["x"], here["y"], color=colour, label=label, **style)
    return None
