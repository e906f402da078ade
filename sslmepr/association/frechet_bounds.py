"""Frechet bounds of the correlation between labels that no clip carries together.

Models give the correlation between the predicted parts of an emotion and a trait. The
residuals are never observed together and may have any correlation, so that the
correlation of the labels is identified only within bounds (as in statistical matching;
D'Orazio, Di Zio and Scanu 2006, Statistical Matching, chapter 4). The middle of the
bounds is correct if the residuals are uncorrelated given the features (conditional
independence), which such data cannot test.
"""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd

from sslmepr.association.grid import CELL
from sslmepr.association.sources import BOTH_PREDICTED
from sslmepr.labels import (
    SCORED_EMOTIONS,
    TRAITS,
    select,
)


def explained(
    predictions: pd.DataFrame, variant: str, corpora: Mapping[str, Collection[str]]
) -> pd.Series:
    """Share of the variance of each label that a model explains on held-out clips.

    It is the squared correlation of labels with predictions, which are averaged over
    seeds; 0 where the correlation is negative or a side is constant. Test clips are
    used if they have labels, dev clips otherwise.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, corpus, split, stage, variant, seed, target, predicted, true.
    variant : str
        The fusion model.
    corpora : mapping
        Task to the corpora (parts of a union) that have its labels.

    Returns
    -------
    Series
        Share (0..1) by emotion (its presence) and trait; NaN without labels.
    """
    shares = {}
    mine = select(predictions, stage="fusion", variant=variant)
    mine = mine.dropna(subset=["true"])
    tasks = {"emotion": SCORED_EMOTIONS, "personality": TRAITS}
    for task, targets in tasks.items():
        known = mine[mine["corpus"].isin(corpora[task]) & mine["target"].isin(targets)]
        split = "test" if (known["split"] == "test").any() else "dev"
        known = known[known["split"] == split]
        for target in targets:
            clips = known[known["target"] == target].groupby("clip_id")
            true, predicted = clips["true"].first(), clips["predicted"].mean()
            if task == "emotion":
                true = (true > 0).astype(float)
            shares[target] = _share(true.to_numpy(), predicted.to_numpy())
    return pd.Series(shares, name="explained")


def _share(true: np.ndarray, predicted: np.ndarray) -> float:
    if len(true) == 0:
        return float("nan")
    if np.ptp(true) == 0 or np.ptp(predicted) == 0:
        return 0.0
    return float(max(np.corrcoef(true, predicted)[0, 1], 0.0) ** 2)


def association_bounds(found: pd.DataFrame, shares: pd.Series) -> pd.DataFrame:
    """Bounds of the correlation of labels in every corpus and cell.

    Let R and R' be the correlations of the two labels with their predictions and r the
    correlation of the predictions. The labels then correlate by r R R' if the residuals
    are uncorrelated, and by at most sqrt((1 - R^2) (1 - R'^2)) less or more otherwise.

    Parameters
    ----------
    found : DataFrame
        Table of `sslmepr.association.study_associations.study_associations`.
    shares : Series
        R^2 of every label, from `explained`.

    Returns
    -------
    DataFrame
        corpus, emotion, trait, explained_emotion, explained_trait, unrelated (the
        correlation for uncorrelated residuals), low, high.
    """
    chosen = found[(found["source"] == BOTH_PREDICTED) & (found["level"] == "clip")]
    table = chosen[["corpus", *CELL, "r"]].dropna()
    emotion, trait = table["emotion"].map(shares), table["trait"].map(shares)
    middle = table.pop("r") * np.sqrt(emotion * trait)
    reach = np.sqrt((1 - emotion) * (1 - trait))
    return table.assign(
        explained_emotion=emotion,
        explained_trait=trait,
        unrelated=middle,
        low=middle - reach,
        high=middle + reach,
    ).reset_index(drop=True)
