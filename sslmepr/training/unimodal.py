"""Stage 1: a model for each modality and task that starts from a linear one.

The linear model is a baseline, and a probe inside the network. What the network learns
from, and what later stages see of the training clips, are probes out of fold: those
that have seen a clip are far surer of it than of any new one, and whatever is taught on
top of them learns to trust the surest modality instead of the best.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from sslmepr.device import choose_device, seed_everything
from sslmepr.labels import (
    TARGETS,
    Model,
)
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel, set_linear
from sslmepr.params import Params
from sslmepr.training.baselines import Constant, Linear
from sslmepr.training.batches import ModalityClips, bucketed
from sslmepr.training.bootstrap_refits import write_refits
from sslmepr.training.checkpoints import save_checkpoint
from sslmepr.training.clips import read_study_clips
from sslmepr.training.loop import Schedule, fit
from sslmepr.training.losses import emotion_loss, trait_loss
from sslmepr.training.outputs import predict_outputs, write_outputs
from sslmepr.training.predictions import (
    dev_score,
    prediction_table,
    training_thresholds,
    write_predictions,
)


def train_unimodal(
    params: Params,
    modality: str,
    task: str,
    run_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> dict:
    """Stage 1: one modality, one task, on the corpus that has its labels.

    Writes the checkpoint and the predictions for every clip of every corpus that has
    the modality, together with those of a linear model on mean-pooled features
    (stage ``linear``), for stage 2 the logits of its probe, out of
    fold where the clip is in training (`sslmepr.training.outputs`), and for the
    analysis ``refits.parquet``: the logits that probes of other training samples give
    to clips that are not in training.

    Where no labelled training clip has the modality, nothing can be learnt: the
    prediction is the mean of the training labels, and no epoch is run.

    Returns
    -------
    dict
        modality, task, clips, dev_score (of the model and the linear one), epochs,
        history.

    Raises
    ------
    ValueError
        If no training clip has labels of the task.
    """
    seed_everything(params.seed)
    clips = read_study_clips(params, data_folder)
    device = choose_device(params.compute.device)
    data = ModalityClips(clips, modality, data_folder, device)
    train, dev = (
        data.labelled_rows(getattr(params.roles, task), task, split)
        for split in ("train", "dev")
    )
    model = UnimodalModel(unimodal_config(params, modality, task, data.feature_count))
    rows = data.present(np.arange(len(clips.table)))
    start = _linear(params, model, data, train, dev, rows)
    data.set_offset_logits(task, rows, start.logits)
    model.to(device)
    if len(train):
        history = _fit(params, model, data, train, dev, progress)
    else:
        history = pd.DataFrame(
            {"epoch": [0], "train_loss": np.nan, "dev_score": np.nan}
        )
    predicted = _predict(model, data, rows)
    run_folder = Path(run_folder)
    tables = [
        prediction_table(clips, rows, task, values, Model(stage, modality), params.seed)
        for stage, values in (("unimodal", predicted), ("linear", start.predicted))
    ]
    write_predictions(run_folder, tables)
    write_refits(run_folder, clips, start.unseen, task, start.refits)
    best = {"dev_score": _best(history)}
    if task == "emotion":
        best["thresholds"] = training_thresholds(clips, params.roles.emotion)
    digest = save_checkpoint(
        model, run_folder / "model", data.statistics, best, data.made_by
    )
    write_outputs(run_folder, clips, rows, {"probe_logits": start.logits}, digest)
    return {
        "modality": modality,
        "task": task,
        "clips": {"train": len(train), "dev": len(dev)},
        "dev_score": best["dev_score"],
        "linear_dev_score": start.dev_score,
        "epochs": int(history["epoch"].max()),
        "history": history.to_dict("records"),
    }


def _fit(params: Params, model, data: ModalityClips, train, dev, progress):
    """Train on the clips of `train`, stop by those of `dev`; the history."""
    section, task = params.unimodal, model.config.task

    def rows(epoch):
        rng = np.random.default_rng([params.seed, epoch])
        return bucketed(train, data.lengths, section.batch, rng)

    def loss(model, _, batch):
        output = model(batch.values, batch.mask, batch.offset_logits[task])
        if task == "emotion":
            return emotion_loss(output.logits, batch.labels[task])
        return trait_loss(output.predicted, batch.labels[task])

    def score(model):
        true = data.clips.labels[task][dev]
        return dev_score(task, true, _predict(model, data, dev))

    title = f"{data.modality}-{task}"
    return fit(
        model,
        lambda epoch: map(data.batch, rows(epoch)),
        len(rows(0)),
        loss,
        score,
        Schedule.from_section(section),
        title,
        progress,
    )


def unimodal_config(
    params: Params, modality: str, task: str, features: int, targets: int | None = None
) -> UnimodalConfig:
    """The model of stage 1 as ``params.unimodal`` says.

    `features` and `targets` are those of `UnimodalConfig`.
    """
    section = params.unimodal
    return UnimodalConfig(
        task=task,
        features=features,
        hidden=section.hidden,
        block=section.blocks[modality],
        layers=section.layers,
        state=section.state,
        heads=section.heads,
        dropout=section.dropout,
        targets=targets,
    )


def _predict(model, data: ModalityClips, rows: np.ndarray) -> np.ndarray:
    """Probabilities or scores (clip, target) in the order of `rows`."""
    task = model.config.task
    if len(rows) == 0:
        return np.zeros((0, len(TARGETS[task])), np.float32)
    return predict_outputs(model, data, rows, ["predicted"], task)["predicted"]


class _Start(NamedTuple):
    """What the linear model says of the clips that have the modality."""

    predicted: np.ndarray  # (clip, target)
    logits: np.ndarray  # (clip, target), out of fold in training
    dev_score: float
    unseen: np.ndarray  # positions of the clips that are not in training
    refits: np.ndarray  # (refit, unseen clip, target) logits


def _linear(params: Params, model, data: ModalityClips, train, dev, rows) -> _Start:
    """Fit the linear model and make it the probe of `model`."""
    task = model.config.task
    true = data.clips.labels[task]
    pooled = data.pooled(rows)
    at = {
        name: np.searchsorted(rows, each)
        for name, each in (("train", train), ("dev", dev))
    }
    unseen = (data.clips.table["split"].to_numpy() != "train")[rows]
    refits = params.unimodal.refits
    if len(train):
        linear = Linear(
            task, pooled[at["train"]], true[train], pooled[at["dev"]], true[dev]
        )
        weights, bias = linear.probe()
        logits = pooled @ weights.T + bias
        speakers = data.clips.table["speaker_id"].to_numpy()[train]
        logits[at["train"]] = linear.out_of_fold(speakers)
        probes = linear.refitted(speakers, refits, params.seed)
        drawn = [pooled[unseen] @ weights.T + bias for weights, bias in probes]
    else:
        corpus = getattr(params.roles, task)
        linear = Constant(task, data.clips.training_labels(corpus, task))
        weights, bias = linear.probe(pooled.shape[1])
        logits = np.tile(bias, (len(rows), 1))
        drawn = [logits[unseen]] * refits
    set_linear(model.probe, torch.from_numpy(weights), torch.from_numpy(bias))
    predicted = linear.predict(pooled)
    return _Start(
        predicted,
        logits.astype(np.float32),
        dev_score(task, true[dev], predicted[at["dev"]]),
        rows[unseen],
        np.array(drawn, np.float32).reshape(-1, unseen.sum(), true.shape[1]),
    )


def _best(history) -> float | None:
    scores = history["dev_score"].dropna()
    return float(scores.max()) if len(scores) else None
