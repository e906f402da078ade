"""The ways of learning whose learning curves are compared, on one drawn study."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
from scipy.special import expit

from sslmepr.labels import MODALITIES, TASKS
from sslmepr.models.factor_expert import FactorExpert
from sslmepr.models.published import PUBLISHED_THRESHOLD
from sslmepr.params import Params
from sslmepr.params.training import Variant
from sslmepr.training.batches import chunks
from sslmepr.training.factor_choice import fit_factor_expert
from sslmepr.training.fusion_clips import ASKED, FusionClips
from sslmepr.training.fusion_training import predict_fused, train_variant
from sslmepr.training.loop import Schedule
from sslmepr.training.predictions import training_thresholds
from sslmepr.training.stacking import fit_predict_projector
from sslmepr.trials.collapse import PUBLISHED_SCHEDULE, ROLES, Arm, train_on
from sslmepr.trials.feature_network import train_feature_network

LATE, NETWORK, WHOLE = "late fusion", "network on all features", "whole method"
PUBLISHED, RECALIBRATED = "as published", "as published, recalibrated"
SINGLE_TASK = "single-task"
FACTOR = "factor model"
ALONE = "{} alone"

RATES = (0.0001, 0.0003, 0.001, 0.002)
"""Learning rates of which dev chooses one, for networks that are not ours."""

PUBLISHED_EPOCHS, PATIENCE, PLATEAU = 100, 15, 5
"""The published schedule: at most so many epochs, an end after so many without a better
dev score, and a learning rate that is halved on a plateau. After how many epochs is not
published; 5 by convention."""


class Predicted(NamedTuple):
    """What an arm predicts for all clips of a study.

    Attributes
    ----------
    targets : dict of str to (clip, target) array
        Task to probabilities of emotions or scores of traits.
    thresholds : (emotion,) array
        From which probability on an emotion is decided to be present.
    """

    targets: dict[str, np.ndarray]
    thresholds: np.ndarray


def late_fusion(params: Params, data: FusionClips, seed: int) -> Iterator:
    """The stacking regression from which the whole method starts; linear."""
    yield LATE, recalibrated(params, data, stacked(params, data))


def stacked(params: Params, data: FusionClips) -> dict[str, np.ndarray]:
    """Task to what the stacking regression predicts for all clips: (clip, target)."""
    rows = np.arange(len(data.clips.table))
    return {
        task: fit_predict_projector(params, Variant(), data, task, rows)[2]
        for task in TASKS
    }


def network(params: Params, data: FusionClips, seed: int) -> Iterator:
    """A network on all features, with the best of `RATES` on dev."""
    targets = train_feature_network(params, data, seed, RATES)
    yield NETWORK, recalibrated(params, data, targets)


def whole(params: Params, data: FusionClips, seed: int) -> Iterator:
    """The fusion model with the components of the study."""
    targets = train_on(params, data, Arm(Variant()), seed)[0]
    yield WHOLE, recalibrated(params, data, targets)


def single_task(params: Params, data: FusionClips, seed: int) -> Iterator:
    """A whole method for each task, which knows of no other task."""
    targets = {}
    for task in TASKS:
        targets |= train_on(params, data, Arm(Variant(tasks=[task])), seed)[0]
    yield SINGLE_TASK, recalibrated(params, data, targets)


def factor_model(params: Params, data: FusionClips, seed: int) -> Iterator:
    """The factor model alone (`sslmepr.models.factor_model`)."""
    yield (
        FACTOR,
        recalibrated(params, data, factored(fit_factor_expert(params, data), data)),
    )


def factored(expert: FactorExpert, data: FusionClips) -> dict[str, np.ndarray]:
    """Task to what factor models predict for all clips: (clip, target)."""
    rows = np.arange(len(data.clips.table))
    said = [expert(data.batch(part).inputs) for part in chunks(rows, ASKED)]
    return {
        task: torch.cat([each[task] for each in said]).sigmoid().cpu().numpy()
        for task in expert.tasks
    }


def modalities(params: Params, data: FusionClips, seed: int) -> Iterator:
    """Each modality by itself: the linear model that late fusion reads.

    Where a clip lacks the modality, the mean over training clips that have it.
    """
    every = data.batch(np.arange(len(data.clips.table))).inputs
    present = data.present.numpy()
    outputs = {
        "emotion": expit(every.emotion_logits.cpu().numpy()),
        "personality": every.trait_scores.cpu().numpy(),
    }
    for place, name in enumerate(MODALITIES):
        targets = {}
        for task in TASKS:
            train = data.rows(getattr(ROLES, task), "train")
            mine, there = outputs[task][:, place], present[:, place]
            usual = mine[train[there[train]]].mean(0)
            targets[task] = np.where(there[:, None], mine, usual)
        yield ALONE.format(name), recalibrated(params, data, targets)


def as_published(params: Params, data: FusionClips, seed: int) -> Iterator:
    """The published method in its own schedule, with the best of `RATES` on dev.

    Its own decisions are one arm. In the other, the same network decides on emotions at
    their base rates, and its trait scores are stretched as those of linear models.
    """
    variant = Variant(as_published=True)
    rows = np.arange(len(data.clips.table))
    changes = {key: PUBLISHED_SCHEDULE[key] for key in ("weight_decay", "batch")}
    fusion = params.fusion.model_copy(update=changes)
    own = params.model_copy(update={"fusion": fusion})
    found = []
    for rate in RATES:
        schedule = Schedule(
            PUBLISHED_EPOCHS, PATIENCE, rate, fusion.weight_decay, PLATEAU
        )
        model, history = train_variant(
            own, variant, data, {}, seed, "", False, schedule=schedule
        )
        found.append((history["dev_score"].max(), predict_fused(model, data, rows)))
    _, targets = max(found, key=lambda each: each[0])
    thresholds = base_rates(data)
    decided = np.full(len(thresholds), PUBLISHED_THRESHOLD)
    yield PUBLISHED, Predicted(targets, decided)
    yield RECALIBRATED, recalibrated(params, data, targets)


ARMS: dict[str, Callable[[Params, FusionClips, int], Iterator]] = {
    each.__name__: each
    for each in (
        *(late_fusion, network, whole, single_task, modalities, as_published),
        factor_model,
    )
}
"""By name: functions that yield (arm, `Predicted`)."""


def base_rates(data: FusionClips) -> np.ndarray:
    """Share of the training clips in which each scored emotion is present."""
    return np.array([*training_thresholds(data.clips, ROLES.emotion).values()])


def stretched(predicted: np.ndarray, known: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Trait scores with as much variance as labels have, which concordance rewards.

    A regression predicts less variance than labels have.

    Parameters
    ----------
    predicted : (clip, trait) array
    known, true : (dev clip, trait) array
        Predictions and labels of dev.

    Returns
    -------
    (clip, trait) array
    """
    factor = true.std(0) / np.maximum(known.std(0), 1e-9)
    return true.mean(0) + factor * (predicted - known.mean(0))


def recalibrated(params: Params, data: FusionClips, targets: dict) -> Predicted:
    """Emotions decided at base rates, and trait scores `stretched` on dev."""
    dev = data.rows(ROLES.personality, "dev")
    scores, true = targets["personality"], data.clips.labels["personality"][dev]
    traits = stretched(scores, scores[dev], true)
    return Predicted(targets | {"personality": traits}, base_rates(data))
