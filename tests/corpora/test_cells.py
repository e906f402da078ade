import csv
import io
import zipfile
from datetime import datetime

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from sslmepr.corpora import cells
from sslmepr.corpora.cells import read_cells
from sslmepr.corpora.schema import CorpusError

NAMES = ("a", "b")


def read(path, wanted=NAMES):
    return read_cells(path, wanted).table


def write_book(path, *rows, sheet="Ratings"):
    book = openpyxl.Workbook()
    book.active.title = sheet
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def rewrite(path, change):
    """A workbook with its sheet's XML changed, as another program writes it."""
    with zipfile.ZipFile(path) as archive:
        parts = {each: archive.read(each) for each in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    parts[name] = change(parts[name].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for each, content in parts.items():
            archive.writestr(each, content)


reproducible = settings(deadline=None, derandomize=True)

# Any text but what UTF-8 has no code for; blanks around it go with the cell's.
text = st.text(st.characters(exclude_categories=("Cs",)), min_size=1).filter(
    lambda cell: cell.strip()
)


@reproducible
@given(st.lists(text, min_size=1, max_size=5))
def test_any_text_of_a_csv_file_is_read_as_written(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("csv") / "x.csv"
    buffer = io.StringIO()
    csv.writer(buffer).writerows([["a"], *([cell] for cell in written)])
    path.write_bytes(buffer.getvalue().encode())
    assert read(path)["a"].tolist() == [cell.strip() for cell in written]


@reproducible
@given(st.lists(text, min_size=1, max_size=5))
def test_any_text_of_a_parquet_file_is_read_as_written(tmp_path_factory, written):
    path = tmp_path_factory.mktemp("parquet") / "x.parquet"
    pd.DataFrame({"a": written}).to_parquet(path)
    assert read(path)["a"].tolist() == [cell.strip() for cell in written]


AS_WRITTEN = [
    "007",
    "7",
    "3E2",
    "300",
    "NA",
    "None",
    "nan",
    "N/A",
    "null",
    "TRUE",
    "1_0",
]


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_text_that_looks_like_something_else_stays(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    table = pd.DataFrame({"a": AS_WRITTEN})
    {".csv": table.to_csv, ".xlsx": table.to_excel, ".parquet": table.to_parquet}[
        suffix
    ](path, index=False)
    assert read(path)["a"].tolist() == AS_WRITTEN


def test_numbers_of_a_workbook_become_text_by_rules(tmp_path):
    path = tmp_path / "x.xlsx"
    values = [7, 7.0, 2.5, 1000001, True, 0.1, -3, 10**14, 1e-7, " x ", " "]
    write_book(path, ["a", "b"], *([value, "-"] for value in values))
    expected = ["7", "7", "2.5", "1000001", "TRUE", "0.1", "-3", "1" + 14 * "0"]
    assert read(path)["a"].tolist() == [*expected, "1e-07", "x", None]


def test_zeros_that_a_number_format_shows_are_read(tmp_path):
    path = write_book(tmp_path / "x.xlsx", ["a"], [7], [1234], [2.5])
    book = openpyxl.load_workbook(path)
    for row in (2, 3, 4):
        book.active.cell(row, 1).number_format = "000"
    book.save(path)
    assert read(path)["a"].tolist() == ["007", "1234", "2.5"]


def test_numbers_of_a_parquet_file_stay_whole(tmp_path):
    path = tmp_path / "x.parquet"
    numbers = pd.Series([2**53 + 1, None], dtype="Int64")
    pd.DataFrame({"a": numbers, "b": [7.0, float("nan")]}).to_parquet(path)
    assert read(path).to_numpy().tolist() == [["9007199254740993", "7"]]


def test_columns_that_are_not_asked_for_may_hold_anything(tmp_path):
    path = write_book(
        tmp_path / "x.xlsx", ["when", "a", "sum"], [datetime(2026, 1, 2), "x", "=1+1"]
    )
    assert read(path).to_dict("list") == {"a": ["x"]}


def test_formulas_without_result_errors_and_dates_are_named(tmp_path):
    path = write_book(
        tmp_path / "x.xlsx",
        ["a", "b"],
        ["=A9", "fine"],
        ["#REF!", datetime(2026, 3, 4)],
        ["#DIV/0!", 1],
        ["=A8", 1],
    )
    with pytest.raises(CorpusError) as caught:
        read(path)
    lines = str(caught.value).splitlines()
    assert lines[0] == f"{path}: not readable:"
    assert [line.split(";")[0] for line in lines[1:]] == [
        "  a: rows 2, 5 (cells A2, A5 of sheet 'Ratings') holds a formula without its "
        "result",
        "  a: row 3 (cell A3 of sheet 'Ratings') holds the error #REF!",
        "  b: row 3 (cell B3 of sheet 'Ratings') holds a date or time",
        "  a: row 4 (cell A4 of sheet 'Ratings') holds the error #DIV/0!",
    ]


def test_results_of_formulas_are_read_and_one_of_no_text_is_empty(tmp_path):
    path = write_book(tmp_path / "x.xlsx", ["a", "b"], ["=1+1", '=""'])
    rewrite(
        path,
        lambda xml: (
            xml.replace("<f>1+1</f><v />", "<f>1+1</f><v>2</v>")
            .replace("<f>1+1</f><v></v>", "<f>1+1</f><v>2</v>")
            .replace('<c r="B2">', '<c r="B2" t="str">')
        ),
    )
    assert read(path).to_dict("list") == {"a": ["2"], "b": [None]}


@pytest.mark.parametrize("suffix", [".csv", ".xlsx"])
def test_rows_that_are_empty_are_no_rows(tmp_path, suffix):
    path = tmp_path / f"x{suffix}"
    rows = [[None, None], ["a", "b"], ["x", None], [None, None], [" ", ""], ["y", "z"]]
    if suffix == ".xlsx":
        write_book(path, *rows)
    else:
        lines = (",".join(cell or "" for cell in row) for row in rows)
        path.write_text("\n".join(lines) + "\n\n,\n")
    table = read(path)
    assert table.index.tolist() == [3, 6]
    assert table.to_dict("list") == {"a": ["x", "y"], "b": [None, "z"]}


@pytest.mark.parametrize(
    "text",
    ["sep=;\na;b\n1,5;x\n", '\ufeff"sep=\t"\r\na\tb\r\n1,5\tx\r\n', "a;b\n1,5;x\n"],
)
def test_separators_that_excel_writes_are_understood(tmp_path, text):
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode())
    found = read_cells(path, NAMES)
    assert found.table.to_dict("list") == {"a": ["1,5"], "b": ["x"]}
    assert found.numbers("a", "rating").tolist() == [1.5]


@pytest.mark.parametrize(
    "cell", ["NA", "nan", "inf", "1_0", "2,5", "٣", "0x1", "1e", ".", "-", "1 2"]
)
def test_what_is_no_number_is_named(tmp_path, cell):
    path = tmp_path / "x.csv"
    path.write_text(f'a,b\n1,x\n"{cell}",y\n')
    found = read_cells(path, NAMES)
    with pytest.raises(CorpusError) as caught:
        found.numbers("a", "a rating")
    assert f"a rating is no number in line 3, first {cell!r};" in str(caught.value)


def test_numbers_are_read_and_empty_cells_are_none(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,x\n,x\n+.5,x\n-2.e1,x\n")
    numbers = read_cells(path, NAMES).numbers("a", "rating")
    assert numbers.fillna(99).tolist() == [1, 99, 0.5, -20]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 cells, the header has 2"),
        ('a,b\n"x\ny",2\n1\n', "line 4 has 1 cells, the header has 2"),
        ('a,b\n"x,2\n', "line 2 is not readable as CSV"),
        ("a,b,a\n1,2,3\n", "two columns are called a"),
        ("a,b\n", "has no rows"),
        ("", "has no rows"),
    ],
)
def test_a_csv_file_that_is_broken_is_told_with_its_line(tmp_path, text, message):
    path = tmp_path / "x.csv"
    path.write_text(text)
    with pytest.raises(CorpusError, match=f"x.csv: {message}"):
        read(path)


def test_protected_and_damaged_workbooks_are_told(tmp_path):
    locked = tmp_path / "locked.xlsx"
    locked.write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(500))
    with pytest.raises(CorpusError, match="locked.xlsx: is protected by a password"):
        read(locked)
    whole = write_book(tmp_path / "x.xlsx", ["a"], *([n] for n in range(100)))
    content = whole.read_bytes()
    for length in range(0, len(content) - 1, 97):
        whole.write_bytes(content[:length])
        with pytest.raises(CorpusError, match="x.xlsx: not readable, it may be damage"):
            read(whole)


def test_a_stray_cell_far_away_costs_nothing(tmp_path, measure_memory):
    path = tmp_path / "x.xlsx"
    write_book(path, ["a", "b"], ["x", "y"], ["z", None])
    book = openpyxl.load_workbook(path)
    book.active.cell(100_000, 16_384, "stray")
    book.save(path)
    with measure_memory() as used:
        table = read(path)
    assert table.to_dict("list") == {"a": ["x", "z"], "b": ["y", None]}
    assert used() < 20e6


def test_a_cell_far_below_the_table_is_a_row_of_it(tmp_path):
    path = tmp_path / "x.xlsx"
    write_book(path, ["a", "b"], ["x", "y"])
    book = openpyxl.load_workbook(path)
    book.active.cell(1_000_000, 2, "note")
    book.save(path)
    assert read(path).index.tolist() == [2, 1_000_000]


def test_a_row_below_the_last_that_excel_has_is_refused(tmp_path):
    path = write_book(tmp_path / "x.xlsx", ["a"], ["x"])
    rewrite(path, lambda xml: xml.replace('<row r="2"', '<row r="4000000000"'))
    with pytest.raises(CorpusError, match="x.xlsx: has more than 1,048,576 rows"):
        read(path)


def test_what_unpacks_to_more_than_a_table_is_refused(tmp_path, measure_memory):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("xl/sharedStrings.xml", "w") as part:
            for _ in range(cells.MOST_BYTES // 10**6 + 1):
                part.write(bytes(10**6))
    assert path.stat().st_size < 10**6
    with measure_memory() as used:
        with pytest.raises(CorpusError, match=r"bomb.xlsx: takes 201 MB .* 200 MB"):
            read(path)
    assert used() < 20e6


def test_a_parquet_file_that_unpacks_to_more_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"a": range(5000)}).to_parquet(path)
    monkeypatch.setattr(cells, "MOST_BYTES", 10_000)
    with pytest.raises(CorpusError, match="x.parquet: takes 0 MB once it is unpacked"):
        read(path)
    assert parquet.read_metadata(path).num_rows == 5000


def test_accents_of_column_names_may_be_written_either_way(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("Gro\u0308ße\nx\n", encoding="utf-8")
    assert read(path, ["Gr\u00f6ße"]).to_dict("list") == {"Gr\u00f6ße": ["x"]}
