"""Whether the associations of simulated worlds can be trusted, in sentences."""

import pandas as pd

from sslmepr.labels import select
from sslmepr.report.front_page import found, intervals_held, nothing_there
from sslmepr.report.overview import Findings, agreement_findings, first_screen


def validity_findings(
    cells: pd.DataFrame, agreement: pd.DataFrame, study: str, alpha: float
) -> Findings:
    """Count what is found, what is invented and which intervals hold.

    Parameters
    ----------
    cells : DataFrame
        study, planted, significant, low, high, rated.
    agreement : DataFrame
        study, metric, estimate, low, high, n_cells.
    study : str
        The one in which associations are planted; nothing is in all others.
    alpha : float
        Level of the tests.

    Returns
    -------
    Findings
    """
    told = [
        *found(select(cells, study=study), select(agreement, study=study)),
        *nothing_there(cells[cells["study"] != study], None, alpha),
    ]
    (held,) = intervals_held(cells, None)
    sure = (
        f"{held.replace('**', '')} These are {cells['study'].nunique()} worlds, a "
        "check and no error rate; the chapter on trials counts errors over many."
    )
    unsaid = (
        "An association of labels is one of impressions: the halo of raters is in it. "
        "And what holds for drawn people is necessary, and not sufficient, for trust "
        "in results on real ones."
    )
    return Findings(
        [*first_screen(" ".join(told), sure, unsaid), *agreement_findings(agreement)]
    )
