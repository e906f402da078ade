"""A plan of clips and speakers, as a reader has it."""

import pandas as pd

from sslmepr.association.planning import (
    CALL_ABSENT,
    FIND,
    FIND_MEAN,
    MEAN_OF_TRAITS,
    MEASURE,
)
from sslmepr.report.apa import apa_number
from sslmepr.report.words import plain, pretty

QUESTIONS = {
    FIND: "Find a pair with r = ±{}",
    FIND_MEAN: "Find a mean over the traits of ±{}",
    CALL_ABSENT: "Call a pair absent (surely within ±{})",
    MEASURE: "Measure a pair to ±{}",
}
"""Question of a plan to its words, in which the size is to be put."""


def plan_table(plan: pd.DataFrame) -> pd.DataFrame:
    """One row for each question and case.

    Parameters
    ----------
    plan : DataFrame
        From `sslmepr.association.planning.plan`.

    Returns
    -------
    DataFrame
        question, case, times this study and, for each corpus, clips (people), all of
        them text; no rows for a plan without any.
    """
    rows = []
    keys = ["question", "size", "case", "emotion", "trait"]
    for (question, size, case, *cell), part in plan.groupby(keys, sort=False):
        row = {
            "question": QUESTIONS[question].format(apa_number(size)),
            "case": f"{case}: {_which(*cell)}",
            "times this study": f"{part['times'].iloc[0]:.2f}",
        }
        for each in part.itertuples():
            needed = f"{each.clips:,} ({each.speakers:,})"
            row[pretty(each.corpus, "corpus")] = needed
        rows.append(row)
    return pd.DataFrame(rows)


def _which(emotion: str, trait: str) -> str:
    if trait == MEAN_OF_TRAITS:
        return plain(emotion)
    return f"{plain(emotion)} with {plain(trait)}"
