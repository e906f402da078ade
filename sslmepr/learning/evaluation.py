"""The one place where test labels are read: metrics of all models of a study.

An emotion is decided present where its probability reaches its share among the training
clips (`sslmepr.learning.predictions.training_thresholds`); a variant as published has
its own rule (`sslmepr.models.published`). Rows with ``seed = -1`` are
the mean of a metric over seeds (not the metric of averaged predictions), with an
interval from resampling the same speakers in every seed.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.labels import TARGETS
from sslmepr.learning.bootstrap import Draws, Speakers, tabulate
from sslmepr.learning.clips import read_study_clips
from sslmepr.learning.evaluation_cells import (
    BASELINE,
    Cell,
    measured_cells,
    read_predictions,
    training_mean,
)
from sslmepr.learning.metrics import (
    emotion_draws,
    personality_draws,
    single_label_draws,
)
from sslmepr.learning.predictions import (
    is_single_label,
    prediction_table,
    training_thresholds,
)
from sslmepr.learning.refits import REFITS_FILE, read_refits
from sslmepr.models.published import PRESENT
from sslmepr.params import Params

MEAN_OVER_SEEDS = -1
HEADLINE = {
    "emotion": ("mWACC", "mF1", "mUAR", "weighted F1", "macro F1", "UAR"),
    "personality": ("mACC", "CCC", "CCC pooled", "skill"),
}


def evaluate_study(
    params: Params,
    study_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
    run_folder: str | Path | None = None,
) -> dict:
    """Metrics of every model of a study on dev, test and the held-out corpus.

    Writes ``predictions.parquet``: all predictions with ``true`` joined (NaN
    without label), and ``decided`` for emotions, ``corpus`` being the part of a union
    of corpora; and ``refits.parquet`` (`sslmepr.learning.refits`).

    Parameters
    ----------
    params : Params
    study_folder, data_folder : path
    progress : bool
        Unused; for the signature of the other stages.
    run_folder : path, optional
        Where to write; absent: ``<study_folder>/evaluate``.

    Returns
    -------
    dict
        metrics : DataFrame with corpus, split (dev, test, or all for the held-out
        corpus), task, variant, stage, seed and the columns of the metrics' tables.
        summary : nested dict split -> variant -> metric -> estimate, low, high, n and
        deviation over seeds, for ``dvc metrics``.
    """
    clips = read_study_clips(params, data_folder, with_truth=True)
    cells = list(measured_cells(params, clips))
    thresholds = training_thresholds(clips, params.roles.emotion)
    tables, joined = [], []
    found = read_predictions(params, Path(study_folder), clips)
    for (variant, task), (rows, by_seed) in found.items():
        limits = None
        if task == "emotion":
            limits = _limits(params, variant, thresholds)
        for seed, values in by_seed.items():
            joined.append(_joined(clips, rows, task, values, limits, variant, seed))
        for cell in cells:
            if cell.task == task:
                tables += _measure(params, clips, cell, variant, rows, by_seed, limits)
    folder = Path(run_folder or Path(study_folder, "evaluate"))
    folder.mkdir(parents=True, exist_ok=True)
    everything = pd.concat(joined, ignore_index=True)
    everything.to_parquet(folder / "predictions.parquet", index=False)
    refits = read_refits(study_folder, params.modalities)
    part = clips.table.set_index(["corpus", "clip_id"])["part"]
    refits["corpus"] = part[pd.MultiIndex.from_frame(refits[part.index.names])].array
    refits.to_parquet(folder / REFITS_FILE, index=False)
    metrics = pd.concat(tables, ignore_index=True)
    return {"metrics": metrics, "summary": _summary(metrics, clips.corpora)}


def _limits(params: Params, variant: str, thresholds: dict[str, float]):
    """Probability from which an emotion is decided present."""
    if variant == BASELINE:
        return 0.5  # base rates then decide for the majority
    settings = params.variant.get(variant)
    if settings is not None and settings.as_published:
        return PRESENT
    return np.array([*thresholds.values()])


def _decided(values, limits) -> np.ndarray:
    """Presence of the scored emotions (clip, 6)."""
    return values[:, 1:] >= limits


def _joined(clips, rows, task, values, limits, variant, seed) -> pd.DataFrame:
    table = prediction_table(clips, rows, task, values, variant, seed)
    part = clips.table["part"].to_numpy()[rows]
    table["corpus"] = np.repeat(part, len(TARGETS[task]))
    table["true"] = clips.labels[task][rows].reshape(-1)
    if limits is None:
        table["decided"] = pd.array([pd.NA] * len(table), dtype="boolean")
        return table
    decided = _decided(values, limits)
    # Neutral is what remains when no other emotion is decided.
    neutral = ~decided.any(1, keepdims=True)
    everything = np.concatenate([neutral, decided], axis=1).reshape(-1)
    table["decided"] = pd.array(everything, dtype="boolean")
    return table


def _measure(params, clips, cell: Cell, variant, rows, by_seed, limits) -> list:
    """Tables of one variant over one cell: every seed, and their mean."""
    places = np.flatnonzero(np.isin(rows, cell.rows))
    if len(places) == 0:
        return []
    speakers, true = cell.speakers, clips.labels[cell.task][rows[places]]
    if len(places) < len(cell.rows):
        # A modality that some clips lack is judged on those that have it.
        ids = clips.table["speaker_id"].iloc[rows[places]]
        speakers = Speakers(ids, params.evaluate.resamples, params.seed)
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
        "task": cell.task,
        "variant": variant,
        "stage": _stage(variant),
    }
    everything = {**draws, MEAN_OVER_SEEDS: _mean_draws(list(draws.values()))}
    tables = []
    for seed, each in everything.items():
        table = tabulate(each, speakers, params.evaluate.level)
        table.insert(0, "seed", seed)
        for column, value in reversed(names.items()):
            table.insert(0, column, value)
        tables.append(table)
    return tables


def _stage(variant: str) -> str:
    if variant == BASELINE:
        return "baseline"
    head, _, tail = variant.partition("-")
    if not tail:
        return "fusion"
    if tail.endswith("linear"):
        return "linear"
    return "crosstask" if tail == "crosstask" else "unimodal"


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
    """Headline metrics, nested split -> variant -> metric.

    Those of a part of a union have the name of the part beside the split.
    """
    spread = (
        metrics[metrics["seed"] != MEAN_OVER_SEEDS]
        .groupby(["corpus", "split", "variant", "task", "metric", "target"])["estimate"]
        .std()
    )
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
        key = (row.corpus, row.split, row.variant, row.task, row.metric, row.target)
        summary.setdefault(split, {}).setdefault(row.variant, {})[row.metric] = {
            "estimate": _number(row.estimate),
            "low": _number(row.low),
            "high": _number(row.high),
            "n": int(row.n),
            "deviation_over_seeds": _number(spread[key]),
        }
    return summary


def _number(value: float) -> float | None:
    """JSON has no NaN."""
    return None if np.isnan(value) else round(float(value), 6)
