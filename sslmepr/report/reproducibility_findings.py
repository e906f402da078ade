"""Whether results can be computed again, and what that costs, in sentences."""

import pandas as pd

from sslmepr.report.costs import run_cost
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.verification_table import verified


def reproducibility_findings(
    history: pd.DataFrame, study: str, measured: pd.DataFrame
) -> Findings:
    """Say where results were computed again, what that means, and what it costs.

    Parameters
    ----------
    history : DataFrame
        From `sslmepr.report.verification_table.read_history`.
    study : str
    measured : DataFrame
        As of `sslmepr.report.costs.run_cost`.
    """
    sure = (
        "Every number is compared, and at most one in a thousand may move farther than "
        "the tolerances below and its interval allow; what is missing on either side "
        "fails by itself."
    )
    unsaid = (
        "What is computed again is not thereby right: all runs share the code, the "
        "corpora and the seeds."
    )
    told = first_screen(verified(history, study), sure, unsaid)
    return Findings([*told, f"**What it costs.** {run_cost(measured)}"])
