"""Test files of FIv2 and MELD, put where the book says: found, and scored apart."""

import csv
import pickle
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sslmepr.corpora.build import read_corpus
from sslmepr.corpora.schema import read_clips
from sslmepr.evaluation import line_classes
from sslmepr.evaluation.evaluate import evaluate_study
from sslmepr.evaluation.speaker_folds import cross_validate
from sslmepr.extraction import extract_corpus
from sslmepr.features import FeatureStore, write_store
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.params.analysis import Folds
from sslmepr.params.study import Roles
from sslmepr.training.all_stages import train_study

ROOT = Path(__file__).parents[2]
CLIPS = {"train": 84, "dev": 28, "test": 21}
MELD_EMOTIONS = ("neutral", "joy", "anger", "disgust", "fear", "sadness", "surprise")
FIV2_NAMES = {"train": "training", "dev": "validation", "test": "test"}
FIV2_TRAITS = (
    "openness",
    "conscientiousness",
    "extraversion",
    "agreeableness",
    "neuroticism",
)


def write_meld(folder, split):
    """Lines in dialogues of three, all emotions equally often."""
    columns = ("Utterance", "Emotion", "Dialogue_ID", "Utterance_ID")
    with (folder / f"{split}_sent_emo.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for place in range(CLIPS[split]):
            line, dialogue = place % 3, place // 3
            emotion = MELD_EMOTIONS[place % 7]
            writer.writerow([f"{emotion} {split}", emotion, dialogue, line])


def write_fiv2(folder, split):
    """Clips of videos of two, their scores, texts and voices."""
    rng = np.random.default_rng(len(split))
    clips = [f"{split}{n // 2:02d}.{n % 2:03d}.mp4" for n in range(CLIPS[split])]
    scores = rng.random((len(clips), 5)).round(3)
    annotation = {
        trait: dict(zip(clips, values.tolist(), strict=True))
        for trait, values in zip(FIV2_TRAITS, scores.T, strict=True)
    }
    texts = {clip: f"{score}" for clip, score in zip(clips, scores[:, 0], strict=True)}
    name = FIV2_NAMES[split]
    for kind, content in (("annotation", annotation), ("transcription", texts)):
        (folder / f"{kind}_{name}.pkl").write_bytes(pickle.dumps(content))
    voices = pd.DataFrame({"clip": [Path(clip).stem for clip in clips]})
    voices["rmse"] = scores[:, 1]
    voices["mfcc1"] = scores[:, 2]
    voices.to_csv(folder / f"audio_descriptors_{name}.csv", index=False)


def shown(clips):
    """A text store's sequences: what is labelled, with noise."""
    rng = np.random.default_rng(0)
    labels = clips[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]].fillna(0).to_numpy(np.float32)
    values = labels + rng.normal(0, 0.2, labels.shape).astype(np.float32)
    return list(zip(clips["clip_id"], values[:, None], strict=True))


def read_anew(params, data):
    """What the command of the book does, and the features of what was read."""
    for name in ("meld", "fiv2"):
        corpus, features = data / name / "corpus", data / name / "features"
        read_corpus(name, params, corpus)
        section = params.corpus[name].model_copy(update={"modalities": ["audio"]})
        chosen = params.model_copy(update={"corpus": {name: section}})
        extract_corpus(name, chosen, corpus, params.data_path(name), features)
        write_store(features, "text", shown(read_clips(corpus)), "drawn", "1")


@pytest.fixture(scope="module")
def official(tmp_path_factory, small_params, one_thread):
    """Clip tables without test files; and parameters and data folder with them."""
    root, data = tmp_path_factory.mktemp("published"), tmp_path_factory.mktemp("data")
    corpora = {name: small_params.corpus[name] for name in ("meld", "fiv2")}
    params = small_params.model_copy(
        update={
            "data_root": str(root),
            "corpora": ["meld", "fiv2"],
            "corpus": corpora,
            "roles": Roles(emotion="meld", personality="fiv2", held_out="fiv2"),
            "modalities": ["text"],
            "variants": ["multitask"],
            "folds": {
                "meld": Folds(part="meld", modalities=["text"], folds=None),
                "fiv2": Folds(part="fiv2", modalities=["audio", "text"], folds=None),
            },
        }
    )
    for name in corpora:
        (root / name).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SSLMEPR_DATA", raising=False)
        for split in ("train", "dev"):
            write_meld(root / "meld", split)
            write_fiv2(root / "fiv2", split)
        read_anew(params, data)
        before = {name: read_clips(data / name / "corpus") for name in corpora}
        write_meld(root / "meld", "test")
        write_fiv2(root / "fiv2", "test")
        read_anew(params, data)
    return before, params, data


@pytest.mark.parametrize("name", ["meld", "fiv2"])
def test_test_files_take_the_place_of_the_dev_split(official, name):
    before, _, data = official
    assert before[name].attrs["dev_as_test"] == [name]
    splits = before[name]["split"].value_counts()
    assert splits["test"] == CLIPS["dev"]
    assert splits["train"] + splits["dev"] == CLIPS["train"] > splits["train"]
    after = read_clips(data / name / "corpus")
    assert after.attrs.get("dev_as_test", []) == []
    assert after["split"].value_counts().to_dict() == CLIPS
    stand_ins = before[name].loc[before[name]["split"] == "test", "clip_id"]
    assert set(stand_ins) == set(after.loc[after["split"] == "dev", "clip_id"])


def test_voices_of_the_test_files_are_read(official):
    _, _, data = official
    store = FeatureStore.open(data / "fiv2" / "features", "audio")
    assert set(store.clip_ids) == set(read_clips(data / "fiv2" / "corpus")["clip_id"])


def test_the_method_is_scored_on_the_test_files(official, tmp_path):
    """Every model of the study, on as many clips as the files have."""
    _, params, data = official
    train_study(params, tmp_path, data, progress=False)
    metrics = evaluate_study(params, tmp_path, data)["metrics"]
    metrics = metrics[metrics["stage"] == "fusion"]
    for corpus, metric in (("meld", "weighted F1"), ("fiv2", "mACC")):
        rows = metrics[(metrics["corpus"] == corpus) & (metrics["metric"] == metric)]
        scored = rows.groupby("split")["n"].unique().map(list).to_dict()
        assert scored == {name: [CLIPS[name]] for name in ("dev", "test")}


class Silent:
    """In the place of an encoder that learns: it tells no class from another."""

    def __init__(self, texts, label, classes, *_):
        assert all(text.endswith(" train") for text in texts)
        self.classes = classes

    def probabilities(self, texts):
        return np.full((len(texts), self.classes), 1 / self.classes)


@pytest.mark.parametrize("name", ["meld", "fiv2"])
def test_other_methods_are_scored_on_the_test_files(official, name, monkeypatch):
    """Traits on the test split alone; lines on dev, too."""
    monkeypatch.setattr(line_classes, "AdaptedText", Silent)
    _, params, data = official
    found = cross_validate(params, name, data, progress=False)
    scored = found.groupby("split")["n"].unique().map(list).to_dict()
    expected = ("dev", "test") if name == "meld" else ("test",)
    assert scored == {split: [CLIPS[split]] for split in expected}


@pytest.mark.parametrize("study", ["real", "described"])
def test_the_book_has_every_published_corpus_read_anew(settings, study):
    """All of a study but recordings of one's own."""
    page = (ROOT / "book" / "how-to-run.md").read_text(encoding="utf-8")
    commands = re.findall(r"--single-item (.*)\nmake repro STUDY=(\w+)\n", page)
    (command,) = [corpora for corpora, name in commands if name == study]
    chosen = settings.for_study(study)
    published = {
        f"corpus@{name}"
        for name in chosen.corpora
        if chosen.corpus[name].source != "folder"
    }
    assert set(command.split()) == published
