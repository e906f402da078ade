"""Figures that only the app has; the others are those of the book."""

from collections.abc import Mapping

import cv2
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

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
        Index: emotions, traits or both. ``score``; ``low`` and ``high``, the interval
        of a trait; ``reference``, the threshold of an emotion or the trait of the
        average training clip;
        ``usual``, how far scores usually are from the truth; ``true``, where it is
        known; ``open``, where an emotion may be absent or present: its bar is hatched.
        All but the score may be NaN.
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
        low, high = (
            (mine["score"] + sign * mine["usual"]).clip(0, 1) for sign in (-1, 1)
        )
        axes.barh(places, high - low, left=low, height=0.9, **_usual_style())
        bars = axes.barh(places, mine["score"], color=colour, height=0.5, alpha=0.85)
        for bar, each, either in zip(bars, colour, mine["open"].notna(), strict=True):
            if either:
                bar.set(**_open_style(each))
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


def _marks(scores: pd.DataFrame) -> list[Line2D | Patch]:
    """Entries of the legend for the marks that are there."""
    style = {"color": theme.ink(), "markersize": 6}
    band = Patch(label="usual error", **_usual_style())
    traits = scores.loc[scores.index.isin(TRAITS), "reference"].notna().any()
    marks = {
        "low": {"label": "interval of a trait", "ls": "-"},
        "reference": {
            "label": "threshold or average clip" if traits else "threshold",
            "marker": "|",
            "ls": "none",
        },
        "true": {"label": "true", "marker": "D", "mfc": "none", "ls": "none"},
    }
    known = scores.notna().any()
    lines: list[Line2D | Patch] = [
        Line2D([], [], **style, **mark)
        for column, mark in marks.items()
        if known[column]
    ]
    if known["open"]:
        lines.append(Patch(label="absent or present", **_open_style(theme.ink())))
    return [*lines, band] if known["usual"] else lines


def _open_style(colour) -> dict:
    return {"facecolor": "none", "edgecolor": colour, "hatch": "/////"}


def _usual_style() -> dict:
    return {"color": theme.faint(), "alpha": 0.28, "lw": 0}


@theme.both_modes
def pair_dots(pairs: pd.DataFrame) -> Figure:
    """Scores of two recordings on one axis from 0 to 1, joined by a line.

    Parameters
    ----------
    pairs : DataFrame
        Index: emotions, traits or both, in order. ``A`` and ``B``; ``larger``, whether
        their difference is larger than the usual error of one: the line is then strong.
    """
    figure, axes = plt.subplots(
        figsize=(min(5.6, theme.width()), 0.9 + 0.27 * len(pairs))
    )
    places = np.arange(len(pairs))
    for larger, style in (
        (False, {"color": theme.faint(), "lw": 1}),
        (True, {"color": theme.ink(), "lw": 3}),
    ):
        mine = (pairs["larger"] == larger).to_numpy()
        axes.hlines(places[mine], pairs["A"][mine], pairs["B"][mine], **style)
    for name, style in _pair_styles().items():
        axes.scatter(pairs[name], places, zorder=3, s=44, **style)
    axes.set_yticks(places, [theme.pretty(name) for name in pairs.index])
    axes.set(xlim=(0, 1), xlabel="Score")
    axes.invert_yaxis()
    axes.grid(axis="x")
    dots = [
        Line2D([], [], ls="none", label=f"recording {name}", markersize=6.5, **style)
        for name, style in _pair_styles("markerfacecolor").items()
    ]
    strong = Line2D(
        [], [], color=theme.ink(), lw=3, label="larger than the usual error"
    )
    legend(figure, [*dots, *([strong] if pairs["larger"].any() else [])])
    return figure


def _pair_styles(face: str = "facecolor") -> dict[str, dict]:
    """A is hollow and round, B filled and square."""
    edge = "markeredgecolor" if face == "markerfacecolor" else "edgecolor"
    colour = theme.accent()
    return {
        "A": {"marker": "o", face: theme.page(), edge: colour},
        "B": {"marker": "s", face: colour, edge: colour},
    }


LINES = {"face": "one line", "body": "two lines"}
"""Modality to the lines of its boxes; the scene is the whole frame."""


def box_colours() -> dict[str, str]:
    """Modality to the colour of its boxes."""
    return {name: theme.modality_colours()[name] for name in LINES}


def outlined(images: np.ndarray, regions: pd.DataFrame) -> np.ndarray:
    """Frames with a box around each region that was found, in its modality's colour.

    That of a body has two lines, so that colour alone tells nothing.

    Parameters
    ----------
    images : (frame, height, width, channel) uint8 ndarray
    regions : DataFrame
        frame, modality, provenance, left, top, right, bottom, as in
        ``regions.parquet``. Regions that are the whole frame get no box.
    """
    shown = images.copy()
    width = max(1, images.shape[2] // 160)
    colours = box_colours()
    found = regions[regions["provenance"] != "full_frame"]
    found = found[found["modality"].isin(list(colours))]
    for region in found.itertuples():
        colour = tuple(int(255 * part) for part in to_rgb(colours[region.modality]))
        for inset in (0, 3 * width) if region.modality == "body" else (0,):
            corners = [
                (int(region.left) + inset, int(region.top) + inset),
                (int(region.right) - inset, int(region.bottom) - inset),
            ]
            cv2.rectangle(shown[region.frame], *corners, colour, width)
    return shown


def described(scores: Mapping[str, float]) -> str:
    """Scores in words, as the text that stands for a figure of them."""
    return ", ".join(
        f"{theme.pretty(name).lower()} {value:.2f}" for name, value in scores.items()
    )
