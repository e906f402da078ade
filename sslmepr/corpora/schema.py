"""The clip table: one row per clip, the same columns for every corpus.

Every loader returns this table and everything downstream reads nothing else, so an
error in a corpus is reported here, with the clips concerned, and not hours later as a
loss that is NaN.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

import pandas as pd
import pandera.pandas as pa

from sslmepr.labels import EMOTION_COLUMNS, SPLITS, TARGET_COLUMNS, TRAIT_COLUMNS

TEXT_COLUMNS = ("clip_id", "speaker_id", "split", "media", "transcript")
TIME_COLUMNS = ("start_seconds", "end_seconds")
LABEL_COLUMNS = EMOTION_COLUMNS + TRAIT_COLUMNS
COLUMNS = (
    "clip_id",
    "speaker_id",
    "split",
    "media",
    *TIME_COLUMNS,
    "transcript",
    *LABEL_COLUMNS,
)
"""The columns of a clip table, in order."""

PART_SEPARATOR = ":"
"""Behind the name of the part in the clip ids of a union of corpora."""

FILE_NAME = "clips.parquet"
MISSING_FILE = "missing.csv"
MISSING_COLUMNS = ("clip_id", "modality", "reason")
EVERYTHING = "everything"
"""The modality that is missing of a clip that is not in the clip table at all."""

_SHOWN = 3  # clips named in an error before "and n more"


class CorpusError(ValueError):
    """A corpus is not what its loader, or the clip table, expects."""


def part_of(clip_ids: Iterable[str]) -> list[str]:
    """The part that each clip of a union of corpora comes from."""
    return [clip_id.split(PART_SEPARATOR, 1)[0] for clip_id in clip_ids]


def words_of(clip: pd.Series) -> str:
    """Transcript of a clip of the table; empty if it has none."""
    # A table keeps a missing text as NaN, which is true where a text is asked for.
    return clip["transcript"] if isinstance(clip["transcript"], str) else ""


def _is_relative(media: pd.Series) -> pd.Series:
    paths = media.map(PurePosixPath)
    return paths.map(lambda path: not path.is_absolute() and ".." not in path.parts)


def _ends_after_start(table: pd.DataFrame) -> pd.Series:
    starts = table["start_seconds"].fillna(0.0)
    return table["end_seconds"].isna() | (table["end_seconds"] > starts)


def _stays_in_one_split(table: pd.DataFrame) -> pd.Series:
    return table.groupby("speaker_id")["split"].transform("nunique") == 1


def _labelled_in_full(task: str) -> pa.Check:
    columns = list(TARGET_COLUMNS[task])

    def check(table: pd.DataFrame) -> pd.Series:
        return table[columns].notna().sum(axis=1).isin([0, len(columns)])

    return pa.Check(
        check, error=f"{task} labels must be given in full or not at all for a clip"
    )


def _text_column(*checks: pa.Check, **options) -> pa.Column:
    filled = pa.Check(
        lambda values: values.str.strip() != "", error="must not be empty or blank"
    )
    return pa.Column(
        pd.StringDtype(na_value=float("nan")), [filled, *checks], **options
    )


def _columns() -> dict[str, pa.Column]:
    share = pa.Check(lambda values: values.between(0, 1), error="must lie within 0..1")
    time = pa.Check(lambda values: values >= 0, error="must not be negative")
    split = pa.Check(
        lambda values: values.isin(SPLITS), error=f"must be one of {', '.join(SPLITS)}"
    )
    relative = pa.Check(
        _is_relative, error="must be a path below the corpus's media folder"
    )
    return {
        "clip_id": _text_column(unique=True),
        "speaker_id": _text_column(),
        "split": _text_column(split),
        "media": _text_column(relative, nullable=True),
        **{name: pa.Column(float, time, nullable=True) for name in TIME_COLUMNS},
        "transcript": _text_column(nullable=True),
        **{name: pa.Column(float, share, nullable=True) for name in LABEL_COLUMNS},
    }


def clip_table_schema(allow_shared_speakers: bool = False) -> pa.DataFrameSchema:
    """The rules of a clip table.

    Parameters
    ----------
    allow_shared_speakers : bool
        Let a speaker occur in several splits, as FIv2's official split does.
    """
    checks = [
        pa.Check(_ends_after_start, error="end_seconds must exceed start_seconds"),
        *(_labelled_in_full(task) for task in TARGET_COLUMNS),
    ]
    if not allow_shared_speakers:
        checks.append(
            pa.Check(_stays_in_one_split, error="speaker_id must stay within one split")
        )
    return pa.DataFrameSchema(
        _columns(), checks=checks, strict=True, ordered=True, name="clip table"
    )


def validate(
    table: pd.DataFrame,
    source: str,
    allow_shared_speakers: bool = False,
    left_out: Mapping[str, str] | None = None,
    dev_as_test: Sequence[str] = (),
) -> pd.DataFrame:
    """Check a clip table and give its columns their order and types.

    Parameters
    ----------
    table : DataFrame
        One row per clip; the columns may come in any order.
    source : str
        What to call the corpus in an error.
    allow_shared_speakers : bool
        Whether a speaker may occur in several splits. The answer travels with the
        table (``attrs["shared_speakers"]``), to a file and back.
    left_out : mapping of str to str, optional
        What the corpus has, or should have, and the table has not: its name to the
        reason. It travels with the table too (``attrs["left_out"]``). Only where
        something was left out may the table be empty.
    dev_as_test : sequence of str
        The corpus, or the parts of a union, whose published dev split is the split
        ``test``; they travel with the table as well (``attrs["dev_as_test"]``).

    Returns
    -------
    DataFrame
        A new table with exactly `COLUMNS`; text that is null is NaN.

    Raises
    ------
    CorpusError
        Naming the corpus, each offending column, the first clips and what is wrong.
    """
    _check_names(table, source)
    if table.empty and not left_out:
        raise CorpusError(f"{source}: the clip table has no clips")
    table = _typed(table[list(COLUMNS)].reset_index(drop=True), source)
    try:
        table = clip_table_schema(allow_shared_speakers).validate(table, lazy=True)
    except pa.errors.SchemaErrors as error:
        raise CorpusError(_explain(error.failure_cases, table, source)) from None
    table.attrs = {"shared_speakers": allow_shared_speakers}
    if left_out:
        table.attrs["left_out"] = dict(left_out)
    if dev_as_test:
        table.attrs["dev_as_test"] = list(dev_as_test)
    return table


def _check_names(table: pd.DataFrame, source: str) -> None:
    missing = [name for name in COLUMNS if name not in table.columns]
    unknown = [str(name) for name in table.columns if name not in COLUMNS]
    repeated = [str(name) for name in table.columns[table.columns.duplicated()]]
    problems = [
        f"{what} columns {', '.join(names)}"
        for what, names in (
            ("missing", missing),
            ("unknown", unknown),
            ("repeated", repeated),
        )
        if names
    ]
    if problems:
        raise CorpusError(f"{source}: clip table with {'; '.join(problems)}")


def _typed(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Text as pandas' string type, numbers as float64; nothing is guessed."""
    problems = []
    for name in TEXT_COLUMNS:
        wrong = ~table[name].map(lambda value: isinstance(value, str) or pd.isna(value))
        if wrong.any():
            problems.append((name, "must be text", table.index[wrong]))
        else:
            table[name] = table[name].astype("str")
    for name in (*TIME_COLUMNS, *LABEL_COLUMNS):
        numbers = pd.to_numeric(table[name], errors="coerce")
        wrong = numbers.isna() & table[name].notna()
        if wrong.any():
            problems.append((name, "must be a number", table.index[wrong]))
        else:
            table[name] = numbers.astype(float)
    if problems:
        lines = [_line(table, *problem) for problem in problems]
        raise CorpusError("\n".join([f"{source}: clip table refused", *lines]))
    return table


def _explain(cases: pd.DataFrame, table: pd.DataFrame, source: str) -> str:
    reasons = {"field_uniqueness": "must be unique", "not_nullable": "must not be null"}
    lines = []
    for (context, column, check), group in cases.groupby(
        ["schema_context", "column", "check"], sort=False, dropna=False
    ):
        name = column if context == "Column" else None
        rows = group["index"].dropna().astype(int).unique()
        lines.append(_line(table, name, reasons.get(check, check), rows))
    return "\n".join([f"{source}: clip table refused", *dict.fromkeys(lines)])


def _line(table: pd.DataFrame, column: str | None, reason: str, rows) -> str:
    """One line of an error: column, reason, the first clips and their values."""
    shown = [
        _clip_name(table, row)
        + (f" ({table.at[row, column]!r})" if column not in (None, "clip_id") else "")
        for row in rows[:_SHOWN]
    ]
    more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
    what = f"{column} {reason}" if column else reason
    return f"  {what}: clip {', '.join(shown)}{more}"


def _clip_name(table: pd.DataFrame, row: int) -> str:
    name = table.at[row, "clip_id"]
    return f"{row + 1} of the table" if pd.isna(name) else repr(name)


def write_clips(table: pd.DataFrame, folder: str | Path) -> None:
    """Check `table` and write it to ``clips.parquet`` in `folder`.

    Clips that were left out are listed in ``missing.csv`` beside it.

    Parameters
    ----------
    table : DataFrame
    folder : path
        Created if need be.

    Raises
    ------
    CorpusError
        If the table is not a clip table.
    """
    folder = Path(folder)
    table = _validate_again(table, str(folder))
    folder.mkdir(parents=True, exist_ok=True)
    table.to_parquet(folder / FILE_NAME, index=False)
    (folder / MISSING_FILE).unlink(missing_ok=True)
    if "left_out" in table.attrs:
        missing = missing_rows(table)
        pd.DataFrame(missing, columns=list(MISSING_COLUMNS)).to_csv(
            folder / MISSING_FILE, index=False, encoding="utf-8"
        )


def missing_rows(table: pd.DataFrame) -> list[tuple[str, str, str]]:
    """What was left out of a clip table, as rows of ``missing.csv``."""
    left_out = table.attrs.get("left_out", {})
    return [(name, EVERYTHING, reason) for name, reason in left_out.items()]


def read_missing(folder: str | Path) -> pd.DataFrame:
    """``missing.csv`` of a folder: clip_id, modality, reason, all as they were written.

    A clip may be called 007, and another NA.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    path = Path(folder) / MISSING_FILE
    return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8")


def _validate_again(table: pd.DataFrame, source: str) -> pd.DataFrame:
    """Validate a clip table by the options that it was validated with before."""
    known = table.attrs
    shared, held_out = known.get("shared_speakers", False), known.get("dev_as_test", ())
    return validate(table, source, shared, known.get("left_out"), held_out)


def read_clips(folder: str | Path) -> pd.DataFrame:
    """The clip table of the corpus in `folder`.

    Raises
    ------
    CorpusError
        If there is none, or if it breaks a rule of the clip table.
    """
    path = Path(folder) / FILE_NAME
    if not path.is_file():
        raise CorpusError(f"{path}: no clip table here; build the corpus first")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise CorpusError(
            f"{path}: not readable ({error}); build the corpus anew"
        ) from None
    return _validate_again(table, str(path))
