"""Stage 1: one network per modality and task that corrects a linear probe.

The linear model on mean-pooled features is both a baseline and a probe inside the
network, which adds a correction to its logits; where it predicts dev better, the probe
is a kernel machine instead. The network has a fixed budget of
epochs; how much of its correction is used is chosen on dev, and results say how much
that is. For training clips, the network and all
later stages receive out-of-fold logits of the probe. In-sample logits are
overconfident, and a model that is stacked on them would weight modalities by how much
they overfit instead of by how well they predict.
"""

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch

from sslmepr.device import choose_device, seed_everything
from sslmepr.labels import TARGETS, Model
from sslmepr.models.unimodal import (
    CONTEXT,
    UnimodalConfig,
    UnimodalModel,
    set_linear,
)
from sslmepr.params import Params
from sslmepr.training.batches import ModalityClips, bucketed
from sslmepr.training.bootstrap_refits import write_refits
from sslmepr.training.checkpoints import save_checkpoint
from sslmepr.training.clips import read_study_clips
from sslmepr.training.loop import Schedule, fit
from sslmepr.training.losses import LOSSES
from sslmepr.training.outputs import predict_outputs, write_outputs
from sslmepr.training.predictions import (
    dev_score,
    prediction_table,
    training_thresholds,
    write_predictions,
)
from sslmepr.training.probes import Constant, Linear

SCALES = tuple(round(0.05 * step, 2) for step in range(21))
"""What the correction may be multiplied by, 0 (the linear model) to 1."""


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
        and of the linear model), scale and share (`choose_scale`: how much of the
        network's correction is used, and its share of the output), epochs (last epoch
        run), history (list of dict: epoch, train_loss, dev_score with all of it).

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
    clips = read_study_clips(params, data_folder)
    device = choose_device(params.compute.device)
    data = ModalityClips(clips, modality, data_folder, device)
    fitted = fit_unimodal(params, data, task, progress)
    model, start, history = fitted.model, fitted.start, fitted.history
    rows = fitted.rows
    run_folder = Path(run_folder)
    tables = [
        prediction_table(clips, rows, task, values, Model(stage, modality), params.seed)
        for stage, values in {
            "unimodal": fitted.predicted,
            "linear": start.predicted,
        }.items()
    ]
    write_predictions(run_folder, tables)
    write_refits(run_folder, clips, start.unseen, task, start.refits)
    best: dict[str, object] = {"dev_score": fitted.dev_score}
    if task == "emotion":
        best["thresholds"] = training_thresholds(clips, params.roles.emotion)
    digest = save_checkpoint(
        model, run_folder / "model", data.statistics, best, data.made_by
    )
    write_outputs(run_folder, clips, rows, {"probe_logits": start.logits}, digest)
    return {
        "modality": modality,
        "task": task,
        "clips": {"train": len(fitted.train), "dev": len(fitted.dev)},
        "dev_score": fitted.dev_score,
        "linear_dev_score": start.dev_score,
        "landmarks": model.config.landmarks,
        "scale": float(model.scale),
        "share": fitted.share,
        "epochs": int(history["epoch"].max()),
        "history": history.to_dict("records"),
    }


class Fitted(NamedTuple):
    """A model of stage 1 after training.

    Attributes
    ----------
    model : UnimodalModel
    start : Start
        The probe that it corrects, and the linear model.
    history : DataFrame
        As from `sslmepr.training.loop.fit`.
    rows, train, dev : (clip,) int array
        Positions of all clips with the modality, and of labelled ones.
    predicted : (clip, target) array
        Probabilities or scores of the clips of `rows`.
    dev_score, share : float or None
        Score on dev, and the correction's share of the variance of logits there
        (`correction_share`); None without labelled dev clips.
    """

    model: UnimodalModel
    start: "Start"
    history: pd.DataFrame
    rows: np.ndarray
    train: np.ndarray
    dev: np.ndarray
    predicted: np.ndarray
    dev_score: float | None
    share: float | None


def fit_unimodal(
    params: Params, data: ModalityClips, task: str, progress: bool = True
) -> Fitted:
    """Train a model of stage 1 in memory.

    The probe is fitted first, then its correction, with a fixed budget of epochs. How
    much of the correction is used is chosen on dev (`choose_scale`).

    Parameters
    ----------
    params : Params
        As in `train_unimodal`.
    data : ModalityClips
        Receives the logits of the linear model as its offset logits.
    task : {"emotion", "personality"}
    progress : bool

    Returns
    -------
    Fitted

    Raises
    ------
    TrainingError
        If the training loss is not finite.
    """
    seed_everything(params.seed)
    corpus = getattr(params.roles, task)
    train, dev = (data.labelled_rows(corpus, task, split) for split in ("train", "dev"))
    rows = data.present(np.arange(len(data.clips.table)))
    model, start = _start(params, task, data, train, dev, rows)
    data.set_offset_logits(task, rows, start.logits)
    if len(train):
        _match_filters(model, data, train, dev, start.level)
    model.to(data.device)
    if len(train):
        history = _fit(params, model, data, train, dev, progress)
    else:
        history = pd.DataFrame(
            {"epoch": [0], "train_loss": np.nan, "dev_score": np.nan}
        )
    score = share = None
    if len(dev):
        share = choose_scale(model, data, dev)
        labels = data.clips.labels[task][dev]
        score = dev_score(task, labels, _predict(model, data, dev))
    predicted = _predict(model, data, rows)
    return Fitted(model, start, history, rows, train, dev, predicted, score, share)


def _match_filters(model, data: ModalityClips, train, dev, level) -> None:
    """Start the filters of `model` from linear models of the mean and of the slope."""
    true = data.clips.labels[model.config.task]
    features = [
        np.hstack([data.pooled(rows), data.slopes(rows)])
        if len(rows)
        else np.zeros((0, 2 * data.feature_count))
        for rows in (train, dev)
    ]
    linear = Linear(model.config.task, features[0], true[train], features[1], true[dev])
    slope = linear.probe()[0][:, data.feature_count :]
    level = torch.from_numpy(level)
    padded = map(data.padded, data.pieces(train))
    steps = np.concatenate([values[mask] @ level.numpy().T for values, mask in padded])
    spread = torch.from_numpy(steps.std(0) + 1e-6)
    pooled = features[0][:, : data.feature_count]
    _, size, axes = np.linalg.svd(pooled - pooled.mean(0), full_matrices=False)
    size = np.maximum(size, size[0] * 1e-3)  # no blowing up of rounding errors
    differs = size > 1e-6 * np.sqrt(len(train))  # none does where all clips are alike
    context = np.sqrt(len(train)) * axes[differs] / size[differs, None]
    context = torch.from_numpy(context[:CONTEXT])
    model.evidence.match(level, torch.from_numpy(slope), spread, context)


def choose_scale(model: UnimodalModel, data: ModalityClips, dev: np.ndarray) -> float:
    """Set the scale of a model's correction to that with the smallest loss on dev.

    A single number is chosen, by a loss that is smooth in it. That overfits a small dev
    split less than the choice of an epoch by its score does, and it does not hide a
    correction that is worth nothing behind the weights of epoch 0.

    Parameters
    ----------
    model : UnimodalModel
        Its ``scale`` is set to a value of `SCALES`.
    data : ModalityClips
        With offset logits.
    dev : (clip,) int array
        Labelled clips; at least one.

    Returns
    -------
    float
        The `correction_share` of the model on dev.
    """
    task = model.config.task
    start = data.offset_logits(task, dev)
    model.scale.fill_(1.0)
    found = predict_outputs(model, data, dev, ["logits"], task)["logits"]
    correction = torch.from_numpy(found) - start
    true = torch.from_numpy(data.clips.labels[task][dev])
    losses = [_loss(task, start + scale * correction, true) for scale in SCALES]
    scale = SCALES[int(np.argmin(losses))]
    model.scale.fill_(scale)
    return correction_share(start.numpy(), scale * correction.numpy())


def correction_share(start: np.ndarray, correction: np.ndarray) -> float:
    """Share of a correction in the variance of the logits that it is added to.

    Parameters
    ----------
    start, correction : (clip, target) array
        Logits of the linear model, and what a network adds.

    Returns
    -------
    float
        Variance of the correction, divided by the sum of both variances, mean over
        targets; 0 for a target where neither varies.
    """
    own, other = correction.var(0), start.var(0)
    total = own + other
    return float(np.divide(own, total, out=np.zeros_like(own), where=total > 0).mean())


def _loss(task: str, logits: torch.Tensor, true: torch.Tensor) -> torch.Tensor:
    return LOSSES[task](logits if task == "emotion" else logits.sigmoid(), true)


def _fit(params: Params, model, data: ModalityClips, train, dev, progress):
    """Train on the clips of `train`, scored on `dev`; the history."""
    section, task = params.unimodal, model.config.task

    def rows(epoch):
        rng = np.random.default_rng([params.seed, epoch])
        return bucketed(train, data.lengths, section.batch, rng)

    def loss(model, _, batch):
        output = model(batch.values, batch.mask, batch.offset_logits[task])
        return _loss(task, output.logits, batch.labels[task])

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
        peaks=modality in section.peaks,
        landmarks=section.landmarks.get(modality, 0),
    )


def _predict(model, data: ModalityClips, rows: np.ndarray) -> np.ndarray:
    """Probabilities or scores (clip, target) in the order of `rows`."""
    task = model.config.task
    if len(rows) == 0:
        return np.zeros((0, len(TARGETS[task])), np.float32)
    return predict_outputs(model, data, rows, ["predicted"], task)["predicted"]


class Start(NamedTuple):
    """What a network starts from, for the clips that have the modality."""

    predicted: np.ndarray  # (clip, target), of the linear model
    dev_score: float  # of the linear model
    level: np.ndarray  # (target, feature), the linear model's weights of the mean
    logits: np.ndarray  # (clip, target) of the probe, out of fold for training clips
    unseen: np.ndarray  # positions of the clips outside the training split
    refits: np.ndarray  # (refit, unseen clip, target) logits


def _start(
    params: Params, task: str, data: ModalityClips, train, dev, rows
) -> tuple[UnimodalModel, Start]:
    """A network whose probe is that of two kinds which predicts dev better.

    Linear, or with a `sslmepr.models.unimodal.KernelMap` where ``params.unimodal``
    says so; without dev clips, linear.
    """
    config = unimodal_config(params, data.modality, task, data.feature_count)
    model = UnimodalModel(replace(config, landmarks=0))
    start = _linear(params, model, data, train, dev, rows)
    if not (config.landmarks and len(train) and len(dev)):
        return model, start
    config = replace(config, landmarks=min(config.landmarks, len(train)))
    with torch.random.fork_rng(devices=[]):  # chance goes on as if it were not there
        other = UnimodalModel(config)
    if other.kernel is not None:
        examples = torch.from_numpy(data.summary(train, config.peaks))
        other.kernel.choose(examples, params.seed)
    found = _linear(params, other, data, train, dev, rows)
    if not found.dev_score > start.dev_score:
        return model, start
    return other, found._replace(
        predicted=start.predicted, dev_score=start.dev_score, level=start.level
    )


def _linear(params: Params, model, data: ModalityClips, train, dev, rows) -> Start:
    """Fit a linear model to what the probe of `model` reads, and make it the probe."""
    task = model.config.task
    true = data.clips.labels[task]
    pooled = torch.from_numpy(data.summary(rows, model.config.peaks))
    pooled = model.summary(pooled).numpy()
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
    return Start(
        predicted,
        dev_score(task, true[dev], predicted[at["dev"]]),
        model.probe.weight.detach().numpy()[:, : data.feature_count],
        logits.astype(np.float32),
        rows[unseen],
        np.array(drawn, np.float32).reshape(-1, unseen.sum(), true.shape[1]),
    )
