"""What a model predicted against what is true: calibration and confusions."""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.corpora.schema import read_clips
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TRAITS
from sslmepr.params import Params
from sslmepr.statistics.cluster_bootstrap import Clusters, interval

BINS = 5
"""Groups of equally many clips by their prediction; a choice of layout."""

TRUTH = ["task", "target", "bin", "predicted", "estimate", "low", "high"]
TRUTH += ["interval", "n", "n_speakers"]
CONFUSION = ["true", "predicted", "clips", "share"]


def against_truth(
    predictions: pd.DataFrame, params: Params, data_folder: str | Path = "data"
) -> pd.DataFrame:
    """Mean label of clips that got a low, a middling or a high prediction.

    A prediction is calibrated if the mean label of clips with about the same prediction
    equals it: of clips for which anger has a probability of .3, three in ten show it.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, task, target, seed, predicted, true of one model, in clips of the
        held-out corpus. Predictions are averaged over seeds.
    params : Params
        Section ``evaluate``.
    data_folder : path
        Folder of the corpora.

    Returns
    -------
    DataFrame
        task, target, bin (from 0, the lowest fifth), predicted (mean), estimate (share
        of clips that show the emotion, or mean score of the trait) with low and high,
        interval, n (clips) and n_speakers. Neutral and targets without labels are left
        out.
    """
    folder = Path(data_folder, params.roles.held_out, "corpus")
    speakers = read_clips(folder).set_index("clip_id")["speaker_id"]
    means = _means(predictions)
    rows = []
    for target in (*SCORED_EMOTIONS, *TRAITS):
        mine = means[means["target"] == target].dropna(subset=["true"])
        task = "emotion" if target in EMOTIONS else "personality"
        true = mine["true"] > 0 if task == "emotion" else mine["true"]
        order = mine["predicted"].argsort(kind="stable").argsort()
        place = (order * BINS // max(1, len(mine))).to_numpy()
        for number in np.unique(place):
            inside = place == number
            people = Clusters(
                speakers[mine["clip_id"][inside]],
                params.evaluate.resamples,
                params.seed,
            )
            draws = people.total(true.to_numpy(float)[inside]) / people.total(
                np.ones(people.n)
            )
            low, high, kind = interval(
                draws, people.n_clusters, params.evaluate.confidence
            )
            ends = np.clip([low, high], 0, 1)
            predicted = mine["predicted"][inside].mean()
            count = str(kind), people.n, people.n_clusters
            rows.append((task, target, number, predicted, draws[0], *ends, *count))
    return pd.DataFrame(rows, columns=TRUTH)


def confusion(predictions: pd.DataFrame) -> pd.DataFrame:
    """The strongest emotion of a clip, and the one that was given most probability.

    Parameters
    ----------
    predictions : DataFrame
        As of `against_truth`; rows of emotions are used.

    Returns
    -------
    DataFrame
        true, predicted (emotions), clips and share (of the clips with that true
        emotion); no rows for an emotion that is the strongest of no clip.
    """
    means = _means(predictions)
    means = means[means["target"].isin(EMOTIONS)].dropna(subset=["true"])
    if means.empty:
        return pd.DataFrame(columns=CONFUSION)
    wide = means.pivot(index="clip_id", columns="target")[["true", "predicted"]]
    strongest = {
        side: np.array(EMOTIONS)[wide[side][list(EMOTIONS)].to_numpy().argmax(1)]
        for side in ("true", "predicted")
    }
    counts = pd.crosstab(strongest["true"], strongest["predicted"])
    counts = counts.reindex(columns=list(EMOTIONS), fill_value=0)
    counts = counts.reindex([name for name in EMOTIONS if name in counts.index])
    table = counts.rename_axis(index="true", columns="predicted").stack()
    table = table.rename("clips").reset_index()
    total = table.groupby("true")["clips"].transform("sum")
    return table.assign(share=table["clips"] / total)


def _means(predictions: pd.DataFrame) -> pd.DataFrame:
    names = ["clip_id", "target"]
    table = predictions.groupby(names, sort=False)[["predicted", "true"]]
    return table.mean().astype(float).reset_index()
