"""What the same procedure finds when trait labels are dealt to the wrong people.

Predictors of emotions and of traits read the same clips through the same features, and
few directions carry most of what differs between clips. Two predictors may agree on new
clips for that reason alone, whatever they were taught. So the regressions of traits are
taught again, with the trait labels of the training clips dealt out anew among speakers:
all that is left of a correlation is then what features and a small training sample
make by themselves.

Ridge regression is linear in its labels, so that one decomposition of the features
serves every way of dealing and every strength of the penalty.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logit

from sslmepr.association.cell_tests import build_cells, correlation, moments_by_speaker
from sslmepr.association.disjoint_modalities import PROBABILITY_CLIP
from sslmepr.association.grid import cell_index
from sslmepr.labels import (
    SCORED_EMOTIONS,
    TRAITS,
    select,
)
from sslmepr.params import Params
from sslmepr.training.batches import ModalityClips
from sslmepr.training.clips import StudyClips, read_study_clips
from sslmepr.training.predictions import (
    dev_score,
)
from sslmepr.training.probes import RIDGE_STRENGTHS

QUANTILE = 0.95
SHUFFLES = 500
TASK = "personality"


def shuffled_labels(
    params: Params,
    predictions: pd.DataFrame,
    shuffles: int = SHUFFLES,
    data_folder: str | Path = "data",
) -> pd.DataFrame:
    """Correlations on the held-out corpus with true and with shuffled trait labels.

    Both sides are regressions on pooled features, summed over the modalities of the
    study; emotions always learned from their own labels. Each shuffle chooses its
    strengths on shuffled dev labels, as the true labels choose theirs.

    Parameters
    ----------
    params : Params
    predictions : DataFrame
        Of the evaluation; those of stage ``linear`` are used.
    shuffles : int
    data_folder : path

    Returns
    -------
    DataFrame
        emotion, trait, r (true labels), null_95 (the 95th percentile of absolute
        correlations with shuffled labels), null_mean (their mean, with sign), exceeds,
        shuffles, n.
    """
    clips = read_study_clips(params, data_folder)
    dealt = dealt_labels(params, clips, shuffles)
    names, emotions, traits = _sums(params, clips, predictions, dealt, data_folder)
    held_out = clips.table.iloc[clips.rows(params.roles.held_out)]
    speakers = held_out.set_index("clip_id")["speaker_id"]
    r = _correlations(emotions, traits, speakers[names])  # (1 + shuffle, cell)
    limit = np.quantile(np.abs(r[1:]), QUANTILE, axis=0)
    return pd.DataFrame(
        {
            "r": r[0],
            "null_95": limit,
            "null_mean": r[1:].mean(axis=0),
            "exceeds": np.abs(r[0]) > limit,
            "shuffles": shuffles,
            "n": len(names),
        },
        index=cell_index(),
    ).reset_index()


def _sums(
    params: Params, clips: StudyClips, predictions: pd.DataFrame, dealt, data_folder
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """What the regressions of all modalities say, of the clips that have them all.

    Names of the clips, logits (clip, emotion) and scores (label, clip, trait).
    """
    held_out = clips.rows(params.roles.held_out)
    ids = clips.table["clip_id"].to_numpy()
    emotions, taught = [], []
    for modality in params.modalities:
        data = ModalityClips(clips, modality, data_folder)
        rows = data.present(held_out)
        found = trait_scores(params, data, rows, dealt)
        taught.append({name: found[:, at] for at, name in enumerate(ids[rows])})
        emotions.append(_emotion_logits(predictions, params, modality))
    names = sorted(
        set.intersection(*map(set, taught), *(set(e.index) for e in emotions))
    )
    scores = sum(np.stack([each[name] for name in names], axis=1) for each in taught)
    return names, sum(each.loc[names].to_numpy() for each in emotions), scores


def dealt_labels(params: Params, clips: StudyClips, shuffles: int) -> np.ndarray:
    """Trait labels of the personality corpus, and dealt to other speakers.

    Within a split, labels are lined up by speaker, the speakers put in random order,
    and dealt out again to the clips in their own order: those of one speaker stay
    together.

    Parameters
    ----------
    params : Params
    clips : StudyClips
    shuffles : int

    Returns
    -------
    (1 + shuffle, clip of the study, trait) array
        The true labels first; NaN where there are none.
    """
    rng = np.random.default_rng(params.seed)
    dealt = np.repeat(clips.labels[TASK][None].astype(float), 1 + shuffles, axis=0)
    speakers = clips.table["speaker_id"].to_numpy()
    for split in ("train", "dev"):
        rows = clips.rows(params.roles.personality, split)
        rows = rows[clips.labelled(TASK)[rows]]
        names, speaker = np.unique(speakers[rows], return_inverse=True)
        places = rows[np.argsort(speaker, kind="stable")]
        for number in range(1, 1 + shuffles):
            turn = rng.permutation(len(names))[speaker]
            dealt[number, places] = dealt[0, rows[np.argsort(turn, kind="stable")]]
    return dealt


def trait_scores(
    params: Params, data: ModalityClips, rows: np.ndarray, dealt: np.ndarray
) -> np.ndarray:
    """Scores of clips by a modality's regressions, one for each way of dealing labels.

    Parameters
    ----------
    params : Params
    data : ModalityClips
    rows : (clip,) int array
        The clips to predict.
    dealt : (label, clip of the study, trait) array
        From `dealt_labels`.

    Returns
    -------
    (label, clip, trait) array
        Zero where no labelled training clip has the modality.
    """
    corpus = params.roles.personality
    train, dev = (data.labelled_rows(corpus, TASK, split) for split in ("train", "dev"))
    if len(train) == 0:
        return np.zeros((len(dealt), len(rows), len(TRAITS)))
    train_features, features = data.pooled(train), data.pooled(rows)
    dev_features = data.pooled(dev) if len(dev) else features[:0]
    return best_ridge(
        train_features, dealt[:, train], dev_features, dealt[:, dev], features
    )


def best_ridge(features, true, dev_features, dev_true, others) -> np.ndarray:
    """Scores by the regression that `Linear` would fit to each row of labels.

    Parameters
    ----------
    features : (clip, feature) array
    true : (label, clip, trait) array
    dev_features, dev_true : arrays
        They choose the strength for each row of labels; may have no clip.
    others : (clip, feature) array
        The clips to score.

    Returns
    -------
    (label, clip, trait) array
    """
    mean, scale = features.mean(0), features.std(0) + 1e-6
    scaled = ((features - mean) / scale).astype(float)
    centre = scaled.mean(0)
    left, size, right = np.linalg.svd(scaled - centre, full_matrices=False)
    dev, away = (
        ((each - mean) / scale - centre) @ right.T for each in (dev_features, others)
    )
    level = true.mean(axis=1, keepdims=True)
    moments = left.T @ (true - level)  # (label, direction, trait)
    best = np.full(len(true), -np.inf)
    scores = np.zeros((len(true), len(others), true.shape[2]))
    grid = RIDGE_STRENGTHS
    for strength in grid if len(dev) else grid[len(grid) // 2 :][:1]:
        weights = (size / (size**2 + strength))[:, None] * moments
        reached = np.full(len(true), -1.0)
        if len(dev):
            pairs = zip(dev_true, np.clip(dev @ weights + level, 0, 1), strict=True)
            reached = np.array([dev_score(TASK, *pair) for pair in pairs])
        better = (reached > best) | (best == -np.inf)
        best = np.where(better, reached, best)
        scores[better] = (away @ weights + level)[better]
    return scores


def _emotion_logits(predictions, params: Params, modality: str) -> pd.DataFrame:
    """What the regression of a modality says of emotions on the held-out corpus."""
    mine = select(
        predictions,
        stage="linear",
        modality=modality,
        task="emotion",
        corpus=params.roles.held_out,
    )
    wide = mine.pivot(index="clip_id", columns="target", values="predicted")
    wide = wide[list(SCORED_EMOTIONS)].astype(float)
    return logit(wide.clip(PROBABILITY_CLIP, 1 - PROBABILITY_CLIP))


def _correlations(emotions, traits, speaker_ids) -> np.ndarray:
    """(label, cell) correlations of `emotions` (clip, emotion) with each `traits`."""
    table = pd.DataFrame(emotions, columns=[f"emotion_{e}" for e in SCORED_EMOTIONS])
    table["speaker_id"] = speaker_ids.to_numpy()
    names = [f"trait_{name}" for name in TRAITS]
    found = []
    for scores in traits:
        cells = build_cells(
            table.assign(**dict(zip(names, scores.T, strict=True))), False
        )
        found.append(correlation(moments_by_speaker(cells).sum(axis=0)))
    return np.array(found)
