"""Linear fusion: what linear models alone make of the features of all modalities.

The baseline of the whole method: no network, no clips without labels, no second task.
"""

import numpy as np

from sslmepr.params import Params
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.probes import Linear
from sslmepr.training.stacking_regression import StackingRegression


def predict_by_linear_fusion(
    params: Params, data: FusionClips, task: str, rows: np.ndarray
) -> np.ndarray:
    """Predictions of a stacking regression on linear probes of the modalities.

    Probes (`sslmepr.training.probes.Linear`) read features that are averaged over the
    clip. Each is fitted to all labelled training clips that have its modality, text
    alone included; the stacking regression is fitted to their out-of-fold logits, in
    folds by speaker, and its penalty is chosen by the same folds.

    Parameters
    ----------
    params : Params
        Section ``roles``.
    data : FusionClips
        Features and labels; outputs of networks are not used.
    task : {"emotion", "personality"}
    rows : (clip,) int array
        Clips to predict.

    Returns
    -------
    (clip, target) array
        Probabilities of emotions or scores of traits.
    """
    corpus, known = getattr(params.roles, task), data.clips.labelled(task)
    true = data.clips.labels[task]
    speakers = data.clips.table["speaker_id"].to_numpy()
    probed = {
        split: data.clips.rows(corpus, split)[known[data.clips.rows(corpus, split)]]
        for split in ("train", "dev")
    }
    present = data.present.numpy()
    logits = np.zeros((len(data.clips.table), len(data.widths), true.shape[1]))
    for place, modality in enumerate(data.widths):
        features, there = data.features[modality].numpy(), present[:, place]
        train, dev = (each[there[each]] for each in probed.values())
        if len(train) < 2:
            continue
        probe = Linear(task, features[train], true[train], features[dev], true[dev])
        weights, bias = probe.probe()
        mine = features @ weights.T + bias
        mine[train] = probe.out_of_fold(speakers[train])
        logits[there, place] = (mine - mine[train].mean(0))[there]
    views = logits.reshape(len(logits), -1)
    train, dev = (np.intersect1d(each, data.predictable()) for each in probed.values())
    stacking = StackingRegression(
        task, views[train], true[train], views[dev], true[dev]
    )
    stacking.choose_by_cross_fitting(speakers[train])
    return stacking.predict(views[rows])
