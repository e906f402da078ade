"""How many promises there are and what keeps them, in sentences."""

import pandas as pd

from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.verification_table import kinds_of_machine


def promises_findings(promises: pd.DataFrame, history: pd.DataFrame) -> Findings:
    """Count promises, the ways in which they were tried, and machines.

    Parameters
    ----------
    promises : DataFrame
        promise, tried, right, tests (names with blanks between them).
    history : DataFrame
        From `sslmepr.report.verification_table.read_history`.
    """
    tests = promises["tests"].str.split().explode().nunique()
    answer = (
        f"**{promises['promise'].nunique()} promises** on damaged recordings, tables "
        "from spreadsheets, full disks, killed processes and other processors were "
        f"tried in {len(promises)} ways, and are kept by {tests} tests."
    )
    sure = (
        "The tests run with every change of the code. Results of this or an earlier "
        f"version were computed again on {kinds_of_machine(history)}."
    )
    unsaid = (
        "That nothing else can go wrong: a promise covers the ways in which it was "
        "tried. What is known not to be promised stands at the end of this page."
    )
    return Findings(first_screen(answer, sure, unsaid))
