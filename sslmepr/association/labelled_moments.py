r"""Covariances of scores with the labels of one corpus, and the influence of its clips.

Emotions are latent variables of which presence is seen above a threshold: covariances
with them are those with $(e - p) / \varphi(\tau)$ (Stein's lemma), and their own
correlations are tetrachoric. What is estimated on the way, thresholds and variances,
has its influence, too.

Emotions of which every clip has one at most are categories, and no thresholds of latent
variables: two of them never meet, whatever people feel. They are taken as they are,
coded 0 and 1. Whatever scores depend on, their mean is linear in such a code, so that
nothing has to be assumed of a distribution.
"""

from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from sslmepr.association.scores import IdentificationError, Scores

SMOOTHED = 0.02
"""Smallest eigenvalue of tetrachoric correlations. By convention, not tuned."""


class LabelledMoments:
    """Covariances of scores with the labels of one corpus, and their influence.

    Attributes
    ----------
    emotions : (modality, emotion score, label) ndarray
    traits : (modality, trait score, label) ndarray
    matrix : (label, label) ndarray
        Correlations of the labels.
    values : (clip, label) ndarray
        Labels as `emotions` and `traits` are covariances with.
    """

    def __init__(self, scores: Scores, values: np.ndarray, slope: np.ndarray):
        share = np.maximum(scores.present.mean(0), 1e-12)
        self._weights = scores.present / share
        self._scores, self.values, self._slope = scores, values, slope
        self.emotions, self.traits = (
            np.einsum("nm,nms,nl->msl", self._weights, each, values) / len(values)
            for each in (scores.emotions, scores.traits)
        )

    def _each(self, name: str, m: int) -> np.ndarray:
        """Influence of clips on a covariance: (clip, score, label)."""
        product = np.einsum(
            "n,ns,nl->nsl",
            self._weights[:, m],
            getattr(self._scores, name)[:, m],
            self.values,
        )
        estimate = getattr(self, name)[m]
        return product - estimate * (self.values * self._slope)[:, None, :]

    def deviations(self, name: str) -> np.ndarray:
        """Influence of clips on `emotions` or `traits`: (clip, modality, score, label).

        Unlike in `influence`, that of how many clips have the modality is in it.
        """
        each = np.stack([self._each(name, m) for m in range(self._weights.shape[1])], 1)
        there = self._weights - 1
        return each - each.mean(0) - there[..., None, None] * getattr(self, name)

    def matrix_deviations(self) -> np.ndarray:
        """Influence of clips on `matrix`: (clip, label, label)."""
        return self._influence - self._influence.mean(0)

    def influence(self, emotions, traits, matrix) -> np.ndarray:
        """Of clips on C: (clip, association).

        Parameters
        ----------
        emotions, traits, matrix
            As in `_Effect`, of the labels of this corpus alone.
        """
        found = self._influence.reshape(len(self.values), -1) @ rows_of(matrix).T
        for name, effect in (("emotions", emotions), ("traits", traits)):
            for m in range(effect.shape[1]):
                each = self._each(name, m).reshape(len(self.values), -1)
                found = found + each @ rows_of(effect[:, m]).T
        return found


class EmotionMoments(LabelledMoments):
    """Of the emotion corpus; labels are thresholded latent variables."""

    def __init__(self, scores: Scores):
        labels = scores.labels > 0
        share = labels.mean(0)
        self.threshold = norm.isf(share)
        self._density = norm.pdf(self.threshold)
        values = (labels - share) / self._density
        super().__init__(scores, values, self.threshold)
        self._labels, self._share = labels, share
        self.matrix, self._influence = self._tetrachoric()

    def _tetrachoric(self) -> tuple[np.ndarray, np.ndarray]:
        count = len(self._share)
        matrix, influence = np.eye(count), np.zeros((len(self._labels), count, count))
        for i in range(count):
            for j in range(i):
                ends = self.threshold[[i, j]]
                both = self._labels[:, i] & self._labels[:, j]
                # Half a clip: two emotions that never met need not exclude each other.
                least, half = self._share[[i, j]].min(), 0.5 / len(both)
                r = tetrachoric(*ends, np.clip(both.mean(), half, least - half))
                spread = np.sqrt(1 - r**2)
                other = norm.cdf((r * ends - ends[::-1]) / spread)
                change = both - both.mean()
                for place, each in enumerate((i, j)):
                    own = self._labels[:, each] - self._share[each]
                    change = change - own * other[place]
                density = multivariate_normal.pdf(ends, cov=[[1, r], [r, 1]])
                matrix[i, j] = matrix[j, i] = r
                influence[:, i, j] = influence[:, j, i] = change / density
        return smoothed(matrix), influence


class StandardisedMoments(LabelledMoments):
    """Of traits, or of emotions that are categories; labels are standardised."""

    def __init__(self, scores: Scores):
        labels = scores.labels - scores.labels.mean(0)
        deviation = labels.std(0)
        if (deviation == 0).any():
            raise IdentificationError("a trait is the same in all clips")
        values = labels / deviation
        # A larger deviation makes covariances smaller: half a squared value each.
        super().__init__(scores, values, values / 2)
        self.matrix = values.T @ values / len(values)
        squares = values**2
        self._influence = np.einsum("nj,nk->njk", values, values) - self.matrix * (
            (squares[:, :, None] + squares[:, None, :]) / 2
        )


def are_categories(labels: np.ndarray) -> bool:
    """Whether no clip has two emotions; labels are (clip, emotion)."""
    return bool(((labels > 0).sum(1) <= 1).all())


def emotion_moments(scores: Scores) -> LabelledMoments:
    """Those of the emotion corpus.

    Raises
    ------
    IdentificationError
        If an emotion is present in all clips or in none.
    """
    shown = scores.labels > 0
    if (shown.all(0) | ~shown.any(0)).any():
        raise IdentificationError("an emotion is present in all clips or in none")
    if are_categories(shown):
        return StandardisedMoments(scores._replace(labels=shown.astype(float)))
    return EmotionMoments(scores)


def smoothed(matrix: np.ndarray) -> np.ndarray:
    """A correlation matrix without eigenvalues near 0 or below.

    Tetrachoric correlations are estimated pair by pair, and in few clips need not be a
    correlation matrix.
    """
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= SMOOTHED:
        return matrix
    smooth = (vectors * np.maximum(values, SMOOTHED)) @ vectors.T
    scale = np.sqrt(np.diag(smooth))
    return smooth / np.outer(scale, scale)


def rows_of(values: np.ndarray) -> np.ndarray:
    """Arrays (row, ...) as a matrix of that many rows."""
    return values.reshape(len(values), -1)


@lru_cache(maxsize=256)  # the same labels are met again with other scores
def tetrachoric(first: float, second: float, both: float) -> float:
    """Correlation of two normal variables from how often both exceed a threshold.

    Parameters
    ----------
    first, second : float
        Thresholds, in standard deviations.
    both : float
        Share of cases in which both are exceeded.

    Returns
    -------
    float
        At the nearer end of (-1, 1) if no correlation gives that share.
    """

    def excess(r: float) -> float:
        ends = [-first, -second]
        return multivariate_normal.cdf(ends, cov=[[1, r], [r, 1]]) - both

    limit = 0.999
    if excess(-limit) >= 0:
        return -limit
    if excess(limit) <= 0:
        return limit
    return float(brentq(excess, -limit, limit, xtol=1e-8))
