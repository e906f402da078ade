"""Emotion from some modalities, traits from the others.

Emotion and traits that are read from the same face share whatever was misread in that
face, and so they correlate even where what they stand for does not. In the terms of
Campbell and Fiske (1959, Psychological Bulletin, 56, 81-105) modalities are methods: a
correlation within one method is partly that method, one across methods is not. Here no
modality ever stands on both sides.

One thing both sides still share: whatever went together by chance in the few clips that
their predictors learned from, in the looks of a person for instance, which face, body
and scene all show. Refits of the regressions that the predictors start from, each to
another draw of the training speakers, say how large that chance is.
"""

from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import logit

from sslmepr.labels import (
    MODALITIES,
    SCORED_EMOTIONS,
    TRAITS,
    select,
)

CORRELATED = (*SCORED_EMOTIONS, *TRAITS)
COLUMNS = [f"emotion_{name}" for name in SCORED_EMOTIONS]
COLUMNS += [f"trait_{name}" for name in TRAITS]

PROBABILITY_CLIP = 1e-4
"""Probabilities are clipped to this and 1 minus this before they become logits."""


class Tables(NamedTuple):
    """What `association` takes.

    Attributes
    ----------
    table : DataFrame
        clip_id, speaker_id, ``emotion_*``, ``trait_*``: a row per clip and split of the
        modalities.
    refits : list of DataFrame
        The same by each refit of the regressions.
    """

    table: pd.DataFrame
    refits: list[pd.DataFrame]


def disjoint_tables(
    predictions: pd.DataFrame, refits: pd.DataFrame, speaker_ids: pd.Series
) -> Tables | None:
    """Emotions and traits of each clip for every way of dividing the modalities.

    Each division into two sets gives a row: emotions are the sum of the logits that the
    first set predicts, traits that of the second. Every division is centred, so that
    only clips differ; rows of a clip share its speaker, by whom intervals and p-values
    resample. Clips of a training split, whose labels the predictors have seen, and
    clips that lack a modality are left out.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, split, stage, modality, target and predicted of one corpus; those of
        stage 2 (``crosstask``) are used.
    refits : DataFrame
        modality, clip_id, refit and logits by target of that corpus
        (`sslmepr.training.bootstrap_refits`); may be empty.
    speaker_ids : Series
        clip_id to speaker_id.

    Returns
    -------
    Tables or None
        None where fewer than two modalities have predictions, or no clip has them all.
    """
    evidence = _evidence(predictions[predictions["split"] != "train"])
    if len(evidence) < 2:
        return None
    clips = sorted(set.intersection(*(set(each.index) for each in evidence.values())))
    if not clips:
        return None
    logits = np.stack([each.loc[clips].to_numpy() for each in evidence.values()])
    return divided_tables(
        logits,
        _refitted(refits, list(evidence), clips),
        clips,
        pd.Series(clips).map(speaker_ids),
    )


def divided_tables(
    logits: np.ndarray, refits: np.ndarray, clip_ids, speaker_ids
) -> Tables:
    """The same from arrays, for clips that have every modality.

    Parameters
    ----------
    logits : (modality, clip, target) array
        Of the targets `CORRELATED`; of two modalities or more.
    refits : (refit, modality, clip, target) array
    clip_ids, speaker_ids : (clip,) sequence of str
    """
    divisions = np.array([*product([1.0, 0.0], repeat=len(logits))][1:-1])
    names = pd.DataFrame(
        {
            "clip_id": list(clip_ids) * len(divisions),
            "speaker_id": list(speaker_ids) * len(divisions),
        }
    )
    limits = logit(PROBABILITY_CLIP), logit(1 - PROBABILITY_CLIP)
    return Tables(
        _divided(np.clip(logits, *limits), divisions, names),
        [_divided(np.clip(each, *limits), divisions, names) for each in refits],
    )


def _evidence(predictions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Modality to logits, clips by targets, of those that have predictions."""
    found = {}
    for modality in MODALITIES:
        mine = select(predictions, stage="crosstask", modality=modality)
        if len(mine):
            wide = mine.pivot(index="clip_id", columns="target", values="predicted")
            values = wide[list(CORRELATED)].astype(float)
            found[modality] = logit(values.clip(PROBABILITY_CLIP, 1 - PROBABILITY_CLIP))
    return found


def _refitted(refits: pd.DataFrame, modalities: list[str], clips: list[str]):
    """Logits of every refit: (refit, modality, clip, target)."""
    chosen = refits[refits["clip_id"].isin(clips)]
    chosen = chosen[chosen["modality"].isin(modalities)]
    place = chosen["modality"].map(modalities.index)
    chosen = chosen.assign(place=place).sort_values(["refit", "place", "clip_id"])
    values = chosen[list(CORRELATED)].to_numpy(float)
    return values.reshape(-1, len(modalities), len(clips), len(CORRELATED))


def _divided(
    logits: np.ndarray, divisions: np.ndarray, names: pd.DataFrame
) -> pd.DataFrame:
    """A row for every division of the modalities and clip.

    `logits` are (modality, clip, target); `divisions` (division, modality) are 1 for
    the modalities that tell emotions and 0 for those that tell traits.
    """
    emotions = len(SCORED_EMOTIONS)
    sums = np.concatenate(
        [
            np.tensordot(divisions, logits[..., :emotions], axes=1),
            np.tensordot(1 - divisions, logits[..., emotions:], axes=1),
        ],
        axis=-1,
    )  # (division, clip, target)
    sums -= sums.mean(axis=1, keepdims=True)
    values = pd.DataFrame(sums.reshape(-1, len(CORRELATED)), columns=COLUMNS)
    return pd.concat([names, values], axis=1)
