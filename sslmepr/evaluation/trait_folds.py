"""Regressions of trait scores, over the speakers of a corpus or on its own split.

Regressions alone, whose few settings are chosen on inner folds of the training
speakers: what simple ones make of every modality, of all end to end, and of their
joined predictions, and what the probes of stage 1 do that compare a clip to training
clips. In folds, for corpora that are too small for one split to say much; on the
corpus's own split, for comparison with the method and with published results.
"""

import hashlib

import numpy as np
import pandas as pd
import torch

from sslmepr.evaluation.kernel_regression import KernelRegression
from sslmepr.evaluation.metrics import Draws, personality_draws, tabulate
from sslmepr.evaluation.scores import (
    ALL,
    ALL_CLIPS,
    GUESSING,
    KERNELS,
    OF_KNOWN_VIDEOS,
    STACKED,
)
from sslmepr.labels import TRAITS
from sslmepr.models.unimodal import KernelMap
from sslmepr.params import Params
from sslmepr.statistics.cluster_bootstrap import Clusters
from sslmepr.statistics.metrics import mean_defined, ratio
from sslmepr.training.batches import ModalityClips
from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import LOGIT_SLOPE, Linear, best_penalty
from sslmepr.training.stacking_regression import StackingRegression

LANDMARKS = 800
"""Most training clips to which a kernel regression compares a clip, as many as in study
`real`."""

_TASK = "personality"
_COMPARED = {("r", "mean"), ("CCC", "mean"), ("mACC", "mean")}
_COMPARED |= {("CCC pooled", "pooled")}
_COMPARED |= {("r", trait) for trait in TRAITS}


class CrossFitted(Linear):
    """Ridge regression whose penalty is chosen on folds of its training speakers.

    Parameters
    ----------
    features : (clip, feature) array
    true : (clip, trait) array
    groups : (clip,) array
        Speaker of each clip.
    """

    def __init__(self, features, true, groups):
        super().__init__(_TASK, features, true, features[:0], true[:0])
        grid, scores = self.grids[_TASK], []
        for self.penalty in grid:
            out_of_fold = 0.5 + self.out_of_fold(groups) / LOGIT_SLOPE
            scores.append(dev_score(_TASK, true, np.clip(out_of_fold, 0, 1)))
        self.penalty = grid[int(best_penalty(grid, scores))]
        ((self.weights, self.bias),) = self._fits(self.penalty, np.ones((1, len(true))))


def hashed_folds(groups, count: int) -> list[np.ndarray]:
    """Folds of clips by a hash of their speaker.

    The fold of a speaker does not depend on which others are there, unlike that of
    `sslmepr.training.probes.speaker_folds`.

    Parameters
    ----------
    groups : (clip,) array of str
        Speaker of each clip.
    count : int

    Returns
    -------
    list of (clip in fold,) int array
        Positions of the clips of each fold, without folds that are empty.
    """
    place = np.array(
        [int(hashlib.sha256(each.encode()).hexdigest(), 16) % count for each in groups]
    )
    folds = [np.flatnonzero(place == fold) for fold in range(count)]
    return [fold for fold in folds if len(fold)]


def out_of_fold_traits(
    features: dict[str, np.ndarray],
    true: np.ndarray,
    speakers: np.ndarray,
    folds: list[np.ndarray],
    seed: int = 0,
    every_clip: bool = False,
) -> dict[str, np.ndarray]:
    """Predictions of every method for clips that it was not fitted to.

    Parameters
    ----------
    features : dict
        Modality to (clip, feature) values.
    true : (clip, trait) array
        Scores in 0..1.
    speakers : (clip,) array
    folds : list of (clip in fold,) int array

    seed : int
        Of the clips that kernel regressions compare to.
    every_clip : bool
        Add `ALL_CLIPS` and `OF_KNOWN_VIDEOS`, which take minutes with thousands of
        clips.

    Returns
    -------
    dict
        Method (`GUESSING`, the modalities, `ALL`, `STACKED`, `KERNELS`) to (clip,
        trait) scores, which are 0 for clips that are in no fold.
    """
    names = [GUESSING, *features, ALL, STACKED, KERNELS]
    if every_clip:
        names += [ALL_CLIPS, OF_KNOWN_VIDEOS]
    found: dict[str, np.ndarray] = {name: np.zeros(true.shape) for name in names}
    everything = np.hstack([*features.values()])
    for fold in folds:
        known = np.delete(np.arange(len(true)), fold)
        groups, labels = speakers[known], true[known]
        found[GUESSING][fold] = labels.mean(0)
        whole = CrossFitted(everything[known], labels, groups)
        found[ALL][fold] = whole.predict(everything[fold])
        probes = {
            name: CrossFitted(values[known], labels, groups)
            for name, values in features.items()
        }
        for name, probe in probes.items():
            found[name][fold] = probe.predict(features[name][fold])
        found[STACKED][fold] = _of_probes(probes, features, fold, labels, groups)
        similar = {
            name: with_similarities(values, known, seed)
            for name, values in features.items()
        }
        probes = {
            name: CrossFitted(values[known], labels, groups)
            for name, values in similar.items()
        }
        found[KERNELS][fold] = _of_probes(probes, similar, fold, labels, groups)
        if every_clip:
            one_each = np.arange(len(known))
            for name, shared in ((ALL_CLIPS, groups), (OF_KNOWN_VIDEOS, one_each)):
                found[name][fold] = _of_kernels(features, known, fold, labels, shared)
    return found


def with_similarities(values: np.ndarray, known: np.ndarray, seed: int) -> np.ndarray:
    """Append the similarity to some of the training clips to each clip's features.

    Parameters
    ----------
    values : (clip, feature) array
    known : (training clip,) int array
        Positions of the clips of which up to `LANDMARKS` are chosen at random.
    seed : int

    Returns
    -------
    (clip, feature + landmark) array
        As from `sslmepr.models.unimodal.KernelMap`.
    """
    features = torch.from_numpy(values).float()
    kernel = KernelMap(values.shape[1], min(LANDMARKS, len(known)))
    kernel.choose(features[torch.from_numpy(known)], seed)
    return np.hstack([values, kernel(features).numpy()])


def _of_probes(probes, features, fold, labels, groups) -> np.ndarray:
    """Late fusion: scores (clip in fold, trait) from what each probe says."""
    views = []
    for name, probe in probes.items():
        weights, bias = probe.probe()
        outer = features[name][fold] @ weights.T + bias
        views.append((probe.out_of_fold(groups), outer))
    return _stacked(views, labels, groups)


def _of_kernels(features, known, fold, labels, groups) -> np.ndarray:
    """Late fusion of comparisons to all clips, by each modality and by all."""
    views = []
    for chosen in [*([values] for values in features.values()), [*features.values()]]:
        kernel = KernelRegression([each[known] for each in chosen], labels, groups)
        new = kernel.predict([each[fold] for each in chosen])
        both = kernel.out_of_fold, new
        views.append(tuple(LOGIT_SLOPE * (scores - 0.5) for scores in both))
    return _stacked(views, labels, groups)


def _stacked(views, labels, groups) -> np.ndarray:
    """Scores (clip, trait) from pairs of out-of-fold and of new clips' logits."""
    middle = [inner.mean(0) for inner, _ in views]
    known, new = (
        np.hstack([each[part] - mean for each, mean in zip(views, middle, strict=True)])
        for part in (0, 1)
    )
    stacking = StackingRegression(_TASK, known, labels, known[:0], labels[:0])
    stacking.choose_by_cross_fitting(groups)
    return stacking.predict(new)


def cross_validate_traits(
    params: Params,
    data: list[ModalityClips],
    rows: np.ndarray,
    folds: int | None,
) -> pd.DataFrame:
    """Scores of regressions out of fold or on the test split, and what fusion gains.

    Parameters
    ----------
    params : Params
        Sections ``evaluate`` and ``seed``.
    data : list of ModalityClips
        With the labels of all splits.
    rows : (clip,) int array
        Clips that have all modalities and all labels.
    folds : int or None
        With a number, speakers are assigned to folds by `hashed_folds`, and all clips
        are in them, whatever their split: nothing is chosen on any. Without, methods
        are fitted to all clips outside the test split and measured on it.

    Returns
    -------
    DataFrame
        split (``folds`` or ``test``), method, against, metric, target, estimate, low,
        high, interval, n, n_speakers. Metrics are those of
        `sslmepr.evaluation.metrics.personality_draws` (skill is over the mean of the
        training clips) and the correlation ``r``. Rows with ``against`` are differences
        to another method, of `ALL` to each modality and of every later method to each
        and to those before it; their metric ends with ``above``. `GUESSING` has no
        correlations. Without rows if the corpus has no test split.
    """
    table = data[0].clips.table.iloc[rows]
    speakers = table["speaker_id"].to_numpy()
    true = data[0].clips.labels[_TASK][rows].astype(float)
    features = {each.modality: each.pooled(rows) for each in data}
    own = folds is None
    if folds is None:
        places = [np.flatnonzero(table["split"] == "test")]
    else:
        places = hashed_folds(speakers, folds)
    columns = ["split", "method", "against", "metric", "target", "estimate", "low"]
    columns += ["high", "interval", "n", "n_speakers"]
    measured = np.sort(np.concatenate(places))
    if not len(measured):
        return pd.DataFrame(columns=columns)
    found = out_of_fold_traits(features, true, speakers, places, params.seed, own)
    found = {name: predicted[measured] for name, predicted in found.items()}
    true, speakers = true[measured], speakers[measured]
    drawn = Clusters(speakers, params.evaluate.resamples, params.seed)
    guessed = found.pop(GUESSING)
    scores = {
        name: _draws(true, predicted, guessed, drawn)
        for name, predicted in found.items()
    }
    floor = personality_draws(true, guessed, guessed, drawn)
    floor = {key: each for key, each in floor.items() if key[0] in ("ACC", "mACC")}
    parts = [("", GUESSING, floor)]
    parts += [("", name, draws) for name, draws in scores.items()]
    for place, name in enumerate(scores):
        for other in [*scores][:place] if name not in features else ():
            gains = {
                (f"{metric} above", target): scores[name][metric, target]
                - scores[other][metric, target]
                for metric, target in scores[name]
                if (metric, target) in _COMPARED
            }
            parts.append((other, name, gains))
    confidence = params.evaluate.confidence
    tables = [
        tabulate(draws, drawn, confidence).assign(method=name, against=other)
        for other, name, draws in parts
    ]
    split = "test" if own else "folds"
    return pd.concat(tables, ignore_index=True).assign(split=split)[columns]


def _draws(true, predicted, guessed, speakers: Clusters) -> Draws:
    """Metrics of personality, and the correlation of each trait and their mean."""
    draws = personality_draws(true, predicted, guessed, speakers)
    n = speakers.total(np.ones(len(true)))[:, None]
    # Around their means, so that no digits are lost.
    y, p = true - true.mean(0), predicted - predicted.mean(0)
    sums = [speakers.total(each) for each in (y, p, y * y, p * p, y * p)]
    mean_y, mean_p, yy, pp, yp = (each / n for each in sums)
    spread = np.sqrt((yy - mean_y**2) * (pp - mean_p**2))
    r = ratio(yp - mean_y * mean_p, spread)
    draws |= {("r", trait): r[:, place] for place, trait in enumerate(TRAITS)}
    return draws | {("r", "mean"): mean_defined(r)}
