"""Whether a media file holds the bytes that it announces.

Decoders read a truncated file as a shorter recording. Most formats declare in their
headers how long the file must be.
"""

import re
import struct
from pathlib import Path

SLACK_BYTES = 64
"""Bytes that may be missing: some programs count their own header."""

UNKNOWN_SIZES = (0, 0x7FFF0000)
"""Sizes outside of these bounds mean "unknown": they were written while recording."""

_OGG_PAGE_BYTES = 27 + 255 + 255 * 255
_MP3_HEAD_BYTES = 4096
_XING = re.compile(
    # sync word; side information; mark; flags: frames and bytes are given; both
    rb"\xff[\xe0-\xff].{2}.{9,34}(?:Xing|Info)\0\0\0[\x03\x07\x0b\x0f].{4}(.{4})",
    re.DOTALL,
)


def break_off(path: Path) -> str | None:
    """The reason why a media file is incomplete, or None if it seems complete.

    WAV, AVI, AIFF, MP4 and its kin, Matroska, WebM, Ogg and MP3 (with a Xing header)
    are checked; a FLAC file by its number of samples when it is decoded.

    Parameters
    ----------
    path : Path
        Of a file that can be read.
    """
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            announced = _announced_bytes(file, size)
    except OSError:
        return None
    if announced is None or announced <= size:
        return None
    return (
        f"the file breaks off: it announces {announced} bytes and holds {size}; "
        "copy it again"
    )


def _announced_bytes(file, size: int) -> int | None:
    head = file.read(12)
    if head[:4] == b"RIFF" and head[8:] in (b"WAVE", b"AVI "):
        return _riff_end(file, size, "<4sI")
    if head[:4] == b"FORM" and head[8:] in (b"AIFF", b"AIFC"):
        return _riff_end(file, size, ">4sI")
    if head[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip"):
        return _boxes_end(file, size)
    if head[:4] == b"\x1aE\xdf\xa3":
        return _segment_end(file)
    if head[:4] == b"OggS":
        return _page_end(file, size)
    return _mp3_end(file, head, size)


def _riff_end(file, size: int, header: str) -> int | None:
    """End of the last of the chunks that make a file; AVI beyond 1 GB has several."""
    position = end = 0
    while position + 8 <= size:
        file.seek(position)
        name, length = struct.unpack(header, file.read(8))
        if name not in (b"RIFF", b"FORM"):  # something else lies behind
            break
        if not UNKNOWN_SIZES[0] < length < UNKNOWN_SIZES[1]:
            return None
        position = end = position + 8 + length + length % 2
    return _unless_slight(end, size)


def _unless_slight(end: int, size: int) -> int:
    return end if end > size + SLACK_BYTES else size


def _boxes_end(file, size: int) -> int | None:
    """End of the last box (ISO/IEC 14496-12, section 4.2)."""
    position = 0
    while position + 8 <= size:
        file.seek(position)
        length, name, long = struct.unpack(">I4sQ", file.read(16).ljust(16, b"\0"))
        if not name.isalnum():  # padding lies behind
            break
        if length == 0:  # up to the end, whatever it is
            return None
        length = long if length == 1 else length
        if length < 8:
            return None
        position += length
    return position


def _segment_end(file) -> int | None:
    """End of a Matroska file's segment, which holds everything (RFC 8794, 9559)."""
    file.seek(0)
    head = file.read(4096)
    header, begin = _element_size(head, 4)
    if header is None:
        return None
    begin += header
    if head[begin : begin + 4] != b"\x18\x53\x80\x67":
        return None
    length, begin = _element_size(head, begin + 4)
    return None if length is None else begin + length


def _element_size(data: bytes, position: int) -> tuple[int | None, int]:
    """An EBML number at a position, None where all its bits say "unknown"; its end."""
    if position >= len(data) or not data[position]:
        return None, position
    width = 9 - data[position].bit_length()
    value = int.from_bytes(data[position : position + width])
    value &= (1 << 7 * width) - 1
    return (None if value == (1 << 7 * width) - 1 else value), position + width


def _page_end(file, size: int) -> int | None:
    """End of the last Ogg page (RFC 3533, section 6)."""
    begin = max(0, size - _OGG_PAGE_BYTES)
    file.seek(begin)
    data = file.read()
    position = data.rfind(b"OggS")
    page = data[position:]
    if position < 0:
        return None
    whole = 27 if len(page) < 27 else 27 + page[26] + sum(page[27 : 27 + page[26]])
    return begin + position + whole


def _mp3_end(file, head: bytes, size: int) -> int | None:
    """End of the frames that a Xing or Info header counts, behind an ID3 tag."""
    start = 0
    if head[:3] == b"ID3":
        parts = head[6:10]  # seven bits each
        start = 10 + sum((part & 0x7F) << 7 * i for i, part in enumerate(parts[::-1]))
    file.seek(start)
    data = file.read(_MP3_HEAD_BYTES).lstrip(b"\0")
    match = _XING.match(data)
    if match is None:
        return None
    padding = min(size - start, _MP3_HEAD_BYTES) - len(data)
    return _unless_slight(start + padding + int.from_bytes(match[1]), size)
