"""Frames of a clip: only those that are sampled are converted, and few more decoded."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from av.sidedata.sidedata import Type

from sslmepr.media.container import (
    first_stream,
    open_media,
    origin_seconds,
    segment_bounds,
)
from sslmepr.media.errors import MediaError

MAX_SIDE_PX = 1920
"""Larger frames are halved until they fit, which bounds the memory of a clip."""

DEFAULT_RATE_HZ = 25
TOLERANCE_SECONDS = 0.5
"""How far a stream may end before its declared end: containers round, and count
trailing audio."""


@dataclass(frozen=True)
class SampledFrames:
    """Frames sampled from a clip, upright.

    Attributes
    ----------
    images : (frame, height, width, channel) uint8 np.ndarray
        RGB.
    seconds : (frame,) np.ndarray
        When each frame was first shown, counted from the beginning of the file.
    duration_seconds : float
        Length of the sampled segment.
    """

    images: np.ndarray
    seconds: np.ndarray
    duration_seconds: float


def sample_frames(
    path: str | Path,
    count: int,
    start_seconds: float | None = None,
    end_seconds: float | None = None,
) -> SampledFrames:
    """The frames on show at the centres of `count` equal parts of a clip.

    Time, not the number of a frame, decides which frame that is: at a variable frame
    rate the two differ. A clip with fewer frames shows some of them repeatedly.

    Parameters
    ----------
    count : int
        Number of frames.
    start_seconds, end_seconds : float, optional
        The segment to sample; None or NaN stand for the beginning and the end.

    Raises
    ------
    MediaError
        If the file cannot be decoded, has no video or no frames, ends before its
        declared end, or if the segment is empty or lies outside of it.
    """
    start, end = segment_bounds(path, start_seconds, end_seconds)
    with open_media(path) as container:
        stream = first_stream(container, "video", path)
        first, last = _span_seconds(path, container, stream)
        if start >= last:
            raise MediaError(
                path,
                f"the segment starts at {start:.3f} s, the video ends at {last:.3f} s",
            )
        start, end = max(start, first), min(end, last)
        targets = start + (np.arange(count) + 0.5) * (end - start) / count
        shown = list(_frames_at(path, container, stream, targets))
    images, seconds = zip(*shown, strict=True)
    return SampledFrames(_stack(images), np.array(seconds), end - start)


def _span_seconds(path, container, stream) -> tuple[float, float]:
    """Beginning and end of the video stream, from the beginning of the file."""
    origin, base = origin_seconds(container), stream.time_base
    if stream.duration:
        first = float((stream.start_time or 0) * base) - origin
        last = first + float(stream.duration * base)
    else:
        first, last = _scan_span_seconds(path, origin)
    if last <= first:
        last = first + 1 / float(stream.guessed_rate or DEFAULT_RATE_HZ)
    return max(0.0, first), last


def _scan_span_seconds(path, origin: float) -> tuple[float, float]:
    """The same for a container that declares no length: read, without decoding."""
    first, last = math.inf, -math.inf
    with open_media(path) as container:
        stream = first_stream(container, "video", path)
        for packet in container.demux(stream):
            if packet.pts is not None:
                seconds = float(packet.pts * packet.time_base) - origin
                first = min(first, seconds)
                shown = float((packet.duration or 0) * packet.time_base)
                last = max(last, seconds + shown)
    if first > last:
        raise MediaError(path, "the video stream has no frames")
    return first, last


class _Reader:
    """A video stream read forwards, jumping to a keyframe where that saves decoding."""

    def __init__(self, path, container, stream):
        self.path, self.container, self.stream = path, container, stream
        self.origin = origin_seconds(container)
        self.keyframes = [e.timestamp for e in stream.index_entries if e.is_keyframe]
        self.decoded = container.decode(stream)
        self.held, self.following = None, next(self.decoded, None)
        if self.following is None:
            raise MediaError(path, "the video stream has no frames")

    def seconds(self, frame) -> float:
        if frame.time is None:
            raise MediaError(self.path, "its frames carry no time")
        return frame.time - self.origin

    def frame_at(self, target: float):
        """The frame on show at `target` seconds, which never lie before the last."""
        self._jump(target)
        while self.following and self.seconds(self.following) <= target:
            self.held, self.following = self.following, next(self.decoded, None)
        return self.held or self.following

    def _jump(self, target: float) -> None:
        if self.following is None:
            return
        wanted = int((target + self.origin) / self.stream.time_base)
        position = bisect_right(self.keyframes, wanted) - 1
        reached = bisect_right(self.keyframes, self.following.pts or 0) - 1
        # The index holds decoding times, which precede presentation times: the
        # keyframe found may be shown only after the target, so step back until not.
        while position > reached:
            self._restart(self.keyframes[position])
            if self.following and self.seconds(self.following) <= target:
                return
            position -= 1
            if position <= reached:
                self._restart(self.keyframes[max(reached, 0)])

    def _restart(self, timestamp: int) -> None:
        self.container.seek(timestamp, stream=self.stream, backward=True)
        self.decoded = self.container.decode(self.stream)
        self.held, self.following = None, next(self.decoded, None)


def _frames_at(path, container, stream, targets) -> Iterator[tuple[np.ndarray, float]]:
    reader, shown, image = _Reader(path, container, stream), None, None
    for target in targets:
        frame = reader.frame_at(target)
        seconds = reader.seconds(frame)
        lasts = float((frame.duration or 0) * frame.time_base)
        if reader.following is None and target > seconds + lasts + TOLERANCE_SECONDS:
            raise MediaError(
                path, f"the video breaks off at {seconds:.3f} s, before its end"
            )
        if frame is not shown:
            shown, image = frame, upright(_rgb(frame), _display_matrix(frame))
        yield image, seconds


def _rgb(frame) -> np.ndarray:
    factor = math.ceil(max(frame.width, frame.height) / MAX_SIDE_PX)
    return frame.to_ndarray(
        format="rgb24",
        width=max(1, frame.width // factor),
        height=max(1, frame.height // factor),
    )


def _display_matrix(frame) -> np.ndarray | None:
    for data in frame.side_data.keys():
        if data.type == Type.DISPLAYMATRIX:
            return np.frombuffer(bytes(data), np.int32).reshape(3, 3)
    return None


def upright(image: np.ndarray, matrix: np.ndarray | None) -> np.ndarray:
    """Turn an image as its display matrix says.

    Parameters
    ----------
    image : (height, width, channel) np.ndarray
    matrix : (3, 3) np.ndarray, optional
        ISO/IEC 14496-12: a pixel at (x, y) is shown at (x, y, 1) @ matrix. Only its
        quarter turns and mirrorings are followed.
    """
    if matrix is None:
        return image
    (x_to_x, x_to_y), (y_to_x, y_to_y) = matrix[:2, :2]
    if abs(int(x_to_y)) > abs(int(x_to_x)):
        image = image.swapaxes(0, 1)
        mirror_x, mirror_y = y_to_x < 0, x_to_y < 0
    else:
        mirror_x, mirror_y = x_to_x < 0, y_to_y < 0
    image = image[:, ::-1] if mirror_x else image
    image = image[::-1] if mirror_y else image
    return np.ascontiguousarray(image)


def _stack(images) -> np.ndarray:
    """(frame, height, width, channel); a frame of another size is cut or padded."""
    height, width = images[0].shape[:2]
    stacked = np.zeros((len(images), height, width, 3), np.uint8)
    for target, image in zip(stacked, images, strict=True):
        part = image[:height, :width]
        target[: part.shape[0], : part.shape[1]] = part
    return stacked
