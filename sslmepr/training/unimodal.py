"""Stage 1: one network per modality and task that corrects a linear probe.

The linear model on mean-pooled features is both a baseline and a probe inside the
network, which adds a correction to its logits. For training clips, the network and all
later stages receive out-of-fold logits of the probe. In-sample logits are
overconfident, and a model that is stacked on them would weight modalities by how much
they overfit instead of by how well they predict.
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
from sslmepr.training.probes import Constant, Linear


def train_unimodal(
    params: Params,
    modality: str,
    task: str,
    run_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> dict:
    """Train stage 1: one modality and one task, on the corpus labelled for the task.

    Written to `run_folder`, for all clips of all corpora that have the modality:

    - the checkpoint ``model`` (`sslmepr.training.checkpoints`);
    - ``predictions.parquet`` with the predictions of the network (stage ``unimodal``)
      and of the linear model on mean-pooled features (stage ``linear``);
    - the probe's logits for stage 2, out of fold for training clips
      (`sslmepr.training.outputs`);
    - ``refits.parquet`` with the logits of probes refitted to bootstrap samples of the
      training speakers, for clips outside the training split
      (`sslmepr.training.bootstrap_refits`).

    If no labelled training clip has the modality, the prediction is the mean of the
    training labels, and no epoch is run.

    Parameters
    ----------
    params : Params
        Sections ``unimodal`` (model and schedule), ``roles`` (which corpus is labelled
        for the task), ``seed`` and ``compute.device``.
    modality : str
        One of ``params.modalities``.
    task : {"emotion", "personality"}
    run_folder : path
        Receives the files listed above; it is created if missing.
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet`` and ``<corpus>/features``.
    progress : bool
        Show a progress bar over epochs.

    Returns
    -------
    dict
        modality, task, clips (number of labelled clips in train and dev), dev_score
        and linear_dev_score (`sslmepr.training.predictions.dev_score` of the network
        and of the linear model), epochs (last epoch run), history (list of dict:
        epoch, train_loss, dev_score).

    Raises
    ------
    ValueError
        If no training clip has labels of the task, or the corpora's features were made
        by different encoders.
    CorpusError
        If a corpus has no valid clip table.
    TrainingError
        If the training loss is not finite.
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
    best: dict[str, object] = {"dev_score": _best(history)}
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
    """Train on the clips of `train` with early stopping on `dev`; the history."""
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
    """Configuration of a stage-1 model according to ``params.unimodal``.

    Parameters
    ----------
    params : Params
    modality : str
        Selects the kind of sequence block from ``params.unimodal.blocks``.
    task : {"emotion", "personality"}
    features : int
        Features per step.
    targets : int, optional
        Number of logits; that of the task's targets if not given.

    Returns
    -------
    UnimodalConfig
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
    """Output of the linear model for the clips that have the modality."""

    predicted: np.ndarray  # (clip, target)
    logits: np.ndarray  # (clip, target), out of fold for training clips
    dev_score: float
    unseen: np.ndarray  # positions of the clips outside the training split
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
    linear: Linear | Constant
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
        labels = data.clips.training_labels(corpus, task)
        linear = Constant(task, labels, pooled.shape[1])
        weights, bias = linear.probe()
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
