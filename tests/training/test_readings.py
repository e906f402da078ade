"""What is special about a clip, found without labels."""

import numpy as np
import pytest
from tiny_fusion import ROLES, data_of

from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.training.readings import fit_contrary, fit_quality, fit_readings

CLIPS = 3000


def scores(rng, targets=4):
    """What others say (clip, score), and what a modality should say (clip, target)."""
    others = rng.standard_normal((CLIPS, 6))
    return others, others @ rng.standard_normal((6, targets)) / 2


def test_quality_is_the_negative_log_variance():
    rng = np.random.default_rng(0)
    others, expected = scores(rng)
    features = 3 + 2 * rng.standard_normal((CLIPS, 5))
    slope = np.array([0.5, -0.25, 0.0, 0.0, 0.1])
    true = (features - 3) @ slope
    error = np.exp(-true / 2)[:, None] * rng.standard_normal(expected.shape)
    weights, bias = fit_quality(features, others, expected + error)
    # The standard error is that of a regression on the log of a gamma variable:
    # sqrt(2 / targets / clips) for a feature of unit variance.
    assert weights == pytest.approx(slope, abs=5 * np.sqrt(2 / 4 / CLIPS) / 2)
    assert (features @ weights + bias).mean() == pytest.approx(0, abs=1e-9)


def test_quality_solves_its_own_equation():
    """At the solution, the slope of the penalised likelihood is 0."""
    rng = np.random.default_rng(1)
    others, expected = scores(rng)
    features = rng.standard_normal((CLIPS, 3))
    own = expected + rng.standard_normal(expected.shape)
    weights, _ = fit_quality(features, others, own)
    scale = features.std(0) + 1e-6
    scaled = (features - features.mean(0)) / scale
    design = np.column_stack([others / (others.std(0) + 1e-9), np.ones(CLIPS)])
    penalty = np.diag([0.01 * CLIPS] * 6 + [1e-6])
    error = own - design @ np.linalg.solve(design.T @ design + penalty, design.T @ own)

    def likelihood(vector):
        precision = np.exp(scaled @ vector)
        common = (error * precision[:, None]).T @ error / CLIPS
        value = (
            4 * (scaled @ vector).sum() / 2 - CLIPS * np.linalg.slogdet(common)[1] / 2
        )
        return value - 3 * vector @ vector / 2

    found = weights * scale
    best = likelihood(found)
    for step in 1e-3 * np.vstack([np.eye(3), -np.eye(3)]):
        assert likelihood(found + step) < best + 1e-6


@pytest.mark.parametrize("level", [0.0, -1.7])
def test_a_modality_that_says_the_same_of_all_clips_changes_nothing(level):
    """As one does that no clip with labels has."""
    rng = np.random.default_rng(2)
    others, expected = scores(rng)
    features = rng.standard_normal((CLIPS, 3))
    own = expected + rng.standard_normal(expected.shape)
    constant = np.full((CLIPS, 7), level) + 1e-12 * rng.standard_normal((CLIPS, 7))
    more = np.hstack([others, constant])
    for fit in (fit_quality, fit_contrary):
        for found, plain in zip(
            fit(features, more, own), fit(features, others, own), strict=True
        ):
            assert found == pytest.approx(plain, rel=1e-6, abs=1e-9)


def test_contrary_words_are_found():
    rng = np.random.default_rng(2)
    others, expected = scores(rng)
    contrary = rng.random(CLIPS) < 0.2
    marker = 3.0 * contrary + rng.standard_normal(CLIPS)
    features = np.column_stack([marker, rng.standard_normal((CLIPS, 2))])
    sign = np.where(contrary, -1, 1)[:, None]
    own = sign * expected + 0.5 * rng.standard_normal(expected.shape)
    weights, bias, usual = fit_contrary(features, others, own)
    # Log odds of two Gaussians: 3 r - 4.5 + log(0.2 / 0.8).
    assert weights[0] == pytest.approx(3.0, abs=0.5)
    assert weights[1:] == pytest.approx([0, 0], abs=0.3)
    assert bias == pytest.approx(np.log(0.25) - 4.5, abs=0.8)
    assert usual == pytest.approx(np.log(0.25), abs=0.2)


PROJECTORS = {task: PredictProjector(task, 3) for task in ("emotion", "personality")}


def test_readings_of_a_study_need_no_labels():
    rng = np.random.default_rng(3)
    data = data_of(rng.random((200, 3)) < 0.9, rng)
    readings = fit_readings(ROLES, data, PROJECTORS)
    quality, odds = readings(data.batch(data.predictable()).inputs)
    assert quality.isfinite().all() and odds.isfinite().all()
    assert quality.std(0).gt(0).all() and odds.std() > 0
    alone = fit_readings(ROLES, data, {"personality": PROJECTORS["personality"]})
    _, odds = alone(data.batch(data.predictable()).inputs)
    assert odds.eq(0).all()  # without emotions, no words are contrary


def test_few_clips_say_nothing():
    rng = np.random.default_rng(4)
    alone = np.eye(3, dtype=bool)[np.arange(60) % 3]  # no clip has two modalities
    data = data_of(alone, rng)
    readings = fit_readings(ROLES, data, PROJECTORS)
    quality, odds = readings(data.batch(data.predictable()).inputs)
    assert quality.eq(0).all() and odds.eq(0).all()
