"""Stacking regression against scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import log_loss
from sklearn.preprocessing import StandardScaler

from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import FOLDS, speaker_folds
from sslmepr.training.stacking_regression import (
    CROSS_TARGET_PENALTY,
    StackingRegression,
)

TASKS = pytest.mark.parametrize("task", ["emotion", "personality"])


def reference_logits(task, penalty, features, true):
    """Logits of all clips from a fit to the first 40, which are not scaled again."""
    if task == "personality":
        fitted = Ridge(alpha=penalty).fit(features[:40], true)
        return 4 * (fitted.predict(features) - 0.5)
    fitted = LogisticRegression(C=penalty, tol=1e-8, max_iter=1000)
    return fitted.fit(features[:40], true > 0).decision_function(features)


@TASKS
def test_stacking_penalises_cross_target_weights_more(task):
    """Equals scikit-learn on features of other targets scaled down."""
    rng = np.random.default_rng(5)
    targets = 7 if task == "emotion" else 5
    features = rng.standard_normal((50, 3 * targets)) * 2 + 1
    mean = features.reshape(50, 3, targets).mean(1)
    true = mean - 1 + 0.5 * rng.standard_normal(mean.shape)
    true = (true > 0) * 0.7 if task == "emotion" else 0.5 + 0.1 * true
    speakers = np.repeat(list("abcdefghij"), 5)
    model = StackingRegression(task, features[:40], true[:40], features[40:], true[40:])
    weights, bias = model.probe()
    logits = features @ weights.T + bias
    scaled = StandardScaler().fit(features[:40]).transform(features)
    for target in range(targets):
        mine = np.arange(3 * targets) % targets == target
        size = np.where(mine, 1.0, CROSS_TARGET_PENALTY**-0.5)
        known = true[:40, target]
        alone = reference_logits(task, model.penalty, scaled * size, known)
        assert logits[:, target] == pytest.approx(alone, abs=1e-3)
    assert model.out_of_fold(speakers[:40]).shape == (40, targets)


def test_stacking_maximises_the_dev_likelihood_over_penalties():
    """The ranking of clips is the same for every C, but calibration is not."""
    rng = np.random.default_rng(2)
    true = rng.random((400, 7)) < 0.3
    features = np.tile(true + rng.standard_normal((400, 7)), (1, 3))
    train, dev = (features[:300], true[:300]), (features[300:], true[300:])
    model = StackingRegression("emotion", *train, *dev)
    losses = {}
    scaled = StandardScaler().fit(features[:300]).transform(features)
    for C in StackingRegression.grids["emotion"]:
        chances = []
        for target in range(7):
            mine = np.arange(21) % 7 == target
            sized = scaled * np.where(mine, 1.0, CROSS_TARGET_PENALTY**-0.5)
            fitted = LogisticRegression(C=C, tol=1e-8)
            fitted.fit(sized[:300], train[1][:, target])
            chances.append(fitted.predict_proba(sized[300:])[:, 1])
        losses[C] = log_loss(dev[1].ravel(), np.array(chances).T.ravel())
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
    scaled = StandardScaler().fit(features).transform(features)
    predicted = np.zeros_like(true)
    for unseen in speaker_folds(speakers, FOLDS):
        seen = np.setdiff1d(np.arange(60), unseen)
        for target in range(targets):
            mine = np.arange(3 * targets) % targets == target
            sized = scaled * np.where(mine, 1.0, CROSS_TARGET_PENALTY**-0.5)
            known = true[seen, target]
            if task == "personality":
                fitted = Ridge(alpha=model.penalty).fit(sized[seen], known)
                found = fitted.predict(sized[unseen]).clip(0, 1)
            else:
                fitted = LogisticRegression(C=model.penalty, tol=1e-8, max_iter=1000)
                fitted.fit(sized[seen], known > 0)
                found = fitted.predict_proba(sized[unseen])[:, 1]
            predicted[unseen, target] = found
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
        scaled = (features - features.mean(0)) / (features.std(0) + 1e-6)
        expected = []
        for target in range(targets):
            own = np.arange(2 * targets) % targets == target
            size = np.where(own, 1.0, CROSS_TARGET_PENALTY**-0.5)
            if task == "emotion":
                fit = LogisticRegression(C=model.penalty, tol=1e-10, max_iter=1000)
                fit.fit((scaled * size)[rows], true[rows, target] > 0)
            else:
                fit = Ridge(model.penalty)
                fit.fit((scaled * size)[rows], true[rows, target])
            expected.append((fit.coef_.ravel() * size)[own])
        assert weights == pytest.approx(np.mean(expected, 0), abs=2e-3)
