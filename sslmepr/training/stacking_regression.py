"""Stacking regression (late fusion) over the logits of all modalities.

The network of stage 3 corrects its logits, and it is the baseline of that network.
"""

import numpy as np
from scipy.special import expit

from sslmepr.statistics.regression import offset_logistic, ridge
from sslmepr.training.probes import LOGIT_SLOPE, Linear, best_penalty

CROSS_TARGET_PENALTY = 10.0
"""L2 penalty of cross-target weights, relative to that of same-target weights. By
convention, not tuned: no trial compares other values."""

SHARED_PENALTY = 1.0
"""L2 penalty of the weights that all targets share, which very many labels speak for.
By convention, not tuned."""

SMALLEST_CHANCE = 1e-12
"""Lower bound of a probability in the likelihood, which keeps its logarithm finite."""


class StackingRegression(Linear):
    """Stacking regression (late fusion) on the logits of all modalities.

    Weights are drawn to those that all targets share (partial pooling): one for each
    modality, fitted to the labels of all targets together. What a weight differs by has
    an L2 penalty; cross-target weights, from the logits of one target to another, are
    drawn to 0 with `CROSS_TARGET_PENALTY` times as much. With a few hundred clips they
    would otherwise be mostly noise, but without them, targets that a modality confuses
    could not be separated. For emotions the penalty maximises the likelihood on dev,
    because the output is used as a probability, and the area under the ROC curve does
    not depend on calibration.

    Parameters
    ----------
    task, true, dev_true
        As in `Linear`.
    features, dev_features : (clip, modality x target) arrays
        Centred logits; target varies fastest.
    """

    grids = {
        "emotion": (0.0001, 0.001, 0.01, 0.1, 1.0, 10.0, 100.0),
        "personality": tuple(float(value) for value in np.logspace(-2, 5, 15)),
    }
    """Wider than those of `Linear`: logits are few, and carry more than features."""

    def __init__(self, *args):
        self._known_shared: dict[bytes, np.ndarray] = {}  # by counts of clips
        super().__init__(*args)

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
        emotional = self.task == "emotion"
        known = (true > 0).astype(float) if emotional else true
        targets, fits = true.shape[1], []
        held = 1 / penalty if emotional else penalty  # as `logistic` and `ridge` do
        for count in counts:
            shared = self._shared(features, known, count)
            weights, bias = np.zeros(shared.shape), np.zeros(targets)
            for target, common in enumerate(shared):
                holding = np.full(features.shape[1], held * CROSS_TARGET_PENALTY)
                holding[target::targets] = held
                expected, mine = features @ common, known[:, target]
                if emotional:
                    own = offset_logistic(features, mine, holding, count, expected)
                else:
                    size = holding**-0.5
                    off = (mine - expected)[:, None]
                    found = ridge(features * size, off, 1.0, count[None])
                    own = found[0][0, 0] * size, found[1][0, 0]
                if own is None:
                    bias[target] = _log_odds(mine, count)
                else:
                    weights[target], bias[target] = common + own[0], own[1]
            fits.append((weights, bias))
        return fits

    def _shared(self, features, known, count) -> np.ndarray:
        """Weights that all targets share, in a sample of clips: (target, feature).

        They are those of a regression of all labels on each modality's logit for the
        same target, with an intercept for each target.
        """
        key = count.tobytes()
        if key in self._known_shared:
            return self._known_shared[key]
        clips, targets = known.shape
        logits = (features * self._scale).reshape(clips, -1, targets)
        logits = logits.transpose(2, 0, 1).reshape(targets * clips, -1)
        counts, labels = np.tile(count, targets), known.T.ravel()
        own = np.repeat(np.eye(targets), clips, 0)
        modalities = logits.shape[1]
        if self.task == "emotion":
            design = np.column_stack([logits, own[:, 1:]])
            holding = np.full(design.shape[1], 1e-3)
            holding[:modalities] = SHARED_PENALTY
            found = offset_logistic(design, labels, holding, counts, 0.0)
            each = np.zeros(modalities) if found is None else found[0][:modalities]
        else:
            share = own * counts[:, None] / count.sum()
            logits = logits - own @ (share.T @ logits)
            labels = (labels - own @ (share.T @ labels))[:, None]
            each = ridge(logits, labels, SHARED_PENALTY, counts[None])[0][0, 0]
        weights = np.zeros((targets, features.shape[1]))
        for target, row in enumerate(weights):
            row[target::targets] = each * self._scale[target::targets]
        self._known_shared[key] = weights
        return weights


def _log_odds(present, count) -> float:
    """Of a base rate that is moved half a clip away from 1 or 0."""
    total = count.sum()
    rate = np.clip(count @ present / total, 0.5 / total, 1 - 0.5 / total)
    return float(np.log(rate / (1 - rate)))


def _same_target(weights: np.ndarray) -> np.ndarray:
    targets = len(weights)
    cubes = weights.reshape(targets, -1, targets)
    return np.diagonal(cubes, axis1=0, axis2=2).mean(1)
