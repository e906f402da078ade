"""Tolerances and history of the verification of results.

`sslmepr.report.verification` uses the tolerances and writes the history.
"""

import math
import subprocess
from pathlib import Path
from typing import NamedTuple

import pandas as pd

HISTORY = Path("results/verification.csv")
"""One row per machine and study that was verified."""


class Kind(NamedTuple):
    """A kind of number and its tolerance."""

    name: str
    tolerance: float
    per: str
    numbers: str
    why: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "metric",
            0.006,
            "",
            "estimates, correlations, differences and whatever is none of the below; "
            "with an interval, at least a third of its width",
            "what the interval says of it, it would say again; how far scores moved "
            "from processor to processor stands below",
        ),
        Kind(
            "interval end",
            0.005,
            "",
            "low and high ends of intervals; at least a third of the width",
            "they lie in the tails of the bootstrap, where replicates are few",
        ),
        Kind(
            "p",
            0.02,
            "",
            "p-values; at least a fifth of the one on record",
            "where it is middling, a p-value moves more than its correlation",
        ),
        Kind(
            "one clip",
            5.0,
            "clips",
            "weighted accuracy, AUC, F1, recall of a single emotion or seed, with "
            "their ends; at least as for the two above",
            "one clip at its threshold, of an emotion that a fifth of the clips show",
        ),
        Kind(
            "one cell",
            1.0,
            "cells",
            "shares of cells (or of worlds) that are significant, covered, of the "
            "expected sign, with their ends",
            "one cell at its limit",
        ),
        Kind(
            "clips",
            0.05,
            "",
            "columns of tables with a row for every clip: 1 less the concordance",
            "outputs and attributions of single clips have no intervals",
        ),
        Kind(
            "examples",
            0.5,
            "",
            "share of the clips shown in a table that only one has",
            "examples are chosen by what the model says of them",
        ),
        Kind(
            "decision",
            1.0,
            "",
            "yes or no, verdicts; may turn only where a number of its row differs too, "
            "and none by more than it may",
            "an association at its limit",
        ),
        Kind(
            "training",
            0.01,
            "",
            "losses and dev scores of single epochs and runs",
            "one clip of a small dev split, and rounding that grows from step to step",
        ),
        Kind(
            "epochs",
            3.0,
            "",
            "after how many epochs training ended; those that only one has are not "
            "compared",
            "of nearly equal dev scores another may be the best",
        ),
        Kind("count", 0.0, "", "clips, speakers, seeds", "nothing is rounded"),
        Kind("text", 0.0, "", "names, reasons, kinds of interval", "as above"),
        Kind("file", 0.0, "", "files, rows and columns that only one has", "as above"),
        Kind(
            "provenance",
            math.inf,
            "",
            "where results were computed and with what",
            "says what may differ, and is not compared",
        ),
    )
}

MACHINES = ["study", "processor", "blas", "torch", "date", "commit"]
MACHINES += ["compared", "outside", "on_record_now"]

ARITHMETIC = ["blas", "torch"]
"""Of a row of the history: which code and which instructions computed."""


def tolerances() -> pd.DataFrame:
    """Tolerances of `compare`: kind, tolerance, numbers, why."""
    rows = []
    for kind in KINDS.values():
        allowed = "not compared"
        if kind.tolerance < math.inf:
            allowed = f"{kind.tolerance:g}" + (f" / {kind.per}" if kind.per else "")
        rows.append((kind.name, allowed, kind.numbers, kind.why))
    return pd.DataFrame(rows, columns=["kind", "tolerance", "numbers", "why"])


def read_history(path: str | Path = HISTORY) -> pd.DataFrame:
    """Read the history of verifications; no rows if there is none.

    Returns
    -------
    DataFrame
        With a column on_record_now: whether the results that were verified are those on
        record, NaN where git does not know.
    """
    if not Path(path).exists():
        return pd.DataFrame(columns=["study"])
    table = pd.read_csv(path, dtype={"commit": str})
    root = Path(path).resolve().parent
    now = {study: _tree(root, "HEAD", study) for study in table["study"].unique()}
    table["on_record_now"] = [
        None
        if None in (then := _tree(root, commit, study), now[study])
        else then == now[study]
        for commit, study in zip(table["commit"], table["study"], strict=True)
    ]
    return table


def _tree(folder: Path, commit: str, study: str) -> str | None:
    """Git's hash of a study's results at a commit; None if git does not know it."""
    words = ["git", "rev-parse", "--verify", "-q", f"{commit}:./{study}"]
    try:
        done = subprocess.run(
            words, cwd=folder, check=True, capture_output=True, text=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()


def machines(history: pd.DataFrame) -> pd.DataFrame:
    """Machines and studies that were verified, with counts outside tolerance.

    Parameters
    ----------
    history : DataFrame
        From `read_history`.
    """
    return history.reindex(columns=MACHINES)


def kinds_of_machine(history: pd.DataFrame) -> str:
    """On how many kinds of processor and of arithmetic results were computed again.

    Parameters
    ----------
    history : DataFrame
        From `read_history`.
    """
    processors = history.reindex(columns=["processor"]).drop_duplicates()
    arithmetic = history.reindex(columns=ARITHMETIC).drop_duplicates()
    return " and ".join(
        f"{len(each)} kind{'s' * (len(each) != 1)} of {what}"
        for each, what in ((processors, "processor"), (arithmetic, "arithmetic"))
    )


def verified(history: pd.DataFrame, study: str) -> str:
    """Whether a study was computed again, when, where, and with what outcome.

    Parameters
    ----------
    history : DataFrame
        From `read_history`.
    study : str
    """
    mine = history[history["study"] == study]
    if mine.empty:
        return "**Not computed again yet**: `make verify` does it."
    current = mine[mine["on_record_now"].isin([True])]
    last = (mine if current.empty else current).sort_values("date", kind="stable")
    last = last.iloc[-1]
    outcome = (
        "none of them outside its tolerance"
        if not last["outside"]
        else f"{int(last['outside']):,} of them outside their tolerance"
    )
    farthest = last.get("farthest")
    if last["outside"] and isinstance(farthest, str):
        outcome += f", farthest {farthest}"
    told = (
        f"{int(last['compared']):,} numbers were compared with those of commit "
        f"{last['commit'][:7]}, {outcome}. Results of this or an earlier version were "
        f"verified on {kinds_of_machine(mine)}, those on record now on "
        f"{kinds_of_machine(current) if len(current) else 'none'}."
    )
    where = f"on {last['date']} ({last['processor']}, {last['blas']}, {last['torch']})"
    if len(current):
        return f"**Computed again** last {where}: {told}"
    if mine["on_record_now"].isna().all():
        doubt = "Whether those are the results on record is not known here."
        return f"**Computed again** last {where}: {told} {doubt}"
    return (
        "**The results on record were not computed again yet**; earlier ones were, "
        f"last {where}: {told} `make verify` compares those of today."
    )


def last_comparison(history: pd.DataFrame, study: str) -> pd.DataFrame:
    """Largest differences in a study's last verification.

    Parameters
    ----------
    history : DataFrame
        From `read_history`.
    study : str

    Returns
    -------
    DataFrame
        kind, tolerance, largest (difference); no rows if the study was never verified.
    """
    mine = history[history["study"] == study]
    allowed = tolerances()[["kind", "tolerance"]]
    if mine.empty:
        return allowed.head(0).assign(largest=[])
    largest = mine.iloc[-1].reindex("largest " + allowed["kind"])
    table = allowed.assign(largest=largest.to_numpy(float))
    return table.dropna(subset="largest").reset_index(drop=True)
