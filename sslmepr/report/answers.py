"""What was asked and found, in sentences that need no knowledge of the method.

They stand on the front page and in the README; the numbers behind them, in chapters.
"""

import pandas as pd

from sslmepr.association.sources import NOTED
from sslmepr.association.specifications import NETWORKS
from sslmepr.evaluation.scores import (
    ALL,
    LATE_FUSION,
    LINEAR_FUSION,
    WORDS,
    headline,
)
from sslmepr.labels import FUSED, MODALITIES, select
from sslmepr.report.apa import apa_number
from sslmepr.report.confirmation import NEW, claims_told
from sslmepr.report.overview import OWN, own_score
from sslmepr.report.power_findings import NOMINAL, pairs_called, share
from sslmepr.report.recorded_verdicts import rejected
from sslmepr.report.words import plain
from sslmepr.statistics.verdicts import BETTER, EQUIVALENT, UNDECIDED, WORSE

TASKS = {"mWACC": ("emotions", "balanced accuracy"), "CCC": ("traits", "agreement")}
"""Scores that are told: of what, and what they are called."""

JUDGED = {
    BETTER: "worse",
    WORSE: "better",
    EQUIVALENT: "as well",
    UNDECIDED: "as well, as far as can be told,",
}
"""What a simpler method does, by the verdict on what the model gains over it."""

CHANNEL = {"audio": "voice", "text": "words"}
"""What readers call a modality."""

STRONGEST = 3
"""Pairs that are named of those that observers noted."""


def recognised(covered: pd.DataFrame, later: pd.DataFrame | None = None) -> list[str]:
    """How well emotions and traits are told, between guessing and what can be known.

    Parameters
    ----------
    covered : DataFrame
        From `sslmepr.evaluation.scores.distance_covered`: modality, metric, estimate,
        low, high, baseline, ceiling, n.
    later : DataFrame, optional
        From `sslmepr.confirmation.people.recognition`: scores of people who were made
        when the code was fixed stand beside these.
    """
    fused = covered[covered["modality"] == FUSED].set_index("metric")
    if not {*TASKS} <= set(fused.index):
        return []
    emotions, traits = (fused.loc[metric] for metric in TASKS)
    told, low, high, guess, best = (
        f"{100 * emotions[name]:.0f}"
        for name in ("estimate", "low", "high", "baseline", "ceiling")
    )
    score, least, most, top = (
        apa_number(traits[name]) for name in ("estimate", "low", "high", "ceiling")
    )
    return [
        f"**It recognises what is shown.** In {int(emotions['n'])} clips of simulated "
        f"people whom it never met, it is right {told} % [{low}, {high}] of the time "
        "when it says whether an emotion is there (balanced accuracy; guessing: "
        f"{guess} %; the best that can be known: {best} %). Its scores of personality "
        f"agree with those of raters by {score} [{least}, {most}] (guessing: 0; the "
        f"best: {top}).{_later(later)}"
    ]


def _later(people: pd.DataFrame | None) -> str:
    if people is None or people.empty:
        return ""
    new = select(people, people=NEW).set_index("metric")
    if not {*TASKS} <= {*new.index}:
        return ""
    emotions, traits = (new.loc[metric] for metric in TASKS)
    low, high = (f"{100 * emotions[end]:.0f}" for end in ("low", "high"))
    return (
        " In new people, made when the code was fixed: "
        f"{share(emotions['estimate'])} [{low}, {high}] and {_ends(traits)}."
    )


def simpler(gains: pd.DataFrame) -> list[str]:
    """Whether a plain method would do, for whoever decides on using this one.

    Parameters
    ----------
    gains : DataFrame
        From `sslmepr.evaluation.component_gains.component_gains`.
    """
    gains = gains[gains["metric"].isin(TASKS)]
    linear, late = (
        gains[gains["component"] == part] for part in (LINEAR_FUSION, LATE_FUSION)
    )
    if linear.empty:
        return []
    told = " and ".join(
        f"{JUDGED[row.verdict]} for {TASKS[row.metric][0]} (the model gains "
        f"{_change(row.gain, row.low, row.high)} in {TASKS[row.metric][1]})"
        for row in linear.itertuples()
    )
    text = (
        "**Do you need it?** In the simulated people, a plain linear fusion of the "
        f"same features does {told}."
    )
    if len(late) and not (late["verdict"] == BETTER).any():
        text += (
            " Late fusion (weighted modalities) does as well, as far as can be told."
        )
    return [text]


def _change(gain: float, low: float, high: float) -> str:
    sign = "+" if gain > 0 else ""
    return f"{sign}{_digits(gain)} [{_digits(low)}, {_digits(high)}]"


def _digits(value: float) -> str:
    return apa_number(value, 3)


def associations(
    cells: pd.DataFrame, agreement: pd.DataFrame, curve: pd.DataFrame
) -> list[str]:
    """Which of the planted pairs are found, and how many others are called.

    Parameters
    ----------
    cells : DataFrame
        Of one world: emotion, trait, planted, rated, recovered, low, high, significant.
    agreement : DataFrame
        Of the same world: metric, estimate, low, high.
    curve : DataFrame
        Table of `sslmepr.association.specifications.Curve`; may be empty.
    """
    there = cells["planted"] != 0
    called = cells["significant"].astype(bool)
    right = there & called & (cells["planted"] * cells["recovered"] > 0)
    known = cells[there].dropna(subset=["low", "high"])
    held = known["rated"].between(known["low"], known["high"]).sum()
    size = agreement.set_index("metric").loc["slope"]
    slope, low, high = (apa_number(size[name]) for name in ("estimate", "low", "high"))
    text = (
        f"**It finds {right.sum()} of the {there.sum()} pairs of an emotion and a "
        "trait that were built into the simulated people, and reports "
        f"{(called & ~there).sum()} of the {(~there).sum()} others**, though no "
        "training clip carried both labels. Correlations come out at "
        f"{slope} [{low}, {high}] times those of the labels; {held} of the "
        f"{len(known)} intervals hold the truth ({share(NOMINAL)} are promised). A "
        "pair that is not found is undecided, not absent."
    )
    if len(curve):
        own = select(curve, scores=NETWORKS).dropna(subset=["estimate"])
        text += (
            " Linear models find this; with the method's own networks, "
            f"{own['significant'].sum()} of {len(own)} analyses of the paper's two "
            "claims are significant."
        )
    return [text]


def how_sure(
    checks: pd.DataFrame,
    endpoints: pd.DataFrame,
    worlds: pd.DataFrame,
    drawn: pd.DataFrame | None,
    alpha: float,
    attempt: tuple[int, int] | None = None,
) -> list[str]:
    """Whether a single pair may be believed, and what the procedure was tested by.

    Parameters
    ----------
    checks : DataFrame
        From `sslmepr.association.assumption_checks.assumption_checks`; may be empty.
    endpoints, worlds : DataFrame
        Of the last attempt to confirm, from `sslmepr.confirmation.people.endpoints` and
        `sslmepr.confirmation.confirm.count_worlds`; both may be empty.
    drawn : DataFrame or None
        Summary of many drawn worlds (`sslmepr.trials.worlds.summarise`).
    alpha : float
        Level of the tests.
    attempt : (int, int), optional
        Number of that attempt, and of the last that was begun.
    """
    parts = []
    if rejected(checks):
        parts.append(
            "No single pair, even one called *present*: these clips contradict what "
            "the tests assume."
        )
    if len(endpoints):
        which = " (attempt {} of {})".format(*attempt) if attempt else ""
        parts.append(
            f"The procedure was tested by claims fixed beforehand{which}: "
            f"{claims_told(endpoints)}."
        )
    if "metric" in worlds and len(power := select(worlds, metric="power")):
        parts.append(
            f"In such worlds it finds {share(power['estimate'].iloc[0])} of the pairs."
        )
    if drawn is not None:
        parts.append(f"Where nothing is associated, {pairs_called(drawn, alpha)}.")
    if not parts:
        return []
    return [f"**How sure is it: may a pair be believed?** {' '.join(parts)}"]


def real_scores(
    metrics: pd.DataFrame,
    by_video: pd.DataFrame,
    gains: pd.DataFrame,
    *simple: pd.DataFrame,
) -> list[str]:
    """How well real people are read, with and without videos that were learned from.

    Parameters
    ----------
    metrics, by_video : DataFrame
        Of published corpora in their own splits, and without a video on both sides,
        from `sslmepr.evaluation.evaluate.evaluate_study`.
    gains : DataFrame
        From `sslmepr.evaluation.target_gains.target_gains`; may be empty.
    *simple : DataFrame
        Scores of other methods on the same clips (stage ``folds``): of traits without a
        video on both sides, and of lines of dialogue. A linear one of each is told.
    """
    if metrics.empty or by_video.empty:
        return []
    met, unmet = (
        own_score(select(table, corpus=corpus), "CCC")
        for table, corpus in ((metrics, "fiv2"), (by_video, "fiv2_by_video"))
    )
    lines = select(metrics, corpus="meld")
    read = own_score(lines, "weighted F1")
    guessed = select(headline(lines, (read["metric"],), "test"), stage="baseline")
    traits, words = simple or (pd.DataFrame(), pd.DataFrame())
    ridge = _other(traits, ALL, "CCC", "ridge regression")
    linear = _other(words, WORDS, "weighted F1", "linear model")
    return [
        "**How real people are read.** Scores of personality agree with raters of "
        f"video blogs by {_ends(met)} (guessing: 0{_one(gains, 'fiv2', 'CCC')}), and "
        f"by {_ends(unmet)} where no clip of the same video was learned from"
        f"{f' ({ridge})' if ridge else ''}. Emotions "
        f"of lines of dialogue have a weighted F1 of {_ends(read)} (guessing: "
        f"{apa_number(guessed['estimate'].iloc[0])}"
        f"{_one(gains, 'meld', 'weighted F1')}{f'; {linear}' if linear else ''})."
    ]


def _other(scores: pd.DataFrame, method: str, metric: str, name: str) -> str:
    """What another method reaches on clips of test, if it is on record."""
    if scores.empty:
        return ""
    mine = select(scores, split="test", method=method, metric=metric, target="mean")
    return f"{name}: {_ends(mine.iloc[0])}" if len(mine) else ""


def _ends(row: pd.Series) -> str:
    return "{} [{}, {}]".format(
        *(apa_number(row[name]) for name in ("estimate", "low", "high"))
    )


def _one(gains: pd.DataFrame, corpus: str, metric: str) -> str:
    """The best single modality, and how far the model is above it."""
    own = {"corpus": corpus, "split": "test", "model": OWN}
    mine = select(gains, metric=metric, target="mean", **own) if len(gains) else gains
    if mine.empty or not (alone := mine["against"].isin(MODALITIES)).any():
        return ""
    least = mine.loc[mine[alone]["difference"].idxmin()]
    change = _change(least["difference"], least["low"], least["high"])
    return f"; above {CHANNEL.get(least['against'], least['against'])} alone: {change}"


def real_associations(checks: pd.DataFrame, otherwise: list[str]) -> list[str]:
    """Whether it can be said which emotions and traits go together in real people.

    Parameters
    ----------
    checks : DataFrame
        As of `how_sure`.
    otherwise : list of str
        What is said if nothing contradicts the assumptions.
    """
    reasons = rejected(checks)
    if not reasons:
        return otherwise
    return [
        "**Which emotions go with which traits in real people cannot be said**: the "
        f"data contradict what the analysis assumes: {'; '.join(reasons)}."
    ]


def noted(outside: pd.DataFrame) -> list[str]:
    """How happiness that observers noted goes with impressions of personality.

    Parameters
    ----------
    outside : DataFrame
        From `sslmepr.association.outside_criterion.outside_criterion`; may be empty.
    """
    if outside.empty:
        return []
    every = select(outside, source=NOTED)
    pairs = select(every, emotion="happiness").nlargest(STRONGEST, "r")
    told = ", ".join(f"{plain(row['trait'])} {_r(row)}" for _, row in pairs.iterrows())
    return [
        "**One finding in real people needs no model**: the more often observers noted "
        f"smiles and the like, the higher others rated a person in {told} (the "
        f"strongest of {len(every)} pairs; {int(pairs['n'].iloc[0])} clips). Both saw "
        "the same faces, so that liking may be in it."
    ]


def _r(row: pd.Series) -> str:
    return (
        f"{apa_number(row['r'])} [{apa_number(row['low'])}, {apa_number(row['high'])}]"
    )
