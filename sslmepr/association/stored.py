"""What the stage ``association`` leaves for those who explore, plan and report."""

from pathlib import Path

import pandas as pd

from sslmepr.association.cross_table import (
    CROSS_FILE,
    CrossAssociations,
    unidentified,
)
from sslmepr.association.planning import COLUMNS, PRECISION_FILE, precision
from sslmepr.association.probe_scores import SCORES_FILE, score_table
from sslmepr.params import Params


def store(
    crossed: CrossAssociations | None,
    refused: str,
    params: Params,
    results: str | Path,
    runs: str | Path,
) -> None:
    """Write associations, their precision and the scores behind them.

    Where associations are not identified, their table says why, that of precision has
    no rows, and there are no scores.

    Parameters
    ----------
    crossed, refused
        Of `sslmepr.association.cross_table.identified`.
    params : Params
        Sections ``roles`` and ``modalities``.
    results, runs : path
        Folders, made if need be: for `CROSS_FILE` and `PRECISION_FILE`, six digits
        each, and for `SCORES_FILE`.
    """
    results, runs = Path(results), Path(runs)
    for folder in (results, runs):
        folder.mkdir(parents=True, exist_ok=True)
    if crossed is None:
        table, known = unidentified(refused), pd.DataFrame(columns=COLUMNS)
    else:
        # An optional corpus that is not there has no scores.
        corpora = corpora_of(params)[: len(crossed.scores)]
        table = crossed.table
        known = precision(crossed.estimate, crossed.scores, corpora)
        scores = score_table(crossed.scores, corpora, params.modalities)
        scores.to_parquet(runs / SCORES_FILE, index=False)
    table.round(6).to_csv(results / CROSS_FILE, index=False)
    known.round(6).to_csv(results / PRECISION_FILE, index=False)


def corpora_of(params: Params) -> list[str]:
    """Corpora that `sslmepr.association.probe_scores.study_scores` reads, in order."""
    roles = params.roles
    labelled = [roles.emotion, roles.personality]
    return labelled + [roles.held_out] * (roles.held_out not in labelled)
