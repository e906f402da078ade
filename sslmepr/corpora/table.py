"""Your own study: a table of clips, and the recordings it names.

A CSV, Excel or Parquet file with a row for each clip. ``params.yaml`` gives the names
of its columns and the end points of its rating scales; nothing is guessed. Emotions,
traits, both or neither may be annotated: without labels, clips are only predicted.
"""

import unicodedata
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

import numpy as np
import pandas as pd

from sslmepr.corpora.cells import Cells, read_cells
from sslmepr.corpora.schema import (
    COLUMNS,
    LABEL_COLUMNS,
    TEXT_COLUMNS,
    TIME_COLUMNS,
    CorpusError,
    validate,
)
from sslmepr.labels import (
    EMOTION_COLUMNS,
    SPLITS,
    TARGET_COLUMNS,
)
from sslmepr.params.corpora import TableCorpus

NEUTRAL, *SCORED_COLUMNS = EMOTION_COLUMNS


def read_table(folder: str | Path, corpus: TableCorpus, seed: int) -> pd.DataFrame:
    """The clip table of a study of one's own.

    Text is taken as written, but for blanks around it; ids have composed accents
    (Unicode's NFC), media paths the accents of the file that exists. Without a column
    ``clip_id`` a clip is named after its media file; without ``speaker_id`` each is a
    speaker of its own. Without ``split``, speakers are assigned to splits at random,
    with the shares in the parameters; a speaker's split does not depend on other
    speakers. Where no emotion above neutral is named as absent, neutral is 1.

    Parameters
    ----------
    folder : path
        Holds the table; media paths start here.
    corpus : TableCorpus
        ``table``, ``columns`` (ours to the file's), ``scales`` (task to the lowest and
        highest number of its rating scale) and ``split``.
    seed : int
        Of the random assignment to splits.

    Raises
    ------
    CorpusError
        If the file cannot be read or lacks a named column, a clip has no name, one has
        no speaker while there is a column of speakers, two speakers differ only in
        blanks or capitals, labels of a task are named in part or leave their scale, or
        none of the media files exists.
    """
    folder = Path(folder)
    path = folder / corpus.table
    _check_names(corpus.columns)
    theirs = {name: _nfc(corpus.columns.get(name, name)) for name in COLUMNS}
    cells = read_cells(path, set(theirs.values()))
    _check_columns(cells, [_nfc(name) for name in corpus.columns.values()])
    found = {ours: name for ours, name in theirs.items() if name in cells.table}
    table = pd.DataFrame(index=cells.table.index, columns=list(COLUMNS), dtype=object)
    for name in found.keys() & set(TEXT_COLUMNS):
        table[name] = cells.table[found[name]]
    for name in ("clip_id", "speaker_id", "split"):
        table[name] = table[name].map(_nfc, na_action="ignore")
    table["media"] = _existing(folder, table["media"])
    for name in found.keys() & set(TIME_COLUMNS):
        table[name] = cells.numbers(found[name], name)
    _read_labels(cells, found, table, corpus.scales)
    _derive_neutral(table)
    _check_labels(path, table)
    _name_clips(cells, found, table)
    if "speaker_id" in found:
        _check_speakers(cells, found["speaker_id"], table["speaker_id"])
    else:
        table["speaker_id"] = table["clip_id"]
    if table["split"].isna().all():
        table["split"] = _assign_splits(table["speaker_id"], corpus.split, seed)
    _check_media(path, folder, table["media"])
    return validate(table, str(path))


def _nfc(text: str) -> str:
    return unicodedata.normalize("NFC", text)


def _check_names(columns: Iterable[str]) -> None:
    ours = [name for name in columns if name not in COLUMNS]
    if ours:
        raise CorpusError(
            f"columns: a clip table has no {', '.join(ours)}; "
            f"it has {', '.join(COLUMNS)}"
        )


def _check_columns(cells: Cells, theirs: list[str]) -> None:
    missing = [name for name in theirs if name not in cells.header]
    if missing:
        raise CorpusError(
            f"{cells.path}: no column {', '.join(missing)}; it has "
            f"{', '.join(name for name in cells.header if name)}"
        )


def _existing(folder: Path, media: pd.Series) -> pd.Series:
    """Media paths as their files are called.

    Windows writes backslashes, and one accented letter may be written in two ways: the
    table's way need not be that of the file's name.
    """
    media = media.str.replace("\\", "/", regex=False)
    lost = [name for name in media.dropna() if not (folder / name).is_file()]
    if not lost:
        return media
    below = (path.relative_to(folder).as_posix() for path in folder.rglob("*"))
    known = {_nfc(path): path for path in below}
    called = {
        name: known.get(_nfc(PurePosixPath(name).as_posix()), name) for name in lost
    }
    return media.replace(called)


def _name_clips(cells: Cells, found: dict[str, str], table: pd.DataFrame) -> None:
    """Clips without an id are called by their media; each must have a name of its own.

    Raises
    ------
    CorpusError
        Naming the rows that have none, or the same.
    """
    name = "clip_id" if table["clip_id"].notna().any() else "media"
    if name == "media":
        table["clip_id"] = table["media"].map(_nfc, na_action="ignore")
    nameless = table.index[table["clip_id"].isna()]
    if len(nameless):
        raise CorpusError(
            f"{cells.path}: {name} is empty in "
            f"{cells.places(nameless, found.get(name))}; every row below the header "
            "must be a clip: fill the cell in, or delete what is no clip"
        )
    for clip, rows in table.groupby("clip_id").groups.items():
        if len(rows) > 1:
            raise CorpusError(
                f"{cells.path}: {name} must be unique, but {clip!r} is in "
                f"{cells.places(rows, found[name])}"
            )


def _check_speakers(cells: Cells, column: str, speakers: pd.Series) -> None:
    """One person under two names may be learned from and tested on."""
    nameless = speakers.index[speakers.isna()]
    if len(nameless):
        raise CorpusError(
            f"{cells.path}: speaker_id is empty in {cells.places(nameless, column)} "
            "(of merged cells, all but the first are empty); write the name into every "
            "row, and names of their own for people who are not known"
        )
    for _, names in speakers.groupby(speakers.map(_spoken)):
        if names.nunique() > 1:
            spellings = [
                f"{name!r} in {cells.places(rows, column)}"
                for name, rows in names.groupby(names, sort=False).groups.items()
            ]
            raise CorpusError(
                f"{cells.path}: speaker_id is {' and '.join(spellings)}; write one "
                "person in one way, and different people differently"
            )


def _spoken(name: str) -> str:
    """What a name has in common with its other spellings: no capitals, single blanks.

    Characters that are not seen (Unicode's category Cf) and variants of one character
    (its form NFKC) do not make a difference either.
    """
    seen = (each for each in name if unicodedata.category(each) != "Cf")
    return " ".join(unicodedata.normalize("NFKC", "".join(seen)).casefold().split())


def _derive_neutral(table: pd.DataFrame) -> None:
    """Where nobody was asked for neutral: 1 where the six others are all absent."""
    if table[NEUTRAL].notna().any():
        return
    rated = table[SCORED_COLUMNS]
    absent = (rated == 0).all(axis=1).astype(float)
    table[NEUTRAL] = absent.where(rated.notna().all(axis=1))


def _check_labels(path: Path, table: pd.DataFrame) -> None:
    for task, columns in TARGET_COLUMNS.items():
        missing = [name for name in columns if table[name].isna().all()]
        if 0 < len(missing) < len(columns):
            missing = [name for name in missing if name != NEUTRAL]
            raise CorpusError(
                f"{path}: {task} labels without {', '.join(missing)}; name a column "
                "for each in `columns`, or for none"
            )


def _read_labels(
    cells: Cells, found: dict[str, str], table: pd.DataFrame, scales: dict[str, tuple]
) -> None:
    """Ratings of either task, from their scale to 0..1."""
    table[list(LABEL_COLUMNS)] = np.nan
    for task, columns in TARGET_COLUMNS.items():
        low, high = scales.get(task, (0, 1))
        for name in found.keys() & set(columns):
            numbers = cells.numbers(found[name], name)
            wrong = numbers.index[numbers.notna() & ~numbers.between(low, high)]
            if len(wrong):
                raise CorpusError(
                    f"{cells.path}: {name} is outside its scale of {low:g} to {high:g} "
                    f"in {cells.places(wrong, found[name])}, first "
                    f"{numbers[wrong[0]]:g}; `scales` says what the scale of a task is"
                )
            table[name] = (numbers - low) / (high - low)


def _assign_splits(
    speakers: pd.Series, shares: dict[str, float], seed: int
) -> pd.Series:
    """The split of each clip's speaker, from a hash of seed and speaker."""
    edges = np.cumsum([shares.get(name, 0.0) for name in SPLITS])
    edges /= edges[-1]

    def place(name: str) -> str:
        drawn = zlib.crc32(f"{seed} {name}".encode()) / 2**32
        return SPLITS[int(np.searchsorted(edges, drawn, side="right"))]

    return speakers.map(place)


def _check_media(path: Path, folder: Path, media: pd.Series) -> None:
    """Refuse a table of which no media file exists; extraction records single ones."""
    named = media.dropna()
    if len(named) and not any((folder / name).is_file() for name in named):
        raise CorpusError(
            f"{path}: none of its {len(named)} media files is in {folder}; "
            f"the first is {named.iloc[0]}"
        )
