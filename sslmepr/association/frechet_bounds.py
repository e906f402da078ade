"""What two corpora without a common label can say about an association, and what not.

No clip carries both labels. Models tell how the parts of an emotion and of a trait that
they predict go together, and nothing of the parts that they do not. Those may go
together in any way, so that the correlation of the labels is known only within bounds
(Frechet bounds, as in statistical matching; D'Orazio, Di Zio and Scanu 2006,
Statistical Matching, chapter 4). The middle of the bounds is right if the unpredicted
parts are unrelated, which no test on such data can show.
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
    """Share of the variance of each label that a model explains on unseen clips.

    The squared correlation of labels with predictions, mean over seeds; 0 where the
    correlation is negative or nothing varies. On test clips where their labels are
    there, on dev clips otherwise.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, corpus, split, stage, variant, seed, target, predicted, true.
    variant : str
    corpora : mapping
        Task to the corpora (parts of a union) that have its labels.

    Returns
    -------
    Series
        Emotions (presence) and traits to a share in 0..1; NaN without labels.
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
            true, said = clips["true"].first(), clips["predicted"].mean()
            if task == "emotion":
                true = (true > 0).astype(float)
            shares[target] = _share(true.to_numpy(), said.to_numpy())
    return pd.Series(shares, name="explained")


def _share(true: np.ndarray, said: np.ndarray) -> float:
    if len(true) == 0:
        return float("nan")
    if np.ptp(true) == 0 or np.ptp(said) == 0:
        return 0.0
    return float(max(np.corrcoef(true, said)[0, 1], 0.0) ** 2)


def association_bounds(found: pd.DataFrame, shares: pd.Series) -> pd.DataFrame:
    """Bounds of the correlation of labels in every corpus and cell.

    With R the multiple correlation of each label with its prediction and r the
    correlation of the predictions, the labels correlate by r R R' if the rest is
    unrelated, give or take sqrt((1 - R^2) (1 - R'^2)).

    Parameters
    ----------
    found : DataFrame
        As of `sslmepr.association.study.study_associations`.
    shares : Series
        From `explained`.

    Returns
    -------
    DataFrame
        corpus, emotion, trait, explained_emotion, explained_trait, unrelated (what
        follows if the rest is unrelated), low, high.
    """
    chosen = found[
        (found["source"] == BOTH_PREDICTED)
        & (found["level"] == "clip")
        & ~found["halo"].astype(bool)
    ]
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
