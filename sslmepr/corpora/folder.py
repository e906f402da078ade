"""Any folder of recordings as a corpus without labels, for prediction only."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import COLUMNS, CorpusError, validate

MEDIA_SUFFIXES = tuple(
    f".{suffix}"
    for suffix in (
        # moving pictures, most with sound
        "mp4 m4v mov qt mkv mk3d webm avi divx wmv asf flv f4v mpg mpeg mpe m1v m2v "
        "vob mod tod ts mts m2ts m2t 3gp 3g2 ogv ogm mxf gxf dv rm rmvb mj2 ismv wtv "
        "amv lrv nut ivf obu h261 h263 h264 264 avc h265 265 hevc mjpeg mjpg y4m gif "
        # sound
        "wav wave w64 rf64 bwf aif aiff aifc au snd caf flac mp3 mp2 mpa m4a m4b aac "
        "adts ac3 eac3 dts ogg oga opus spx wma amr awb mka weba ape wv tta tak shn "
        "mpc voc gsm ra"
    ).split()
)
"""Of the files that FFmpeg reads, those that people record or that programs export."""


def read_folder(folder: str | Path) -> pd.DataFrame:
    """The clip table of all media files in a folder and the folders in it.

    Each file is one clip, and a speaker of its own since nothing tells who is in it;
    all are in the test split, as nothing is learned from them.

    Parameters
    ----------
    folder : path
        Files that are hidden, or that end in none of `MEDIA_SUFFIXES`, are passed over;
        they are named, with the reason, in the table's ``attrs["left_out"]``.

    Raises
    ------
    CorpusError
        If there is no such folder, or no media file in it.
    """
    paths, passed_over = media_files(folder), {}
    for path, reason in _passed_over(Path(folder)):
        passed_over[path.encode("utf-8", "backslashreplace").decode()] = reason
    paths = [path for path in paths if _is_utf_8(path)]
    table = pd.DataFrame({"clip_id": paths, "speaker_id": paths, "media": paths})
    table["split"] = "test"
    return validate(
        table.reindex(columns=list(COLUMNS)), str(folder), left_out=passed_over
    )


def media_files(folder: str | Path) -> list[str]:
    """Paths of all media files in a folder and the folders in it, relative and sorted.

    Raises
    ------
    CorpusError
        If there is no such folder, or no media file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CorpusError(f"{folder}: expected a folder of media files here")
    paths = [path for path in _files(folder) if _is_media(path) and not _hidden(path)]
    if not paths:
        raise CorpusError(
            f"{folder}: expected {', '.join(MEDIA_SUFFIXES)} files; found none"
        )
    return paths


def _files(folder: Path) -> list[str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path.relative_to(folder).as_posix() for path in paths)


def _passed_over(folder: Path) -> Iterator[tuple[str, str]]:
    """Files that are no clips, and why; of hidden ones, those that may be media."""
    for path in _files(folder):
        if _hidden(path):
            if _is_media(path):
                yield path, "hidden: a name in its path begins with a dot"
        elif not _is_media(path):
            yield path, f"its name ends in no media format: {Path(path).suffix!r}"
        elif not _is_utf_8(path):
            yield path, "its name is not UTF-8: rename the file"


def _is_media(path: str) -> bool:
    return Path(path).suffix.lower() in MEDIA_SUFFIXES


def _hidden(path: str) -> bool:
    return any(part.startswith(".") for part in path.split("/"))


def _is_utf_8(path: str) -> bool:
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
