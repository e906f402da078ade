"""Modalities that teach each other on clips without labels (Blum and Mitchell 1998).

Half of the clips of a study have no label for a task, but the modalities of a clip are
several views of one person at one moment. What all other modalities together predict
for such a clip is a pseudo-label for the one that is left out, and it is not that
modality's own opinion: it can teach what the modality did not know, and cannot make it
surer of what it did. A linear probe is taught so for every modality, and added to what
stage 2 says.

Pseudo-labels stay soft. Labelled clips only set the scale of a probe, so that what it
says of them is said by a model that has not seen them.
"""

from typing import NamedTuple

import numpy as np
import torch

from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.params import Params
from sslmepr.statistics.regression import ridge
from sslmepr.training.baselines import RIDGE_STRENGTHS, Combination, row_space
from sslmepr.training.fusion_clips import FusionClips


class Probe(NamedTuple):
    """A linear map from the features of a modality to logits of a task."""

    weights: np.ndarray  # (target, feature)
    bias: np.ndarray  # (target,)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Logits (clip, target) of features (clip, feature)."""
        return features @ self.weights.T + self.bias


def co_train(params: Params, data: FusionClips, task: str) -> dict[str, Probe]:
    """Teach every modality what the others say of the clips without labels.

    Parameters
    ----------
    params : Params
        ``fusion.co_training`` gives the standard deviation of what a probe says,
        relative to that of what stage 2 says of the same modality and labelled clips.
    data : FusionClips
    task : str

    Returns
    -------
    dict of str to Probe
        By modality. One that no unlabelled training clip has together with another
        modality, or no labelled one has at all, is not among them.
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
        teacher = Combination(
            task,
            views[labelled["train"]],
            true[labelled["train"]],
            views[labelled["dev"]],
            true[labelled["dev"]],
        )
        weights, bias = teacher.probe()
        features = data.features[modality].numpy()
        probe = _taught(features, views @ weights.T + bias, train, dev)
        size = getattr(params.fusion.co_training, task) * logits[mine, place].std(0)
        probes[modality] = _scaled(probe, features[mine], size)
    return probes


def _centred_logits(data: FusionClips, task: str, labelled: np.ndarray) -> np.ndarray:
    """What stage 2 says of all clips, less what is usual: (clip, modality, target)."""
    projector = PredictProjector(task, len(data.widths)).to(data.device)
    projector.centre(data.batch(labelled).inputs)
    everyone = np.arange(len(data.clips.table))
    with torch.no_grad():
        said = projector.centred_logits(data.batch(everyone).inputs)
    return said.cpu().numpy().reshape(len(everyone), len(data.widths), -1)


def _taught(features, target, train, dev) -> Probe:
    """Ridge regression on `train`, its `alpha` from `dev` where there is some."""
    mean, scale = features[train].mean(0), features[train].std(0) + 1e-6
    scaled = ((features[train] - mean) / scale).astype(float)
    basis = row_space(scaled)
    # Strengths are those for unit targets: logits of rare emotions vary less.
    unit = target[train].std(0) + 1e-9
    dev_scaled = ((features[dev] - mean) / scale) @ basis.T
    middle = RIDGE_STRENGTHS[len(RIDGE_STRENGTHS) // 2 :][:1]
    best, smallest = None, np.inf
    for alpha in RIDGE_STRENGTHS if len(dev) else middle:
        once = np.ones((1, len(train)))
        found = ridge(scaled @ basis.T, target[train] / unit, alpha, once)
        weights, bias = found[0][0], found[1][0]
        error = 0.0
        if len(dev):
            error = np.square(dev_scaled @ weights.T + bias - target[dev] / unit).mean()
        if error < smallest:
            best, smallest = (weights, bias), error
    weights = best[0] @ basis / scale
    return Probe(weights, best[1] - weights @ mean)


def _scaled(probe: Probe, features, size) -> Probe:
    """As `probe`, with mean 0 and standard deviation `size` over some clips."""
    said = probe(features)
    deviation = said.std(0)
    factor = np.where(deviation > 1e-9, size / np.maximum(deviation, 1e-9), 0.0)
    return Probe(factor[:, None] * probe.weights, factor * (probe.bias - said.mean(0)))
