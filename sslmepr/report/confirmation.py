"""The chapter on the confirmation: its answer in sentences, and its tables.

Whether the record is of today's code is known when the book is built, not when a stage
runs, so the chapter is prose whose marked lines are filled in then.
"""

import re
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from sslmepr.association.verdicts import ABSENT, OPPOSITE, PRESENT, UNDECIDED
from sslmepr.report.apa import apa_number, apa_p
from sslmepr.report.overview import ENDS, Findings, first_screen
from sslmepr.report.tables import Table, interval, metric_table, number
from sslmepr.report.words import plain

MARKED = re.compile(r"^% confirmation: (\w+)$", re.MULTILINE)
"""A line that is replaced; as it stands, a comment of MyST."""

NOTHING = "No attempt has been finished yet."

KNOWN, NEW = "known to development", "never seen before"
"""People of `sslmepr.confirmation.people.recognition`."""

UNSAID = (
    "New people come from the generator of the known ones; that the analysis holds for "
    "people who were filmed, nothing here can show."
)

BOUNDS = {
    "covers_planted": "intervals that hold what was planted",
    "largest_t_error": "worlds in which some pair is called",
    "error_ratio": "stated standard errors over observed ones (too wide above 1)",
}
"""Metrics that have bounds, for a reader."""

SHARES = ("covers_planted", "largest_t_error", "familywise_error")
"""Metrics that are shares of worlds or of pairs."""


def filled(
    text: str,
    attempts: pd.DataFrame,
    current: bool,
    shown: int | None,
    tables: Mapping[str, pd.DataFrame],
    elsewhere: str = "",
) -> str:
    """The chapter with what is on record.

    Parameters
    ----------
    text : str
        Markdown with lines as of `MARKED`.
    attempts : DataFrame
        attempt, hash, revision, begun, finished and, where they are known, ``claims``
        and ``held``: how many claims came true, and how many intervals held the truth.
    current : bool
        Whether the attempt that is shown is of today's code.
    shown : int or None
        Its number.
    tables : mapping of str to DataFrame
        Its results: endpoints, worlds, recognition; empty if there are none.
    elsewhere : str
        A sentence on false alarms in other kinds of worlds.

    Raises
    ------
    KeyError
        If a marked line names something else.
    """
    shows = {
        "endpoints": endpoints_table,
        "worlds": worlds_table,
        "recognition": recognition_table,
    }
    known = (attempts, current, shown, tables)

    def part(mark: re.Match) -> str:
        name = mark[1]
        if name == "answer":
            return answer(*known, elsewhere)._repr_markdown_()
        if name == "attempts":
            return _scrolled(attempts_table(attempts))
        show = shows[name]
        return _scrolled(show(tables[name])) if tables else NOTHING

    return MARKED.sub(part, text)


def _scrolled(table: Table) -> str:
    """A table that may be wider than the page; in notebooks, outputs have a frame."""
    return f'<div class="scrolled">{table._repr_html_()}</div>'


def answer(
    attempts: pd.DataFrame,
    current: bool,
    shown: int | None,
    tables: Mapping[str, pd.DataFrame],
    elsewhere: str = "",
) -> Findings:
    """What was confirmed, how sure that is today, and what it does not say.

    Parameters
    ----------
    attempts, current, shown, tables, elsewhere
        As of `filled`.
    """
    count = f"{len(attempts)} {'attempt' if len(attempts) == 1 else 'attempts'}"
    if shown is None:
        return Findings(
            [
                f"**Nothing is confirmed.** {count} on record, none finished. All "
                "results of this book are exploratory: they were seen while the "
                "analysis was made. `make confirm` makes an attempt."
            ]
        )
    state = (
        "**Confirmatory.** What follows is of the code that built this book, on people "
        f"and worlds that nobody had seen before (attempt {shown}; {count} on record)."
    )
    if not current:
        state = (
            f"**Exploratory.** The code has moved on since attempt {shown} ({count} on "
            "record). What follows was confirmed of the code of that time; for today's "
            "code it is a hint, until `make confirm` has run again."
        )
    sure = [_worlds(tables["worlds"]), elsewhere, *new_people(tables["recognition"])]
    told = " ".join(filter(None, sure))
    return Findings(
        first_screen(f"{state} {_endpoints(tables['endpoints'])}", told, UNSAID)
    )


def _endpoints(table: pd.DataFrame) -> str:
    confirmed = as_registered(table)
    told = {
        "confirmed": confirmed,
        "refuted": table["verdict"].isin([OPPOSITE, ABSENT, PRESENT]) & ~confirmed,
        "undecided": table["verdict"] == UNDECIDED,
    }
    parts = []
    for word, rows in told.items():
        named = "; ".join(_endpoint(row) for row in table[rows].itertuples())
        parts.append(f"{rows.sum()} {word}" + (f" ({named})" if named else ""))
    covered = table["covered"].astype(bool).sum()
    return (
        f"**Endpoints** on new people, {len(table)} as registered: {', '.join(parts)}. "
        f"{covered} of the {len(table)} intervals contain what was planted."
    )


def as_registered(endpoints: pd.DataFrame) -> pd.Series:
    """Which endpoints came out as they were registered.

    Parameters
    ----------
    endpoints : DataFrame
        From `sslmepr.confirmation.people.endpoints`.
    """
    expected = np.where(endpoints["direction"] == "none", ABSENT, PRESENT)
    return endpoints["verdict"] == expected


def claims_told(endpoints: pd.DataFrame) -> str:
    """What became of the claims, and whether intervals hold the truth, in words.

    Parameters
    ----------
    endpoints : DataFrame
        As of `as_registered`.
    """
    true = as_registered(endpoints)
    undecided = ~true & (endpoints["verdict"] == UNDECIDED)
    counts = {"came true": true, "stayed undecided": undecided}
    counts["proved wrong"] = ~(true | undecided)
    told = [f"{each.sum()} {what}" for what, each in counts.items() if each.any()]
    held = endpoints["covered"].astype(bool)
    return (
        f"of {len(true)} claims {', '.join(told)}; {held.sum()} of {len(held)} "
        "intervals hold what was planted"
    )


def _endpoint(row) -> str:
    traits = "all traits" if row.traits == "all" else _traits(row.traits)
    return (
        f"{plain(row.emotion)} with {traits} {apa_number(row.r)}, {apa_p(row.p_family)}"
    )


def _traits(names: str) -> str:
    return ", ".join(plain(each) for each in names.split(", "))


def _worlds(table: pd.DataFrame) -> str:
    count = table.groupby("condition")["worlds"].max().sum()
    return (
        f"Over {count} new worlds of this kind, these bounds that were fixed before "
        f"are met: {_bounds(table, ('met',)) or 'none'}{bounds_told(table)}."
    )


def _bounds(table: pd.DataFrame, verdicts: tuple[str, ...]) -> str:
    """Metrics whose bounds have one of these verdicts, in words."""
    told = []
    for metric, rows in table[table["verdict"].isin(verdicts)].groupby("metric"):
        digits, scale, unit = (1, 100, " %") if metric in SHARES else (2, 1, "")
        ends = [
            f"{interval(*(scale * row[end] for end in ENDS), digits)}{unit} in "
            f"{row['condition']} worlds"
            for _, row in rows.iterrows()
        ]
        words = BOUNDS.get(metric, plain(metric))
        told.append(f"{words}: {' and '.join(ends)}")
    return "; ".join(told)


def bounds_told(table: pd.DataFrame) -> str:
    """How many bounds were missed or are undecided, to go on with a sentence.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.confirmation.confirm.count_worlds`; may be empty.
    """
    if table.empty:
        return ""
    known = table["verdict"].dropna()
    parts = []
    for verdict in ("missed", UNDECIDED):
        count = (known == verdict).sum()
        words = f" ({_bounds(table, (verdict,))})" if count else ""
        parts.append(f"{count} {'is' if count == 1 else 'are'} {verdict}{words}")
    return f"; of {len(known)} bounds on error rates, {' and '.join(parts)}"


def new_people(table: pd.DataFrame) -> list[str]:
    """Whether new people are recognised worse than those whom development has read.

    The two groups are independent, so that the interval of the difference follows from
    those of both (Zou and Donner 2008, Statistics in Medicine 27, 1693-1702).

    Parameters
    ----------
    table : DataFrame
        As of `recognition_table`.

    Returns
    -------
    list of str
        A sentence, or none without both groups.
    """
    parts, worse = [], False
    for metric, rows in table.groupby("metric", sort=False):
        groups = rows.set_index("people")[["estimate", "low", "high"]]
        if not {KNOWN, NEW} <= set(groups.index):
            continue
        known, new = (groups.loc[name] for name in (KNOWN, NEW))
        change = new["estimate"] - known["estimate"]
        below, above = (new["estimate"] - new["low"], new["high"] - new["estimate"])
        least = change - np.hypot(below, known["high"] - known["estimate"])
        most = change + np.hypot(above, known["estimate"] - known["low"])
        worse |= most < 0
        parts.append(
            f"{plain(metric)} {number(new['estimate'])} against "
            f"{number(known['estimate'])}, a difference of "
            f"{interval(change, least, most)}"
        )
    if not parts:
        return []
    verdict = "no worse for sure than people whom development has read"
    if worse:
        verdict = (
            "worse than people whom development has read, as they would be if choices "
            "had been made on these"
        )
    return [f"**Recognition**: new people are read {verdict} ({'; '.join(parts)})."]


def endpoints_table(table: pd.DataFrame) -> Table:
    """What was registered, what was found, and what had been planted.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.confirmation.people.endpoints`.
    """
    ends = table[["r", "low", "high"]].to_numpy(float)
    shown = {
        "emotion": table["emotion"],
        "traits": table["traits"].map(_traits),
        "expected sign": table["direction"],
        "planted": table["planted"],
        "r [interval]": [interval(*row) for row in ends],
        "p_family": table["p_family"],
        "verdict": table["verdict"],
        "holds planted": table["covered"].astype(bool),
    }
    clips, people = table[["n", "n_speakers"]].iloc[0]
    return Table(pd.DataFrame(shown), note=f"{clips} clips of {people} people.")


def worlds_table(table: pd.DataFrame) -> Table:
    """Metrics over worlds, with the bounds that were fixed for them.

    Parameters
    ----------
    table : DataFrame
        From `sslmepr.confirmation.confirm.count_worlds`.
    """
    estimates = table[["estimate", "low", "high"]].to_numpy(float)
    bounds = [
        "" if np.isnan(least) else _within(least, most)
        for least, most in table[["least", "most"]].to_numpy(float)
    ]
    shown = {
        "worlds": table["condition"],
        "metric": table["metric"].map(plain),
        "estimate [interval]": [interval(*row) for row in estimates],
        "has to lie in": bounds,
        "verdict": table["verdict"].fillna(""),
        "number of worlds": table["worlds"],
    }
    return Table(pd.DataFrame(shown))


def _within(least: float, most: float) -> str:
    if np.isinf(least):
        return f"at most {number(most, 2)}"
    if np.isinf(most):
        return f"at least {number(least, 2)}"
    return f"{number(least, 2)} to {number(most, 2)}"


def recognition_table(table: pd.DataFrame) -> Table:
    """Scores of the fused model on known and on new people.

    Parameters
    ----------
    table : DataFrame
        people, metric, estimate, low, high, interval.
    """
    return metric_table(table, "people")


def with_outcomes(
    attempts: pd.DataFrame, endpoints: Sequence[pd.DataFrame | None]
) -> pd.DataFrame:
    """The log with what became of the claims of each attempt.

    Parameters
    ----------
    attempts : DataFrame
        As of `filled`.
    endpoints : sequence of DataFrame or None
        Of each attempt, as of `as_registered`; None if it was not finished.

    Returns
    -------
    DataFrame
        With columns ``claims`` and ``held``, such as "2 of 6"; missing if unknown.
    """
    counts = {"claims": as_registered, "held": lambda table: table["covered"]}
    told = {
        name: [
            None if each is None else f"{count(each).astype(bool).sum()} of {len(each)}"
            for each in endpoints
        ]
        for name, count in counts.items()
    }
    return attempts.assign(**told)


def attempts_table(attempts: pd.DataFrame) -> Table:
    """The log.

    Parameters
    ----------
    attempts : DataFrame
        As of `filled`.
    """
    shown = {
        "attempt": attempts["attempt"].astype(str),
        "begun": attempts["begun"],
        "fingerprint": attempts["hash"].astype(str).str[:12],
        "commit": attempts["revision"],
        "finished": attempts["finished"].astype(bool),
    }
    words = {"claims": "claims that came true", "held": "intervals that hold"}
    for name, heading in words.items():
        if name in attempts:
            shown[heading] = attempts[name].fillna("")
    return Table(pd.DataFrame(shown))
