"""Prediction tables, the model selection score on dev, and decision thresholds."""

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
    """Predictions in long form, one row per clip and target.

    Parameters
    ----------
    clips : StudyClips
    rows : (clip,) int array
        Positions of the predicted clips in the study.
    task : {"emotion", "personality"}
    predicted : (clip, target) array
        Probabilities of emotions or scores of traits, in the order of `rows`.
    model : Model
        Stage, modality and variant.
    seed : int

    Returns
    -------
    DataFrame
        Columns as in `COLUMNS`.
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
    """Model selection score on dev; higher is better.

    Emotions: area under the ROC curve, mean over emotions except neutral. It needs no
    threshold. Traits: mean of the concordance and of the skill score, 1 minus the ratio
    of absolute errors of the prediction and of the mean. Concordance penalises a wrong
    variance and skill a large error.

    Parameters
    ----------
    task : {"emotion", "personality"}
    true : (clip, target) array
        Clips with NaN labels are left out.
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
    """Decision threshold of each scored emotion: its base rate in training.

    Weighted accuracy weights sensitivity and specificity equally. For calibrated
    probabilities, it is largest if the threshold is the base rate (Menon et al. 2013,
    On the statistical consistency of algorithms for binary classification under class
    imbalance). A threshold tuned on a small dev split would overfit it.

    Parameters
    ----------
    clips : StudyClips
    corpus : str
        The corpus with emotion labels.

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
    """Whether every clip has exactly one emotion, where ``neutral`` counts as one.

    Parameters
    ----------
    true : (clip, emotion) array
        Labels of the seven emotions, neutral included.

    Returns
    -------
    bool
        False if there is no clip.

    Raises
    ------
    ValueError
        If there are not seven columns.
    """
    true = np.asarray(true)
    if true.shape[1] != len(EMOTIONS):
        raise ValueError(f"expected {len(EMOTIONS)} emotions, got {true.shape[1]}")
    return len(true) > 0 and bool(((true > 0).sum(1) == 1).all())


def write_predictions(folder: str | Path, tables: list[pd.DataFrame]) -> None:
    """Write the joined tables of a stage as ``predictions.parquet``.

    Parameters
    ----------
    folder : path
        Run folder of the stage; it is created if missing.
    tables : list of DataFrame
        From `prediction_table`.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    table = pd.concat(tables, ignore_index=True)
    with atomic(folder / "predictions.parquet") as part:
        table.to_parquet(part, index=False)
