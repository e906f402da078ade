"""Every score of the compendium, defined once.

Each metric is a function of sums over clips (confusion counts, moments), which
`Clusters` of speakers also gives for every replicate. A metric therefore always comes
as an array whose index 0 is the estimate and the rest are replicates.
"""

import numpy as np
import pandas as pd

from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TRAITS
from sslmepr.statistics.cluster_bootstrap import Clusters, interval

COLUMNS = ["metric", "target", "estimate", "low", "high", "interval"]
COLUMNS += ["n", "n_speakers", "targets"]

Draws = dict[tuple[str, str], np.ndarray]
"""(metric, target) to its values: (1 + replicate,)."""

RANGES = {"CCC": (-1, 1), "CCC pooled": (-1, 1), "skill": (-np.inf, 1)}
"""Values that a metric can take, where not from 0 to 1; no interval goes beyond."""


def _ratio(numerator, denominator):
    """Numerator by denominator, NaN (never 0) where the denominator is 0."""
    denominator = np.asarray(denominator, dtype=float)
    return np.divide(
        numerator,
        denominator,
        out=np.full(np.broadcast(numerator, denominator).shape, np.nan),
        where=denominator != 0,
    )


def _mean_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is defined; NaN where nothing is."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0).sum(-1), known.sum(-1))


def _per_target_and_mean(values, metric, mean_metric, targets) -> Draws:
    draws = {(metric, name): values[:, column] for column, name in enumerate(targets)}
    draws[mean_metric, "mean"] = _mean_defined(values)
    return draws


def emotion_draws(true, score, decided, speakers: Clusters) -> Draws:
    """Weighted accuracy, F1 and ranking of six emotions, each a binary task.

    WACC is (TP N/P + TN) / 2N (Tong et al. 2017), which equals the mean of sensitivity
    and specificity; mUAR, the mean over emotions of macro recall, is the same number
    under its other name. F1 is the macro F1 of the two classes present and absent.

    Parameters
    ----------
    true : (clip, emotion) bool array
        Presence of the six scored emotions.
    score : (clip, emotion) array
        Probability of presence; only the ranking of its `AUC` is used, estimate only.
    decided : (clip, emotion) bool array
        Presence after the decision thresholds.
    """
    true, decided = np.asarray(true, bool), np.asarray(decided, bool)
    _check_shapes(true, score, decided)
    hits, misses = speakers.total(true & decided), speakers.total(true & ~decided)
    alarms, passes = speakers.total(~true & decided), speakers.total(~true & ~decided)
    defined = (hits + misses > 0) & (alarms + passes > 0)
    wacc = (_ratio(hits, hits + misses) + _ratio(passes, alarms + passes)) / 2
    # A class that is neither present nor predicted cannot occur where `defined`.
    f1 = (
        _ratio(2 * hits, 2 * hits + misses + alarms)
        + _ratio(2 * passes, 2 * passes + misses + alarms)
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


def area_under_curve(true, score) -> np.ndarray:
    """Chance that a clip with the emotion scores above one without, per emotion.

    Parameters
    ----------
    true : (clip, emotion) bool array
    score : (clip, emotion) array

    Returns
    -------
    (emotion,) array
        NaN where an emotion is present in no clip or in all.
    """
    true = np.asarray(true, bool)
    ranks = pd.DataFrame(np.asarray(score, float)).rank().to_numpy()
    present = true.sum(0)
    above = (ranks * true).sum(0) - present * (present + 1) / 2
    return _ratio(above, present * (len(true) - present))


def _concordance(n, y, p, yy, pp, yp):
    """Lin's CCC from sums, with population (divided by n) moments."""
    covariance = yp / n - y * p / n**2
    spread = yy / n - (y / n) ** 2 + pp / n - (p / n) ** 2
    # Rounding can leave a constant with a spread of 1e-17.
    denominator = spread + (y / n - p / n) ** 2
    denominator = np.where(denominator < 1e-12, 0, denominator)
    return _ratio(2 * covariance, denominator)


def concordance(true, predicted) -> np.ndarray:
    """Lin's concordance correlation coefficient per column.

    Parameters
    ----------
    true, predicted : (clip, target) array

    Returns
    -------
    (target,) array
    """
    y, p = np.asarray(true, float), np.asarray(predicted, float)
    return _concordance(
        len(y), y.sum(0), p.sum(0), (y * y).sum(0), (p * p).sum(0), (y * p).sum(0)
    )


def personality_draws(true, predicted, train_mean, speakers: Clusters) -> Draws:
    """Accuracy, concordance and skill of five traits.

    ACC is 1 - mean absolute error (ChaLearn First Impressions). `CCC pooled` treats all
    traits as one variable, as published for the method, so that differences between
    trait means count as skill: it is given for comparison only. Skill is
    1 - MAE / MAE of predicting `train_mean`; its mean is the ratio of the mean errors.

    Parameters
    ----------
    true, predicted : (clip, trait) array
    train_mean : (trait,) array
        Mean of each trait over the training clips.
    """
    y, p = np.asarray(true, float), np.asarray(predicted, float)
    _check_shapes(y, p)
    n = speakers.total(np.ones(len(y)))[:, None]
    error = speakers.total(np.abs(y - p))
    baseline = speakers.total(np.abs(y - np.asarray(train_mean, float)))
    moments = [speakers.total(each) for each in (y, p, y * y, p * p, y * p)]
    pooled = [each.sum(-1) for each in moments]
    draws = _per_target_and_mean(1 - error / n, "ACC", "mACC", TRAITS)
    draws |= _per_target_and_mean(_concordance(n, *moments), "CCC", "CCC", TRAITS)
    draws["CCC pooled", "pooled"] = _concordance(n[:, 0] * y.shape[1], *pooled)
    skill = 1 - _ratio(error, baseline)
    draws |= _per_target_and_mean(skill, "skill", "skill", TRAITS)
    draws["skill", "mean"] = 1 - _ratio(error.sum(-1), baseline.sum(-1))
    return draws


def single_label_draws(true_index, predicted_index, speakers: Clusters) -> Draws:
    """F1 and recall over seven classes, for corpora in which a clip has one emotion.

    Means run over the classes that occur in the truth. Here UAR is over K = 7 classes
    and not the mUAR of `emotion_draws`, which is over present and absent.

    Parameters
    ----------
    true_index, predicted_index : (clip,) int array
        Position in `EMOTIONS`.
    """
    classes = np.arange(len(EMOTIONS))
    true = np.asarray(true_index)[:, None] == classes
    predicted = np.asarray(predicted_index)[:, None] == classes
    hits = speakers.total(true & predicted)
    support, chosen = speakers.total(true), speakers.total(predicted)
    f1 = np.where(support > 0, _ratio(2 * hits, support + chosen), np.nan)
    draws = _per_target_and_mean(f1, "class F1", "macro F1", EMOTIONS)
    weighted = np.where(support > 0, f1, 0) * support
    draws["weighted F1", "mean"] = _ratio(weighted.sum(-1), support.sum(-1))
    return draws | _per_target_and_mean(
        _ratio(hits, support), "recall", "UAR", EMOTIONS
    )


def tabulate(draws: Draws, speakers: Clusters, level: float) -> pd.DataFrame:
    """Estimates with their intervals.

    Returns
    -------
    DataFrame
        Columns metric, target, estimate, low, high, interval (which kind, see
        `sslmepr.statistics.cluster_bootstrap`; ``none`` without resamples), n (clips),
        n_speakers and targets (over how many defined targets a mean was taken).
    """
    defined = _count_defined(draws)
    rows = []
    for (metric, target), values in draws.items():
        low, high, kind = interval(values, speakers.n_clusters, level)
        low, high = np.clip([low, high], *RANGES.get(metric, (0, 1)))
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


def emotion_metrics(
    true, score, decided, speaker_ids, resamples=2000, level=0.95, seed=0
) -> pd.DataFrame:
    """`emotion_draws` as a table with intervals over speakers."""
    speakers = Clusters(speaker_ids, resamples, seed)
    return tabulate(emotion_draws(true, score, decided, speakers), speakers, level)


def personality_metrics(
    true, predicted, train_mean, speaker_ids, resamples=2000, level=0.95, seed=0
) -> pd.DataFrame:
    """`personality_draws` as a table with intervals over speakers."""
    speakers = Clusters(speaker_ids, resamples, seed)
    draws = personality_draws(true, predicted, train_mean, speakers)
    return tabulate(draws, speakers, level)


def single_label_metrics(
    true_index, predicted_index, speaker_ids, resamples=2000, level=0.95, seed=0
) -> pd.DataFrame:
    """`single_label_draws` as a table with intervals over speakers."""
    speakers = Clusters(speaker_ids, resamples, seed)
    draws = single_label_draws(true_index, predicted_index, speakers)
    return tabulate(draws, speakers, level)
