"""Figures that only the app has; the others are those of the book."""

from collections.abc import Mapping

import cv2
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.report import theme
from sslmepr.report.figures.panels import legend, panel_grid

_TITLES = {"Emotions (probability)": EMOTIONS, "Traits (score)": TRAITS}


@theme.both_modes
def score_bars(scores: pd.DataFrame) -> Figure:
    """Scores of one recording as bars from 0 to 1, with what they are seen against.

    Parameters
    ----------
    scores : DataFrame
        Index: emotions, traits or both. ``score``; ``low`` and ``high``, its interval;
        ``reference``, the threshold of an emotion or the average training clip's trait;
        ``true``, where it is known. All but the score may be NaN.
    """
    panels = {
        title: [name for name in names if name in scores.index]
        for title, names in _TITLES.items()
    }
    panels = {title: names for title, names in panels.items() if names}
    figure, grid = panel_grid(len(panels), (3.4, 2.3), (0.0, 0.5))
    colours = theme.emotion_colours()
    for axes, (title, names) in zip(grid.flat, panels.items(), strict=False):
        mine, places = scores.loc[names], np.arange(len(names))
        colour = [colours.get(name, theme.accent()) for name in names]
        axes.barh(places, mine["score"], color=colour, height=0.6, alpha=0.85)
        axes.hlines(places, mine["low"], mine["high"], color=theme.ink(), lw=1.6)
        for column, marker in (("reference", "|"), ("true", "D")):
            axes.scatter(
                mine[column],
                places,
                marker=marker,
                s={"|": 150, "D": 28}[marker],
                color=theme.page() if marker == "D" else theme.ink(),
                edgecolors=theme.ink() if marker == "D" else None,
                zorder=4,
            )
        axes.set_yticks(places, [theme.pretty(name) for name in names])
        axes.set(xlim=(0, 1), title=title)
        axes.invert_yaxis()
    legend(figure, _marks(scores))
    return figure


def _marks(scores: pd.DataFrame) -> list[Line2D]:
    """Entries of the legend for the marks that are there."""
    style = {"color": theme.ink(), "markersize": 6}
    marks = {
        "low": {"label": "interval", "ls": "-"},
        "reference": {
            "label": "threshold or average clip",
            "marker": "|",
            "ls": "none",
        },
        "true": {"label": "true", "marker": "D", "mfc": "none", "ls": "none"},
    }
    return [
        Line2D([], [], **style, **mark)
        for column, mark in marks.items()
        if scores[column].notna().any()
    ]


def outlined(images: np.ndarray, regions: pd.DataFrame) -> np.ndarray:
    """Frames with a box around each region that was found, in its modality's colour.

    Parameters
    ----------
    images : (frame, height, width, channel) uint8 ndarray
    regions : DataFrame
        frame, modality, provenance, left, top, right, bottom, as in
        ``regions.parquet``. Regions that are the whole frame get no box.
    """
    shown = images.copy()
    width = max(1, images.shape[2] // 160)
    colours = theme.modality_colours()
    found = regions[regions["provenance"] != "full_frame"]
    found = found[found["modality"] != "scene"]
    for region in found.itertuples():
        colour = tuple(int(255 * part) for part in to_rgb(colours[region.modality]))
        corners = [
            (int(region.left), int(region.top)),
            (int(region.right), int(region.bottom)),
        ]
        cv2.rectangle(shown[region.frame], *corners, colour, width)
    return shown


def described(scores: Mapping[str, float]) -> str:
    """Scores in words, as the text that stands for a figure of them."""
    return ", ".join(
        f"{theme.pretty(name).lower()} {value:.2f}" for name, value in scores.items()
    )
