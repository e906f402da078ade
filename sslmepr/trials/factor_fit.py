"""Fitting a factor model to both corpora, by expectation maximisation.

Every clip takes part: one with labels of emotions, one with labels of traits, and one
with none. Labels say something of the factors (`evidence_of`), features of the rest.
"""

from collections.abc import Mapping

import numpy as np
from scipy.special import expit
from scipy.stats import norm, rankdata

from sslmepr.models.fusion_parts import CONTRADICTS
from sslmepr.training.readings import fit_quality
from sslmepr.trials.factor_model import (
    FACTORS,
    ChannelLaw,
    Evidence,
    FactorModel,
    Parts,
    Posterior,
    form_of,
    forms_of,
    infer,
    scales,
    signs,
)

LABEL_VARIANCE = 0.02
"""Of a factor around the normal score of its label. By convention, not tuned."""

PENALTY = 60.0
"""L2 penalty of loadings, in clips, for features and factors of unit variance."""

SHRINKAGE = 3.0
"""Clips for each feature with which a class's covariance is drawn to that of all
classes. This and `PENALTY` were chosen on drawn studies with other seeds than those of
trials, among 0.3, 1, 3, 5 and 2, 20, 60."""

GATE_PENALTY = 5.0
"""L2 penalty of the weights by which contrary words are read from the voice."""

RIDGE = 1e-3
"""Added to variances of errors, so that they can be inverted."""

FIRST_CONTRARY, FIRST_SECOND = 0.15, 0.25
"""Shares of contrary words and of the second form to start from."""

FIRST_ROUNDS, ROUNDS = 10, 25
"""Of expectation maximisation with one class of quality, and with all."""

STEP, LEAST_STEP, MODERATED = 0.1, 0.02, 1500
"""First and smallest step of the search for moderation, which goes on while loadings
follow it, and clips on which it is searched."""


def evidence_of(
    features: Mapping[str, np.ndarray],
    present: Mapping[str, np.ndarray],
    labels: Mapping[str, np.ndarray],
    parts: Parts,
) -> tuple[Evidence, np.ndarray]:
    """What labels say of the factors, and above which value emotions are present.

    Emotions and traits are taken as standard normal. A trait, and an emotion that is
    present, is its normal score with a small variance. Of an absent emotion it is known
    that it is below the threshold; that is the Gaussian whose product with the prior
    has the mean and variance of the truncated one.

    Parameters
    ----------
    features : mapping of str to (clip, feature) array
        By modality.
    present : mapping of str to (clip,) bool array
    labels : mapping of str to (clip, target) array
        Task to intensities of emotions, without ``neutral``, or scores of traits; NaN
        where there is no label.
    parts : Parts
        Whose tasks count.

    Returns
    -------
    evidence : Evidence
    thresholds : (emotion,) array
    """
    count = len(next(iter(labels.values())))
    known, precision = np.zeros((2, count, len(parts.factors)))
    thresholds, start = np.zeros(parts.emotions), 0
    for task in parts.tasks:
        values = labels[task]
        rows = np.flatnonzero(np.isfinite(values).all(1))
        for place in range(len(FACTORS[task])):
            label, factor = values[rows, place], start + place
            if task == "emotion":
                found, sure, thresholds[place] = _censored(label)
            else:
                found = norm.ppf((rankdata(label) - 0.5) / len(label))
                sure = np.full(len(label), 1 / LABEL_VARIANCE)
            known[rows, factor], precision[rows, factor] = found, sure
        start += len(FACTORS[task])
    return Evidence(features, present, known, precision), thresholds


def _censored(label: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Mean, precision and threshold of an emotion that is 0 where it is absent."""
    on = label > 0
    share = np.clip(on.mean(), 1 / len(on), 1 - 1 / len(on))
    cut = norm.ppf(1 - share)
    below = -norm.pdf(cut) / norm.cdf(cut)
    variance = 1 + cut * below - below**2
    sure = np.full(len(label), 1 / variance - 1)
    mean = np.full(len(label), below / variance) / sure
    ranks = (label[on].argsort().argsort() + 0.5) / max(on.sum(), 1)
    mean[on], sure[on] = norm.ppf(1 - share + share * ranks), 1 / LABEL_VARIANCE
    return mean, sure, float(cut)


def fit_factors(
    given: Evidence, thresholds: np.ndarray, parts: Parts, seed: int = 0
) -> FactorModel:
    """Fit a factor model by expectation maximisation.

    Parameters
    ----------
    given : Evidence
        Of all clips; features of mean 0 and variance 1.
    thresholds : (emotion,) array
        As of `evidence_of`.
    parts : Parts
    seed : int
        Of the clips on which moderation is searched.

    Returns
    -------
    FactorModel
    """
    rng = np.random.default_rng(seed)
    model = _start(given, thresholds, parts)
    for _ in range(FIRST_ROUNDS):
        model = _improved(model, given, infer(model, given))
    if parts.classes > 1:
        _split_classes(model, given)
    step = STEP
    for number in range(ROUNDS):
        model = _improved(model, given, infer(model, given))
        if parts.expressive and number % 2:
            count = len(given.known)
            rows = rng.choice(count, min(count, MODERATED), replace=False)
            step = _moderate(model, given.at(rows), step)
    return model


def _start(given: Evidence, thresholds: np.ndarray, parts: Parts) -> FactorModel:
    """Loadings by regression on what labels say; a second form shows no emotions."""
    guess = given.precision / (1 + given.precision) * given.known
    channels = {}
    for name, values in given.features.items():
        seen, axes = given.present[name], np.zeros((values.shape[1], guess.shape[1]))
        start = 0
        for task in parts.tasks:
            end = start + len(FACTORS[task])
            rows = seen & (given.precision[:, start:end] > 0).all(1)
            axes[:, start:end] = _regression(guess[rows, start:end], values[rows])
            start = end
        error = np.cov((values - guess @ axes.T)[seen].T) + RIDGE * np.eye(len(axes))
        forms = np.stack([axes] * forms_of(parts, name))
        if len(forms) > 1:
            forms[0, :, : parts.emotions] /= 1 - FIRST_SECOND
            forms[1, :, : parts.emotions] = 0
        means = values[seen].mean(0)[None]
        channels[name] = ChannelLaw(forms, means, error[None], np.ones(1))
    gate = np.zeros(given.features[CONTRADICTS].shape[1] + 1)
    gate[-1] = np.log(FIRST_CONTRARY / (1 - FIRST_CONTRARY))
    prior = np.eye(len(parts.factors))
    return FactorModel(parts, channels, prior, thresholds, FIRST_SECOND, gate)


def _regression(known: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Penalised regression of features on factors: (feature, factor)."""
    square = known.T @ known + PENALTY * np.eye(known.shape[1])
    return np.linalg.solve(square, known.T @ (values - values.mean(0))).T


def _split_classes(model: FactorModel, given: Evidence) -> None:
    """Start classes of quality from the precision that is read from features.

    Log precision is fitted as that of readings (`sslmepr.training.readings`), where the
    scores of a modality are what it says of the factors.
    """
    classes, said = model.parts.classes, {}
    for name, channel in model.channels.items():
        read = np.linalg.solve(channel.errors[0], channel.loadings[0])
        said[name] = (given.features[name] - channel.means[0]) @ read
        said[name] /= said[name].std(0) + RIDGE
        said[name] *= given.present[name][:, None]
    for name, channel in model.channels.items():
        seen, values = given.present[name], given.features[name]
        others = np.hstack([said[other] for other in said if other != name])
        weights, bias = fit_quality(values[seen], others[seen], said[name][seen])
        read = values[seen] @ weights + bias
        limits = np.quantile(read, np.arange(1, classes) / classes)
        own, values = np.searchsorted(limits, read), values[seen]
        common, groups = channel.errors[0], [values[own == k] for k in range(classes)]
        channel.errors = np.stack([(common + np.cov(each.T)) / 2 for each in groups])
        channel.means = np.stack([each.mean(0) for each in groups])
        channel.shares = np.array([len(each) for each in groups]) / len(values)


def _improved(model: FactorModel, given: Evidence, found: Posterior) -> FactorModel:
    """The model that maximises the expected likelihood, but for moderation."""
    parts, count = model.parts, len(given.known)
    square = found.covariances + found.means[..., None] * found.means[..., None, :]
    square = square.reshape(len(found.cases), count, -1)
    prior = np.einsum("nc,cni->i", found.weights, square).reshape(model.prior.shape)
    spread = np.sqrt(np.diag(prior))
    scale = scales(parts, found.shown)
    scaled = (scale[:, :, None] * scale[:, None, :]).reshape(count, -1)
    channels = {}
    for name, channel in model.channels.items():
        first, second = _moments(parts, name, channel, found, square)
        first, second = first * scale, second * scaled
        classes, values = found.classes[name], given.features[name]
        channels[name] = _relearned(channel, values, classes, first, second)
    share = model.second
    if parts.forms:
        share = float(np.clip(found.chance(1).mean(), 0.02, 0.6))
    gate = model.gate
    if parts.contrary:
        gate = _regated(model.gate, given, found.chance(0))
    prior = prior / np.outer(spread, spread)
    kept = model.thresholds, share, gate, model.moderation
    return FactorModel(parts, channels, prior, *kept)


def _moments(parts, name, channel, found, square) -> tuple[np.ndarray, np.ndarray]:
    """First and second moments of shown factors, by form, weighted by its chance.

    Returns
    -------
    (form, clip, factor) array
    (form, clip, factor squared) array
    """
    count, width = found.means.shape[1:]
    first = np.zeros((len(channel.loadings), count, width))
    second = np.zeros((len(channel.loadings), count, width**2))
    for place, (contrary, other) in enumerate(found.cases):
        weight, form = found.weights[:, [place]], form_of(channel, other)
        sign = signs(parts, name, contrary)
        first[form] += weight * found.means[place] * sign
        second[form] += weight * square[place] * np.outer(sign, sign).ravel()
    return first, second


def _relearned(
    channel: ChannelLaw,
    values: np.ndarray,
    classes: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
) -> ChannelLaw:
    """Loadings, means, errors and shares of a modality, given moments of factors."""
    width = first.shape[-1]
    # Clips count by how much is seen of the factors in their class.
    told = [
        np.trace(channel.loadings[0].T @ np.linalg.solve(error, channel.loadings[0]))
        for error in channel.errors
    ]
    weight, rest = classes @ (told / np.max(told)), values - classes @ channel.means
    loadings = np.stack(
        [
            np.linalg.solve(
                (weight @ square).reshape(width, width) + PENALTY * np.eye(width),
                (weight[:, None] * mean).T @ rest,
            ).T
            for mean, square in zip(first, second, strict=True)
        ]
    )
    expected = sum(m @ axes.T for m, axes in zip(first, loadings, strict=True))
    counts = classes.sum(0)
    means = classes.T @ (values - expected) / (counts[:, None] + RIDGE)
    squares = []
    for own, mean in zip(classes.T, means, strict=True):
        off = values - mean
        total = (own[:, None] * off).T @ off
        for each, square, axes in zip(first, second, loadings, strict=True):
            cross = axes @ ((own[:, None] * each).T @ off)
            total += axes @ (own @ square).reshape(width, width) @ axes.T
            total -= cross + cross.T
        squares.append(total)
    common = sum(squares) / (counts.sum() + RIDGE)
    more = SHRINKAGE * values.shape[1]
    errors = np.stack(
        [(s + more * common) / (n + more) for s, n in zip(squares, counts, strict=True)]
    )
    errors = errors + RIDGE * np.eye(len(common))
    shares = (counts + 1) / (counts + 1).sum()
    return ChannelLaw(loadings, means, errors, shares)


def _regated(gate: np.ndarray, given: Evidence, chance: np.ndarray) -> np.ndarray:
    """Two steps of logistic regression of contrary words on the voice."""
    seen = given.present[CONTRADICTS]
    design = np.column_stack([given.features[CONTRADICTS][seen], np.ones(seen.sum())])
    penalty = np.append(np.full(len(gate) - 1, GATE_PENALTY), RIDGE)
    for _ in range(2):
        read = expit(np.clip(design @ gate, -10, 10))
        curve = (design.T * (read * (1 - read))) @ design + np.diag(penalty)
        slope = design.T @ (chance[seen] - read) - penalty * gate
        gate = gate + np.linalg.solve(curve, slope)
    return gate


def _moderate(model: FactorModel, given: Evidence, step: float) -> float:
    """Move moderation to where evidence is larger, or halve the step: the next one."""
    start, fits = model.moderation, {}
    for tried in (start, start - step, start + step):
        model.moderation = tried
        fits[tried] = infer(model, given).log_evidence
    model.moderation = max(fits, key=fits.__getitem__)
    return max(step / 2, LEAST_STEP) if model.moderation == start else step
