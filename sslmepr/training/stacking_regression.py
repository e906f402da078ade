"""Stacking regression (late fusion) over the logits of all modalities.

The network of stage 3 corrects its logits, and it is the baseline of that network.
"""

import numpy as np
from scipy.special import expit

from sslmepr.statistics.regression import logistic, ridge
from sslmepr.training.probes import LOGIT_SLOPE, Linear, best_penalty

CROSS_TARGET_PENALTY = 10.0
"""L2 penalty of cross-target weights, relative to that of same-target weights. By
convention, not tuned: no trial compares other values."""

SMALLEST_CHANCE = 1e-12
"""Lower bound of a probability in the likelihood, which keeps its logarithm finite."""


class StackingRegression(Linear):
    """Stacking regression (late fusion) on the logits of all modalities.

    All weights have an L2 penalty; cross-target weights, from the logits of one target
    to another target, have `CROSS_TARGET_PENALTY` times as much. With a few hundred
    clips they would otherwise be mostly noise, but without them, targets that a
    modality confuses could not be separated. For emotions the penalty
    maximises the likelihood on dev, because the output is used as a probability, and
    the area under the ROC curve does not depend on calibration.

    Parameters
    ----------
    task, true, dev_true
        As in `Linear`.
    features, dev_features : (clip, modality x target) arrays
        Centred logits; target varies fastest.
    """

    grids = {
        "emotion": (0.001, 0.01, 0.1, 1.0, 10.0, 100.0),
        "personality": tuple(float(value) for value in np.logspace(-2, 5, 15)),
    }
    """Wider than those of `Linear`: logits are few, and carry more than features."""

    def modality_weights(self) -> np.ndarray:
        """Mean over targets of a logit's weight for its own target: (modality,)."""
        return _same_target(self.weights)

    def cross_fitted_score(self, groups) -> float:
        """Score of predictions for training clips whose fold was left out of the fit.

        Parameters
        ----------
        groups : (clip,) array
            Speaker of each training clip; folds are disjoint in speakers.

        Returns
        -------
        float
            Mean log-likelihood of whether emotions are present, or
            `sslmepr.training.predictions.dev_score` of traits; higher is better.
        """
        logits = self.out_of_fold(groups)
        if self.task == "emotion":
            return self._score(self._true, expit(logits))
        return self._score(self._true, np.clip(0.5 + logits / LOGIT_SLOPE, 0, 1))

    def choose_by_cross_fitting(self, groups) -> float:
        """Choose the penalty anew, by `cross_fitted_score`, and refit.

        Training clips are several times as many as dev clips, which leave the penalty
        to chance: two regressions could differ more by theirs than by their features.

        Parameters
        ----------
        groups : (clip,) array
            Speaker of each training clip.

        Returns
        -------
        float
            The score of the chosen penalty.
        """
        grid, scores = self.grids[self.task], []
        for penalty in grid:
            self.penalty = penalty
            scores.append(self.cross_fitted_score(groups))
        best = int(best_penalty(grid, scores))
        once = np.ones((1, len(self._true)))
        self.penalty = grid[best]
        self.weights, self.bias = self._fits(self.penalty, once)[0]
        return scores[best]

    def refitted_modality_weights(self, groups, refits: int, seed: int) -> np.ndarray:
        """`modality_weights` of refits to cluster bootstrap samples of speakers.

        Parameters
        ----------
        groups, refits, seed
            As in `refitted`.

        Returns
        -------
        (refit, modality) ndarray
        """
        unit = self._scale
        if self.task == "personality":
            unit = unit / LOGIT_SLOPE
        each = self.refitted(groups, refits, seed)
        return np.array([_same_target(weights * unit) for weights, _ in each])

    def _score(self, true, predicted) -> float:
        if self.task == "personality":
            return super()._score(true, predicted)
        chance = np.where(true > 0, predicted, 1 - predicted)
        return float(np.log(np.maximum(chance, SMALLEST_CHANCE)).mean())

    def _fits(self, penalty, counts, start=None):
        features, true = self._reduced @ self._basis, self._true
        count, targets = len(counts), true.shape[1]
        weights = np.zeros((count, targets, features.shape[1]))
        bias = np.zeros((count, targets))
        for target in range(targets):
            size = np.full(features.shape[1], CROSS_TARGET_PENALTY**-0.5)
            size[target::targets] = 1.0
            mine = true[:, target : target + 1]
            if self.task == "personality":
                found = ridge(features * size, mine, penalty, counts)
            else:
                found = logistic(features * size, mine > 0, penalty, counts)
            weights[:, target] = found[0][:, 0] * size
            bias[:, target] = found[1][:, 0]
        return list(zip(weights, bias, strict=True))


def _same_target(weights: np.ndarray) -> np.ndarray:
    targets = len(weights)
    cubes = weights.reshape(targets, -1, targets)
    return np.diagonal(cubes, axis1=0, axis2=2).mean(1)
