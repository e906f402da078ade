"""The verdict of a recorded study on the paper's claim, in sentences."""

import json
from pathlib import Path

import pandas as pd

from sslmepr.association.preregistration import read_primary
from sslmepr.association.sources import DISJOINT
from sslmepr.report.apa import apa_p
from sslmepr.report.association_findings import claims_in_short
from sslmepr.report.on_record import recorded
from sslmepr.report.overview import Findings

FINDINGS_FILE = "findings.json"
CHECKS_FILE = "assumptions.csv"

CLAIM = "**The paper's finding**"
"""What sentences on it begin with."""

DOUBT = "**No verdict can be relied on**"
"""What a sentence on contradicted assumptions begins with."""

NOT_RELIABLE = (
    "**Not to be relied on, since the data contradict what the analysis assumes**: "
)
"""What stands before verdicts where a check of the assumptions fails."""

FAILED = {
    "conditions": "several ways to the same number disagree by more than chance ({})",
    "covariances": "scores go together differently in the clips that were rated for "
    "emotions and in those that were rated for traits ({})",
    "corpora": "the clips rated for emotions and those rated for traits, each alone, "
    "give different associations ({})",
    "labels": "the clips with both labels give different associations ({})",
}
"""Tests of `sslmepr.association.assumption_checks`, in the order in which they are told
of any study, and what it means that one fails, with its p."""


def recorded_verdicts(folder: str | Path) -> Findings:
    """Say what a study found of the paper's claim, or why it can find nothing.

    Parameters
    ----------
    folder : path
        ``results/<study>/association``.

    Returns
    -------
    Findings
        Those of `sslmepr.report.association_findings.association_findings`. Results
        that an earlier version recorded do not have them: there, that no correlation of
        `DISJOINT` modalities exists tells that no clip was seen in two. What
        contradicts the assumptions comes first.

    Raises
    ------
    FileNotFoundError
        If the study has no associations.
    """
    folder = Path(folder)
    path = folder / FINDINGS_FILE
    if path.is_file():
        told = json.loads(path.read_text("utf-8"))
        return Findings([*contradictions(recorded(folder / CHECKS_FILE)), *told])
    known = pd.read_csv(folder / "associations.csv")
    if (known["source"] == DISJOINT).any():
        reason = (
            "The recorded run is older than the estimator from three sources and has "
            "to be repeated"
        )
    else:
        reason = (
            "No clip of the recorded run was seen in two modalities, so that errors "
            "which predictions of emotions and traits share cannot be told from "
            "associations"
        )
    return Findings(
        [
            "**The paper's finding** that happiness goes with higher and sadness with "
            "lower trait scores: **no verdict**, the associations of the labels are "
            f"not identified. {reason}. Correlations of predictions are neither "
            "evidence for it nor against it."
        ]
    )


def rejected(checks: pd.DataFrame) -> list[str]:
    """What contradicts the assumptions of the verdicts, in words.

    Parameters
    ----------
    checks : DataFrame
        From `sslmepr.association.assumption_checks.assumption_checks`; may be empty.

    Returns
    -------
    list of str
        For each check that fails, tests first.
    """
    if checks.empty:
        return []
    failed = checks[checks["verdict"] == "fails"].set_index("assumption")
    told = [
        words.format(apa_p(failed.loc[name, "p"]))
        for name, words in FAILED.items()
        if name in failed.index
    ]
    return [*told, *failed.loc[~failed.index.isin(FAILED), "reason"]]


def contradictions(checks: pd.DataFrame) -> list[str]:
    """A sentence on what contradicts the assumptions of the verdicts.

    Parameters
    ----------
    checks : DataFrame
        As of `rejected`; if no check fails, there is no sentence.
    """
    told = rejected(checks)
    if not told:
        return []
    return [
        f"{DOUBT}, neither on the paper's finding nor on any pair: the data contradict "
        f"what the analysis assumes, since {'; '.join(told)}. Verdicts are shown all "
        "the same, for what would follow if the assumptions held."
    ]


def caution(checks: pd.DataFrame) -> str:
    """What stands beside a single estimate, also where it is copied into a paper.

    Parameters
    ----------
    checks : DataFrame
        As of `rejected`; if no check fails, this is empty.
    """
    told = "; ".join(rejected(checks))
    return told and f"This is doubtful, since the data contradict the model: {told}."


def recorded_people(folder: str | Path, whom: str) -> list[str]:
    """What a recorded study says of the paper's claim.

    Parameters
    ----------
    folder : path
        ``results/<study>/association``.
    whom : str
        Its people: what the item begins with.

    Returns
    -------
    list of str
        One sentence or more, as one item; empty if nothing is on record.
    """
    if not Path(folder, "associations.csv").is_file():
        return []
    told = recorded_verdicts(folder).sentences
    doubts = [each for each in told if each.startswith(DOUBT)]
    claims = claims_in_short(read_primary(folder))
    claims = claims or [each for each in told if each.startswith(CLAIM)] or told[:1]
    told = [*doubts, *claims]
    return [f"{whom}: " + " ".join(told).replace("**", "")]
