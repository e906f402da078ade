"""Simple methods on the same features: where a learned model starts, to be beaten."""

import warnings
from collections.abc import Iterator

import numpy as np
from scipy.special import expit
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GroupKFold

from sslmepr.learning.predictions import dev_score

RIDGE_STRENGTHS = tuple(float(value) for value in np.logspace(1, 5, 9))
LOGISTIC_STRENGTHS = (0.0001, 0.001, 0.01, 0.1)
FOLDS = 5
"""Parts of the training split, by speaker, for predictions out of fold."""

LOGIT_SLOPE = 4.0
"""Of the logit at 0.5, about which trait scores lie."""


class Linear:
    """Ridge or logistic regression, its strength from dev.

    Parameters
    ----------
    task : {"emotion", "personality"}
    features : (clip, feature) array
        Training clips, standardised.
    true : (clip, target) array
    dev_features, dev_true : arrays
        The clips that choose the strength of regularisation; may be none.
    """

    def __init__(self, task, features, true, dev_features, dev_true):
        self.task = task
        # Means over steps vary less than steps: bring them to unit scale again.
        self._mean, self._scale = features.mean(0), features.std(0) + 1e-6
        self._basis = _row_space(self._scaled(features))
        grid = LOGISTIC_STRENGTHS if task == "emotion" else RIDGE_STRENGTHS
        best = -np.inf
        for strength in grid if len(dev_true) else grid[len(grid) // 2 :][:1]:
            weights, bias = self._fit(features, true, strength)
            score = -1.0
            if len(dev_true):
                predicted = self._output(dev_features, weights, bias)
                score = dev_score(task, dev_true, predicted)
            if score > best or best == -np.inf:
                best, self.strength = score, strength
                self.weights, self.bias = weights, bias

    def predict(self, features) -> np.ndarray:
        """Probabilities of emotions or scores of traits: (clip, target)."""
        return self._output(features, self.weights, self.bias)

    def probe(self) -> tuple[np.ndarray, np.ndarray]:
        """The model as one linear map: weights (target, feature) and bias (target,).

        Applied to features as they are, it gives logits of emotions or, close to 0.5,
        of traits.
        """
        return self._to_logits(self.weights, self.bias)

    def out_of_fold(self, features, true, groups) -> np.ndarray:
        """Logits of training clips from fits that have not seen their group.

        Parameters
        ----------
        features : (clip, feature) array
        true : (clip, target) array
        groups : (clip,) array
            Speakers.

        Returns
        -------
        (clip, target) float32 array
            As the logits of `probe`, which has seen these clips.
        """
        features, true = np.asarray(features), np.asarray(true)
        logits = np.zeros(true.shape, np.float32)
        folds = min(FOLDS, len(np.unique(groups)))
        if folds < 2:
            weights, bias = self.probe()
            return (features @ weights.T + bias).astype(np.float32)
        for seen, unseen in GroupKFold(folds).split(features, true, groups):
            fitted = self._fit(features[seen], true[seen], self.strength)
            weights, bias = self._to_logits(*fitted)
            logits[unseen] = features[unseen] @ weights.T + bias
        return logits

    def refitted(self, features, true, groups, refits, seed) -> Iterator[tuple]:
        """Probes as other training samples would have made them.

        Each is fitted to a bootstrap sample of the groups. How far their predictions
        differ says how much of a prediction hangs on who happened to be in training.

        Parameters
        ----------
        features : (clip, feature) array
        true : (clip, target) array
        groups : (clip,) array
            Speakers, drawn with replacement together with all their clips.
        refits : int
        seed : int

        Yields
        ------
        weights : (target, feature) array
        bias : (target,) array
        """
        rng = np.random.default_rng(seed)
        _, group = np.unique(groups, return_inverse=True)
        members = [np.flatnonzero(group == each) for each in range(group.max() + 1)]
        for _ in range(refits):
            drawn = rng.integers(len(members), size=len(members))
            rows = np.concatenate([members[each] for each in drawn])
            start = self.weights, self.bias  # near, and so soon refitted
            fitted = self._fit(features[rows], true[rows], self.strength, start)
            yield self._to_logits(*fitted)

    def _fit(self, features, true, strength, start=None):
        features = self._scaled(features) @ self._basis.T
        if self.task == "personality":
            weights, bias = _fit_ridge(features, true, strength)
        else:
            if start is not None:
                start = start[0] @ self._basis.T, start[1]
            weights, bias = _fit_logistic(features, true, strength, start)
        return weights @ self._basis, bias

    def _to_logits(self, weights, bias):
        weights = weights / self._scale
        bias = bias - weights @ self._mean
        if self.task == "personality":
            weights, bias = LOGIT_SLOPE * weights, LOGIT_SLOPE * (bias - 0.5)
        return weights, bias

    def _scaled(self, features):
        return (features - self._mean) / self._scale

    def _output(self, features, weights, bias):
        output = self._scaled(features) @ weights.T + bias
        return expit(output) if self.task == "emotion" else np.clip(output, 0, 1)


def _row_space(features):
    """Orthonormal rows that span the training clips: (direction, feature).

    The best weights under a square penalty are combinations of training clips, so
    fitting in their space changes nothing but the time it takes where features
    outnumber clips.
    """
    if features.shape[1] <= features.shape[0]:
        return np.eye(features.shape[1], dtype=features.dtype)
    return np.linalg.svd(features, full_matrices=False)[2]


def _fit_ridge(features, true, strength):
    model = Ridge(alpha=strength).fit(features, true)
    return model.coef_, model.intercept_


def _fit_logistic(features, true, strength, start=None):
    weights = np.zeros((true.shape[1], features.shape[1]))
    bias = np.zeros(true.shape[1])
    present = true > 0
    for column in range(true.shape[1]):
        here = present[:, column]
        rate = np.clip(here.mean(), 0.5 / len(here), 1 - 0.5 / len(here))
        bias[column] = np.log(rate / (1 - rate))
        if not 0 < here.sum() < len(here):
            continue
        model = LogisticRegression(C=strength, max_iter=200, warm_start=True)
        if start is not None:
            model.coef_ = start[0][[column]]
            model.intercept_ = start[1][[column]]
        with warnings.catch_warnings():
            # A fit that stops a little early only differs in regularisation.
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(features, here)
        weights[column], bias[column] = model.coef_[0], model.intercept_[0]
    return weights, bias
