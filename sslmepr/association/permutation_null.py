"""Permutation null: trait labels permuted across speakers within a split.

Predictors of emotions and of traits read the same features, and few principal
directions carry most of the variance between clips. Two predictors can therefore
correlate on new clips whatever their labels were. The null distribution of that
correlation comes from refitting the trait regressions to permuted labels, which keep
the features and the size of the training sample but no relation to the clips.

Ridge regression is linear in its labels, so one singular value decomposition of the
features serves all permutations and all L2 penalties.
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
from sslmepr.training.probes import RIDGE_ALPHAS, best_penalty, mean_and_scale

QUANTILE = 0.95
"""Of the null distribution; r beyond it has p < 0.05 in one cell, uncorrected."""

SHUFFLES = 500
"""Permutations; 25 of them lie beyond `QUANTILE`."""

TASK = "personality"


def shuffled_labels(
    params: Params,
    predictions: pd.DataFrame,
    shuffles: int = SHUFFLES,
    data_folder: str | Path = "data",
) -> pd.DataFrame:
    """Correlations on the held-out corpus with true and with permuted trait labels.

    Both sides are regressions on pooled features, summed over the modalities of the
    study. Only trait labels are permuted. Every permutation selects its L2 penalty on
    permuted dev labels, just as the true labels select theirs.

    Parameters
    ----------
    params : Params
    predictions : DataFrame
        Predictions of the evaluation stage; rows of stage ``linear`` are used.
    shuffles : int
        Number of permutations.
    data_folder : path
        Folder of the corpora and their features.

    Returns
    -------
    DataFrame
        emotion, trait, r (true labels), null_95 (95th percentile of the absolute
        correlation under the null), null_mean (mean of the signed correlation under the
        null), exceeds (``abs(r) > null_95``), shuffles, n (clips).
    """
    clips = read_study_clips(params, data_folder)
    permuted = permuted_labels(params, clips, shuffles)
    names, emotions, traits = _sums(params, clips, predictions, permuted, data_folder)
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
    params: Params, clips: StudyClips, predictions: pd.DataFrame, permuted, data_folder
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Predictions summed over modalities, for clips that have every modality.

    Returns clip ids, emotion logits (clip, emotion) and trait scores (labelling, clip,
    trait).
    """
    held_out = clips.rows(params.roles.held_out)
    ids = clips.table["clip_id"].to_numpy()
    emotions, traits = [], []
    for modality in params.modalities:
        data = ModalityClips(clips, modality, data_folder)
        rows = data.present(held_out)
        predicted = trait_scores(params, data, rows, permuted)
        traits.append({name: predicted[:, at] for at, name in enumerate(ids[rows])})
        emotions.append(_emotion_logits(predictions, params, modality))
    names = sorted(
        set.intersection(*map(set, traits), *(set(e.index) for e in emotions))
    )
    scores = sum(np.stack([each[name] for name in names], axis=1) for each in traits)
    return names, sum(each.loc[names].to_numpy() for each in emotions), scores


def permuted_labels(params: Params, clips: StudyClips, shuffles: int) -> np.ndarray:
    """Trait labels of the personality corpus, true and permuted across speakers.

    Labels are permuted in blocks of a speaker, within the training and the dev split:
    the blocks are put in random order, concatenated, and assigned to the clips sorted
    by speaker. Clips of a speaker are thus labelled by consecutive labels, which keeps
    the similarity of clips within a speaker.

    Parameters
    ----------
    params : Params
    clips : StudyClips
    shuffles : int
        Number of permutations.

    Returns
    -------
    (1 + shuffle, clip of the study, trait) array
        The true labels first; NaN for clips without trait labels.
    """
    rng = np.random.default_rng(params.seed)
    permuted = np.repeat(clips.labels[TASK][None].astype(float), 1 + shuffles, axis=0)
    speakers = clips.table["speaker_id"].to_numpy()
    for split in ("train", "dev"):
        rows = clips.rows(params.roles.personality, split)
        rows = rows[clips.labelled(TASK)[rows]]
        names, speaker = np.unique(speakers[rows], return_inverse=True)
        places = rows[np.argsort(speaker, kind="stable")]
        for number in range(1, 1 + shuffles):
            turn = rng.permutation(len(names))[speaker]
            sources = rows[np.argsort(turn, kind="stable")]
            permuted[number, places] = permuted[0, sources]
    return permuted


def trait_scores(
    params: Params, data: ModalityClips, rows: np.ndarray, permuted: np.ndarray
) -> np.ndarray:
    """Trait scores by the regression of one modality, for every labelling.

    Parameters
    ----------
    params : Params
    data : ModalityClips
    rows : (clip,) int array
        The clips to predict.
    permuted : (labelling, clip of the study, trait) array
        From `permuted_labels`.

    Returns
    -------
    (labelling, clip, trait) array
        Zero if no labelled training clip has the modality.
    """
    corpus = params.roles.personality
    train, dev = (data.labelled_rows(corpus, TASK, split) for split in ("train", "dev"))
    if len(train) == 0:
        return np.zeros((len(permuted), len(rows), len(TRAITS)))
    train_features, features = data.pooled(train), data.pooled(rows)
    dev_features = data.pooled(dev) if len(dev) else features[:0]
    return best_ridge(
        train_features, permuted[:, train], dev_features, permuted[:, dev], features
    )


def best_ridge(features, true, dev_features, dev_true, others) -> np.ndarray:
    """Ridge regression as `Linear` fits it, for many labellings at once.

    Parameters
    ----------
    features : (clip, feature) array
        Pooled features of the training clips.
    true : (labelling, clip, trait) array
        Their labels.
    dev_features, dev_true : (clip, feature) and (labelling, clip, trait) arrays
        They select the L2 penalty of each labelling. Without dev clips, the middle of
        the grid is used.
    others : (clip, feature) array
        Features of the clips to score.

    Returns
    -------
    (labelling, clip, trait) array
    """
    mean, scale = mean_and_scale(features)
    scaled = ((features - mean) / scale).astype(float)
    centre = scaled.mean(0)
    left, size, right = np.linalg.svd(scaled - centre, full_matrices=False)
    dev, away = (
        ((each - mean) / scale - centre) @ right.T for each in (dev_features, others)
    )
    average = true.mean(axis=1, keepdims=True)
    moments = left.T @ (true - average)  # (labelling, direction, trait)

    def weights(alpha, chosen):
        return (size / (size**2 + alpha))[:, None] * moments[chosen]

    def dev_scores(alpha):
        predicted = np.clip(dev @ weights(alpha, slice(None)) + average, 0, 1)
        return [
            dev_score(TASK, *pair) for pair in zip(dev_true, predicted, strict=True)
        ]

    reached = [dev_scores(alpha) for alpha in RIDGE_ALPHAS] if len(dev) else None
    best = np.broadcast_to(best_penalty(RIDGE_ALPHAS, reached), len(true))
    scores = np.zeros((len(true), len(others), true.shape[2]))
    for place in np.unique(best):
        chosen = best == place
        scores[chosen] = away @ weights(RIDGE_ALPHAS[place], chosen) + average[chosen]
    return scores


def _emotion_logits(predictions, params: Params, modality: str) -> pd.DataFrame:
    """Emotion logits of a modality's linear probe on the held-out corpus."""
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
    """Correlations (labelling, cell) of emotions (clip, emotion) with all traits."""
    table = pd.DataFrame(emotions, columns=[f"emotion_{e}" for e in SCORED_EMOTIONS])
    table["speaker_id"] = speaker_ids.to_numpy()
    names = [f"trait_{name}" for name in TRAITS]
    rows = []
    for scores in traits:
        cells = build_cells(
            table.assign(**dict(zip(names, scores.T, strict=True))), False
        )
        rows.append(correlation(moments_by_speaker(cells).sum(axis=0)))
    return np.array(rows)
