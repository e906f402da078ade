"""Associations of a study with the help of clips that carry both labels."""

from typing import NamedTuple

import numpy as np
import pandas as pd

from sslmepr.association.assumption_checks import COLUMNS, difference
from sslmepr.association.cross_table import (
    CrossAssociations,
    cell_table,
)
from sslmepr.association.grid import CELL
from sslmepr.association.prediction_powered import (
    bridge_labels,
    combined,
    prediction_powered,
)
from sslmepr.association.probe_scores import study_rows
from sslmepr.association.scores import IdentificationError
from sslmepr.association.sources import BRIDGED, COMBINED, CROSS
from sslmepr.params import Params
from sslmepr.training.clips import StudyClips

BRIDGE_FILE = "bridged.csv"


class Bridged(NamedTuple):
    """Estimates with doubly labelled clips.

    Attributes
    ----------
    table : DataFrame
        As `sslmepr.association.cross_table.CrossAssociations.table`, of three sources,
        of `BRIDGED` and of both `COMBINED`; without rows if there are none.
    refused : str
        Why there are none.
    check : DataFrame
        As of `sslmepr.association.assumption_checks.assumption_checks`: one row that
        compares three sources with doubly labelled clips (``labels``); no row if there
        are none.
    """

    table: pd.DataFrame
    refused: str
    check: pd.DataFrame = pd.DataFrame()


def bridged_associations(
    crossed: CrossAssociations | None,
    predictions: pd.DataFrame,
    clips: StudyClips,
    params: Params,
) -> Bridged:
    """Estimate the associations of a study with its doubly labelled clips.

    Parameters
    ----------
    crossed : CrossAssociations or None
        Of the study, from three sources.
    predictions : DataFrame
        Of the stage ``evaluate``.
    clips : StudyClips
    params : Params
        Sections ``roles`` and ``association``, and the seed.

    Returns
    -------
    Bridged
    """
    if crossed is None or len(crossed.scores) < 3:
        return Bridged(pd.DataFrame(), "no scored corpus has clips with both labels")
    rows = study_rows(params, clips)[2]
    labels = bridge_labels(predictions, clips.table.iloc[rows])
    try:
        powered = prediction_powered(crossed.scores, labels)
    except IdentificationError as error:
        return Bridged(pd.DataFrame(), str(error))
    both = combined(crossed.estimate, powered)
    found = {CROSS: crossed.estimate, BRIDGED: powered, COMBINED: both}
    tables = [
        cell_table(each, params.association, params.seed).assign(source=name)
        for name, each in found.items()
    ]
    compared = difference(crossed.estimate, powered, params.association, params.seed)
    check = pd.DataFrame([("labels", *compared, "")], columns=COLUMNS)
    return Bridged(pd.concat(tables, ignore_index=True), "", check)


def side_by_side(table: pd.DataFrame) -> pd.DataFrame:
    """Estimates of each pair beside each other.

    Parameters
    ----------
    table : DataFrame
        Of `Bridged`.

    Returns
    -------
    DataFrame
        emotion, trait, source, r, low, high, verdict; sources of a pair together. No
        rows if there are no estimates.
    """
    columns = [*CELL, "source", "r", "low", "high", "verdict"]
    if table.empty:
        return pd.DataFrame(columns=columns)
    order = table.groupby(CELL, sort=False).ngroup()
    places = np.lexsort([np.arange(len(table)), order])
    return table.iloc[places][columns].reset_index(drop=True)
