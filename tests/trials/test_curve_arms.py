"""Ways of learning: stretching, single modalities, and the published schedule."""

import numpy as np
import pandas as pd
import pytest
from drawn_fusion import drawn_data, short_training

from sslmepr.trials import curve_arms

PARAMS = short_training(1, missing=0.4)


@pytest.fixture(scope="module")
def data():
    return drawn_data(PARAMS, 100)


def test_stretched_scores_have_mean_and_spread_of_the_labels_on_dev():
    rng = np.random.default_rng(0)
    true = rng.normal(0.5, 0.15, (200, 5))
    known = 0.3 + 0.2 * true
    found = curve_arms.stretched(known, known, true)
    np.testing.assert_allclose(found, true)
    constant = np.full((3, 5), 0.3)
    found = curve_arms.stretched(constant, constant, true[:3])
    np.testing.assert_allclose(found, np.tile(true[:3].mean(0), (3, 1)))


def test_an_absent_modality_says_what_is_usual(data):
    found = dict(curve_arms.modalities(PARAMS, data, 0))
    assert list(found) == [f"{name} alone" for name in curve_arms.MODALITIES]
    for place, predicted in enumerate(found.values()):
        gone = ~data.present.numpy()[:, place]
        assert gone.any()
        for values in predicted.targets.values():
            assert np.ptp(values[gone], axis=0).max() == 0
            assert np.ptp(values[~gone], axis=0).min() > 0


def test_the_published_method_has_its_schedule_and_the_best_rate_on_dev(
    data, monkeypatch
):
    tried = []

    def train_variant(params, variant, data, projectors, seed, *_, schedule):
        assert variant.as_published and params.fusion.batch == 32
        assert (schedule.epochs, schedule.patience) == (100, 15)
        assert schedule.weight_decay == 1e-5 and schedule.plateau
        tried.append(schedule.learning_rate)
        score = {0.0001: 0.1, 0.0003: 0.2, 0.001: 0.4, 0.002: 0.3}
        history = pd.DataFrame({"dev_score": [0.0, score[schedule.learning_rate], 0]})
        return schedule.learning_rate, history

    def predict_fused(model, data, rows):
        rng = np.random.default_rng(0)
        return {
            "emotion": np.full((len(rows), 7), model),
            "personality": model * rng.random((len(rows), 5)),
        }

    monkeypatch.setattr(curve_arms, "train_variant", train_variant)
    monkeypatch.setattr(curve_arms, "predict_fused", predict_fused)
    found = dict(curve_arms.as_published(PARAMS, data, 0))
    assert tried == list(curve_arms.RATES)
    own, other = found["as published"], found["as published, recalibrated"]
    assert (own.targets["emotion"] == 0.001).all()
    assert own.thresholds == pytest.approx(np.full(6, 1 / 7))
    assert other.thresholds == pytest.approx(curve_arms.base_rates(data))
    dev = data.rows("personality", "dev")
    true = data.clips.labels["personality"][dev]
    assert other.targets["personality"][dev].std(0) == pytest.approx(
        true.std(0), rel=1e-5
    )


def test_each_task_is_trained_by_itself(data, monkeypatch):
    seen = []

    def train_on(params, data, arm, seed):
        seen.append(arm.variant.tasks)
        (task,) = arm.variant.tasks
        return {task: len(seen)}, None

    monkeypatch.setattr(curve_arms, "train_on", train_on)
    monkeypatch.setattr(curve_arms, "recalibrated", lambda *given: given[2])
    found = dict(curve_arms.single_task(PARAMS, data, 0))["single-task"]
    assert seen == [["emotion"], ["personality"]]
    assert found == {"emotion": 1, "personality": 2}
