"""What the app takes in: recordings by their first bytes, and bounded segments.

Decoders are large programs that strangers' files reach first, so a file is looked at
before any of them opens it.
"""

import math
from pathlib import Path

import av

from sslmepr.media.container import open_media, origin_seconds, segment_bounds
from sslmepr.media.errors import MediaError
from sslmepr.params import Params
from sslmepr.params.corpora import Heard

MOST_BYTES = 200 * 2**20
MOST_SECONDS = 60.0
"""Longest segment that is analysed."""

RECORDING = "recording"
"""Stands for the file, whose name nobody needs to see."""

NO_ROOM = "There is no room left for recordings: press Clear all first."

TOO_LARGE = (
    f"This is larger than {MOST_BYTES // 2**20} MB, the most that is taken at once: "
    "cut out the part that matters and choose that."
)

_HEAD_BYTES = 12


class AppError(RuntimeError):
    """What went wrong, in one sentence for the page: no path, no name, no markup."""


class Cancelled(AppError):
    """The analysis was ended from the page."""


def is_recording(head: bytes) -> bool:
    """Whether a file begins like a recording that the app takes.

    Parameters
    ----------
    head : bytes
        The first twelve bytes of the file.

    Returns
    -------
    bool
        True for MP4 and its kin, Matroska and WebM, AVI, WAV, FLAC, Ogg and MP3.
    """
    if head[:4] == b"RIFF":
        return head[8:12] in (b"WAVE", b"AVI ")
    if head[4:8] == b"ftyp" or head[:4] in (b"\x1aE\xdf\xa3", b"fLaC", b"OggS"):
        return True
    # MPEG audio: eleven bits of synchronisation, a version and a layer that exist
    version, layer = (head[1] >> 3 & 3, head[1] >> 1 & 3) if len(head) > 1 else (1, 0)
    sync = len(head) > 1 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0
    return head[:3] == b"ID3" or (sync and version != 1 and layer != 0)


def check_file(path: Path) -> None:
    """Refuse a file that is too large or no recording, without decoding it.

    Raises
    ------
    AppError
    """
    try:
        if not path.is_file():
            raise AppError("The recording is no longer there: choose it again.")
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(_HEAD_BYTES)
    except OSError:
        raise AppError("The recording cannot be read: choose it again.") from None
    if size > MOST_BYTES:
        raise AppError(TOO_LARGE)
    if not is_recording(head):
        raise AppError(
            "This is not a recording that can be read: choose a video (MP4, WebM, MKV, "
            "MOV, AVI) or a sound file (WAV, MP3, FLAC, OGG)."
        )


def tables_needed(params: Params) -> dict[str, str]:
    """Modalities that the models of a study read from tables of other tools.

    Returns
    -------
    dict of str to str
        Modality to the tool. The voice is not among them where it is measured here.
    """
    found = {}
    for modality in params.modalities:
        given = params.features_of(modality)
        if given and not any(isinstance(each, Heard) for each in given):
            found[modality] = given[0].tool
    return found


def check_segment(
    start: float | None, end: float | None
) -> tuple[float | None, float | None]:
    """Bounds of the segment as typed, in seconds; None where nothing was.

    Raises
    ------
    AppError
        If they are no times, the segment is empty or it is too long.
    """
    bounds = []
    for name, value in (("start", start), ("end", end)):
        try:
            value = None if value in (None, "") else float(value)
        except (TypeError, ValueError):
            value = math.nan
        if value is not None and not (math.isfinite(value) and value >= 0):
            raise AppError(f"The {name} must be a number of seconds, 0 or more.")
        bounds.append(value)
    start, end = bounds
    if end is not None and end <= (start or 0):
        raise AppError("The segment is empty: its end must come after its start.")
    if end is not None and end - (start or 0) > MOST_SECONDS:
        raise AppError(f"The segment is too long: at most {MOST_SECONDS:.0f} seconds.")
    return start, end


def recording_seconds(path: Path) -> float:
    """Length of a recording, from its header or, without one, from its packets.

    Raises
    ------
    MediaError
        If it cannot be opened, or there is nothing to be seen or heard in it.
    """
    with open_media(path) as container:
        if not (container.streams.video or container.streams.audio):
            raise MediaError(path, "it has neither pictures nor sound")
        if container.duration:
            return container.duration / av.time_base
        origin, last = origin_seconds(container), 0.0
        for packet in container.demux():
            if packet.pts is not None:
                shown = packet.pts + (packet.duration or 0)
                last = max(last, float(shown * packet.time_base) - origin)
    return last


def check_recording(path: Path, start: float | None, end: float | None) -> float:
    """Refuse what the decoders cannot open and segments outside of the recording.

    Parameters
    ----------
    path : Path
        Of a file that passed :func:`check_file`.
    start, end : float or None
        From :func:`check_segment`.

    Returns
    -------
    float
        Length of the segment, in seconds.

    Raises
    ------
    AppError
    """
    try:
        whole = recording_seconds(path)
        first, last = segment_bounds(path, start, end)
    except MediaError as error:
        raise AppError(
            f"The recording cannot be decoded: {error.reason}. Choose another file, or "
            "save it anew in a usual format, such as MP4 or WAV."
        ) from None
    if first >= whole > 0:
        raise AppError(
            f"The segment starts at {first:g} s, but the recording ends at {whole:.1f} "
            "s: choose an earlier start."
        )
    length = min(last, whole or last) - first
    if length > MOST_SECONDS:
        raise AppError(
            f"The recording is longer than {MOST_SECONDS:.0f} seconds: give a start "
            "and an end."
        )
    return length
