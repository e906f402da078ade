"""Which emotions go with which traits, in sentences."""

import numpy as np
import pandas as pd
from scipy import stats

from sslmepr.association.cross_source import CrossSource
from sslmepr.association.cross_table import (
    ABSENT,
    PRESENT,
    UNDECIDED,
    CrossAssociations,
)
from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.report.apa import apa_number, apa_p
from sslmepr.report.overview import Findings
from sslmepr.report.words import plain

CLAIMS = {"sadness": -1, "happiness": 1}
"""Emotion to the sign of its mean correlation with the traits, as the paper found it
(Ryumina et al.)."""


def association_findings(
    found: CrossAssociations | None, refused: str, effect: float, confidence: float
) -> Findings:
    """Say which pairs are associated, which are not, and which remain open.

    Parameters
    ----------
    found : CrossAssociations or None
    refused : str
        Why there are none.
    effect : float
        Smallest correlation that matters.
    confidence : float

    Returns
    -------
    Findings
        Two sentences on the paper's finding, and one for each verdict.
    """
    if found is None:
        return Findings([f"**No verdict.** {refused[:1].upper()}{refused[1:]}."])
    sentences = [
        contrast(found.estimate, emotion, sign, confidence)
        for emotion, sign in CLAIMS.items()
    ]
    table = found.table.sort_values("r", key=np.abs, ascending=False, kind="stable")
    groups = {
        PRESENT: "Present",
        ABSENT: f"Absent (surely smaller than ±{effect:g})",
    }
    for verdict, words in groups.items():
        cells = table[table["verdict"] == verdict]
        pairs = [_pair(row) for row in cells.itertuples()]
        told = "; ".join(pairs) or "no pair"
        sentences.append(f"**{words}**, {len(pairs)} of {len(table)}: {told}.")
    open_ = (table["verdict"] == UNDECIDED).sum()
    sentences.append(
        f"**Undecided**, {open_} of {len(table)}: {found.estimate.n_clips} clips do "
        "not tell whether these pairs are associated."
    )
    return Findings(sentences)


def contrast(found: CrossSource, emotion: str, sign: int, confidence: float) -> str:
    """Test the mean correlation of an emotion with all traits against a claim.

    Parameters
    ----------
    found : CrossSource
    emotion : str
    sign : {-1, 1}
        That of the claim, which is tested one-sidedly.
    confidence : float

    Returns
    -------
    str
    """
    place = SCORED_EMOTIONS.index(emotion)
    mean = found.associations[place].mean()
    error = np.sqrt(
        sum((each[:, place].mean(1) ** 2).sum() for each in found.influence)
    )
    freedom = max(found.n_speakers - 1, 1)
    half = stats.t.ppf((1 + confidence) / 2, freedom) * error
    p = float(stats.t.sf(sign * mean / error, freedom))
    claim = "higher" if sign > 0 else "lower"
    said = "confirmed" if p < (1 - confidence) else "not confirmed"
    ends = ", ".join(apa_number(mean + side * half) for side in (-1, 1))
    return (
        f"**The paper's finding** that {plain(emotion)} goes with {claim} trait "
        f"scores: {said} (mean correlation with the five traits {apa_number(mean)} "
        f"[{ends}], {apa_p(p)}, one-sided)."
    )


def _pair(row) -> str:
    ends = f"[{apa_number(row.low)}, {apa_number(row.high)}]"
    return f"{plain(row.emotion)} with {plain(row.trait)}, {apa_number(row.r)} {ends}"


def verdict_table(table: pd.DataFrame) -> pd.DataFrame:
    """Cells in the order of the labels, with what a reader reports of them.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.cross_table.cell_table`.
    """
    r = [
        f"{apa_number(each.r)} [{apa_number(each.low)}, {apa_number(each.high)}]"
        for each in table.itertuples()
    ]
    shown = table[["emotion", "trait", "p_corrected", "verdict"]].copy()
    shown.insert(2, "r [interval]", r)
    return shown
