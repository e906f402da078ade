"""Recovered against true associations, on the held-out corpus of a simulation."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from sslmepr.association.cross_table import identified, unidentified
from sslmepr.association.grid import CELL, tidy_matrix
from sslmepr.association.recovery import compare, recovery
from sslmepr.association.sources import CROSS
from sslmepr.association.study_associations import (
    Evaluated,
    associate,
    association_tables,
    resample,
)
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params import Params
from sslmepr.simulation.raters import rated_association, raters_in
from sslmepr.simulation.world import World, make_world

CLIPS = "clips.parquet"
OBSERVER = "ideal_association.csv"


class Assessment(NamedTuple):
    """Recovered associations of a simulated corpus, and their agreement with the truth.

    Attributes
    ----------
    found : DataFrame
        From :func:`sslmepr.association.correlation.association`, over clips.
    comparison : DataFrame
        From :func:`sslmepr.association.recovery.compare`, one row per cell, against
        rated: the association of the labels. Beside it planted, that of people.
    agreement : DataFrame
        From :func:`sslmepr.association.recovery.recovery`, one row per metric, against
        the same.
    """

    found: pd.DataFrame
    comparison: pd.DataFrame
    agreement: pd.DataFrame


def assess(
    params: Params,
    evaluated: Evaluated,
    variant: str,
    source: str,
    data_folder: str | Path = "data",
) -> Assessment:
    """Compare recovered associations of the held-out corpus with the true ones.

    Parameters
    ----------
    params : Params
        Parameters of a study whose held-out corpus is simulated.
    evaluated : Evaluated
    variant : str
        The fusion variant whose predictions are correlated.
    source : str
        One of `sslmepr.association.sources.SOURCES`, or `DISJOINT` or `CROSS`, for
        which `variant` is not used.
    data_folder : path
        Folder of the corpora.

    Returns
    -------
    Assessment

    Raises
    ------
    ValueError
        If the held-out corpus is not simulated, so that the truth is unknown, or
        fewer than two modalities have predictions. With `CROSS`, cells without a
        number say why there is none.
    """
    name = params.roles.held_out
    corpus = params.corpus[name]
    if corpus.source != "simulated":
        raise ValueError(f"corpus {name}: its true associations are not known")
    folder = Path(data_folder, name, "corpus")
    if source == CROSS:
        crossed, refused = identified(params, data_folder)
        found = crossed.table if crossed else unidentified(refused)
        draws = crossed.draws if crossed else None
    else:
        clips = pd.read_parquet(folder / CLIPS, columns=["clip_id", "speaker_id"])
        speakers = clips.set_index("clip_id")["speaker_id"]
        tables = association_tables(evaluated, speakers, variant, name, source)
        if tables is None:
            raise ValueError(f"corpus {name}: fewer than two modalities to divide")
        found = associate(tables, source, params, levels=("clip",))
        draws = resample(tables, params)
    truth = true_associations(params)
    observer = pd.read_csv(folder / OBSERVER)
    observer = observer.loc[observer["channel"] == "all", [*CELL, "recovered"]].rename(
        columns={"recovered": "observer"}
    )
    return Assessment(
        found,
        compare(found, truth, observer, against="rated"),
        recovery(found, truth, draws, params.association.confidence, against="rated"),
    )


def true_associations(params: Params) -> pd.DataFrame:
    """What is true in the world of a study whose held-out corpus is simulated.

    Parameters
    ----------
    params : Params

    Returns
    -------
    DataFrame
        emotion, trait, planted (correlation in people), rated (of the labels).
    """
    truths = {"planted": _world(params).association, "rated": rated_matrix(params)}
    planted, rated = (
        tidy_matrix(pd.DataFrame(each, list(SCORED_EMOTIONS), list(TRAITS)), key)
        for key, each in truths.items()
    )
    return planted.merge(rated, on=CELL)


def rated_matrix(params: Params) -> np.ndarray:
    """True correlations of the labels of such a study: (emotion, trait).

    Parameters
    ----------
    params : Params
        As of `true_associations`.
    """
    world = _world(params)
    return rated_association(world, raters_in(world, params.simulation.raters))


def _world(params: Params) -> World:
    name = params.corpus[params.roles.held_out].world
    return make_world(name, params.simulation.worlds)
