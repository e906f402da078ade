"""The table of measurements, ``results/benchmarks.csv``, and how it grows.

The chapter on reproducibility shows it. Timings depend on the machine, so they are no
tests and no stage.
"""

import os
import platform
import statistics
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

RESULTS = Path("results/benchmarks.csv")
COLUMNS = ["name", "what", "value", "low", "high", "runs", "unit", "bound", "machine"]


def row(
    name: str,
    what: str,
    values: Sequence[float],
    unit: str,
    bound: str | None = None,
    digits: int = 2,
) -> dict:
    """Median and range of repeated measurements of one thing.

    Parameters
    ----------
    name : str
        Whose rows `merge` replaces together.
    what : str
    values : sequence of float
        One per run.
    unit : str
    bound : str, optional
        What the value should be, such as "≤ 4".
    digits : int
        Decimal places that are kept.
    """
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}"
    return {
        "name": name,
        "what": what,
        "value": round(statistics.median(values), digits),
        "low": round(min(values), digits),
        "high": round(max(values), digits),
        "runs": len(values),
        "unit": unit,
        "bound": bound,
        "machine": machine,
    }


def merge(rows: list[dict]) -> None:
    """Put rows in place of those that the table has under the same names."""
    new = pd.DataFrame(rows, columns=COLUMNS)
    old = pd.read_csv(RESULTS) if RESULTS.exists() else new.head(0)
    kept = old[~old["name"].isin(new["name"])]
    RESULTS.parent.mkdir(exist_ok=True)
    pd.concat([kept, new], ignore_index=True).to_csv(RESULTS, index=False)
