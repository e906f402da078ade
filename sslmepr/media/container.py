"""Opening a media file and finding its streams, with errors in plain words."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
from av.stream import Disposition

from sslmepr.media.errors import MediaError


@contextmanager
def open_media(path: str | Path) -> Iterator[av.container.InputContainer]:
    """Open a media file for reading.

    Raises
    ------
    MediaError
        If the file is missing or empty, or if anything in the ``with`` block meets
        data that cannot be decoded.
    """
    path = Path(path)
    if not path.is_file():
        raise MediaError(path, "there is no such file")
    if path.stat().st_size == 0:
        raise MediaError(path, "the file is empty")
    try:
        with av.open(str(path), metadata_errors="ignore") as container:
            yield container
    except av.FFmpegError as error:
        raise MediaError(path, f"cannot be decoded ({error.strerror})") from None


def first_stream(container, kind: str, path: str | Path):
    """The first stream of a kind; a cover picture does not count as video.

    The stream decodes on one thread: extraction already keeps every core busy.

    Parameters
    ----------
    kind : {"video", "audio"}

    Raises
    ------
    MediaError
        If there is none.
    """
    for stream in getattr(container.streams, kind):
        if stream.disposition & Disposition.attached_pic:
            continue
        if stream.codec_context is None:
            raise MediaError(path, f"no decoder for its {kind} stream")
        stream.codec_context.thread_count = 1
        return stream
    raise MediaError(path, f"no {kind} stream")


def origin_seconds(container) -> float:
    """The presentation time that counts as the clip's beginning."""
    return (container.start_time or 0) / av.time_base


def segment_bounds(
    path: str | Path, start_seconds: float | None, end_seconds: float | None
) -> tuple[float, float]:
    """Bounds of a segment, with the open ends made explicit.

    Parameters
    ----------
    start_seconds, end_seconds : float, optional
        None or NaN stand for the beginning and the end of the file.

    Raises
    ------
    MediaError
        If the segment ends where it starts, or before.
    """
    start = 0.0 if _is_open(start_seconds) else max(0.0, float(start_seconds))
    end = math.inf if _is_open(end_seconds) else float(end_seconds)
    if end <= start:
        raise MediaError(
            path, f"the segment has no length ({start:.3f} to {end:.3f} s)"
        )
    return start, end


def _is_open(bound_seconds: float | None) -> bool:
    return bound_seconds is None or math.isnan(bound_seconds)
