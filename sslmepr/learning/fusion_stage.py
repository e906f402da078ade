"""Stage 3: all modalities of a clip, both tasks, one model per variant and seed."""

import copy
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sslmepr.device import choose_device, seed_everything
from sslmepr.labels import TARGETS, TASKS
from sslmepr.learning.baselines import Linear
from sslmepr.learning.batches import balanced, in_order
from sslmepr.learning.checkpoints import save_checkpoint
from sslmepr.learning.clips import StudyClips, read_study_clips
from sslmepr.learning.fusion_objective import FusionObjective
from sslmepr.learning.loop import Schedule, fit
from sslmepr.learning.outputs import study_outputs
from sslmepr.learning.predictions import (
    dev_score,
    prediction_table,
    training_thresholds,
    write_predictions,
)
from sslmepr.learning.published_objective import PublishedObjective
from sslmepr.models.fusion import FusionConfig, FusionInput, FusionModel
from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.models.published import PublishedFusion
from sslmepr.params import Params, Variant

LOSS_COMPONENTS = ("semi_supervised", "gradnorm")
"""Components that can be left out of training rather than of the network."""

PREDICT_BATCH = 1024


@dataclass(frozen=True)
class FusionBatch:
    """Clips as the fusion model takes them, with labels (NaN where there is none)."""

    inputs: FusionInput
    labels: dict[str, Tensor]


class FusionClips:
    """What stage 2 says of every clip of a study, in memory.

    Attributes
    ----------
    present : (clip, modality) bool Tensor
    widths : dict
        Modality to the width of its concatenated embeddings.
    """

    def __init__(self, clips: StudyClips, modalities, study_folder, device):
        self.clips, self.device = clips, device
        count = len(clips.table)
        logits, scores = (
            torch.zeros(count, len(modalities), len(TARGETS[task])) for task in TASKS
        )
        self.present = torch.zeros(count, len(modalities), dtype=torch.bool)
        self._embeddings, self.widths = {}, {}
        for place, modality in enumerate(modalities):
            rows, outputs = study_outputs(
                Path(study_folder, "crosstask", modality), clips
            )
            both = [outputs["emotion_embedding"], outputs["personality_embedding"]]
            joined = torch.cat(both, 1)
            self.widths[modality] = joined.shape[1]
            embedding = torch.zeros(count, joined.shape[1])
            embedding[rows] = joined
            self._embeddings[modality] = embedding.to(device)
            logits[rows, place] = outputs["emotion_logits"]
            scores[rows, place] = outputs["trait_scores"]
            self.present[rows, place] = True
        self._logits, self._scores = logits.to(device), scores.to(device)
        self._present = self.present.to(device)
        self._labels = {
            task: torch.from_numpy(values).to(device)
            for task, values in clips.labels.items()
        }

    def rows(self, corpus: str, split: str | None = None) -> np.ndarray:
        """Clips of a corpus (and split) with at least one of the modalities."""
        rows = self.clips.rows(corpus, split)
        return rows[self.present.any(1).numpy()[rows]]

    def batch(self, rows: np.ndarray) -> FusionBatch:
        """The clips of `rows`."""
        where = torch.from_numpy(rows).to(self.device)
        inputs = FusionInput(
            {name: values[where] for name, values in self._embeddings.items()},
            self._logits[where],
            self._scores[where],
            self._present[where],
        )
        labels = {task: values[where] for task, values in self._labels.items()}
        return FusionBatch(inputs, labels)


def train_fusion(
    params: Params,
    variant: str,
    study_folder: str | Path,
    run_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> dict:
    """Stage 3: train one variant of the fusion model with every seed.

    Writes ``seed-<n>.safetensors`` and ``.json`` and the predictions of all seeds for
    every clip with at least one modality; for the full model also those of the linear
    models on all unimodal predictions that it starts from (``<variant>-linear``).

    Returns
    -------
    dict
        variant, modalities, linear_dev_score per task, seeds (list of dict: seed,
        dev_score per task, epochs, history).
    """
    settings = params.variant[variant]
    chosen = settings.modalities or params.modalities
    modalities = [name for name in params.modalities if name in chosen]
    clips = read_study_clips(params, data_folder)
    device = choose_device(params.compute.device)
    data = FusionClips(clips, modalities, study_folder, device)
    rows = np.flatnonzero(data.present.any(1).numpy())
    run_folder = Path(run_folder)
    projectors, scores, tables, results = {}, {}, [], []
    for task in settings.tasks:
        projectors[task], predicted = _predict_projector(params, data, task, rows)
        if settings == Variant():
            name = f"{variant}-linear"
            tables.append(
                prediction_table(clips, rows, task, predicted, name, params.seed)
            )
        dev = data.rows(getattr(params.roles, task), "dev")
        true = clips.labels[task][dev]
        scores[task] = dev_score(task, true, predicted[np.searchsorted(rows, dev)])
    for seed in params.fusion.seeds:
        model, history = _train(
            params, settings, data, projectors, seed, variant, progress
        )
        predicted = _predict(model, data, rows)
        tables += [
            prediction_table(clips, rows, task, predicted[task], variant, seed)
            for task in settings.tasks
        ]
        best = _on_dev(params, settings.tasks, data, model)
        save_checkpoint(model, run_folder / f"seed-{seed}", metrics=best)
        results.append(
            {
                "seed": seed,
                "dev_score": best["dev_score"],
                "epochs": int(history["epoch"].max()),
                "history": history.to_dict("records"),
            }
        )
    write_predictions(run_folder, tables)
    return {
        "variant": variant,
        "modalities": modalities,
        "linear_dev_score": scores,
        "seeds": results,
    }


def _predict_projector(params: Params, data: FusionClips, task: str, rows):
    """Linear model of a task on all unimodal predictions of it, as part of a network.

    Returns the predict projector, and what the linear model predicts for `rows`.
    """
    projector = PredictProjector(task, len(data.widths)).to(data.device)
    known, corpus = data.clips.labelled(task), getattr(params.roles, task)
    train, dev = (data.rows(corpus, split) for split in ("train", "dev"))
    train, dev = train[known[train]], dev[known[dev]]
    projector.centre(data.batch(train).inputs)

    def evidence(rows):
        return projector.evidence(data.batch(rows).inputs).cpu().numpy()

    true = data.clips.labels[task]
    linear = Linear(task, evidence(train), true[train], evidence(dev), true[dev])
    projector.set_linear(*map(torch.from_numpy, linear.probe()))
    return projector, linear.predict(evidence(rows))


def _train(params: Params, settings, data, projectors, seed, variant, progress):
    seed_everything(params.seed + seed)
    section = params.fusion
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
            without=[name for name in settings.without if name not in LOSS_COMPONENTS],
        )
    ).to(data.device)
    if "predict_projector" not in settings.without and not settings.as_published:
        for task, projector in projectors.items():
            model.predict_projectors[task] = copy.deepcopy(projector)
    groups = [data.rows(getattr(params.roles, task), "train") for task in TASKS]
    lengths = np.ones(len(data.clips.table))
    objective = teaching(section, settings, params.seed + seed)

    def batches(epoch):
        rng = np.random.default_rng([params.seed, seed, epoch])
        rows = balanced(groups, lengths, section.batch, rng)
        return [data.batch(each) for each in rows]

    def score(model):
        scores = _on_dev(params, settings.tasks, data, model)["dev_score"]
        return float(np.mean(list(scores.values())))

    title = f"{variant} seed {seed}"
    schedule = Schedule.of(section)
    history = fit(model, batches, objective, score, schedule, title, progress)
    return model, history


@torch.no_grad()
def _predict(model, data: FusionClips, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Task to probabilities or scores (clip, target)."""
    model.eval()
    emotions, traits = [], []
    for part in in_order(rows, PREDICT_BATCH):
        output = model(data.batch(part).inputs)
        if output.emotion_logits is not None:
            probabilities = model.emotion_probabilities(output.emotion_logits)
            emotions.append(probabilities.float().cpu())
        if output.trait_scores is not None:
            traits.append(output.trait_scores.float().cpu())
    parts = {"emotion": emotions, "personality": traits}
    return {task: torch.cat(part).numpy() for task, part in parts.items() if part}


def _on_dev(params: Params, tasks, data: FusionClips, model) -> dict:
    """Scores on dev, and the thresholds of emotions."""
    result = {"dev_score": {}}
    for task in tasks:
        rows = data.rows(getattr(params.roles, task), "dev")
        predicted = _predict(model, data, rows)[task]
        true = data.clips.labels[task][rows]
        result["dev_score"][task] = dev_score(task, true, predicted)
        if task == "emotion":
            corpus = params.roles.emotion
            result["thresholds"] = training_thresholds(data.clips, corpus)
    return result
