"""Heteromethod correlations: emotions and traits from disjoint sets of modalities.

Emotions and traits that are predicted from the same face share prediction errors, and
shared errors correlate even where true emotion and trait do not. In the terms of
Campbell and Fiske (1959, Psychological Bulletin, 56, 81-105) modalities are methods: a
monomethod correlation contains method variance, a heteromethod correlation does not.
Here no modality enters both sides.

Both sides still share chance correlations of the finite training sample, for example
with the looks of a person, which face, body and scene all show. Refits of the linear
probes to bootstrap samples of the training speakers quantify that error.
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
    """Input of `sslmepr.association.correlation.association`.

    Attributes
    ----------
    table : DataFrame
        clip_id, speaker_id, ``emotion_*``, ``trait_*``: a row per clip and division of
        the modalities into two sets.
    refits : list of DataFrame
        The same table for every refit of the linear probes.
    """

    table: pd.DataFrame
    refits: list[pd.DataFrame]


def disjoint_tables(
    predictions: pd.DataFrame, refits: pd.DataFrame, speaker_ids: pd.Series
) -> Tables | None:
    """Emotions and traits of each clip, for all divisions of the modalities in two.

    A clip has one row per division: emotions are the sum of the first set's logits,
    traits the sum of the second's. Values are centred within each division, so that
    differences between divisions do not count. Rows of a clip share its speaker, the
    cluster of intervals and tests. Left out are training clips, whose predictions are
    in sample, and clips that lack a modality.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, split, stage, modality, target and predicted of one corpus; rows of
        stage 2 (``crosstask``) are used.
    refits : DataFrame
        modality, clip_id, refit and logits by target of that corpus
        (`sslmepr.training.bootstrap_refits`); may be empty.
    speaker_ids : Series
        clip_id to speaker_id.

    Returns
    -------
    Tables or None
        None if fewer than two modalities have predictions, or no clip has them all.
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
    """As :func:`disjoint_tables`, from arrays of clips that have every modality.

    Parameters
    ----------
    logits : (modality, clip, target) array
        Logits of the targets `CORRELATED`, of two modalities or more.
    refits : (refit, modality, clip, target) array
        The same by refits.
    clip_ids, speaker_ids : (clip,) sequence of str

    Returns
    -------
    Tables
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
    """Logits (clip, target) of every modality that has predictions."""
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
    """One row per division of the modalities and clip.

    `logits` are (modality, clip, target); `divisions` (division, modality) are 1 for
    modalities that predict emotions and 0 for those that predict traits.
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
