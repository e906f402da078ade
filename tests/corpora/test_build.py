import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sslmepr import params
from sslmepr.corpora import build, schema
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import EMOTION_COLUMNS, SPLITS, TRAIT_COLUMNS

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared"


@pytest.fixture
def settings(monkeypatch):
    monkeypatch.delenv("SSLMEPR_DATA", raising=False)
    return params.load(ROOT / "params.yaml")


@pytest.fixture
def clips():
    """Six clips of two tasks; speaker p is in train and dev."""
    table = pd.DataFrame(
        {
            "clip_id": list("abcdef"),
            "speaker_id": list("ppqprs"),
            "split": ["train", "train", "train", "dev", "dev", "test"],
            "media": ["a.mp4", None, None, None, None, None],
            "transcript": ["one two three", "one", None, "one two", None, None],
        }
    ).reindex(columns=list(schema.COLUMNS))
    table.loc[:2, list(EMOTION_COLUMNS)] = 0.0
    table.loc[:1, "emotion_anger"] = [0.25, 0.75]
    table.loc[3:, list(TRAIT_COLUMNS)] = 0.5
    table.loc[3:, "trait_openness"] = [0.2, 0.4, 0.6]
    table.loc[3:, "trait_extraversion"] = [0.6, 0.4, 0.2]
    return schema.validate(table, "six clips", allow_shared_speakers=True)


def built(*corpus):
    """Read, and summarised."""
    build.read_corpus(*corpus)
    return build.summarise_corpus(*corpus)


def test_summary_counts(clips):
    summary = build.summarise(clips)
    assert summary["clips"] == {"all": 6, "train": 3, "dev": 2, "test": 1}
    assert summary["speakers"] == {"all": 4, "train": 2, "dev": 2, "test": 1}
    assert summary["clips_sharing_a_speaker"] == {"dev": 1, "test": 0}
    assert summary["labelled"] == {"emotion": 3, "personality": 3}
    assert summary["media"] == 1
    assert summary["transcripts"] == {
        "present": 3,
        "missing": 3,
        "words_median": 2.0,
        "words_longest": 3,
        "languages": {},
        "language_unsure": 0,
        "language_too_short": 3,
    }


def test_summary_of_labels(clips):
    summary = build.summarise(clips)
    assert summary["emotions"]["anger"] == {"present": 2, "mean_intensity": 0.5}
    assert summary["emotions"]["fear"] == {"present": 0, "mean_intensity": None}
    assert summary["traits"]["openness"] == {"mean": 0.4, "sd": 0.2}
    correlations = summary["trait_correlations"]
    assert correlations["openness"]["extraversion"] == -1.0
    assert correlations["openness"]["agreeableness"] is None


def test_summary_is_json_without_nan(clips):
    text = json.dumps(build.summarise(clips), allow_nan=False)
    assert json.loads(text) == build.summarise(clips)


def test_a_corpus_without_labels_or_text_has_a_summary(clips):
    clips[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]] = np.nan
    clips["transcript"] = clips["transcript"].where(clips["clip_id"] == "none")
    summary = build.summarise(clips)
    assert summary["emotions"] == summary["traits"] == {}
    assert summary["trait_correlations"] == {}
    assert summary["transcripts"]["words_longest"] is None


def test_differences_from_published_counts_are_reported(clips, settings, monkeypatch):
    published = {"clips": {"train": 4, "test": 1}, "speakers": {"train": 2}}
    monkeypatch.setitem(build.PUBLISHED_COUNTS, "mosei", published)
    assert build.describe("mosei", settings, clips)["mosei"]["published"] == {
        "clips": {
            "train": {"expected": 4, "found": 3},
            "test": {"expected": 1, "found": 1},
        },
        "speakers": {"train": {"expected": 2, "found": 2}},
    }


def test_published_counts_are_of_published_splits(clips, settings, monkeypatch):
    published = {"clips": dict.fromkeys(SPLITS, 0)}
    monkeypatch.setitem(build.PUBLISHED_COUNTS, "meld", published)
    clips["clip_id"] = "meld:" + clips["clip_id"]
    plain = build.describe("meld_ravdess", settings, clips)
    assert not plain["meld"]["dev_as_test"]
    counts = {split: each["found"] for split, each in count_of(plain).items()}
    clips.attrs["dev_as_test"] = ["meld"]
    told = build.describe("meld_ravdess", settings, clips)
    assert told["meld"]["dev_as_test"] and not told["meld_ravdess"]["dev_as_test"]
    found = {split: each["found"] for split, each in count_of(told).items()}
    assert found["dev"] == counts["test"] > 0 == found["test"]
    assert found["train"] == counts["train"] + counts["dev"]


def count_of(summaries):
    return summaries["meld"]["published"]["clips"]


def test_a_folder_corpus_is_built(settings, monkeypatch, tmp_path):
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "me.wav").touch()
    monkeypatch.setenv("SSLMEPR_DATA", str(tmp_path / "clips"))
    tree = settings.model_dump()
    tree["corpus"]["people"]["path"] = "."
    changed = params.parse(tree, "test")
    summary = built("people", changed, tmp_path / "out")
    assert summary["corpus"] == "people" and summary["source"] == "folder"
    assert summary["clips"] == {"all": 1, "test": 1}
    assert list(schema.read_clips(tmp_path / "out")["media"]) == ["me.wav"]


def test_an_optional_corpus_that_is_absent_is_empty_and_says_so(
    settings, monkeypatch, tmp_path
):
    monkeypatch.setenv("SSLMEPR_DATA", str(tmp_path / "data"))
    tree = settings.model_dump()
    tree["corpus"]["people"] |= {"path": "people", "optional": True}
    changed = params.parse(tree, "test")
    summary = built("people", changed, tmp_path / "out")
    assert summary["clips"] == summary["speakers"] == {"all": 0}
    assert summary["left_out"] == 1
    json.dumps(summary, allow_nan=False)
    assert schema.read_clips(tmp_path / "out").empty
    missing = schema.read_missing(tmp_path / "out").to_numpy().tolist()
    where = tmp_path / "data" / "people"
    reason = f"not given: people, put it in {where}"
    assert missing == [["people", "everything", reason]]
    tree["corpus"]["people"]["optional"] = False
    with pytest.raises(CorpusError, match="people: expected a folder of media files"):
        built("people", params.parse(tree, "test"), tmp_path / "out")


def test_a_table_of_ones_own_may_be_optional(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("SSLMEPR_DATA", str(tmp_path))
    tree = settings.model_dump()
    own = {"source": "table", "path": "own", "table": "x.csv", "optional": True}
    tree["corpus"]["people"] = own
    changed = params.parse(tree, "test")
    assert built("people", changed, tmp_path / "out")["left_out"] == 1
    (tmp_path / "own").mkdir()
    with pytest.raises(CorpusError, match="x.csv: there is no such file"):
        built("people", changed, tmp_path / "out")


def test_a_simulated_corpus_is_not_read(settings, tmp_path):
    with pytest.raises(CorpusError, match="corpus.joint: is simulated"):
        build.read_corpus("joint", settings, tmp_path)


def test_an_unknown_corpus_is_named(settings, tmp_path):
    with pytest.raises(CorpusError, match="no corpus 'moon' .* known: emotion, "):
        built("moon", settings, tmp_path)


@pytest.mark.skipif(not SHARED.is_dir(), reason="MELD and FIv2 are not in shared/")
@pytest.mark.parametrize(
    "name, clips, speakers", [("meld", 11098, 1152), ("fiv2", 8000, 2886)]
)
def test_published_corpora_are_built(
    settings, tmp_path, monkeypatch, name, clips, speakers
):
    monkeypatch.setenv("SSLMEPR_DATA", str(SHARED / "corpora"))
    summary = built(name, settings, tmp_path)
    for split in ("train", "dev"):
        count = summary["published"]["clips"][split]
        assert count["found"] == count["expected"]
    found = schema.read_clips(tmp_path)
    assert len(found) == summary["clips"]["all"]
    if summary["clips"].get("test") is None:
        assert (len(found), summary["speakers"]["all"]) == (clips, speakers)
