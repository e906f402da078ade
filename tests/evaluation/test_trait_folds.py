"""Traits out of fold: who is learned from, and what is compared, on drawn features."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import Ridge

from sslmepr.corpora.schema import COLUMNS, validate, write_clips
from sslmepr.evaluation import speaker_folds
from sslmepr.evaluation.scores import ALL, GUESSING, KERNELS, STACKED
from sslmepr.evaluation.trait_folds import (
    CrossFitted,
    hashed_folds,
    out_of_fold_traits,
)
from sslmepr.features import write_store
from sslmepr.labels import TRAIT_COLUMNS, TRAITS
from sslmepr.params.analysis import Folds
from sslmepr.params.corpora import PublishedCorpus
from sslmepr.params.study import Roles
from sslmepr.training import probes
from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import RIDGE_ALPHAS

COUNT, VIDEOS = 120, 40


@pytest.fixture(scope="module")
def drawn():
    """Each of two channels shows the traits, with noise of its own."""
    rng = np.random.default_rng(3)
    true = np.clip(0.5 + 0.12 * rng.standard_normal((COUNT, 5)), 0, 1)
    features = {}
    for modality, noise in (("face", 0.7), ("text", 1.0)):
        shown = (true - 0.5) / 0.12 @ rng.standard_normal((5, 8))
        features[modality] = shown + noise * 3 * rng.standard_normal((COUNT, 8))
    speakers = np.array([f"v{place % VIDEOS}" for place in range(COUNT)])
    return features, true, speakers


def test_folds_by_hash_are_disjoint_and_those_of_a_speaker_stay(drawn):
    speakers = drawn[2]
    folds = hashed_folds(speakers, 5)
    assert sorted(np.concatenate(folds)) == list(range(COUNT))
    each = [set(speakers[fold]) for fold in folds]
    assert sum(map(len, each)) == VIDEOS
    kept = speakers[speakers != "v0"]
    assert [set(kept[fold]) for fold in hashed_folds(kept, 5)] == [
        members - {"v0"} for members in each
    ]


def test_labels_of_a_fold_do_not_reach_its_predictions(drawn):
    features, true, speakers = drawn
    folds = hashed_folds(speakers, 4)
    found = out_of_fold_traits(features, true, speakers, folds)
    shuffled, fold = true.copy(), folds[1]
    shuffled[fold] = np.random.default_rng(0).permutation(true[fold])
    again = out_of_fold_traits(features, shuffled, speakers, folds)
    assert list(found) == [GUESSING, "face", "text", ALL, STACKED, KERNELS]
    for name in found:
        np.testing.assert_array_equal(again[name][fold], found[name][fold])
    rest = folds[0]
    assert all((again[name][rest] != found[name][rest]).any() for name in found)
    mean = np.delete(true, fold, axis=0).mean(0)
    np.testing.assert_allclose(found[GUESSING][fold], np.tile(mean, (len(fold), 1)))


def test_kernels_find_what_is_not_linear():
    """Scores that rise with the product of two features, with neither alone."""
    rng = np.random.default_rng(4)
    features = {name: rng.standard_normal((600, 2)) for name in ("face", "text")}
    product = np.prod(features["face"], axis=1) + np.prod(features["text"], axis=1)
    true = np.clip(0.5 + 0.1 * np.tile(product[:, None], 5), 0, 1)
    speakers = np.array([f"v{place // 3}" for place in range(600)])
    found = out_of_fold_traits(features, true, speakers, hashed_folds(speakers, 3), 1)
    r = {name: np.corrcoef(true[:, 0], found[name][:, 0])[0, 1] for name in found}
    assert r[STACKED] < 0.3 < 0.8 < r[KERNELS]


@pytest.mark.parametrize("noise", [0.1, 1, 10, 100])
def test_a_penalty_is_chosen_by_inner_folds(drawn, noise):
    """By another implementation of ridge regression, on the same folds."""
    _, true, speakers = drawn
    rng = np.random.default_rng(1)
    shown = np.repeat((true - 0.5) / 0.12, 6, axis=1)
    features = shown + noise * rng.standard_normal(shown.shape)
    scaled = (features - features.mean(0)) / features.std(0)
    scores = []
    for alpha in RIDGE_ALPHAS:
        predicted = np.zeros_like(true)
        for fold in probes.speaker_folds(speakers, probes.FOLDS):
            known = np.delete(np.arange(COUNT), fold)
            model = Ridge(alpha=alpha).fit(scaled[known], true[known])
            predicted[fold] = model.predict(scaled[fold])
        scores.append(dev_score("personality", true, np.clip(predicted, 0, 1)))
    best = RIDGE_ALPHAS[int(np.argmax(scores))]
    found = CrossFitted(features, true, speakers)
    assert found.penalty == best
    expected = Ridge(alpha=best).fit(scaled, true).predict(scaled)
    np.testing.assert_allclose(
        found.predict(features), np.clip(expected, 0, 1), atol=1e-5
    )


@pytest.fixture
def rated(tmp_path, small_params, drawn):
    features, true, speakers = drawn
    table = pd.DataFrame({"clip_id": [f"c{place:03d}" for place in range(COUNT)]})
    table["speaker_id"], table["media"] = speakers, "there.mp4"
    splits = ["train", "dev", "test", "train"] * (VIDEOS // 4)
    split = dict(zip(sorted(set(speakers)), splits, strict=True))
    table["split"] = table["speaker_id"].map(split)
    table = table.reindex(columns=list(COLUMNS))
    table[list(TRAIT_COLUMNS)] = true
    write_clips(validate(table, "rated"), tmp_path / "vlogs" / "corpus")
    for modality, values in features.items():
        each = zip(table["clip_id"], values.astype(np.float32)[:, None], strict=True)
        each = list(each)[: COUNT - (modality == "face")]  # the last clip has no face
        write_store(tmp_path / "vlogs" / "features", modality, each, "drawn", "1")
    return tmp_path, small_params.model_copy(
        update={
            "corpus": {"vlogs": PublishedCorpus(source="mm_ocean", path="vlogs")},
            "roles": Roles(emotion="vlogs", personality="vlogs", held_out="vlogs"),
            "folds": {
                "vlogs": Folds(part="vlogs", modalities=["face", "text"], folds=4)
            },
        }
    )


def test_scores_and_gains_of_all_labelled_clips(rated, drawn):
    folder, params = rated
    found = speaker_folds.cross_validate(params, "vlogs", folder, progress=False)
    assert set(found["n"]) == {COUNT - 1} and set(found["n_speakers"]) == {VIDEOS}
    alone = found[found["against"] == ""].set_index(["method", "metric", "target"])
    features, true, speakers = drawn
    kept = np.arange(COUNT - 1)
    values = {name: each[kept] for name, each in features.items()}
    expected = out_of_fold_traits(
        values, true[kept], speakers[kept], hashed_folds(speakers[kept], 4)
    )
    for name in ("face", "text", ALL, STACKED):
        # the stored features are float32, and get a constant, the logarithm of a step
        pairs = zip(true[kept].T, expected[name].T, strict=True)
        r = [np.corrcoef(*pair)[0, 1] for pair in pairs]
        rows = [alone.loc[(name, "r", trait), "estimate"] for trait in TRAITS]
        np.testing.assert_allclose(rows, r, atol=1e-4)
        mean = alone.loc[(name, "r", "mean"), "estimate"]
        assert mean == pytest.approx(np.mean(rows))
        error = np.abs(true[kept] - expected[name]).mean()
        assert alone.loc[(name, "mACC", "mean"), "estimate"] == pytest.approx(
            1 - error, abs=1e-5
        )
    assert set(alone.loc[GUESSING].index.get_level_values("metric")) == {"ACC", "mACC"}
    gains = found[found["against"] != ""]
    assert gains.groupby("method")["against"].unique().map(list).to_dict() == {
        ALL: ["face", "text"],
        STACKED: ["face", "text", ALL],
        KERNELS: ["face", "text", ALL, STACKED],
    }
    for row in gains.itertuples():
        key = row.metric.removesuffix(" above"), row.target
        difference = alone.loc[(row.method, *key), "estimate"]
        difference -= alone.loc[(row.against, *key), "estimate"]
        assert row.estimate == pytest.approx(difference)
        assert row.low <= row.estimate <= row.high
