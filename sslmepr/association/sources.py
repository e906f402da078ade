"""What the two sides of an association are: annotated by people, or predicted.

A source names the emotion's side, then the trait's. A corpus with emotion labels gives
true emotion by predicted trait; one with trait labels gives predicted emotion by true
trait; only one with both gives all four. Predicted by predicted from disjoint
modalities can be had everywhere; predicted by predicted from the same ones comes last
in every table, because both sides then share their errors.
"""

import pandas as pd

from sslmepr.labels import TARGETS, TASKS

PREDICTED_EMOTION = "predicted_x_true"
PREDICTED_TRAIT = "true_x_predicted"
BOTH_PREDICTED = "predicted_x_predicted"
BOTH_TRUE = "true_x_true"
SOURCES = (PREDICTED_EMOTION, PREDICTED_TRAIT, BOTH_PREDICTED, BOTH_TRUE)

ONE_PREDICTED = (PREDICTED_TRAIT, PREDICTED_EMOTION)
"""In which people annotated the other side."""

DISJOINT = "disjoint_modalities"
"""Both predicted, never from the same modality (see the module of that name)."""


def sides(source: str) -> tuple[str, str]:
    """What emotion and trait are, ``true`` or ``predicted``.

    Raises
    ------
    ValueError
        If `source` is none of `SOURCES`.
    """
    if source not in SOURCES:
        raise ValueError(f"source: {source!r} is none of {', '.join(SOURCES)}")
    emotion_side, trait_side = source.split("_x_")
    return emotion_side, trait_side


def title(source: str) -> str:
    """A source as a reader writes it: ``predicted × true``."""
    return source.replace("_x_", " × ").replace("_", " ")


def available_sources(predictions: pd.DataFrame) -> list[str]:
    """Those of `SOURCES` that the predictions of one corpus have labels for."""
    known = {
        task: predictions.loc[predictions["target"].isin(targets), "true"].notna().any()
        for task, targets in TARGETS.items()
    }
    return [
        source
        for source in SOURCES
        if all(
            side == "predicted" or known[task]
            for task, side in zip(TASKS, sides(source), strict=True)
        )
    ]
