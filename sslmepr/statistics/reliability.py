"""Intraclass correlations of ratings by a sample of raters.

Every target is rated by the same raters, who are a sample of all that there could be:
the two-way random-effects model with absolute agreement. ICC(2,1) is the reliability of
one rater, ICC(2,k) that of the mean over k raters.

References
----------
Shrout, P. E., & Fleiss, J. L. (1979). Intraclass correlations: uses in assessing rater
reliability. Psychological Bulletin, 86, 420-428.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from sslmepr.statistics.metrics import ratio

CONSTANT = 1e-12
"""Variance, of ratings of about unit variance, that counts as none: of rounding."""


class Intraclass(NamedTuple):
    """ICC(2,1) and ICC(2,k), of any shape; NaN where targets do not vary.

    Attributes
    ----------
    single, average : (...) ndarray
    """

    single: np.ndarray
    average: np.ndarray


def intraclass(
    ratings: np.ndarray, total: Callable[[np.ndarray], np.ndarray] | None = None
) -> Intraclass:
    """Intraclass correlations from the mean squares of a two-way analysis of variance.

    Parameters
    ----------
    ratings : (target, rater, ...) array
        Without missing values; further axes are separate analyses.
    total : callable, optional
        Sums values over targets; such as
        `sslmepr.statistics.cluster_bootstrap.Clusters.total`, whose sums over resamples
        then lead to the correlations of all resamples. By default, the plain sum.

    Returns
    -------
    Intraclass
        Of the shape (...), behind the axes that `total` adds.

    Raises
    ------
    ValueError
        If there are fewer than two raters or targets, or a rating is not finite.
    """
    ratings = np.asarray(ratings, float)
    targets, k = ratings.shape[:2]
    if targets < 2 or k < 2:
        raise ValueError(
            f"ratings: two targets and two raters are needed, got {targets} and {k}"
        )
    if not np.isfinite(ratings).all():
        raise ValueError("ratings: every rater has to rate every target")
    if total is None:
        total = _sum
    # Sums of squares lose fewer digits around the mean; one scale for all raters.
    ratings = ratings - ratings.mean((0, 1))
    scale = ratings.std((0, 1))
    ratings = ratings / np.where(scale > 0, scale, 1.0)
    n = total(np.ones((targets, *ratings.shape[2:])))
    by_rater = total(ratings)  # (..., rater, ...)
    raters = by_rater.ndim - ratings.ndim + 1
    middle = by_rater.sum(raters) ** 2 / (n * k)
    of_targets = total(ratings.sum(1) ** 2) / k - middle
    of_raters = (by_rater**2).sum(raters) / n - middle
    rest = total((ratings**2).sum(1)) - middle - of_targets - of_raters
    between = of_targets / (n - 1)
    error = rest / ((n - 1) * (k - 1))
    gap = (of_raters / (k - 1) - error) / n
    agreed = between - error
    spread = [between + (k - 1) * error + k * gap, between + gap]
    single, average = (
        ratio(agreed, np.where(np.abs(each) > CONSTANT, each, 0.0)) for each in spread
    )
    return Intraclass(single, average)


def _sum(values: np.ndarray) -> np.ndarray:
    return values.sum(0)
