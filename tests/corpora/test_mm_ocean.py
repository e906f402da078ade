"""MM-OCEAN's files, as they are published; the real ones, if they are there."""

import json
from pathlib import Path

import numpy as np
import pytest

from sslmepr.corpora.fiv2 import read_fiv2_by_video
from sslmepr.corpora.mm_ocean import (
    CHANNELS,
    load_clip,
    read_mm_ocean,
    read_observations,
)
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import TRAIT_COLUMNS

REAL = Path(__file__).parents[3] / "shared" / "corpora"
needs_real = pytest.mark.skipif(
    not (REAL / "mm_ocean").is_dir(), reason="MM-OCEAN is not there"
)

SCORES = {
    "extraversion": 0.25,
    "agreeableness": 0.5,
    "conscientiousness": 0.75,
    "neuroticism": 0.125,
    "openness": 1,
}


def content(name="abc.000.mp4", **changes):
    note = {
        "dimension": "Expression",
        "start_time": 0,
        "end_time": 1.5,
        "description": "She smiles.",
        "bboxes": [],
    }
    return {
        "video_id": name,
        "video_path": name,
        "transcription": "Hello [inaudible 00:00:05] you.",
        "original_scores": SCORES,
        "observations": [note],
        "personality_analyses": [{"trait": "Openness", "score": 1.0}],
        "mcq_questions": [{"question": "Which trait?"}],
        "metadata": {"validated": True},
    } | changes


def publish(folder, *clips):
    for place, clip in enumerate(clips):
        path = folder / "test" / f"{place}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(clip), encoding="utf-8")


def test_a_clip(tmp_path):
    publish(tmp_path, content())
    (clip,) = read_mm_ocean(tmp_path).to_dict("records")
    assert clip["clip_id"] == "abc.000.mp4" and clip["speaker_id"] == "abc"
    assert clip["transcript"] == "Hello you."
    # neuroticism is scored high for stable people, as in First Impressions
    assert [clip[name] for name in TRAIT_COLUMNS] == [1, 0.75, 0.25, 0.5, 0.125]
    assert np.isnan(clip["emotion_anger"])


def test_clips_anywhere_below_the_folder(tmp_path):
    publish(tmp_path, content(), content("abc.001.mp4"))
    publish(tmp_path / "more", content("x.y.000.mp4"))
    table = read_mm_ocean(tmp_path).set_index("clip_id")
    assert sorted(table.index) == ["abc.000.mp4", "abc.001.mp4", "x.y.000.mp4"]
    assert table.loc["x.y.000.mp4", "speaker_id"] == "x.y"


def test_a_video_keeps_its_split_whatever_else_is_there(tmp_path):
    """The first eight bytes of the SHA-256 of these names are 50, 70 and 82 modulo
    100, as sha256sum and bc say."""
    names = {"a": "train", "i": "dev", "f": "test"}
    publish(tmp_path, *(content(f"{name}.000.mp4") for name in names))
    table = read_mm_ocean(tmp_path).set_index("speaker_id")
    assert table["split"].to_dict() == names
    publish(tmp_path / "later", content("a.001.mp4"))
    table = read_mm_ocean(tmp_path).set_index("clip_id")
    assert table.loc["a.001.mp4", "split"] == "train"


def test_what_was_written_from_the_labels_is_never_read(tmp_path):
    publish(tmp_path / "one", content())
    other = {"personality_analyses": "no list", "mcq_questions": None, "metadata": 7}
    publish(tmp_path / "two", content(**other))
    one, two = (read_mm_ocean(tmp_path / name) for name in ("one", "two"))
    assert one.equals(two)
    paths = [tmp_path / name / "test" / "0.json" for name in ("one", "two")]
    assert read_observations(paths[0]) == read_observations(paths[1])
    assert load_clip(paths[0]) == load_clip(paths[1])
    assert "personality_analyses" not in load_clip(paths[0])
    bare = content()
    del bare["personality_analyses"], bare["mcq_questions"]
    publish(tmp_path / "three", bare)
    assert one.equals(read_mm_ocean(tmp_path / "three"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"video_id": "abc.mp4"}, "not named <video>"),
        ({"video_id": 7}, "video_id is no text: 7"),
        ({"original_scores": {}}, "no number openness"),
        ({"original_scores": SCORES | {"openness": "1"}}, "no number openness"),
        ({"original_scores": SCORES | {"openness": 1.5}}, "must lie within 0..1"),
        ({"transcription": None}, "transcription is no text: None"),
    ],
)
def test_a_file_that_is_not_as_published(tmp_path, changes, message):
    publish(tmp_path, content(**changes))
    with pytest.raises(CorpusError, match=message) as error:
        read_mm_ocean(tmp_path)
    assert str(tmp_path) in str(error.value)


@pytest.mark.parametrize("text", ["{", "[]", "{}", "\xff"])
def test_a_file_that_is_damaged(tmp_path, text):
    publish(tmp_path, content())
    (tmp_path / "bad.json").write_text(text, encoding="latin-1")
    with pytest.raises(CorpusError, match="bad.json: "):
        read_mm_ocean(tmp_path)


def test_a_clip_that_comes_twice(tmp_path):
    publish(tmp_path, content(), content())
    with pytest.raises(CorpusError, match="0.json and .*1.json: both are about clip"):
        read_mm_ocean(tmp_path)


def test_no_files(tmp_path):
    with pytest.raises(CorpusError, match="expected .json files"):
        read_mm_ocean(tmp_path)


@pytest.mark.parametrize("notes", ["none", [{"dimension": "Audio"}], ["smiles"]])
def test_observations_that_are_not_as_published(tmp_path, notes):
    publish(tmp_path, content(observations=notes))
    with pytest.raises(CorpusError, match="0.json"):
        read_observations(tmp_path / "test" / "0.json")


@needs_real
def test_the_published_clips():
    table = read_mm_ocean(REAL / "mm_ocean")
    assert len(table) == 680 and table["speaker_id"].nunique() == 558
    shares = table.groupby("split")["speaker_id"].nunique() / 558
    assert shares["train"] == pytest.approx(0.6, abs=0.08)
    assert shares["dev"] == pytest.approx(0.2, abs=0.06)
    assert table["transcript"].notna().all()
    name, notes = read_observations(
        REAL / "mm_ocean" / "test" / f"{table['clip_id'][0]}.json"
    )
    assert name == table["clip_id"][0]
    assert {note.channel for note in notes} == set(CHANNELS.values())


@needs_real
def test_its_test_videos_are_in_no_training_split_of_fiv2_by_video():
    """The same hash decides: what is above 80 here is above 70 there."""
    described = read_mm_ocean(REAL / "mm_ocean")
    rated = read_fiv2_by_video(REAL / "fiv2")
    tested = set(described.loc[described["split"] == "test", "speaker_id"])
    trained = set(rated.loc[rated["split"] == "train", "speaker_id"])
    assert tested & set(rated["speaker_id"]) and not tested & trained
