"""Training one fusion model: our own or, for comparison, the published one."""

import copy
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch

from sslmepr.device import seed_everything
from sslmepr.labels import MODEL_COMPONENTS, TASKS
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.models.published import PublishedFusion
from sslmepr.params import Params, Variant
from sslmepr.training.baselines import Combination
from sslmepr.training.batches import balanced, in_order
from sslmepr.training.co_training import co_train
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.fusion_objective import FusionObjective
from sslmepr.training.loop import Schedule, fit
from sslmepr.training.predictions import dev_score, training_thresholds
from sslmepr.training.published_objective import PublishedObjective

PREDICT_BATCH = 1024


def fit_predict_projector(
    params: Params, settings: Variant, data: FusionClips, task: str, rows: np.ndarray
) -> tuple[PredictProjector, np.ndarray]:
    """Linear model of a task on all unimodal predictions of it, as part of a network.

    Learns from the training clips that have labels, its strength from those of dev.
    Modalities teach each other first, if the variant has them do so.

    Parameters
    ----------
    params : Params
    settings : Variant
    data : FusionClips
    task : str
    rows : (clip,) int array

    Returns
    -------
    projector : PredictProjector
    predicted : (clip, target) array
        What the linear model predicts for `rows`.
    """
    co_training = "co_training" not in params.fusion.left_out(settings)
    probed = data.feature_counts if co_training else None
    projector = PredictProjector(task, len(data.widths), probed)
    for modality, probe in (
        co_train(params, data, task) if co_training else {}
    ).items():
        projector.set_probe(modality, *map(torch.from_numpy, probe))
    projector.to(data.device)
    known, corpus = data.clips.labelled(task), getattr(params.roles, task)
    train, dev = (data.rows(corpus, split) for split in ("train", "dev"))
    train, dev = train[known[train]], dev[known[dev]]
    projector.centre(data.batch(train).inputs)

    def evidence(rows):
        return projector.evidence(data.batch(rows).inputs).cpu().numpy()

    true = data.clips.labels[task]
    linear = Combination(task, evidence(train), true[train], evidence(dev), true[dev])
    projector.set_linear(*map(torch.from_numpy, linear.probe()))
    return projector, linear.predict(evidence(rows))


def train_variant(
    params: Params,
    settings: Variant,
    data: FusionClips,
    projectors: dict[str, PredictProjector],
    seed: int,
    title: str = "",
    progress: bool = True,
    on_score: Callable[[float], None] | None = None,
) -> tuple[FusionModel, pd.DataFrame]:
    """Train one variant of the fusion model with one seed.

    Parameters
    ----------
    params : Params
        Its section ``fusion`` and its seed, to which `seed` is added.
    settings : Variant
    data : FusionClips
    projectors : dict
        Task to its `fit_predict_projector`, which the network starts from.
    seed : int
    title : str
    progress : bool
    on_score : callable, optional
        Told the dev score of every epoch; what it raises ends the training.

    Returns
    -------
    model : FusionModel
        With the weights that were best on dev.
    history : DataFrame
        As of `sslmepr.training.loop.fit`.
    """
    seed_everything(params.seed + seed)
    section = params.fusion
    left_out = section.left_out(settings)
    network, teaching = (
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
            tasks=list(settings.tasks),
            without=[name for name in left_out if name in MODEL_COMPONENTS],
            features=data.feature_counts,
        )
    ).to(data.device)
    if "predict_projector" not in left_out and not settings.as_published:
        for task, projector in projectors.items():
            model.predict_projectors[task] = copy.deepcopy(projector)
    groups = [data.rows(getattr(params.roles, task), "train") for task in TASKS]
    lengths = np.ones(len(data.clips.table))
    objective = teaching(section, settings, params.seed + seed)

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
        Schedule.of(section),
        title,
        progress,
    )
    return model, history


@torch.no_grad()
def predict_fused(
    model: FusionModel, data: FusionClips, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """Task to probabilities or scores (clip, target)."""
    model.eval()
    parts = {task: [] for task in model.config.tasks}
    for part in in_order(rows, PREDICT_BATCH):
        answers = model.predicted(model(data.batch(part).inputs))
        for task, values in answers.items():
            parts[task].append(values.float().cpu())
    return {task: torch.cat(part).numpy() for task, part in parts.items() if part}


def score_on_dev(
    params: Params, tasks: Sequence[str], data: FusionClips, model: FusionModel
) -> dict:
    """Scores on dev, and the thresholds of emotions."""
    result = {"dev_score": {}}
    for task in tasks:
        rows = data.rows(getattr(params.roles, task), "dev")
        predicted = predict_fused(model, data, rows)[task]
        true = data.clips.labels[task][rows]
        result["dev_score"][task] = dev_score(task, true, predicted)
        if task == "emotion":
            corpus = params.roles.emotion
            result["thresholds"] = training_thresholds(data.clips, corpus)
    return result
