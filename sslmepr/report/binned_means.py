"""What raters saw where an emotion was read: a trait's mean, bin by bin."""

from collections.abc import Sequence

import pandas as pd

from sslmepr.labels import SCORED_EMOTIONS, TRAITS

BINS = 10

COLUMNS = ["emotion", "trait", "bin", "predicted", "rated", "clips"]


def binned_means(
    scores: pd.DataFrame, corpus: str, modalities: Sequence[str], bins: int = BINS
) -> pd.DataFrame:
    """Mean rated trait of clips in the order of their predicted emotion.

    The prediction is the mean of the standardised scores of the modalities that a clip
    has, from probes that learned from no clip of this corpus.

    Parameters
    ----------
    scores : DataFrame
        From `sslmepr.association.probe_scores.score_table`.
    corpus : str
        That with labels of traits.
    modalities : sequence of str
    bins : int
        Of as many clips each; the last may have fewer.

    Returns
    -------
    DataFrame
        emotion, trait, bin (from 0), predicted and rated (means, in standard deviations
        over the clips of the corpus), clips.
    """
    mine = scores[scores["corpus"] == corpus]
    rated = _standardised(mine[[*TRAITS]])
    parts = []
    for emotion in SCORED_EMOTIONS:
        names = [f"{modality}_{emotion}" for modality in modalities]
        read = _standardised(_standardised(mine[names]).mean(axis=1)).dropna()
        place = read.rank(method="first").sub(1).mul(bins).floordiv(len(read))
        means = rated.loc[read.index].groupby(place).mean()
        means.insert(0, "predicted", read.groupby(place).mean())
        means.insert(0, "clips", read.groupby(place).size())
        long = means.rename_axis("bin").reset_index()
        long = long.melt(
            ["bin", "clips", "predicted"], var_name="trait", value_name="rated"
        )
        parts.append(long.assign(emotion=emotion, bin=long["bin"].astype(int)))
    return pd.concat(parts, ignore_index=True)[COLUMNS]


def _standardised(values):
    return (values - values.mean()) / values.std(ddof=0)
