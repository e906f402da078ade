"""Which emotions go with which traits, in sentences."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sslmepr.association.cross_table import (
    ABSENT,
    PRESENT,
    UNDECIDED,
    CrossAssociations,
)
from sslmepr.association.grid import CELL
from sslmepr.association.planning import USUAL_POWER, deciding
from sslmepr.association.sources import BRIDGED, COMBINED, CROSS
from sslmepr.association.verdicts import OPPOSITE
from sslmepr.params.analysis import Association
from sslmepr.report.apa import apa_number, apa_p, counted, p_alone
from sslmepr.report.chapter_tables import Message, show_table
from sslmepr.report.choice import Choice
from sslmepr.report.known_truth import truths
from sslmepr.report.overview import Findings
from sslmepr.report.tables import Table
from sslmepr.report.words import plain

CLAIMS = {"positive": "with higher", "negative": "with lower"}

STRONGEST = 3
"""Pairs that a sentence names, of those that are present."""

SAID = {
    PRESENT: "confirmed",
    ABSENT: "refuted, it is surely smaller than what matters",
    UNDECIDED: "not confirmed",
    OPPOSITE: "refuted, the sign is the opposite",
}

WOULD_BE = {
    PRESENT: "would be confirmed if the assumptions held",
    ABSENT: "would be refuted if the assumptions held",
    UNDECIDED: "not confirmed",
    OPPOSITE: "would be refuted if the assumptions held",
}
"""What is said instead where the data contradict the assumptions."""


def association_findings(
    found: CrossAssociations | None,
    refused: str,
    primary: pd.DataFrame,
    settings: Association,
    precision: pd.DataFrame,
    bridged: pd.DataFrame,
    choice: Choice | None = None,
    doubted: bool = False,
) -> Findings:
    """Say which pairs are associated, which are not, and which remain open.

    Parameters
    ----------
    found : CrossAssociations or None
    refused : str
        Why there are none.
    primary : DataFrame
        From `sslmepr.association.preregistration.primary_table`; empty if there are
        none.
    settings : Association
    precision : DataFrame
        From `sslmepr.association.planning.precision`.
    bridged : DataFrame
        Table of `sslmepr.association.bridged.Bridged`; may be empty.
    choice : Choice, optional
        Of which pairs; absent: of all.
    doubted : bool
        Whether the data contradict the assumptions.

    Returns
    -------
    Findings
        A sentence on each mean over all traits that was expected to have a sign, one
        for each verdict on the thirty cells, and one on doubly labelled clips, if there
        are any.
    """
    if found is None:
        return Findings([f"**No verdict.** {refused[:1].upper()}{refused[1:]}."])
    means = primary[(primary["traits"] == "all") & primary["direction"].isin(CLAIMS)]
    table = found.table.sort_values("r", key=np.abs, ascending=False, kind="stable")
    if choice is not None:
        means, table, bridged = map(choice.of, (means, table, bridged))
    said = WOULD_BE if doubted else SAID
    sentences = [_claim(row, len(primary), said) for row in means.itertuples()]
    groups = {
        PRESENT: "Present",
        ABSENT: f"Absent (surely smaller than ±{settings.smallest_effect:g})",
    }
    for verdict, words in groups.items():
        cells = table[table["verdict"] == verdict]
        pairs = [pair(row) for row in cells.itertuples()]
        told = "; ".join(pairs[:STRONGEST]) or "no pair"
        if len(pairs) > STRONGEST:
            told += f"; and {len(pairs) - STRONGEST} more, in the table below"
        sentences.append(f"**{words}**, {len(pairs)} of {len(table)}: {told}.")
    open_ = table[table["verdict"] == UNDECIDED]
    undecided = f"**Undecided**, {len(open_)} of {len(table)}"
    if len(open_):
        needed = clips_to_decide(precision, settings).merge(open_[CELL], on=CELL)
        about = float(f"{needed['clips'].median():.2g}")
        seen = found.estimate
        clips = counted(seen.n_clips, seen.n_crossed, seen.n_speakers)
        undecided += (
            f": {clips} are too few to tell whether these pairs go "
            "together or not. For the typical one, about "
            f"{about:,.0f} clips would tell whether it is as large as "
            f"±{settings.smallest_effect:g} or absent"
        )
    sentences.append(f"{undecided}.")
    if len(bridged):
        sentences.append(with_both_labels(bridged))
    return Findings(sentences)


def clips_to_decide(precision: pd.DataFrame, settings: Association) -> pd.DataFrame:
    """Clips of all corpora together that decide on each pair, present or absent.

    Parameters
    ----------
    precision : DataFrame
        From `sslmepr.association.planning.precision`.
    settings : Association

    Returns
    -------
    DataFrame
        emotion, trait, clips.
    """
    needed = deciding(precision, settings, USUAL_POWER)
    return needed.groupby(CELL, sort=False)["clips"].sum().reset_index()


def verdict_cells(
    table: pd.DataFrame, precision: pd.DataFrame, settings: Association
) -> pd.DataFrame:
    """Each pair with its verdict, and what would decide those that are open.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.cross_table.cell_table`.
    precision, settings
        As of `clips_to_decide`.

    Returns
    -------
    DataFrame
        emotion, trait, r, low, high, verdict, clips (that would decide; missing where
        the verdict is not `UNDECIDED`).
    """
    cells = table[[*CELL, "r", "low", "high", "verdict"]]
    cells = cells.merge(clips_to_decide(precision, settings), on=CELL)
    open_ = cells["verdict"] == UNDECIDED
    return cells.assign(clips=cells["clips"].where(open_))


def with_both_labels(bridged: pd.DataFrame) -> str:
    """What is found with the help of clips that carry both labels.

    Parameters
    ----------
    bridged : DataFrame
        As of `association_findings`, with rows.
    """
    parts = dict(list(bridged.groupby("source")))
    both = parts[COMBINED]
    width = {name: (each["high"] - each["low"]).mean() for name, each in parts.items()}
    return (
        f"**With the {parts[BRIDGED]['n'].iloc[0]} clips that carry both labels** "
        f"beside all others, {(both['verdict'] == PRESENT).sum()} of {len(both)} pairs "
        f"are present, and intervals are {apa_number(width[COMBINED])} wide on average "
        f"instead of {apa_number(width[CROSS])}. A study of corpora that share no "
        "label has no such clips, and the sentences above are what it can say."
    )


def _claim(row, endpoints: int, said: Mapping[str, str]) -> str:
    ends = ", ".join(apa_number(end) for end in (row.low, row.high))
    return (
        f"**The paper's finding** that {plain(row.emotion)} goes "
        f"{CLAIMS[row.direction]} trait scores: {said[row.verdict]} (mean correlation "
        f"with the five traits {apa_number(row.r)} [{ends}], {apa_p(row.p_family)}, "
        f"one-sided, corrected for the {endpoints} primary endpoints)."
    )


def claims_in_short(primary: pd.DataFrame) -> list[str]:
    """Say of the paper's claims whether they are confirmed, for a front page.

    Parameters
    ----------
    primary : DataFrame
        As of `primary_shown`; without such endpoints, there is no sentence.
    """
    means = primary[(primary["traits"] == "all") & primary["direction"].isin(CLAIMS)]
    told = "; ".join(
        f"that {plain(row.emotion)} goes {CLAIMS[row.direction]} trait scores is "
        f"{SAID[row.verdict]} ({apa_number(row.r)} [{apa_number(row.low)}, "
        f"{apa_number(row.high)}])"
        for row in means.itertuples()
    )
    return [f"The paper's finding {told}."] if told else []


def primary_shown(
    primary: pd.DataFrame, truth: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The primary endpoints as a reader reports them.

    Parameters
    ----------
    primary : DataFrame
        From `sslmepr.association.preregistration.primary_table`.
    truth : DataFrame, optional
        As of `sslmepr.report.known_truth.truths`.

    Returns
    -------
    DataFrame
        emotion, traits, direction, r with its interval, the truth and whether the
        interval holds it (if it is known), p_family, verdict.
    """
    names = ["emotion", "traits", "direction"]
    shown = _with_interval(primary, names, ["p_family", "verdict"])
    shown["p_family"] = shown["p_family"].map(p_alone)
    if truth is not None:
        known = truths(primary, truth)
        held = known.between(primary["low"], primary["high"])
        shown.insert(4, "truth", known.map(apa_number))
        shown.insert(5, "held", held.map({True: "yes", False: "no"}))
    return shown


def pair(row) -> str:
    """A pair with its correlation and interval; `row` is a named tuple of a table."""
    ends = f"[{apa_number(row.low)}, {apa_number(row.high)}]"
    return f"{plain(row.emotion)} with {plain(row.trait)}, {apa_number(row.r)} {ends}"


def verdict_table(table: pd.DataFrame) -> pd.DataFrame:
    """Cells in the order of the labels, with what a reader reports of them.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.cross_table.cell_table`.
    """
    shown = _with_interval(table, ["emotion", "trait"], ["p_corrected", "verdict"])
    return shown.assign(p_corrected=shown["p_corrected"].map(p_alone))


def halo_shown(table: pd.DataFrame, traits: str) -> pd.DataFrame:
    """Associations with the halo that could explain them.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.halo.sensitivity`.
    traits : {"trait", "traits"}
        Its column that names them: of one cell, or of an endpoint.

    Returns
    -------
    DataFrame
        emotion, `traits`, r with its interval, verdict, robustness (in words where no
        halo is strong enough).
    """
    shown = _with_interval(table, ["emotion", traits], ["verdict"])
    return shown.assign(
        robustness=[
            "no halo can" if value > 1 else apa_number(value)
            for value in table["robustness"]
        ]
    )


def noise_tabs(table: pd.DataFrame) -> dict[str, Table | Message]:
    """The endpoints under each reliability of the labels.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.association.label_noise.reliability_range`; may be empty.

    Returns
    -------
    dict of str to Table or Message
        Heading to what it shows.
    """
    if table.empty:
        return {"None": Message("There are no verdicts to correct.")}
    panels = {}
    for name, part in table.groupby("reliability", sort=False):
        heading = "of these raters" if name == "raters" else apa_number(float(name))
        if part["r"].isna().any():
            panels[heading] = Message(
                f"Labels cannot be as unreliable: {part['reason'].iloc[0]}."
            )
            continue
        shown = _with_interval(part, ["emotion", "traits"], ["verdict"])
        shown.insert(3, "shown", part["shown"].map(apa_number))
        panels[heading] = show_table(shown)
    return panels


def _with_interval(
    table: pd.DataFrame, names: list[str], further: list[str]
) -> pd.DataFrame:
    r = [
        f"{apa_number(each.r)} [{apa_number(each.low)}, {apa_number(each.high)}]"
        for each in table.itertuples()
    ]
    shown = table[[*names, *further]].copy()
    shown.insert(len(names), "r [interval]", r)
    return shown
