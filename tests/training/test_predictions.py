import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score

from sslmepr.labels import (
    SCORED_EMOTIONS,
    TRAITS,
    Model,
)
from sslmepr.training.clips import StudyClips
from sslmepr.training.predictions import (
    dev_score,
    is_single_label,
    prediction_table,
    training_thresholds,
)


def clips(emotions, splits):
    table = pd.DataFrame({"corpus": "a", "split": splits})
    return StudyClips(table, {"emotion": np.asarray(emotions, np.float32)}, ["a"])


def test_thresholds_are_base_rates_of_training_clips():
    emotions = np.zeros((6, 7))
    emotions[:3, 1] = 0.4  # anger in three of four training clips with labels
    emotions[:, 2] = 1.0  # disgust in all
    emotions[5, 3:] = 1.0  # a dev clip, which must not count
    emotions[4] = np.nan
    found = training_thresholds(clips(emotions, ["train"] * 5 + ["dev"]), "a")
    assert list(found) == list(SCORED_EMOTIONS)
    assert list(found.values()) == [0.75, 0.5, 0.5, 0.5, 0.5, 0.5]


def test_base_rates_are_the_best_thresholds_of_calibrated_probabilities():
    rng = np.random.default_rng(0)
    probability = rng.beta(1, 5, 40_000)
    present = rng.random(40_000) < probability
    emotions = np.zeros((40_000, 7))
    emotions[:, 1] = present
    threshold = training_thresholds(clips(emotions, ["train"] * 40_000), "a")["anger"]
    mine = balanced_accuracy_score(present, probability >= threshold)
    for other in (0.5 * threshold, 0.8 * threshold, 1.25 * threshold, 2 * threshold):
        assert mine > balanced_accuracy_score(present, probability >= other)


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


def test_every_row_names_its_model():
    table = pd.DataFrame(
        {"clip_id": ["x", "y"], "corpus": ["a", "b"], "split": ["dev", "test"]}
    )
    study = StudyClips(table, {}, ["a", "b"])
    model = Model("fusion", variant="my-variant")
    values = np.arange(5) / 8
    found = prediction_table(study, [1], "personality", [values], model, 3)
    assert found.to_dict("list") == {
        "clip_id": ["y"] * 5,
        "corpus": ["b"] * 5,
        "split": ["test"] * 5,
        "stage": ["fusion"] * 5,
        "modality": ["fused"] * 5,
        "task": ["personality"] * 5,
        "variant": ["my-variant"] * 5,
        "seed": [3] * 5,
        "target": list(TRAITS),
        "predicted": values.tolist(),
    }
