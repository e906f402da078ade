import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from sslmepr.learning.predictions import choose_thresholds, dev_score, is_single_label


def test_threshold_separates_what_can_be_separated():
    score = np.array([[0.1], [0.2], [0.6], [0.9]])
    found = choose_thresholds(score > 0.5, score)
    assert 0.2 < found[0] <= 0.6


def test_threshold_is_near_the_best_balanced_accuracy():
    rng = np.random.default_rng(0)
    present = rng.random((300, 2)) < 0.2
    score = np.clip(0.15 * present + rng.random((300, 2)) * 0.5, 0, 1)
    for column, threshold in enumerate(choose_thresholds(present, score)):
        here = present[:, column]
        best = max(
            balanced_accuracy_score(here, score[:, column] >= cut)
            for cut in score[:, column]
        )
        mine = balanced_accuracy_score(here, score[:, column] >= threshold)
        assert best - 0.04 <= mine <= best


def test_threshold_without_positives_and_of_a_constant():
    absent, constant = np.zeros((4, 1), bool), np.full((4, 1), 0.3)
    assert choose_thresholds(absent, np.random.default_rng(0).random((4, 1))) == [0.5]
    present = np.array([[True], [False], [False], [False]])
    assert np.isfinite(choose_thresholds(present, constant)).all()


def test_dev_score_of_emotions_leaves_neutral_and_unlabelled_out():
    true = np.zeros((5, 7))
    true[:2, 1] = 1
    true[4] = np.nan
    predicted = np.tile([[0.0], [0.9], [0.5], [0.4], [1.0]], 7)
    predicted[:2, 1] = 0.8
    assert dev_score("emotion", true, predicted) == 1.0
    assert np.isnan(dev_score("emotion", true[2:4], predicted[2:4]))


def test_dev_score_of_traits():
    rng = np.random.default_rng(0)
    true = rng.random((30, 5))
    assert dev_score("personality", true, true) == pytest.approx(1)
    mean = np.tile(true.mean(0), (30, 1))
    assert dev_score("personality", true, mean) == pytest.approx(0)
    assert np.isnan(dev_score("personality", np.full((3, 5), np.nan), mean[:3]))


def test_single_label():
    assert is_single_label(np.eye(7))
    assert not is_single_label(np.ones((2, 7)))
    with pytest.raises(ValueError, match="expected 7 emotions, got 6"):
        is_single_label(np.eye(6))
