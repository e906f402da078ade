import numpy as np
import pytest
from drawn_scores import CORPORA, MODALITIES, world
from sklearn.linear_model import Ridge

from sslmepr.association.probe_scores import (
    FOLDS,
    cross_fitted,
    score_table,
    scores_of,
    shifted_scores,
)
from sslmepr.training.probes import RIDGE_ALPHAS, speaker_folds


def clips(rng, count=60, width=5, targets=2):
    features = rng.standard_normal((count, width))
    true = features[:, :targets] + 0.5 * rng.standard_normal((count, targets))
    return features, true, np.array([f"s{n // 2}" for n in range(count)])


def test_scores_are_those_of_ridge_regressions_of_other_speakers():
    rng = np.random.default_rng(0)
    features, true, speakers = clips(rng)
    away = rng.standard_normal((7, 5))
    own, (others,) = cross_fitted(features, true, speakers, [away])
    scaled = (features - features.mean(0)) / features.std(0)
    apart = (away - features.mean(0)) / features.std(0)
    best = None
    for alpha in RIDGE_ALPHAS:
        predicted, found, error = np.zeros(true.shape), [], 0.0
        for rows in speaker_folds(speakers, FOLDS):
            rest = np.setdiff1d(np.arange(len(true)), rows)
            model = Ridge(alpha=alpha).fit(scaled[rest], true[rest])
            here = model.predict(scaled[rows])
            error += (((here - true[rows]) / true.std(0)) ** 2).sum()
            predicted[rows] = here - here.mean(0)
            found.append(apart @ model.coef_.T)
        if best is None or error < best[0]:
            best = error, predicted, np.mean(found, 0)
    np.testing.assert_allclose(own, best[1], atol=1e-5)
    np.testing.assert_allclose(others, best[2], atol=1e-5)


def test_a_clip_is_not_scored_by_a_probe_that_saw_its_speaker():
    rng = np.random.default_rng(1)
    features, true, speakers = clips(rng)
    own, _ = cross_fitted(features, true, speakers)
    changed = true.copy()
    changed[speakers == "s3"] += 5.0
    again, _ = cross_fitted(features, changed, speakers)
    mine = speakers == "s3"
    (fold,) = [rows for rows in speaker_folds(speakers, FOLDS) if mine[rows].any()]
    # Within the fold, differences of its clips do not depend on their labels.
    pair = np.flatnonzero(mine)
    before, after = (each[pair[0]] - each[pair[1]] for each in (own, again))
    others = np.setdiff1d(np.arange(len(true)), fold)
    assert not np.allclose(own[others], again[others])
    assert before == pytest.approx(after, abs=0.2)


def test_every_corpus_is_scored_and_absent_modalities_are_not():
    rng = np.random.default_rng(2)
    sizes = (60, 50, 20)
    features = {
        name: [rng.standard_normal((size, 4)) for size in sizes]
        for name in ("face", "text")
    }
    present = [np.ones((size, 2), bool) for size in sizes]
    present[0][:10, 0] = False
    present[1][:, 1] = False  # no labelled clip for traits has text
    labels = [rng.random((60, 6)) < 0.3, rng.standard_normal((50, 5))]
    speakers = [np.arange(size).astype(str) for size in sizes]
    emotion, personality, other = scores_of(features, present, labels, speakers)
    assert (emotion.emotions[:10, 0] == 0).all()
    assert emotion.emotions[10:, 0].std(0).min() > 0
    assert emotion.labels is labels[0] and other.labels is None
    assert other.emotions.shape == (20, 2, 6) and other.traits.shape == (20, 2, 5)
    # Without scores for one of the tasks, a modality is used nowhere.
    for each in (emotion, personality, other):
        assert not each.present[:, 1].any()


def test_a_shifted_penalty_is_that_many_places_larger():
    rng = np.random.default_rng(3)
    sizes = (60, 50, 20)
    features = {"face": [rng.standard_normal((size, 4)) for size in sizes]}
    present = [np.ones((size, 1), bool) for size in sizes]
    labels = [rng.random((60, 6)) < 0.3, rng.standard_normal((50, 5))]
    speakers = [np.arange(size).astype(str) for size in sizes]
    given = (features, present, labels, speakers)
    smallest, chosen, largest = shifted_scores(*given, (-20, 0, 20))
    for each, expected in zip(chosen, scores_of(*given), strict=True):
        np.testing.assert_array_equal(each.emotions, expected.emotions)
        np.testing.assert_array_equal(each.traits, expected.traits)
    scaled = features["face"][0] - features["face"][0].mean(0)
    scaled /= features["face"][0].std(0)
    for alpha, found in ((RIDGE_ALPHAS[0], smallest), (RIDGE_ALPHAS[-1], largest)):
        rows = speaker_folds(speakers[0], FOLDS)[0]
        rest = np.setdiff1d(np.arange(60), rows)
        model = Ridge(alpha=alpha).fit(scaled[rest], labels[0][rest])
        here = model.predict(scaled[rows])
        np.testing.assert_allclose(
            found[0].emotions[rows, 0], here - here.mean(0), atol=1e-5
        )


def test_the_table_of_scores_holds_what_clips_have_and_nothing_else():
    scores, _ = world(np.random.default_rng(3), clips=(40, 30, 20))
    table = score_table(scores, CORPORA, MODALITIES).set_index("corpus")
    assert len(table) == 90 and table.shape[1] == 1 + 11 + 3 * 11
    rated = table.loc["emotion"]
    assert set(rated["happiness"]) == {0.0, 1.0} and rated["openness"].isna().all()
    np.testing.assert_array_equal(rated["happiness"] > 0, scores[0].labels[:, 3])
    np.testing.assert_array_equal(
        table.loc["personality", "emotional_stability"], scores[1].labels[:, 4]
    )
    joint = table.loc["joint"]
    assert joint[["anger", "openness"]].isna().all(axis=None)
    there = scores[2].present[:, 1]
    np.testing.assert_array_equal(joint["body_fear"].notna(), there)
    seen = joint["body_fear"].to_numpy()[there]
    np.testing.assert_array_equal(seen, scores[2].emotions[there, 1, 2])
    seen = joint["body_extraversion"].to_numpy()[there]
    np.testing.assert_array_equal(seen, scores[2].traits[there, 1, 2])
    assert joint["speaker_id"].tolist() == scores[2].speakers.tolist()
