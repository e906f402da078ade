"""Whether the associations of simulated worlds can be trusted, in sentences."""

import pandas as pd

from sslmepr.association.sources import CROSS
from sslmepr.labels import select
from sslmepr.report.apa import apa_number
from sslmepr.report.front_page import found, intervals_held, nothing_there
from sslmepr.report.overview import Findings, agreement_findings, first_screen
from sslmepr.report.power_findings import error_rates
from sslmepr.report.words import plain


def validity_findings(
    cells: pd.DataFrame,
    agreement: pd.DataFrame,
    study: str,
    alpha: float,
    sources: pd.DataFrame | None = None,
    drawn: pd.DataFrame | None = None,
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
    sources : DataFrame, optional
        As of `simpler_sources`.
    drawn : DataFrame, optional
        From `sslmepr.report.power_findings.read_drawn`.

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
        "check and no error rate."
    )
    if drawn is not None:
        sure += f" {error_rates(drawn, alpha)}"
    unsaid = (
        "An association of labels is one of impressions: the halo of raters is in it. "
        "And what holds for drawn people is necessary, and not sufficient, for trust "
        "in results on real ones."
    )
    more = [] if sources is None else simpler_sources(sources, study)
    return Findings(
        [
            *first_screen(" ".join(told), sure, unsaid),
            *more,
            *agreement_findings(agreement),
        ]
    )


def simpler_sources(agreement: pd.DataFrame, study: str) -> list[str]:
    """Which sources come nearer the truth in size, and what they call.

    Parameters
    ----------
    agreement : DataFrame
        source, study, metric, estimate, low, high, n_cells: of three sources and of
        correlations of predictions or labels.
    study : str
        As of `validity_findings`.

    Returns
    -------
    list of str
        A sentence, or none if no other source has a smaller error.
    """
    errors = select(agreement, study=study, metric="rmse").set_index("source")
    if CROSS not in errors.index:
        return []
    mine = errors.loc[CROSS]
    nearer = errors[errors["estimate"] < mine["estimate"]].sort_values("estimate")
    if nearer.empty:
        return []
    told = "; ".join(
        f"{plain(source)} {_error(row)}" for source, row in nearer.iterrows()
    )
    other = agreement[agreement["study"] != study]
    alarms = other[other["metric"] == "false_positive_rate"]
    called = [
        f"{plain(row.source)} {round(row.estimate * row.n_cells)} of {row.n_cells}"
        for row in alarms.itertuples()
        if row.n_cells
    ]
    but = f" Of pairs that are not associated, each calls: {'; '.join(called)}."
    return [
        f"**Simpler sources come nearer in size here**: three sources err by "
        f"{_error(mine)} (root mean square over pairs), {told}."
        + (but if called else "")
    ]


def _error(row: pd.Series) -> str:
    return f"{apa_number(row['estimate'])} [{apa_number(row['low'])}, " + (
        f"{apa_number(row['high'])}]"
    )
