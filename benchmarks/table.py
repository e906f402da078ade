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
COLUMNS = ["name", "what", "value", "low", "high", "runs", "unit", "bound", "met"]
COLUMNS += ["machine"]

NAMES = (
    *("repro", "nothing_to_do", "book", "tests"),
    *("rendering", "extraction", "transcripts", "speech", "loading"),
    "blocks_agree",
    *("blocks_forward_float32", "blocks_forward_and_backward_float32"),
    *("blocks_forward_bfloat16", "blocks_forward_and_backward_bfloat16"),
    *("rate_MOSEI_simulated", "rate_MOSEI_paper"),
    *("rate_FIv2_simulated", "rate_FIv2_paper"),
    *("fusion_step", "extraction_usual", "observer", "drawn_study", "associations"),
    *("growth_extraction", "growth_training", "growth_evaluation", "growth_analysis"),
    "app",
)
"""What ``make bench`` measures; of what it has not, the table has a row of NaN."""

NOT_MEASURED = "not measured"


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


def met(value: float, bound: str | None) -> bool | None:
    """Whether a value is what it should be; None where there is no bound or no value.

    Parameters
    ----------
    value : float
    bound : str or None
        ``≤`` or ``≥`` and a number.

    Raises
    ------
    ValueError
        If the bound is neither.
    """
    if pd.isna(bound) or pd.isna(value):
        return None
    sign, _, limit = bound.partition(" ")
    if sign not in ("≤", "≥"):
        raise ValueError(f"bound {bound!r}: neither ≤ nor ≥ and a number")
    return bool(value <= float(limit) if sign == "≤" else value >= float(limit))


def merge(rows: list[dict]) -> None:
    """Put rows in place of those that the table has under the same names.

    Whether each meets its bound is worked out anew for all of them, and whatever of
    `NAMES` was not measured is named.
    """
    old = pd.read_csv(RESULTS) if RESULTS.exists() else pd.DataFrame(columns=COLUMNS)
    old = old[old["what"] != NOT_MEASURED].to_dict("records")
    new = {each["name"] for each in rows}
    table = [each for each in old if each["name"] not in new] + rows
    known = {each["name"] for each in table}
    absent = [name for name in NAMES if name not in known]
    table += [{"name": name, "what": NOT_MEASURED} for name in absent]
    found = pd.DataFrame(table, columns=COLUMNS)
    found["met"] = [
        met(*each) for each in zip(found["value"], found["bound"], strict=True)
    ]
    found["runs"] = found["runs"].astype("Int64")
    RESULTS.parent.mkdir(exist_ok=True)
    found.to_csv(RESULTS, index=False)
