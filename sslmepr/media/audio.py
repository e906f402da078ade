"""The sound of a clip as one 16 kHz channel."""

from pathlib import Path

import av
import numpy as np

from sslmepr.media.container import (
    first_stream,
    open_media,
    origin_seconds,
    segment_bounds,
)
from sslmepr.media.errors import MediaError

SAMPLE_RATE_HZ = 16000
SILENCE_PEAK = 0.001
"""Amplitude below which a whole clip counts as silent: -60 dB of full scale."""

LEAD_SECONDS = 0.5
"""Decoding starts this long before a segment: codecs need some frames to settle."""


def read_waveform(
    path: str | Path,
    start_seconds: float | None = None,
    end_seconds: float | None = None,
) -> np.ndarray:
    """The waveform of a clip, all channels mixed to one.

    Parameters
    ----------
    start_seconds, end_seconds : float, optional
        The segment to read; None or NaN stand for the beginning and the end.

    Returns
    -------
    (sample,) float32 np.ndarray
        At 16 kHz, full scale being -1 to 1.

    Raises
    ------
    MediaError
        If the file cannot be decoded, has no audio or none in the segment.
    """
    start, end = segment_bounds(path, start_seconds, end_seconds)
    with open_media(path) as container:
        stream = first_stream(container, "audio", path)
        begin, waveform = _decode(container, stream, start, end)
    # `begin` is when the first decoded sample sounds, at or before the start
    lower = max(0, round((start - begin) * SAMPLE_RATE_HZ))
    upper = len(waveform)
    if np.isfinite(end):
        upper = max(lower, min(upper, round((end - begin) * SAMPLE_RATE_HZ)))
    if lower >= upper:
        raise MediaError(path, "the audio stream has no samples in the segment")
    return np.clip(waveform[lower:upper], -1.0, 1.0)


def is_silent(waveform: np.ndarray) -> bool:
    """Whether a (sample,) waveform never exceeds -60 dB of full scale."""
    return bool(np.abs(waveform).max(initial=0.0) < SILENCE_PEAK)


def _decode(container, stream, start, end) -> tuple[float, np.ndarray]:
    """Samples from shortly before `start` to `end`, and when the first one sounds."""
    origin = origin_seconds(container)
    if start > 2 * LEAD_SECONDS:
        wanted = int((start - LEAD_SECONDS + origin) / stream.time_base)
        container.seek(wanted, stream=stream, backward=True)
    resampler = av.AudioResampler(format="flt", layout="mono", rate=SAMPLE_RATE_HZ)
    begin, parts = None, []
    for frame in container.decode(stream):
        seconds = 0.0 if frame.time is None else frame.time - origin
        if seconds >= end:
            break
        begin = seconds if begin is None else begin
        parts += [part.to_ndarray()[0] for part in resampler.resample(frame)]
    if begin is None:
        return 0.0, np.zeros(0, np.float32)
    parts += [part.to_ndarray()[0] for part in resampler.resample(None)]
    return begin, np.concatenate(parts).astype(np.float32)
