"""Answers to the book's exercises, from the tables of the worlds that were tried."""

import pandas as pd

from sslmepr.association.sources import CROSS
from sslmepr.association.verdicts import PRESENT
from sslmepr.labels import select
from sslmepr.report.apa import apa_number
from sslmepr.report.overview import Findings
from sslmepr.report.words import plain


def pair_answer(found: pd.DataFrame, emotion: str, trait: str) -> Findings:
    """Whether a planted pair was found, and what was called beside it.

    Parameters
    ----------
    found : DataFrame
        Of one world, from `sslmepr.trials.exercises.try_world`.
    emotion, trait : str
    """
    found = select(found, source=CROSS)
    own = (found["emotion"] == emotion) & (found["trait"] == trait)
    row, others = found[own].iloc[0], found[~own]
    seen = "" if row["rated"] == row["planted"] else " in people, " + _labels(row)
    answer = "Yes" if row["verdict"] == PRESENT else "No"
    empty = others[others["rated"] == 0]
    sentences = [
        f"**{answer}.** Planted were {apa_number(row['planted'])}{seen}; found is "
        f"{plain(emotion)} with {plain(trait)} at r = {_interval(row)}: "
        f"*{row['verdict']}*."
    ]
    if len(empty):
        called = (empty["verdict"] == PRESENT).sum()
        held = empty["low"].le(0) & empty["high"].ge(0)
        sentences.append(
            f"Of the {len(empty)} pairs that are not associated, {called} "
            f"{'is' if called == 1 else 'are'} called present, and {held.sum()} "
            "intervals hold 0."
        )
    return Findings(sentences)


def sources_answer(found: pd.DataFrame) -> Findings:
    """What each source calls where nothing is associated, and how far it is off.

    Parameters
    ----------
    found : DataFrame
        Of one world or several, from `sslmepr.trials.exercises.try_world`.
    """
    sentences = []
    for source, rows in found.groupby("source", sort=False):
        empty = rows[rows["rated"] == 0]
        error = ((rows["r"] - rows["rated"]) ** 2).mean() ** 0.5
        sentences.append(
            f"**{plain(source).capitalize()}**: {int(empty['significant'].sum())} of "
            f"{len(empty)} pairs that are not associated are significant; the "
            f"root-mean-square error is {apa_number(error)}."
        )
    return Findings(sentences)


def labels_answer(found: pd.DataFrame, emotion: str) -> Findings:
    """What raters put into the associations of an emotion.

    Parameters
    ----------
    found : DataFrame
        Of one world, from `sslmepr.trials.exercises.try_world`.
    emotion : str
    """
    found = select(found, source=CROSS)
    rows = select(found, emotion=emotion)
    others = found[found["emotion"] != emotion]
    called, beside = ((each["verdict"] == PRESENT).sum() for each in (rows, others))
    halo = (others["planted"] == 0) & (others["rated"] != 0)
    by_halo = (halo & (others["verdict"] == PRESENT)).sum()
    told = (
        f"; in {by_halo} of these the labels do correlate, by the same halo, though "
        "nothing was planted"
        if beside
        else ""
    )
    ends = dict.fromkeys(map(apa_number, (rows["rated"].min(), rows["rated"].max())))
    return Findings(
        [
            f"**{plain(emotion).capitalize()}** is called present with {called} of "
            f"{len(rows)} traits, by r = {apa_number(rows['r'].min())} to "
            f"{apa_number(rows['r'].max())}, though in people its strongest planted "
            f"correlation is {apa_number(rows['planted'].abs().max())}. In the labels "
            f"of these raters it is {' to '.join(ends)}: the analysis reads labels, "
            "and tells nothing beyond them.",
            f"Of the {len(others)} pairs of other emotions, {beside} "
            f"{'is' if beside == 1 else 'are'} called present{told}.",
        ]
    )


def worlds_answer(found: pd.DataFrame, emotion: str, trait: str) -> Findings:
    """How often a pair is found over worlds that differ in who was drawn.

    Parameters
    ----------
    found : DataFrame
        Of several worlds, from `sslmepr.trials.exercises.try_world`.
    emotion, trait : str
    """
    found = select(found, source=CROSS)
    own = (found["emotion"] == emotion) & (found["trait"] == trait)
    rows, empty = found[own], found[found["rated"] == 0]
    called = (rows["verdict"] == PRESENT).sum()
    held = rows["rated"].between(rows["low"], rows["high"]).sum()
    wrong = (empty["verdict"] == PRESENT).groupby(empty["world"]).any().sum()
    return Findings(
        [
            f"**In {called} of {len(rows)} worlds** {plain(emotion)} with "
            f"{plain(trait)} is *present*; r lies between "
            f"{apa_number(rows['r'].min())} and {apa_number(rows['r'].max())}, "
            f"{apa_number(rows['r'].mean())} on average, where "
            f"{apa_number(rows['planted'].mean())} was planted and the labels of these "
            f"raters correlate by {apa_number(rows['rated'].mean())}.",
            f"{held} of {len(rows)} intervals hold the association of the labels; "
            f"something that is not there is called in {wrong} of the worlds.",
        ]
    )


def _labels(row: pd.Series) -> str:
    return f"{apa_number(row['rated'])} in the labels"


def _interval(row: pd.Series) -> str:
    low, high = apa_number(row["low"]), apa_number(row["high"])
    return f"{apa_number(row['r'])} [{low}, {high}]"
