"""What was found, for whoever reads nothing else: sentences of front page and README.

Each claim stands with its limit: scores with guessing and the best that could be known,
pairs that are found with those that are invented, intervals with how often they hold.
"""

import textwrap
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.association.preregistration import read_primary
from sslmepr.labels import FUSED, select
from sslmepr.report.apa import apa_number
from sslmepr.report.confirmation import NEW, as_registered, bounds_told
from sslmepr.report.costs import run_cost
from sslmepr.report.known_truth import beside, cells_held, claims_held
from sslmepr.report.measurement_findings import by_networks
from sslmepr.report.on_record import recorded
from sslmepr.report.overview import ENDS, recognition
from sslmepr.report.power_findings import (
    NOMINAL,
    false_alarms,
    pairs_called,
    pairs_held,
    share,
)
from sslmepr.report.recorded_verdicts import real_people, recorded_people
from sslmepr.report.words import plain

REAL = Path("results", "real", "association")
DRAWN = Path("results", "trials", "power", "drawn.csv")
CONFIRMED = Path("results", "confirm")
BENCHMARKS = Path("results", "benchmarks.csv")

RECOGNITION = ["people", "metric", "estimate", "low", "high"]
"""Columns of the scores of new people that are told."""

NAMED = 6
"""Pairs that are named of those that were called."""

CAVEAT = (
    "**What may not be concluded.** Personality here is *apparent*: the impression "
    "that strangers form of a person within seconds, not a fact about that person. A "
    "correlation of labels may come from raters who like whom they see (halo), and is "
    "no cause. Nothing here may be used to judge a person."
)


def front_page(study: str, alpha: float, folder: str | Path = ".") -> list[str]:
    """What was found in simulated and in real people, each claim with its limits.

    Parameters
    ----------
    study : str
        A simulated one, whose results are in ``results/<study>``.
    alpha : float
        Level of the tests.
    folder : path
        Of the repository.

    Returns
    -------
    list of str
        Markdown. What is not on record is left out.

    Raises
    ------
    FileNotFoundError
        If the stages ``evaluate`` and ``validity`` have not run.
    """
    folder = Path(folder)
    results = folder / "results" / study
    cells = pd.read_csv(results / "validity" / "cells.csv")
    drawn = pd.read_csv(folder / DRAWN) if (folder / DRAWN).exists() else None
    agreement = pd.read_csv(results / "validity" / "agreement.csv")
    covered = results / "evaluate" / "covered.csv"
    if covered.exists():
        told = recognised(pd.read_csv(covered), last_confirmed(folder / CONFIRMED))
    else:  # while scores of the held-out corpus are hidden
        told = recognition(pd.read_csv(results / "evaluate" / "metrics.csv"))
    own = select(cells, study=study)
    claims = claims_held(read_primary(results / "association"), own)
    curve = recorded(results / "measurement" / "specifications.csv")
    verdicts = recorded_people(results / "association", "**Simulated people**")
    return [
        *told,
        *(" ".join([each, *claims, *by_networks(curve)]) for each in verdicts),
        *found(own, select(agreement, study=study)),
        *nothing_there(cells[cells["study"] != study], drawn, alpha),
        *intervals_held(cells, drawn),
        *confirmed(folder / CONFIRMED),
        *real_people(folder / REAL),
    ]


def recognised(covered: pd.DataFrame, newer: "Confirmed | None" = None) -> list[str]:
    """How well emotions and traits are told, between guessing and what can be known.

    Parameters
    ----------
    covered : DataFrame
        From `sslmepr.evaluation.scores.distance_covered`: modality, metric, estimate,
        low, high, baseline, ceiling, n.
    newer : Confirmed, optional
        Scores of people who were made afterwards stand beside these.
    """
    fused = covered[covered["modality"] == FUSED].set_index("metric")
    if not {"mWACC", "CCC"} <= set(fused.index):
        return []
    emotions, traits = fused.loc["mWACC"], fused.loc["CCC"]
    told, low, high, guess, best = (
        f"{100 * emotions[name]:.0f}"
        for name in ("estimate", "low", "high", "baseline", "ceiling")
    )
    score, least, most, top = (
        apa_number(traits[name]) for name in ("estimate", "low", "high", "ceiling")
    )
    return [
        f"**It recognises what is shown.** In {int(emotions['n'])} clips of people "
        f"from whom nothing was learned, {told} % [{low}, {high}] of the decisions "
        "whether an emotion is there are right, with present and absent counting alike "
        f"(guessing: {guess} %; the best that can be known: {best} %). Scores of "
        f"personality agree with those of raters by {score} [{least}, {most}] "
        f"(guessing: 0; the best that can be known: {top})."
        + (_of_new_people(newer) if newer else "")
    ]


def _of_new_people(last: "Confirmed") -> str:
    new = select(last.recognition, people=NEW).set_index("metric")
    if not {"mWACC", "CCC"} <= set(new.index):
        return ""
    right, least, most = (f"{100 * new.loc['mWACC', end]:.0f}" for end in ENDS)
    score, low, high = (apa_number(new.loc["CCC", end]) for end in ENDS)
    return (
        " Development has read these people. In people who were made afterwards, the "
        f"model of commit `{last.revision}` was right in {right} % [{least}, {most}], "
        f"and its scores of personality agreed by {score} [{low}, {high}]."
    )


def found(cells: pd.DataFrame, agreement: pd.DataFrame) -> list[str]:
    """Which planted pairs are found, how many others are called, and their sizes.

    Parameters
    ----------
    cells : DataFrame
        Of one world: emotion, trait, planted, rated, recovered, significant.
    agreement : DataFrame
        Of the same world: metric, estimate, low, high.
    """
    there = cells["planted"] != 0
    called = cells["significant"].astype(bool)
    size = agreement.set_index("metric").loc["slope"]
    slope, low, high = (apa_number(size[name]) for name in ("estimate", "low", "high"))
    strongest = cells[called].sort_values("recovered", key=abs, ascending=False)
    named = "; ".join(
        f"{plain(row.emotion)} with {plain(row.trait)} ({beside(row)})"
        for row in strongest.head(NAMED).itertuples()
    )
    pairs = ""
    if named:
        many = called.sum() > NAMED
        pairs = f" Called {'most strongly ' if many else ''}are {named}."
    halo = cells.loc[~there, "rated"].abs().max()
    others = (
        f", whose labels correlate by up to {apa_number(halo)} through the halo of "
        "raters alone"
        if halo > 0
        else ""
    )
    return [
        f"**It finds {(called & there).sum()} of the {there.sum()} pairs that are "
        "there**, of an emotion and a trait that were built into the simulated people "
        "though no clip carried both labels, and calls "
        f"{(called & ~there).sum()} of the {(~there).sum()} others{others}.{pairs} "
        f"Correlations come out at {slope} [{low}, {high}] times the correlation of "
        "the labels. A pair that is not found is undecided, not absent."
    ]


def nothing_there(
    cells: pd.DataFrame, drawn: pd.DataFrame | None, alpha: float
) -> list[str]:
    """What is called where nothing is associated.

    Parameters
    ----------
    cells : DataFrame
        Of worlds without associations: study, significant, low, high.
    drawn : DataFrame or None
        Summary of many drawn worlds (`sslmepr.trials.worlds.summarise`).
    alpha : float
        Level of the tests.
    """
    sentences = []
    if len(cells):
        half = apa_number((cells["high"] - cells["low"]).mean() / 2)
        sentences.append(
            f"it calls {int(cells['significant'].sum())} of {len(cells)} pairs, whose "
            f"intervals reach {half} to either side on average"
        )
    if drawn is not None:
        alarms = false_alarms(drawn)
        sentences.append(
            f"over {int(alarms['worlds'].sum()):,} drawn worlds of {len(alarms)} "
            f"kinds, {pairs_called(drawn, alpha)}"
        )
    if not sentences:
        return []
    return [f"**Where nothing is associated**, {'; '.join(sentences)}."]


def intervals_held(cells: pd.DataFrame, drawn: pd.DataFrame | None) -> list[str]:
    """How often intervals hold the truth, and in which pairs they do not.

    Parameters
    ----------
    cells : DataFrame
        Of simulated worlds: study, and as of `sslmepr.report.known_truth.cells_held`.
    drawn : DataFrame or None
        As of `nothing_there`.
    """
    own = " and ".join(
        f"in the {name} world in {cells_held(each)}"
        for name, each in cells.groupby("study", sort=False)
    )
    many = "" if drawn is None else f", and in {pairs_held(drawn)}"
    return [
        f"**Its intervals**, which promise {share(NOMINAL)}, hold the correlation "
        f"of the labels {own}{many}."
    ]


def confirmed(folder: str | Path) -> list[str]:
    """What a test that was fixed first found on people who were made after it.

    Parameters
    ----------
    folder : path
        Of `sslmepr.confirmation.attempts`; the last attempt that was finished is told.
    """
    last = last_confirmed(folder)
    return [_confirmed(last)] if last else []


class Confirmed(NamedTuple):
    """The last attempt that was finished, and how many began.

    Attributes
    ----------
    endpoints, worlds, recognition : DataFrame
        Its results; the latter two may be empty.
    attempt, attempts : int
        Its number, and that of the last that was begun.
    revision : str
        Commit of its code.
    """

    endpoints: pd.DataFrame
    worlds: pd.DataFrame
    recognition: pd.DataFrame
    attempt: int
    attempts: int
    revision: str


def last_confirmed(folder: str | Path) -> Confirmed | None:
    """The last attempt that was finished; None if none was.

    Parameters
    ----------
    folder : path
        As of `confirmed`.
    """
    log = Path(folder, "attempts.csv")
    text = {"hash": str, "revision": str}
    known = pd.read_csv(log, dtype=text) if log.is_file() else pd.DataFrame()
    finished = [*Path(folder).glob("*/endpoints.csv")]
    for row in reversed([*known.itertuples()]):
        # The folder of its results is named by the first digits of its fingerprint.
        own = [each for each in finished if row.hash.startswith(each.parent.name)]
        if own:
            worlds = recorded(own[0].with_name("worlds.csv"))
            people = recorded(own[0].with_name("recognition.csv"), RECOGNITION)
            counts = (row.attempt, len(known), row.revision)
            return Confirmed(pd.read_csv(own[0]), worlds, people, *counts)
    return None


def _confirmed(last: Confirmed) -> str:
    as_said = as_registered(last.endpoints)
    held = last.endpoints["covered"].astype(bool)
    clips, people = last.endpoints[["n", "n_speakers"]].iloc[0]
    return (
        "**In a test that was fixed before its people were made**, of the code of "
        f"commit `{last.revision}` (attempt {last.attempt} of {last.attempts}; "
        f"{clips:,} clips of {people:,} people), {as_said.sum()} of {len(held)} claims "
        f"came true, and {held.sum()} of {len(held)} intervals hold what was "
        f"planted{bounds_told(last.worlds)}. Code that came later is not confirmed by "
        "it; the chapter *A test that was fixed first* says whether today's is, and "
        "has every attempt."
    )


def summary(study: str, alpha: float, folder: str | Path = ".") -> str:
    """Findings, what they do not say, and what a run costs, as the README has them.

    Parameters
    ----------
    study, alpha, folder
        As of `front_page`.

    Returns
    -------
    str
        Markdown.
    """
    measured = pd.read_csv(Path(folder, BENCHMARKS))
    told = (_wrapped(f"- {each}", "  ") for each in front_page(study, alpha, folder))
    rest = (_wrapped(CAVEAT), _wrapped(f"**What it costs.** {run_cost(measured)}"))
    return "\n\n".join(["\n".join(told), *rest]) + "\n"


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, 90, subsequent_indent=indent, break_on_hyphens=False)
