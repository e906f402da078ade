import numpy as np
import pandas as pd
import pytest

from sslmepr.corpora import schema
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS


@pytest.fixture
def table():
    """Four clips of three speakers: one with both labels, one of each, one of none."""
    table = pd.DataFrame(
        {
            "clip_id": ["a", "b", "c", "d"],
            "speaker_id": ["p", "p", "q", "r"],
            "split": ["train", "train", "dev", "test"],
            "media": ["media/a.mp4", None, "é è.mp4", None],
            "start_seconds": [0.5, np.nan, np.nan, 1.0],
            "end_seconds": [2.5, np.nan, 3.0, np.nan],
            "transcript": ["hello", None, None, "naïve"],
        }
    )
    for column in EMOTION_COLUMNS:
        table[column] = [0.0, 1.0, np.nan, np.nan]
    for column in TRAIT_COLUMNS:
        table[column] = [0.5, np.nan, 0.25, np.nan]
    return table


def test_a_valid_table_keeps_its_values(table):
    checked = schema.validate(table, "mine")
    assert tuple(checked.columns) == schema.COLUMNS
    pd.testing.assert_frame_equal(
        checked, table[list(schema.COLUMNS)].astype(checked.dtypes.to_dict())
    )
    assert list(checked["media"].isna()) == [False, True, False, True]


def test_columns_are_put_in_order_and_the_argument_stays_as_it_was(table):
    shuffled = table[list(table.columns[::-1])]
    before = shuffled.copy()
    checked = schema.validate(shuffled, "mine")
    assert tuple(checked.columns) == schema.COLUMNS
    pd.testing.assert_frame_equal(shuffled, before)


def test_columns_that_are_all_null_get_their_types(table):
    table["transcript"] = None
    table["start_seconds"] = None
    table[list(TRAIT_COLUMNS)] = None
    checked = schema.validate(table, "mine")
    assert checked["transcript"].isna().all()
    assert checked["start_seconds"].dtype == np.float64
    assert checked["trait_openness"].dtype == np.float64


@pytest.mark.parametrize(
    "column, row, value, complaint",
    [
        ("clip_id", 1, "a", "clip_id must be unique"),
        ("clip_id", 1, " ", "clip_id must not be empty or blank"),
        ("clip_id", 1, None, "clip_id must not be null"),
        ("speaker_id", 2, None, "speaker_id must not be null"),
        ("speaker_id", 2, "p", "speaker_id must stay within one split"),
        ("split", 3, "valid", "split must be one of train, dev, test"),
        ("media", 0, "/elsewhere/a.mp4", "media must be a path below"),
        ("media", 0, "../a.mp4", "media must be a path below"),
        ("start_seconds", 0, -1.0, "start_seconds must not be negative"),
        ("start_seconds", 0, "soon", "start_seconds must be a number"),
        ("end_seconds", 0, 0.5, "end_seconds must exceed start_seconds"),
        ("end_seconds", 2, 0.0, "end_seconds must exceed start_seconds"),
        ("transcript", 0, "", "transcript must not be empty or blank"),
        ("transcript", 0, 7, "transcript must be text"),
        ("emotion_fear", 0, 1.01, "emotion_fear must lie within 0..1"),
        ("emotion_fear", 0, np.inf, "emotion_fear must lie within 0..1"),
        ("emotion_fear", 2, 0.5, "emotion labels must be given in full"),
        ("trait_openness", 0, -0.1, "trait_openness must lie within 0..1"),
        ("trait_openness", 0, np.nan, "personality labels must be given in full"),
    ],
)
def test_a_bad_value_is_named_with_corpus_column_and_clip(
    table, column, row, value, complaint
):
    clip_id = table.at[row, "clip_id"]
    table[column] = table[column].astype(object)
    table.at[row, column] = value
    with pytest.raises(CorpusError) as caught:
        schema.validate(table, "mine")
    message = str(caught.value)
    assert message.startswith("mine: ")
    assert complaint in message
    named = table.at[row, "clip_id"] if column == "clip_id" else clip_id
    shown = "clip 2 of the table" if named is None else repr(named)
    assert shown in message


def test_only_the_first_clips_are_named(table):
    long = pd.concat([table.iloc[[0]]] * 10, ignore_index=True)
    long["clip_id"] = [f"clip{row}" for row in range(10)]
    long["trait_openness"] = 2.0
    with pytest.raises(CorpusError) as caught:
        schema.validate(long, "mine")
    message = str(caught.value)
    assert "'clip2' (" in message and "and 7 more" in message
    assert "clip3" not in message


def test_every_problem_is_told_at_once(table):
    table.loc[0, "trait_openness"] = 3.0
    table.loc[3, "split"] = "val"
    with pytest.raises(CorpusError) as caught:
        schema.validate(table, "mine")
    assert "trait_openness" in str(caught.value) and "split" in str(caught.value)


def test_missing_unknown_and_repeated_columns_are_named(table):
    with pytest.raises(CorpusError, match="missing columns transcript"):
        schema.validate(table.drop(columns="transcript"), "mine")
    with pytest.raises(CorpusError, match="unknown columns mood"):
        schema.validate(table.assign(mood=1), "mine")
    with pytest.raises(CorpusError, match="repeated columns split"):
        schema.validate(pd.concat([table, table[["split"]]], axis=1), "mine")


def test_a_table_without_clips_is_refused(table):
    with pytest.raises(CorpusError, match="mine: the clip table has no clips"):
        schema.validate(table.iloc[:0], "mine")


def test_what_was_left_out_travels_with_the_table(table, tmp_path):
    left_out = {"007": "too long", "NA": 'says "no", twice\n'}
    checked = schema.validate(table, "mine", left_out=left_out)
    schema.write_clips(checked, tmp_path)
    assert schema.read_clips(tmp_path).attrs["left_out"] == left_out
    found = schema.read_missing(tmp_path)
    rows = [[name, "everything", reason] for name, reason in left_out.items()]
    assert found.to_numpy().tolist() == rows
    schema.write_clips(table, tmp_path)
    assert not (tmp_path / "missing.csv").exists()


def test_a_table_may_be_empty_where_something_was_left_out(table, tmp_path):
    empty = schema.validate(table.iloc[:0], "mine", left_out={"mine": "not given"})
    schema.write_clips(empty, tmp_path)
    found = schema.read_clips(tmp_path)
    assert len(found) == 0 and tuple(found.columns) == schema.COLUMNS
    assert found.dtypes.to_dict() == schema.validate(table, "mine").dtypes.to_dict()


def test_a_damaged_table_is_named(tmp_path):
    (tmp_path / "clips.parquet").write_bytes(b"PAR1, or not")
    with pytest.raises(CorpusError, match=r"clips\.parquet: not readable"):
        schema.read_clips(tmp_path)


def test_writing_and_reading_gives_the_same_table(table, tmp_path):
    checked = schema.validate(table, "mine")
    schema.write_clips(checked, tmp_path / "corpus")
    pd.testing.assert_frame_equal(schema.read_clips(tmp_path / "corpus"), checked)


def test_the_leave_to_share_speakers_travels_with_the_file(table, tmp_path):
    table.loc[2, "speaker_id"] = "p"
    checked = schema.validate(table, "mine", allow_shared_speakers=True)
    schema.write_clips(checked, tmp_path)
    assert list(schema.read_clips(tmp_path)["speaker_id"]) == ["p", "p", "p", "r"]


def test_a_dev_split_that_is_held_out_travels_with_the_file(table, tmp_path):
    checked = schema.validate(table, "mine", dev_as_test=["mine"])
    schema.write_clips(checked, tmp_path)
    assert schema.read_clips(tmp_path).attrs["dev_as_test"] == ["mine"]
    assert "dev_as_test" not in schema.validate(table, "mine").attrs


def test_writing_twice_gives_the_same_bytes(table, tmp_path):
    for folder in ("one", "two"):
        schema.write_clips(table, tmp_path / folder)
    one, two = (tmp_path / name / "clips.parquet" for name in ("one", "two"))
    assert one.read_bytes() == two.read_bytes()


def test_an_absent_table_is_named(tmp_path):
    with pytest.raises(CorpusError, match=r"clips\.parquet: no clip table here"):
        schema.read_clips(tmp_path)
