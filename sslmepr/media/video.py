"""Frames of a clip: only those that are sampled are converted, and few more decoded."""

import math
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.video.reformatter import ColorPrimaries, ColorTrc, VideoReformatter

from sslmepr.media.container import (
    decode,
    first_stream,
    open_media,
    origin_seconds,
    require_whole,
    segment_bounds,
)
from sslmepr.media.errors import MediaError

MAX_SIDE_PX = 1920
"""Larger frames are halved until they fit, which bounds the memory of a clip."""

DEFAULT_RATE_HZ = 25
TOLERANCE_SECONDS = 0.5
"""How far a stream may end before its declared end: containers round, and count
trailing audio."""

HIGH_DYNAMIC_RANGE = (ColorTrc.SMPTE2084, ColorTrc.ARIB_STD_B67)
"""Transfer characteristics PQ and HLG (ITU-R BT.2100)."""


@dataclass(frozen=True)
class SampledFrames:
    """Frames sampled from a clip, as they are meant to be seen.

    Attributes
    ----------
    images : (frame, height, width, channel) uint8 np.ndarray
        RGB, upright, with square pixels, high dynamic range mapped to the common one.
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
        if end > last + TOLERANCE_SECONDS:
            require_whole(path)
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
        last = first + _period_seconds(stream)
    return max(0.0, first), last


def _period_seconds(stream) -> float:
    return 1 / float(stream.guessed_rate or DEFAULT_RATE_HZ)


def _scan_span_seconds(path, origin: float) -> tuple[float, float]:
    """The same for a container that declares no length: read, without decoding."""
    first, last, untimed_seconds = math.inf, -math.inf, 0.0
    with open_media(path) as container:
        stream = first_stream(container, "video", path)
        for packet in container.demux(stream):
            if packet.pts is not None:
                seconds = float(packet.pts * packet.time_base) - origin
                first = min(first, seconds)
                shown = float((packet.duration or 0) * packet.time_base)
                last = max(last, seconds + shown)
            elif packet.size:
                untimed_seconds += _period_seconds(stream)
    if first <= last:
        return first, last
    if untimed_seconds:  # a raw stream: its frames can only be counted
        return 0.0, untimed_seconds
    raise MediaError(path, "the video stream has no frames")


class _Reader:
    """A video stream read forwards, jumping to a keyframe where that saves decoding.

    Attributes
    ----------
    held, following : (float, frame) or None
        The frames before and after the moment that was asked for last, with the seconds
        when they are first shown.
    """

    def __init__(self, path, container, stream):
        self.path, self.container, self.stream = path, container, stream
        self.origin = origin_seconds(container)
        self.keyframes = [e.timestamp for e in stream.index_entries if e.is_keyframe]
        self._begin(None)
        if self.following is None:
            raise MediaError(path, "the video stream has no frames")

    def frame_at(self, target: float):
        """The frame on show at `target` seconds, which never lie before the last."""
        self._jump(target)
        while self.following and self.following[0] <= target:
            self.held, self.following = self.following, next(self.timed, None)
        return self.held or self.following

    def _begin(self, timestamp: int | None) -> None:
        """Read on from a keyframe, or from where the container stands."""
        if timestamp is not None:
            self.container.seek(timestamp, stream=self.stream, backward=True)
        self.timed = self._timed(from_start=timestamp is None)
        self.held, self.following = None, next(self.timed, None)

    def _timed(self, from_start: bool):
        """Seconds and frames; what carries no time is shown one period after another.

        After a jump such a frame has no place, and is left out.
        """
        period = _period_seconds(self.stream)
        seconds = -period if from_start else None
        for frame in decode(self.container, self.stream, self.path):
            if isinstance(frame, av.Packet):  # damaged; the frame before stays
                continue
            if frame.time is not None:
                seconds = frame.time - self.origin
            elif seconds is not None:
                seconds += period
            else:
                continue
            yield seconds, frame

    def _jump(self, target: float) -> None:
        if self.following is None:
            return
        wanted = int((target + self.origin) / self.stream.time_base)
        position = bisect_right(self.keyframes, wanted) - 1
        reached = bisect_right(self.keyframes, self.following[1].pts or 0) - 1
        # The index holds decoding times, which precede presentation times: the
        # keyframe found may be shown only after the target, so step back until not.
        while position > reached:
            self._begin(self.keyframes[position])
            if self.following is None:
                return self._rewind()
            if self.following[0] <= target:
                return
            position -= 1
            if position <= reached:
                self._begin(self.keyframes[max(reached, 0)])

    def _rewind(self) -> None:
        """Read everything from the beginning: this format cannot be searched."""
        self.keyframes = []
        self.container.seek(self.stream.start_time or 0, stream=self.stream)
        self._begin(None)
        if self.following is None:
            raise MediaError(self.path, "its video can be read only once")


def _frames_at(path, container, stream, targets) -> Iterator[tuple[np.ndarray, float]]:
    reader, shown, image = _Reader(path, container, stream), None, None
    convert = _Converter(stream)
    for target in targets:
        seconds, frame = reader.frame_at(target)
        lasts = float((frame.duration or 0) * frame.time_base)
        if reader.following is None and target > seconds + lasts + TOLERANCE_SECONDS:
            raise MediaError(
                path, f"the video breaks off at {seconds:.3f} s, before its end"
            )
        if frame is not shown:
            shown, image = frame, upright(convert(frame), _display_matrix(frame))
        yield image, seconds


class _Converter:
    """Frames to RGB as they are meant to be seen: square pixels, common brightness."""

    def __init__(self, stream):
        self.pixel_ratio = float(stream.sample_aspect_ratio or 1)
        self.reformatter = VideoReformatter()

    def __call__(self, frame) -> np.ndarray:
        """(height, width, channel) uint8 of a frame, as it is stored: not turned."""
        width = frame.width * max(1.0, self.pixel_ratio)
        height = frame.height / min(1.0, self.pixel_ratio)
        factor = math.ceil(max(width, height) / MAX_SIDE_PX)
        size = max(1, round(width) // factor), max(1, round(height) // factor)
        if frame.color_trc not in HIGH_DYNAMIC_RANGE:
            return frame.to_ndarray(format="rgb24", width=size[0], height=size[1])
        # reference white (ITU-R BT.2408) becomes white, what is brighter too
        return self.reformatter.reformat(
            frame,
            *size,
            format="rgb24",
            dst_color_trc=ColorTrc.BT709,
            dst_color_primaries=ColorPrimaries.BT709,
        ).to_ndarray()


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
    """(frame, height, width, channel), as large as the largest image.

    A smaller one is enlarged as a whole, and centred on black where its shape differs.
    """
    height, width = max((image.shape[:2] for image in images), key=math.prod)
    stacked = np.zeros((len(images), height, width, 3), np.uint8)
    for target, image in zip(stacked, images, strict=True):
        if image.shape != target.shape:
            scale = min(height / image.shape[0], width / image.shape[1])
            size = [max(1, round(scale * side)) for side in image.shape[1::-1]]
            image = cv2.resize(image, size, interpolation=cv2.INTER_LINEAR)
        top, left = (height - image.shape[0]) // 2, (width - image.shape[1]) // 2
        target[top : top + image.shape[0], left : left + image.shape[1]] = image
    return stacked
