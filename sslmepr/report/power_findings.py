"""Whether the associations can be believed, in sentences."""

import pandas as pd

from sslmepr.association.sources import CROSS, DISJOINT
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.words import plain

NOMINAL = 0.95
BAND = (0.93, 0.98)
"""Coverage that counts as nominal."""


def coverage(summary: pd.DataFrame, source: str = CROSS) -> tuple[float, float]:
    """Smallest and largest coverage over kinds of worlds.

    Parameters
    ----------
    summary : DataFrame
        From `sslmepr.trials.worlds.summarise`.
    source : str
    """
    values = _of(summary, source, "covers_planted")["estimate"]
    return float(values.min()), float(values.max())


def power_findings(summary: pd.DataFrame, alpha: float) -> Findings:
    """Say how often intervals hold the truth, and how often false alarms occur.

    Parameters
    ----------
    summary : DataFrame
        From `sslmepr.trials.worlds.summarise`.
    alpha : float
        Level of the tests.

    Returns
    -------
    Findings
        On coverage, on kinds of worlds in which it fails, on worlds without any
        association, and on disjoint modalities, if they are on record.
    """
    covered = _of(summary, CROSS, "covers_planted")
    held = covered["estimate"].between(*BAND)
    sentences = [
        f"**Intervals hold the truth** in {_share(covered['estimate'].min())} to "
        f"{_share(covered['estimate'].max())} of the cells, over {len(covered)} kinds "
        f"of worlds ({int(covered['worlds'].sum())} worlds); {_share(NOMINAL)} are "
        f"promised, and {held.sum()} kinds lie within {_share(BAND[0])} to "
        f"{_share(BAND[1])}."
    ]
    if not held.all():
        named = [
            f"{row.condition} at |r| = {row.strength:g} ({_share(row.estimate)})"
            for row in covered[~held].itertuples()
        ]
        sentences.append(f"**Outside it**: {'; '.join(named)}.")
    called = _of(summary, CROSS, "largest_t_error")
    called = called[called["strength"] == 0]
    if len(called):
        told = "; ".join(
            f"{row.condition} {_share(row.estimate)}"
            for row in called.sort_values("estimate", ascending=False).itertuples()
        )
        sentences.append(
            "**Where nothing is associated**, something is called by the largest |t| "
            f"in this share of worlds ({_share(alpha)} at most are promised): {told}."
        )
    sentences += _beside(summary)
    return Findings(sentences)


def _beside(summary: pd.DataFrame) -> list[str]:
    other = _of(summary, DISJOINT, "covers_planted")
    if other.empty:
        return []
    keys = ["condition", "strength"]
    errors = _of(summary, DISJOINT, "rmse").merge(
        _of(summary, CROSS, "rmse"), on=keys, suffixes=("_other", "_mine")
    )
    better = (errors["estimate_mine"] < errors["estimate_other"]).sum()
    return [
        f"**{plain(DISJOINT).capitalize()}**, which leave the leak of cues as it is, "
        f"hold the truth in {_share(other['estimate'].min())} to "
        f"{_share(other['estimate'].max())}; in {better} of {len(errors)} kinds of "
        "worlds three sources have the smaller root-mean-square error."
    ]


def _of(summary: pd.DataFrame, source: str, metric: str) -> pd.DataFrame:
    return summary[(summary["source"] == source) & (summary["metric"] == metric)]


def _share(value: float) -> str:
    return f"{100 * value:.1f} %".replace(".0 %", " %")


def trials_findings(summary: pd.DataFrame, alpha: float) -> list[str]:
    """Sentences of `power_findings`; how sure they are, and what they do not say.

    These two follow the first sentence.

    Parameters
    ----------
    summary, alpha
        As of `power_findings`.
    """
    answer, *more = power_findings(summary, alpha).sentences
    covered = _of(summary, CROSS, "covers_planted")
    half = (covered["high"] - covered["low"]).max() / 2
    sure = (
        f"Each kind was drawn {covered['worlds'].min()} to {covered['worlds'].max()} "
        f"times, so that these shares are known to within {100 * half:.1f} percentage "
        "points."
    )
    unsaid = (
        "Worlds are drawn as features, not filmed, from the laws of the simulation: a "
        "share holds for real people only as far as they are like one of these kinds."
    )
    return [*first_screen(answer, sure, unsaid), *more]
