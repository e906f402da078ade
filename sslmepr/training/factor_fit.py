"""Fitting a factor model to both corpora, by expectation maximisation.

Every clip takes part: one with labels of emotions, one with labels of traits, and one
with none. Labels say something of the factors (`evidence_of`), features of the rest.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

import numpy as np
import torch
from scipy.stats import norm, rankdata
from torch import Tensor

from sslmepr.models.factor_model import (
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
from sslmepr.models.fusion_parts import CONTRADICTS
from sslmepr.training.readings import fit_quality

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
"""Added to variances of errors and of factors, so that they can be inverted."""

FIRST_CONTRARY, FIRST_SECOND = 0.15, 0.25
"""Shares of contrary words and of the second form to start from."""

FIRST_ROUNDS, ROUNDS = 10, 25
"""Of expectation maximisation with one class of quality, and with all."""

STEP, LEAST_STEP, MODERATED = 0.1, 0.02, 1500
"""First and smallest step of the search for moderation, which goes on while loadings
follow it, and clips on which it is searched."""


def evidence_of(
    labels: Mapping[str, np.ndarray], tasks: Sequence[str]
) -> tuple[Tensor, Tensor, Tensor]:
    """What labels say of the factors, and above which value emotions are present.

    Emotions and traits are taken as standard normal. A trait, and an emotion that is
    present, is its normal score with a small variance. Of an absent emotion it is known
    that it is below the threshold; that is the Gaussian whose product with the prior
    has the mean and variance of the truncated one.

    Parameters
    ----------
    labels : mapping of str to (clip, target) array
        Task to intensities of emotions, without ``neutral``, or scores of traits; NaN
        where there is no label.
    tasks : sequence of str
        Whose factors there are.

    Returns
    -------
    known, precision : (clip, factor) torch.Tensor
        As of `sslmepr.models.factor_model.Evidence`.
    thresholds : (emotion,) torch.Tensor
    """
    count = len(next(iter(labels.values())))
    parts, thresholds = [], np.zeros(0)
    for task in tasks:
        values = labels[task]
        rows = np.flatnonzero(np.isfinite(values).all(1))
        own = np.zeros((3, count, values.shape[1]))
        for place, label in enumerate(values[rows].T):
            if task == "emotion":
                own[:, rows, place] = _censored(label)
            else:
                own[0, rows, place] = norm.ppf((rankdata(label) - 0.5) / len(label))
                own[1, rows, place] = 1 / LABEL_VARIANCE
        if task == "emotion":
            thresholds = own[2, rows[0]]
        parts.append(own[:2])
    known, precision = np.concatenate(parts, -1)
    said = torch.from_numpy(known), torch.from_numpy(precision)
    return *said, torch.from_numpy(thresholds)


def _censored(label: np.ndarray) -> np.ndarray:
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
    return np.stack([mean, sure, np.full(len(label), cut)])


def fit_factors(
    given: Evidence,
    thresholds: Tensor,
    parts: Parts,
    seed: int = 0,
    said: Collection[str] = (),
) -> FactorModel:
    """Fit a factor model by expectation maximisation.

    Parameters
    ----------
    given : Evidence
        Of all clips; features of mean 0 and variance 1.
    thresholds : (emotion,) torch.Tensor
        As of `evidence_of`.
    parts : Parts
    seed : int
        Of the clips on which moderation is searched.
    said : collection of str
        Modalities whose features are what a model says of the factors, in their order.
        Their loadings are drawn to one gain for all emotions and one for all traits,
        those of others to 0.

    Returns
    -------
    FactorModel
    """
    rng = np.random.default_rng(seed)
    model = _start(given, thresholds, parts, said)
    for _ in range(FIRST_ROUNDS):
        model = _improved(model, given, infer(model, given), said)
    if parts.classes > 1:
        _split_classes(model, given)
    step = STEP
    for number in range(ROUNDS):
        model = _improved(model, given, infer(model, given), said)
        if parts.expressive and number % 2:
            count = len(given.known)
            rows = rng.choice(count, min(count, MODERATED), replace=False)
            step = _moderate(model, given.at(rows), step)
    return model


def _start(given: Evidence, thresholds: Tensor, parts: Parts, said) -> FactorModel:
    """Loadings by regression on what labels say; a second form shows no emotions."""
    guess = given.precision / (1 + given.precision) * given.known
    channels = {}
    for name, values in given.features.items():
        seen = given.present[name]
        square = guess.new_zeros(guess.shape[1], guess.shape[1])
        cross = guess.new_zeros(guess.shape[1], values.shape[1])
        start = 0
        for task in parts.tasks:
            own = slice(start, start + len(FACTORS[task]))
            rows = seen & (given.precision[:, own] > 0).all(1)
            known, shown = guess[rows, own], values[rows]
            square[own, own] = known.T @ known
            if len(shown):
                cross[own] = known.T @ (shown - shown.mean(0))
            start = own.stop
        axes = _loadings(square, cross, name in said, parts)
        error = torch.cov((values - guess @ axes.T)[seen].T) + RIDGE * _unit(axes)
        forms = torch.stack([axes] * forms_of(parts, name))
        if len(forms) > 1:
            forms[0, :, : parts.emotions] /= 1 - FIRST_SECOND
            forms[1, :, : parts.emotions] = 0
        means = values[seen].mean(0)[None]
        channels[name] = ChannelLaw(forms, means, error[None], means.new_ones(1))
    gate = guess.new_zeros(0)
    if parts.contrary:
        gate = guess.new_zeros(given.features[CONTRADICTS].shape[1] + 1)
        gate[-1] = np.log(FIRST_CONTRARY / (1 - FIRST_CONTRARY))
    prior = torch.eye(len(parts.factors)).to(guess)
    return FactorModel(parts, channels, prior, thresholds, FIRST_SECOND, gate)


def _loadings(square: Tensor, cross: Tensor, said: bool, parts: Parts) -> Tensor:
    """Penalised regression of features on factors: (feature, factor).

    Parameters
    ----------
    square : (factor, factor) torch.Tensor
        Sums of products of factors.
    cross : (factor, feature) torch.Tensor
        And of factors and features.
    said : bool
        Whether loadings are drawn to common gains.
    parts : Parts
    """
    towards, start = torch.zeros_like(cross), 0
    for task in parts.tasks if said else ():
        own = slice(start, start + len(FACTORS[task]))
        total = square.diagonal()[own].sum() + RIDGE
        towards.diagonal()[own] = cross.diagonal()[own].sum() / total
        start = own.stop
    inner = square + PENALTY * _unit(square)
    return torch.linalg.solve(inner, cross + PENALTY * towards).T


def _unit(like: Tensor) -> Tensor:
    """Identity matrix with as many rows as another has."""
    return torch.eye(len(like), dtype=like.dtype, device=like.device)


def _split_classes(model: FactorModel, given: Evidence) -> None:
    """Start classes of quality from the precision that is read from features.

    Log precision is fitted as that of readings (`sslmepr.training.readings`), where the
    scores of a modality are what it says of the factors.
    """
    classes, said = model.parts.classes, {}
    for name, channel in model.channels.items():
        read = torch.linalg.solve(channel.errors[0], channel.loadings[0])
        said[name] = (given.features[name] - channel.means[0]) @ read
        said[name] /= said[name].std(0, correction=0) + RIDGE
        said[name] *= given.present[name][:, None]
    for name, channel in model.channels.items():
        seen, values = given.present[name], given.features[name]
        others = torch.hstack([said[other] for other in said if other != name])
        arrays = (each[seen].cpu().numpy() for each in (values, others, said[name]))
        weights, bias = fit_quality(*arrays)
        values = values[seen]
        read = values @ torch.from_numpy(weights).to(values) + bias
        shares = torch.arange(1, classes).to(values) / classes
        own = torch.searchsorted(read.quantile(shares), read)
        common, groups = channel.errors[0], [values[own == k] for k in range(classes)]
        errors = [(common + torch.cov(each.T)) / 2 for each in groups]
        channel.errors = torch.stack(errors)
        channel.means = torch.stack([each.mean(0) for each in groups])
        channel.shares = values.new_tensor([len(each) for each in groups]) / len(values)


def _improved(
    model: FactorModel, given: Evidence, found: Posterior, said: Collection[str]
) -> FactorModel:
    """The model that maximises the expected likelihood, but for moderation."""
    parts, count = model.parts, len(given.known)
    square = found.covariances + found.means[..., None] * found.means[..., None, :]
    square = square.flatten(2)
    prior = torch.einsum("nc,cni->i", found.weights, square).view_as(model.prior)
    spread = prior.diagonal().sqrt()
    scale = scales(parts, found.shown)
    scaled = (scale[:, :, None] * scale[:, None, :]).view(count, -1)
    channels = {}
    for name, channel in model.channels.items():
        first, second = _moments(parts, name, channel, found, square)
        first, second = first * scale, second * scaled
        classes, values = found.classes[name], given.features[name]
        drawn = partial(_loadings, said=name in said, parts=parts)
        channels[name] = _relearned(channel, values, classes, first, second, drawn)
    share = model.second
    if parts.forms:
        share = float(found.chance(1).mean().clamp(0.02, 0.6))
    gate = model.gate
    if parts.contrary:
        gate = _regated(model.gate, given, found.chance(0))
    prior = (prior / torch.outer(spread, spread) + RIDGE * _unit(prior)) / (1 + RIDGE)
    kept = model.thresholds, share, gate, model.moderation
    return FactorModel(parts, channels, prior, *kept)


def _moments(parts, name, channel, found, square) -> tuple[Tensor, Tensor]:
    """First and second moments of shown factors, by form, weighted by its chance.

    Returns
    -------
    (form, clip, factor) torch.Tensor
    (form, clip, factor squared) torch.Tensor
    """
    count, width = found.means.shape[1:]
    first = square.new_zeros(len(channel.loadings), count, width)
    second = square.new_zeros(len(channel.loadings), count, width**2)
    for place, (contrary, other) in enumerate(found.cases):
        weight, form = found.weights[:, [place]], form_of(channel, other)
        sign = signs(parts, name, contrary, square)
        first[form] += weight * found.means[place] * sign
        second[form] += weight * square[place] * torch.outer(sign, sign).flatten()
    return first, second


def _relearned(
    channel: ChannelLaw,
    values: Tensor,
    classes: Tensor,
    first: Tensor,
    second: Tensor,
    drawn: Callable[[Tensor, Tensor], Tensor],
) -> ChannelLaw:
    """Loadings, means, errors and shares of a modality, given moments of factors."""
    width = first.shape[-1]
    # Clips count by how much is seen of the factors in their class.
    axes = channel.loadings[0]
    told = torch.einsum("fi,kfi->k", axes, torch.linalg.solve(channel.errors, axes))
    weight, rest = classes @ (told / told.max()), values - classes @ channel.means
    loadings = [
        drawn((weight @ square).view(width, width), (weight[:, None] * mean).T @ rest)
        for mean, square in zip(first, second, strict=True)
    ]
    expected = sum(m @ axes.T for m, axes in zip(first, loadings, strict=True))
    counts = classes.sum(0)
    means = classes.T @ (values - expected) / (counts[:, None] + RIDGE)
    squares = []
    for own, mean in zip(classes.T, means, strict=True):
        off = values - mean
        total = (own[:, None] * off).T @ off
        for each, square, axes in zip(first, second, loadings, strict=True):
            cross = axes @ ((own[:, None] * each).T @ off)
            total = total + axes @ (own @ square).view(width, width) @ axes.T
            total = total - cross - cross.T
        squares.append(total)
    common = sum(squares) / (counts.sum() + RIDGE)
    more = SHRINKAGE * values.shape[1]
    errors = torch.stack(
        [(s + more * common) / (n + more) for s, n in zip(squares, counts, strict=True)]
    )
    errors = errors + RIDGE * _unit(common)
    shares = (counts + 1) / (counts + 1).sum()
    return ChannelLaw(torch.stack(loadings), means, errors, shares)


def _regated(gate: Tensor, given: Evidence, chance: Tensor) -> Tensor:
    """Two steps of logistic regression of contrary words on the voice."""
    seen = given.present[CONTRADICTS]
    features = given.features[CONTRADICTS][seen]
    design = torch.hstack([features, features.new_ones(len(features), 1)])
    penalty = torch.full_like(gate, GATE_PENALTY)
    penalty[-1] = RIDGE
    for _ in range(2):
        read = (design @ gate).clamp(-10, 10).sigmoid()
        curve = (design.T * (read * (1 - read))) @ design + torch.diag(penalty)
        slope = design.T @ (chance[seen] - read) - penalty * gate
        gate = gate + torch.linalg.solve(curve, slope)
    return gate


def _moderate(model: FactorModel, given: Evidence, step: float) -> float:
    """Move moderation to where evidence is larger, or halve the step: the next one."""
    start, fits = model.moderation, {}
    for tried in (start, start - step, start + step):
        model.moderation = tried
        fits[tried] = infer(model, given).log_evidence
    model.moderation = max(fits, key=fits.__getitem__)
    return max(step / 2, LEAST_STEP) if model.moderation == start else step
