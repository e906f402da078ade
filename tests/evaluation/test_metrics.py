import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import (
    balanced_accuracy_score,
    f1_score,
    recall_score,
    roc_auc_score,
)

from sslmepr.evaluation.metrics import (
    COLUMNS,
    emotion_draws,
    personality_draws,
    single_label_draws,
    tabulate,
)
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS
from sslmepr.statistics.cluster_bootstrap import Clusters

MEAN = np.full(5, 0.5)


def table_of(draws, *values, speaker_ids, resamples=2000, confidence=0.95, seed=0):
    """Table of a metric's draws over speakers."""
    speakers = Clusters(speaker_ids, resamples, seed)
    return tabulate(draws(*values, speakers), speakers, confidence)


def emotion_metrics(true, score, decided, ids, resamples=2000, **how):
    values = true, score, decided
    return table_of(emotion_draws, *values, speaker_ids=ids, resamples=resamples, **how)


def personality_metrics(true, predicted, mean, ids, resamples=2000, **how):
    values = true, predicted, mean
    return table_of(
        personality_draws, *values, speaker_ids=ids, resamples=resamples, **how
    )


def single_label_metrics(true, predicted, ids, resamples=2000, **how):
    values = true, predicted
    return table_of(
        single_label_draws, *values, speaker_ids=ids, resamples=resamples, **how
    )


def value(table, metric, target="mean", column="estimate"):
    rows = table[(table["metric"] == metric) & (table["target"] == target)]
    assert len(rows) == 1
    return rows[column].item()


def emotions(rng, count=60):
    true = rng.random((count, 6)) < 0.3
    score = np.clip(0.3 * true + rng.random((count, 6)) * 0.7, 0, 1)
    return true, score, score > 0.5


def test_weighted_accuracy_by_hand():
    # Per emotion: TP 1, FN 1, TN 2, FP 0 -> (1/2 + 1) / 2; F1 (2/3 + 4/5) / 2.
    true = np.repeat([[1], [1], [0], [0]], 6, axis=1).astype(bool)
    decided = np.repeat([[1], [0], [0], [0]], 6, axis=1).astype(bool)
    table = emotion_metrics(true, decided * 1.0, decided, list("abcd"), resamples=20)
    assert value(table, "WACC", "fear") == pytest.approx(0.75)
    assert value(table, "mWACC") == pytest.approx(0.75)
    assert value(table, "mUAR") == pytest.approx(0.75)
    assert value(table, "mF1") == pytest.approx((2 / 3 + 4 / 5) / 2)
    # Weighted accuracy as the paper writes it: (TP N/P + TN) / 2N.
    assert value(table, "mWACC") == pytest.approx((1 * 2 / 2 + 2) / (2 * 2))


def test_emotion_metrics_equal_sklearn():
    rng = np.random.default_rng(0)
    true, score, decided = emotions(rng)
    table = emotion_metrics(true, score, decided, np.arange(60) // 2, resamples=10)
    for column, name in enumerate(SCORED_EMOTIONS):
        here, mine = true[:, column], decided[:, column]
        assert value(table, "WACC", name) == pytest.approx(
            balanced_accuracy_score(here, mine)
        )
        assert value(table, "F1", name) == pytest.approx(
            f1_score(here, mine, average="macro")
        )
        assert value(table, "AUC", name) == pytest.approx(
            roc_auc_score(here, score[:, column])
        )
    assert set(table["n"]) == {60} and set(table["n_speakers"]) == {30}


def test_emotion_without_positives_is_undefined_not_zero():
    rng = np.random.default_rng(1)
    true, score, decided = emotions(rng)
    true[:, 2] = False
    table = emotion_metrics(true, score, decided, np.arange(60), resamples=30)
    for column in ("estimate", "low", "high"):
        assert np.isnan(value(table, "WACC", "fear", column))
        assert np.isnan(value(table, "F1", "fear", column))
    others = [value(table, "WACC", e) for e in SCORED_EMOTIONS if e != "fear"]
    assert value(table, "mWACC") == pytest.approx(np.mean(others))
    assert value(table, "mWACC", column="targets") == 5
    assert value(table, "mUAR", column="targets") == 5


def test_personality_by_hand():
    true = np.tile([[0.2], [0.4], [0.9]], 5)
    predicted = np.tile([[0.3], [0.4], [0.7]], 5)
    table = personality_metrics(true, predicted, MEAN, ["a", "b", "c"], resamples=10)
    assert value(table, "mACC") == pytest.approx(1 - 0.3 / 3)
    y, p = true[:, 0], predicted[:, 0]
    expected = 2 * np.mean((y - y.mean()) * (p - p.mean()))
    expected /= y.var() + p.var() + (y.mean() - p.mean()) ** 2
    assert value(table, "CCC", "openness") == pytest.approx(expected)
    assert value(table, "CCC pooled", "pooled") == pytest.approx(expected)
    assert value(table, "skill") == pytest.approx(1 - 0.1 / (0.8 / 3))


def test_constant_prediction_has_no_concordance_but_pooled_has():
    rng = np.random.default_rng(2)
    true = np.clip(rng.normal([0.3, 0.4, 0.5, 0.6, 0.7], 0.1, (50, 5)), 0, 1)
    mean = true.mean(0)
    table = personality_metrics(true, np.tile(mean, (50, 1)), mean, np.arange(50), 10)
    assert value(table, "CCC") == pytest.approx(0)
    assert value(table, "CCC pooled", "pooled") > 0.3
    assert value(table, "skill") == pytest.approx(0)


def test_single_label_equals_sklearn():
    rng = np.random.default_rng(3)
    true = rng.integers(0, 7, 200)
    predicted = np.where(rng.random(200) < 0.5, true, rng.integers(0, 7, 200))
    table = single_label_metrics(true, predicted, np.arange(200) // 4, resamples=10)
    assert value(table, "weighted F1") == pytest.approx(
        f1_score(true, predicted, average="weighted")
    )
    assert value(table, "macro F1") == pytest.approx(
        f1_score(true, predicted, average="macro")
    )
    assert value(table, "UAR") == pytest.approx(
        recall_score(true, predicted, average="macro")
    )
    assert value(table, "macro F1", column="targets") == len(EMOTIONS)


def test_intervals_resample_speakers_not_clips():
    rng = np.random.default_rng(4)
    true, predicted = rng.random((40, 5)), rng.random((40, 5))
    once = personality_metrics(true, predicted, MEAN, np.arange(40), 500)
    copies = [np.repeat(each, 25, axis=0) for each in (true, predicted)]
    speakers = np.repeat(np.arange(40), 25)
    often = personality_metrics(*copies, MEAN, speakers, 500)
    for metric in ("mACC", "CCC"):
        for column in ("estimate", "low", "high"):
            assert value(once, metric, column=column) == pytest.approx(
                value(often, metric, column=column)
            )


def test_a_table_of_few_speakers_has_t_intervals_within_what_a_metric_can_be():
    """By hand: two of four speakers get everything right, two half of it."""
    names = np.repeat(list("abcd"), 10)
    values = np.where(np.isin(names, ["a", "b"]), 1.0, np.tile([0.0, 1.0], 20))
    speakers = Clusters(names, 100, 0)
    share = speakers.total(values) / speakers.total(np.ones(40))
    undefined = np.full(len(share), np.nan)
    draws = {("ACC", "openness"): share, ("CCC", "openness"): 1.2 * share - 1.5}
    table = tabulate(draws | {("skill", "openness"): undefined}, speakers, 0.95)
    assert list(table) == COLUMNS
    half = stats.t.ppf(0.975, 3) * np.std([1, 1, 0.5, 0.5], ddof=1) / 2
    assert half == pytest.approx(0.459, abs=0.001)
    accuracy, concordance, skill = table.to_dict("records")
    assert accuracy["estimate"] == 0.75 and accuracy["high"] == 1
    assert accuracy["low"] == pytest.approx(0.75 - half)
    assert concordance["low"] == -1
    assert concordance["high"] == pytest.approx(1.2 * (0.75 + half) - 1.5)
    assert accuracy["interval"] == concordance["interval"] == "cluster_t"
    assert skill["interval"] == "none" and np.isnan(skill["low"])
    assert set(table["n"]) == {40} and set(table["n_speakers"]) == {4}


def test_same_seed_same_interval_and_one_speaker_has_none():
    rng = np.random.default_rng(6)
    true, score, decided = emotions(rng)
    first, second = (
        emotion_metrics(true, score, decided, np.arange(60), 50, seed=3)
        for _ in range(2)
    )
    assert first.equals(second)
    alone = emotion_metrics(true, score, decided, np.zeros(60), 50)
    assert alone["low"].isna().all() and alone["estimate"].notna().all()
    assert set(alone["interval"]) == {"none"}


def test_bad_input():
    with pytest.raises(ValueError, match="at least one clip"):
        personality_metrics(np.zeros((0, 5)), np.zeros((0, 5)), MEAN, [])
    with pytest.raises(ValueError, match="shapes differ"):
        personality_metrics(np.zeros((2, 5)), np.zeros((2, 4)), MEAN, ["a", "b"])
    with pytest.raises(ValueError, match="3 speaker ids, but 2 clips"):
        personality_metrics(np.zeros((2, 5)), np.zeros((2, 5)), MEAN, list("abc"))
