"""Benchmarks of speed and memory against their bounds."""

import pandas as pd

from sslmepr.report.chapter_tables import Message

NOT_MEASURED = "not measured"


def verdict(table: pd.DataFrame) -> Message:
    """Summarise bounds that are met, bounds that are not, and missing measurements.

    Parameters
    ----------
    table : DataFrame
        name, what, value, unit, bound, met, as in ``results/benchmarks.csv``.

    Returns
    -------
    Message
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
