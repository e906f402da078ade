"""Leaving speakers out: what is measured, on whom, and that it can be told apart."""

from itertools import product

import numpy as np
import pandas as pd
import pytest

from sslmepr.corpora.ravdess import PUBLISHED_EMOTIONS
from sslmepr.corpora.schema import COLUMNS, read_clips, validate, write_clips
from sslmepr.evaluation import speaker_folds
from sslmepr.features import write_store
from sslmepr.labels import EMOTION_COLUMNS
from sslmepr.params.analysis import Folds
from sslmepr.params.corpora import PublishedCorpus
from sslmepr.params.study import Roles

ACTORS, TEST_ACTORS, REPEATS = 8, 2, 3


@pytest.fixture
def spoken(tmp_path, small_params):
    """Eight actors, and two for the test, who act three emotions in a voice each."""
    rng = np.random.default_rng(0)
    directions = 2 * rng.standard_normal((3, 6))
    rows, sequences = [], []
    for actor in range(ACTORS + TEST_ACTORS):
        voice = 10 * rng.standard_normal(6)
        for emotion, repeat in np.ndindex(3, REPEATS):
            name = f"01-{emotion + 2:02d}-01-01-{repeat + 1:02d}-{actor + 1:02d}"
            split = "test" if actor >= ACTORS else "dev" if actor == 7 else "train"
            rows.append({"clip_id": name, "speaker_id": f"a{actor}", "split": split})
            noise = rng.standard_normal((4, 6))
            values = voice + directions[emotion] + noise
            sequences.append((name, values.astype(np.float32)))
    table = pd.DataFrame(rows).reindex(columns=list(COLUMNS))
    table[list(EMOTION_COLUMNS)] = 0.0
    for number, emotion in enumerate(("neutral", "happiness", "sadness")):
        acted = table["clip_id"].str.startswith(f"01-{number + 2:02d}")
        table.loc[acted, f"emotion_{emotion}"] = 1.0  # calm counts as neutral
    table["media"] = "there.wav"
    write_clips(validate(table, "acted"), tmp_path / "acted" / "corpus")
    write_store(tmp_path / "acted" / "features", "audio", sequences, "drawn", "1")
    # a face shows whether it is happy, and the last clip has none
    faces = [
        (name, (name[3:5] == "03") + rng.standard_normal((2, 3)).astype(np.float32))
        for name, _ in sequences[:-1]
    ]
    write_store(tmp_path / "acted" / "features", "face", faces, "drawn", "1")
    return tmp_path, small_params.model_copy(
        update={
            "corpus": {"acted": PublishedCorpus(source="ravdess", path="acted")},
            "roles": Roles(emotion="acted", personality="acted", held_out="acted"),
            "folds": {"voices": Folds(part="acted", modalities=["audio"], folds=4)},
        }
    )


def test_emotions_are_told_apart_once_the_voice_is_taken_away(spoken, monkeypatch):
    """The network is left at its start, which is the linear model."""
    folder, params = spoken
    monkeypatch.setattr(speaker_folds, "fit", lambda model, *_: model.eval())
    found = speaker_folds.cross_validate(params, "voices", folder, progress=False)
    uar = found[found["metric"] == "UAR"].set_index(["split", "method"])
    methods = [
        f"{method}, audio, by {scale}"
        for scale in ("corpus", "speaker")
        for method in ("svm", "linear", "network", "discriminant", "joined")
    ]
    assert [*uar.index] == [(s, m) for m in methods for s in ("folds", "test")]
    # All clips of the speakers in folds, and of those of the test, count once.
    assert set(uar.loc["folds", "n"]) == {ACTORS * 3 * REPEATS}
    assert set(uar.loc["test", "n_speakers"]) == {TEST_ACTORS}
    for split in ("folds", "test"):
        for method in methods[5:]:
            assert uar.loc[(split, method), "estimate"] > 0.9
        for scale in ("corpus", "speaker"):
            start = uar.loc[(split, f"linear, audio, by {scale}"), "estimate"]
            assert uar.loc[(split, f"network, audio, by {scale}"), "estimate"] == start
    assert (uar["low"] <= uar["estimate"]).all()


def test_uar_is_the_mean_recall_of_the_classes(spoken):
    folder, params = spoken
    found = speaker_folds.cross_validate(params, "voices", folder, progress=False)
    for _, part in found.groupby(["split", "method"]):
        recalls = part[part["metric"] == "recall"]
        assert recalls["target"].tolist() == list(PUBLISHED_EMOTIONS[1:4])
        uar = part.loc[part["metric"] == "UAR", "estimate"].item()
        assert uar == pytest.approx(recalls["estimate"].mean())


def test_whoever_is_measured_was_not_learned_from(spoken, monkeypatch):
    folder, params = spoken
    seen = []

    def svm(self, known, others):
        seen.append((set(self.speakers[known]), set(self.speakers[others])))
        return np.zeros((len(others), len(self.classes)))

    for method in ("linear", "network", "discriminant", "moments"):
        monkeypatch.setattr(speaker_folds._Work, method, svm)
    monkeypatch.setattr(speaker_folds._Work, "svm", svm)
    speaker_folds.cross_validate(params, "voices", folder, progress=False)
    test = {"a8", "a9"}
    assert all(known.isdisjoint(others) for known, others in seen)
    assert all(known.isdisjoint(test) for known, _ in seen)
    assert [others for _, others in seen].count(test) == 10
    assert set.union(*(others for _, others in seen)) == {f"a{n}" for n in range(10)}


def test_fused_modalities_are_compared_with_each_alone(spoken, monkeypatch):
    folder, params = spoken

    def guess(self, known, others):
        return np.zeros((len(others), len(self.classes)))

    for method in ("svm", "linear", "network"):
        monkeypatch.setattr(speaker_folds._Work, method, guess)
    both = Folds(part="acted", modalities=["audio", "face"], folds=4)
    params = params.model_copy(update={"folds": {"takes": both}})
    found = speaker_folds.cross_validate(params, "takes", folder, progress=False)
    # the clip without a face is left out of all methods
    test = found[(found["split"] == "test") & (found["metric"] == "UAR")]
    assert set(test["n"]) == {TEST_ACTORS * 3 * REPEATS - 1}
    names = ["split", "method", "metric", "target"]
    value = found.set_index(names)["estimate"].to_dict()
    for split, scale in product(("folds", "test"), ("corpus", "speaker")):
        fused = f"discriminant, fused, by {scale}"
        for modality in ("audio", "face"):
            alone = f"discriminant, {modality}, by {scale}"
            above = value[split, fused, "UAR", "mean"]
            above -= value[split, alone, "UAR", "mean"]
            found_above = value[split, fused, "UAR above", modality]
            assert found_above == pytest.approx(above)


def test_networks_and_discriminants_are_compared_with_simple_methods(
    spoken, monkeypatch
):
    folder, params = spoken
    monkeypatch.setattr(speaker_folds, "fit", lambda model, *_: model.eval())
    found = speaker_folds.cross_validate(params, "voices", folder, progress=False)
    value = found.set_index(["split", "method", "metric", "target"])["estimate"]
    gains = value.xs("UAR above", level="metric")
    # two splits, two scales, three models, two simple methods
    assert len(gains) == 24
    for (split, method, simple), gain in gains.items():
        model, rest = method.split(", ", 1)
        assert model in speaker_folds.COMPARED and simple in speaker_folds.SIMPLE
        own, other = (
            value[split, f"{name}, {rest}", "UAR", "mean"] for name in (model, simple)
        )
        assert gain == pytest.approx(own - other)


def test_a_name_that_says_another_emotion_than_the_label_is_an_error(spoken):
    folder, params = spoken
    table = read_clips(folder / "acted" / "corpus")
    table.loc[4, list(EMOTION_COLUMNS)] = np.eye(7)[1]
    write_clips(table, folder / "acted" / "corpus")
    wrong = table.loc[4, "clip_id"]
    with pytest.raises(ValueError, match=f"clip {wrong}: .*, but labelled anger"):
        speaker_folds.cross_validate(params, "voices", folder, progress=False)
