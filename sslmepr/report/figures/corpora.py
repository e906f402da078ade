"""Corpora: frequencies of labels, projections of features."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS, TRAITS
from sslmepr.report import theme
from sslmepr.report.figures.panels import legend, panel_grid


@theme.both_modes
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
    figure, grid = panel_grid(len(parts), (3.4, 2.5), (0.0, 0.3))
    for axes, (draw, labels) in zip(grid.flat, parts, strict=True):
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


@theme.both_modes
def projection_scatter(points: pd.DataFrame, hue: str) -> Figure:
    """Clips on the first two principal components, one panel per modality.

    Parameters
    ----------
    points : DataFrame
        modality, x, y, `hue`; as from
        :func:`sslmepr.report.projection.project_modalities`.
    hue : str
        A column of names (emotions keep their colours) or of numbers.
    """
    panels = list(dict.fromkeys(points["modality"]))
    figure, grid = panel_grid(len(panels), (2.2, 2.1), (0.0, 0.6))
    numeric = pd.api.types.is_float_dtype(points[hue])
    for axes, panel in zip(grid.flat, panels, strict=False):
        drawn = _points(axes, points[points["modality"] == panel], hue, numeric)
        axes.set(title=theme.pretty(panel), xticks=[], yticks=[])
    if numeric:
        bar = figure.colorbar(
            drawn, ax=grid, location="bottom", shrink=0.6, label=theme.pretty(hue)
        )
        bar.outline.set_visible(False)
        bar.solids.set_rasterized(True)
    else:
        legend(figure, grid[0, 0].get_legend_handles_labels()[0], markerscale=1.8)
    return figure


def _points(axes: Axes, table: pd.DataFrame, hue: str, numeric: bool):
    style = {"s": 16, "linewidths": 0, "alpha": 0.8, "rasterized": True}
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
