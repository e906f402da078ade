"""Metrics as functions of arrays; their intervals are in `sslmepr.evaluation.metrics`.

Stages that train choose on dev by these, and depend on nothing else of the statistics.
"""

import numpy as np
from scipy.stats import rankdata


def ratio(numerator, denominator):
    """Numerator by denominator, NaN (never 0) where the denominator is 0."""
    denominator = np.asarray(denominator, dtype=float)
    return np.divide(
        numerator,
        denominator,
        out=np.full(np.broadcast(numerator, denominator).shape, np.nan),
        where=denominator != 0,
    )


def mean_defined(values: np.ndarray) -> np.ndarray:
    """Mean over the last axis of what is defined; NaN where nothing is."""
    known = ~np.isnan(values)
    return ratio(np.where(known, values, 0).sum(-1), known.sum(-1))


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
    ranks = rankdata(np.asarray(score, float), axis=0)
    present = true.sum(0)
    above = (ranks * true).sum(0) - present * (present + 1) / 2
    return ratio(above, present * (len(true) - present))


def concordance_of_sums(n, y, p, yy, pp, yp):
    """Lin's CCC from sums over clips, with population (divided by n) moments.

    Parameters
    ----------
    n : array
        Number of clips.
    y, p, yy, pp, yp : arrays that broadcast with `n`
        Sums over clips of true, predicted, their squares and their product.
    """
    covariance = yp / n - y * p / n**2
    spread = yy / n - (y / n) ** 2 + pp / n - (p / n) ** 2
    # Rounding can leave a constant with a spread of 1e-17.
    denominator = spread + (y / n - p / n) ** 2
    denominator = np.where(denominator < 1e-12, 0, denominator)
    return ratio(2 * covariance, denominator)


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
    return concordance_of_sums(
        len(y), y.sum(0), p.sum(0), (y * y).sum(0), (p * p).sum(0), (y * p).sum(0)
    )
