"""Two forms of showing emotions, found by expectation maximisation.

Which form a clip shows is never labelled. Both are learned from clips whose emotions
are, as a mixture of regressions of the features on the emotions.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from scipy.stats import norm

from sslmepr.models.second_forms import TWO_FORMS, SecondForms
from sslmepr.params import Params
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.probes import mean_and_scale

ROUNDS, STARTS = 30, 2
"""Of expectation maximisation, and how often it starts anew."""

PENALTY, NOISE = 20.0, 0.01
"""L2 penalty of the regressions, in clips, and variance added to that of their errors,
for features of unit variance. By convention, not tuned."""

SURE = 3.0
"""Standard errors by which two forms must predict dev clips better than one. Chosen on
drawn studies, in which one standard error was reached without second forms."""

ROUNDING = 1e-6
"""By which evidence for two forms that are alike may exceed that for one, per clip."""

FEWEST = 100
"""Labelled clips from which the forms are looked for."""

WIDEST = 64
"""Principal components in which the forms are looked for, if features are more: the
covariance of errors has as many columns. That of the features of drawn studies, in
which the component was tried; not tuned."""


class Forms(NamedTuple):
    """A mixture of regressions of features on emotions.

    Attributes
    ----------
    weights : dict of str to (form, emotion, feature) array
    errors : dict of str to (feature, feature) array
        Covariance of the errors, common to all forms.
    shares : (form,) array
    fit : float
        Log likelihood of the features, given emotions, but for a constant.
    """

    weights: dict[str, np.ndarray]
    errors: dict[str, np.ndarray]
    shares: np.ndarray
    fit: float


def fit_second_forms(params: Params, data: FusionClips) -> SecondForms:
    """Fit both forms to labelled training clips, if dev clips have two.

    Parameters
    ----------
    params : Params
        Sections ``roles`` and ``seed``.
    data : FusionClips

    Returns
    -------
    SecondForms
        It changes nothing unless two forms predict the features of dev clips better
        than one, by `SURE` standard errors, or if fewer than `FEWEST` training clips
        have labels, or no modality has more than as many of them.
    """
    module = SecondForms(data.feature_counts)
    train, dev = (data.rows(params.roles.emotion, part) for part in ("train", "dev"))
    labels = data.clips.labels["emotion"][train][:, 1:]
    known = np.isfinite(labels).all(1)
    train, labels = train[known], labels[known]
    views = _views(data, train)
    if len(train) < FEWEST or not views or not len(dev):
        return module
    emotions, threshold = latent(labels)
    prior = np.linalg.inv(np.cov(emotions.T) + NOISE * np.eye(len(threshold)))
    one, two = (
        find_forms(*_seen(data, views, train), emotions, count, params.seed)
        for count in (1, 2)
    )
    alone, mixed = (
        log_evidence(*_seen(data, views, dev), prior, each) for each in (one, two)
    )
    gain = mixed - alone
    if gain.mean() <= SURE * gain.std() / len(gain) ** 0.5 + ROUNDING:
        return module
    for place, name in enumerate(data.features):
        if name in views:
            _set_guides(module, place, name, views[name], one, two)
    module.prior.copy_(torch.from_numpy(prior))
    module.threshold.copy_(torch.from_numpy(threshold))
    module.log_share.copy_(torch.from_numpy(np.log(two.shares)))
    return module


class View(NamedTuple):
    """A linear map of the features of a modality, to at most `WIDEST` components.

    Attributes
    ----------
    mean : (feature,) array
    weights : (component, feature) array
        For features less their mean.
    """

    mean: np.ndarray
    weights: np.ndarray

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Components (clip, component) of features (clip, feature)."""
        return (features - self.mean) @ self.weights.T


def _views(data: FusionClips, train: np.ndarray) -> dict[str, View]:
    """View of each modality that enough clips of `train` have."""
    found = {}
    for place, (name, values) in enumerate(data.features.items()):
        rows = train[data.present.numpy()[train, place]]
        if len(rows) <= FEWEST:
            continue
        known = values.numpy()[rows].astype(float)
        mean, scale = mean_and_scale(known)
        basis = np.eye(len(mean))
        if len(mean) > WIDEST:
            scaled = (known - mean) / scale
            basis = np.linalg.svd(scaled, full_matrices=False)[2][:WIDEST]
        found[name] = View(mean, basis / scale)
    return found


def _seen(
    data: FusionClips, views: Mapping[str, View], rows: np.ndarray
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Components of some clips, 0 where absent, and whether they are there."""
    there = dict(zip(data.features, data.present.numpy()[rows].T, strict=True))
    seen = {
        name: np.where(
            there[name][:, None],
            view(data.features[name].numpy()[rows].astype(float)),
            0.0,
        )
        for name, view in views.items()
    }
    return seen, {name: there[name] for name in views}


def _set_guides(
    module: SecondForms, place: int, name: str, view: View, one: Forms, two: Forms
) -> None:
    """Set what a modality says under one form for all, and under each of two."""
    both = np.concatenate([one.weights[name], two.weights[name]])
    errors = [one.errors[name], two.errors[name], two.errors[name]]
    maps = np.stack(
        [np.linalg.solve(e, w.T).T for e, w in zip(errors, both, strict=True)]
    )
    weight = (maps @ view.weights).reshape(-1, view.weights.shape[1])
    probe = module.probes[name]
    probe.get_parameter("weight").copy_(torch.from_numpy(weight))
    probe.get_parameter("bias").copy_(torch.from_numpy(-weight @ view.mean))
    module.precision[place] = torch.from_numpy(maps @ both.swapaxes(1, 2))


def latent(intensities: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standard normal latents behind intensities that are 0 below a threshold.

    Parameters
    ----------
    intensities : (clip, emotion) array

    Returns
    -------
    latents : (clip, emotion) array
        The normal score of an intensity, or the mean below the threshold.
    thresholds : (emotion,) array
    """
    found, thresholds = np.zeros(intensities.shape), []
    for place, values in enumerate(intensities.T):
        on = values > 0
        share = np.clip(on.mean(), 1 / len(on), 1 - 1 / len(on))
        cut = norm.ppf(1 - share)
        ranks = values[on].argsort().argsort() + 0.5
        found[on, place] = norm.ppf(1 - share + share * ranks / max(on.sum(), 1))
        found[~on, place] = -norm.pdf(cut) / (1 - share)
        thresholds.append(cut)
    return found, np.array(thresholds)


def find_forms(
    features: Mapping[str, np.ndarray],
    present: Mapping[str, np.ndarray],
    emotions: np.ndarray,
    count: int,
    seed: int,
) -> Forms:
    """Fit a mixture of regressions, whose forms the modalities of a clip share.

    Parameters
    ----------
    features : mapping of str to (clip, feature) array
        By modality, of mean 0 and variance 1.
    present : mapping of str to (clip,) bool array
    emotions : (clip, emotion) array
    count : {1, 2}
        Forms in `TWO_FORMS`; other modalities have one.
    seed : int

    Returns
    -------
    Forms
        The best of several starts.
    """
    found = []
    for start in range(STARTS if count > 1 else 1):
        rng = np.random.default_rng([seed, start])
        shares = rng.uniform(0.1, 0.9, len(emotions))
        chance = (
            np.stack([shares, 1 - shares], 1)
            if count > 1
            else np.ones_like(shares)[:, None]
        )
        for _ in range(ROUNDS if count > 1 else 1):
            forms, chance = _round(features, present, emotions, chance)
        found.append(forms)
    return max(found, key=lambda forms: forms.fit)


def _round(features, present, emotions, chance) -> tuple[Forms, np.ndarray]:
    """One step: regressions given chances of the forms, and chances given those."""
    count = chance.shape[1]
    weights, errors = {}, {}
    support = np.tile(np.log(chance.mean(0)), (len(chance), 1))
    for name, values in features.items():
        share = chance if name in TWO_FORMS else np.ones((len(chance), 1))
        share = share * present[name][:, None]
        fitted, spread = [], NOISE * np.eye(values.shape[1])
        for one in share.T:
            weighed = (emotions * one[:, None]).T
            inner = weighed @ emotions + PENALTY * np.eye(emotions.shape[1])
            fitted.append(np.linalg.solve(inner, weighed @ values))
            error = values - emotions @ fitted[-1]
            spread = spread + (error * one[:, None]).T @ error / present[name].sum()
        weights[name] = np.stack(fitted * (count // len(fitted)))
        errors[name], inverse = spread, np.linalg.inv(spread)
        lost = np.linalg.slogdet(spread)[1]
        for form, weight in enumerate(weights[name]):
            error = values - emotions @ weight
            energy = np.einsum("nf,nf->n", error @ inverse, error)
            support[:, form] -= present[name] * (energy + lost) / 2
    whole = np.logaddexp.reduce(support, 1, keepdims=True)
    return Forms(weights, errors, chance.mean(0), float(whole.sum())), np.exp(
        support - whole
    )


def log_evidence(features, present, prior: np.ndarray, forms: Forms) -> np.ndarray:
    """Log likelihood of features without labels, (clip,), but for a constant.

    Parameters
    ----------
    features, present : mapping
        As for `find_forms`.
    prior : (emotion, emotion) array
        Prior precision of emotions.
    forms : Forms
    """
    clips = len(next(iter(features.values())))
    found = np.tile(np.log(forms.shares), (clips, 1))
    for form in range(len(forms.shares)):
        evidence, precision = (
            np.zeros((clips, len(prior))),
            np.tile(prior, (clips, 1, 1)),
        )
        for name, values in features.items():
            there = present[name]
            map_ = np.linalg.solve(forms.errors[name], forms.weights[name][form].T)
            evidence += values @ map_ * there[:, None]
            precision += there[:, None, None] * (forms.weights[name][form] @ map_)
            energy = np.einsum(
                "nf,nf->n", values, np.linalg.solve(forms.errors[name], values.T).T
            )
            lost = np.linalg.slogdet(forms.errors[name])[1]
            found[:, form] -= there * (energy + lost) / 2
        mean = np.linalg.solve(precision, evidence[..., None])[..., 0]
        found[:, form] += (evidence * mean).sum(1) / 2
        found[:, form] -= np.linalg.slogdet(precision)[1] / 2
    return np.logaddexp.reduce(found, 1)
