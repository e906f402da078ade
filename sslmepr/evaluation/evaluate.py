"""Metrics of all models of a study, on dev, test and the held-out corpus.

This is one of two modules that read test labels (`sslmepr.evaluation.true_labels`). The
stages ``evaluate`` and ``evaluate_replicate`` use it after all selection on dev.

An emotion is decided present if its probability reaches its base rate in the training
clips (`sslmepr.training.predictions.training_thresholds`); the variant as published has
its own threshold (`sslmepr.models.published`). Rows with ``seed = -1`` are means of a
metric over seeds (not metrics of averaged predictions); their intervals use the same
bootstrap replicates of the speakers for every seed.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.evaluation.cells import (
    BASELINE,
    Cell,
    measured_cells,
    read_predictions,
    training_mean,
)
from sslmepr.evaluation.coverage import person_coverage
from sslmepr.evaluation.metrics import (
    Draws,
    emotion_draws,
    personality_draws,
    single_label_draws,
    tabulate,
)
from sslmepr.evaluation.true_labels import read_true_clips
from sslmepr.files import atomic
from sslmepr.labels import TARGETS, Model
from sslmepr.models.published import PUBLISHED_THRESHOLD
from sslmepr.params import Params
from sslmepr.params.analysis import DEV
from sslmepr.statistics.cluster_bootstrap import Clusters
from sslmepr.training.bootstrap_refits import REFITS_FILE, read_refits
from sslmepr.training.clips import read_study_clips
from sslmepr.training.predictions import (
    is_single_label,
    prediction_table,
    training_thresholds,
)
from sslmepr.training.results import rounded

MEAN_OVER_SEEDS = -1
HEADLINE = {
    "emotion": ("mWACC", "mF1", "mUAR", "weighted F1", "macro F1", "UAR"),
    "personality": ("mACC", "CCC", "CCC pooled", "skill"),
}


def evaluate_study(
    params: Params,
    study_folder: str | Path,
    data_folder: str | Path = "data",
    run_folder: str | Path | None = None,
    covered: str | None = None,
) -> dict:
    """Compute metrics of all models of a study on dev, test and the held-out corpus.

    Writes two files. ``predictions.parquet`` has all predictions with the columns
    ``true`` (NaN without label), ``decided`` (presence of emotions) and ``corpus`` (the
    part, for a union of corpora). ``refits.parquet`` has the predictions of
    `sslmepr.training.bootstrap_refits`.

    With ``evaluate.shown`` as ``dev``, labels of test splits and of the held-out corpus
    are not read, and there are no metrics of these.

    Parameters
    ----------
    params : Params
    study_folder : path
        Run folder of the study, with the predictions of stages 1 to 3.
    data_folder : path
        Folder of the corpora.
    run_folder : path, optional
        Output folder; by default ``<study_folder>/evaluate``.
    covered : str, optional
        Fusion variant whose intervals for one person are measured.

    Returns
    -------
    dict
        metrics : DataFrame with corpus, split (dev, test, or all for the held-out
        corpus), stage, modality, task, variant, seed and the columns of
        `sslmepr.evaluation.metrics.tabulate`. summary : nested dict (split, stage,
        modality or variant, metric) with estimate, low, high, n and standard deviation
        over seeds, for ``dvc metrics``. With `covered`, also calibration and coverage,
        from `sslmepr.evaluation.coverage.person_coverage`.
    """
    hidden = params.evaluate.shown == DEV
    clips = (read_study_clips if hidden else read_true_clips)(params, data_folder)
    cells = list(measured_cells(params, clips))
    thresholds = training_thresholds(clips, params.roles.emotion)
    tables, joined = [], []
    found = read_predictions(params, Path(study_folder), clips)
    for (model, task), (rows, by_seed) in found.items():
        limits = None
        if task == "emotion":
            limits = _limits(params, model, thresholds)
        for seed, values in by_seed.items():
            joined.append(_joined(clips, rows, task, values, limits, model, seed))
        for cell in cells:
            if cell.task == task:
                tables += _measure(params, clips, cell, model, rows, by_seed, limits)
    folder = Path(run_folder or Path(study_folder, "evaluate"))
    folder.mkdir(parents=True, exist_ok=True)
    everything = pd.concat(joined, ignore_index=True)
    with atomic(folder / "predictions.parquet") as part:
        everything.to_parquet(part, index=False)
    refits = read_refits(study_folder, params.modalities)
    part = clips.table.set_index(["corpus", "clip_id"])["part"]
    refits["corpus"] = part[pd.MultiIndex.from_frame(refits[part.index.names])].array
    with atomic(folder / REFITS_FILE) as part:
        refits.to_parquet(part, index=False)
    metrics = pd.concat(tables, ignore_index=True)
    result = {"metrics": metrics, "summary": _summary(metrics, clips.corpora)}
    if covered is not None:
        calibration, coverage = person_coverage(
            params, clips, cells, covered, study_folder, data_folder
        )
        result |= {"calibration": calibration, "coverage": coverage}
    return result


def _limits(params: Params, model: Model, thresholds: dict[str, float]):
    """Decision threshold: the probability from which an emotion is present."""
    if model == BASELINE:
        return 0.5  # so that a base rate decides for the majority class
    if model.stage == "fusion" and params.variant[model.variant].as_published:
        return PUBLISHED_THRESHOLD
    return np.array([*thresholds.values()])


def _decided(values, limits) -> np.ndarray:
    """Presence of the six scored emotions: (clip, emotion)."""
    return values[:, 1:] >= limits


def _joined(clips, rows, task, values, limits, model, seed) -> pd.DataFrame:
    table = prediction_table(clips, rows, task, values, model, seed)
    part = clips.table["part"].to_numpy()[rows]
    table["corpus"] = np.repeat(part, len(TARGETS[task]))
    table["true"] = clips.labels[task][rows].reshape(-1)
    if limits is None:
        table["decided"] = pd.array([pd.NA] * len(table), dtype="boolean")
        return table
    decided = _decided(values, limits)
    # Neutral is present if no other emotion is.
    neutral = ~decided.any(1, keepdims=True)
    everything = np.concatenate([neutral, decided], axis=1).reshape(-1)
    table["decided"] = pd.array(everything, dtype="boolean")
    return table


def _measure(params, clips, cell: Cell, model, rows, by_seed, limits) -> list:
    """Metrics of one model in one cell, for every seed and for their mean."""
    places = np.flatnonzero(np.isin(rows, cell.rows))
    if len(places) == 0:
        return []
    speakers, true = cell.speakers, clips.labels[cell.task][rows[places]]
    if len(places) < len(cell.rows):
        # A unimodal model is evaluated on the clips that have its modality.
        ids = clips.table["speaker_id"].iloc[rows[places]]
        speakers = Clusters(ids, params.evaluate.resamples, params.seed)
    draws = {
        seed: _draws(
            params,
            clips,
            cell.task,
            true,
            values[places],
            speakers,
            limits,
        )
        for seed, values in by_seed.items()
    }
    names = {
        "corpus": cell.corpus,
        "split": cell.split,
        "stage": model.stage,
        "modality": model.modality,
        "task": cell.task,
        "variant": model.variant,
    }
    everything = {**draws, MEAN_OVER_SEEDS: _mean_draws(list(draws.values()))}
    tables = []
    for seed, each in everything.items():
        table = tabulate(each, speakers, params.evaluate.confidence)
        table.insert(0, "seed", seed)
        for column, value in reversed(names.items()):
            table.insert(0, column, value)
        tables.append(table)
    return tables


def _draws(params, clips, task, true, values, speakers, limits) -> Draws:
    if task == "personality":
        mean = training_mean(params, clips, task)
        return personality_draws(true, values, mean, speakers)
    decided = _decided(values, limits)
    draws = emotion_draws(true[:, 1:] > 0, values[:, 1:], decided, speakers)
    if is_single_label(true):
        draws |= single_label_draws(true.argmax(1), values.argmax(1), speakers)
    return draws


def _mean_draws(parts: list[Draws]) -> Draws:
    return {name: np.mean([part[name] for part in parts], axis=0) for name in parts[0]}


def _summary(metrics: pd.DataFrame, corpora: list[str]) -> dict:
    """Headline metrics, nested split -> stage -> modality or variant -> metric.

    The key of a part of a union is the split followed by the name of the part.
    """
    names = ["corpus", "split", *Model._fields, "metric", "target"]
    by_seed = metrics[metrics["seed"] != MEAN_OVER_SEEDS]
    spread = by_seed.groupby(names)["estimate"].std()
    summary: dict = {}
    chosen = metrics[
        (metrics["seed"] == MEAN_OVER_SEEDS)
        & metrics["target"].isin(["mean", "pooled"])
    ]
    for row in chosen.itertuples():
        if row.metric not in HEADLINE[row.task]:
            continue
        split = "held_out" if row.split == "all" else row.split
        if row.corpus not in corpora:
            split = f"{split} {row.corpus}"
        model = Model(row.stage, row.modality, row.variant)
        key = (row.corpus, row.split, *model, row.metric, row.target)
        mine = summary.setdefault(split, {}).setdefault(model.stage, {})
        mine.setdefault(model.name, {})[row.metric] = {
            "estimate": row.estimate,
            "low": row.low,
            "high": row.high,
            "n": int(row.n),
            "deviation_over_seeds": spread[key],
        }
    return rounded(summary)
