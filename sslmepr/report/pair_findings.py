"""Each pair of an emotion and a trait in sentences, and what the study says of all."""

import html
import re

import numpy as np
import pandas as pd

from sslmepr.association.grid import CELL
from sslmepr.association.influence_tests import intervals
from sslmepr.association.planning import USUAL_POWER, deciding
from sslmepr.association.verdicts import ABSENT, PRESENT, UNDECIDED
from sslmepr.params.analysis import Association
from sslmepr.report.apa import apa_correlation, apa_number, apa_p, counted
from sslmepr.report.association_findings import clips_to_decide, verdict_table
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.pair_export import CORRECTIONS, clips_of
from sslmepr.report.power_findings import error_rates
from sslmepr.report.recorded_verdicts import NOT_RELIABLE, contradictions
from sslmepr.report.words import plain, pretty

NAMED = 12
"""Most pairs that a sentence lists."""

UNSAID = (
    "Correlations are those of what raters say about clips, of emotions that are seen "
    "and of traits that strangers ascribe; they are no causes, and say nothing about a "
    "single person."
)


def refusal(table: pd.DataFrame) -> str:
    """Why a study's associations are not identified; empty if they are.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.cross_table.read_table`.
    """
    return "" if table["r"].notna().all() else str(table["reason"].iloc[0])


def explorer_findings(
    pairs: pd.DataFrame,
    precision: pd.DataFrame,
    settings: Association,
    refused: str,
    checks: pd.DataFrame,
    drawn: pd.DataFrame,
) -> Findings:
    """What a study says of all pairs, how sure that is, and what it does not say.

    Parameters
    ----------
    pairs, precision, settings, refused
        As of `study_pairs`.
    checks : DataFrame
        From `sslmepr.association.assumption_checks.assumption_checks`; may be empty.
    drawn : DataFrame
        From `sslmepr.report.power_findings.read_drawn`.
    """
    found = study_pairs(pairs, precision, settings, refused)
    if refused:
        return found
    doubts = contradictions(checks)
    doubted = f"{NOT_RELIABLE}by the tests alone, " if doubts else ""
    answer = doubted + " ".join(found.sentences)
    sure = " ".join([*doubts, error_rates(drawn, settings.alpha)])
    return Findings(first_screen(answer, sure.replace("**", ""), UNSAID))


def study_pairs(
    pairs: pd.DataFrame,
    precision: pd.DataFrame,
    settings: Association,
    refused: str = "",
) -> Findings:
    """What a study says of all pairs, and what would decide on the others.

    Parameters
    ----------
    pairs : DataFrame
        From `sslmepr.report.pair_export.tidy_export`.
    precision : DataFrame
        From `sslmepr.association.planning.read_precision`.
    settings : Association
    refused : str
        From `refusal`: why there are no pairs.

    Returns
    -------
    Findings
    """
    if refused:
        return Findings([f"**No verdict.** {refused[:1].upper()}{refused[1:]}."])
    effect = apa_number(settings.smallest_effect)
    groups = {
        PRESENT: "are associated",
        ABSENT: f"are surely smaller than ±{effect}",
    }
    sentences = []
    for verdict, words in groups.items():
        mine = pairs[pairs["verdict"] == verdict]
        mine = mine.sort_values("r", key=np.abs, ascending=False, kind="stable")
        told = _listed([_together(row) for row in mine.itertuples()])
        sentences.append(f"**{len(mine)} of {len(pairs)} pairs {words}**{told}.")
    open_ = pairs.loc[pairs["verdict"] == UNDECIDED, CELL]
    sentence = (
        f"**{len(open_)} of {len(pairs)} pairs are undecided** after "
        f"{clips_of(pairs.iloc[0])}"
    )
    if len(open_):
        times = deciding(precision, settings, USUAL_POWER).merge(open_, on=CELL)
        middle = times["times"].median()
        sentence += (
            f"; the typical one would take {_times(middle)} as many to be decided, "
            "present or absent"
        )
    return Findings([*sentences, f"{sentence}."])


def _listed(told: list[str]) -> str:
    shown = told[:NAMED]
    more = [f"and {len(told) - NAMED} more"] if len(told) > NAMED else []
    return f": {'; '.join([*shown, *more])}" if told else ""


def _together(row) -> str:
    return f"{plain(row.emotion)} with {plain(row.trait)} ({apa_number(row.r)})"


def _times(value: float) -> str:
    return f"{value:.1f} times" if value < 10 else f"{value:,.0f} times"


def told_pairs(
    pairs: pd.DataFrame,
    precision: pd.DataFrame,
    settings: Association,
    primary: pd.DataFrame,
    halo: pd.DataFrame,
    doubt: str = "",
) -> pd.DataFrame:
    """What readers are told of each pair.

    Parameters
    ----------
    pairs, precision, settings
        As of `study_pairs`.
    primary : DataFrame
        From `sslmepr.association.preregistration.read_primary`.
    halo : DataFrame
        emotion, trait and robustness, of `sslmepr.association.halo.sensitivity`; pairs
        that it lacks are told without.
    doubt : str
        From `sslmepr.report.recorded_verdicts.caution`; stands with every verdict.

    Returns
    -------
    DataFrame
        emotion, trait, r, low, high, verdict; and, as HTML, said (the verdict in
        words, and that of a registered endpoint), report (a sentence in APA style),
        needed (the clips that decide) and halo (what halo would have to be).
    """
    needed = dict(list(deciding(precision, settings, USUAL_POWER).groupby(CELL)))
    told = pairs[[*CELL, "r", "low", "high", "verdict"]].copy()
    rows = list(pairs.itertuples())
    registered = endpoints_of(primary)
    told["said"] = [
        _said(row, settings)
        + _as_endpoint(
            row, registered.get((row.emotion, row.trait)), len(pairs), len(primary)
        )
        + html.escape(doubt and f" {doubt}", False)
        for row in rows
    ]
    told["report"] = [_report(row, settings, len(pairs), doubt) for row in rows]
    told["needed"] = [
        _needed(row.verdict, needed[row.emotion, row.trait], settings) for row in rows
    ]
    robust = halo.set_index(CELL)["robustness"]
    told["halo"] = [
        _by_halo(row.emotion, robust.get((row.emotion, row.trait))) for row in rows
    ]
    return told


def _by_halo(emotion: str, robustness: float | None) -> str:
    if robustness is None:
        return ""
    if robustness == 0:
        return "Its interval holds 0, so that no halo is needed to explain it."
    if robustness > 1:
        return "Not even halo that goes perfectly with the emotion would explain it."
    return (
        "Halo (raters who like a person rate every trait higher) would have to "
        f"correlate with {plain(emotion)} by at least {apa_number(robustness)} to "
        "explain it; weaker halo cannot."
    )


def _said(row, settings: Association) -> str:
    emotion, trait = plain(row.emotion), plain(row.trait)
    effect = apa_number(settings.smallest_effect)
    words = {
        PRESENT: f"more {emotion} goes with {'more' if row.r > 0 else 'less'} {trait}",
        ABSENT: f"{emotion} and {trait} go together less than ±{effect}, surely",
        UNDECIDED: f"these clips do not tell whether {emotion} goes with {trait}",
    }
    return f"<strong>{pretty(row.verdict)}</strong>: {words[row.verdict]}."


def endpoints_of(primary: pd.DataFrame) -> dict:
    """Emotion and trait to the endpoint that is this pair, as a named tuple.

    Parameters
    ----------
    primary : DataFrame
        From `sslmepr.association.preregistration.read_primary`.
    """
    return {(each.emotion, each.traits): each for each in primary.itertuples()}


def _as_endpoint(row, endpoint, pairs: int, endpoints: int) -> str:
    """The verdict on a pair that was registered beforehand, and why both stand."""
    if endpoint is None:
        return ""
    sided = "two-sided" if endpoint.direction == "none" else "one-sided"
    p = html.escape(apa_p(endpoint.p_family), False)
    told = (
        f" As one of {endpoints} endpoints registered beforehand: <strong>"
        f"{pretty(endpoint.verdict).lower()}</strong> ({p}, {sided}, corrected for the "
        f"{endpoints})."
    )
    if endpoint.verdict == row.verdict:
        return told
    return (
        f"{told} Both are right: {endpoints} tests whose direction was said before "
        f"need less evidence each than {pairs} without. The endpoint's verdict is the "
        f"study's answer, that among {pairs} is exploration."
    )


def _report(row, settings: Association, tests: int, doubt: str) -> str:
    correction = CORRECTIONS.get(settings.correction, settings.correction)
    effect = apa_number(settings.smallest_effect)
    one, other = pretty(row.emotion), plain(row.trait)
    number = apa_correlation(pd.Series(row._asdict()), settings.confidence)
    number = number.replace(", p ", ", p_adj ")
    number += f" (corrected for {tests} tests by {correction})"
    small = f"two one-sided tests against ±{effect}, {apa_p(row.p_equivalence)}"
    if row.verdict == PRESENT:
        side = "positively" if row.r > 0 else "negatively"
        told = f"{one} was {side} associated with {other}, {number}"
    elif row.verdict == ABSENT:
        level = 1 - 2 * settings.alpha
        ends = intervals(np.array(row.r), np.array(row.error), level, row.n_speakers)
        low, high = (apa_number(float(end)) for end in ends[:2])
        told = (
            f"{one} and {other} were equivalent to unrelated, r = {apa_number(row.r)}, "
            f"{100 * level:g}% CI [{low}, {high}], {small}"
        )
    else:
        told = (
            f"Whether {plain(row.emotion)} is associated with {other} remained "
            f"undecided, {number}; {small}"
        )
    told += f"; N = {counted(row.n, row.n_crossed, row.n_speakers)}."
    told += doubt and f" {doubt}"
    told = html.escape(told, False).replace("p_adj ", "<em>p</em><sub>adj</sub> ")
    return re.sub(r"\b([rpN])(?= (=|&lt;) )", r"<em>\1</em>", told)


def _needed(verdict: str, needed: pd.DataFrame, settings: Association) -> str:
    if verdict != UNDECIDED:
        return "Decided with the clips of this study."
    effect = apa_number(settings.smallest_effect)
    corpora = "; ".join(
        f"{row.clips:,} clips of {row.speakers:,} people "
        f"({plain(row.corpus, 'corpus')})"
        for row in needed.itertuples()
    )
    return html.escape(
        f"To decide it, present or absent: {_times(needed['times'].iloc[0])} the clips "
        f"of this study, that is {corpora}. A correlation of ±{effect} is then found, "
        "and one of 0 called absent, each with a probability of "
        f"{100 * USUAL_POWER:g} %.",
        False,
    )


def all_pairs(
    pairs: pd.DataFrame,
    precision: pd.DataFrame,
    settings: Association,
    primary: pd.DataFrame,
) -> pd.DataFrame:
    """A table of all pairs, for readers.

    Parameters
    ----------
    pairs, precision, settings, primary
        As of `told_pairs`.

    Returns
    -------
    DataFrame
        emotion, trait, r [interval], p_corrected, verdict, endpoint (the verdict on a
        pair that was registered, if any was) and clips to decide (of all
        corpora together; none for what is decided).
    """
    clips = clips_to_decide(precision, settings)
    shown = verdict_table(pairs).merge(clips, on=CELL)
    open_ = shown["verdict"] == UNDECIDED
    registered = endpoints_of(primary)
    cells = list(zip(shown["emotion"], shown["trait"], strict=True))
    verdicts = [getattr(registered.get(each), "verdict", None) for each in cells]
    if any(verdicts):
        shown.insert(shown.columns.get_loc("verdict") + 1, "endpoint", verdicts)
    shown["clips to decide"] = shown.pop("clips").map("{:,}".format).where(open_)
    return shown
