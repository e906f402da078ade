"""Leave-one-modality-out co-training on clips without labels (Blum and Mitchell 1998).

For clips without labels of a task, a stacking regression on all *other* modalities
gives soft pseudo-labels, to which a ridge probe of the left-out modality is fitted. The
probe's logits are added to those of stage 2. In contrast to self-training, the
pseudo-labels do not come from the modality itself, so they do not merely raise the
confidence of its own predictions.

Labelled clips only set the scale of a probe. Its logits for them are therefore out of
sample.
"""

from typing import NamedTuple

import numpy as np
import torch

from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.params import Params
from sslmepr.statistics.regression import ridge
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.probes import (
    RIDGE_ALPHAS,
    best_penalty,
    mean_and_scale,
    row_space,
)
from sslmepr.training.stacking_regression import StackingRegression


class Probe(NamedTuple):
    """A linear map from the features of a modality to logits of a task."""

    weights: np.ndarray  # (target, feature)
    bias: np.ndarray  # (target,)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Logits (clip, target) of features (clip, feature)."""
        return features @ self.weights.T + self.bias


def co_train(params: Params, data: FusionClips, task: str) -> dict[str, Probe]:
    """Fit a probe of every modality to pseudo-labels from the other modalities.

    Parameters
    ----------
    params : Params
        ``fusion.co_training`` gives the standard deviation of a probe's logits relative
        to that of the stage-2 logits of the same modality, on labelled clips.
    data : FusionClips
        Outputs of stage 2.
    task : {"emotion", "personality"}

    Returns
    -------
    dict of str to Probe
        By modality. A modality has no probe if fewer than two unlabelled training clips
        have it together with another modality, or fewer than two labelled ones have it.
    """
    known, present = data.clips.labelled(task), data.present.numpy()
    corpora = list(dict.fromkeys([params.roles.emotion, params.roles.personality]))
    rows = {
        split: np.concatenate([data.rows(corpus, split) for corpus in corpora])
        for split in ("train", "dev")
    }
    labelled = {split: each[known[each]] for split, each in rows.items()}
    unlabelled = {split: each[~known[each]] for split, each in rows.items()}
    true = data.clips.labels[task]
    logits = _centred_logits(data, task, labelled["train"])
    probes = {}
    for place, modality in enumerate(data.widths):
        others = np.delete(np.arange(len(data.widths)), place)
        both = present[:, place] & present[:, others].any(1)
        train, dev = (unlabelled[split][both[unlabelled[split]]] for split in rows)
        mine = labelled["train"][present[labelled["train"], place]]
        if len(train) < 2 or len(mine) < 2:
            continue
        views = logits[:, others].reshape(len(logits), -1)
        stacking = StackingRegression(
            task,
            views[labelled["train"]],
            true[labelled["train"]],
            views[labelled["dev"]],
            true[labelled["dev"]],
        )
        weights, bias = stacking.probe()
        features = data.features[modality].numpy()
        probe = _fit_probe(features, views @ weights.T + bias, train, dev)
        size = getattr(params.fusion.co_training, task) * logits[mine, place].std(0)
        probes[modality] = _scaled(probe, features[mine], size)
    return probes


def _centred_logits(data: FusionClips, task: str, labelled: np.ndarray) -> np.ndarray:
    """Stage-2 logits of all clips, centred on labelled ones: (clip, modality, target).

    Parameters
    ----------
    labelled : (training clip,) int array
        Clips over which the per-target mean is taken.
    """
    projector = PredictProjector(task, len(data.widths)).to(data.device)
    projector.centre(data.batch(labelled).inputs)
    everyone = np.arange(len(data.clips.table))
    with torch.no_grad():
        logits = projector.centred_logits(data.batch(everyone).inputs)
    return logits.cpu().numpy().reshape(len(everyone), len(data.widths), -1)


def _fit_probe(features, target, train, dev) -> Probe:
    """Ridge regression on `train`, with `alpha` chosen on `dev` if it has clips."""
    mean, scale = mean_and_scale(features[train])
    scaled = ((features[train] - mean) / scale).astype(float)
    basis = row_space(scaled)
    # The grid of `alpha` is made for targets of unit variance, and logits of rare
    # emotions vary less.
    unit = target[train].std(0) + 1e-9
    dev_scaled = ((features[dev] - mean) / scale) @ basis.T
    once = np.ones((1, len(train)))
    fits = [
        ridge(scaled @ basis.T, target[train] / unit, alpha, once)
        for alpha in RIDGE_ALPHAS
    ]
    scores = None
    if len(dev):
        errors = (dev_scaled @ w[0].T + b[0] - target[dev] / unit for w, b in fits)
        scores = [-np.square(error).mean() for error in errors]
    (weights,), (bias,) = fits[int(best_penalty(RIDGE_ALPHAS, scores))]
    weights = weights @ basis / scale
    return Probe(weights, bias - weights @ mean)


def _scaled(probe: Probe, features, size) -> Probe:
    """Rescale `probe` to mean 0 and standard deviation `size` over some clips."""
    logits = probe(features)
    deviation = logits.std(0)
    factor = np.where(deviation > 1e-9, size / np.maximum(deviation, 1e-9), 0.0)
    return Probe(
        factor[:, None] * probe.weights, factor * (probe.bias - logits.mean(0))
    )
