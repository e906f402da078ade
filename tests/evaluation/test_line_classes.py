"""Classifiers of lines: what is read, what is chosen on what, on drawn features."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import log_softmax
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score

from sslmepr.corpora.schema import COLUMNS, validate, write_clips
from sslmepr.evaluation import line_classes, speaker_folds
from sslmepr.evaluation.line_classes import PENALTIES, WEIGHTS
from sslmepr.evaluation.scores import (
    ADAPTED,
    ADAPTED_AND_WORDS,
    LINE_BEFORE,
    WEIGHTED_WORDS,
    WORDS,
)
from sslmepr.features import write_store
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS
from sslmepr.params.analysis import Folds
from sslmepr.params.corpora import PublishedCorpus
from sslmepr.params.study import Roles

DIALOGUES, LINES = 45, 6
PLACES = [EMOTIONS.index(name) for name in ("neutral", "happiness", "sadness")]


class Echo:
    """Takes the place of an encoder: it has learned what a text's first word says."""

    def __init__(self, texts, label, classes, device, seed, progress):
        assert all(text.split()[1] == "train" for text in texts)
        self.classes = classes

    def probabilities(self, texts):
        said = np.array([int(text.split()[0]) for text in texts])
        return (
            np.full((len(texts), self.classes), 0.05) + 0.5 * np.eye(self.classes)[said]
        )


@pytest.fixture
def spoken(tmp_path, small_params, monkeypatch):
    """A line shows its emotion, and more plainly that of the line behind it."""
    monkeypatch.setattr(line_classes, "AdaptedText", Echo)
    rng = np.random.default_rng(2)
    shape = (DIALOGUES, LINES)
    label = rng.choice(PLACES, shape, p=[0.6, 0.25, 0.15])
    wrong = rng.choice(PLACES, shape)
    said = np.where(rng.random(shape) < 0.7, label, wrong)
    split = ["train"] * 25 + ["dev"] * 8 + ["test"] * 12
    direction = 2 * rng.standard_normal((len(EMOTIONS), 6))
    behind = 4 * rng.standard_normal((len(EMOTIONS), 6))
    rows, values = [], []
    for dialogue, line in np.ndindex(shape):
        name = f"d{dialogue:02d}-{line}"
        row = {"clip_id": name, "speaker_id": f"d{dialogue:02d}"}
        row["transcript"] = f"{said[dialogue, line]} {split[dialogue]}"
        rows.append(row | {"split": split[dialogue]})
        mine = direction[label[dialogue, line]] + 2 * rng.standard_normal(6)
        if line + 1 < LINES:
            mine += behind[label[dialogue, line + 1]]
        values.append((name, mine[None].astype(np.float32)))
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    table[list(EMOTION_COLUMNS)] = np.eye(len(EMOTIONS))[label.ravel()]
    write_clips(validate(table, "lines"), tmp_path / "lines" / "corpus")
    write_store(tmp_path / "lines" / "features", "text", values, "drawn", "1")
    params = small_params.model_copy(
        update={
            "corpus": {"lines": PublishedCorpus(source="meld", path="lines")},
            "roles": Roles(emotion="lines", personality="lines", held_out="lines"),
            "folds": {"lines": Folds(part="lines", modalities=["text"], folds=None)},
        }
    )
    return (
        tmp_path,
        params,
        label.ravel(),
        said.ravel(),
        np.vstack([each for _, each in values]),
    )


def f1(true, decided):
    return f1_score(true, decided, average="weighted", zero_division=0)


def test_scores_are_those_of_models_fitted_by_hand(spoken):
    folder, params, label, said, values = spoken
    found = speaker_folds.cross_validate(params, "lines", folder, progress=False)
    split = np.repeat(["train"] * 25 + ["dev"] * 8 + ["test"] * 12, LINES)
    train, dev, test = (split == name for name in ("train", "dev", "test"))
    scaled = (values - values[train].mean(0)) / (values[train].std(0) + 1e-6)
    before = np.vstack([np.zeros((1, 6)), scaled[:-1]])
    before[::LINES] = 0

    def regression(features):
        best = (-1.0, None)
        for penalty in PENALTIES:
            model = LogisticRegression(C=penalty, max_iter=500)
            model.fit(features[train], label[train])
            logits = np.full((len(label), max(PLACES) + 1), -np.inf)
            logits[:, model.classes_] = model.predict_log_proba(features)
            score = f1(label[dev], logits[dev].argmax(1))
            best = max(best, (score, logits), key=lambda each: each[0])
        return best[1]

    def weighted(logits):
        share = np.bincount(label[train], minlength=max(PLACES) + 1) / train.sum()
        rare = np.log(np.maximum(share, 1e-12))
        each = [(log_softmax(logits, 1) - w * rare).argmax(1) for w in WEIGHTS]
        return max(each, key=lambda decided: f1(label[dev], decided[dev]))

    words = regression(scaled)
    echo = np.log(
        Echo([], 0, max(PLACES) + 1, 0, 0, 0).probabilities([f"{s} x" for s in said])
    )
    expected = {
        WORDS: words.argmax(1),
        WEIGHTED_WORDS: weighted(words),
        LINE_BEFORE: weighted(regression(np.hstack([scaled, before]))),
        ADAPTED: weighted(echo),
        ADAPTED_AND_WORDS: weighted((echo + words) / 2),
    }
    scores = found[(found["metric"] == "weighted F1") & (found["target"] == "mean")]
    scores = scores.set_index(["split", "method"])
    assert [*scores.index] == [(s, m) for s in ("dev", "test") for m in expected]
    for name, decided in expected.items():
        for part, mask in (("dev", dev), ("test", test)):
            row = scores.loc[(part, name)]
            assert row["estimate"] == pytest.approx(f1(label[mask], decided[mask]))
            assert (row["n"], row["n_speakers"]) == (mask.sum(), mask.sum() / LINES)
    gains = found[found["against"] == WORDS].set_index(["split", "method", "metric"])
    row = gains.loc[("test", LINE_BEFORE, "weighted F1 above")]
    difference = scores.loc[("test", LINE_BEFORE), "estimate"]
    difference -= scores.loc[("test", WORDS), "estimate"]
    assert row["estimate"] == pytest.approx(difference)
    assert row["low"] <= row["estimate"] <= row["high"]


def test_labels_of_the_test_split_choose_nothing(spoken):
    folder, params, *_ = spoken
    path = folder / "lines" / "corpus" / "clips.parquet"
    first = speaker_folds.cross_validate(params, "lines", folder, progress=False)
    table = pd.read_parquet(path)
    test, columns = table["split"] == "test", list(EMOTION_COLUMNS)
    table.loc[test, columns] = table.loc[test, columns].to_numpy()[::-1]
    table.to_parquet(path)
    again = speaker_folds.cross_validate(params, "lines", folder, progress=False)
    for split, same in (("dev", True), ("test", False)):
        mine, other = (each[each["split"] == split] for each in (first, again))
        assert mine.equals(other) is same
