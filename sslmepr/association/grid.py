"""The 30 cells of an association table: six emotions by five traits.

A *tidy* table has one row per cell. A *matrix* has emotions as rows and traits as
columns, both in the order of `sslmepr.labels`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sslmepr.labels import SCORED_EMOTIONS, TRAITS

CELL = ["emotion", "trait"]
"""Columns that identify a cell."""

CELLS = [(emotion, trait) for emotion in SCORED_EMOTIONS for trait in TRAITS]
SHAPE = (len(SCORED_EMOTIONS), len(TRAITS))


def cell_index() -> pd.MultiIndex:
    """The cells, in the order of the labels, as an index."""
    return pd.MultiIndex.from_tuples(CELLS, names=CELL)


def cell_matrix(table: pd.DataFrame, name: str) -> np.ndarray:
    """One column of a tidy table as a matrix.

    Parameters
    ----------
    table : DataFrame
        emotion, trait and the column `name`.
    name : str

    Returns
    -------
    (emotion, trait) ndarray of float
        NaN for a missing cell.

    Raises
    ------
    ValueError
        If a cell is duplicated.
    """
    if table.duplicated(CELL).any():
        raise ValueError(f"{name}: a cell is duplicated")
    values = table.set_index(CELL)[name].reindex(cell_index())
    return values.to_numpy(float).reshape(SHAPE)


def tidy_matrix(
    matrix: pd.DataFrame | Mapping[str, Mapping[str, float]], name: str
) -> pd.DataFrame:
    """A matrix of associations as a tidy table.

    Parameters
    ----------
    matrix : DataFrame or mapping
        A tidy table (emotion, trait and one numeric column of any name), a matrix, or a
        world of ``params.yaml`` (emotion to trait to correlation; missing cells are 0).
    name : str
        Name of the numeric column in the result.

    Returns
    -------
    DataFrame
        emotion, trait, `name`; 30 rows in the order of the labels.

    Raises
    ------
    ValueError
        If an emotion or trait is unknown, or a tidy table lacks a cell.
    """
    if isinstance(matrix, pd.DataFrame) and set(CELL) <= set(matrix):
        cells = matrix.set_index(CELL)[number_column(matrix)].to_dict()
        missing = [cell for cell in CELLS if cell not in cells]
        if missing:
            raise ValueError(f"{name}: no value for {missing[0][0]} x {missing[0][1]}")
    else:
        rows = matrix.T.to_dict() if isinstance(matrix, pd.DataFrame) else matrix
        cells = {(e, t): value for e, row in rows.items() for t, value in row.items()}
    for emotion, trait in cells:
        if (emotion, trait) not in CELLS:
            raise ValueError(f"{name}: {emotion} x {trait} is no cell of the table")
    return pd.DataFrame(
        [(*cell, float(cells.get(cell, 0.0))) for cell in CELLS],
        columns=[*CELL, name],
    )


def number_column(table: pd.DataFrame) -> str:
    """Name of the only numeric column of a tidy table.

    Raises
    ------
    ValueError
        If there is none, or several.
    """
    names = table.drop(columns=CELL).select_dtypes("number").columns
    if len(names) != 1:
        raise ValueError(f"exactly one numeric column is needed, not {list(names)}")
    return names[0]
