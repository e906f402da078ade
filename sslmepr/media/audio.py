"""The sound of a clip as one 16 kHz channel."""

from pathlib import Path

import av
import numpy as np

from sslmepr.media.container import (
    decode,
    open_media,
    origin_seconds,
    require_whole,
    segment_bounds,
    streams,
)
from sslmepr.media.errors import MediaError

SAMPLE_RATE_HZ = 16000
SILENCE_PEAK = 0.001
"""Amplitude below which a whole clip counts as silent: -60 dB of full scale."""

LEAD_SECONDS = 0.5
"""Decoding starts this long before a segment: codecs need some frames to settle."""

TOLERANCE_SECONDS = 0.5
"""How far a segment may reach beyond the sound: containers and annotators round."""

MAX_HOURS = 4
"""Longer sound is refused: it would take more than 0.9 GB (four bytes a sample)."""

MAX_LOST = 0.1
"""Share of a segment that may lie in damaged packets; silence stands in for it."""

CANCELLED = 0.1
"""Channels cancel each other if their mean has less than this share of the energy that
the mean of as many unrelated channels has."""

_MAX_CHANNELS = 512
_NOTHING = np.zeros(0, np.float32)


def read_waveform(
    path: str | Path,
    start_seconds: float | None = None,
    end_seconds: float | None = None,
) -> np.ndarray:
    """The waveform of a clip, all channels mixed to one.

    Of several sound tracks it is the one marked as default, otherwise the first; where
    that cannot be decoded or is silent, the next that is neither. Channels are
    averaged, except where they cancel each other: then it is the loudest of them.

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
        If the file cannot be decoded, has no audio or none in the segment, breaks off
        before the segment's end, or holds values that are not finite; if much of the
        segment is damaged, or if it is longer than `MAX_HOURS`.
    """
    start, end = segment_bounds(path, start_seconds, end_seconds)
    heard = _try_track(path, 0, start, end)
    if not _is_usable(heard):
        others = range(1, _count_tracks(path))
        others = (_try_track(path, track, start, end) for track in others)
        heard = next(filter(_is_usable, others), heard)
    if isinstance(heard, MediaError):
        raise heard
    return heard


def is_silent(waveform: np.ndarray) -> bool:
    """Whether a (sample,) waveform never exceeds -60 dB of full scale."""
    peak = max(waveform.max(initial=0.0), -waveform.min(initial=0.0))
    return bool(peak < SILENCE_PEAK)


def _is_usable(heard: np.ndarray | MediaError) -> bool:
    return not isinstance(heard, MediaError) and not is_silent(heard)


def _count_tracks(path) -> int:
    with open_media(path) as container:
        return len(streams(container, "audio", path))


def _try_track(path, track: int, start, end) -> np.ndarray | MediaError:
    """The segment of one sound track, or why it cannot be had."""
    try:
        mixer = _Mixer()
        samples = _read_track(path, track, start, end, mixer)
        if mixer.cancelled:
            samples = _read_track(path, track, start, end, _Mixer(mixer.loudest))
        return samples
    except MediaError as error:
        return error


def _read_track(path, track, start, end, mixer, seek=True) -> np.ndarray:
    seek = seek and start > 2 * LEAD_SECONDS
    with open_media(path) as container:
        stream = streams(container, "audio", path)[track]
        _check_length(path, container, start, end)
        if seek:
            wanted = start - LEAD_SECONDS + origin_seconds(container)
            container.seek(int(wanted / stream.time_base), stream=stream)
        begin, waveform = _decode(path, container, stream, start, end, mixer)
        if seek and not begin <= start:  # some formats cannot be searched exactly
            return _read_track(path, track, start, end, mixer, seek=False)
        begin = begin if len(waveform) else 0.0
        reached = begin + len(waveform) / SAMPLE_RATE_HZ
        _check_end(path, container, stream, reached, end)
    # `begin` is when the first decoded sample sounds, at or before the start
    lower = max(0, round((start - begin) * SAMPLE_RATE_HZ))
    upper = len(waveform)
    if np.isfinite(end):
        upper = max(lower, min(upper, round((end - begin) * SAMPLE_RATE_HZ)))
    if lower >= upper:
        raise MediaError(path, "the audio stream has no samples in the segment")
    waveform = waveform[lower:upper]
    if not np.isfinite(waveform.sum(dtype=np.float64)):
        raise MediaError(path, "its sound has samples that are not finite numbers")
    return np.clip(waveform, -1.0, 1.0, out=waveform)


def _check_length(path, container, start: float, end: float) -> None:
    declared = (container.duration or 0) / av.time_base
    if min(end, declared) - start > MAX_HOURS * 3600:
        raise _too_long(path)


def _too_long(path) -> MediaError:
    return MediaError(
        path, f"more than {MAX_HOURS} hours of sound; cut it into shorter clips"
    )


def _check_end(path, container, stream, reached: float, end: float) -> None:
    """Refuse sound that ends early because the file does."""
    if reached + TOLERANCE_SECONDS < end:
        require_whole(path)
    if container.format.name == "flac" and stream.duration:  # in samples, exact
        declared = float(stream.duration * stream.time_base)
        if reached + LEAD_SECONDS / 5 < min(end, declared):
            raise MediaError(
                path,
                f"the file breaks off: it announces {declared:.3f} s of sound and "
                f"holds {reached:.3f} s; copy it again",
            )


def _decode(path, container, stream, start, end, mixer) -> tuple[float, np.ndarray]:
    """Samples from shortly before `start` to `end`, and when the first one sounds.

    The time is NaN where there are none.
    """
    origin = origin_seconds(container)
    samples, begin, lost_seconds = bytearray(), np.nan, 0.0
    for part in decode(container, stream, path):
        if len(samples) > 4 * SAMPLE_RATE_HZ * 3600 * MAX_HOURS:
            raise _too_long(path)
        if isinstance(part, av.Packet):  # what follows keeps its place
            seconds = float((part.duration or 0) * part.time_base)
            if samples:
                samples += bytes(4 * round(seconds * SAMPLE_RATE_HZ))
                lost_seconds += seconds
            continue
        if part.time is not None:
            seconds = part.time - origin
        else:
            seconds = len(samples) / 4 / SAMPLE_RATE_HZ + np.nan_to_num(begin)
        if seconds >= end:
            break
        if seconds + part.samples / part.sample_rate <= start - 2 * LEAD_SECONDS:
            continue
        begin = seconds if np.isnan(begin) else begin
        samples += mixer.mix(part).data
    samples += mixer.mix(None).data
    if lost_seconds > MAX_LOST * len(samples) / 4 / SAMPLE_RATE_HZ:
        raise MediaError(path, f"{lost_seconds:.1f} s of its sound are damaged")
    return begin, np.frombuffer(samples, np.float32)


class _Mixer:
    """Frames to one channel at 16 kHz; their format may change on the way.

    Parameters
    ----------
    channel : int, optional
        The channel to take; by default all are averaged.
    """

    def __init__(self, channel: int | None = None):
        self.channel = channel
        self.kind, self.resampler = None, None
        self.energy, self.unrelated, self.mean = np.zeros(_MAX_CHANNELS), 0.0, 0.0

    @property
    def cancelled(self) -> bool:
        """Whether little is left of the channels in their mean."""
        return self.channel is None and self.mean < CANCELLED * self.unrelated

    @property
    def loudest(self) -> int:
        return int(self.energy.argmax())

    def mix(self, frame) -> np.ndarray:
        """What the resampler gives for a frame; for None, what it has held back."""
        kind = frame and (frame.format.name, frame.layout.name, frame.sample_rate)
        parts = []
        if self.resampler and kind != self.kind:
            parts += self.resampler.resample(None)
        if frame and kind != self.kind:
            layout = _layout(frame.layout)
            # one channel is the same packed or not: some need no conversion so
            packing = "fltp" if layout == "mono" else "flt"
            self.resampler = av.AudioResampler(packing, layout, SAMPLE_RATE_HZ)
            self.kind = kind
        if frame:
            parts += self.resampler.resample(frame)
        mixed = [self._mix(part) for part in parts if part]
        return mixed[0] if len(mixed) == 1 else np.concatenate([_NOTHING, *mixed])

    def _mix(self, frame) -> np.ndarray:
        """A frame of packed samples to (sample,)."""
        samples, count = frame.to_ndarray()[0], frame.layout.nb_channels
        if count == 1:
            return samples
        channels = samples.reshape(-1, count).T
        if self.channel is not None:
            return channels[min(self.channel, count - 1)].copy()
        mean = channels.mean(axis=0)
        energy = np.einsum("cs,cs->c", channels, channels, dtype=np.float64)
        self.energy[:count] += energy
        self.unrelated += energy.sum() / count**2
        self.mean += float(mean @ mean)
        return mean


def _layout(layout) -> str | av.AudioLayout:
    """The channels to ask of the resampler, which alone knows where loudspeakers stand.

    It would drop channels that have no such place.
    """
    if layout.nb_channels == 1:
        return "mono"
    placed = not any(word in layout.name for word in ("channels", "ambisonic"))
    return "stereo" if placed and layout.nb_channels > 2 else layout
