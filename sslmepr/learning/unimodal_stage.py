"""Stage 1: one model for each modality and task, and a linear one beside it."""

from pathlib import Path

import numpy as np
import torch

from sslmepr.device import choose_device, seed_everything
from sslmepr.labels import TARGETS
from sslmepr.learning.baselines import Linear
from sslmepr.learning.batches import ModalityClips, bucketed, in_order
from sslmepr.learning.checkpoints import save_checkpoint
from sslmepr.learning.clips import read_study_clips
from sslmepr.learning.loop import Schedule, fit
from sslmepr.learning.losses import emotion_loss, trait_loss
from sslmepr.learning.predictions import (
    dev_score,
    dev_thresholds,
    prediction_table,
    write_predictions,
)
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel
from sslmepr.params import Params

LOSSES = {"emotion": emotion_loss, "personality": trait_loss}
PREDICT_BATCH = 256


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
    (variant ``<modality>-<task>-linear``).

    Returns
    -------
    dict
        modality, task, clips, dev_score (of the model and the linear one), epochs,
        history.

    Raises
    ------
    ValueError
        If no training clip has the modality.
    """
    seed_everything(params.seed)
    clips = read_study_clips(params, data_folder)
    device = choose_device(params.compute.device)
    data = ModalityClips(clips, modality, data_folder, device)
    train, dev = (
        data.taught(getattr(params.roles, task), task, split)
        for split in ("train", "dev")
    )
    if len(train) == 0:
        raise ValueError(f"{modality}-{task}: no training clip has this modality")
    model = UnimodalModel(_config(params, modality, task, data.feature_count))
    history = _fit(params, model.to(device), data, train, dev, progress)
    rows = data.present(np.arange(len(clips.table)))
    predicted = _predict(model, data, rows)
    linear, linear_score = _linear(data, task, train, dev, rows)
    title, run_folder = f"{modality}-{task}", Path(run_folder)
    tables = [
        prediction_table(clips, rows, task, values, variant, params.seed)
        for variant, values in ((title, predicted), (f"{title}-linear", linear))
    ]
    write_predictions(run_folder, tables)
    best = {"dev_score": _best(history)}
    if task == "emotion":
        on_dev = predicted[np.searchsorted(rows, dev)]
        best["thresholds"] = dev_thresholds(clips, dev, on_dev)
    save_checkpoint(model, run_folder / "model", data.statistics, best)
    return {
        "modality": modality,
        "task": task,
        "clips": {"train": len(train), "dev": len(dev)},
        "dev_score": best["dev_score"],
        "linear_dev_score": linear_score,
        "epochs": len(history),
        "history": history.to_dict("records"),
    }


def _fit(params: Params, model, data: ModalityClips, train, dev, progress):
    """Train on the clips of `train`, stop by those of `dev`; the history."""
    section, task = params.unimodal, model.config.task

    def batches(epoch):
        rng = np.random.default_rng([params.seed, epoch])
        return _Batches(data, bucketed(train, data.lengths, section.batch, rng))

    def loss(model, _, batch):
        output = model(batch.values, batch.mask).output
        return LOSSES[task](output, batch.labels[task])

    def score(model):
        true = data.clips.labels[task][dev]
        return dev_score(task, true, _predict(model, data, dev))

    title = f"{data.modality}-{task}"
    return fit(model, batches, loss, score, Schedule.of(section), title, progress)


def _config(params, modality, task, features) -> UnimodalConfig:
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
    )


class _Batches:
    """Batches made one at a time, with a length for the schedule."""

    def __init__(self, data: ModalityClips, rows: list[np.ndarray]):
        self._data, self._rows = data, rows

    def __len__(self):
        return len(self._rows)

    def __iter__(self):
        return map(self._data.batch, self._rows)


@torch.no_grad()
def _predict(model, data: ModalityClips, rows: np.ndarray) -> np.ndarray:
    """Probabilities or scores (clip, target) in the order of `rows`."""
    targets = TARGETS[model.config.task]
    predicted = np.zeros((len(rows), len(targets)), np.float32)
    by_length = np.argsort(data.lengths[rows], kind="stable")
    for places in in_order(by_length, PREDICT_BATCH):
        batch = data.batch(rows[places])
        output = model(batch.values, batch.mask).output
        if model.config.task == "emotion":
            output = output.sigmoid()
        predicted[places] = output.float().cpu().numpy()
    return predicted


def _linear(data: ModalityClips, task, train, dev, rows):
    """Predictions of the linear model for `rows`, and its score on dev."""
    true = data.clips.labels[task]
    pooled = data.pooled(rows)
    at = {
        name: np.searchsorted(rows, each)
        for name, each in (("train", train), ("dev", dev))
    }
    model = Linear(task, pooled[at["train"]], true[train], pooled[at["dev"]], true[dev])
    predicted = model.predict(pooled)
    return predicted, dev_score(task, true[dev], predicted[at["dev"]])


def _best(history) -> float | None:
    scores = history["dev_score"].dropna()
    return float(scores.max()) if len(scores) else None
