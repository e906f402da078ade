"""Corpora: frequencies of labels."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS, TRAITS
from sslmepr.report import theme
from sslmepr.report.figures.panels import panel_grid


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
    axes.barh(range(len(EMOTIONS)), 100 * share, color=theme.accent(), height=0.72)
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
