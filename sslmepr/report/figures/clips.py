"""Single clips: what the camera, the microphone and the transcript hold."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
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
def clip_panel(
    frames: np.ndarray,
    seconds: np.ndarray,
    waveform: np.ndarray | None,
    sample_rate_hz: float,
) -> Figure:
    """Key frames in order, and the waveform beneath them.

    Parameters
    ----------
    frames : (frame, height, width, channel) ndarray of uint8
    seconds : (frame,) ndarray
        When each was taken.
    waveform : (sample,) ndarray or None
        In -1..1; None where the clip has no sound.
    sample_rate_hz : float
    """
    columns = min(len(frames), int(theme.width() / FRAME))
    rows = -(-len(frames) // columns)
    height = theme.width() / columns * frames.shape[1] / frames.shape[2]
    figure = plt.figure(figsize=(theme.width(), rows * (height + 0.2) + 1))
    grid = figure.add_gridspec(rows + 1, columns, height_ratios=[*[height] * rows, 0.8])
    for number, (frame, second) in enumerate(zip(frames, seconds, strict=True)):
        axes = figure.add_subplot(grid[divmod(number, columns)])
        axes.imshow(frame)
        axes.set_axis_off()
        axes.set_title(f"{second:.1f} s", fontsize=9, fontweight="normal")
    axes = figure.add_subplot(grid[rows, :])
    _draw_waveform(axes, waveform, sample_rate_hz, seconds)
    return figure


def _draw_waveform(axes: Axes, waveform, sample_rate_hz: float, seconds) -> None:
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if waveform is None or len(waveform) == 0:
        axes.set_xticks([])
        axes.text(0.5, 0.5, "no sound", transform=axes.transAxes, ha="center")
        return
    time, low, high = envelope(waveform, sample_rate_hz, columns=900)
    axes.fill_between(
        time, low, high, color=theme.modality_colours()["audio"], linewidth=0.3
    )
    axes.set_xlim(0, len(waveform) / sample_rate_hz)
    reach = max(float(np.abs(waveform).max()), 1e-3)
    axes.set_ylim(-1.05 * reach, 1.05 * reach)
    axes.vlines(seconds, -reach, reach, color=theme.faint(), lw=0.8, ls=":")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:g} s")


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
