"""Metrics by modality, with the constant baseline and the ideal observer's ceiling."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.labels import (
    FUSED,
    MODALITIES,
    select,
)

LINEAR_FUSION, LATE_FUSION = "linear_fusion", "late_fusion"

LINEAR = "linear"
"""What a network of stage 1 is compared with: the linear probe of its modality."""

GUESSING, ALL, STACKED = "guessing", "ridge on all", "late fusion"
KERNELS = "late fusion of kernel regressions"
"""Methods beside the ridge regressions of single modalities, which bear the names of
these, where traits are predicted in folds: the mean of the training clips; a ridge
regression on the features of all modalities, end to end; and a stacking regression on
predictions of the single ones."""

ALL_CLIPS = "late fusion, compared to all clips"
OF_KNOWN_VIDEOS = "late fusion, compared to all clips, chosen for known videos"
"""The same of `sslmepr.evaluation.kernel_regression`, with settings that are chosen on
folds which share no speaker, or on folds of clips, as where a corpus's own split has
clips of one video on both sides."""

WORDS = "multinomial regression"
WEIGHTED_WORDS = "multinomial regression, class weights"
LINE_BEFORE = "multinomial regression, line before, class weights"
ADAPTED = "adapted encoder, class weights"
ADAPTED_AND_WORDS = "adapted encoder and multinomial regression, class weights"
"""Methods that decide for one emotion of a line of dialogue."""

NONE, REMOVED, NOISE = "none", "removed", "noise"
"""What happened to a modality of the clips that models read."""

MEAN_OVER_SEEDS = -1
HEADLINE_TARGETS = ("mean", "pooled")
CEILING_METRICS = {"emotion": ("mWACC",), "personality": ("mACC", "CCC")}


def of_corpora(metrics: pd.DataFrame, corpora: list[str]) -> pd.DataFrame:
    """Rows of whole corpora, without rows of the parts of a union."""
    return metrics[metrics["corpus"].isin(corpora)]


def headline(metrics: pd.DataFrame, names: tuple[str, ...], split: str) -> pd.DataFrame:
    """Metrics over all emotions or traits of one split, mean over seeds.

    Parameters
    ----------
    metrics : DataFrame
        From `sslmepr.evaluation.evaluate.evaluate_study`.
    names : tuple of str
        Metrics, in the order of the result.
    split : {"dev", "test", "all"}
        ``all`` for the held-out corpus.

    Raises
    ------
    ValueError
        If there is no such metric in that split.
    """
    chosen = metrics[
        (metrics["seed"] == MEAN_OVER_SEEDS)
        & (metrics["split"] == split)
        & metrics["target"].isin(HEADLINE_TARGETS)
        & metrics["metric"].isin(names)
    ]
    if chosen.empty:
        raise ValueError(f"no {', '.join(names)} on split {split!r}")
    return chosen.assign(
        metric=pd.Categorical(chosen["metric"], names, ordered=True)
    ).sort_values("metric", kind="stable", ignore_index=True)


def by_modality(
    metrics: pd.DataFrame,
    stage: str,
    names: tuple[str, ...],
    split: str,
    ceiling: pd.DataFrame | None = None,
    fused: str | None = "multitask",
) -> pd.DataFrame:
    """Scores of a stage's unimodal models, followed by those of a fused model.

    Parameters
    ----------
    metrics : DataFrame
    stage : {"unimodal", "crosstask", "linear"}
    names : tuple of str
        Metrics.
    split : str
    ceiling : DataFrame, optional
        From `read_ceiling`.
    fused : str or None
        The fusion variant to append; None for none.

    Returns
    -------
    DataFrame
        modality (or ``fused``), metric, estimate, low, high, interval (which kind),
        baseline, ceiling, n.
    """
    chosen = headline(metrics, names, split)
    mine = select(chosen, stage=stage)
    if fused is not None:
        mine = pd.concat([mine, select(chosen, stage="fusion", variant=fused)])
    floor = select(chosen, stage="baseline").set_index("metric")["estimate"]
    mine = mine.assign(
        metric=mine["metric"].astype(str),
        baseline=mine["metric"].astype(str).map(floor.to_dict()),
    )
    if ceiling is not None:
        mine = mine.merge(ceiling, on=["modality", "metric"], how="left")
    order = [*MODALITIES, FUSED]
    return mine.sort_values(
        ["modality", "metric"],
        key=lambda column: column.map(
            {name: place for place, name in enumerate([*order, *names])}
        ),
        ignore_index=True,
    )[[name for name in _COLUMNS if name in mine]]


_COLUMNS = ["modality", "metric", "estimate", "low", "high", "interval"]
_COLUMNS += ["baseline", "ceiling", "n"]


def read_ceiling(folder: str | Path) -> pd.DataFrame | None:
    """Read the ideal observer's scores on a simulated corpus.

    Parameters
    ----------
    folder : path
        Folder of the corpus.

    Returns
    -------
    DataFrame or None
        modality (``fused`` for all channels together), metric, ceiling, of_controls
        (the ceiling of an observer that sees the controls of text, not the words);
        None if the corpus is not simulated.
    """
    path = Path(folder, "ideal_observer.json")
    if not path.exists():
        return None
    scores = json.loads(path.read_text(encoding="utf-8"))
    rows = [
        (
            FUSED if channel == "all" else channel,
            metric,
            score[task][metric],
            score.get("controls", score)[task][metric],
        )
        for channel, score in scores.items()
        for task, names in CEILING_METRICS.items()
        for metric in names
    ]
    return pd.DataFrame(rows, columns=["modality", "metric", "ceiling", "of_controls"])


def distance_covered(table: pd.DataFrame) -> pd.DataFrame:
    """Score as a share of the distance between constant baseline and ceiling.

    Parameters
    ----------
    table : DataFrame
        From `by_modality`.

    Returns
    -------
    DataFrame
        `table` with ``covered``, ``covered_low`` and ``covered_high``; NaN where the
        ceiling is unknown or not above the baseline. The interval is that of the score;
        baseline and ceiling are treated as known.
    """
    way = table["ceiling"] - table["baseline"]
    way = way.where(way > 0, np.nan)
    ends = {"covered": "estimate", "covered_low": "low", "covered_high": "high"}
    return table.assign(
        **{name: (table[end] - table["baseline"]) / way for name, end in ends.items()}
    )


def first_split(metrics: pd.DataFrame, wanted: tuple[str, ...]) -> str:
    """The first of the splits `wanted` that has metrics.

    Raises
    ------
    ValueError
        If no split has metrics.
    """
    known = set(metrics["split"])
    for split in wanted:
        if split in known:
            return split
    raise ValueError(f"none of the splits {', '.join(wanted)} was evaluated")
