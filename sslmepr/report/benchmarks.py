"""What the measurements of speed and memory came to, against what they should."""

import pandas as pd

from sslmepr.report.chapter_tables import Message

NOT_MEASURED = "not measured"


def verdict(table: pd.DataFrame) -> Message:
    """How many bounds are met, which are not, and what was not measured.

    Parameters
    ----------
    table : DataFrame
        name, what, value, unit, bound, met, as in ``results/benchmarks.csv``.
    """
    bounded = table.dropna(subset=["met"])
    met = bounded["met"].astype(bool)
    missed = [
        f"{row.what}: {' '.join([f'{row.value:g}', *_unit(row.unit)])} ({row.bound})"
        for row in bounded[~met].itertuples()
    ]
    absent = table.loc[table["what"] == NOT_MEASURED, "name"]
    parts = [f"Bounds that are met: {met.sum()} of {len(bounded)}."]
    if missed:
        parts.append(f"Not met: {'; '.join(missed)}.")
    if len(absent):
        parts.append(f"Not measured: {', '.join(absent)}.")
    return Message(" ".join(parts))


def _unit(unit) -> list[str]:
    return [] if pd.isna(unit) else [unit]
