"""Bounds of the correlations of labels."""

import pandas as pd
from matplotlib.figure import Figure

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.figures.panels import panel_grid


@theme.both_modes
def bounds_panels(bounds: pd.DataFrame, true: pd.DataFrame | None = None) -> Figure:
    """One panel per emotion, one bar per trait.

    Parameters
    ----------
    bounds : DataFrame
        From `sslmepr.association.crossed_bounds.crossed_bounds`.
    true : DataFrame, optional
        emotion, trait, r: correlations of the labels, where both are known.
    """
    emotions = [each for each in SCORED_EMOTIONS if each in set(bounds["emotion"])]
    places = {trait: -place for place, trait in enumerate(TRAITS)}
    figure, grid = panel_grid(
        len(emotions), (1.8, 1.5), (1.3, 0.3), sharex=True, sharey=True
    )
    colours = theme.emotion_colours()
    for axes, emotion in zip(grid.flat, emotions, strict=False):
        cells = bounds[bounds["emotion"] == emotion]
        y = cells["trait"].map(places)
        axes.axvline(0, color=theme.faint(), lw=0.8)
        grey = {"color": theme.faint(), "alpha": 0.45}
        axes.hlines(y, cells["interval_low"], cells["interval_high"], lw=2, **grey)
        axes.hlines(y, cells["low"], cells["high"], lw=6, **grey)
        axes.scatter(cells["unrelated"], y, color=colours[emotion], s=30, zorder=3)
        if true is not None:
            known = true[true["emotion"] == emotion]
            axes.scatter(
                known["r"],
                known["trait"].map(places),
                marker="D",
                s=24,
                facecolors="none",
                edgecolors=theme.ink(),
                zorder=4,
            )
        axes.set_title(theme.pretty(emotion))
        axes.set(xlim=(-1, 1))
    names = [theme.pretty(trait) for trait in TRAITS]
    grid[0, 0].set_yticks([places[trait] for trait in TRAITS], names)
    grid[0, 0].set_ylim(-len(TRAITS) + 0.4, 0.6)
    figure.supxlabel("correlation of the labels", fontsize=10)
    return figure
