"""What observers have described, in tables of one's own and in MM-OCEAN's files."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslmepr.corpora.feature_tables import digest_tables, read_descriptions
from sslmepr.corpora.feature_tables.descriptions import split_sentences
from sslmepr.corpora.schema import CorpusError
from sslmepr.params.corpora import Described

HEADER = "clip_id,channel,start_seconds,end_seconds,description\n"
NOTES = HEADER + (
    "a,Face,2.5,4,He frowns.\n"
    'a,Face,0,2.5,"He smiles, slowly. Then he nods!"\n'
    "a,Voice,0,4,Loud.\n"
    "b,Voice,0,1,Low.\n"
)


def clips(*names, media=None):
    return [{"clip_id": name, "media": media} for name in names]


def described(path="notes.csv", channel="Face", **changes):
    return Described(tool="described", path=path, channel=channel, **changes)


def write(folder, text=NOTES, name="notes.csv"):
    (folder / name).write_text(text, encoding="utf-8")


def test_sentences_in_the_order_of_time(tmp_path):
    write(tmp_path)
    found = read_descriptions(clips("b", "a"), described(), tmp_path)
    assert found.sentences == {
        "a": [
            (0.0, 2.5, "He smiles, slowly."),
            (0.0, 2.5, "Then he nods!"),
            (2.5, 4.0, "He frowns."),
        ]
    }
    assert found.missing == {"b": "no description of Face in notes.csv"}
    assert not found.unknown


def test_without_a_channel_all_rows_count(tmp_path):
    write(tmp_path, "clip;from;to;said\nx.mp4;0;1;Low.\nx.mp4;1;2;High.\n")
    section = described(
        channel=None,
        id_column="clip",
        start_column="from",
        end_column="to",
        text_column="said",
    )
    found = read_descriptions(clips("x"), section, tmp_path)
    assert found.sentences == {"x": [(0.0, 1.0, "Low."), (1.0, 2.0, "High.")]}


def test_parquet_is_read_like_csv(tmp_path):
    write(tmp_path)
    table = pd.read_csv(tmp_path / "notes.csv")
    table.to_parquet(tmp_path / "notes.parquet")
    both = [
        read_descriptions(clips("a", "b"), described(name), tmp_path)
        for name in ("notes.csv", "notes.parquet")
    ]
    assert both[0].sentences == both[1].sentences


def test_a_folder_of_mm_oceans_files(tmp_path):
    for name in ("x.000.mp4", "y.001.mp4"):
        notes = [
            ("Audio", 1, 2.5, "Loud laughter."),
            ("Expression", 0, 1, f"{name[0].upper()} looks away."),
            ("Audio", 0, 1, "A pause."),
        ]
        keys = ("dimension", "start_time", "end_time", "description")
        observations = [dict(zip(keys, note, strict=True)) for note in notes]
        text = {
            "video_id": name,
            "transcription": "",
            "original_scores": {},
            "observations": observations,
        }
        write(tmp_path, json.dumps(text), f"{name}.json")
    section = described(".", "Audio")
    found = read_descriptions(clips("y.001.mp4"), section, tmp_path)
    assert found.sentences == {
        "y.001.mp4": [(0.0, 1.0, "A pause."), (1.0, 2.5, "Loud laughter.")]
    }
    assert found.unknown == {"x.000.mp4": "x.000.mp4.json, observation 1"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER + "a,Face,0,1\n", "line 2 has 4 cells"),
        (HEADER + "a,Face,0,1,\n", "notes.csv, line 2: has no description"),
        (HEADER + ",Face,0,1,x\n", "notes.csv, line 2: has no id"),
        (HEADER + "a,Face,soon,1,x\n", "line 2: its start is no time.*'soon'"),
        (HEADER + "a,Face,-1,1,x\n", "line 2: its start is no time"),
        (HEADER + "a,Face,0,nan,x\n", "line 2: its end is no time"),
        (HEADER + "a,Face,2,1,x\n", "line 2: ends at 1 s, before it starts"),
        ("clip_id,channel,end_seconds,description\n", "no column start_seconds"),
        ("clip_id,clip_id,start_seconds\n", "two columns are called clip_id"),
        (HEADER + "z,Face,0,1,x\n", "none of its 1 ids is that of a clip"),
        (HEADER + "a,Voice,0,1,x\n", "has no channel 'Face'; it has Voice"),
        (HEADER + 'a,Face,0,1,"x\n', "not readable as CSV"),
    ],
)
def test_errors_name_file_and_line(tmp_path, text, message):
    write(tmp_path, text)
    with pytest.raises(CorpusError, match=message) as error:
        read_descriptions(clips("a"), described(), tmp_path)
    assert "notes.csv" in str(error.value)


def test_two_files_about_one_clip(tmp_path):
    write(tmp_path)
    write(tmp_path, NOTES, "other.csv")
    with pytest.raises(CorpusError, match="notes.csv and .*other.csv: both are about"):
        read_descriptions(clips("a", "b"), described("."), tmp_path)


def test_a_name_that_may_be_several_clips(tmp_path):
    write(tmp_path, HEADER + "a,Face,0,1,x\n")
    with pytest.raises(CorpusError, match="line 2: 'a' may be any of the clips"):
        read_descriptions(clips("one/a", "two/a"), described(), tmp_path)


def test_files_that_changed_or_are_not_there(tmp_path):
    with pytest.raises(CorpusError, match="no such file; descriptions are expected"):
        read_descriptions(clips("a"), described(), tmp_path)
    write(tmp_path)
    digest = digest_tables(tmp_path, described())
    section = described(sha256=digest)
    assert "a" in read_descriptions(clips("a"), section, tmp_path).sentences
    write(tmp_path, NOTES + "a,Face,4,5,New.\n")
    with pytest.raises(CorpusError, match="has changed since"):
        read_descriptions(clips("a"), section, tmp_path)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One.", ["One."]),
        ("At 2.5 s he nods. He says no.", ["At 2.5 s he nods.", "He says no."]),
        ('"Wow!" She laughs.', ['"Wow!"', "She laughs."]),
        ("Why?  Because\n of it", ["Why?", "Because of it"]),
        ("e.g. a smile, i.e. lips", ["e.g. a smile, i.e. lips"]),
    ],
)
def test_where_sentences_end(text, sentences):
    assert split_sentences(text) == sentences


@given(st.text(st.sampled_from("aB.!? \n\"'5"), min_size=1))
def test_no_letter_is_lost(text):
    kept = "".join(split_sentences(text))
    assert [c for c in kept if c.isalnum()] == [c for c in text if c.isalnum()]


def test_times_are_numbers(tmp_path):
    write(tmp_path)
    found = read_descriptions(clips("a"), described(), tmp_path)
    times = np.array([each[:2] for each in found.sentences["a"]])
    assert (times[:, 0] <= times[:, 1]).all()
