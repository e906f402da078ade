"""Emotions through one recording, window by window, above its sound."""

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sslmepr.labels import EMOTIONS
from sslmepr.report import theme
from sslmepr.report.figures.clips import envelope
from sslmepr.report.figures.panels import legend


@theme.both_modes
def emotion_timeline(
    windows: pd.DataFrame,
    thresholds: Mapping[str, float],
    waveform: np.ndarray | None,
    sample_rate_hz: float,
) -> Figure:
    """Probability of each emotion in every window, and the waveform on the same axis.

    Parameters
    ----------
    windows : DataFrame
        start and end in seconds, and a column for each emotion that is shown; NaN is a
        gap. With ``<emotion>_least`` and ``<emotion>_most`` a band over seeds is drawn.
    thresholds : mapping of str to float
        Emotion to the probability from which it counts as present: its marks are then
        filled.
    waveform : (sample,) ndarray or None
        In -1..1, from the start of the first window on; None where there is no sound.
    sample_rate_hz : float
    """
    names = [name for name in EMOTIONS if name in windows.columns]
    heights = [*[1.0] * len(names), *([0.9] if waveform is not None else [])]
    figure, grid = plt.subplots(
        len(heights),
        1,
        figsize=(theme.width(), 0.72 * len(heights) + 0.6),
        sharex=True,
        squeeze=False,
        height_ratios=heights,
    )
    for axes, name in zip(grid.flat, names, strict=False):
        _draw_emotion(axes, windows, name, thresholds.get(name))
    if waveform is not None:
        _draw_sound(grid[-1, 0], waveform, sample_rate_hz, windows["start"].min())
    last = grid[-1, 0]
    last.set_xlim(windows["start"].min(), windows["end"].max())
    last.set_xlabel("Time in the recording, s")
    legend(figure, _marks(any(f"{name}_least" in windows for name in names)))
    return figure


def _draw_emotion(axes: Axes, windows: pd.DataFrame, name: str, threshold) -> None:
    colour = theme.emotion_colours()[name]
    middles, values = windows[["start", "end"]].mean(axis=1), windows[name]
    if f"{name}_least" in windows:
        ends = windows[f"{name}_least"], windows[f"{name}_most"]
        axes.fill_between(middles, *ends, color=colour, alpha=0.2, lw=0)
        axes.vlines(middles, *ends, color=colour, lw=1)  # beside a gap, all there is
    axes.plot(middles, values, color=colour, lw=1.6)
    axes.hlines(values, windows["start"], windows["end"], color=colour, alpha=0.3, lw=3)
    present = values >= (np.inf if threshold is None else threshold)
    for filled, mine in ((True, present), (False, ~present)):
        axes.scatter(
            middles[mine],
            values[mine],
            s=26,
            color=colour if filled else theme.page(),
            edgecolors=colour,
            zorder=3,
        )
    if threshold is not None:
        axes.axhline(threshold, color=theme.faint(), lw=1, ls=":")
    axes.set(ylim=(-0.06, 1.06), yticks=[0, 1])
    axes.set_title(theme.pretty(name), pad=1, fontsize=9.5)


def _draw_sound(axes: Axes, waveform, sample_rate_hz: float, start: float) -> None:
    if len(waveform):
        seconds, low, high = envelope(waveform, sample_rate_hz, columns=900)
        colour = theme.modality_colours()["audio"]
        axes.fill_between(start + seconds, low, high, color=colour, lw=0.3)
        reach = max(float(np.abs(waveform).max()), 1e-3)
        axes.set_ylim(-1.05 * reach, 1.05 * reach)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_title("Sound", pad=1, fontsize=9.5)


def _marks(seeds: bool) -> list[Line2D]:
    style = {"color": theme.ink(), "markersize": 5}
    return [
        Line2D([], [], label="window", lw=3, alpha=0.3, color=theme.ink()),
        Line2D([], [], label="reaches its threshold", marker="o", ls="none", **style),
        Line2D([], [], label="does not", marker="o", mfc="none", ls="none", **style),
        Line2D([], [], label="threshold", ls=":", lw=1, color=theme.faint()),
        *([Line2D([], [], label="seeds", lw=1, color=theme.ink())] if seeds else []),
    ]
