"""What models make of clips in which a modality is absent or disturbed.

A model that joins modalities should lose no more than the absent one told, and should
count a disturbed one less. Models are not trained again: the labelled dev clips are
added to a study a second time, without labels and as its test split, once for each
disturbance, and are predicted as any clip is. A disturbance is Gaussian noise on the
features, in standard deviations of each, that is the same at every step of a clip, as
of another microphone or light. An average over the steps does not take it away.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sslmepr.evaluation.metrics import (
    Draws,
    emotion_draws,
    personality_draws,
    single_label_draws,
)
from sslmepr.evaluation.scores import (
    LATE_FUSION,
    LINEAR_FUSION,
    NOISE,
    NONE,
    REMOVED,
)
from sslmepr.labels import TASKS
from sslmepr.models.crosstask import CrosstaskModel, CrosstaskOutput
from sslmepr.models.fusion import FusionInput
from sslmepr.models.published import PUBLISHED_THRESHOLD
from sslmepr.params import Params
from sslmepr.params.training import Variant
from sslmepr.statistics.cluster_bootstrap import Clusters, interval
from sslmepr.training.batches import ModalityClips
from sslmepr.training.checkpoints import load_checkpoint, load_seeds
from sslmepr.training.clips import StudyClips
from sslmepr.training.fusion_clips import FusionClips, join_modalities
from sslmepr.training.fusion_training import predict_fused
from sslmepr.training.linear_fusion import predict_by_linear_fusion
from sslmepr.training.predictions import is_single_label, training_thresholds
from sslmepr.training.stacking import fit_predict_projector

DOSES = (1.0, 2.0)
"""Standard deviations of the noise. By convention, not tuned: at 1, half of the
variance of a clip's features is noise, at 2 four fifths."""


class Disturbance(NamedTuple):
    """What happens to a modality of a clip: `NONE`, `REMOVED` or `NOISE` of a dose."""

    kind: str
    modality: str = ""
    dose: float = 0.0


def robustness(
    params: Params, study_folder: str | Path, data_folder: str | Path = "data"
) -> pd.DataFrame:
    """Scores of all models that join modalities, by disturbance.

    Scores are of the dev clips that have at least two modalities, by corpus or part of
    a corpus. Labels of test splits and of the held-out corpus are not read.

    Parameters
    ----------
    params : Params
    study_folder : path
        Holds the models of stages 2 and 3.
    data_folder : path
        Holds ``<corpus>/corpus`` and ``<corpus>/features``.

    Returns
    -------
    DataFrame
        corpus, task, model (a variant that reads all modalities, late fusion or linear
        fusion), disturbance, modality, dose, metric (CCC and mACC of traits; UAR of
        emotions where each clip has one, otherwise mWACC), estimate, low, high and
        interval, means over seeds; the same of the ``change`` against undisturbed clips
        and of what is ``above`` linear fusion on equally disturbed clips, from the same
        draws of speakers; n, n_speakers. Empty if no labelled dev clip has two
        modalities.

    Raises
    ------
    CheckpointError
        If a model is missing or damaged.
    CorpusError, FeatureError
        If clips or features are.
    """
    data = FusionClips.of_study(params, params.modalities, study_folder, data_folder)
    tables = []
    for task in TASKS:
        for corpus, rows in _parts(data, params, task):
            cell = _Cell(params, data, task, corpus, rows)
            given = _disturbed(params, data, cell, study_folder, data_folder)
            models = _predictions(params, given, cell, study_folder)
            tables.append(cell.table(models))
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _parts(data: FusionClips, params: Params, task: str) -> Iterator:
    """Corpora, or their parts, and dev clips with labels and two modalities."""
    rows = data.rows(getattr(params.roles, task), "dev")
    several = (data.present.sum(1) > 1).numpy()
    rows = rows[data.clips.labelled(task)[rows] & several[rows]]
    part = data.clips.table["part"].to_numpy()[rows]
    for name in dict.fromkeys(part):
        yield name, rows[part == name]


class _Cell:
    """Clips of one corpus that are scored in one task, under all disturbances."""

    def __init__(self, params: Params, data: FusionClips, task, corpus, rows):
        self.params, self.task, self.corpus, self.rows = params, task, corpus, rows
        self.true = data.clips.labels[task][rows]
        self.thresholds = training_thresholds(data.clips, params.roles.emotion)
        present = data.present.numpy()[rows]
        seen = present.any(0)
        names = [name for name, any_ in zip(data.widths, seen, strict=True) if any_]
        noise = [Disturbance(NOISE, name, dose) for name in names for dose in DOSES]
        removed = [Disturbance(REMOVED, name) for name in names]
        self.disturbances = [Disturbance(NONE), *removed, *noise]
        ids = data.clips.table["speaker_id"].iloc[rows]
        self.speakers = Clusters(ids, params.evaluate.resamples, params.seed)

    def table(self, models: dict[str, list[np.ndarray]]) -> pd.DataFrame:
        """Rows of all models: (seed) list of (disturbance x clip, target) arrays."""
        draws = {
            name: [
                self._mean(
                    [np.split(seed, len(self.disturbances))[k] for seed in each], name
                )
                for k in range(len(self.disturbances))
            ]
            for name, each in models.items()
        }
        rows = []
        for name, each in draws.items():
            for place, disturbance in enumerate(self.disturbances):
                for metric in each[place]:
                    own = each[place][metric]
                    against = {
                        "": own,
                        "change": own - each[0][metric],
                        "above": own - draws[LINEAR_FUSION][place][metric],
                    }
                    rows.append(self._row(name, disturbance, metric[0], against))
        return pd.DataFrame(rows)

    def _mean(self, parts: list[np.ndarray], model: str) -> Draws:
        each = [self._draws(part, model) for part in parts]
        return {name: np.mean([one[name] for one in each], axis=0) for name in each[0]}

    def _draws(self, predicted, model: str) -> Draws:
        if self.task == "personality":
            nothing = np.zeros(self.true.shape[1])  # of skill, which is not shown
            draws = personality_draws(self.true, predicted, nothing, self.speakers)
            return {name: draws[name] for name in (("CCC", "mean"), ("mACC", "mean"))}
        if is_single_label(self.true):
            classes = self.true.argmax(1), predicted.argmax(1)
            draws = single_label_draws(*classes, self.speakers)
            return {("UAR", "mean"): draws["UAR", "mean"]}
        limits: float | np.ndarray = np.array([*self.thresholds.values()])
        if self.params.variant.get(model, Variant()).as_published:
            limits = PUBLISHED_THRESHOLD
        shown, decided = self.true[:, 1:] > 0, predicted[:, 1:] >= limits
        draws = emotion_draws(shown, predicted[:, 1:], decided, self.speakers)
        return {("mWACC", "mean"): draws["mWACC", "mean"]}

    def _row(self, model, disturbance: Disturbance, metric, against) -> dict:
        row = {"corpus": self.corpus, "task": self.task, "model": model}
        row |= {"disturbance": disturbance.kind, "modality": disturbance.modality}
        row |= {"dose": disturbance.dose, "metric": metric}
        confidence = self.params.evaluate.confidence
        for name, values in against.items():
            low, high, kind = interval(values, self.speakers.n_clusters, confidence)
            end = f"{name}_" if name else ""
            row |= {name or "estimate": values[0], f"{end}low": float(low)}
            row |= {f"{end}high": float(high)}
            if not name:
                row["interval"] = str(kind)
        return row | {"n": self.speakers.n, "n_speakers": self.speakers.n_clusters}


def _disturbed(
    params: Params, data: FusionClips, cell: _Cell, study_folder, data_folder
) -> FusionClips:
    """The study, followed by the clips of a cell under each disturbance."""
    everyone = data.batch(np.arange(len(data.clips.table))).inputs
    plain = data.batch(cell.rows).inputs
    by_modality: dict[str, list] = {}
    for disturbance in cell.disturbances:
        if disturbance.kind == NOISE:
            by_modality.setdefault(disturbance.modality, []).append(disturbance)
    noisy = {}
    for modality, doses in by_modality.items():
        folder = Path(study_folder, "crosstask", modality, "model")
        model = load_checkpoint(folder).model
        assert isinstance(model, CrosstaskModel)
        clips = ModalityClips(data.clips, modality, data_folder, data.device)
        for disturbance in doses:
            noisy[disturbance] = _with_noise(
                plain, cell.rows, clips, model.to(data.device), disturbance, params.seed
            )
    parts = [everyone]
    for disturbance in cell.disturbances:
        if disturbance.kind == NOISE:
            parts.append(noisy[disturbance])
        else:
            parts.append(_without(plain, disturbance.modality))
    again = data.clips.table.iloc[np.tile(cell.rows, len(cell.disturbances))]
    table = pd.concat([data.clips.table, again.assign(split="test")], ignore_index=True)
    labels = {
        task: np.vstack([known, np.full((len(again), known.shape[1]), np.nan)])
        for task, known in data.clips.labels.items()
    }
    labels = {task: values.astype(np.float32) for task, values in labels.items()}
    clips = StudyClips(table, labels, data.clips.corpora)
    return FusionClips(
        clips, _joined(parts), data.device, data.trained_on, data.measures
    )


def _without(inputs: FusionInput, modality: str) -> FusionInput:
    if not modality:
        return inputs
    present = inputs.present.clone()
    present[:, list(inputs.embeddings).index(modality)] = False
    return inputs._replace(present=present)


@torch.no_grad()
def _with_noise(
    inputs: FusionInput,
    rows: np.ndarray,
    clips: ModalityClips,
    model: CrosstaskModel,
    disturbance: Disturbance,
    seed: int,
) -> FusionInput:
    """Inputs of stage 3 for clips one of whose modalities has noise."""
    place = list(inputs.embeddings).index(disturbance.modality)
    seen = np.flatnonzero(clips.lengths[rows] > 0)
    rng = np.random.default_rng([seed, place])  # each dose has the same noise
    noise = rng.standard_normal((len(seen), clips.feature_count), np.float32)
    noise[:, -1] = 0  # the length of a clip is known
    shift = torch.from_numpy(disturbance.dose * noise).to(clips.device)
    model.eval()
    found: list[CrosstaskOutput] = []
    begin = 0
    for piece in clips.pieces(rows[seen]):
        batch = clips.batch(piece)
        mine = shift[begin : begin + len(piece), None]
        begin += len(piece)
        values = (batch.values + mine).masked_fill(~batch.mask[..., None], 0.0)
        found.append(model(values, batch.mask))
    outputs = {
        name: torch.cat([getattr(each, name) for each in found]).float()
        for name in CrosstaskOutput._fields
    }
    sizes = {
        name: (each.shape[1], inputs.features[name].shape[1])
        for name, each in inputs.embeddings.items()
    }
    at = torch.from_numpy(seen).to(clips.device)
    parts = [(disturbance.modality, at, outputs)]
    new = join_modalities(len(rows), sizes, parts, clips.device)

    def changed(before: Tensor, after: Tensor) -> Tensor:
        mixed = before.clone()
        mixed[:, place] = after[:, place]
        return mixed

    name = disturbance.modality
    return inputs._replace(
        embeddings=inputs.embeddings | {name: new.embeddings[name]},
        emotion_logits=changed(inputs.emotion_logits, new.emotion_logits),
        trait_scores=changed(inputs.trait_scores, new.trait_scores),
        features=inputs.features | {name: new.features[name]},
    )


def _joined(parts: list[FusionInput]) -> FusionInput:
    def together(field: str):
        values = [getattr(part, field) for part in parts]
        if isinstance(values[0], dict):
            return {n: torch.cat([each[n] for each in values]) for n in values[0]}
        return torch.cat(values)

    return FusionInput(*(together(field) for field in FusionInput._fields))


def _predictions(
    params: Params, data: FusionClips, cell: _Cell, study_folder
) -> dict[str, list[np.ndarray]]:
    """Model to its predictions, of each seed, of the clips that were added."""
    added = len(cell.rows) * len(cell.disturbances)
    rows = np.arange(len(data.clips.table))[-added:]
    task = cell.task
    late = fit_predict_projector(params, Variant(), data, task, rows)[2]
    found = {
        LINEAR_FUSION: [predict_by_linear_fusion(params, data, task, rows)],
        LATE_FUSION: [late],
    }
    for variant in params.variants:
        settings = params.variant[variant]
        if task in settings.tasks and settings.modalities is None:
            seeds = load_seeds(Path(study_folder, "fusion", variant))
            found[variant] = [
                predict_fused(each.model.to(data.device), data, rows)[task]
                for each in seeds.values()
            ]
    return found
