"""Tables of other tools, as those tools write them: written here, and read back."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sslmepr.corpora.feature_tables import FORMATS, digest_tables, read_feature_tables
from sslmepr.corpora.feature_tables.names import ClipNames
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import MEASURES, TABLE_TOOLS
from sslmepr.params.corpora import FeatureTable


def clip(clip_id, media=None, start=None, end=None):
    times = {"start_seconds": start, "end_seconds": end}
    return {"clip_id": clip_id, "media": media, **times}


def table(tool="table", path="t.csv", **changes):
    return FeatureTable(tool=tool, path=path, **changes)


def write(folder, text, name="t.csv"):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")


def read(folder, ids, given, **clips):
    rows = [each if isinstance(each, dict) else clip(each) for each in ids]
    return read_feature_tables(rows, given, folder)


def values(measured, clip_id):
    return measured.sequences[clip_id].values.tolist()


# -- what each tool writes -------------------------------------------------------------

OPENFACE = """\
frame, face_id, timestamp, confidence, success, pose_Tx, pose_Rx, x_0, AU12_r, AU12_c
1, 0, 0.000, 0.98, 1, 9.5, 0.25, 310.2, 1.50, 1.00
2, 0, 0.040, 0.30, 1, 9.5, 0.75, 310.9, 4.00, 1.00
3, 0, 0.080, 0.00, 0, 0.0, 0.00, 0.000, 0.00, 0.00
4, 0, 0.120, 0.90, 1, 9.5, 0.50, 311.0, 2.50, 0.00
"""


def test_openface_frames(tmp_path):
    """Blanks in the header; pixels and places are no features; unsure rows go."""
    write(tmp_path, OPENFACE, "faces/anna_1.csv")
    write(tmp_path, "no table", "faces/anna_1_of_details.txt")
    given = table("openface", "faces", version="2.2.0")
    found = read(tmp_path, [clip("anna_1.mp4", "anna_1.mp4")], given)
    made = found.sequences["anna_1.mp4"]
    sure = (0.98 + 0 + 0 + 0.90) / 4
    assert found.columns == ("pose_Rx", "AU12_r", "AU12_c", "certainty")
    expected = [[0.25, 1.5, 1.0, sure], [0.5, 2.5, 0.0, sure]]
    np.testing.assert_allclose(made.values, expected, rtol=1e-6)
    assert made.values.dtype == np.float32
    assert (made.rows, made.kept) == (4, 2)
    assert made.steps_per_second == pytest.approx(25)
    assert made.certainty == pytest.approx(sure)
    assert found.encoder == "openface" and found.revision.startswith("2.2.0+")
    assert not found.missing and not found.unknown


def test_openface_means_per_clip(tmp_path):
    """As published for RAVDESS: a row for each take, named by all seven fields."""
    write(tmp_path, "clip,AU12_r,AU12_c\n01-01-03-01,0.5,1\n01-01-04-01,0.25,0\n")
    given = table("openface", id_pattern=r"\d\d-(.+)")
    found = read(tmp_path, ["01-04-01", "01-03-01"], given)
    assert list(found.sequences) == ["01-04-01", "01-03-01"]
    assert values(found, "01-03-01") == [[0.5, 1, 1]]
    assert math.isnan(found.sequences["01-03-01"].steps_per_second)


def test_the_person_who_is_seen_most(tmp_path):
    rows = [
        "1, 0, 0.0, 0.9, 1, 1.0",
        "1, 1, 0.0, 0.9, 1, 7.0",
        "2, 1, 0.1, 0.9, 1, 8.0",
        "2, 0, 0.1, 0.1, 1, 2.0",
    ]
    header = "frame, face_id, timestamp, confidence, success, AU01_r"
    write(tmp_path, "\n".join([header, *rows]), "a.csv")
    found = read(tmp_path, ["a"], table("openface", "a.csv"))
    np.testing.assert_allclose(values(found, "a"), [[7, 0.9], [8, 0.9]], rtol=1e-6)


PYFEAT = """\
,FaceRectX,FaceScore,x_0,Pitch,AU01,AU12,anger,Identity_1,input,frame,approx_time,Identity
0,314.0,0.99,345.5,0.5,0.25,0.75,0.1,,/home/u/films/b.mp4,0,00:00,
1,314.0,0.97,345.5,0.5,0.50,0.25,0.1,,/home/u/films/b.mp4,2,00:00,
2,,,,,,,,,/home/u/films/b.mp4,4,00:00,
3,310.0,0.95,345.5,0.0,0.00,1.00,0.1,,c.mp4,0,00:00,
"""


def test_pyfeat(tmp_path):
    """Frames are counted; a frame without a face is empty; emotions are no features."""
    write(tmp_path, PYFEAT)
    clips = [clip("b.mp4", "b.mp4"), clip("x", "c.mp4")]
    found = read(tmp_path, clips, table("pyfeat"))
    assert found.columns == ("Pitch", "AU01", "AU12", "certainty")
    first = found.sequences["b.mp4"]
    sure = (0.99 + 0.97 + 0) / 3
    expected = [[0.5, 0.25, 0.75, sure], [0.5, 0.5, 0.25, sure]]
    np.testing.assert_allclose(first.values, expected, rtol=1e-6)
    assert (first.rows, first.kept) == (3, 2) and math.isnan(first.steps_per_second)
    np.testing.assert_allclose(values(found, "x"), [[0, 0, 1, 0.95]], rtol=1e-6)
    timed = read(tmp_path, clips, table("pyfeat", frames_per_second=50.0))
    assert timed.sequences["b.mp4"].steps_per_second == pytest.approx(25)


def test_pyfeat_emotions_by_name(tmp_path):
    write(tmp_path, PYFEAT)
    clips = [clip("b.mp4"), clip("c.mp4")]
    found = read(tmp_path, clips, table("pyfeat", columns=["anger", "AU1*"]))
    assert found.columns == ("anger", "AU12", "certainty")


FEX = """\
FaceScore,Pitch,AU01,AU12,anger,Identity,input,frame,approx_time
0.99,0.5,0.25,0.75,0.1,Person_0,C:\\Users\\me\\films\\b.mp4,0,00:00
0.80,9.5,0.00,0.00,0.9,Person_1,C:\\Users\\me\\films\\b.mp4,0,00:00
0.97,0.5,0.50,0.25,0.1,Person_0,C:\\Users\\me\\films\\b.mp4,5,00:00
,,,,,,C:\\Users\\me\\films\\c.mp4,0,00:00
"""
"""Two faces in one frame of a film on Windows; none in another film."""


@pytest.mark.parametrize("german", [False, True])
def test_pyfeat_with_somebody_else_in_the_picture(tmp_path, german):
    """As it was written, and as a German Excel saves it again."""
    text = FEX.replace(",", ";").replace(".mp4", "|").replace(".", ",")
    write(tmp_path, "\ufeff" + text.replace("|", ".mp4") if german else FEX)
    found = read(tmp_path, [clip("b.mp4"), clip("c.mp4")], table("pyfeat"))
    expected = [[0.5, 0.25, 0.75, 0.98], [0.5, 0.5, 0.25, 0.98]]
    np.testing.assert_allclose(values(found, "b.mp4"), expected, rtol=1e-6)
    assert found.missing == {"c.mp4": "pyfeat measured nothing in t.csv, line 5"}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0.75", "hoch", "t.csv: line 2: AU12 is not a number, but 'hoch'"),
        ("0.75", '"0,75"', "t.csv: line 2: AU12 is not a number, but '0,75'"),
        ("0.75", "01. Mai", "t.csv: line 2: AU12 is not a number, but '01. Mai'"),
        ("0.75", "N/A", "t.csv: line 2: AU12 is not a number, but 'N/A'"),
        ("0.97", "97", "line 4: FaceScore is not a confidence from 0 to 1, but 97"),
        (",5,", ",soon,", "t.csv: line 4: frame is not a number, but 'soon'"),
        (",Person_0", "", "t.csv: line 2 has 8 cells, the header has 9"),
        (",Person_1", ",Person_0", r"lines 2 and 3: are about the same moment \(0\)"),
        ("Pitch", "AU01", "t.csv: two columns are called AU01"),
    ],
)
def test_odd_tables_of_pyfeat_are_named(tmp_path, old, new, message):
    write(tmp_path, FEX.replace(old, new))
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, [clip("b.mp4"), clip("c.mp4")], table("pyfeat"))


def test_opensmile_program(tmp_path):
    """Semicolons, names in single quotes, points for decimals."""
    header = "name;frameTime;loudness_sma3_amean;F0_amean\n"
    write(tmp_path, header + "'a.wav';0.000000;0.41;25.5\n'b.wav';0.0;0.25;-1e-3\n")
    found = read(tmp_path, ["a", "b"], table("opensmile"))
    assert found.columns == ("loudness_sma3_amean", "F0_amean", "certainty")
    np.testing.assert_allclose(values(found, "a"), [[0.41, 25.5, 1]], rtol=1e-6)
    np.testing.assert_allclose(values(found, "b"), [[0.25, -0.001, 1]], rtol=1e-6)


def test_opensmile_that_was_told_no_name(tmp_path):
    text = "name;frameTime;F0\n'unknown';0.00;1\n'unknown';0.01;2\n'unknown';0.02;nan\n"
    write(tmp_path, text, "lld/a.csv")
    found = read(tmp_path, ["a"], table("opensmile", "lld"))
    made = found.sequences["a"]
    np.testing.assert_allclose(made.values, [[1, 2 / 3], [2, 2 / 3]], rtol=1e-6)
    assert made.steps_per_second == pytest.approx(100)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_opensmile_package(tmp_path, suffix):
    """What `Smile.process_files` returns, saved by pandas."""
    opensmile = pytest.importorskip("opensmile")
    smile = opensmile.Smile(
        opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.LowLevelDescriptors
    )
    noise = np.random.default_rng(0).normal(0, 0.1, 8000).astype(np.float32)
    frame = smile.process_signal(noise, 16000, file="day 1/a.wav")
    path = tmp_path / f"t{suffix}"
    frame.to_csv(path) if suffix == ".csv" else frame.reset_index().to_parquet(path)
    found = read(tmp_path, ["day 1/a.wav"], table("opensmile", path.name))
    made = found.sequences["day 1/a.wav"]
    assert found.columns == (*frame.columns, "certainty")
    np.testing.assert_allclose(made.values[:, :-1], frame.to_numpy(), rtol=1e-6)
    assert made.steps_per_second == pytest.approx(100)


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_of_ones_own(tmp_path, suffix):
    frame = pd.DataFrame(
        {
            "Film": ["a.mp4", "b.mp4", "a.mp4", "a.mp4"],
            "at": [2.0, 0.5, 1.0, 3.0],
            "sure": [0.9, 1.0, 0.6, 0.1],
            "pitch": [200.0, 150.0, 180.0, 99.0],
            "mfcc1": [1e6, -2.0, 3.0, 4.0],
        }
    )
    path = tmp_path / f"t{suffix}"
    {".csv": frame.to_csv, ".parquet": frame.to_parquet}[suffix](path, index=False)
    named = {"id_column": "Film", "time_column": "at", "confidence_column": "sure"}
    given = table(path=path.name, **named, smallest_confidence=0.6)
    found = read(tmp_path, [clip("a", "a.mp4"), clip("b", "b.mp4")], given)
    assert found.columns == ("pitch", "mfcc1", "certainty")
    # in the order of time, and beyond what float16 holds
    np.testing.assert_allclose(
        values(found, "a"), [[180, 3, 0.5], [200, 1e6, 0.5]], rtol=1e-6
    )
    assert found.sequences["a"].steps_per_second == pytest.approx(1)


def test_rows_without_time_are_steps_in_a_file_for_each_clip(tmp_path):
    write(tmp_path, "mfcc1,mfcc2\n1,2\n3,4\n", "librosa/day/a.csv")
    clips = [clip("day/a.wav", "day/a.wav"), clip("other/a.wav", "other/a.wav")]
    found = read(tmp_path, clips, table("librosa", "librosa"))
    assert values(found, "day/a.wav") == [[1, 2, 1], [3, 4, 1]]
    assert math.isnan(found.sequences["day/a.wav"].steps_per_second)
    assert found.missing == {"other/a.wav": "no rows in librosa"}
    given = table("librosa", "librosa", frames_per_second=20.0)
    assert read(tmp_path, clips, given).sequences["day/a.wav"].steps_per_second == 20


def test_decimal_commas(tmp_path):
    write(tmp_path, "\ufeffclip_id;pitch\na;2,5\n")
    assert values(read(tmp_path, ["a"], table()), "a") == [[2.5, 1]]


def test_numbers_of_rows_are_no_feature(tmp_path):
    pd.DataFrame({"clip_id": ["a"], "f": [3.0]}).to_csv(tmp_path / "t.csv")
    assert read(tmp_path, ["a"], table()).columns == ("f", "certainty")


# -- steps, parts of recordings --------------------------------------------------------


def test_rows_are_averaged_to_a_rate(tmp_path):
    """In each half second the mean of the rows that are sure; none where none is."""
    rows = ["a,0.0,1,1", "a,0.25,3,1", "a,0.5,9,0", "a,0.75,9,0", "a,1.0,5,1"]
    write(tmp_path, "\n".join(["clip_id,seconds,f,sure", *rows]))
    given = table(confidence_column="sure", steps_per_second=2.0)
    found = read(tmp_path, ["a"], given).sequences["a"]
    np.testing.assert_allclose(found.values, [[2, 0.6], [5, 0.6]], rtol=1e-6)
    assert found.steps_per_second == 2 and (found.rows, found.kept) == (5, 3)


def test_parts_of_a_recording_share_its_table(tmp_path):
    write(tmp_path, "seconds,f\n0,1\n1,2\n2,3\n3,4\n", "t/talk.csv")
    clips = [
        clip("one", "talk.mp4", None, 1.0),
        clip("two", "talk.mp4", 1.0, 3.0),
        clip("three", "talk.mp4", 7.0, None),
    ]
    found = read(tmp_path, clips, table(path="t"))
    assert values(found, "one") == [[1, 1]]
    assert values(found, "two") == [[2, 1], [3, 1]]
    assert found.missing == {
        "three": "no rows between its start and end in talk.csv, lines 2 to 5"
    }


def test_a_table_of_the_part_itself_is_taken_whole(tmp_path):
    write(tmp_path, "seconds,f\n0,1\n1,2\n", "t/two.csv")
    found = read(tmp_path, [clip("two", "talk.mp4", 1.0, 3.0)], table(path="t"))
    assert values(found, "two") == [[1, 1], [2, 1]]


# -- what is missing, and why ----------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("0.2,1,5", "openface is nowhere as sure as 0.5 in t.csv, line 3"),
        ("0.9,0,5", "openface found nothing in t.csv, line 3"),
        ("0.9,1,", "no number in column AU01_r in t.csv, line 3"),
        ("0.9,1,-nan(ind)", "no number in column AU01_r in t.csv, line 3"),
        (",1,2", "openface is nowhere as sure as 0.5 in t.csv, line 3"),
    ],
)
def test_a_clip_without_a_row_to_take(tmp_path, row, reason):
    write(tmp_path, f"clip_id,confidence,success,AU01_r\na,1,1,1\nb,{row}\n")
    found = read(tmp_path, ["a", "b", "c"], table("openface"))
    assert list(found.sequences) == ["a"]
    assert found.missing == {"b": reason, "c": "no rows in t.csv"}


def test_ids_that_no_clip_has_are_told_with_their_place(tmp_path):
    write(tmp_path, "clip_id,seconds,f\na,0,1\nz,0,1\nz,1,1\nz,2,1\n")
    found = read(tmp_path, ["a"], table())
    assert found.unknown == {"z": "t.csv, lines 3 to 5"}
    write(tmp_path, "clip_id,seconds,f\nz,0,1\na,0,1\nz,1,1\nz,2,1\n")
    found = read(tmp_path, ["a"], table())
    assert found.unknown == {"z": "t.csv, lines 2 … 5"}


def test_a_table_of_one_clip_without_rows(tmp_path):
    write(tmp_path, "f\n1\n", "t/a.CSV")  # as some programs end its name
    write(tmp_path, "f\n", "t/b.csv")
    found = read(tmp_path, ["a", "b"], table(path="t"))
    assert found.missing == {"b": "no rows in b.csv"}
    assert list(found.sequences) == ["a"]


# -- bad input -------------------------------------------------------------------------

GOOD = "clip_id,seconds,f,g\na,0,1,2\n"


@pytest.mark.parametrize(
    ("text", "changes", "message"),
    [
        (
            GOOD + "a,0,1,2\n",
            {},
            r"t.csv, lines 2 and 3: are about the same moment \(0",
        ),
        ("clip_id,f\na,1\na,1\n", {}, "t.csv, lines 2 and 3: have the same id 'a'"),
        (GOOD + ",0,1,2\n", {}, "t.csv, line 3: has no id"),
        (GOOD + "b,0,high,2\n", {}, "t.csv: line 3: f is not a number, but 'high'"),
        (GOOD + "b,0,1,NA\n", {}, "t.csv: line 3: g is not a number, but 'NA'"),
        (GOOD + "b,0,1,inf\n", {}, "t.csv: line 3: g is not a finite number"),
        (GOOD + "b,0,1,1e39\n", {}, "t.csv: line 3: g is not a finite number"),
        (
            GOOD + "b,soon,1,2\n",
            {},
            "t.csv: line 3: seconds is not a number, but 'soon",
        ),
        (GOOD + "b,,1,2\n", {}, "t.csv: line 3: seconds is not a time, but ''"),
        (GOOD + "b,0,1\n", {}, "t.csv: line 3 has 3 cells, the header has 4; is the"),
        (GOOD + "b,0,1,2,3\n", {}, "t.csv: line 3 has 5 cells"),
        (GOOD + 'b,0,"1,2\n', {}, "t.csv: line 3 is not readable as CSV"),
        (GOOD, {"columns": ["h*"]}, r"t.csv: no column h\*; it has clip_id, seconds"),
        (GOOD, {"id_column": "Who"}, "t.csv: no column Who; it has clip_id"),
        (GOOD, {"time_column": "at"}, "t.csv: no column at"),
        (GOOD, {"confidence_column": "sure"}, "t.csv: no column sure"),
        (GOOD, {"tool": "openface"}, "has no columns of features of openface; it has"),
        (GOOD, {"id_pattern": "x(.*)"}, "line 2: the id 'a' does not match id_pattern"),
        (
            GOOD,
            {"confidence_column": "g"},
            "t.csv: line 2: g is not a confidence from 0 to 1, but 2",
        ),
        ("clip_id,f,f\na,1,2\n", {}, "t.csv: two columns are called f"),
        ("clip_id,f\n", {}, "t.csv: has no rows"),
        ("", {}, "t.csv: has no columns of features of table"),
        (
            "clip_id,f\nz,1\n",
            {},
            "none of its 1 ids is that of a clip; the first is 'z'",
        ),
        ("clip_id,f\na,1\n", {"steps_per_second": 2.0}, "has no time in seconds"),
        (
            GOOD,
            {"path": "gone.csv"},
            "gone.csv: there is no such file; tables of table",
        ),
        (GOOD, {"path": "x*.csv"}, "no .csv or .parquet file has such a name"),
        (GOOD, {"path": "empty"}, "no .csv or .parquet files in this folder"),
        (GOOD, {"path": "t.txt"}, "t.txt: must end in one of .csv, .parquet"),
        (GOOD, {"path": "broken.parquet"}, "broken.parquet: not readable, it may be"),
        (GOOD, {"path": "latin.csv"}, "latin.csv: not readable: not in UTF-8"),
        (GOOD, {"sha256": "0" * 64}, "has changed since its sha256 was written"),
    ],
)
def test_bad_tables_are_named(tmp_path, text, changes, message):
    write(tmp_path, text)
    (tmp_path / "empty").mkdir()
    (tmp_path / "t.txt").write_text(GOOD)
    (tmp_path / "broken.parquet").write_text("no table")
    (tmp_path / "latin.csv").write_bytes("clip_id,f\nCafé,1".encode("cp1252"))
    with pytest.raises(CorpusError, match=message) as caught:
        read(tmp_path, ["a", "b"], table(**changes))
    assert str(tmp_path) in str(caught.value)


def test_two_tables_of_one_clip(tmp_path):
    write(tmp_path, "f\n1\n", "t/a.csv")
    write(tmp_path, "clip_id,f\na.mp4,1\n", "t/more.csv")
    message = r"a.csv, line 2 and .*more.csv, line 2: both are about clip 'a'"
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, ["a"], table(path="t"))


def test_tables_with_other_columns(tmp_path):
    write(tmp_path, "f,g\n1,1\n", "t/a.csv")
    write(tmp_path, "f,h\n1,1\n", "t/b.csv")
    with pytest.raises(CorpusError, match="b.csv and .*a.csv differ in g, h"):
        read(tmp_path, ["a", "b"], table(path="t"))


def test_a_name_that_may_mean_two_clips(tmp_path):
    write(tmp_path, "clip_id,f\na,1\n")
    clips = [clip("x/a.mp4", "x/a.mp4"), clip("y/a.mp4", "y/a.mp4")]
    message = "line 2: 'a' may be any of the clips 'x/a.mp4', 'y/a.mp4'; write"
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, clips, table())


def test_parts_of_a_recording_need_the_time(tmp_path):
    write(tmp_path, "input,frame,AU01\ntalk.mp4,0,1\n")
    clips = [clip("one", "talk.mp4", 0.5, 1.0)]
    message = "clip 'one' is a part of its recording; name a time_column, or frames"
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, clips, table("pyfeat"))


def test_several_faces_whom_nothing_tells_apart(tmp_path):
    write(tmp_path, "input,frame,AU01\na.mp4,0,1\na.mp4,0,2\n")
    message = r"lines 2 and 3: are about the same moment \(0\); if several faces"
    with pytest.raises(CorpusError, match=message):
        read(tmp_path, ["a.mp4"], table("pyfeat"))


def test_a_date_in_a_parquet_file_is_no_number(tmp_path):
    when = pd.to_datetime(["2026-01-01"])
    pd.DataFrame({"clip_id": ["a"], "f": when}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(CorpusError, match="row 1: f is not a number, but a date"):
        read(tmp_path, ["a"], table(path="t.parquet"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tool": "facereader"}, "Input should be 'openface'"),
        ({"path": "../t.csv"}, "must be a path below data_root"),
        ({"path": "/t.csv"}, "must be a path below data_root"),
        ({"path": ""}, "must be a path below data_root"),
        ({"id_pattern": "("}, "is no regular expression"),
        ({"id_pattern": "a"}, "has 0 groups in"),
        ({"columns": []}, "at least 1 item"),
        ({"smallest_confidence": 2.0}, "less than or equal to 1"),
        ({"steps_per_second": 0.0}, "greater than 0"),
        ({"sha256": "abc"}, "should match pattern"),
        ({"colums": ["a"]}, "Extra inputs are not permitted"),
    ],
)
def test_bad_parameters_are_named(changes, message):
    with pytest.raises(ValidationError, match=message):
        FeatureTable(**{"tool": "table", "path": "t.csv"} | changes)


def test_every_tool_has_a_format_and_measures():
    assert set(FORMATS) == set(TABLE_TOOLS) <= set(MEASURES)


# -- digests ---------------------------------------------------------------------------


def test_a_digest_changes_with_content_and_names(tmp_path):
    write(tmp_path, GOOD, "t/a.csv")
    first = digest_tables(tmp_path, table(path="t"))
    assert read(tmp_path, ["a"], table(path="t", sha256=first)).sequences
    write(tmp_path, GOOD, "t/note.txt")
    assert digest_tables(tmp_path, table(path="t")) == first
    write(tmp_path, GOOD + "b,0,1,2\n", "t/a.csv")
    second = digest_tables(tmp_path, table(path="t"))
    (tmp_path / "t/a.csv").rename(tmp_path / "t/b.csv")
    assert len({first, second, digest_tables(tmp_path, table(path="t"))}) == 3


# -- properties ------------------------------------------------------------------------

numbers = st.floats(-(2**100), 2**100, width=32)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    st.lists(
        st.tuples(st.sampled_from("abc"), st.lists(numbers, min_size=2, max_size=2)),
        min_size=1,
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_any_numbers_come_back_whatever_the_order(tmp_path_factory, rows, random):
    folder = tmp_path_factory.mktemp("rows")
    timed = [(name, time, *given) for time, (name, given) in enumerate(rows)]
    random.shuffle(timed)
    frame = pd.DataFrame(timed, columns=["clip_id", "seconds", "f", "g"])
    frame.to_csv(folder / "t.csv", index=False)
    frame.to_parquet(folder / "t.parquet", index=False)
    for name in ("t.csv", "t.parquet"):
        found = read(folder, "abc", table(path=name))
        for each in "abc":
            expected = [given for own, given in rows if own == each]
            if not expected:
                assert found.missing[each] == f"no rows in {name}"
                continue
            got = found.sequences[each].values
            np.testing.assert_array_equal(got[:, :2], np.array(expected, np.float32))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(st.lists(st.floats(0, 1, width=16), min_size=1, max_size=12), st.floats(0, 1))
def test_exactly_the_sure_rows_are_taken(tmp_path_factory, sure, smallest):
    folder = tmp_path_factory.mktemp("sure")
    frame = pd.DataFrame({"seconds": range(len(sure)), "sure": sure})
    frame["f"] = np.arange(len(sure)) + 1.0
    frame.to_csv(folder / "a.csv", index=False)
    given = table(path="a.csv", confidence_column="sure", smallest_confidence=smallest)
    found = read(folder, ["a"], given)
    kept = [place + 1 for place, each in enumerate(sure) if each >= smallest]
    if not kept:
        assert "is nowhere as sure as" in found.missing["a"]
        return
    made = found.sequences["a"]
    assert made.values[:, 0].tolist() == kept
    expected = sum(each for each in sure if each >= smallest) / len(sure)
    assert made.certainty == pytest.approx(expected, abs=1e-9)


names = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"), min_size=1
).filter(lambda name: name.strip() == name and name not in (".", ".."))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.lists(names, min_size=1, max_size=4, unique=True), names)
def test_a_recording_is_known_with_and_without_folders_and_suffix(parts, folder):
    path = "/".join(parts) + ".mp4"
    known = ClipNames([clip("first", path), clip("second", "another one.wav")])
    for called in (path, path.removesuffix(".mp4"), f"{folder}/{path}", parts[-1]):
        assert known.find(called).places == (0,)
        assert known.find(called.replace("/", "\\")).by_media
    assert known.find("first") == ((0,), False, False)


def test_names_that_are_not_those_of_clips():
    known = ClipNames([clip("day 1/a.mp4", "day 1/a.mp4"), clip("b.001.mp4")])
    assert known.find("day 2/a").places == ()
    assert known.find("b").places == ()
    assert known.find("b.001").places == (1,)
    assert known.find("C:\\films\\day 1\\a.MP4").places == (0,)
