r"""Associations between people, corrected for few clips of each.

The mean of a few clips is an unreliable measure of a person. Its variance is
:math:`\sigma^2_b + \sigma^2_w / n`, and its covariance with the mean of another
variable likewise has a part from within people, which moves a slope between people
towards the one within (Lüdtke et al. 2008). Croon's correction subtracts this part from
the moments of the means:

.. math:: \hat\Sigma_b = (M_b - M_w) / n_0, \qquad
          \beta_b = \hat\Sigma_{b,xy} / \hat\Sigma_{b,xx},

with the mean squares and products between and within people, M, and the average number
of clips :math:`n_0` of an unbalanced analysis of variance. Intervals are those of a
jackknife over people.

References
----------
Croon, M. (2002). Using predicted latent scores in general latent structure models. In
Latent variable and latent structure models. Erlbaum.

Croon, M. A., & van Veldhoven, M. J. P. M. (2007). Predicting group-level outcome
variables from variables measured at the individual level: a latent variable multilevel
model. Psychological Methods, 12, 45-57.
"""

from typing import NamedTuple

import numpy as np
from scipy import stats

from sslmepr.statistics.cluster_bootstrap import cluster_index, cluster_sums


class PersonSlope(NamedTuple):
    """Slope between people, of what clips of a person have in common.

    Attributes
    ----------
    reliability : float
        Of the mean over the clips of a person, as a measure of the person: the share of
        its variance that is between people; below 0 if they differ less than by chance.
    slope, low, high : float
        NaN where it is not certain that people differ.
    """

    reliability: float
    slope: float
    low: float
    high: float


def corrected_slope(x, y, speakers, confidence: float) -> PersonSlope:
    """Regress people's true means of y on those of x.

    Parameters
    ----------
    x, y : (clip,) array
    speakers : (clip,) array
        Some with several clips.
    confidence : float

    Returns
    -------
    PersonSlope
    """
    index, count = cluster_index(speakers)
    values = np.column_stack([x, y]).astype(float)
    sizes = np.bincount(index).astype(float)
    sums = cluster_sums(values - values.mean(0), index, count)
    squares = cluster_sums(
        np.einsum("na,nb->nab", *[values - values.mean(0)] * 2).reshape(-1, 4),
        index,
        count,
    ).reshape(count, 2, 2)
    whole = _moments(sizes, sums, squares, np.ones((1, count)))
    without = _moments(sizes, sums, squares, 1 - np.eye(count))
    reliability, slope = (each[0] for each in whole)
    quantile = stats.t.ppf((1 + confidence) / 2, count - 1)
    half = [quantile * _jackknife(each) for each in without]
    # Where people may not differ at all, the slope has no bounds.
    if not reliability - half[0] > 0:
        return PersonSlope(float(reliability), np.nan, np.nan, np.nan)
    ends = slope - half[1], slope + half[1]
    return PersonSlope(float(reliability), float(slope), *map(float, ends))


def _moments(sizes, sums, squares, weights) -> tuple[np.ndarray, np.ndarray]:
    """Reliability and slope under weights (sample, speaker) of 0 or 1."""
    people, clips = weights.sum(1), weights @ sizes
    total = weights @ sums
    centre = total[:, :, None] * total[:, None, :] / clips[:, None, None]
    means = np.einsum("ja,jb->jab", sums, sums) / sizes[:, None, None]
    explained = np.tensordot(weights, means, 1)
    within = np.tensordot(weights, squares, 1) - explained
    within = within / (clips - people)[:, None, None]
    between = (explained - centre) / (people - 1)[:, None, None]
    average = (clips - weights @ sizes**2 / clips) / (people - 1)
    corrected = (between - within) / average[:, None, None]
    spread = within[:, 0, 0] / average + corrected[:, 0, 0]
    return corrected[:, 0, 0] / spread, corrected[:, 0, 1] / corrected[:, 0, 0]


def _jackknife(values: np.ndarray) -> float:
    """Standard error from the values without each of the people."""
    count = len(values)
    return float(np.sqrt(((values - values.mean()) ** 2).sum() * (count - 1) / count))
