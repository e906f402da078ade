"""Opening a media file and finding its streams, with errors in plain words."""

import math
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import av
from av.stream import Disposition

from sslmepr.media.completeness import break_off
from sslmepr.media.errors import MediaError

FORMATS = (
    *("aac", "ac3", "aiff", "amr", "apng", "asf", "au", "av1", "avi", "caf", "dts"),
    *("dtshd", "dv", "eac3", "flac", "flv", "gif", "gxf", "h264", "hevc", "ivf"),
    *("live_flv", "loas", "m4v", "matroska", "mjpeg", "mov", "mp3", "mpeg", "mpegts"),
    *("mpegvideo", "mxf", "nut", "obu", "ogg", "rm", "tta", "vvc", "w64", "wav"),
    *("wtv", "wv"),
)
"""Demultiplexers of recordings. The others include playlists, which open further files
and addresses, and readers of text and of subtitles."""

_OPTIONS = {"format_whitelist": ",".join(FORMATS), "protocol_whitelist": "file"}
_HEAD_BYTES = 512

MAX_BAD_PACKETS = 10
"""As many damaged packets in a row are passed over; after more the rest is given up."""


def find_file(path: str | Path) -> Path:
    """The file of a name, however its accents are written.

    Unicode writes an accented letter as one character or as two, which look the same
    and which file systems tell apart. Each part of the path is tried as written, then
    composed (NFC) and decomposed (NFD).

    Returns
    -------
    Path
        Of the file or folder that is there; `path` itself where none is.
    """
    path = Path(path)
    if path.exists():
        return path
    found = Path(path.anchor)
    for part in path.parts[bool(path.anchor) :]:
        spellings = [part, *(unicodedata.normalize(f, part) for f in ("NFC", "NFD"))]
        there = [found / each for each in spellings if (found / each).exists()]
        if not there:
            return path
        found = there[0]
    return found


@contextmanager
def open_media(path: str | Path) -> Iterator[av.container.InputContainer]:
    """Open a media file for reading.

    Raises
    ------
    MediaError
        If the file is missing, empty, a text or in no format of recordings, or if
        anything in the ``with`` block fails on what the file holds.
    """
    path = file = Path(path)
    try:
        file = find_file(path)
        _check_head(path, file)
        with ExitStack() as stack:
            yield stack.enter_context(_open(path, file, stack))
    except MediaError:
        raise
    except Exception as error:  # decoders and NumPy raise whatever they like
        how = "decoded" if isinstance(error, av.FFmpegError) else "read"
        what = getattr(error, "strerror", None) or str(error) or type(error).__name__
        reason = break_off(file) or f"cannot be {how} ({what})"
        raise MediaError(path, reason) from error


def _open(path: Path, file: Path, stack: ExitStack):
    source = f"file:{file}"  # no colon in the name passes for a protocol
    try:
        source.encode()
    except UnicodeEncodeError:  # the decoders take names in UTF-8 alone
        source = stack.enter_context(file.open("rb"))
    try:
        return av.open(source, metadata_errors="ignore", container_options=_OPTIONS)
    except av.ArgumentError:
        raise MediaError(path, "is in no format of recordings") from None


def _check_head(path: Path, file: Path) -> None:
    """Refuse what no decoder needs to see."""
    if not file.is_file():
        raise MediaError(path, "there is no such file")
    with file.open("rb") as opened:
        head = opened.read(_HEAD_BYTES)
    if not head:
        raise MediaError(path, "the file is empty")
    # a header of any format of recordings has bytes that are no characters
    if not head.translate(None, _CHARACTERS):
        raise MediaError(path, "cannot be decoded: it is a text or a playlist")


_CHARACTERS = bytes([9, 10, 12, 13, *range(32, 127), *range(128, 256)])


def streams(container, kind: str, path: str | Path) -> list:
    """The streams of a kind that can be decoded: those marked as default, then others.

    A cover picture does not count as video. The streams decode on one thread:
    extraction already keeps every core busy.

    Parameters
    ----------
    kind : {"video", "audio"}

    Raises
    ------
    MediaError
        If there is none.
    """
    found = [
        stream
        for stream in getattr(container.streams, kind)
        if not stream.disposition & Disposition.attached_pic
    ]
    if not found:
        raise MediaError(path, f"no {kind} stream")
    decodable = [stream for stream in found if stream.codec_context is not None]
    if not decodable:
        raise MediaError(path, f"no decoder for its {kind} stream")
    for stream in decodable:
        stream.codec_context.thread_count = 1
    return sorted(decodable, key=lambda s: not s.disposition & Disposition.default)


def first_stream(container, kind: str, path: str | Path):
    """The first of the :func:`streams` of a kind.

    Parameters
    ----------
    container : av.container.InputContainer
    kind : {"video", "audio"}
    path : Path
        For the error message.

    Raises
    ------
    MediaError
        If there is none.
    """
    return streams(container, kind, path)[0]


def decode(container, stream, path: str | Path) -> Iterator[av.Packet | av.frame.Frame]:
    """Decode a stream; damaged packets are yielded in place of their frames.

    Parameters
    ----------
    container : av.container.InputContainer
    stream : av.stream.Stream
    path : path
        For the error message.

    Yields
    ------
    av.frame.Frame or av.Packet

    Raises
    ------
    MediaError
        If more than `MAX_BAD_PACKETS` in a row are damaged, or all are.
    """
    bad, any_frame = 0, False
    for packet in container.demux(stream):
        try:
            frames = packet.decode()
        except av.EOFError:
            break
        except av.FFmpegError as error:
            bad, what = bad + 1, error.strerror
            if bad > MAX_BAD_PACKETS:
                break
            yield packet
            continue
        if frames:
            bad, any_frame = 0, True
            yield from frames
    if bad > MAX_BAD_PACKETS or (bad and not any_frame):
        raise MediaError(path, f"cannot be decoded ({what})")


def require_whole(path: str | Path) -> None:
    """Check that a file holds as many bytes as it announces.

    Raises
    ------
    MediaError
        If it breaks off; many formats announce nothing.
    """
    if reason := break_off(find_file(path)):
        raise MediaError(path, reason)


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
