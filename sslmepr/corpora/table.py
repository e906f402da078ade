"""Your own study: a table of clips, and the recordings it names.

A CSV, Excel or Parquet file with a row for each clip. What its columns are called, and
which numbers its rating scales run between, is said in ``params.yaml``; nothing is
guessed. Emotions, traits, both or neither may be annotated: without labels, clips are
only predicted.
"""

import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.corpora.schema import COLUMNS, CorpusError, validate
from sslmepr.labels import (
    EMOTION_COLUMNS,
    SPLITS,
    TARGET_COLUMNS,
)
from sslmepr.params import TableCorpus

NEUTRAL, *SCORED_COLUMNS = EMOTION_COLUMNS


def read_table(folder: str | Path, corpus: TableCorpus, seed: int) -> pd.DataFrame:
    """The clip table of a study of one's own.

    A clip without ``clip_id`` is called by its media file, one without ``speaker_id``
    is a speaker of its own. Without ``split``, speakers are dealt out in the shares
    that the parameters give; a speaker's place does not depend on who else is there.
    Where no emotion above neutral is named as absent, neutral is 1.

    Parameters
    ----------
    folder : path
        Holds the table; media paths start here.
    corpus : TableCorpus
        ``table``, ``columns`` (ours to the file's), ``scales`` (task to the lowest and
        highest number of its rating scale) and ``split``.
    seed : int
        Of dealing out the speakers.

    Raises
    ------
    CorpusError
        If the file cannot be read or lacks a named column, labels of a task are named
        in part or leave their scale, or none of the media files exists.
    """
    folder = Path(folder)
    path = folder / corpus.table
    source = _read(path)
    _check_columns(path, source, corpus.columns)
    table = pd.DataFrame(index=source.index, columns=list(COLUMNS), dtype=object)
    for name in COLUMNS:
        theirs = corpus.columns.get(name, name)
        if theirs in source:
            table[name] = source[theirs]
    for name in ("clip_id", "speaker_id", "media", "transcript"):
        table[name] = _as_text(table[name])
    # as Windows writes the path of a file in a folder
    table["media"] = table["media"].replace(r"\\", "/", regex=True)
    _scale(path, table, corpus.scales)
    _derive_neutral(table)
    _check_labels(path, table)
    if table["clip_id"].isna().all():
        table["clip_id"] = table["media"]
    table["speaker_id"] = table["speaker_id"].fillna(table["clip_id"])
    if table["split"].isna().all():
        table["split"] = _deal(table["speaker_id"], corpus.split, seed)
    _check_media(path, folder, table["media"])
    return validate(table, str(path))


def _read_csv(path: Path) -> pd.DataFrame:
    """Between commas, or as Excel writes it where a comma is the decimal sign."""
    with path.open(encoding="utf-8-sig") as file:
        header = file.readline()
    if header.count(";") > header.count(","):
        return pd.read_csv(path, encoding="utf-8-sig", sep=";", decimal=",")
    return pd.read_csv(path, encoding="utf-8-sig")


READERS = {
    ".csv": _read_csv,
    ".xlsx": pd.read_excel,
    ".parquet": pd.read_parquet,
}


def _read(path: Path) -> pd.DataFrame:
    if path.suffix not in READERS:
        raise CorpusError(f"{path}: must end in one of {', '.join(READERS)}")
    try:
        source = READERS[path.suffix](path)
    except FileNotFoundError:
        raise CorpusError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise CorpusError(
            f"{path}: not readable: not in UTF-8; in Excel, save it as 'CSV UTF-8' or "
            "as a workbook"
        ) from None
    except (OSError, ValueError, KeyError) as error:
        raise CorpusError(f"{path}: not readable: {error}") from None
    if source.empty:
        raise CorpusError(f"{path}: has no rows")
    return source


def _check_columns(path: Path, source: pd.DataFrame, columns: dict[str, str]) -> None:
    ours = [name for name in columns if name not in COLUMNS]
    if ours:
        raise CorpusError(
            f"columns: a clip table has no {', '.join(ours)}; "
            f"it has {', '.join(COLUMNS)}"
        )
    theirs = [name for name in columns.values() if name not in source]
    if theirs:
        raise CorpusError(
            f"{path}: no column {', '.join(theirs)}; it has "
            f"{', '.join(map(str, source.columns))}"
        )


def _as_text(values: pd.Series) -> pd.Series:
    """Numbers as names (a person 7), blanks as missing."""

    def name(value):
        if pd.isna(value):
            return np.nan
        # A column of whole numbers with a gap in it is read as 7.0, 8.0.
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return str(value).strip()

    text = values.map(name)
    return text.where(text != "").astype(object)


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


def _scale(path: Path, table: pd.DataFrame, scales: dict[str, tuple]) -> None:
    for task, columns in TARGET_COLUMNS.items():
        low, high = scales.get(task, (0, 1))
        for name in columns:
            numbers = pd.to_numeric(table[name], errors="coerce")
            wrong = (numbers.isna() & table[name].notna()) | ~numbers.fillna(
                low
            ).between(low, high)
            if wrong.any():
                row = int(np.flatnonzero(wrong)[0])
                raise CorpusError(
                    f"{path}: {name} is {table[name].iloc[row]} in data row {row + 1}, "
                    f"outside its scale of {low:g} to {high:g} ({wrong.sum()} such "
                    "rows); `scales` says what the scale of a task is"
                )
            table[name] = (numbers - low) / (high - low)


def _deal(speakers: pd.Series, shares: dict[str, float], seed: int) -> pd.Series:
    """The split of each clip's speaker, by a number drawn from the speaker's name."""
    edges = np.cumsum([shares.get(name, 0.0) for name in SPLITS])
    edges /= edges[-1]

    def place(name: str) -> str:
        drawn = zlib.crc32(f"{seed} {name}".encode()) / 2**32
        return SPLITS[int(np.searchsorted(edges, drawn, side="right"))]

    return speakers.map(place)


def _check_media(path: Path, folder: Path, media: pd.Series) -> None:
    """A file that is not there is for extraction to record; all are an error."""
    named = media.dropna()
    if len(named) and not any((folder / name).is_file() for name in named):
        raise CorpusError(
            f"{path}: none of its {len(named)} media files is in {folder}; "
            f"the first is {named.iloc[0]}"
        )
