"""Which parts a factor model has, chosen on dev, and what it predicts."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import xlogy

from sslmepr.labels import EMOTIONS, TASKS
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.trials.collapse import ROLES
from sslmepr.trials.factor_fit import evidence_of, fit_factors
from sslmepr.trials.factor_model import Evidence, FactorModel, Parts, infer

NOTHING = Parts(classes=1, contrary=False, forms=False, expressive=False)
"""A factor model of clips that are all alike."""

CANDIDATES = (NOTHING, Parts(forms=False), Parts())
"""Parts among which dev chooses, from few to many."""

CHUNK = 4096
"""Clips whose factors are inferred at a time; bounds memory."""


class Factors(NamedTuple):
    """What is predicted, and by which factor model.

    Attributes
    ----------
    models : dict of str to FactorModel
        By task, the chosen one.
    targets : dict of str to (clip, target) array
        Task to probabilities of emotions, of which ``neutral`` is left at 0, or to the
        expected latent value of traits.
    """

    models: dict[str, FactorModel]
    targets: dict[str, np.ndarray]


def learn_factors(
    data: FusionClips,
    candidates: Sequence[Parts] = CANDIDATES,
    seed: int = 0,
    unlabelled: bool = True,
) -> Factors:
    """Fit factor models to training clips and keep those that predict dev best.

    Parameters
    ----------
    data : FusionClips
        Of a drawn study.
    candidates : sequence of Parts
        Of the same tasks. For each task one is kept; of equally good ones the first.
    seed : int
    unlabelled : bool
        Whether training clips without labels take part.

    Returns
    -------
    Factors
        With predictions for all clips of `data`.
    """
    tasks, clips = candidates[0].tasks, data.clips
    rows = {part: _rows(data, part) for part in ("train", "dev")}
    labels = {task: clips.labels[task].astype(float) for task in TASKS}
    labels["emotion"] = labels["emotion"][:, 1:]
    every, thresholds = _evidence(data, labels, candidates[0])
    hidden = every.precision.copy()
    hidden[rows["dev"]] = 0
    learned = np.flatnonzero((hidden > 0).any(1))
    if unlabelled:
        learned = np.concatenate([rows["train"], rows["dev"]])
    seen = Evidence(every.features, every.present, every.known, hidden).at(learned)
    models = [fit_factors(seen, thresholds, each, seed) for each in candidates]
    dev, found = every.at(rows["dev"]), Factors({}, {})
    losses = [_losses(each, dev) if len(models) > 1 else {} for each in models]
    predicted = {}
    for task in tasks:
        chosen = min(range(len(models)), key=lambda i: losses[i].get(task, 0.0))
        if chosen not in predicted:
            predicted[chosen] = _predicted(models[chosen], every.unlabelled())
        found.models[task] = models[chosen]
        found.targets[task] = predicted[chosen][task]
    return found


def _rows(data: FusionClips, part: str) -> np.ndarray:
    """Clips of both training corpora in a split."""
    return np.concatenate([data.rows(getattr(ROLES, task), part) for task in TASKS])


def _evidence(data, labels, parts) -> tuple[Evidence, np.ndarray]:
    present = dict(zip(data.features, data.present.numpy().T, strict=True))
    features = {
        name: values.numpy().astype(float) * present[name][:, None]
        for name, values in data.features.items()
    }
    return evidence_of(features, present, labels, parts)


def _losses(model: FactorModel, given: Evidence) -> dict[str, float]:
    """Cross-entropy of emotions and squared error of traits, on labelled clips."""
    found, first = infer(model, given.unlabelled()), model.parts.emotions
    labelled = given.precision > 0
    chance = np.clip(found.above(model.thresholds), 1e-6, 1 - 1e-6)
    there = given.known[:, :first] > model.thresholds
    surprise = -xlogy(there, chance) - xlogy(~there, 1 - chance)
    off = (found.expected() - given.known)[:, first:] ** 2
    parts = surprise[labelled[:, :first]], off[labelled[:, first:]]
    return {
        task: float(each.mean())
        for task, each in zip(TASKS, parts, strict=True)
        if len(each)
    }


def _predicted(model: FactorModel, given: Evidence) -> dict[str, np.ndarray]:
    count, first = len(given.known), model.parts.emotions
    emotions, traits = np.zeros((count, len(EMOTIONS))), []
    for start in range(0, count, CHUNK):
        rows = np.arange(start, min(start + CHUNK, count))
        found = infer(model, given.at(rows))
        if first:
            emotions[rows, 1:] = found.above(model.thresholds)
        traits.append(found.expected()[:, first:])
    return {"emotion": emotions, "personality": np.concatenate(traits)}
