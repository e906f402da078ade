"""Findings on the components of the fusion model, in sentences."""

import pandas as pd

from sslmepr.evaluation.comparison import BASELINES
from sslmepr.evaluation.scores import LATE_FUSION, LINEAR_FUSION
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.tables import interval, number
from sslmepr.report.words import plain
from sslmepr.statistics.verdicts import BETTER, EQUIVALENT, UNDECIDED, WORSE

F1 = "mF1"
"""Score of emotions, beside balanced accuracy, that is told of real people."""

VERDICTS = {
    BETTER: "Better with it",
    WORSE: "Worse with it",
    EQUIVALENT: "As good without it",
    UNDECIDED: "Undecided",
}


def component_findings(
    gains: pd.DataFrame, metrics: dict[str, str], margin: float
) -> Findings:
    """Say which components are worth something, by verdict.

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
        One sentence for each verdict, with the names of the components and of what
        they are better or worse for.
    """
    counted = gains[gains["metric"].isin(metrics)]
    counted = counted[~counted["component"].isin(BASELINES.values())]
    sentences = []
    for verdict, words in VERDICTS.items():
        here = counted[counted["verdict"] == verdict]
        if verdict == EQUIVALENT:
            words += f" (within ±{margin:g})"
        told = [
            f"{plain(name, 'component')}{', not in the model' if added else ''}"
            f" ({' and '.join(metrics[each] for each in rows['metric'])})"
            for (name, added), rows in here.groupby(["component", "added"], sort=False)
        ]
        sentences.append(f"**{words}**: {'; '.join(told) or 'none'}.")
    return Findings(sentences)


def stage_3_finding(gains: pd.DataFrame, metrics: dict[str, str]) -> str:
    """A sentence on what stage 3 adds to late fusion and to linear fusion.

    Parameters
    ----------
    gains, metrics
        As of `component_findings`.

    Returns
    -------
    str
        Empty where nothing was compared with late fusion.
    """
    counted = gains[gains["metric"].isin(metrics)]
    late = counted[counted["component"] == LATE_FUSION]
    if late.empty:
        return ""
    told = {
        verdict: " and ".join(metrics[name] for name in part["metric"])
        for verdict, part in late.groupby("verdict", sort=False)
    }
    answer = "adds nothing measurable to late fusion"
    if BETTER in told:
        answer = f"adds to late fusion for {told[BETTER]}"
    if WORSE in told:
        answer += f" and is worse for {told[WORSE]}"
    linear = counted[counted["component"] == LINEAR_FUSION]
    above = f"; over linear fusion of features, {_gains(linear, metrics)}"
    return (
        f"**Stage 3 {answer}**: its gains are {_gains(late, metrics)}"
        f"{above if len(linear) else ''}. Late fusion is a regression on what the "
        "modalities predict after stage 2. Stage 3 starts from it, and corrects it."
    )


def _gains(rows: pd.DataFrame, metrics: dict[str, str]) -> str:
    """Each gain with its interval, verdict and what it is for."""
    return ", ".join(
        f"{gained(row)} for {metrics[row.metric]} ({row.verdict})"
        for row in rows.itertuples()
    )


def gained(row, digits: int = 3) -> str:
    """A gain with its sign and its interval."""
    told = interval(row.gain, row.low, row.high, digits)
    return f"+{told}" if row.gain > 0 else told


def elsewhere_finding(
    gains: pd.DataFrame, other: pd.DataFrame, metrics: dict[str, str]
) -> str:
    """A sentence on what parts that help here are worth in published corpora.

    Parameters
    ----------
    gains, metrics
        As of `component_findings`.
    other : DataFrame
        Gains of the same parts in the recorded study of real people.

    Returns
    -------
    str
        Empty where no part helps, or none of those is in `other`.
    """
    if other.empty:
        return ""
    counted = gains[gains["metric"].isin(metrics) & ~gains["added"].astype(bool)]
    helps = counted.loc[counted["verdict"] == BETTER, "component"]
    helps = helps[~helps.isin(BASELINES.values())].unique()
    shown = other[other["metric"].isin([*metrics, F1]) & ~other["added"].astype(bool)]
    told = []
    for name in helps:
        mine = shown[shown["component"] == name]
        differs = mine[mine["verdict"].isin([BETTER, WORSE])]
        each = " and ".join(
            f"{plain(row.metric)} is {row.verdict} ({gained(row)})"
            for row in differs.itertuples()
        )
        if len(mine):
            words = each or "no difference can be measured"
            told.append(f"with {plain(name, 'component')}, {words}")
    if not told:
        return ""
    return (
        "That parts that help here also help with real people: in the published "
        f"corpora, {'; '.join(told)}."
    )


def ablation_findings(
    gains: pd.DataFrame,
    metrics: dict[str, str],
    confidence: float,
    other: pd.DataFrame | None = None,
) -> Findings:
    """How many components help, how sure that is, and what it does not say.

    Parameters
    ----------
    gains, metrics
        As of `component_findings`.
    confidence : float
        Of the intervals.
    other : DataFrame, optional
        As of `elsewhere_finding`.

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
    elsewhere = "" if other is None else elsewhere_finding(gains, other, metrics)
    answer = f"{stage_3_finding(gains, metrics)} {answer}".strip()
    return Findings(first_screen(answer, sure, f"{elsewhere} {unsaid}".strip()))
