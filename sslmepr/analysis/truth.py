"""Associations of a simulated study held against the truth of its held-out corpus."""

from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.analysis.correlation import association, resampled_association
from sslmepr.analysis.recovery import compare, recovery, tidy_matrix
from sslmepr.analysis.sources import association_table
from sslmepr.params import Params

CLIPS = "clips.parquet"
OBSERVER = "ideal_association.csv"


class Assessment(NamedTuple):
    """What was found in a world whose truth is known.

    Attributes
    ----------
    comparison : DataFrame
        From :func:`sslmepr.analysis.recovery.compare`: one row per cell.
    agreement : DataFrame
        From :func:`sslmepr.analysis.recovery.recovery`: one row per metric.
    """

    comparison: pd.DataFrame
    agreement: pd.DataFrame


def assess(
    params: Params,
    study_folder: str | Path,
    variant: str,
    source: str,
    data_folder: str | Path = "data",
) -> Assessment:
    """Compare the associations found on the held-out corpus with the planted ones.

    Parameters
    ----------
    params : Params
        Of the study; its held-out corpus must be simulated.
    study_folder : path
        Holds ``evaluate/predictions.parquet``.
    variant : str
        The model whose predictions are correlated.
    source : str
        One of :data:`sslmepr.analysis.correlation.SOURCES`, or ``disjoint_modalities``,
        for which `variant` does not matter.
    data_folder : path

    Raises
    ------
    ValueError
        If the held-out corpus is not simulated: its truth is then not known.
    """
    name = params.roles.held_out
    corpus = params.corpus[name]
    if corpus.source != "simulated":
        raise ValueError(f"corpus {name}: its true associations are not known")
    folder = Path(data_folder, name, "corpus")
    clips = pd.read_parquet(folder / CLIPS, columns=["clip_id", "speaker_id"])
    predictions = pd.read_parquet(Path(study_folder, "evaluate", "predictions.parquet"))
    speakers = clips.set_index("clip_id")["speaker_id"]
    table = association_table(predictions, speakers, variant, name, source)
    settings = params.association
    found = association(
        table,
        source,
        settings.resamples,
        settings.level,
        settings.correction,
        settings.alpha,
        params.seed,
        levels=("clip",),
    )
    planted = tidy_matrix(params.simulation.worlds[corpus.world], "planted")
    observer = pd.read_csv(folder / OBSERVER)
    observer = observer.loc[
        observer["channel"] == "all", ["emotion", "trait", "recovered"]
    ].rename(columns={"recovered": "observer"})
    draws = resampled_association(table, settings.resamples, params.seed)
    return Assessment(
        compare(found, planted, observer),
        recovery(found, planted, draws, settings.level),
    )
