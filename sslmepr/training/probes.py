"""Linear probes of single modalities: ridge and logistic regression, or an intercept.

The network of stage 1 corrects the logits of a probe, which is also its baseline.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit

from sslmepr.statistics.regression import logistic, ridge
from sslmepr.training.predictions import dev_score

RIDGE_ALPHAS = tuple(float(value) for value in np.logspace(1, 5, 9))
"""Grid of ``alpha`` for ridge regression, from 10 to 100,000. The range is a
convention; the value is chosen on dev."""

LOGISTIC_CS = (0.0001, 0.001, 0.01, 0.1)
"""Grid of ``C`` for logistic regression. The range is a convention; the value is chosen
on dev."""

FOLDS = 5
"""Speaker-disjoint folds of the training split for out-of-fold predictions. By
convention, not tuned."""

LOGIT_SLOPE = 4.0
"""Slope of the logit at 0.5, where trait scores are centred: 1 / (0.5 * (1 - 0.5)), the
derivative of log(p / (1 - p))."""


def mean_and_scale(features) -> tuple[np.ndarray, np.ndarray]:
    """What regressions standardise their features by: two (feature,) arrays.

    The scale is the standard deviation and a little, so that a constant stays finite.
    """
    return features.mean(0), features.std(0) + 1e-6


def best_penalty(grid: tuple[float, ...], scores: ArrayLike | None) -> np.ndarray:
    """Choose L2 penalties by their scores on dev.

    Parameters
    ----------
    grid : tuple of float
    scores : (penalty, ...) array_like, optional
        Score of each penalty of the grid, higher is better, for one or more
        regressions. An undefined score (NaN) is never chosen.

    Returns
    -------
    (...) array of int
        Position in `grid` of the first penalty with the highest score; without scores,
        as where there are no dev clips, its middle.
    """
    if scores is None:
        return np.array(len(grid) // 2)
    scores = np.asarray(scores, float)
    return np.where(np.isnan(scores), -np.inf, scores).argmax(0)


class Linear:
    """Ridge regression of traits or logistic regression of emotions.

    The L2 penalty (``alpha`` of ridge, the inverse ``C`` of logistic regression) is
    chosen on dev by `sslmepr.training.predictions.dev_score`.

    Parameters
    ----------
    task : {"emotion", "personality"}
    features : (clip, feature) array
        Standardised features of the training clips, kept for refits.
    true : (clip, target) array
        Their labels: intensities of emotions, scores of traits in 0..1.
    dev_features : (dev clip, feature) array
    dev_true : (dev clip, target) array
        Without dev clips, the middle of the grid is used.

    Attributes
    ----------
    weights : (target, feature) array
        For features standardised once more over the training clips.
    bias : (target,) array
    penalty : float
        The chosen ``alpha`` or ``C``.
    """

    grids = {"emotion": LOGISTIC_CS, "personality": RIDGE_ALPHAS}

    def __init__(self, task, features, true, dev_features, dev_true):
        self.task, self._features, self._true = task, features, true
        # Means over steps vary less than steps: standardise them again over clips.
        self._mean, self._scale = mean_and_scale(features)
        scaled = self._scaled(features)
        self._basis = row_space(scaled)
        self._reduced = scaled @ self._basis.T
        grid, scores = self.grids[task], None
        if not len(dev_true):
            grid = (grid[best_penalty(grid, None)],)
        once = np.ones((1, len(features)))
        fits = [self._fits(penalty, once)[0] for penalty in grid]
        if len(dev_true):
            outputs = (self._output(dev_features, *fit) for fit in fits)
            scores = [self._score(dev_true, each) for each in outputs]
        best = int(best_penalty(grid, scores))
        self.penalty, (self.weights, self.bias) = grid[best], fits[best]

    def predict(self, features) -> np.ndarray:
        """Probabilities of emotions or scores of traits: (clip, target).

        Parameters
        ----------
        features : (clip, feature) array
        """
        return self._output(features, self.weights, self.bias)

    def probe(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the model as one linear map from unscaled features to logits.

        Returns
        -------
        weights : (target, feature) array
        bias : (target,) array
            For traits, the logit is linearised at a score of 0.5.
        """
        return self._to_logits(self.weights, self.bias)

    def out_of_fold(self, groups) -> np.ndarray:
        """Out-of-fold logits of the training clips, in folds by speaker.

        Parameters
        ----------
        groups : (clip,) array
            Speaker of each training clip.

        Returns
        -------
        (clip, target) float32 array
            On the scale of `probe`, whose logits for these clips are in-sample. With a
            single speaker there are no folds, and the logits are those of `probe`.
        """
        features = self._features
        folds = speaker_folds(groups, FOLDS)
        if len(folds) < 2:
            weights, bias = self.probe()
            return (features @ weights.T + bias).astype(np.float32)
        logits = np.zeros(self._true.shape, np.float32)
        for unseen in folds:
            # One fit at a time: L-BFGS on a joint problem would let the held-out data
            # of one fold change the last digits of another.
            seen = np.ones((1, len(features)))
            seen[0, unseen] = 0
            (fitted,) = self._fits(self.penalty, seen)
            weights, bias = self._to_logits(*fitted)
            logits[unseen] = features[unseen] @ weights.T + bias
        return logits

    def refitted(self, groups, refits, seed) -> Iterator[tuple]:
        """Refit the probe to cluster bootstrap samples of the training speakers.

        The variance of predictions over refits estimates the error that comes from the
        finite training sample.

        Parameters
        ----------
        groups : (clip,) array
            Speaker of each training clip; speakers are drawn with replacement together
            with all their clips.
        refits : int
            Number of bootstrap samples.
        seed : int

        Yields
        ------
        weights : (target, feature) array
        bias : (target,) array
            As from `probe`.
        """
        rng = np.random.default_rng(seed)
        _, group = np.unique(groups, return_inverse=True)
        drawn = rng.integers(group.max() + 1, size=(refits, group.max() + 1))
        counts = (drawn[:, :, None] == group).sum(1).astype(float)
        start = self.weights, self.bias  # close to the solution, so few steps are left
        for fitted in self._fits(self.penalty, counts, start):
            yield self._to_logits(*fitted)

    def _fits(self, penalty, counts, start=None):
        """Weights and bias for each row of `counts`, (sample, clip)."""
        features, true = self._reduced, self._true
        if self.task == "personality":
            found = ridge(features, true, penalty, counts)
        else:
            if start is not None:
                start = start[0] @ self._basis.T, start[1]
            found = logistic(features, true > 0, penalty, counts, start)
        return [
            (weights @ self._basis, bias) for weights, bias in zip(*found, strict=True)
        ]

    def _score(self, true, predicted) -> float:
        """Criterion for the choice of the penalty; higher is better."""
        return dev_score(self.task, true, predicted)

    def _to_logits(self, weights, bias):
        weights = weights / self._scale
        bias = bias - weights @ self._mean
        if self.task == "personality":
            weights, bias = LOGIT_SLOPE * weights, LOGIT_SLOPE * (bias - 0.5)
        return weights, bias

    def _scaled(self, features):
        return ((features - self._mean) / self._scale).astype(float)

    def _output(self, features, weights, bias):
        output = self._scaled(features) @ weights.T + bias
        return expit(output) if self.task == "emotion" else np.clip(output, 0, 1)


class Constant:
    """Intercept-only model, for a modality that no labelled training clip has.

    Predicts the base rate of each emotion (at least half a clip away from 0 and 1) or
    the mean of each trait.

    Parameters
    ----------
    task : {"emotion", "personality"}
    true : (clip, target) array
        Labels of all labelled training clips of the task, of any modality.
    width : int
        Number of features of the modality.

    Raises
    ------
    ValueError
        If there is no labelled training clip.
    """

    def __init__(self, task, true, width: int):
        count, self._width = len(true), width
        if count == 0:
            raise ValueError(f"{task}: no training clip has labels of it")
        if task == "emotion":
            rate = (true > 0).mean(0)
            self._predicted = np.clip(rate, 0.5 / count, 1 - 0.5 / count)
            self._bias = logit(self._predicted)
        else:
            self._predicted = true.mean(0)
            self._bias = LOGIT_SLOPE * (self._predicted - 0.5)

    def predict(self, features) -> np.ndarray:
        """The same for every clip: (clip, target)."""
        return np.tile(self._predicted, (len(features), 1))

    def probe(self) -> tuple[np.ndarray, np.ndarray]:
        """As `Linear.probe`, with zero weights."""
        return np.zeros((len(self._bias), self._width)), self._bias


def row_space(features):
    """Orthonormal basis of the row space of the training features.

    L2-penalised weights are linear combinations of training clips (representer
    theorem). Fitting in this space therefore gives the same model, and takes less time
    where features outnumber clips.

    Parameters
    ----------
    features : (clip, feature) array

    Returns
    -------
    (direction, feature) array
        The identity matrix where features do not outnumber clips.
    """
    if features.shape[1] <= features.shape[0]:
        return np.eye(features.shape[1], dtype=features.dtype)
    return np.linalg.svd(features, full_matrices=False)[2]


def speaker_folds(groups, count) -> list[np.ndarray]:
    """Speaker-disjoint folds of similar size.

    Speakers are assigned in order of decreasing number of clips, each to the fold that
    has the fewest clips so far.

    Parameters
    ----------
    groups : (clip,) array
        Speaker of each clip.
    count : int
        Number of folds; if there are fewer speakers, one fold per speaker.

    Returns
    -------
    list of (clip in fold,) int array
        Positions of the clips of each fold.
    """
    _, group, sizes = np.unique(groups, return_inverse=True, return_counts=True)
    count = min(count, len(sizes))
    filled, fold_of = np.zeros(count), np.zeros(len(sizes), int)
    for each in np.argsort(-sizes, kind="stable"):
        fold_of[each] = filled.argmin()
        filled[fold_of[each]] += sizes[each]
    return [np.flatnonzero(fold_of[group] == fold) for fold in range(count)]
