"""Published self-report correlations, and the expected direction of every cell.

Both are tables of the book that were fixed before any comparison was run.
"""

from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import norm

from sslmepr.association.grid import CELL, CELLS


def read_self_reports(path: str | Path) -> pd.DataFrame:
    """Read published self-report correlations with their Fisher-z intervals.

    Parameters
    ----------
    path : path
        A CSV file.

    Returns
    -------
    DataFrame
        emotion, measure, trait, kind (``trait``: the emotion in general; ``state``: the
        emotion at the moment), r, low, high, n, source, note. The file holds emotional
        stability: signs of published neuroticism are reversed.

    Raises
    ------
    ValueError
        If an emotion or trait is unknown, or r lies outside its interval.
    """
    table = pd.read_csv(path)
    _check_cells(table, path)
    outside = ~table["r"].between(table["low"], table["high"])
    if outside.any():
        where = table[outside].iloc[0]
        raise ValueError(f"{path}: r of {where['measure']} lies outside its interval")
    return table


def read_directions(path: str | Path) -> pd.DataFrame:
    """Read the directions that were fixed before the comparison.

    Parameters
    ----------
    path : path
        A CSV file.

    Returns
    -------
    DataFrame
        emotion, trait, sign (1, -1, or 0 for the negative control), note.

    Raises
    ------
    ValueError
        If an emotion or trait is unknown, a cell is duplicated, or a sign is invalid.
    """
    table = pd.read_csv(path, keep_default_na=False)
    _check_cells(table, path)
    if table.duplicated(CELL).any():
        raise ValueError(f"{path}: a cell is duplicated")
    if not table["sign"].isin([-1, 0, 1]).all():
        raise ValueError(f"{path}: sign must be -1, 0 or 1")
    return table


def _check_cells(table: pd.DataFrame, path) -> None:
    for cell in zip(table["emotion"], table["trait"], strict=True):
        if cell not in CELLS:
            raise ValueError(f"{path}: {cell[0]} x {cell[1]} is no cell of the table")


def pooled_reports(reports: pd.DataFrame) -> pd.DataFrame:
    """Pool the measures of every cell: their mean on the scale of Fisher's z.

    Parameters
    ----------
    reports : DataFrame
        emotion, trait, r, n.

    Returns
    -------
    DataFrame
        emotion, trait, r, error (standard error of Fisher's z). Measures of a cell come
        from the same persons and are dependent, so the largest error is taken.
    """
    table = reports.assign(z=np.arctanh(reports["r"]), error=(reports["n"] - 3) ** -0.5)
    pooled = table.groupby(CELL, sort=False).agg(
        z=("z", "mean"), error=("error", "max")
    )
    return pooled.assign(r=np.tanh(pooled["z"])).reset_index()[[*CELL, "r", "error"]]


def shown_reports(reports: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """`pooled_reports` by source and kind.

    Parameters
    ----------
    reports : DataFrame
        From `read_self_reports`.
    confidence : float
        Of the intervals, which are symmetric on the scale of Fisher's z.

    Returns
    -------
    DataFrame
        The columns of `pooled_reports`, low, high, source and kind.
    """
    parts = [
        pooled_reports(part).assign(source=source, kind=kind)
        for (source, kind), part in reports.groupby(["source", "kind"], sort=False)
    ]
    table = pd.concat(parts, ignore_index=True)
    z, half = np.arctanh(table["r"]), norm.isf((1 - confidence) / 2) * table["error"]
    return table.assign(low=np.tanh(z - half), high=np.tanh(z + half))
