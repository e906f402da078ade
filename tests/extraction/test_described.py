"""Modalities in words and voices measured here, through extraction."""

import json
import wave

import numpy as np
import pandas as pd
import pytest

from sslmepr.corpora.schema import COLUMNS, CorpusError, read_missing, write_clips
from sslmepr.encoders.voice import VoiceDescriptors
from sslmepr.extraction import extract_corpus
from sslmepr.extraction.record import extraction_record
from sslmepr.features import FeatureStore
from sslmepr.labels import FEATURE_COUNTS, SENTENCES
from sslmepr.params.corpora import Described, Heard, PublishedCorpus, UnionCorpus

NOTES = """\
clip_id,channel,start_seconds,end_seconds,description
a,Face,2,4,He frowns.
a,Face,0,2,He smiles. He nods.
b,Face,0,1,He smiles.
z,Face,0,1,Nobody.
a,Scene,0,4,A kitchen.
"""


def clip_table(*names, **columns):
    table = pd.DataFrame({"clip_id": names, "speaker_id": names, "split": "train"})
    return table.assign(**columns).reindex(columns=list(COLUMNS))


def with_corpus(params, root, corpus):
    return params.model_copy(update={"data_root": str(root), "corpus": {"my": corpus}})


def write_wave(path, samples):
    with wave.open(str(path), "wb") as file:
        file.setparams((1, 2, 16000, len(samples), "NONE", ""))
        file.writeframes((samples * 32767).astype("<i2").tobytes())


def notes(channel):
    return Described(tool="described", path="notes.csv", channel=channel)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.delenv("SSLMEPR_DATA", raising=False)
    (tmp_path / "notes.csv").write_text(NOTES)
    return tmp_path


def extract(folder, params, table, corpus):
    write_clips(table, folder / "corpus")
    chosen = with_corpus(params, folder, corpus)
    return extract_corpus("my", chosen, folder / "corpus", folder, folder / "f")


def test_sentences_are_steps(folder, params):
    """Equal sentences have equal features; each is the mean over its tokens."""
    features = {"face": notes("Face"), "scene": notes("Scene")}
    corpus = PublishedCorpus(source="folder", path=".", features=features)
    table = clip_table("a", "b", transcript="He smiles.")
    told = extract(folder, params, table, corpus)
    face, text = (FeatureStore.open(folder / "f", name) for name in ("face", "text"))
    assert face.encoder == params.extract.text_encoder
    assert face.revision == text.revision + SENTENCES
    assert face.feature_count == FEATURE_COUNTS[face.encoder]
    assert face["a"].shape[0] == 3 and face["b"].shape[0] == 1
    np.testing.assert_array_equal(face["a"][0], face["b"][0])
    assert not np.allclose(face["a"][0], face["a"][1])
    # "He smiles." is the transcript, too, whose steps are its tokens
    np.testing.assert_allclose(face["b"][0], text["b"].mean(0), rtol=0, atol=2e-3)
    missing = read_missing(folder / "f").to_numpy().tolist()
    assert ["b", "scene", "no description of Scene in notes.csv"] in missing
    stray = ["z", "face", "no clip has this id; it is in notes.csv, line 5"]
    assert stray in missing
    shown = told["modalities"]["face"]
    assert (shown["present"], shown["missing"], shown["steps"]) == (2, 0, 4)
    assert "provenance" not in shown
    assert told["modalities"]["scene"]["missing"] == 1
    assert told["modalities"]["body"]["without_media"] == 2


def test_which_sentence_a_step_is(folder, params):
    corpus = PublishedCorpus(
        source="folder", path=".", features={"face": notes("Face")}
    )
    extract(folder, params, clip_table("a", "b"), corpus)
    steps = pd.read_parquet(folder / "f" / "descriptions.parquet")
    assert steps.to_numpy().tolist() == [
        ["a", "face", 0, 0.0, 2.0, "He smiles."],
        ["a", "face", 1, 0.0, 2.0, "He nods."],
        ["a", "face", 2, 2.0, 4.0, "He frowns."],
        ["b", "face", 0, 0.0, 1.0, "He smiles."],
    ]
    record = extraction_record(clip_table("a", "b"), folder / "f")
    assert record["face"].tolist() == [
        "described in 3 sentences",
        "described in 1 sentences",
    ]


def test_nothing_is_written_where_nothing_is_described(folder, params):
    corpus = PublishedCorpus(source="folder", path=".")
    extract(folder, params, clip_table("a", transcript="Yes."), corpus)
    assert not (folder / "f" / "descriptions.parquet").exists()


def test_a_voice_measured_here(folder, params):
    """As the encoder measures it, in float32, with the names of its columns."""
    rng = np.random.default_rng(3)
    write_wave(folder / "a.wav", rng.normal(0, 0.1, 16000))
    corpus = PublishedCorpus(
        source="folder",
        path=".",
        modalities=["audio"],
        features={"audio": Heard(tool="librosa", recordings=True, version="v")},
    )
    table = clip_table("a", "b", media=["a.wav", None])
    told = extract(folder, params, table, corpus)
    store = FeatureStore.open(folder / "f", "audio")
    assert store.columns == VoiceDescriptors.columns
    assert store.values.dtype == np.float32 and store.clip_ids == ["a"]
    assert store.encoder == "librosa"
    assert store.revision == VoiceDescriptors("v").revision
    assert 0.08 < store["a"][0, store.columns.index("rmse")] < 0.12
    assert told["modalities"]["audio"]["columns"] == list(VoiceDescriptors.columns)
    assert "median_steps_per_second" not in told["modalities"]["audio"]
    assert told == json.loads((folder / "f" / "summary.json").read_text())
    assert "audio" not in extraction_record(table, folder / "f")


def union(**features):
    """Two parts, of which the first has such features."""
    (modality,) = features
    first, second = (
        PublishedCorpus(
            source="folder", path=name, modalities=[modality], features=given
        )
        for name, given in (("x", features), ("y", {}))
    )
    return UnionCorpus(source="union", parts={"x": first, "y": second})


@pytest.mark.parametrize(
    ("features", "message"),
    [
        ({"face": notes("Face")}, "face: some parts have descriptions and others"),
        (
            {"audio": Heard(tool="librosa", recordings=True)},
            "audio: parts of the corpus have their voices measured in different",
        ),
    ],
)
def test_parts_of_a_union_are_made_alike(folder, params, features, message):
    table = clip_table("x:a", "y:a", media=["x/a.wav", "y/a.wav"])
    with pytest.raises(CorpusError, match=message):
        extract(folder, params, table, union(**features))
