"""One table of features, from its file to arrays.

CSV as tools write it: between commas or semicolons, blanks behind them, ``nan`` for
what was not measured. A cell that is neither a number nor empty is an error that names
file, line and column.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from sslmepr.corpora.feature_tables.formats import Plan, clean, plan_columns
from sslmepr.corpora.feature_tables.paths import SUFFIXES
from sslmepr.corpora.schema import CorpusError
from sslmepr.params.corpora import FeatureTable

BLOCK_ROWS = 20_000
"""Rows whose text is held at a time; their numbers take a tenth of the memory."""

_NOTHING = re.compile(r"(-?nan(\(ind\))?)?", re.IGNORECASE)
"""What stands in a cell that was not measured, in Python and C++."""


@dataclass(frozen=True)
class Rows:
    """The rows of one table.

    Attributes
    ----------
    path : Path
    lines : (row,) int array
        Line of a CSV file, or row of a Parquet file, both counted from 1.
    ids : (row,) object array or None
        Text of the ids; None if the table has no column of them.
    times : (row,) float array or None
        In seconds, or numbers of frames.
    in_seconds : bool
    persons : (row,) object array or None
    confidence : (row,) float array or None
        NaN where it is empty.
    success : (row,) float array or None
    values : (row, feature) float32 array
        NaN where nothing was measured.
    columns : tuple of str
        Names of the features.
    """

    path: Path
    lines: np.ndarray
    ids: np.ndarray | None
    times: np.ndarray | None
    in_seconds: bool
    persons: np.ndarray | None
    confidence: np.ndarray | None
    success: np.ndarray | None
    values: np.ndarray
    columns: tuple[str, ...]

    def place(self, rows: np.ndarray) -> str:
        """The file, and the lines of some of its rows, for a message."""
        what = "line" if self.path.suffix.lower() == ".csv" else "row"
        lines = np.sort(self.lines[rows])
        if not len(lines):
            return self.path.name
        if len(lines) == 1:
            return f"{self.path.name}, {what} {lines[0]}"
        if len(lines) == 2:
            return f"{self.path.name}, {what}s {lines[0]} and {lines[1]}"
        if lines[-1] - lines[0] == len(lines) - 1:
            return f"{self.path.name}, {what}s {lines[0]} to {lines[-1]}"
        return f"{self.path.name}, {what}s {lines[0]} … {lines[-1]}"


def read_rows(path: Path, table: FeatureTable) -> Rows:
    """Read one table.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8 or a Parquet file.
    table : FeatureTable

    Raises
    ------
    CorpusError
        If the file is damaged or lacks a column, or if a cell that is read is no
        number; it names the file, the line and the column.
    """
    if path.suffix.lower() not in _READERS:
        raise CorpusError(f"{path}: must end in one of {', '.join(SUFFIXES)}")
    try:
        plan, blocks = _READERS[path.suffix.lower()](path, table)
        parts = [_part(path, table, plan, *block) for block in blocks]
    except CorpusError:
        raise
    except UnicodeDecodeError:
        raise CorpusError(f"{path}: not readable: not in UTF-8") from None
    except (OSError, pa.ArrowException) as error:
        raise CorpusError(
            f"{path}: not readable, it may be damaged or copied in part ({error})"
        ) from None
    joined = {
        name: None
        if parts[0][name] is None
        else np.concatenate([p[name] for p in parts])
        for name in parts[0]
    }
    return Rows(
        path=path,
        in_seconds=not plan.counts_frames or table.frames_per_second is not None,
        columns=plan.features,
        **joined,
    )


def _part(path: Path, table: FeatureTable, plan: Plan, lines, columns) -> dict:
    """Arrays of some rows; `columns` are the texts or numbers of the columns read."""

    def numbers(name: str | None) -> np.ndarray | None:
        return None if name is None else _numbers(path, lines, name, columns[name])

    times = plan.time and _times(path, lines, plan.time, columns[plan.time])
    if plan.counts_frames and times is not None and table.frames_per_second:
        times = times / table.frames_per_second
    confidence = numbers(plan.confidence)
    if confidence is not None and (above := np.flatnonzero(confidence > 1)).size:
        what = f"a confidence from 0 to 1, but {confidence[above[0]]:g}"
        raise _no_number(path, lines[above[0]], plan.confidence, what)
    values = np.column_stack([numbers(name) for name in plan.features])
    with np.errstate(over="ignore"):
        values = values.astype(np.float32)
    beyond = np.argwhere(np.isinf(values))
    if len(beyond):
        row, column = beyond[0]
        raise _no_number(path, lines[row], plan.features[column], "a finite number")
    return {
        "lines": lines,
        "ids": _texts(columns, plan.id),
        "times": times,
        "persons": _texts(columns, plan.person),
        "confidence": confidence,
        "success": numbers(plan.success),
        "values": values,
    }


def _texts(columns: dict, name: str | None) -> np.ndarray | None:
    if name is None:
        return None
    texts = columns[name].astype(object)
    texts = texts.where(texts.notna(), "").map(_text)
    return texts.to_numpy(dtype=object)


def _text(value) -> str:
    """An id as it is written; whole numbers without a decimal point."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return clean(str(value))


def _numbers(path: Path, lines, name: str, column: pd.Series) -> np.ndarray:
    """A column as float64, NaN where nothing was measured."""
    if column.dtype.kind in "mM":
        raise _no_number(path, lines[0], name, "a number, but a date or time")
    found = pd.to_numeric(column, errors="coerce").to_numpy(np.float64, na_value=np.nan)
    for row in np.flatnonzero(np.isnan(found)):
        cell = column.iloc[row]
        if isinstance(cell, str) and not _NOTHING.fullmatch(cell):
            raise _no_number(path, lines[row], name, f"a number, but {cell!r}")
    return found


def _times(path: Path, lines, name: str, column: pd.Series) -> np.ndarray:
    """Seconds: numbers, or spans of time as pandas writes them."""
    if pd.api.types.is_timedelta64_dtype(column):
        return column.dt.total_seconds().to_numpy()
    spans = column.map(lambda cell: isinstance(cell, str) and ":" in cell)
    if not spans.any():
        found = _numbers(path, lines, name, column)
    else:
        found = pd.to_timedelta(column, errors="coerce").dt.total_seconds().to_numpy()
    lost = np.flatnonzero(~np.isfinite(found))
    if len(lost):
        cell = column.iloc[lost[0]]
        raise _no_number(path, lines[lost[0]], name, f"a time, but {cell!r}")
    return found


def _no_number(path: Path, line: int, column: str, what: str) -> CorpusError:
    where = "line" if path.suffix.lower() == ".csv" else "row"
    return CorpusError(f"{path}: {where} {line}: {column} is not {what}")


# -- CSV -------------------------------------------------------------------------------


def _csv(path: Path, table: FeatureTable):
    """The plan of a CSV file and its rows, in blocks."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        first = file.readline()
    separator = ";" if first.count(";") > first.count(",") else ","
    header = next(csv.reader([first], delimiter=separator), [])
    plan = plan_columns(path, header, table)
    return plan, _csv_blocks(path, plan, header, separator)


def _csv_blocks(path: Path, plan: Plan, header: list[str], separator: str):
    names = list(dict.fromkeys((*plan.others, *plan.features)))
    cleaned = [clean(name) for name in header]
    places = [cleaned.index(name) for name in names]
    rows = _csv_rows(path, len(header), places, separator)
    last = False
    while not last:  # the last is empty, so that a table without rows has arrays, too
        block = list(itertools.islice(rows, BLOCK_ROWS))
        last = not block
        lines = np.array([line for line, _ in block], int)
        frame = pd.DataFrame([cells for _, cells in block], columns=names, dtype="str")
        for name in (*plan.features, plan.time, plan.confidence, plan.success):
            if separator == ";" and name:  # decimal commas, where Excel wrote them
                frame[name] = frame[name].str.replace(",", ".", regex=False)
        yield lines, frame


def _csv_rows(path: Path, width: int, places: list[int], separator: str) -> Iterator:
    """Line numbers and the cells that are wanted."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        next(reader)
        try:
            for row in reader:
                if not any(row):
                    continue
                if len(row) != width:
                    raise CorpusError(
                        f"{path}: line {reader.line_num} has {len(row)} cells, the "
                        f"header has {width}; is the file cut off?"
                    )
                yield reader.line_num, [_unquoted(row[place]) for place in places]
        except csv.Error as error:
            raise CorpusError(
                f"{path}: line {reader.line_num} is not readable as CSV: {error}"
            ) from None


def _unquoted(cell: str) -> str:
    """A cell without blanks around it, nor the single quotes that openSMILE writes."""
    cell = cell.strip()
    quoted = len(cell) > 1 and cell[0] == cell[-1] == "'"
    return cell[1:-1] if quoted else cell


# -- Parquet ---------------------------------------------------------------------------


def _parquet(path: Path, table: FeatureTable):
    """The plan of a Parquet file and its rows, in blocks."""
    header = pq.read_schema(path).names
    plan = plan_columns(path, header, table)
    return plan, _parquet_blocks(path, plan, header)


def _parquet_blocks(path: Path, plan: Plan, header: list[str]):
    called = {clean(name): name for name in header}
    names = list(dict.fromkeys((*plan.others, *plan.features)))
    begin = 1
    with pq.ParquetFile(path) as file:
        columns = [called[name] for name in names]
        # The last is empty, so that a table without rows has arrays, too.
        empty = pa.RecordBatch.from_pylist([], file.schema_arrow)
        batches = file.iter_batches(BLOCK_ROWS, columns=columns)
        for batch in itertools.chain(batches, [empty]):
            table = batch.select(columns).to_pandas(ignore_metadata=True)
            frame = table.set_axis(names, axis=1)
            yield np.arange(begin, begin + len(frame)), frame
            begin += len(frame)


_READERS = {".csv": _csv, ".parquet": _parquet}
