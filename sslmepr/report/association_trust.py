"""How far associations can be believed, told where they are claimed."""

from collections.abc import Container, Mapping
from pathlib import Path

import pandas as pd

from sslmepr.association.sources import CROSS, DISJOINT
from sslmepr.association.verdicts import (
    ABSENT,
    OPPOSITE,
    PRESENT,
    SIGNS,
    UNDECIDED,
)
from sslmepr.labels import select
from sslmepr.report.apa import apa_number, p_alone
from sslmepr.report.association_findings import CLAIMS, SAID, pair
from sslmepr.report.on_record import recorded
from sslmepr.report.power_findings import (
    COVERED,
    NOMINAL,
    false_alarms,
    pairs_held,
    share,
)
from sslmepr.report.recorded_verdicts import NOT_RELIABLE
from sslmepr.report.words import plain, pretty

NAMED = 4
"""Pairs that are named above the matrix."""

DOUBTED = {
    PRESENT: "which would confirm it if the assumptions held",
    ABSENT: "which would refute it if the assumptions held",
    OPPOSITE: "which would refute it if the assumptions held",
    UNDECIDED: "too uncertain even if the assumptions held",
}
"""What an estimate says where the data contradict the assumptions."""

UNLIKE = "unlike domains"
"""Drawn worlds whose corpora show emotions, and traits, with different strength."""

CHECKED = {
    "conditions": "all together (Hansen's J)",
    "covariances": "one joint law: covariances of scores",
    "corpora": "one joint law: associations",
    "sensors": "errors of one sensor",
    "emotion scores": "scores carry all emotions",
    "trait scores": "scores carry all traits",
    "joint": "labels do not determine each other",
    "labels": "clips with both labels agree",
}
"""Rows of `sslmepr.association.assumption_checks` to the words of readers."""

OVERLAPS = {
    "480 clips": "cues apart",
    "cues overlap by 30 degrees": "overlap by 30°",
    "cues overlap by 60 degrees": "overlap by 60°",
}
"""Kinds of drawn worlds, of equal size, by how alike the cues of emotions and traits
are, in words."""

UNSAID = (
    "**What it does not say.** That an undecided pair is unrelated; that happy people "
    "*are* more extraverted, since labels are impressions of strangers, in which "
    "raters may favour happy people on every trait (**halo**); that one causes the "
    "other; anything about a single person."
)


def in_short(table: pd.DataFrame, doubted: bool, held: str = "") -> str:
    """What is found of pairs, in one item that stands above their matrix.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.cross_table.cell_table`, of all pairs or some.
    doubted : bool
        Whether the data contradict the assumptions.
    held : str
        In how many pairs intervals hold the truth, where it is known.
    """
    counts = table["verdict"].value_counts()
    present, absent, undecided = (
        counts.get(each, 0) for each in (PRESENT, ABSENT, UNDECIDED)
    )
    cells = table[table["verdict"] == PRESENT]
    cells = cells.sort_values("r", key=abs, ascending=False, kind="stable")
    named = "; ".join(map(pair, cells.head(NAMED).itertuples()))
    named = f" ({'the strongest: ' if present > NAMED else ''}{named})" if named else ""
    told = (
        f"{present} of {len(table)} pairs of an emotion and a trait {{}}{named}, "
        f"{absent} {{}} too weak to matter, and {undecided} {{}} undecided"
    )
    if doubted:
        told = told.format("would go together", "would be", "would be")
        told = f"{NOT_RELIABLE}were that not so, {told}."
    else:
        whom = ", for simulated people" if held else ""
        told = f"**Answer{whom}**: {told.format('go together', 'are', 'are')}."
    truth = f" The truth is known here: intervals hold it in {held}." if held else ""
    return told + truth


def unlike_corpora(strengths: pd.DataFrame, drawn: pd.DataFrame) -> list[str]:
    """How unlike corpora show emotions and traits, and what is done about it.

    Parameters
    ----------
    strengths : DataFrame
        From `sslmepr.association.cue_strength.cue_strengths`; may be empty.
    drawn : DataFrame
        From `sslmepr.trials.worlds.summarise`.

    Returns
    -------
    list of str
        One sentence, or none if every interval holds 1.
    """
    unequal = unlike(strengths)
    if unequal.empty:
        return []
    told = "; ".join(
        f"{plain(row.task, 'task')} change scores "
        f"{apa_number(row.cue_strength)} [{apa_number(row.low)}, "
        f"{apa_number(row.high)}] times as much in the corpus "
        f"{plain(row.corpus, 'corpus')}"
        for row in unequal.itertuples()
    )
    sentence = (
        f"**Corpora show emotions and traits with different strength**: {told} as in "
        "the corpus with their labels. The analysis divides the scores of each "
        "modality by such factors, as their covariances tell them."
    )
    kind = drawn[drawn["condition"] == UNLIKE]
    if len(kind):
        (called,) = false_alarms(kind)["estimate"]
        sentence += (
            f" In drawn worlds that differ in such a way (*{UNLIKE}*), its intervals "
            f"hold the truth in {pairs_held(kind)}, and some pair is called present in "
            f"{share(called)} of those in which nothing is associated."
        )
    return [sentence]


def unlike(strengths: pd.DataFrame) -> pd.DataFrame:
    """The strengths of cues whose interval leaves out 1.

    Parameters
    ----------
    strengths : DataFrame
        As of `unlike_corpora`.
    """
    if strengths.empty:
        return strengths
    return strengths[(strengths["low"] > 1) | (strengths["high"] < 1)]


def checks_shown(checks: pd.DataFrame) -> pd.DataFrame:
    """Checks of assumptions, in words that do not say more than they found.

    Parameters
    ----------
    checks : DataFrame
        From `sslmepr.association.assumption_checks.assumption_checks`.
    """
    if checks.empty:
        return checks
    words, held = checks["verdict"].copy(), checks["verdict"] == "holds"
    words[held & checks["p"].notna()] = "not rejected"  # others are no tests
    return checks.assign(
        assumption=checks["assumption"].replace(CHECKED),
        p=checks["p"].map(p_alone, na_action="ignore"),
        verdict=words,
    )


def held_caption(drawn: pd.DataFrame, source: str = CROSS) -> str:
    """How often intervals of a kind held the truth, to stand below them.

    Parameters
    ----------
    drawn : DataFrame
        From `sslmepr.trials.worlds.summarise`.
    source : str
        Of `sslmepr.association.sources`: whose intervals.
    """
    return (
        f"Intervals promise {share(NOMINAL)}. Those of {plain(source)} hold the "
        f"correlation of the labels in {pairs_held(drawn, source)}."
    )


def uncounted(drawn: pd.DataFrame) -> str:
    """What stands below intervals of single sources, which share prediction errors.

    Parameters
    ----------
    drawn : DataFrame
        As of `held_caption`.
    """
    return (
        "Intervals are over people. How often these hold the "
        "correlation of the labels was not counted; those of disjoint modalities, "
        f"which share fewer errors, hold it in {pairs_held(drawn, DISJOINT)}."
    )


def counted_or_not(path: str | Path, source: str) -> str:
    """How often intervals of estimates from doubly labelled clips hold the truth.

    Parameters
    ----------
    path : path
        Of the trial's summary (`sslmepr.trials.worlds.summarise`); may not exist.
    source : str
        Of `sslmepr.association.sources`.
    """
    columns = ["source", "metric", "estimate", "worlds"]
    known = select(recorded(path, columns), source=source, metric=COVERED)
    if known.empty:
        return (
            f"How often intervals of estimates *{plain(source)}* hold the truth was "
            "not counted: such worlds are not on record."
        )
    return (
        f"In {int(known['worlds'].sum()):,} drawn worlds intervals of estimates "
        f"*{plain(source)}* hold the truth in {pairs_held(known, source)}."
    )


def claims_table(
    claims: Mapping[str, int],
    endpoints: Mapping[str, pd.DataFrame],
    doubted: Container[str] = (),
    truth: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """What the paper claims, and what each study says of it.

    Parameters
    ----------
    claims : mapping of str to int
        Emotion to the sign of its mean association with all traits.
    endpoints : mapping of str to DataFrame
        Name of a study to its primary endpoints, as from
        `sslmepr.association.preregistration.read_primary`; without rows where
        associations are not identified.
    doubted : container of str
        Studies whose assumptions the data contradict.
    truth : DataFrame, optional
        emotion, trait, rated: the true correlations of the labels, if they are known.

    Returns
    -------
    DataFrame
        One row for each claim: the claim of the paper, a column for each study, and the
        truth, if it is known.
    """
    directions = {sign: name for name, sign in SIGNS.items()}
    rows = []
    for emotion, sign in claims.items():
        row = {
            "claim of the paper": f"{plain(emotion)} {CLAIMS[directions[sign]]} scores"
        }
        for study, table in endpoints.items():
            mine = table[(table["emotion"] == emotion) & (table["traits"] == "all")]
            row[study] = _verdict(mine, study in doubted)
        if truth is not None:
            mine = truth.loc[truth["emotion"] == emotion, "rated"]
            row["truth of simulated labels"] = apa_number(mine.mean())
        rows.append(row)
    return pd.DataFrame(rows)


def _verdict(endpoint: pd.DataFrame, doubted: bool) -> str:
    if endpoint.empty:
        return "no verdict: not identified"
    row = endpoint.iloc[0]
    r, low, high = (apa_number(row[name]) for name in ("r", "low", "high"))
    if doubted:
        return f"{r} [{low}, {high}], {DOUBTED[row['verdict']]}"
    return f"{SAID[row['verdict']].partition(',')[0]}, {r} [{low}, {high}]"


def halo_dots(pairs: pd.DataFrame) -> pd.DataFrame:
    """How robust to halo pairs are, for a figure.

    Parameters
    ----------
    pairs : DataFrame
        From `sslmepr.association.halo.sensitivity`.

    Returns
    -------
    DataFrame
        name, estimate (1 where no halo is strong enough), low (0) and high (the
        estimate again), of pairs whose interval leaves out 0; the least robust first.
    """
    robust = pairs[pairs["robustness"] > 0].sort_values("robustness", kind="stable")
    value = robust["robustness"].clip(upper=1)
    return pd.DataFrame(
        {
            "name": robust["emotion"].map(pretty) + " × " + robust["trait"].map(plain),
            "estimate": value,
            "low": 0.0,
            "high": value,
        }
    ).reset_index(drop=True)


def overlap_dots(drawn: pd.DataFrame) -> pd.DataFrame:
    """What is called in worlds without associations, by overlap of cues.

    Parameters
    ----------
    drawn : DataFrame
        From `sslmepr.trials.worlds.summarise`.

    Returns
    -------
    DataFrame
        name (of the overlap), group (source), estimate, low, high.
    """
    called = select(drawn, metric="familywise_error", strength=0.0)
    called = called[called["condition"].isin(OVERLAPS)]
    order = called["condition"].map([*OVERLAPS].index).argsort(kind="stable")
    called = called.iloc[order].assign(
        name=called["condition"].map(OVERLAPS), group=called["source"].map(plain)
    )
    return called[["name", "group", "estimate", "low", "high"]]


def strength_dots(strengths: pd.DataFrame) -> pd.DataFrame:
    """Strength of cues by task and corpus, for a figure.

    Parameters
    ----------
    strengths : DataFrame
        As of `unlike_corpora`; estimates that there are not are left out.

    Returns
    -------
    DataFrame
        name, estimate, low, high.
    """
    if strengths.empty:
        return pd.DataFrame(columns=["name", "estimate", "low", "high"])
    known = strengths.dropna(subset="cue_strength")
    names = [
        f"{pretty(row.task, 'task')}, {plain(row.corpus, 'corpus')}"
        for row in known.itertuples()
    ]
    known = known.assign(name=names, estimate=known["cue_strength"])
    return known[["name", "estimate", "low", "high"]]
