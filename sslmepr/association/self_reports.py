"""What people report of themselves, and which direction is expected in which cell.

Both are tables of the book, written down before anything was compared with them.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.association.grid import CELL, CELLS


def read_self_reports(path: str | Path) -> pd.DataFrame:
    """Published self-report correlations with their Fisher-z intervals.

    Returns
    -------
    DataFrame
        emotion, measure, trait, kind (``trait``: what somebody is like in general;
        ``state``: right now), r, low, high, n, source, note. Neuroticism is flipped to
        emotional stability in the file.

    Raises
    ------
    ValueError
        If an emotion or trait is unknown, or a correlation does not lie in its
        interval.
    """
    table = pd.read_csv(path)
    _check_cells(table, path)
    outside = ~table["r"].between(table["low"], table["high"])
    if outside.any():
        where = table[outside].iloc[0]
        raise ValueError(f"{path}: r of {where['measure']} lies outside its interval")
    return table


def read_directions(path: str | Path) -> pd.DataFrame:
    """Directions that were fixed before the comparison.

    Returns
    -------
    DataFrame
        emotion, trait, sign (1, -1, or 0 for the negative control), note.

    Raises
    ------
    ValueError
        If an emotion or trait is unknown, a cell stands twice, or a sign is another.
    """
    table = pd.read_csv(path, keep_default_na=False)
    _check_cells(table, path)
    if table.duplicated(CELL).any():
        raise ValueError(f"{path}: a cell stands there twice")
    if not table["sign"].isin([-1, 0, 1]).all():
        raise ValueError(f"{path}: sign must be -1, 0 or 1")
    return table


def _check_cells(table: pd.DataFrame, path) -> None:
    for cell in zip(table["emotion"], table["trait"], strict=True):
        if cell not in CELLS:
            raise ValueError(f"{path}: {cell[0]} x {cell[1]} is no cell of the table")


def pooled_reports(reports: pd.DataFrame) -> pd.DataFrame:
    """One value for every cell: the mean over its measures, on Fisher's scale.

    Parameters
    ----------
    reports : DataFrame
        emotion, trait, r, n.

    Returns
    -------
    DataFrame
        emotion, trait, r, error: the standard error of Fisher's z. Measures of one
        cell were taken from the same persons, so that it is the largest of theirs.
    """
    table = reports.assign(z=np.arctanh(reports["r"]), error=(reports["n"] - 3) ** -0.5)
    pooled = table.groupby(CELL, sort=False).agg(
        z=("z", "mean"), error=("error", "max")
    )
    return pooled.assign(r=np.tanh(pooled["z"])).reset_index()[[*CELL, "r", "error"]]


def shown_reports(reports: pd.DataFrame) -> pd.DataFrame:
    """`pooled_reports` of every source and kind, which stand beside them."""
    parts = [
        pooled_reports(part).assign(source=source, kind=kind)
        for (source, kind), part in reports.groupby(["source", "kind"], sort=False)
    ]
    return pd.concat(parts, ignore_index=True)
