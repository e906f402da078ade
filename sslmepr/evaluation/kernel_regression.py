"""Kernel ridge regression of trait scores on all training clips.

Unlike a probe of stage 1, which compares a clip to some training clips, it compares it
to every one, so that what it says of a clip whose video it has seen can rest on that
video.
"""

import numpy as np
import torch
from torch import Tensor

from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import FOLDS, mean_and_scale, speaker_folds

REACHES = (0.5, 2.0)
"""What squared distances are multiplied by in the exponent. The grid is a convention;
the value is chosen on folds."""

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Grid of the L2 penalty, from small; chosen on folds."""

_TASK = "personality"


class KernelRegression:
    """Traits as a sum over training clips, weighted by a Gaussian kernel.

    Clips are as far apart as their modalities are on average, each by the mean over its
    standardised features, so that one with many features has no larger part.

    Reach and penalty are chosen on folds of the training clips, by
    `sslmepr.training.predictions.dev_score`; penalties that are larger than one after
    which the score falls are not tried.

    Parameters
    ----------
    modalities : list of (clip, feature) array
    true : (clip, trait) array
        Scores in 0..1.
    groups : (clip,) array
        Clips of a group share a fold.

    Attributes
    ----------
    reach, penalty : float
    out_of_fold : (clip, trait) array
        Predictions for the training clips by regressions on other folds, not clipped.
    """

    def __init__(self, modalities, true, groups):
        self._scales = [mean_and_scale(features) for features in modalities]
        self._known = self._standardised(modalities)
        self._centre = true.mean(0)
        labels = torch.from_numpy(true - self._centre).float()
        folds = speaker_folds(groups, FOLDS)
        self.reach, self.penalty, self.out_of_fold = np.nan, np.nan, np.empty(0)
        best, chosen = -np.inf, self._known.new_empty(0)
        for reach in REACHES:
            kernel, former = _kernel(self._known, self._known, reach), -np.inf
            for penalty in PENALTIES:
                found = self._centre + _left_out(kernel, labels, folds, penalty)
                score = dev_score(_TASK, true, np.clip(found, 0, 1))
                if score > best:
                    best, chosen, self.out_of_fold = score, kernel, found
                    self.reach, self.penalty = reach, penalty
                if score < former:
                    break
                former = score
        self._weights = _solved(chosen, labels, self.penalty)

    def predict(self, modalities) -> np.ndarray:
        """Scores (clip, trait), not clipped, of new clips' (clip, feature) values."""
        kernel = _kernel(self._standardised(modalities), self._known, self.reach)
        return self._centre + (kernel @ self._weights).double().numpy()

    def _standardised(self, modalities) -> Tensor:
        """All features (clip, feature), each divided by the root of how many count."""
        parts = [
            (features - mean) / scale / np.sqrt(len(scale) * len(modalities))
            for features, (mean, scale) in zip(modalities, self._scales, strict=True)
        ]
        return torch.from_numpy(np.hstack(parts)).float()


def _kernel(first: Tensor, second: Tensor, reach: float) -> Tensor:
    """Gaussian kernel: (first clip, second clip)."""
    return torch.exp(-reach * torch.cdist(first, second).square())


def _solved(kernel: Tensor, labels: Tensor, penalty: float) -> Tensor:
    """Weights (clip, trait) of the training clips."""
    regular = kernel.clone()
    regular.diagonal().add_(penalty)
    return torch.cholesky_solve(labels, torch.linalg.cholesky(regular))


def _left_out(kernel: Tensor, labels: Tensor, folds, penalty: float) -> np.ndarray:
    found = torch.zeros_like(labels)
    for fold in map(torch.from_numpy, folds):
        rest = torch.ones(len(labels), dtype=torch.bool)
        rest[fold] = False
        weights = _solved(kernel[rest][:, rest], labels[rest], penalty)
        found[fold] = kernel[fold][:, rest] @ weights
    return found.double().numpy()
