"""All metrics of the compendium, with cluster-bootstrap replicates.

A metric is a function of sums over clips (confusion counts, moments). `Clusters` gives
these sums for all clips and for every bootstrap replicate of the speakers, so a metric
is an array: index 0 is the estimate, the others are replicates.
"""

import numpy as np
import pandas as pd

from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TRAITS
from sslmepr.statistics.cluster_bootstrap import Clusters, interval
from sslmepr.statistics.metrics import (
    area_under_curve,
    concordance_of_sums,
    mean_defined,
    ratio,
)

COLUMNS = ["metric", "target", "estimate", "low", "high", "interval"]
COLUMNS += ["n", "n_speakers", "targets"]

Draws = dict[tuple[str, str], np.ndarray]
"""(metric, target) to values (1 + replicate,)."""

RANGES = {
    "CCC": (-1, 1),
    "CCC pooled": (-1, 1),
    "skill": (-np.inf, 1),
    "r": (-1, 1),
}
"""Range of a metric where it is not 0 to 1."""


def range_of(metric: str) -> tuple[float, float]:
    """What intervals of a metric are clipped to.

    Parameters
    ----------
    metric : str
        A difference between two values of a metric ends with ``above``.
    """
    low, high = RANGES.get(metric.removesuffix(" above"), (0, 1))
    return (low - high, high - low) if metric.endswith(" above") else (low, high)


def _per_target_and_mean(values, metric, mean_metric, targets) -> Draws:
    draws = {(metric, name): values[:, column] for column, name in enumerate(targets)}
    draws[mean_metric, "mean"] = mean_defined(values)
    return draws


def emotion_draws(true, score, decided, speakers: Clusters) -> Draws:
    """Weighted accuracy, F1 and AUC of six emotions, each a binary task.

    WACC is (TP N/P + TN) / 2N (Tong et al. 2017), which equals the mean of sensitivity
    and specificity. mUAR, the mean over emotions of macro recall, is therefore equal to
    mWACC. F1 is the macro F1 of the two classes present and absent.

    Parameters
    ----------
    true : (clip, emotion) bool array
        Presence of the six scored emotions.
    score : (clip, emotion) array
        Probability of presence, used for the AUC, which has no replicates.
    decided : (clip, emotion) bool array
        Presence after the decision thresholds.
    speakers : Clusters

    Returns
    -------
    Draws

    Raises
    ------
    ValueError
        If shapes differ.
    """
    true, decided = np.asarray(true, bool), np.asarray(decided, bool)
    _check_shapes(true, score, decided)
    hits, misses = speakers.total(true & decided), speakers.total(true & ~decided)
    alarms, passes = speakers.total(~true & decided), speakers.total(~true & ~decided)
    defined = (hits + misses > 0) & (alarms + passes > 0)
    wacc = (ratio(hits, hits + misses) + ratio(passes, alarms + passes)) / 2
    # Where `defined`, both classes occur, so that no denominator is zero.
    f1 = (
        ratio(2 * hits, 2 * hits + misses + alarms)
        + ratio(2 * passes, 2 * passes + misses + alarms)
    ) / 2
    f1 = np.where(defined, f1, np.nan)
    draws = _per_target_and_mean(wacc, "WACC", "mWACC", SCORED_EMOTIONS)
    draws |= _per_target_and_mean(f1, "F1", "mF1", SCORED_EMOTIONS)
    draws["mUAR", "mean"] = draws["mWACC", "mean"]
    auc = area_under_curve(true, score)[None]
    return draws | _per_target_and_mean(auc, "AUC", "mAUC", SCORED_EMOTIONS)


def _check_shapes(first, *others):
    for other in others:
        if np.shape(other) != np.shape(first):
            raise ValueError(f"shapes differ: {np.shape(first)} and {np.shape(other)}")


def personality_draws(true, predicted, train_mean, speakers: Clusters) -> Draws:
    """Accuracy, concordance (CCC) and skill of five traits.

    ACC is 1 - MAE, the mean absolute error (ChaLearn First Impressions). `CCC pooled`
    pools clips of all traits, as published for the method, and so rewards differences
    between trait means; it is reported for comparison only. Skill is
    1 - MAE / MAE(`train_mean`); its mean is computed from errors summed over traits.

    Parameters
    ----------
    true, predicted : (clip, trait) array
    train_mean : (trait,) or (clip, trait) array
        Mean of each trait over the training clips; of each clip, where they differ.
    speakers : Clusters

    Returns
    -------
    Draws

    Raises
    ------
    ValueError
        If shapes differ.
    """
    y, p = np.asarray(true, float), np.asarray(predicted, float)
    _check_shapes(y, p)
    n = speakers.total(np.ones(len(y)))[:, None]
    error = speakers.total(np.abs(y - p))
    baseline = speakers.total(np.abs(y - np.asarray(train_mean, float)))
    moments = [speakers.total(each) for each in (y, p, y * y, p * p, y * p)]
    pooled = [each.sum(-1) for each in moments]
    draws = _per_target_and_mean(1 - error / n, "ACC", "mACC", TRAITS)
    draws |= _per_target_and_mean(
        concordance_of_sums(n, *moments), "CCC", "CCC", TRAITS
    )
    draws["CCC pooled", "pooled"] = concordance_of_sums(n[:, 0] * y.shape[1], *pooled)
    skill = 1 - ratio(error, baseline)
    draws |= _per_target_and_mean(skill, "skill", "skill", TRAITS)
    draws["skill", "mean"] = 1 - ratio(error.sum(-1), baseline.sum(-1))
    return draws


def single_label_draws(true_index, predicted_index, speakers: Clusters) -> Draws:
    """F1 and recall of seven classes, for corpora with one emotion per clip.

    Means are over the classes that occur among the true labels. UAR is the mean recall
    of K = 7 classes, unlike mUAR of `emotion_draws` (of the classes present and
    absent).

    Parameters
    ----------
    true_index, predicted_index : (clip,) int array
        Position in `EMOTIONS`.
    speakers : Clusters

    Returns
    -------
    Draws
    """
    classes = np.arange(len(EMOTIONS))
    true = np.asarray(true_index)[:, None] == classes
    predicted = np.asarray(predicted_index)[:, None] == classes
    hits = speakers.total(true & predicted)
    support, chosen = speakers.total(true), speakers.total(predicted)
    f1 = np.where(support > 0, ratio(2 * hits, support + chosen), np.nan)
    draws = _per_target_and_mean(f1, "class F1", "macro F1", EMOTIONS)
    weighted = np.where(support > 0, f1, 0) * support
    draws["weighted F1", "mean"] = ratio(weighted.sum(-1), support.sum(-1))
    return draws | _per_target_and_mean(ratio(hits, support), "recall", "UAR", EMOTIONS)


def tabulate(draws: Draws, speakers: Clusters, confidence: float) -> pd.DataFrame:
    """Table of estimates with their intervals.

    Parameters
    ----------
    draws : Draws
    speakers : Clusters
    confidence : float
        Confidence level of the intervals.

    Returns
    -------
    DataFrame
        Columns metric, target, estimate, low, high, interval (which kind, see
        `sslmepr.statistics.cluster_bootstrap`; ``none`` without resamples), n (clips),
        n_speakers and targets (number of defined targets in a mean).
    """
    defined = _count_defined(draws)
    rows = []
    for (metric, target), values in draws.items():
        low, high, kind = interval(values, speakers.n_clusters, confidence)
        low, high = np.clip([low, high], *range_of(metric))
        counted = defined[metric] if target == "mean" else int(not np.isnan(values[0]))
        rows.append((metric, target, values[0], low, high, str(kind), counted))
    table = pd.DataFrame(rows, columns=[*COLUMNS[:6], "targets"])
    return table.assign(n=speakers.n, n_speakers=speakers.n_clusters)[COLUMNS]


_MEAN_OF = {
    "mWACC": "WACC",
    "mUAR": "WACC",
    "mF1": "F1",
    "mAUC": "AUC",
    "mACC": "ACC",
    "macro F1": "class F1",
    "weighted F1": "class F1",
    "UAR": "recall",
}


def _count_defined(draws: Draws) -> dict[str, int]:
    counts = {}
    for metric, _ in draws:
        single = _MEAN_OF.get(metric, metric)
        counts[metric] = sum(
            not np.isnan(values[0])
            for (name, other), values in draws.items()
            if name == single and other != "mean"
        )
    return counts
