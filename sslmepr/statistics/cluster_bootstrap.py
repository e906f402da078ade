"""Cluster bootstrap and jackknife: one interval rule for all results.

Clips of one speaker are not independent observations, so resampling clips would give
intervals that are too narrow. Whole clusters are resampled instead: speakers, or
simulated worlds. Every statistic here is a function of sums over observations (a mean,
an accuracy, a correlation, a concordance), so a bootstrap replicate needs only the sums
of each cluster and how often the cluster was drawn.

========================  ======================================================
interval                  when
========================  ======================================================
``expanded_percentile``   at least `FEWEST_FOR_BOOTSTRAP` clusters: percentiles of
                          the cluster bootstrap, moved outwards by the ratio of
                          Student's t to the normal quantile
``cluster_t``             2 to 14 clusters: Student's t with one degree of freedom
                          less than clusters, and the standard error of the
                          delete-one-cluster jackknife
``none``                  fewer than two clusters; a statistic that is undefined, or
                          undefined in more than a tenth of the bootstrap
                          replicates or in any of the jackknife's
========================  ======================================================

The plain percentile interval, and the expanded one with few clusters, are too narrow:
with four clusters, their coverage of a mean is 80 % and 87 % instead of 95 %. With the
rule above, coverage is 93 to 97 % for means, accuracies, concordances and correlations
with 4 to 200 clusters, in the simulations of the tests.

References
----------
Hesterberg, T. C. (2015). What teachers should know about the bootstrap. The American
Statistician, 69, 371-386 (expanded percentile interval).

Cameron, A. C., & Miller, D. L. (2015). A practitioner's guide to cluster-robust
inference. Journal of Human Resources, 50, 317-372 (few clusters, jackknife).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from scipy import stats

EXPANDED_PERCENTILE = "expanded_percentile"
CLUSTER_T = "cluster_t"
NONE = "none"

FEWEST_FOR_BOOTSTRAP = 15
"""Smallest number of clusters at which the bootstrap is used. In the simulations
of the tests, this rule keeps coverage at 93 to 97 %."""

FEWEST_DEFINED = 0.9
"""Smallest share of bootstrap replicates in which a statistic must be defined. By
convention, not tuned."""

LARGEST_CHUNK = 4_000_000
"""Largest number of counts (replicates times clusters) held in memory at once."""


class Interval(NamedTuple):
    """Ends of an interval (NaN where there is none) and the rule that gave them.

    Attributes
    ----------
    low, high : (...) ndarray of float
    kind : (...) ndarray of str
        `EXPANDED_PERCENTILE`, `CLUSTER_T` or `NONE`.
    """

    low: np.ndarray
    high: np.ndarray
    kind: np.ndarray


def cluster_index(ids) -> tuple[np.ndarray, int]:
    """Number the clusters in order of their names.

    Parameters
    ----------
    ids : (observation,) sequence of str
        Cluster of each observation, usually the speaker of a clip.

    Returns
    -------
    index : (observation,) ndarray of int
    count : int
        Number of clusters.

    Raises
    ------
    ValueError
        If a clip has no speaker.
    """
    names = np.asarray(ids, dtype=object)
    for position, name in enumerate(names):
        if name is None or name != name:
            raise ValueError(f"speaker_id: clip number {position} has no speaker")
    known, index = np.unique(names.astype(str), return_inverse=True)
    return index, len(known)


def cluster_sums(values: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """Sums over the observations of each cluster.

    Parameters
    ----------
    values : (observation, ...) ndarray
    index : (observation,) ndarray of int
        From :func:`cluster_index`.
    count : int
        Number of clusters.

    Returns
    -------
    (cluster, ...) ndarray of float
    """
    order = np.argsort(index, kind="stable")
    present, starts = np.unique(index[order], return_index=True)
    sums = np.zeros((count, *values.shape[1:]))
    if len(present):
        sums[present] = np.add.reduceat(
            np.asarray(values, dtype=float)[order], starts, axis=0
        )
    return sums


def replicated_totals(
    sums: np.ndarray, resamples: int, seed: int, n_clusters: int | None = None
) -> np.ndarray:
    """Totals over the sample and over each bootstrap or jackknife replicate.

    The same arguments give the same replicates, so statistics of separate calls are
    paired.

    Parameters
    ----------
    sums : (cluster, ...) ndarray
        From :func:`cluster_sums`.
    resamples : int
        Number of bootstrap replicates; with 0 there are no replicates at all.
    seed : int
    n_clusters : int, optional
        Number of clusters with observations, if `sums` has clusters without any.

    Returns
    -------
    (1 + replicate, ...) ndarray
        First the sample itself, then the replicates: below `FEWEST_FOR_BOOTSTRAP`
        clusters those of the delete-one-cluster jackknife, otherwise `resamples` of the
        cluster bootstrap.
    """
    flat = np.asarray(sums, dtype=float).reshape(len(sums), -1)
    few = (len(sums) if n_clusters is None else n_clusters) < FEWEST_FOR_BOOTSTRAP
    weights = _weights(len(flat), resamples, seed, few)
    totals = np.concatenate([chunk @ flat for chunk in weights])
    return totals.reshape(len(totals), *np.shape(sums)[1:])


def _weights(
    n_clusters: int, resamples: int, seed: int, few: bool
) -> Iterator[np.ndarray]:
    """Count of each cluster in chunks (replicate, cluster); the sample comes first."""
    yield np.ones((1, n_clusters))
    if few:
        if resamples and n_clusters > 1:
            yield 1 - np.eye(n_clusters)
        return
    rng = np.random.default_rng(seed)
    step = max(1, LARGEST_CHUNK // n_clusters)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(n_clusters, size=(rows, n_clusters))
        drawn += n_clusters * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n_clusters)
        yield counts.reshape(rows, n_clusters).astype(float)


class Clusters:
    """Observations grouped by cluster, and the replicates of their sums.

    Parameters
    ----------
    ids : (observation,) array of str
        Cluster of each observation, usually the speaker of a clip.
    resamples : int
        Number of bootstrap replicates; 0 gives no interval.
    seed : int

    Attributes
    ----------
    n, n_clusters : int
        Numbers of observations and of clusters.
    index : (observation,) ndarray of int

    Raises
    ------
    ValueError
        If there is no clip, or one has no speaker.
    """

    def __init__(self, ids, resamples: int, seed: int):
        self.n = len(ids)
        if self.n == 0:
            raise ValueError("a metric needs at least one clip, got none")
        self.index, self.n_clusters = cluster_index(ids)
        few = self.n_clusters < FEWEST_FOR_BOOTSTRAP
        self._weights = np.vstack([*_weights(self.n_clusters, resamples, seed, few)])

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sums over observations in the sample itself and in each replicate.

        Parameters
        ----------
        values : (observation, ...) array

        Returns
        -------
        (1 + replicate, ...) ndarray

        Raises
        ------
        ValueError
            If there are not as many values as observations.
        """
        if len(values) != self.n:
            raise ValueError(f"{self.n} speaker ids, but {len(values)} clips of values")
        sums = cluster_sums(np.asarray(values), self.index, self.n_clusters)
        flat = sums.reshape(self.n_clusters, -1)
        return (self._weights @ flat).reshape(-1, *sums.shape[1:])


def interval(
    values: np.ndarray, n_clusters: int, confidence: float, centred: bool = False
) -> Interval:
    """Interval of a statistic from its estimate and its replicates.

    Parameters
    ----------
    values : (1 + replicate, ...) ndarray
        Statistic of the totals of :func:`replicated_totals`; NaN where undefined.
    n_clusters : int
        Number of clusters with observations.
    confidence : float
        Confidence level, for example 0.95.
    centred : bool
        Shift the bootstrap interval by the difference between the estimate and the
        median of its replicates. This is for statistics with sampling bias, which the
        replicates contain twice. The jackknife interval is centred in any case.

    Returns
    -------
    Interval

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1, or there is no estimate.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence} is not between 0 and 1")
    values = np.asarray(values, dtype=float)
    if len(values) == 0:
        raise ValueError("an interval needs an estimate, got no value")
    known = np.isfinite(values)
    estimate, replicates = values[0], np.where(known[1:], values[1:], np.nan)
    nothing = np.full(estimate.shape, np.nan)
    if n_clusters < 2 or len(replicates) == 0:
        return Interval(nothing, nothing, np.full(estimate.shape, NONE))
    share = known[1:].mean(axis=0)
    if n_clusters < FEWEST_FOR_BOOTSTRAP:
        kind, defined = CLUSTER_T, known[0] & (share == 1)
        # Deviations from the estimate, so that a cluster without observations adds 0.
        squares = np.where(defined, replicates - estimate, 0.0) ** 2
        error = np.sqrt((n_clusters - 1) / n_clusters * squares.sum(axis=0))
        low, high = t_interval(estimate, error, n_clusters, confidence)
    else:
        kind, defined = EXPANDED_PERCENTILE, known[0] & (share >= FEWEST_DEFINED)
        quantile = stats.t.ppf((1 + confidence) / 2, n_clusters - 1)
        tail = stats.norm.sf(quantile * np.sqrt(n_clusters / (n_clusters - 1)))
        filled = np.where(defined, replicates, 0.0)
        # `quantile` is many times as fast as `nanquantile`, and NaN is rare.
        quantiles = np.nanquantile if np.isnan(filled).any() else np.quantile
        low, middle, high = quantiles(filled, [tail, 0.5, 1 - tail], axis=0)
        if centred:
            low, high = estimate + low - middle, estimate + high - middle
    return Interval(
        np.where(defined, low, np.nan),
        np.where(defined, high, np.nan),
        np.where(defined, kind, NONE),
    )


def t_interval(estimate, error, n, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Student's t interval of a mean over `n` independent units.

    Parameters
    ----------
    estimate, error : (...) array
        The mean and its standard error.
    n : (...) array of int
        Number of units; with fewer than two, the interval is NaN.
    confidence : float
        Confidence level.

    Returns
    -------
    low, high : (...) ndarray
    """
    n = np.asarray(n)
    quantile = stats.t.ppf((1 + confidence) / 2, np.where(n < 2, 1, n - 1))
    half = np.where(n < 2, np.nan, quantile) * error
    return estimate - half, estimate + half
