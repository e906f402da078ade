"""What was found, for whoever reads nothing else: sentences of front page and README.

Answers come first; behind them are the numbers that limit them: pairs that are found
and that are invented, how often intervals hold, and what a test that was fixed first
said.
"""

import textwrap
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.association.preregistration import read_primary
from sslmepr.labels import select
from sslmepr.report import answers
from sslmepr.report.apa import apa_number
from sslmepr.report.association_findings import claims_in_short
from sslmepr.report.confirmation import bounds_told, claims_told
from sslmepr.report.costs import run_cost
from sslmepr.report.known_truth import beside, cells_held, claims_held
from sslmepr.report.on_record import recorded
from sslmepr.report.overview import recognition
from sslmepr.report.power_findings import (
    NOMINAL,
    false_alarms,
    pairs_called,
    pairs_held,
    read_drawn,
    share,
)
from sslmepr.report.recorded_verdicts import (
    CHECKS_FILE,
    contradictions,
    recorded_people,
)
from sslmepr.report.words import plain

REAL = Path("results", "real", "association")
DRAWN = Path("results", "trials", "power", "drawn.csv")
CONFIRMED = Path("results", "confirm")
BENCHMARKS = Path("results", "benchmarks.csv")

GAINED = ["component", "metric", "gain", "low", "high", "verdict"]
"""Columns of the gains over simpler methods."""

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
    """What was found in simulated and in real people, for whoever reads nothing else.

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
    agreement = pd.read_csv(results / "validity" / "agreement.csv")
    covered = results / "evaluate" / "covered.csv"
    last = last_confirmed(folder / CONFIRMED)
    if covered.exists():
        later = last.recognition if last else None
        told = answers.recognised(pd.read_csv(covered), later)
    else:  # while scores of the held-out corpus are hidden
        told = recognition(pd.read_csv(results / "evaluate" / "metrics.csv"))
    return [
        *told,
        *answers.associations(
            select(cells, study=study),
            select(agreement, study=study),
            recorded(results / "measurement" / "specifications.csv"),
        ),
        *answers.how_sure(
            recorded(results / "association" / CHECKS_FILE),
            last.endpoints if last else pd.DataFrame(),
            last.worlds if last else pd.DataFrame(),
            _drawn(folder),
            alpha,
            (last.attempt, last.attempts) if last else None,
        ),
        *real_people(folder),
        *answers.simpler(recorded(results / "ablation" / "gains.csv", GAINED)),
    ]


def real_people(folder: str | Path = ".") -> list[str]:
    """What is on record of real people: scores, associations, notes of observers.

    Parameters
    ----------
    folder : path
        Of the repository.
    """
    real, described = (Path(folder, "results", name) for name in ("real", "described"))
    return [
        *answers.real_scores(
            recorded(real / "evaluate" / "metrics.csv"),
            recorded(real / "evaluate_replicate" / "by_video.csv"),
            recorded(real / "evaluate" / "gains.csv"),
            recorded(real / "folds" / "fiv2_by_video.csv"),
            recorded(real / "folds" / "meld.csv"),
        ),
        *answers.real_associations(
            recorded(real / "association" / CHECKS_FILE),
            recorded_people(real / "association", "**Real people**"),
        ),
        *answers.noted(recorded(described / "record" / "outside.csv")),
    ]


def limits(study: str, alpha: float, folder: str | Path = ".") -> list[str]:
    """The numbers behind `front_page`: pairs, false alarms, intervals, confirmation.

    Parameters
    ----------
    study, alpha, folder
        As of `front_page`.
    """
    folder = Path(folder)
    results = folder / "results" / study
    cells = pd.read_csv(results / "validity" / "cells.csv")
    agreement = pd.read_csv(results / "validity" / "agreement.csv")
    own = select(cells, study=study)
    primary = read_primary(results / "association")
    drawn = _drawn(folder)
    return [
        *found(own, select(agreement, study=study)),
        *(f"**What the paper says.** {each}" for each in _claims(primary, own)),
        *contradictions(recorded(results / "association" / CHECKS_FILE)),
        *nothing_there(cells[cells["study"] != study], drawn, alpha),
        *intervals_held(cells, drawn),
        *confirmed(folder / CONFIRMED),
    ]


def _claims(primary: pd.DataFrame, own: pd.DataFrame) -> list[str]:
    told = [*claims_in_short(primary), *claims_held(primary, own)]
    return [" ".join(told)] if told else []


def _drawn(folder: Path) -> pd.DataFrame | None:
    return read_drawn(folder / DRAWN) if (folder / DRAWN).exists() else None


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
        "though no training clip carried both labels, and calls "
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


def _confirmed(last: "Confirmed") -> str:
    clips, people = last.endpoints[["n", "n_speakers"]].iloc[0]
    return (
        "**In a test that was fixed before its people were made** (attempt "
        f"{last.attempt} of {last.attempts}; {clips:,} clips of {people:,} people), "
        f"{claims_told(last.endpoints)}{bounds_told(last.worlds)}."
        " Code that came later is not confirmed by "
        "it; the chapter *A test that was fixed first* says whether today's is, and "
        "has every attempt."
    )


def summary(study: str, alpha: float, folder: str | Path = ".") -> str:
    """Answers, what they do not say, and what a run costs, as the README has them.

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
