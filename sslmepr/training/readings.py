"""What is special about a clip, learned from clips without labels.

How well a modality was seen, and whether words are contrary, are never labelled. But
they show in how far the unimodal predictions of a modality are from what the others
lead to expect, on every clip of every corpus: the model of stage 3 reads both from
features, and the probes for it are fitted here. Where measures of quality are among the
features (`sslmepr.encoders.quality`), quality is read from them alone: from some
hundreds of features of an encoder and some hundreds of clips it cannot be learned.
"""

from collections.abc import Mapping

import numpy as np
import torch

from sslmepr.labels import TASKS
from sslmepr.models.fusion_parts import (
    CONTRADICTS,
    CONTRARY,
    PredictProjector,
    Readings,
)
from sslmepr.params import Params
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.probes import mean_and_scale

SHRINKAGE = 0.01
"""L2 penalty of the regression of one modality on the others, per clip and for
predictors of unit variance. By convention, not tuned."""

QUALITY_VARIANCE, ODDS_VARIANCE = 1.0, 10.0
"""Prior variance of log precisions and of log odds, all features together. By
convention, not tuned."""

FIRST_SHARE = 0.15
"""Share of contrary words from which expectation maximisation starts."""

CONSTANT = 1e-6
"""Largest standard deviation of scores, whose usual one is 1, that is rounding."""

ROUNDS = 20
"""Of both algorithms."""

LARGEST_EXPONENT = 6.0
"""Bound of log variances and log odds while they are fitted."""


def fit_readings(
    params: Params, data: FusionClips, projectors: Mapping[str, PredictProjector]
) -> Readings:
    """Fit the readings of a study to all its training and dev clips, without labels.

    Parameters
    ----------
    params : Params
        Section ``roles``.
    data : FusionClips
    projectors : mapping of str to PredictProjector
        By task; their centred logits are the unimodal predictions.

    Returns
    -------
    Readings
        A reading says nothing where there are too few clips: one for each target, with
        another modality beside it.
    """
    corpora = dict.fromkeys(getattr(params.roles, task) for task in TASKS)
    rows = np.concatenate(
        [data.rows(name, part) for name in corpora for part in ("train", "dev")]
    )
    inputs = data.batch(rows).inputs
    present = inputs.present.cpu().numpy()
    parts = {
        task: projector.centred_logits(inputs).unflatten(1, (present.shape[1], -1))
        for task, projector in projectors.items()
    }
    features = {
        name: values.cpu().numpy().astype(float)
        for name, values in inputs.features.items()
    }
    scores = torch.cat([*parts.values()], -1).detach().cpu().numpy().astype(float)
    scores = scores / (scores.std((0, 1)) + 1e-9)
    places = {name: place for place, name in enumerate(features)}
    readings = Readings(data.feature_counts)
    for name, place in places.items():
        both = present[:, place] & (present.sum(1) > 1)
        if both.sum() > scores.shape[-1]:
            others = np.delete(scores[both], place, 1).reshape(both.sum(), -1)
            read = features[name][both][:, -data.measures[name] :]
            weights, bias = fit_quality(read, others, scores[both, place])
            every = np.zeros(features[name].shape[1])
            every[-len(weights) :] = weights
            readings.set_quality(name, *_tensors(every, bias))
    if {CONTRARY, CONTRADICTS} <= set(places) and "emotion" in parts:
        both = present[:, places[CONTRARY]] & present[:, places[CONTRADICTS]]
        own = parts["emotion"].detach().cpu().numpy().astype(float)
        if both.sum() > own.shape[-1]:
            others = np.delete(scores[both], places[CONTRARY], 1)
            weights, bias, usual = fit_contrary(
                features[CONTRADICTS][both],
                others.reshape(both.sum(), -1),
                own[both, places[CONTRARY]],
            )
            readings.set_contrary(*_tensors(weights, bias), usual)
    return readings


def fit_quality(
    features: np.ndarray, others: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, float]:
    """Fit how the log precision of a modality is read from its features.

    Own scores are a linear function of the others plus a Gaussian error, whose
    covariance is, in each clip, exp(-r) times a common one, and r is linear in the
    features (multiplicative heteroscedasticity, Harvey 1976, Econometrica 44). Fisher
    scoring with a Gaussian prior on the weights.

    Parameters
    ----------
    features : (clip, feature) array
    others : (clip, other score) array
    own : (clip, score) array

    Returns
    -------
    weights : (feature,) array
        For features as they are.
    bias : float
        r has mean 0 over the clips.
    """
    error = own - _expected(others, own)
    scaled, back = _standardised(features)
    count, width = scaled.shape
    targets = own.shape[1]
    penalty = np.full(width, width / QUALITY_VARIANCE)
    weights = np.zeros(width)
    information = targets / 2 * scaled.T @ scaled + np.diag(penalty)
    for _ in range(ROUNDS):
        precision = np.exp(_bounded(scaled @ weights))
        common = (error * precision[:, None]).T @ error / count
        common += 1e-6 * np.trace(common) / targets * np.eye(targets)
        energy = np.einsum("nt,nt->n", error, np.linalg.solve(common, error.T).T)
        excess = 1 - precision * energy / targets
        slope = targets / 2 * scaled.T @ excess - penalty * weights
        weights = weights + np.linalg.solve(information, slope)
    return back(weights)


def fit_contrary(
    features: np.ndarray, others: np.ndarray, own: np.ndarray
) -> tuple[np.ndarray, float, float]:
    """Fit how the log odds of contrary words are read from the features of the voice.

    Own scores are s times a linear function of the others, plus a Gaussian error, where
    s is 1, or -1 where words are contrary. The log odds of the latter are linear in the
    features: a mixture of two experts with a gate (Jacobs et al. 1991, Neural
    Computation 3), by expectation maximisation.

    Parameters
    ----------
    features : (clip, feature) array
    others : (clip, other score) array
    own : (clip, score) array
        Centred.

    Returns
    -------
    weights : (feature,) array
        For features as they are.
    bias : float
    usual : float
        Log odds of contrary words among all clips.
    """
    scaled, back = _standardised(features)
    count, width = scaled.shape
    penalty = np.append(np.full(width, width / ODDS_VARIANCE), 1e-6)
    design = np.column_stack([scaled, np.ones(count)])
    weights = np.append(np.zeros(width), np.log(FIRST_SHARE / (1 - FIRST_SHARE)))
    expected = _expected(others, own)
    chance = np.zeros(count)
    for _ in range(ROUNDS):
        said, reverse = own - expected, own + expected
        spread = ((1 - chance)[:, None] * said).T @ said / count
        spread += (chance[:, None] * reverse).T @ reverse / count
        spread += 1e-6 * np.trace(spread) / len(spread) * np.eye(len(spread))
        support = np.einsum("nt,nt->n", own, np.linalg.solve(spread, expected.T).T)
        chance = _sigmoid(design @ weights - 2 * support)
        read = _sigmoid(design @ weights)
        curve = (design.T * (read * (1 - read))) @ design + np.diag(penalty)
        slope = design.T @ (chance - read) - penalty * weights
        weights = weights + np.linalg.solve(curve, slope)
        expected = _expected(others, own * (1 - 2 * chance)[:, None])
    share = np.clip(chance.mean(), 1e-3, 1 - 1e-3)
    vector, bias = back(weights[:-1])
    return vector, bias + float(weights[-1]), float(np.log(share / (1 - share)))


def _expected(others: np.ndarray, own: np.ndarray) -> np.ndarray:
    """Ridge regression of own scores on the others, in sample: (clip, score).

    Scores that are the same for all clips, as of a modality that no clip with labels
    has, tell nothing, and are 0 here.
    """
    spread = others.std(0)
    scaled = np.where(spread > CONSTANT, others / (spread + 1e-9), 0.0)
    design = np.column_stack([scaled, np.ones(len(others))])
    penalty = SHRINKAGE * len(others) * np.eye(design.shape[1])
    penalty[-1, -1] = 1e-6
    return design @ np.linalg.solve(design.T @ design + penalty, design.T @ own)


def _standardised(features: np.ndarray):
    """Features of mean 0 and variance 1, and what turns their weights back."""
    mean, scale = mean_and_scale(features)

    def back(weights: np.ndarray) -> tuple[np.ndarray, float]:
        return weights / scale, -float(mean @ (weights / scale))

    return (features - mean) / scale, back


def _bounded(values: np.ndarray) -> np.ndarray:
    return np.clip(values, -LARGEST_EXPONENT, LARGEST_EXPONENT)


def _sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-_bounded(values)))


def _tensors(weights: np.ndarray, bias: float) -> tuple[torch.Tensor, torch.Tensor]:
    return torch.from_numpy(weights[None]).float(), torch.tensor([bias]).float()
