"""Reads CSV files, workbooks and Parquet files, every cell as the text in it.

Nothing is guessed: 007 stays 007, a person may be called NA. Only an empty cell holds
nothing. A cell whose text cannot be determined (a formula that was not calculated, an
error like #REF!, a date) is refused, with its place, if its column is asked for.
"""

import csv
import re
import unicodedata
import zipfile
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, time, timedelta
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow.parquet as pq
from openpyxl.utils import get_column_letter

from sslmepr.corpora.schema import CorpusError

MOST_ROWS = 2**20
"""As many as Excel has; a file with more is no table that people keep."""

MOST_BYTES = 200_000_000
"""Of a file once it is unpacked: 200,000 clips with all columns."""

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # encrypted workbooks, and those of Excel 97
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SHOWN = 5  # places named in an error before "and n more"


class Fault(str):
    """Stands in for the text of a cell: why it cannot be determined."""


@dataclass(frozen=True)
class Cells:
    """The cells of a table, and where they stand in its file.

    Attributes
    ----------
    path : Path
    header : list of str
        Names of all columns of the file, also of those that were not asked for.
    table : DataFrame
        Text, or None in an empty cell; row number in the file (the header has one too)
        by column name. Rows that are empty all along are left out.
    row : str
        What a row of such a file is called.
    sheet : str, optional
        Of a workbook.
    decimal_comma : bool
        Numbers may be written ``2,5``.
    """

    path: Path
    header: list[str]
    table: pd.DataFrame
    row: str = "row"
    sheet: str | None = None
    decimal_comma: bool = False

    def places(self, rows: Iterable[int], column: str | None = None) -> str:
        """Name rows, or their cells in a column, for an error message.

        Parameters
        ----------
        rows : iterable of int
            Row numbers in the file.
        column : str, optional
            If given, cells of a workbook are named too.
        """
        rows = list(rows)
        plural = "s" if len(rows) > 1 else ""
        more = f" and {len(rows) - _SHOWN} more" if len(rows) > _SHOWN else ""
        place = f"{self.row}{plural} {', '.join(map(str, rows[:_SHOWN]))}{more}"
        if self.sheet is None:
            return place
        if column is None:
            return f"{place} of sheet {self.sheet!r}"
        letter = get_column_letter(self.header.index(column) + 1)
        names = ", ".join(f"{letter}{row}" for row in rows[:_SHOWN])
        return f"{place} (cell{plural} {names} of sheet {self.sheet!r})"

    def numbers(self, column: str, what: str) -> pd.Series:
        """A column as numbers.

        Parameters
        ----------
        column : str
        what : str
            Meaning of the column, for the error message.

        Returns
        -------
        Series of float
            NaN in empty cells.

        Raises
        ------
        CorpusError
            If a cell holds anything else, naming it.
        """
        text = self.table[column]
        if self.decimal_comma:
            text = text.str.replace(",", ".")
        wrong = text.notna() & ~text.map(
            lambda cell: cell is None or bool(_NUMBER.fullmatch(cell))
        )
        if wrong.any():
            rows = wrong.index[wrong]
            raise CorpusError(
                f"{self.path}: {what} is no number in {self.places(rows, column)}, "
                f"first {self.table.at[rows[0], column]!r}; leave a cell empty where "
                "nothing was annotated"
            )
        return text.astype(float)


@dataclass
class _Raw:
    """Rows of a file: numbered, cells as text, Fault or None."""

    rows: Iterator[tuple[int, list[str | None]]]
    about: dict = field(default_factory=dict)


def read_cells(path: Path, wanted: Collection[str]) -> Cells:
    """The named columns of a table, as far as it has them.

    The first row that is not empty names the columns. Of a workbook, the first sheet is
    read; a column of numbers gives them as the sheet shows them, without thousands
    separators and not rounded.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8 (between commas, or between semicolons and then perhaps with
        decimal commas), a workbook ``.xlsx``, or a Parquet file.
    wanted : collection of str
        Names of columns, composed (NFC); what stands in others is not looked at.

    Raises
    ------
    CorpusError
        If there is no such file, or it is damaged, protected by a password or too
        large; if it has no rows or names a wanted column twice; if a wanted cell has no
        text. Places are named.
    """
    if path.suffix.lower() not in _READERS:
        raise CorpusError(f"{path}: must end in one of {', '.join(_READERS)}")
    try:
        raw = _READERS[path.suffix.lower()](path)
        return _collect(path, raw, wanted)
    except FileNotFoundError:
        raise CorpusError(f"{path}: there is no such file") from None
    except UnicodeDecodeError:
        raise CorpusError(
            f"{path}: not readable: not in UTF-8; in Excel, save it as 'CSV UTF-8' or "
            "as a workbook"
        ) from None
    except CorpusError:
        raise
    except Exception as error:  # a damaged workbook can trip any line of its reader
        raise CorpusError(
            f"{path}: not readable, it may be damaged or copied in part "
            f"({type(error).__name__}: {error}); open it in the program that wrote it "
            "and save it anew"
        ) from None


def _collect(path: Path, raw: _Raw, wanted: Collection[str]) -> Cells:
    header, found, numbers, faults = None, [], [], {}
    for number, cells in raw.rows:
        if number > MOST_ROWS:
            raise CorpusError(
                f"{path}: has more than {MOST_ROWS:,} rows; delete what stands below "
                "the table"
            )
        if not any(cells):
            continue
        if header is None:
            header = _header(path, cells, wanted)
            columns = {n: place for place, n in enumerate(header) if n in wanted}
            continue
        # a stray cell beside the table belongs to no column
        if not any(cells[: len(header)]):
            continue
        cells += [None] * (len(header) - len(cells))
        row = [cells[place] for place in columns.values()]
        for name, cell in zip(columns, row, strict=True):
            if isinstance(cell, Fault):
                faults.setdefault((name, str(cell)), []).append(number)
        found.append(row)
        numbers.append(number)
    if not found:
        raise CorpusError(f"{path}: has no rows")
    table = pd.DataFrame(found, index=numbers, columns=list(columns), dtype=object)
    cells = Cells(path, header, table, **raw.about)
    if faults:
        lines = [
            f"  {name}: {cells.places(rows, name)} {fault}"
            for (name, fault), rows in faults.items()
        ]
        raise CorpusError("\n".join([f"{path}: not readable:", *lines]))
    return cells


def _header(path: Path, cells: list, wanted: Collection[str]) -> list[str]:
    header = [unicodedata.normalize("NFC", cell or "") for cell in cells]
    while not header[-1]:
        header.pop()
    twice = sorted({name for name in header if header.count(name) > 1} & set(wanted))
    if twice:
        raise CorpusError(f"{path}: two columns are called {', '.join(twice)}")
    return header


# -- CSV -------------------------------------------------------------------------------


def _csv(path: Path) -> _Raw:
    """Between commas, or as Excel writes it where a comma is the decimal sign."""
    with path.open(encoding="utf-8-sig") as file:
        first = file.readline()
    declared = re.fullmatch(r'"?sep=(.)"?\s*', first)  # Excel's separator line
    if declared:
        separator = declared[1]
    else:
        separator = ";" if first.count(";") > first.count(",") else ","
    rows = _csv_rows(path, separator, bool(declared))
    return _Raw(rows, {"row": "line", "decimal_comma": separator != ","})


def _csv_rows(path: Path, separator: str, skip_first: bool):
    width = None
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, delimiter=separator, strict=True)
        line = 1
        for row in _named_lines(path, reader):
            cells = [cell.strip() or None for cell in row]
            if any(cells) and not (skip_first and line == 1):
                width = width or len(cells)
                if len(cells) < width or any(cells[width:]):
                    raise CorpusError(
                        f"{path}: line {line} has {len(cells)} cells, the header has "
                        f"{width}; is a comma not between quotes, or the file cut off?"
                    )
                yield line, cells
            line = reader.line_num + 1


def _named_lines(path: Path, reader):
    try:
        yield from reader
    except csv.Error as error:
        raise CorpusError(
            f"{path}: line {reader.line_num} is not readable as CSV: {error}"
        ) from None


# -- workbooks -------------------------------------------------------------------------


def _xlsx(path: Path) -> _Raw:
    with path.open("rb") as file:
        if file.read(len(_OLE)) == _OLE:
            raise CorpusError(
                f"{path}: is protected by a password, or in the format of Excel 97; "
                "open it in Excel and save it without a password, as .xlsx"
            )
    with zipfile.ZipFile(path) as archive:
        size = sum(each.file_size for each in archive.infolist())
    _require_size(path, size)
    return _Raw(_xlsx_rows(path), {"sheet": _sheet(path, data_only=True)[1].title})


def _sheet(path: Path, data_only: bool):
    book = openpyxl.load_workbook(path, read_only=True, data_only=data_only)
    sheet = book.worksheets[0]
    sheet.reset_dimensions()  # else every row is as wide as the farthest stray cell
    return book, sheet


def _xlsx_rows(path: Path):
    """Values and, from a second look at the same cells, which of them are formulas."""
    (values, sheet), (formulas, other) = (_sheet(path, only) for only in (True, False))
    try:
        rows = zip(sheet.iter_rows(), other.iter_rows(), strict=True)
        for number, (shown, written) in enumerate(rows, 1):
            if shown or number > MOST_ROWS:  # not the rows that a sheet skips
                yield number, list(map(_cell_text, shown, written))
    finally:
        values.close()
        formulas.close()


def _cell_text(shown, written) -> str | None:
    """The text of a cell from its value and from what was typed into it."""
    value = shown.value
    if shown.data_type == "e":
        return Fault(f"holds the error {value}")
    if value is None:
        # A formula whose result is no text at all has a type, one without result none.
        calculated = written.data_type != "f" or shown.data_type == "str"
        uncalculated = Fault(
            "holds a formula without its result; open the file in Excel and save it"
        )
        return None if calculated else uncalculated
    padded = re.fullmatch("0+", getattr(shown, "number_format", None) or "")
    if padded and isinstance(value, int) and not isinstance(value, bool):
        return str(value).zfill(len(padded[0]))  # 7, shown as 007
    return _text(value)


def _text(value) -> str | None:
    """The text of a typed value; whole numbers without a decimal point."""
    if value is None or value != value:
        return None
    if isinstance(value, str):
        return value.strip() or None
    if isinstance(value, (date, time, timedelta)):
        return Fault(
            "holds a date or time; if it is another text or a number, set the column "
            "to text and write it again"
        )
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (int, float)):
        return repr(value)
    return Fault(f"holds neither text nor a number, but {type(value).__name__}")


def _require_size(path: Path, size: int) -> None:
    if size > MOST_BYTES:
        raise CorpusError(
            f"{path}: takes {size / 1e6:,.0f} MB once it is unpacked, which is more "
            f"than the {MOST_BYTES / 1e6:,.0f} MB of a table; it is not read"
        )


# -- Parquet ---------------------------------------------------------------------------


def _parquet(path: Path) -> _Raw:
    return _Raw(_parquet_rows(path))


def _parquet_rows(path: Path):
    with pq.ParquetFile(path) as file:
        about = file.metadata
        groups = (about.row_group(place) for place in range(about.num_row_groups))
        _require_size(path, sum(each.total_byte_size for each in groups))
        yield 0, [_text(name) for name in file.schema_arrow.names]
        number = 0
        for batch in file.iter_batches(1024):
            columns = (each.to_pylist() for each in batch.columns)
            for row in zip(*columns, strict=True):
                number += 1
                yield number, list(map(_text, row))


_READERS = {".csv": _csv, ".xlsx": _xlsx, ".parquet": _parquet}
