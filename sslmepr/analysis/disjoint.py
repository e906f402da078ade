"""Emotion from some modalities, traits from the others.

Emotion and traits that are read from the same face share whatever was misread in that
face, and so they correlate even where what they stand for does not. In the terms of
Campbell and Fiske (1959, Psychological Bulletin, 56, 81-105) modalities are methods: a
correlation within one method is partly that method, one across methods is not. Here no
modality ever stands on both sides.
"""

from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import logit

from sslmepr.labels import MODALITIES, SCORED_EMOTIONS, TRAITS

SUREST = 1e-4
"""Predictions are cut to SUREST .. 1 - SUREST before they become evidence."""


def disjoint_table(
    predictions: pd.DataFrame, speaker_ids: pd.Series
) -> pd.DataFrame | None:
    """The table that `association` takes: a row per clip and split of the modalities.

    Each way of dividing the modalities into two sets gives a row: emotions are the sum
    of the logits that the first set predicts, traits that of the second. Every split is
    centred, so that only clips differ; rows of a clip share its speaker, by whom
    intervals and p-values resample.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, variant, target and predicted of one corpus; those of stage 2
        (variants ``<modality>-crosstask``) are used.
    speaker_ids : Series
        clip_id to speaker_id.

    Returns
    -------
    DataFrame or None
        clip_id, speaker_id, ``emotion_*``, ``trait_*``; None where fewer than two
        modalities have predictions. Clips that lack a modality take part in no split.
    """
    evidence = _evidence(predictions)
    if len(evidence) < 2:
        return None
    clips = sorted(set.intersection(*(set(each.index) for each in evidence.values())))
    parts = []
    for size in range(1, len(evidence)):
        for first in combinations(evidence, size):
            rest = [name for name in evidence if name not in first]
            parts.append(
                pd.concat(
                    [
                        _summed(evidence, first, clips, SCORED_EMOTIONS, "emotion"),
                        _summed(evidence, rest, clips, TRAITS, "trait"),
                    ],
                    axis=1,
                )
            )
    table = pd.concat(parts).rename_axis("clip_id").reset_index()
    table.insert(1, "speaker_id", table["clip_id"].map(speaker_ids))
    return table


def _evidence(predictions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Modality to logits, clips by targets, of those that have predictions."""
    found = {}
    for modality in MODALITIES:
        mine = predictions[predictions["variant"] == f"{modality}-crosstask"]
        if len(mine):
            wide = mine.pivot(index="clip_id", columns="target", values="predicted")
            found[modality] = logit(wide.astype(float).clip(SUREST, 1 - SUREST))
    return found


def _summed(evidence, names, clips, targets, side: str) -> pd.DataFrame:
    """Centred sum over the modalities of one side of a split."""
    total = np.sum(
        [evidence[name].loc[clips, list(targets)].to_numpy() for name in names], axis=0
    )
    columns = [f"{side}_{target}" for target in targets]
    return pd.DataFrame(total - total.mean(axis=0), index=clips, columns=columns)
