"""Stacking regression against a general optimiser."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import log_loss

from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import FOLDS, speaker_folds
from sslmepr.training.stacking_regression import (
    CROSS_TARGET_PENALTY,
    SHARED_PENALTY,
    StackingRegression,
)

TASKS = pytest.mark.parametrize("task", ["emotion", "personality"])


def minimum(design, label, penalty, offset, emotional):
    """Weights and intercept of a penalised regression around an offset, by BFGS."""

    def loss(values):
        output = design @ values[:-1] + values[-1] + offset
        if emotional:
            each, slope = np.logaddexp(0, output) - label * output, expit(output)
        else:
            each, slope = (output - label) ** 2 / 2, output
        off = slope - label
        gradient = np.append(design.T @ off + penalty * values[:-1], off.sum())
        return each.sum() + penalty @ values[:-1] ** 2 / 2, gradient

    start = np.zeros(design.shape[1] + 1)
    found = minimize(loss, start, jac=True, method="BFGS", options={"gtol": 1e-7}).x
    return found[:-1], found[-1]


def reference(task, penalty, features, true, mean, scale):
    """Weights and biases, for features less `mean` over `scale`, of partial pooling."""
    emotional, (clips, targets) = task == "emotion", true.shape
    scaled, known = (features - mean) / scale, true > 0 if emotional else true
    logits, held = (features - mean).reshape(clips, -1, targets), penalty
    if emotional:
        held = 1 / penalty
    # One regression of all labels, with an intercept for each target.
    stacked = np.concatenate([*np.moveaxis(logits, 2, 0)])
    intercepts = np.repeat(np.eye(targets), clips, 0)
    free = np.full(targets, 1e-9)
    holding = np.concatenate([np.full(stacked.shape[1], SHARED_PENALTY), free])
    design = np.hstack([stacked, intercepts])
    shared, _ = minimum(design, known.T.ravel(), holding, 0.0, emotional)
    weights, bias = np.zeros((targets, features.shape[1])), np.zeros(targets)
    for target in range(targets):
        common = np.zeros(features.shape[1])
        mine = np.arange(len(common)) % targets == target
        common[mine] = shared[: stacked.shape[1]] * scale[mine]
        holding = held * np.where(mine, 1.0, CROSS_TARGET_PENALTY)
        offset, label = scaled @ common, known[:, target]
        own, bias[target] = minimum(scaled, label, holding, offset, emotional)
        weights[target] = common + own
    return weights, bias


def moments(features):
    return features.mean(0), features.std(0) + 1e-6


@TASKS
def test_targets_are_drawn_to_weights_that_they_share(task):
    """Equals two regressions, of all labels and of each target around them."""
    rng = np.random.default_rng(5)
    targets = 7 if task == "emotion" else 5
    features = rng.standard_normal((50, 3 * targets)) * 2 + 1
    mean = features.reshape(50, 3, targets).mean(1)
    true = mean - 1 + 0.5 * rng.standard_normal(mean.shape)
    true = (true > 0) * 0.7 if task == "emotion" else 0.5 + 0.1 * true
    speakers = np.repeat(list("abcdefghij"), 5)
    model = StackingRegression(task, features[:40], true[:40], features[40:], true[40:])
    known = features[:40]
    found = reference(task, model.penalty, known, true[:40], *moments(known))
    np.testing.assert_allclose(model.weights, found[0], atol=1e-3)
    np.testing.assert_allclose(model.bias, found[1], atol=1e-3)
    assert model.out_of_fold(speakers[:40]).shape == (40, targets)


@TASKS
def test_with_the_largest_penalty_all_targets_are_alike(task):
    rng = np.random.default_rng(1)
    targets = 7 if task == "emotion" else 5
    true = rng.random((200, targets))
    features = np.hstack([true + rng.standard_normal(true.shape), true / 2])
    true = true * (true > 0.5) if task == "emotion" else true
    model = StackingRegression(task, features, true, features[:0], true[:0])
    penalty = 1e-9 if task == "emotion" else 1e9
    weights, bias = model._to_logits(*model._fits(penalty, np.ones((1, 200)))[0])
    cubes = weights.reshape(targets, 2, targets)
    own = np.diagonal(cubes, axis1=0, axis2=2)
    np.testing.assert_allclose(own, own[:, :1].repeat(targets, 1), rtol=1e-3)
    assert (
        np.abs(cubes[~np.eye(targets, dtype=bool)[:, None].repeat(2, 1)]).max() < 1e-4
    )


def test_an_emotion_that_all_or_no_clips_show_has_its_base_rate():
    rng = np.random.default_rng(4)
    true = (rng.random((60, 7)) < 0.4) * 0.5
    true[:, 2], true[:, 5] = 0.0, 1.0
    features = np.hstack([true + rng.standard_normal(true.shape)] * 2)
    model = StackingRegression("emotion", features, true, features[:0], true[:0])
    assert not model.weights[[2, 5]].any()
    assert model.bias[[2, 5]] == pytest.approx(np.log([0.5 / 59.5, 59.5 / 0.5]))


def test_stacking_maximises_the_dev_likelihood_over_penalties():
    """Targets of unlike strength ask for weights of their own, though not for all."""
    rng = np.random.default_rng(2)
    true = rng.random((400, 7)) < 0.3
    shown = true * np.linspace(-0.5, 2.5, 7) + rng.standard_normal((400, 7))
    features = np.tile(shown, (1, 3))
    train, dev = (features[:300], true[:300]), (features[300:], true[300:])
    model = StackingRegression("emotion", *train, *dev)
    losses = {}
    for C in StackingRegression.grids["emotion"]:
        law = reference("emotion", C, train[0], train[1], *moments(train[0]))
        mean, scale = moments(train[0])
        chances = expit((dev[0] - mean) / scale @ law[0].T + law[1])
        losses[C] = log_loss(dev[1].ravel(), chances.ravel())
    assert model.penalty == min(losses, key=losses.get) > min(losses)


@TASKS
def test_cross_fitted_score_is_that_of_fits_without_the_fold(task):
    rng = np.random.default_rng(8)
    true = rng.random((60, 7 if task == "emotion" else 5))
    targets = true.shape[1]
    features = np.tile(true, (1, 3)) + 0.5 * rng.standard_normal((60, 3 * targets))
    true = true * (true > 0.5) if task == "emotion" else true
    speakers = np.repeat(np.arange(15), 4)
    rest = features[:0], true[:0]
    model = StackingRegression(task, features, true, *rest)
    mean, scale = moments(features)
    predicted = np.zeros_like(true)
    for unseen in speaker_folds(speakers, FOLDS):
        seen = np.setdiff1d(np.arange(60), unseen)
        law = reference(task, model.penalty, features[seen], true[seen], mean, scale)
        output = (features[unseen] - mean) / scale @ law[0].T + law[1]
        predicted[unseen] = expit(output) if task == "emotion" else output.clip(0, 1)
    if task == "emotion":
        expected = -log_loss((true > 0).ravel(), predicted.ravel())
    else:
        expected = dev_score(task, true, predicted)
    assert model.cross_fitted_score(speakers) == pytest.approx(expected, abs=1e-3)


@TASKS
def test_the_penalty_that_predicts_left_out_folds_best(task):
    """Dev clips that ask for the largest penalty are not asked."""
    rng = np.random.default_rng(9)
    true = rng.random((80, 7 if task == "emotion" else 5))
    targets = true.shape[1]
    features = np.tile(true, (1, 2)) + 0.5 * rng.standard_normal((80, 2 * targets))
    true = true * (true > 0.5) if task == "emotion" else true
    dev = -features[:30], true[:30]  # turned round
    speakers = np.repeat(np.arange(20), 4)
    model, other = (StackingRegression(task, features, true, *dev) for _ in range(2))
    found = model.choose_by_cross_fitting(speakers)
    scores, predicted = {}, {}
    for penalty in StackingRegression.grids[task]:
        other.penalty = penalty
        scores[penalty] = other.cross_fitted_score(speakers)
        weights, bias = other._fits(penalty, np.ones((1, 80)))[0]
        predicted[penalty] = other._output(features, weights, bias)
    best = max(scores, key=lambda each: scores[each])
    assert model.penalty == best and found == scores[best]
    np.testing.assert_allclose(model.predict(features), predicted[best], rtol=1e-6)


@TASKS
def test_refitted_weights_are_those_of_fits_to_resampled_speakers(task):
    rng = np.random.default_rng(5)
    targets, speakers = 3, np.arange(60) % 20
    features = rng.standard_normal((60, 2 * targets))
    latent = features[:, :targets] + features[:, targets:] / 2
    true = latent + rng.standard_normal((60, targets))
    if task == "personality":
        true = 0.5 + 0.1 * true
    model = StackingRegression(task, features, true, features[:0], true[:0])
    middle = StackingRegression.grids[task]
    assert model.penalty == middle[len(middle) // 2]
    refits = model.refitted_modality_weights(speakers, 4, seed=7)
    assert refits.shape == (4, 2)
    drawn = np.random.default_rng(7).integers(20, size=(4, 20))
    for weights, chosen in zip(refits, drawn, strict=True):
        rows = np.concatenate([np.flatnonzero(speakers == one) for one in chosen])
        chosen = features[rows], true[rows]
        law = reference(task, model.penalty, *chosen, *moments(features))
        cubes = law[0].reshape(targets, 2, targets)
        expected = np.diagonal(cubes, axis1=0, axis2=2).T
        assert weights == pytest.approx(np.mean(expected, 0), abs=2e-3)
