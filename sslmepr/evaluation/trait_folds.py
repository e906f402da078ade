"""Cross-validation of trait scores over the speakers of a corpus.

Regressions alone, whose few settings are chosen on inner folds of the training
speakers: what simple ones make of every modality, of all end to end, and of their
joined predictions, and what the probes of stage 1 do that compare a clip to training
clips. For corpora that are too small for one split to say much.
"""

import hashlib

import numpy as np
import pandas as pd
import torch

from sslmepr.evaluation.metrics import Draws, personality_draws, tabulate
from sslmepr.evaluation.scores import ALL, GUESSING, KERNELS, STACKED
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
) -> dict[str, np.ndarray]:
    """Predictions of every method for clips whose speakers it was not fitted to.

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

    Returns
    -------
    dict
        Method (`GUESSING`, the modalities, `ALL`, `STACKED`, `KERNELS`) to (clip,
        trait) scores.
    """
    found: dict[str, np.ndarray] = {
        name: np.zeros(true.shape)
        for name in (GUESSING, *features, ALL, STACKED, KERNELS)
    }
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
        found[STACKED][fold] = _stacked(probes, features, fold, labels, groups)
        similar = {
            name: with_similarities(values, known, seed)
            for name, values in features.items()
        }
        probes = {
            name: CrossFitted(values[known], labels, groups)
            for name, values in similar.items()
        }
        found[KERNELS][fold] = _stacked(probes, similar, fold, labels, groups)
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


def _stacked(probes, features, fold, labels, groups) -> np.ndarray:
    """Late fusion: scores (clip in fold, trait) from what each probe says."""
    inner, outer = [], []
    for name, probe in probes.items():
        logits, (weights, bias) = probe.out_of_fold(groups), probe.probe()
        inner.append(logits - logits.mean(0))
        outer.append(features[name][fold] @ weights.T + bias - logits.mean(0))
    views = np.hstack(inner)
    stacking = StackingRegression(_TASK, views, labels, views[:0], labels[:0])
    stacking.choose_by_cross_fitting(groups)
    return stacking.predict(np.hstack(outer))


def cross_validate_traits(
    params: Params, data: list[ModalityClips], rows: np.ndarray, folds: int
) -> pd.DataFrame:
    """Scores of regressions out of fold, and what fusion gains.

    Parameters
    ----------
    params : Params
        Sections ``evaluate`` and ``seed``.
    data : list of ModalityClips
        With the labels of all splits.
    rows : (clip,) int array
        Clips that have all modalities and all labels. All of them are in the folds,
        whatever their split: nothing is chosen on any.
    folds : int
        Speakers are assigned by `hashed_folds`.

    Returns
    -------
    DataFrame
        split (``folds``), method, against, metric, target, estimate, low, high,
        interval, n, n_speakers. Metrics are those of
        `sslmepr.evaluation.metrics.personality_draws` (skill is over the mean of the
        training clips) and the correlation ``r``. Rows with ``against`` are differences
        to another method, of `ALL` to each modality, of `STACKED` and `KERNELS` to each
        and to `ALL`, and of `KERNELS` to `STACKED`; their metric ends with ``above``.
        `GUESSING` has no correlations.
    """
    table = data[0].clips.table.iloc[rows]
    speakers = table["speaker_id"].to_numpy()
    true = data[0].clips.labels[_TASK][rows].astype(float)
    features = {each.modality: each.pooled(rows) for each in data}
    found = out_of_fold_traits(
        features, true, speakers, hashed_folds(speakers, folds), params.seed
    )
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
    compared = {ALL: [*features], STACKED: [*features, ALL]}
    for name, others in (compared | {KERNELS: [*features, ALL, STACKED]}).items():
        for other in others:
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
    columns = ["split", "method", "against", "metric", "target", "estimate", "low"]
    columns += ["high", "interval", "n", "n_speakers"]
    return pd.concat(tables, ignore_index=True).assign(split="folds")[columns]


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
