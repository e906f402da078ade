"""The method's own networks as scores: what each model of one modality says of clips.

The estimator from three sources takes any fixed score. Those of the networks of stage 1
differ from the probes' in that a network is fitted once. On clips of its own training
corpus only predictions for clips outside training are scores; the labels of the others
still tell how labels go together. Its number of clips is therefore smaller.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.special import logit

from sslmepr.association.disjoint_modalities import PROBABILITY_CLIP
from sslmepr.association.probe_scores import UNSCORED, study_rows
from sslmepr.association.scores import SENSORS, Scores
from sslmepr.labels import SCORED_EMOTIONS, TASKS, TRAITS, select
from sslmepr.params import Params
from sslmepr.training.clips import read_study_clips


def network_scores(
    params: Params, predictions: pd.DataFrame, data_folder: str | Path = "data"
) -> list[Scores]:
    """Scores of the corpora of a study by its networks of stage 1.

    Parameters
    ----------
    params : Params
        Sections ``roles`` and ``modalities``.
    predictions : DataFrame
        Of the stage ``evaluate``; those of stage 1 (``unimodal``) are used, the mean
        over seeds where there are several.
    data_folder : path
        Holds ``<corpus>/corpus``.

    Returns
    -------
    list of Scores
        Of the same clips as `sslmepr.association.probe_scores.study_scores`, with
        logits of probabilities; clips that a model was trained on have no scores.

    Raises
    ------
    CorpusError
        If a clip table is missing or damaged.
    """
    clips = read_study_clips(params, data_folder)
    wide = _wide(select(predictions, stage="unimodal"))
    sensors = [SENSORS[name] for name in params.modalities]
    found = []
    for place, rows in enumerate(study_rows(params, clips)):
        table = clips.table.iloc[rows]
        sides = [
            _values(wide, table, params.modalities, targets)
            for targets in (SCORED_EMOTIONS, TRAITS)
        ]
        present = np.isfinite(sides[0]).all(2) & np.isfinite(sides[1]).all(2)
        labels = None
        if place < len(TASKS):
            present &= (table["split"] != "train").to_numpy()[:, None]
            labels = clips.labels[TASKS[place]][rows]
            labels = labels if place else labels[:, UNSCORED:] > 0
        speakers = table["speaker_id"].to_numpy()
        found.append(Scores(*sides, present, speakers, labels, sensors))
    return found


def _wide(predictions: pd.DataFrame) -> pd.DataFrame:
    """Mean over seeds by corpus and clip (rows), modality and target (columns)."""
    keys = ["corpus", "clip_id", "modality", "target"]
    values = predictions.groupby(keys, observed=True)["predicted"].mean()
    return values.unstack(["modality", "target"])


def _values(wide, table, modalities, targets) -> np.ndarray:
    rows = pd.MultiIndex.from_frame(table[["part", "clip_id"]])
    columns = pd.MultiIndex.from_product([modalities, targets])
    values = wide.reindex(index=rows, columns=columns).to_numpy(float)
    values = values.reshape(len(table), len(modalities), len(targets))
    return logit(np.clip(values, PROBABILITY_CLIP, 1 - PROBABILITY_CLIP))
