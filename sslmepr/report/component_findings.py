"""Findings on the components of the fusion model, in sentences."""

import pandas as pd

from sslmepr.evaluation.comparison import BASELINES
from sslmepr.report.overview import Findings
from sslmepr.report.tables import interval
from sslmepr.report.words import plain
from sslmepr.statistics.verdicts import BETTER, EQUIVALENT, UNDECIDED, WORSE

VERDICTS = {
    BETTER: "Better with it",
    WORSE: "Worse with it",
    EQUIVALENT: "As good without it",
    UNDECIDED: "Undecided",
}


def component_findings(
    gains: pd.DataFrame, metrics: dict[str, str], margin: float
) -> Findings:
    """Say what each component is worth, by verdict.

    Parameters
    ----------
    gains : DataFrame
        From `sslmepr.evaluation.component_gains.component_gains`.
    metrics : dict of str to str
        The metrics that count, and what they are about.
    margin : float
        Of equivalence.

    Returns
    -------
    Findings
        What the whole model gains over `BASELINES`, and one sentence for each verdict
        on components; `UNDECIDED` ones are named without numbers.
    """
    counted = gains[gains["metric"].isin(metrics)]
    whole = counted["component"].isin(BASELINES.values())
    sentences = [
        f"**The whole model** gains for {metrics[row.metric]} over "
        f"{plain(row.component)} {interval(row.gain, row.low, row.high, 4)}: "
        f"{row.verdict}."
        for row in counted[whole].itertuples()
    ]
    counted = counted[~whole]
    for verdict, words in VERDICTS.items():
        here = counted[counted["verdict"] == verdict]
        if verdict == EQUIVALENT:
            words += f" (within ±{margin:g})"
        told = [
            f"{plain(row.component, 'component')}"
            f"{' (not in the model)' if row.added else ''}"
            f" for {metrics[row.metric]}"
            + (
                f", {interval(row.gain, row.low, row.high, 4)}"
                if verdict != UNDECIDED
                else ""
            )
            for row in here.itertuples()
        ]
        sentences.append(f"**{words}**: {'; '.join(told) or 'none'}.")
    return Findings(sentences)
