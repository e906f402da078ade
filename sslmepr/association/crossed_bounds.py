r"""Bounds of the correlation between labels that no clip carries together.

With predictions :math:`\hat e, \hat t` from what is seen of a clip,

.. math:: \mathrm{cov}(e, t) = \mathrm{cov}(\hat e, t)
          + \mathrm{cov}(e - \hat e, \hat t)
          + \mathrm{cov}(e - \hat e, t - \hat t).

The first is observed in the corpus with trait labels, the second in that with emotion
labels. Only the residuals of the third are never seen together; they may have any
correlation, so that the correlation of the labels is identified only within bounds (as
in statistical matching; D'Orazio, Di Zio and Scanu 2006, Statistical Matching, chapter
4). Predictions may be of any kind, and from a single modality: no assumption on their
errors is made, but that one law holds in both corpora.

The interval covers the correlation, wherever it is between the bounds (Imbens and
Manski 2004, Econometrica, 72, 1845-1857).
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import brentq
from scipy.stats import norm

from sslmepr.association.grid import cell_index
from sslmepr.association.prediction_powered import by_speaker, comparable, stacked
from sslmepr.association.scores import Scores

COLUMNS = ("explained_emotion", "explained_trait", "unrelated", "low", "high")
COLUMNS += ("interval_low", "interval_high", "n", "n_speakers")


def crossed_bounds(scores: Sequence[Scores], confidence: float) -> pd.DataFrame:
    """Bounds of every cell.

    Parameters
    ----------
    scores : sequence of Scores
        Of the emotion corpus and the personality corpus; others are not used.
    confidence : float
        Of the interval.

    Returns
    -------
    DataFrame
        emotion, trait, explained_emotion, explained_trait (shares of the variance of
        the labels that cross-fitted scores explain), unrelated (the correlation of
        presence and trait if residuals are uncorrelated), low, high (bounds),
        interval_low, interval_high, n, n_speakers (clips and people of both corpora).
    """
    useful = [comparable(each) for each in scores[:2]]
    guesses = [stacked(scores[:2], task) for task in (0, 1)]
    labels = (scores[0].labels > 0).astype(float), scores[1].labels
    e, guessed_trait = (
        _centred(each, useful[0]) for each in (labels[0], guesses[1][0])
    )
    guessed_emotion, t = (
        _centred(each, useful[1]) for each in (guesses[0][1], labels[1])
    )
    rest = [
        label - _centred(guesses[task][task], useful[task])
        for task, label in enumerate((e, t))
    ]
    # Moments of the emotion corpus and of the personality corpus.
    known = [
        _Moment(rest[0], guessed_trait, useful[0], scores[0]),
        _Moment(guessed_emotion, t, useful[1], scores[1]),
    ]
    spread = [
        _Moment(each, each, useful[n], scores[n], True) for n, each in enumerate((e, t))
    ]
    left = [
        _Moment(each, each, useful[n], scores[n], True) for n, each in enumerate(rest)
    ]
    size = [spread[0].mean[:, None], spread[1].mean[None]]
    free = [left[0].mean[:, None], left[1].mean[None]]
    scale = np.sqrt(size[0] * size[1])
    middle = (known[0].mean + known[1].mean) / scale
    reach = np.sqrt(free[0] * free[1]) / scale
    errors = []
    for sign in (-1, 1):
        variance = np.zeros_like(middle)
        for n in range(2):
            grows = _across(spread[n].influence, n) / size[n]
            frees = _across(left[n].influence, n) / free[n]
            change = known[n].influence / scale - middle / 2 * grows
            change = change + sign * reach / 2 * (frees - grows)
            variance += (change**2).sum(0)
        errors.append(np.sqrt(variance))
    low, high = (np.clip(middle + sign * reach, -1, 1) for sign in (-1, 1))
    wide = quantile(high - low, np.maximum(*errors), confidence)
    explained = [1 - (each / whole) for each, whole in zip(free, size, strict=True)]
    values = [
        *(np.broadcast_to(each, middle.shape) for each in explained),
        middle,
        low,
        high,
        np.maximum(low - wide * errors[0], -1),
        np.minimum(high + wide * errors[1], 1),
    ]
    people = sum(len(np.unique(scores[n].speakers[useful[n]])) for n in range(2))
    table = dict(zip(COLUMNS, (each.ravel() for each in values), strict=False))
    table |= {"n": sum(each.sum() for each in useful), "n_speakers": people}
    return pd.DataFrame(table, index=cell_index()).reset_index()


class _Moment:
    """Mean of products of two sets of centred columns, and its influence by speaker.

    Attributes
    ----------
    mean : (emotion, trait) or (target,) ndarray
    influence : (speaker, ...) ndarray
    """

    def __init__(self, one, other, used, scores: Scores, alike: bool = False):
        product = one * other if alike else one[:, :, None] * other[:, None, :]
        self.mean = product.sum(0) / used.sum()
        mask = used.reshape(-1, *[1] * (product.ndim - 1))
        each = np.where(mask, product - self.mean, 0) / used.sum()
        self.influence = by_speaker(scores, each)


def _centred(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    return np.where(used[:, None], values - values[used].mean(0), 0)


def _across(influence: np.ndarray, side: int) -> np.ndarray:
    """Of emotions or traits, for all cells: (speaker, emotion, trait), broadcast."""
    return influence[:, :, None] if side == 0 else influence[:, None, :]


def quantile(width: np.ndarray, error: np.ndarray, confidence: float) -> np.ndarray:
    """By how many standard errors an interval reaches beyond bounds.

    Parameters
    ----------
    width, error : (...) arrays
        Of the bounds, and the larger of their standard errors.
    confidence : float

    Returns
    -------
    (...) ndarray
        Between the one-sided quantile, where bounds are far apart, and the two-sided.
    """

    def solve(apart: float) -> float:
        return brentq(
            lambda c: norm.cdf(c + apart) - norm.cdf(-c) - confidence, 0.0, 10.0
        )

    return np.vectorize(solve)(width / np.maximum(error, 1e-12))
