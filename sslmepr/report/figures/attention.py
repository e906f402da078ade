"""Attributions of outputs, and attention between modalities."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.labels import MODALITIES, TASKS
from sslmepr.report import theme
from sslmepr.report.figures.matrices import draw_matrix
from sslmepr.report.figures.panels import panel_grid

HALVES = {"emotion": "emotional half", "personality": "personality half"}


@theme.both_modes
def attribution_heatmap(values: pd.DataFrame) -> Figure:
    """One panel per target: modality rows; emotional half | personality half.

    Parameters
    ----------
    values : DataFrame
        Of one clip: target, modality, half, index, attribution, as from
        :func:`sslmepr.explanation.attribution.attribute`; only rows of the embedding
        pathway are shown. Every panel has its own scale, written above it: targets
        differ in unit.
    """
    if "pathway" in values:
        values = values[values["pathway"] == "embedding"]
    targets = list(dict.fromkeys(values["target"]))
    modalities = [name for name in MODALITIES if name in set(values["modality"])]
    panel = (3.4, 0.6 + 0.24 * len(modalities))
    figure, grid = panel_grid(len(targets), panel, (0.0, 0.4), sharex=True, sharey=True)
    for axes, target in zip(grid.flat, targets, strict=False):
        _attribution_panel(axes, values[values["target"] == target], modalities)
        peak = values.loc[values["target"] == target, "attribution"].abs().max()
        axes.set_title(theme.pretty(target))
        axes.set_title(f"±{peak:.2g}", loc="right", fontsize=9, fontweight="normal")
    return figure


def _attribution_panel(axes: Axes, values: pd.DataFrame, modalities: list[str]) -> None:
    wide = values.pivot(
        index="modality", columns=["half", "index"], values="attribution"
    )
    halves = [wide[half].sort_index(axis=1) for half in HALVES]
    # Widths differ between modalities; a narrower one is stretched to the same length.
    length = max(half.shape[1] for half in halves)
    image = np.full((len(modalities), 2 * length), np.nan)
    for row, modality in enumerate(modalities):
        for side, half in enumerate(halves):
            cells = half.loc[modality].dropna().to_numpy()
            if len(cells):
                stretched = cells[np.arange(length) * len(cells) // length]
                image[row, side * length : (side + 1) * length] = stretched
    peak = np.nanmax(np.abs(image), initial=1e-12)
    axes.imshow(
        np.ma.masked_invalid(image),
        cmap=theme.diverging(),
        vmin=-peak,
        vmax=peak,
        aspect="auto",
        interpolation="nearest",
    )
    axes.axvline(length - 0.5, color=theme.ink(), lw=1.2)
    for edge in np.arange(len(modalities) - 1) + 0.5:
        axes.axhline(edge, color=theme.page(), lw=2)
    axes.set_yticks(range(len(modalities)), [theme.pretty(name) for name in modalities])
    axes.set_xticks([(length - 1) / 2, 1.5 * length - 0.5], list(HALVES.values()))
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)


@theme.both_modes
def graph_attention_matrix(table: pd.DataFrame) -> Figure:
    """Graph attention of modalities (rows) to modalities (columns), mean over clips.

    Parameters
    ----------
    table : DataFrame
        modality, source, attention, as from
        :func:`sslmepr.explanation.attention.graph_attention_table`.
    """
    names = [name for name in MODALITIES if name in set(table["modality"])]
    figure, axes = plt.subplots(figsize=(min(4.6, theme.width()), 2.9))
    _weights(axes, table, "modality", names, "source", names)
    axes.set(xlabel="from", ylabel="to", title="Graph attention")
    return figure


@theme.both_modes
def query_attention_matrix(table: pd.DataFrame) -> Figure:
    """Query attention of tasks (rows) to modalities (columns), mean over clips.

    Parameters
    ----------
    table : DataFrame
        task, modality, attention, as from
        :func:`sslmepr.explanation.attention.query_attention_table`.
    """
    tasks = [task for task in TASKS if task in set(table["task"])]
    names = [name for name in MODALITIES if name in set(table["modality"])]
    figure, axes = plt.subplots(figsize=(min(4.6, theme.width()), 1.5))
    _weights(axes, table, "task", tasks, "modality", names)
    axes.set(title="Query attention")
    return figure


def _weights(axes, table, row_name, rows, column_name, columns) -> None:
    mean = table.groupby([row_name, column_name])["attention"].mean().unstack()
    values = mean.reindex(index=rows, columns=columns).to_numpy()
    limits = (0.0, float(np.nanmax(values, initial=1e-12)))
    texts = np.array([[f"{value:.2f}" for value in row] for row in values])
    draw_matrix(axes, values, rows, columns, theme.sequential(), limits, texts)
