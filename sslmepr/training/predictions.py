"""From model outputs to the table of predictions, dev scores and decisions."""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.files import atomic
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TARGETS, Model
from sslmepr.statistics.metrics import area_under_curve, concordance
from sslmepr.training.clips import StudyClips

COLUMNS = [
    "clip_id",
    "corpus",
    "split",
    "stage",
    "modality",
    "task",
    "variant",
    "seed",
    "target",
    "predicted",
]


def prediction_table(
    clips: StudyClips, rows, task: str, predicted, model: Model, seed: int
) -> pd.DataFrame:
    """One row per clip and target.

    Parameters
    ----------
    clips : StudyClips
    rows : (clip,) int array
    task : str
    predicted : (clip, target) array
        Probabilities of emotions or scores of traits.
    model : Model
    seed : int
    """
    targets = TARGETS[task]
    clip = clips.table.iloc[np.repeat(rows, len(targets))]
    table = clip[["clip_id", "corpus", "split"]].reset_index(drop=True)
    return table.assign(
        **model._asdict(),
        task=task,
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


def training_thresholds(clips: StudyClips, corpus: str) -> dict[str, float]:
    """Threshold of each scored emotion: its share among the training clips.

    Sensitivity and specificity count alike in weighted accuracy, which is then largest
    where a clip is more likely than the average clip to show the emotion (Menon et al.
    2013, On the statistical consistency of algorithms for binary classification under
    class imbalance). Probabilities need only be calibrated; a threshold searched on a
    small dev split mostly finds chance.

    Parameters
    ----------
    clips : StudyClips
    corpus : str
        The one that teaches emotions.

    Returns
    -------
    dict of str to float
        0.5 where an emotion is present in no clip or in all.
    """
    shares = (clips.training_labels(corpus, "emotion")[:, 1:] > 0).mean(axis=0)
    return {
        name: float(share) if 0 < share < 1 else 0.5
        for name, share in zip(SCORED_EMOTIONS, shares, strict=True)
    }


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
    with atomic(folder / "predictions.parquet") as part:
        table.to_parquet(part, index=False)
