"""Linear discriminant analysis for corpora with exactly one emotion per clip.

Where clips differ more by who speaks and by what is said than by emotion, the
directions of that variance are known from the training clips: they are those in which
clips of one emotion differ. Discriminant analysis divides by this covariance within
classes (Fisher 1936, doi:10.1111/j.1469-1809.1936.tb02137.x), which a regression with a
common L2 penalty on all features does not. With about as many features as clips the
covariance has to be shrunk (Friedman 1989, doi:10.1080/01621459.1989.10478752).
"""

from collections.abc import Sequence

import numpy as np

from sslmepr.training.probes import best_penalty, mean_and_scale, speaker_folds

SHRINKAGES = (0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Grid of the shrinkage of the covariance. The range is a convention; the value is
chosen on folds of the training speakers."""

FOLDS = 4
"""Speaker-disjoint folds of the training clips on which the shrinkage is chosen. By
convention, not tuned."""


class Discriminant:
    """Linear discriminant analysis with a shrunken covariance within classes.

    Classes are taken as equally frequent, which is what the unweighted average recall
    (UAR) scores.

    Parameters
    ----------
    features : (clip, feature) array
        Of the training clips; of several modalities, end to end. They are standardised
        over these clips.
    label : (clip,) int array
        Class of each clip, from 0; each class has at least one.
    groups : (clip,) array
        Speaker of each clip.
    shrinkages : sequence of float
        Between 0 and 1, of which the one with the highest UAR on left-out speakers is
        chosen; 1 is the nearest centroid. With a single speaker there are no folds, and
        the middle of them is used.

    Attributes
    ----------
    shrinkage : float
        The chosen one.
    weights : (class, feature) array
    bias : (class,) array
        ``features @ weights.T + bias`` is the logarithm of the chance of each class,
        but for a constant of the clip.

    Raises
    ------
    ValueError
        If a class of `label` has no clip, or a shrinkage is not in 0..1 without 0.
    """

    def __init__(
        self, features, label, groups, shrinkages: Sequence[float] = SHRINKAGES
    ):
        features, label = np.asarray(features, float), np.asarray(label)
        counts = np.bincount(label)
        if not counts.all():
            raise ValueError(f"label: no training clip of class {counts.argmin()}")
        if not all(0 < each <= 1 for each in shrinkages):
            raise ValueError(f"shrinkages: {list(shrinkages)} are not all in (0, 1]")
        grid, folds = tuple(shrinkages), speaker_folds(groups, FOLDS)
        scores = None
        if len(folds) > 1 and len(grid) > 1:
            scores = _recalls(features, label, folds, grid)
        self.shrinkage = grid[int(best_penalty(grid, scores))]
        ((self.weights, self.bias),) = _fits(features, label, (self.shrinkage,))

    def scores(self, features) -> np.ndarray:
        """Logarithm of the chance of each class but for a constant: (clip, class).

        Parameters
        ----------
        features : (clip, feature) array
        """
        return np.asarray(features, float) @ self.weights.T + self.bias


def _recalls(features, label, folds, grid) -> np.ndarray:
    """UAR of left-out speakers for each shrinkage: (shrinkage,)."""
    decided = np.full((len(grid), len(label)), -1)
    for unseen in folds:
        seen = np.delete(np.arange(len(label)), unseen)
        # classes that the other folds lack are never decided for
        present, renamed = np.unique(label[seen], return_inverse=True)
        fits = _fits(features[seen], renamed, grid)
        for place, (weights, bias) in enumerate(fits):
            scores = features[unseen] @ weights.T + bias
            decided[place, unseen] = present[scores.argmax(1)]
    shown = np.eye(label.max() + 1)[label]
    right = decided == label
    return np.mean(right @ shown / shown.sum(0), axis=1)


def _fits(features, label, shrinkages) -> list[tuple[np.ndarray, np.ndarray]]:
    """Weights and bias for each shrinkage, from one decomposition."""
    mean, scale = mean_and_scale(features)
    scaled = (features - mean) / scale
    shown = np.eye(label.max() + 1)[label]
    centres = shown.T @ scaled / shown.sum(0)[:, None]
    size, axes = _principal(scaled - centres[label])
    level = size.sum() / scaled.shape[1]
    along = centres @ axes  # (class, axis)
    rest = centres - along @ axes.T
    found = []
    for shrinkage in shrinkages:
        own = (1 - shrinkage) * size + shrinkage * level
        weights = (along / own) @ axes.T + rest / (shrinkage * level)
        bias = -0.5 * (weights * centres).sum(1)
        weights = weights / scale
        found.append((weights, bias - weights @ mean))
    return found


def _principal(residuals) -> tuple[np.ndarray, np.ndarray]:
    """Variances and axes, (feature, axis), of residuals around class means.

    By the smaller of the two products of the matrix with itself. Axes without variance
    are left out.
    """
    clips, features = residuals.shape
    wide = features > clips
    product = residuals @ residuals.T if wide else residuals.T @ residuals
    size, axes = np.linalg.eigh(product)
    kept = size > 1e-9 * size[-1]
    size, axes = size[kept], axes[:, kept]
    if wide:
        axes = residuals.T @ axes / np.sqrt(size)
    return size / clips, axes
