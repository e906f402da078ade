"""The verdict of a recorded study on the paper's claim, in sentences."""

import json
from pathlib import Path

import pandas as pd

from sslmepr.association.sources import DISJOINT
from sslmepr.report.apa import apa_p
from sslmepr.report.on_record import recorded
from sslmepr.report.overview import Findings

FINDINGS_FILE = "findings.json"
CHECKS_FILE = "assumptions.csv"

CLAIM = "**The paper's finding**"
"""What sentences on it begin with."""

DOUBT = "**This cannot be relied on**"
"""What a sentence on contradicted assumptions begins with."""


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
        `DISJOINT` modalities exists tells that no clip was seen in two. Last comes
        what contradicts the assumptions.

    Raises
    ------
    FileNotFoundError
        If the study has no associations.
    """
    folder = Path(folder)
    path = folder / FINDINGS_FILE
    if path.is_file():
        told = json.loads(path.read_text("utf-8"))
        return Findings([*told, *contradictions(folder / CHECKS_FILE)])
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


def contradictions(path: str | Path) -> list[str]:
    """A sentence on what contradicts the assumptions of the verdicts.

    Parameters
    ----------
    path : path
        Table of `sslmepr.association.assumption_checks.check_assumptions`; if it is not
        there, or no check fails, there is no sentence.
    """
    checks = recorded(path)
    if checks.empty:
        return []
    failed = checks[checks["verdict"] == "fails"].set_index("assumption")
    told = list(failed["reason"].dropna())
    if "conditions" in failed.index:
        p = apa_p(failed.loc["conditions", "p"])
        told.insert(0, f"its conditions do not hold together (Hansen's J, {p})")
    if not told:
        return []
    return [
        f"{DOUBT}, neither a verdict on the paper's finding nor any pair: the data "
        f"contradict what the analysis assumes, {'; '.join(told)}."
    ]


def real_people(folder: str | Path) -> list[str]:
    """What the recorded study of published corpora says of the paper's claim.

    Parameters
    ----------
    folder : path
        ``results/<study>/association``.

    Returns
    -------
    list of str
        One sentence or more, as one item; empty if nothing is on record.
    """
    if not Path(folder, "associations.csv").is_file():
        return []
    told = recorded_verdicts(folder).sentences
    told = [each for each in told if each.startswith((CLAIM, DOUBT))] or told[:1]
    return ["**Real people** (published corpora): " + " ".join(told).replace("**", "")]
