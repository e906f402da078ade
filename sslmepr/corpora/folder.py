"""Any folder of recordings as a corpus without labels, for prediction only."""

from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import COLUMNS, CorpusError, validate

MEDIA_SUFFIXES = (".mp4", ".mov", ".mkv", ".avi", ".webm", ".wav", ".flac", ".mp3")


def read_folder(folder: str | Path) -> pd.DataFrame:
    """The clip table of all media files in a folder and the folders in it.

    Each file is one clip, and a speaker of its own since nothing tells who is in it;
    all are in the test split, as nothing is learned from them.

    Parameters
    ----------
    folder : path
        Files whose name begins with a dot, or that end in none of `MEDIA_SUFFIXES`,
        are passed over.

    Raises
    ------
    CorpusError
        If there is no such folder, or no media file in it.
    """
    paths = media_files(folder)
    table = pd.DataFrame({"clip_id": paths, "speaker_id": paths, "media": paths})
    table["split"] = "test"
    return validate(table.reindex(columns=list(COLUMNS)), str(folder))


def media_files(folder: str | Path) -> list[str]:
    """Paths of the files of `read_folder`, relative to the folder, sorted.

    Raises
    ------
    CorpusError
        If there is no such folder, or no media file in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise CorpusError(f"{folder}: expected a folder of media files here")
    paths = sorted(
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in MEDIA_SUFFIXES and path.is_file()
    )
    paths = [path for path in paths if not path.split("/")[-1].startswith(".")]
    if not paths:
        raise CorpusError(
            f"{folder}: expected {', '.join(MEDIA_SUFFIXES)} files; found none"
        )
    return paths
