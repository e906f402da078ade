"""From model outputs to the table of predictions, dev scores and decisions."""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TARGETS
from sslmepr.learning.clips import StudyClips
from sslmepr.learning.metrics import area_under_curve, concordance

COLUMNS = [
    "clip_id",
    "corpus",
    "split",
    "variant",
    "seed",
    "target",
    "predicted",
]

PLATEAU = 0.02
"""Balanced accuracies that differ by less are taken for equal when deciding."""


def prediction_table(
    clips: StudyClips, rows, task: str, predicted, variant: str, seed: int
) -> pd.DataFrame:
    """One row per clip and target.

    Parameters
    ----------
    clips : StudyClips
    rows : (clip,) int array
    task : str
    predicted : (clip, target) array
        Probabilities of emotions or scores of traits.
    variant : str
    seed : int
    """
    targets = TARGETS[task]
    clip = clips.table.iloc[np.repeat(rows, len(targets))]
    table = clip[["clip_id", "corpus", "split"]].reset_index(drop=True)
    return table.assign(
        variant=variant,
        seed=seed,
        target=np.tile(targets, len(rows)),
        predicted=np.asarray(predicted, np.float32).reshape(-1),
    )[COLUMNS]


def dev_score(task: str, true, predicted) -> float:
    """What early stopping maximises; higher is better.

    Emotions: area under the ROC curve, mean over emotions, which needs no threshold.
    Traits: mean of concordance and of skill over predicting the mean, so that neither
    the spread nor the error is bought with the other.

    Parameters
    ----------
    task : str
    true : (clip, target) array
        Clips without label are NaN and left out.
    predicted : (clip, target) array

    Returns
    -------
    float
        NaN if nothing is defined.
    """
    labelled = ~np.isnan(true).any(axis=1)
    true, predicted = true[labelled], predicted[labelled]
    if len(true) == 0:
        return float("nan")
    if task == "emotion":
        values = area_under_curve(true > 0, predicted)[1:]
        known = values[~np.isnan(values)]
        return float(known.mean()) if len(known) else float("nan")
    error = np.abs(true - predicted).mean()
    baseline = np.abs(true - true.mean(0)).mean()
    skill = 1 - error / baseline if baseline else float("nan")
    return float((np.nanmean(concordance(true, predicted)) + skill) / 2)


def choose_thresholds(present, score) -> np.ndarray:
    """Threshold of each emotion with the best balanced accuracy.

    With few clips that accuracy is a ragged function of the threshold; the middle of
    its plateau is taken instead of its highest tooth.

    Parameters
    ----------
    present : (clip, emotion) bool array
    score : (clip, emotion) array

    Returns
    -------
    (emotion,) array
        0.5 where an emotion is present in no clip or in all.
    """
    present, score = np.asarray(present, bool), np.asarray(score, float)
    chosen = np.full(present.shape[1], 0.5)
    for column in range(present.shape[1]):
        here = present[:, column]
        if 0 < here.sum() < len(here):
            chosen[column] = _middle_of_plateau(here, score[:, column])
    return chosen


def _middle_of_plateau(present, score) -> float:
    order = np.argsort(score, kind="stable")
    score, present = score[order], present[order]
    # Cut k lies below the k-th lowest score: k clips are decided absent.
    missed = np.concatenate([[0], np.cumsum(present)])
    passed = np.arange(len(score) + 1) - missed
    accuracy = (1 - missed / present.sum() + passed / (~present).sum()) / 2
    cuts = np.concatenate([[score[0]], (score[1:] + score[:-1]) / 2, [np.inf]])
    real = np.concatenate([[True], score[1:] > score[:-1], [False]])
    good = cuts[real & (accuracy >= accuracy[real].max() - PLATEAU)]
    return float(np.median(good))


def dev_thresholds(clips: StudyClips, rows, probabilities) -> dict[str, float]:
    """Thresholds of the scored emotions from the labelled clips among `rows`.

    Parameters
    ----------
    clips : StudyClips
    rows : (clip,) int array
        Clips of the dev split.
    probabilities : (clip, 7) array
    """
    true = clips.labels["emotion"][rows]
    labelled = ~np.isnan(true).any(axis=1)
    chosen = choose_thresholds(true[labelled, 1:] > 0, probabilities[labelled, 1:])
    return dict(zip(SCORED_EMOTIONS, chosen.tolist(), strict=True))


def is_single_label(true) -> bool:
    """Whether every clip has exactly one emotion, ``neutral`` counted as one.

    Parameters
    ----------
    true : (clip, 7) array
    """
    true = np.asarray(true)
    if true.shape[1] != len(EMOTIONS):
        raise ValueError(f"expected {len(EMOTIONS)} emotions, got {true.shape[1]}")
    return len(true) > 0 and bool(((true > 0).sum(1) == 1).all())


def write_predictions(folder: str | Path, tables: list[pd.DataFrame]) -> None:
    """Write ``predictions.parquet`` of a stage into its run folder."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.concat(tables, ignore_index=True)
    table.to_parquet(folder / "predictions.parquet", index=False)
