"""Correlations of the 30 cells from moments that are summed per speaker.

A correlation is a function of six moments (the count, two sums, three sums of
products). Their sums per speaker suffice for the estimate (moments of all speakers
together), the cluster bootstrap (of resampled speakers) and the cluster-robust score
test (variance between speakers), for all cells at once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from sslmepr.association.grid import CELLS
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.statistics.cluster_bootstrap import cluster_index, cluster_sums

FEWEST_SPEAKERS = 3
"""A correlation of fewer speakers is undefined: two speaker means lie on a line."""

CONSTANT = 1e-9
"""A column whose spread is at most this share of its scale counts as constant."""


@dataclass(frozen=True)
class Cells:
    """The values that enter each of the 30 cells.

    Attributes
    ----------
    values : (side, clip, cell) ndarray
        Sides are the emotion and the trait. At level ``between`` the second axis is
        speakers.
    used : (clip, cell) ndarray of bool
        False for a clip that lacks one of the sides.
    index : (clip,) ndarray of int
        Number of the clip's speaker.
    n_speakers : int
    scale : (side, cell) ndarray
        Standard deviation before standardisation; zero for a constant column.
    """

    values: np.ndarray
    used: np.ndarray
    index: np.ndarray
    n_speakers: int
    scale: np.ndarray


def build_cells(table: pd.DataFrame) -> Cells:
    """Standardised values of each cell.

    Parameters
    ----------
    table : DataFrame
        speaker_id, ``emotion_*`` and ``trait_*``, one row per clip.

    Returns
    -------
    Cells
    """
    emotions = table[[f"emotion_{e}" for e in SCORED_EMOTIONS]].to_numpy(dtype=float)
    traits = table[[f"trait_{t}" for t in TRAITS]].to_numpy(dtype=float)
    sides = (
        np.repeat(emotions, len(TRAITS), axis=1),
        np.tile(traits, (1, len(SCORED_EMOTIONS))),
    )
    values = np.stack(sides)  # (side, clip, cell)
    used = np.isfinite(values).all(axis=0)
    index, n_speakers = cluster_index(table["speaker_id"])
    scale = _spread(values, used)
    values = np.where(used, values - _mean(values, used)[:, None], 0.0)
    values /= np.where(scale > 0, scale, 1.0)[:, None]
    return Cells(values, used, index, n_speakers, scale)


def _mean(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    n = np.maximum(used.sum(axis=0), 1)
    return np.where(used, values, 0.0).sum(axis=1) / n


def _spread(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Standard deviation (side, cell); zero where only rounding varies."""
    deviation = np.where(used, values - _mean(values, used)[:, None], 0.0)
    spread = np.sqrt((deviation**2).sum(axis=1) / np.maximum(used.sum(axis=0), 1))
    size = np.abs(np.where(used, values, 0.0)).max(axis=1, initial=0.0)
    return np.where(spread > CONSTANT * size, spread, 0.0)


def at_level(cells: Cells, level: str) -> Cells:
    """Cells over clips, over speaker means, or over clips centred by speaker.

    Parameters
    ----------
    cells : Cells
    level : {"clip", "between", "within"}

    Returns
    -------
    Cells
    """
    if level == "clip":
        return cells
    n = cluster_sums(cells.used, cells.index, cells.n_speakers)  # (speaker, cell)
    means = np.stack(
        [cluster_sums(side, cells.index, cells.n_speakers) for side in cells.values]
    ) / np.maximum(n, 1)
    if level == "between":
        return Cells(
            means, n > 0, np.arange(cells.n_speakers), cells.n_speakers, cells.scale
        )
    # The only clip of a speaker equals its mean and carries no information here.
    used = cells.used & (n >= 2)[cells.index]
    deviations = np.where(used, cells.values - means[:, cells.index], 0.0)
    return Cells(deviations, used, cells.index, cells.n_speakers, cells.scale)


def moments_by_speaker(cells: Cells) -> np.ndarray:
    """Count, sums and sums of products per speaker.

    Returns
    -------
    (speaker, moment, cell) ndarray
        The count, the sums of x and y, and those of xx, xy and yy.
    """
    x, y = cells.values
    columns = [cells.used, x, y, x * x, x * y, y * y]
    sums = [cluster_sums(column, cells.index, cells.n_speakers) for column in columns]
    return np.stack(sums, axis=1)


def correlation(moments: np.ndarray) -> np.ndarray:
    """Correlation from the six moments.

    Parameters
    ----------
    moments : (..., moment, cell) ndarray

    Returns
    -------
    (..., cell) ndarray
        NaN where a side is constant.
    """
    xy, size = _covariance(moments)
    defined = size > CONSTANT
    r = np.clip(xy / np.where(defined, size, 1.0), -1, 1)
    return np.where(defined, r, np.nan)


def _covariance(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariance of both sides, and its value at r = 1: (..., cell); 0 if constant."""
    count, x, y, xx, xy, yy = np.moveaxis(moments, -2, 0)
    n = np.maximum(count, 1)
    mean_x, mean_y = x / n, y / n
    variances = xx / n - mean_x**2, yy / n - mean_y**2
    varies = (variances[0] > CONSTANT) & (variances[1] > CONSTANT)
    size = np.sqrt(np.where(varies, variances[0] * variances[1], 0.0))
    return xy / n - mean_x * mean_y, size


def clustered_p(
    moments: np.ndarray, n_speakers: np.ndarray, training_error: np.ndarray | float = 0
) -> np.ndarray:
    """Cluster-robust score test of zero correlation, two-sided.

    The score of a speaker is the sum over its clips of the cross-products of both
    centred sides. Under the null hypothesis scores have expectation zero, which a
    one-sample t test over speakers examines. Only speakers need to be independent, not
    their clips.

    Parameters
    ----------
    moments : (speaker, moment, cell) ndarray
        From :func:`moments_by_speaker`.
    n_speakers : (cell,) ndarray of int
        Speakers with at least one clip in the cell.
    training_error : (cell,) ndarray, optional
        Standard deviation of r over training samples, where r is of predictions. It
        is independent of the sampling of test speakers, so the variances add.

    Returns
    -------
    (cell,) ndarray
        p-values; NaN for fewer than two speakers, or where all scores are equal.
    """
    scores = _scores_by_speaker(moments)
    present = moments[:, 0] > 0
    n = np.maximum(n_speakers, 2)
    mean = scores.sum(axis=0) / n
    spread = np.where(present, scores - mean, 0.0)
    error = np.sqrt((spread**2).sum(axis=0) / (n - 1) / n)
    known = (error > 0) & (n_speakers >= 2)
    total = moments.sum(axis=0)
    largest_score = total[0] * _covariance(total)[1] / n  # mean score at r = 1
    error = np.hypot(error, training_error * largest_score)
    t = mean / np.where(known, error, 1.0)
    return np.where(known, 2 * stats.t.sf(np.abs(t), n - 1), np.nan)


def _scores_by_speaker(moments: np.ndarray) -> np.ndarray:
    """Sums of cross-products of the centred sides: (speaker, cell)."""
    count, x, y, _, xy, _ = np.moveaxis(moments, 1, 0)
    n = np.maximum(count.sum(axis=0), 1)
    mean_x, mean_y = x.sum(axis=0) / n, y.sum(axis=0) / n
    return xy - mean_x * y - mean_y * x + mean_x * mean_y * count


def reasons(
    cells: Cells, level: str, n_speakers: np.ndarray, r: np.ndarray
) -> list[str]:
    """Explain, for every cell, why r is undefined; empty where it is defined.

    Parameters
    ----------
    cells : Cells
        At aggregation level `level`.
    level : {"clip", "between", "within"}
    n_speakers : (cell,) ndarray of int
    r : (cell,) ndarray
    """
    varies = (_spread(cells.values, cells.used) > CONSTANT) & (cells.scale > 0)
    return [
        "" if defined else _reason(level, names, few, varies[:, cell])
        for cell, (names, few, defined) in enumerate(
            zip(CELLS, n_speakers, np.isfinite(r), strict=True)
        )
    ]


def _reason(level: str, names: tuple, n_speakers: int, varies: np.ndarray) -> str:
    if n_speakers < FEWEST_SPEAKERS:
        what = "several clips with both values" if level == "within" else "both values"
        return f"only {n_speakers} speakers have {what}"
    constant = [name for name, ok in zip(names, varies, strict=True) if not ok]
    verb = "do" if len(constant) > 1 else "does"
    where = "" if level == "clip" else f" {level} speakers"
    return f"{' and '.join(constant)} {verb} not vary{where}"
