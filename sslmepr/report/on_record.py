"""Tables that a run may not have left yet."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd


def recorded(path: str | Path, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """A recorded table; one without rows if no run has left it.

    Parameters
    ----------
    path : path
        Of a CSV file.
    columns : sequence of str, optional
        Those that are wanted; by default all that the file has.
    """
    if not Path(path).is_file():
        return pd.DataFrame(columns=columns)
    return pd.read_csv(path, usecols=columns)
