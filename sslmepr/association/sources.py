"""Sources of an association: which side is annotated and which is predicted.

A source names the emotion's side, then the trait's. A corpus with emotion labels allows
true emotion by predicted trait; one with trait labels allows predicted emotion by true
trait; one with both allows all four. Predicted by predicted is possible in every
corpus. From the same modalities, both sides share prediction errors; from disjoint
modalities, they do not.
"""

import pandas as pd

from sslmepr.labels import TARGETS, TASKS

PREDICTED_EMOTION = "predicted_x_true"
PREDICTED_TRAIT = "true_x_predicted"
BOTH_PREDICTED = "predicted_x_predicted"
BOTH_TRUE = "true_x_true"
SOURCES = (PREDICTED_EMOTION, PREDICTED_TRAIT, BOTH_PREDICTED, BOTH_TRUE)

ONE_PREDICTED = (PREDICTED_TRAIT, PREDICTED_EMOTION)
"""Sources of which one side is predicted and the other annotated by people."""

DISJOINT = "disjoint_modalities"
"""Both predicted (see `sslmepr.association.disjoint_modalities`)."""


CROSS = "cross_source"
"""Neither: three sources together (see `sslmepr.association.cross_source`)."""

UNSCALED = "scales_taken_as_1"
"""`CROSS` without the scales of scores (see `sslmepr.association.domain_scales`)."""

BRIDGED = "prediction_powered"
"""Annotated on a few clips (see `sslmepr.association.prediction_powered`)."""

COMBINED = "combined"
"""The best mean of `CROSS` and `BRIDGED`."""

NOTED, PREDICTED = "noted by observers", "predicted by the model"
"""Both annotated, the emotion in words, and `PREDICTED_EMOTION`, on the same clips (see
`sslmepr.association.outside_criterion`)."""


def sides(source: str) -> tuple[str, str]:
    """Split a source into its emotion side and its trait side.

    Returns
    -------
    emotion_side, trait_side : {"true", "predicted"}

    Raises
    ------
    ValueError
        If `source` is not in `SOURCES`.
    """
    if source not in SOURCES:
        raise ValueError(f"source: {source!r} is none of {', '.join(SOURCES)}")
    emotion_side, trait_side = source.split("_x_")
    return emotion_side, trait_side


def available_sources(predictions: pd.DataFrame) -> list[str]:
    """Select the `SOURCES` for which the predictions of one corpus have labels."""
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
