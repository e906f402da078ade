"""Cross-fitted probes: scores of every clip from probes that never saw its speaker."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.association.scores import SENSORS, Scores
from sslmepr.labels import SCORED_EMOTIONS, TARGETS, TASKS, TRAITS
from sslmepr.params import Params
from sslmepr.statistics.regression import ridge
from sslmepr.training.batches import ModalityClips
from sslmepr.training.clips import StudyClips, read_study_clips
from sslmepr.training.probes import (
    RIDGE_ALPHAS,
    mean_and_scale,
    row_space,
    speaker_folds,
)

FOLDS = 5
"""Groups of speakers. By convention, not tuned."""

SCORES_FILE = "scores.parquet"

UNSCORED = len(TARGETS["emotion"]) - len(SCORED_EMOTIONS)
"""Emotions that are not scored (neutral) come first."""


def cross_fitted(
    features: np.ndarray,
    true: np.ndarray,
    speakers: np.ndarray,
    others: Sequence[np.ndarray] = (),
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Scores of labelled clips out of fold, and of other clips by all folds' probes.

    Probes are L2-penalised regressions on the labels; the penalty is that with the
    smallest squared error out of fold.

    Parameters
    ----------
    features : (clip, feature) array
    true : (clip, target) array
    speakers : (clip,) array
        Clips of a speaker are in one fold.
    others : sequence of (clip, feature) arrays

    Returns
    -------
    own : (clip, target) ndarray
        Centred within each fold, whose probes differ by a constant.
    others : list of (clip, target) ndarray
        The mean over folds.
    """
    return _cross_fitted(features, true, speakers, others, (0,))[0]


def _cross_fitted(features, true, speakers, others, shifts) -> list[tuple]:
    """As `cross_fitted`, for penalties that many places from the best of the grid."""
    mean, scale = mean_and_scale(features)
    scaled = ((features - mean) / scale).astype(float)
    basis = row_space(scaled)
    inner, true = scaled @ basis.T, np.asarray(true, float)
    folds = speaker_folds(speakers, FOLDS)
    counts = np.ones((len(folds), len(inner)))
    for fold, rows in enumerate(folds):
        counts[fold, rows] = 0
    errors, found = [], []
    for alpha in RIDGE_ALPHAS:
        weights, bias = ridge(inner, true, alpha, counts)
        own, error = np.empty(true.shape), 0.0
        for rows, weight, shift in zip(folds, weights, bias, strict=True):
            predicted = inner[rows] @ weight.T
            error += (((predicted + shift - true[rows]) / true.std(0)) ** 2).sum()
            own[rows] = predicted - predicted.mean(0)
        errors.append(error)
        found.append((own, weights.mean(0) @ basis))
    places = np.clip(np.argmin(errors) + np.array(shifts), 0, len(errors) - 1)
    return [
        (own, [((each - mean) / scale) @ weights.T for each in others])
        for own, weights in (found[place] for place in places)
    ]


def scores_of(
    features: dict[str, list[np.ndarray]],
    present: list[np.ndarray],
    labels: list[np.ndarray],
    speakers: list[np.ndarray],
) -> list[Scores]:
    """Scores of an emotion corpus, a personality corpus and further ones.

    Parameters
    ----------
    features : dict of str to list of (clip, feature) arrays
        By modality and corpus; the first corpus is labelled with emotions, the second
        with traits.
    present : list of (clip, modality) bool arrays
    labels : list of (clip, target) arrays
        Presence of the scored emotions, and traits; of the first two corpora.
    speakers : list of (clip,) arrays

    Returns
    -------
    list of Scores
        A modality without labelled clips of a task has no scores anywhere.
    """
    return shifted_scores(features, present, labels, speakers, (0,))[0]


def shifted_scores(features, present, labels, speakers, shifts) -> list[list[Scores]]:
    """As `scores_of`, once for each of several penalties.

    Parameters
    ----------
    features, present, labels, speakers
        As of `scores_of`.
    shifts : (penalty,) sequence of int
        By how many places of the grid a penalty is larger than the best; at most its
        ends are reached.

    Returns
    -------
    (penalty,) list of list of Scores
    """
    modalities = list(features)
    counts = [each.shape[1] for each in labels]
    found = [
        [
            [np.zeros((len(rows), len(modalities), count)) for rows in speakers]
            for count in counts
        ]
        for _ in shifts
    ]
    known = [each.copy() for each in present]
    for place, name in enumerate(modalities):
        for task in range(len(TASKS)):
            here = [each[:, place] for each in present]
            mine = here[task]
            if len(np.unique(speakers[task][mine])) < FOLDS:
                for each in known:
                    each[:, place] = False
                continue
            rest = [n for n in range(len(speakers)) if n != task]
            fitted = _cross_fitted(
                features[name][task][mine],
                labels[task][mine],
                speakers[task][mine],
                [features[name][n][here[n]] for n in rest],
                shifts,
            )
            for scores, (own, others) in zip(found, fitted, strict=True):
                scores[task][task][mine, place] = own
                for n, values in zip(rest, others, strict=True):
                    scores[task][n][here[n], place] = values
    return [
        [
            Scores(
                emotions,
                traits,
                known[n],
                speakers[n],
                labels[n] if n < len(labels) else None,
                [SENSORS[name] for name in modalities],
            )
            for n, (emotions, traits) in enumerate(zip(*scores, strict=True))
        ]
        for scores in found
    ]


def study_scores(params: Params, data_folder: str | Path = "data") -> list[Scores]:
    """Scores of the training corpora of a study and of its held-out corpus.

    Parameters
    ----------
    params : Params
        Sections ``roles``, ``modalities`` and ``corpus``.
    data_folder : path
        Holds ``<corpus>/corpus`` and ``<corpus>/features``.

    Returns
    -------
    list of Scores
        As of `scores_of`; of the training corpora the labelled clips of train and dev.

    Raises
    ------
    CorpusError, FeatureError
        If a file is missing or damaged.
    """
    return scores_of(*study_features(params, data_folder))


def study_features(params: Params, data_folder: str | Path = "data") -> tuple:
    """What scores are made from: the arguments of `scores_of`.

    Parameters
    ----------
    params, data_folder
        As of `study_scores`.

    Returns
    -------
    features, present, labels, speakers

    Raises
    ------
    CorpusError, FeatureError
        If a file is missing or damaged.
    """
    clips = read_study_clips(params, data_folder)
    rows = study_rows(params, clips)
    features, present = {}, [[] for _ in rows]
    for name in params.modalities:
        data = ModalityClips(clips, name, data_folder)
        features[name] = []
        for place, each in enumerate(rows):
            there = data.present(each)
            values = np.zeros((len(each), data.feature_count), np.float32)
            here = np.isin(each, there)
            if len(there):
                values[here] = data.pooled(there)
            features[name].append(values)
            present[place].append(here)
    labels = [clips.labels[task][each] for task, each in zip(TASKS, rows, strict=False)]
    labels[0] = labels[0][:, UNSCORED:] > 0
    speakers = clips.table["speaker_id"].to_numpy()
    return (
        features,
        [np.stack(each, 1) for each in present],
        labels,
        [speakers[each] for each in rows],
    )


def study_rows(params: Params, clips: StudyClips) -> list[np.ndarray]:
    """Which clips have scores, in the order of the scores.

    Parameters
    ----------
    params : Params
        Section ``roles``.
    clips : StudyClips

    Returns
    -------
    list of (clip,) int ndarray
        Of the training corpora the labelled clips of train and dev; and all clips of
        the held-out corpus, if there are any that are not of these.
    """
    roles = params.roles
    rows = [
        np.flatnonzero(
            clips.labelled(task)
            & (clips.table["corpus"] == getattr(roles, task)).to_numpy()
        )
        for task in TASKS
    ]
    held_out = clips.rows(roles.held_out)
    # There are none if the held-out corpus is optional and was not given.
    if roles.held_out not in (roles.emotion, roles.personality) and len(held_out):
        rows.append(held_out)
    return rows


def score_table(
    scores: Sequence[Scores], corpora: Sequence[str], modalities: Sequence[str]
) -> pd.DataFrame:
    """Scores and labels of all clips, for those who want to compute with them.

    Parameters
    ----------
    scores : sequence of Scores
        Of an emotion corpus, a personality corpus and further ones.
    corpora, modalities : sequence of str
        Their names.

    Returns
    -------
    DataFrame
        corpus, speaker_id, a column of labels for each emotion (0 or 1) and trait, and
        one of scores for each modality and target, such as ``face_fear``. What a clip
        does not have is NaN.
    """
    names = [SCORED_EMOTIONS, TRAITS]
    parts = []
    for place, (corpus, each) in enumerate(zip(corpora, scores, strict=True)):
        part = {"corpus": corpus, "speaker_id": each.speakers}
        for task, targets in enumerate(names):
            known = each.labels if task == place else np.full(len(targets), np.nan)
            labels = np.broadcast_to(known, (len(each.present), len(targets)))
            part |= dict(zip(targets, labels.T.astype(float), strict=True))
        for m, modality in enumerate(modalities):
            for targets, values in zip(names, each[:2], strict=True):
                there = np.where(each.present[:, m, None], values[:, m], np.nan)
                written = [f"{modality}_{target}" for target in targets]
                part |= dict(zip(written, there.T, strict=True))
        parts.append(pd.DataFrame(part))
    return pd.concat(parts, ignore_index=True)
