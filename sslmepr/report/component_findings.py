"""Findings on the components of the fusion model, in sentences."""

import pandas as pd

from sslmepr.evaluation.comparison import BASELINES
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.tables import interval, number
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


def ablation_findings(
    gains: pd.DataFrame, metrics: dict[str, str], confidence: float
) -> Findings:
    """How many components help, how sure that is, and what it does not say.

    Parameters
    ----------
    gains, metrics
        As of `component_findings`.
    confidence : float
        Of the intervals.

    Returns
    -------
    Findings
        Empty where nothing could be compared.
    """
    counted = gains[gains["metric"].isin(metrics)]
    counted = counted[~counted["component"].isin(BASELINES.values())]
    if counted.empty:
        return Findings([])
    better = counted[counted["verdict"] == BETTER]
    told = ", ".join(
        f"{plain(row.component, 'component')} ({metrics[row.metric]}, by "
        f"{interval(row.gain, row.low, row.high, 3)})"
        for row in better.itertuples()
    )
    of_model = [
        f"{part.loc[part['verdict'] == BETTER, 'component'].nunique()} of the "
        f"{part['component'].nunique()} {words}"
        for added, words in ((False, "parts of the model"), (True, "that it lacks"))
        if len(part := counted[counted["added"] == added])
    ]
    answer = (
        f"**{' and '.join(of_model)} measurably help** on clips that no stage was "
        f"trained on: {told or 'none'}. Emotions are scored by balanced accuracy "
        "(mWACC; .5 is guessing), traits by concordance (CCC; 0 is guessing, 1 "
        "agreement)."
    )
    open_ = (counted["verdict"] == UNDECIDED).sum()
    chance = (1 - confidence) * len(counted)
    sure = (
        f"Each was left out or added with {counted['n_seeds'].max()} seeds of "
        f"training. Of {len(counted)} comparisons on {counted['n'].max():,} clips, "
        f"{open_} stayed undecided, and chance alone would make about "
        f"{number(chance, 1)} differ."
    )
    unsaid = (
        "A part without a gain here may have one where there is more for it to do; and "
        "gains on these people were seen while the model was made."
    )
    return Findings(first_screen(answer, sure, unsaid))
