"""Metrics as functions of arrays; their intervals are in `sslmepr.evaluation.metrics`.

Model selection on dev uses these metrics.
"""

import numpy as np
from scipy.stats import rankdata


def ratio(numerator, denominator):
    """Divide; NaN where the denominator is 0.

    Parameters
    ----------
    numerator, denominator : arrays that broadcast

    Returns
    -------
    ndarray of float
    """
    denominator = np.asarray(denominator, dtype=float)
    return np.divide(
        numerator,
        denominator,
        out=np.full(np.broadcast(numerator, denominator).shape, np.nan),
        where=denominator != 0,
    )


def mean_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis without NaN; NaN where all values are NaN.

    Parameters
    ----------
    values : (..., value) ndarray

    Returns
    -------
    (...) ndarray
    """
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(-1), known.sum(-1))


def area_under_curve(true, score) -> np.ndarray:
    """Area under the ROC curve per emotion, from ranks (Mann-Whitney U).

    It is the probability that a random clip with the emotion has a higher score than a
    random clip without it; ties count one half.

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
    ranks = rankdata(np.asarray(score, float), axis=0)
    present = true.sum(0)
    above = (ranks * true).sum(0) - present * (present + 1) / 2
    return ratio(above, present * (len(true) - present))


def concordance_of_sums(n, y, p, yy, pp, yp):
    """Lin's concordance correlation coefficient (CCC) from sums over clips.

    Moments are those of a population, divided by n.

    Parameters
    ----------
    n : array
        Number of clips.
    y, p, yy, pp, yp : arrays that broadcast with `n`
        Sums over clips of true and predicted values, their squares and their product.

    Returns
    -------
    ndarray
        NaN where true and predicted values are the same constant.
    """
    covariance = yp / n - y * p / n**2
    spread = yy / n - (y / n) ** 2 + pp / n - (p / n) ** 2
    # Rounding can leave a constant with a variance of 1e-17.
    denominator = spread + (y / n - p / n) ** 2
    denominator = np.where(denominator < 1e-12, 0, denominator)
    return ratio(2 * covariance, denominator)


def matrix_correlation(matrices: np.ndarray, fixed: np.ndarray) -> np.ndarray:
    """Correlation of matrices with another over the cells that are defined in both.

    Parameters
    ----------
    matrices : (matrix, ...) array
    fixed : array
        Of the same shape as one of them, or as all.

    Returns
    -------
    (matrix,) array
        NaN where the cells of one of the two do not vary.
    """
    fixed = np.broadcast_to(fixed, matrices.shape)
    known = np.isfinite(matrices) & np.isfinite(fixed)
    cells = tuple(range(1, matrices.ndim))
    n = np.maximum(known.sum(cells, keepdims=True), 1)
    sides = []
    for values in (matrices, fixed):
        values = np.where(known, values, 0.0)
        mean = values.sum(cells, keepdims=True) / n
        sides.append(np.where(known, values - mean, 0.0))
    x, y = sides
    size = np.sqrt((x**2).sum(cells) * (y**2).sum(cells))
    return np.divide(
        (x * y).sum(cells), size, out=np.full(len(x), np.nan), where=size > 1e-12
    )


def concordance(true, predicted) -> np.ndarray:
    """Lin's concordance correlation coefficient (CCC) per target.

    Parameters
    ----------
    true, predicted : (clip, target) array

    Returns
    -------
    (target,) array
    """
    y, p = np.asarray(true, float), np.asarray(predicted, float)
    return concordance_of_sums(
        len(y), y.sum(0), p.sum(0), (y * y).sum(0), (p * p).sum(0), (y * p).sum(0)
    )
