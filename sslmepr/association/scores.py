"""Scores of clips by modality, as the estimator from three sources takes them."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sslmepr.labels import MODALITIES, VISUAL_MODALITIES

SENSORS = {name: name for name in MODALITIES} | dict.fromkeys(
    VISUAL_MODALITIES, "camera"
)
"""Modality to what it is recorded with."""


class IdentificationError(ValueError):
    """The associations are not identified by what was observed."""


class Scores(NamedTuple):
    """Scores of the clips of one corpus, by modality.

    Attributes
    ----------
    emotions : (clip, modality, emotion) ndarray
        From probes that were not fitted to the clip's speaker.
    traits : (clip, modality, trait) ndarray
    present : (clip, modality) ndarray of bool
        Scores of absent modalities are not used.
    speakers : (clip,) ndarray of str
    labels : (clip, target) ndarray or None
        Presence of emotions (above 0) or trait scores; None for clips without labels.
    sensors : (modality,) sequence of str, optional
        What each modality is recorded with. Crops of the same picture show parts of
        each other, so that their scores share errors: only scores from different
        sensors are compared. By default, each modality is a sensor of its own.
    """

    emotions: np.ndarray
    traits: np.ndarray
    present: np.ndarray
    speakers: np.ndarray
    labels: np.ndarray | None = None
    sensors: Sequence[str] | None = None


def masked(values: np.ndarray, present: np.ndarray) -> np.ndarray:
    """Scores (clip, modality, target) with 0 where a modality is absent."""
    return np.where(present[..., None], values, 0.0)


def centred(scores: Scores) -> Scores:
    """Scores less their mean over the clips that have the modality; 0 elsewhere."""
    count = np.maximum(scores.present.sum(0), 1)[:, None]
    parts = []
    for values in (scores.emotions, scores.traits):
        values = masked(values, scores.present)
        parts.append(masked(values - values.sum(0) / count, scores.present))
    return scores._replace(emotions=parts[0], traits=parts[1])


def of_unit_variance(corpora: Sequence[Scores]) -> list[Scores]:
    """Centred scores, each divided by its standard deviation over all corpora."""
    count = np.maximum(sum(each.present.sum(0) for each in corpora), 1)[:, None]
    emotions, traits = (
        np.sqrt(sum((getattr(c, name) ** 2).sum(0) for c in corpora) / count) + 1e-12
        for name in ("emotions", "traits")
    )
    return [
        each._replace(emotions=each.emotions / emotions, traits=each.traits / traits)
        for each in corpora
    ]
