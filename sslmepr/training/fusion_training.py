"""Training one fusion model: our own or, for comparison, the published one."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sslmepr.device import seed_everything
from sslmepr.labels import MODEL_COMPONENTS, TASKS
from sslmepr.models.factor_expert import FactorExpert
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.models.published import PublishedFusion
from sslmepr.params import Params
from sslmepr.params.training import Variant
from sslmepr.training.batches import balanced, chunks
from sslmepr.training.corrections import choose_believing, choose_shares
from sslmepr.training.factor_choice import fit_factor_expert
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.fusion_objective import FusionObjective
from sslmepr.training.loop import Schedule, fit
from sslmepr.training.predictions import dev_score, training_thresholds
from sslmepr.training.published_objective import PublishedObjective
from sslmepr.training.readings import fit_readings
from sslmepr.training.second_forms import fit_second_forms

PREDICT_BATCH = 1024
"""Clips per forward pass; bounds memory."""


def train_variant(
    params: Params,
    settings: Variant,
    data: FusionClips,
    projectors: dict[str, PredictProjector],
    seed: int,
    title: str = "",
    progress: bool = True,
    on_score: Callable[[float], None] | None = None,
    schedule: Schedule | None = None,
    factors: FactorExpert | None = None,
) -> tuple[FusionModel, pd.DataFrame]:
    """Train one variant of the fusion model with one seed.

    Parameters
    ----------
    params : Params
        Sections ``fusion`` and ``roles``, and ``seed``, to which `seed` is added.
    settings : Variant
    data : FusionClips
    projectors : dict
        Task to its `PredictProjector` from
        `sslmepr.training.stacking.fit_predict_projector`, from which the network
        starts.
    seed : int
    title : str
        Shown beside the progress bar and in errors.
    progress : bool
    on_score : callable, optional
        Called with the dev score of every epoch; its exceptions end the training.
    schedule : Schedule, optional
        That of section ``fusion`` if not given.
    factors : FactorExpert, optional
        Of the same clips and tasks, so that several seeds need not fit one each; fitted
        if not given and the variant has one.

    Returns
    -------
    model : FusionModel
        With the weights of the best epoch on dev; after a fixed budget (no patience)
        with those of the last epoch, and the shares of its corrections, its product of
        experts and its factor model that are best on dev (``model.shares``,
        ``model.weighing``, ``model.believing``).
    history : DataFrame
        As from `sslmepr.training.loop.fit`.
    """
    seed_everything(params.seed + seed)
    section = params.fusion
    left_out = section.left_out(settings)
    network, objective_class = (
        (PublishedFusion, PublishedObjective)
        if settings.as_published
        else (FusionModel, FusionObjective)
    )
    model = network(
        FusionConfig(
            widths=data.widths,
            hidden=section.hidden,
            heads=section.heads,
            dropout=section.dropout,
            tasks=tuple(settings.tasks),
            without=tuple(name for name in left_out if name in MODEL_COMPONENTS),
            features=data.feature_counts,
        )
    ).to(data.device)
    if "predict_projector" not in left_out and not settings.as_published:
        for task, projector in projectors.items():
            model.predict_projectors[task] = copy.deepcopy(projector)
        if model.experts is not None:
            model.readings = fit_readings(params, data, projectors).to(data.device)
    if getattr(model, "forms", None) is not None:
        model.forms = fit_second_forms(params, data).to(data.device)
    if getattr(model, "factors", None) is not None:
        factors = factors or fit_factor_expert(params, data, settings.tasks)
        model.factors = copy.deepcopy(factors)
        data = data.asking(model)
        choose_believing(params, data, model)
    groups = [data.rows(getattr(params.roles, task), "train") for task in TASKS]
    lengths = np.ones(len(data.clips.table))
    objective = objective_class(section, settings, params.seed + seed)

    def rows(epoch):
        rng = np.random.default_rng([params.seed, seed, epoch])
        return balanced(groups, lengths, section.batch, rng)

    def score(model):
        scores = score_on_dev(params, settings.tasks, data, model)["dev_score"]
        mean = float(np.mean(list(scores.values())))
        if on_score is not None:
            on_score(mean)
        return mean

    history = fit(
        model,
        lambda epoch: map(data.batch, rows(epoch)),
        len(rows(0)),
        objective,
        score,
        schedule or Schedule.from_section(section),
        title,
        progress,
    )
    if section.patience is None and not settings.as_published:
        choose_shares(params, data, model)
    return model, history


@torch.no_grad()
def predict_fused(
    model: FusionModel, data: FusionClips, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Predict clips with a fusion model.

    Parameters
    ----------
    model : FusionModel
        Is put into evaluation mode.
    data : FusionClips
    rows : (clip,) int array

    Returns
    -------
    dict of str to (clip, target) array
        Task to probabilities of emotions or scores of traits, in the order of `rows`.
    """
    model.eval()
    parts: dict[str, list[Tensor]] = {task: [] for task in model.config.tasks}
    for part in chunks(rows, PREDICT_BATCH):
        answers = model.predicted(model(data.batch(part).inputs))
        for task, values in answers.items():
            parts[task].append(values.float().cpu())
    return {task: torch.cat(part).numpy() for task, part in parts.items() if part}


def score_on_dev(
    params: Params, tasks: Sequence[str], data: FusionClips, model: FusionModel
) -> dict:
    """Score a fusion model on dev.

    Parameters
    ----------
    params : Params
        ``roles`` names the corpus that is labelled for each task.
    tasks : sequence of str
    data : FusionClips
    model : FusionModel

    Returns
    -------
    dict
        dev_score (dict per task) and, if emotion is among the tasks, thresholds
        (`sslmepr.training.predictions.training_thresholds`).
    """
    scores: dict[str, float] = {}
    result: dict[str, dict[str, float]] = {"dev_score": scores}
    for task in tasks:
        rows = data.rows(getattr(params.roles, task), "dev")
        predicted = predict_fused(model, data, rows)[task]
        true = data.clips.labels[task][rows]
        scores[task] = dev_score(task, true, predicted)
        if task == "emotion":
            corpus = params.roles.emotion
            result["thresholds"] = training_thresholds(data.clips, corpus)
    return result
