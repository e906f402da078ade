"""Single clips: what the camera, the microphone and the transcript hold."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from sslmepr.report import theme
from sslmepr.report.figures.panels import panel_grid

FRAME = 1.7
"""Width of a frame, in inches."""


@theme.both_modes
def contact_sheet(images: Sequence[np.ndarray], labels: Sequence[str]) -> Figure:
    """Frames of several clips with a label below each.

    Parameters
    ----------
    images : sequence of (height, width, channel) ndarray of uint8
    labels : sequence of str
        May have several lines.
    """
    shape = max(image.shape[0] / image.shape[1] for image in images)
    lines = 1 + max(label.count("\n") for label in labels)
    panel = (FRAME, FRAME * shape + 0.17 * lines + 0.08)
    figure, grid = panel_grid(len(images), panel)
    for axes, image, label in zip(grid.flat, images, labels, strict=False):
        axes.imshow(image)
        axes.set_axis_off()
        axes.text(
            0,
            -0.04,
            label,
            transform=axes.transAxes,
            va="top",
            fontsize=9,
        )
    return figure


@theme.both_modes
def sound(waveform: np.ndarray, sample_rate_hz: float, seconds: np.ndarray) -> Figure:
    """The waveform of a clip, and when its frames were taken.

    Parameters
    ----------
    waveform : (sample,) ndarray
        In -1..1; at least one sample.
    sample_rate_hz : float
    seconds : (frame,) ndarray
        Empty for a clip without pictures.
    """
    figure, axes = plt.subplots(figsize=(theme.width(), 1.1))
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    time, low, high = envelope(waveform, sample_rate_hz, columns=900)
    axes.fill_between(
        time, low, high, color=theme.modality_colours()["audio"], linewidth=0.3
    )
    axes.set_xlim(0, len(waveform) / sample_rate_hz)
    reach = max(float(np.abs(waveform).max()), 1e-3)
    axes.set_ylim(-1.05 * reach, 1.05 * reach)
    axes.vlines(seconds, -reach, reach, color=theme.faint(), lw=0.8, ls=":")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s")
    return figure


def envelope(
    waveform: np.ndarray, sample_rate_hz: float, columns: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Least and greatest sample in each of `columns` equal stretches of time.

    Returns
    -------
    seconds, low, high : (column,) ndarray
    """
    columns = min(columns, len(waveform))
    starts = np.linspace(0, len(waveform), columns, endpoint=False).astype(int)
    low = np.minimum.reduceat(waveform, starts)
    high = np.maximum.reduceat(waveform, starts)
    return starts / sample_rate_hz, low, high
