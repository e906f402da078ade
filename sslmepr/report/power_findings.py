"""Whether the associations can be believed, in sentences."""

from pathlib import Path

import pandas as pd

from sslmepr.association.sources import CROSS, DISJOINT, UNSCALED
from sslmepr.labels import select
from sslmepr.report.apa import apa_number
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.words import plain

NOMINAL = 0.95
BAND = (0.93, 0.98)
"""Coverage that counts as nominal."""

COVERED = "covers_planted"

LARGER = {"drawn.csv": "larger.csv", "drawn-cells.csv": "larger-cells.csv"}
"""Tables of a trial to those of the same kinds of worlds, of larger studies."""

RATIO, TRIMMED, MEDIAN = "error_ratio", "error_ratio_trimmed", "error_ratio_median"
"""Of `sslmepr.trials.worlds.summarise`: of standard errors to the deviation."""

ERROR_BAND = (0.9, 1.1)
"""Standard errors, relative to the deviation over worlds, that were asked for."""

WORST = 3
"""Kinds of worlds that are named of those with false alarms."""


def read_drawn(path: str | Path) -> pd.DataFrame:
    """Drawn worlds on record: those of a trial, and those of `LARGER` studies.

    Parameters
    ----------
    path : path
        Of a table of the trial (`sslmepr.trials.worlds`).
    """
    tables, path = [pd.read_csv(path)], Path(path)
    further = path.with_name(LARGER.get(path.name, path.name))
    if further != path and further.exists():
        tables.append(pd.read_csv(further))
    return pd.concat(tables, ignore_index=True)


def coverage(summary: pd.DataFrame, source: str = CROSS) -> tuple[float, float]:
    """Smallest and largest coverage over kinds of worlds.

    Parameters
    ----------
    summary : DataFrame
        From `sslmepr.trials.worlds.summarise`.
    source : str
        Of `sslmepr.association.sources`: whose intervals.
    """
    values = select(summary, source=source, metric=COVERED)["estimate"]
    return float(values.min()), float(values.max())


def pairs_held(summary: pd.DataFrame, source: str = CROSS) -> str:
    """In how many pairs intervals hold the truth, in words.

    Parameters
    ----------
    summary, source
        As of `coverage`.
    """
    least, most = coverage(summary, source)
    return f"{100 * least:.0f} to {share(most)} of the pairs, by kind of drawn world"


def false_alarms(summary: pd.DataFrame) -> pd.DataFrame:
    """Where nothing is associated, how often some pair is called present all the same.

    It is counted by the correction that verdicts on pairs are made with.

    Parameters
    ----------
    summary : DataFrame
        As of `coverage`.

    Returns
    -------
    DataFrame
        Rows of `summary`, one for each kind of worlds.
    """
    return select(summary, source=CROSS, metric="familywise_error", strength=0.0)


def pairs_called(summary: pd.DataFrame, alpha: float) -> str:
    """How often there are `false_alarms`, in words.

    Parameters
    ----------
    summary : DataFrame
        As of `coverage`.
    alpha : float
        Level of the tests.
    """
    alarms = false_alarms(summary)
    worst = alarms.loc[alarms["estimate"].idxmax()]
    return (
        f"some pair is called present in {share(alarms['estimate'].median())} of "
        f"worlds of the typical kind and in {share(worst['estimate'])} of the worst "
        f"(*{worst['condition']}*); {share(alpha)} are promised"
    )


def error_rates(summary: pd.DataFrame, alpha: float) -> str:
    """How often intervals hold the truth, and how often there are false alarms.

    Parameters
    ----------
    summary, alpha
        As of `pairs_called`.
    """
    worlds = select(summary, source=CROSS, metric=COVERED)["worlds"].sum()
    return (
        f"In {int(worlds):,} drawn worlds whose truth is known, intervals that promise "
        f"{share(NOMINAL)} hold it in {pairs_held(summary)}. Where nothing is "
        f"associated, {pairs_called(summary, alpha)}."
    )


def corrections(summary: pd.DataFrame) -> str:
    """By which correction something is called how often, in which worlds.

    Parameters
    ----------
    summary : DataFrame
        As of `coverage`.
    """
    pairs = select(summary, source=CROSS, metric="familywise_error")
    null, planted = pairs[pairs["strength"] == 0], pairs[pairs["strength"] > 0]
    largest = select(summary, source=CROSS, metric="largest_t_error", strength=0.0)
    told = [
        f"{100 * each['estimate'].min():.0f} to {share(each['estimate'].max())}"
        for each in (largest, null, planted)
    ]
    return (
        "Registered endpoints are tested together by the largest |t|, which bounds the "
        "chance of any false alarm: over all thirty pairs it calls some in "
        f"{told[0]} of worlds without associations, by kind. Verdicts on single pairs "
        "are corrected for the share of false ones among those called (Benjamini and "
        f"Hochberg). In the same worlds, some pair is called in {told[1]}. Where other "
        "pairs are associated, some pair that is not is called as well in "
        f"{told[2]} of worlds."
    )


def asked(summary: pd.DataFrame, alpha: float) -> dict[str, tuple[float, float]]:
    """Metric to the bounds that were asked for, for a figure.

    Parameters
    ----------
    summary, alpha
        As of `pairs_called`. Standard errors are those of the typical world, or their
        mean over worlds where a record has that alone.
    """
    typical = (summary["metric"] == "error_ratio_median").any()
    return {
        COVERED: BAND,
        "largest_t_error": (0.0, alpha),
        "rmse": (0.0, 0.1),
        "error_ratio_median" if typical else "error_ratio": (0.9, 1.1),
    }


def power_findings(summary: pd.DataFrame, alpha: float) -> Findings:
    """Say how often verdicts and intervals are right, and in which kinds of worlds.

    Parameters
    ----------
    summary, alpha
        As of `pairs_called`.

    Returns
    -------
    Findings
        `error_rates`, kinds of worlds in which coverage fails, false alarms by kind,
        and, if they are on record, disjoint modalities and corrected scales.
    """
    covered = select(summary, source=CROSS, metric=COVERED)
    good = covered["estimate"].between(*BAND)
    within = f"{100 * BAND[0]:.0f} to {share(BAND[1])}"
    sentence = f"**In {good.sum()} of {len(covered)} kinds** coverage is {within}"
    if not good.all():
        named = [
            f"{row.condition} at |r| = {row.strength:g} ({share(row.estimate)})"
            for row in covered[~good].itertuples()
        ]
        sentence += f"; it is not in {', '.join(named)}"
    alarms = false_alarms(summary).sort_values("estimate", ascending=False)
    told = ", ".join(
        f"{row.condition} {share(row.estimate)}"
        for row in alarms.head(WORST).itertuples()
    )
    return Findings(
        [
            error_rates(summary, alpha),
            f"{sentence}.",
            "**Some pair is called present where nothing is associated**, most often "
            f"in these of {len(alarms)} kinds of worlds: {told}.",
            *_errors(summary),
            *_beside(summary),
            *_scales(summary),
        ]
    )


def _errors(summary: pd.DataFrame) -> list[str]:
    """Whether standard errors are as large as estimates vary, and where they are not.

    Summaries of earlier versions have the mean ratio alone, of which nothing is told.
    """
    kinds = {
        name: select(summary, source=CROSS, metric=name)
        for name in (RATIO, TRIMMED, MEDIAN)
    }
    if any(each.empty for each in kinds.values()):
        return []
    within = {
        name: each["estimate"].between(*ERROR_BAND).sum()
        for name, each in kinds.items()
    }
    typical, mean = kinds[MEDIAN]["estimate"], kinds[RATIO]
    worst = mean.loc[mean["estimate"].idxmax()]
    least, most = ERROR_BAND
    return [
        f"**Standard errors** were to be {least:g} to {most:g} times the deviation of "
        "estimates over worlds. Those of the typical world are "
        f"{typical.min():.2f} to {typical.max():.2f} times it by kind, and within this "
        f"range in {within[MEDIAN]} of {len(typical)} kinds; the mean over squares, to "
        "which a few hardly identified worlds add most, is within it in "
        f"{within[RATIO]}, and without the tenth of worlds with the largest standard "
        f"errors in {within[TRIMMED]}. The largest mean is that of "
        f"{worst['condition']} at |r| = {worst['strength']:g} "
        f"({worst['estimate']:.2f})."
    ]


def _beside(summary: pd.DataFrame) -> list[str]:
    if select(summary, source=DISJOINT, metric=COVERED).empty:
        return []
    errors = select(summary, source=DISJOINT, metric="rmse").merge(
        select(summary, source=CROSS, metric="rmse"),
        on=["condition", "strength"],
        suffixes=("_other", "_mine"),
    )
    nearer = (errors["estimate_mine"] >= errors["estimate_other"]).sum()
    called = select(summary, metric="familywise_error", strength=0.0)
    kinds = select(called, source=DISJOINT)["condition"]  # they are drawn in fewer
    called = called[called["condition"].isin(kinds)]
    most = [
        share(select(called, source=source)["estimate"].max())
        for source in (DISJOINT, CROSS)
    ]
    return [
        f"**{plain(DISJOINT).capitalize()}**, a simpler source that leaves the leak of "
        f"cues as it is, come nearer the truth in size in {nearer} of {len(errors)} "
        "kinds of worlds (smaller root-mean-square error). But their intervals hold it "
        f"in {pairs_held(summary, DISJOINT)}, and where nothing is associated they "
        f"call some pair in up to {most[0]} of the worlds, three sources in up to "
        f"{most[1]} of the same."
    ]


def _scales(summary: pd.DataFrame) -> list[str]:
    """What scales of scores change where corpora differ."""
    told = []
    for kind in select(summary, source=UNSCALED)["condition"].unique():
        rows = select(summary, condition=kind)
        top = rows["strength"].max()
        asked = (("slope", top), (COVERED, top), ("familywise_error", 0.0))
        slopes, held, alarms = (
            [
                select(rows, source=source, metric=metric, strength=strength)[
                    "estimate"
                ].iloc[0]
                for source in (UNSCALED, CROSS)
            ]
            for metric, strength in asked
        )
        told.append(
            f"**Scales of scores** (*{kind}*): where probes read other corpora less "
            "well than their own, dividing scores by their scales changes the size of "
            f"estimates from {apa_number(slopes[0])} to {apa_number(slopes[1])} of the "
            f"truth, coverage from {share(held[0])} to {share(held[1])}, and worlds "
            "without associations in which some pair is called from "
            f"{share(alarms[0])} to {share(alarms[1])}."
        )
    return told


def cell_bias(cells: pd.DataFrame) -> str:
    """In which pairs estimates are off by most on average, which coverage hides.

    Parameters
    ----------
    cells : DataFrame
        From `sslmepr.trials.worlds.cell_means`.
    """
    mine = select(cells, source=CROSS)
    mine = mine.assign(bias=mine["expected"] - mine["planted"])
    sizes = mine["bias"].abs()
    worst = mine.loc[sizes.groupby([mine["condition"], mine["strength"]]).idxmax()]
    worst = worst.sort_values("bias", key=abs, ascending=False).head(WORST)
    told = "; ".join(
        f"{plain(row.emotion)} with {plain(row.trait)} in *{row.condition}* at |r| = "
        f"{row.strength:g}, {apa_number(row.expected)} on average where "
        f"{apa_number(row.planted)} is planted (± "
        f"{apa_number(row.deviation / row.worlds**0.5)})"
        for row in worst.itertuples()
    )
    return (
        "**Coverage is a mean over pairs, and hides the bias of single ones**: half of "
        f"all pairs are off by less than {apa_number(sizes.median(), 3)} on average "
        f"over worlds, but {told}."
    )


def share(value: float) -> str:
    """A share in whole percent."""
    return f"{100 * value:.0f} %"


def trials_findings(summary: pd.DataFrame, alpha: float) -> list[str]:
    """Sentences of `power_findings`; how sure they are, and what they do not say.

    These two follow the first sentence.

    Parameters
    ----------
    summary, alpha
        As of `power_findings`.
    """
    answer, *more = power_findings(summary, alpha).sentences
    covered = select(summary, source=CROSS, metric=COVERED)
    halves = [
        100 * (each["high"] - each["low"]).max() / 2
        for each in (covered, false_alarms(summary))
    ]
    sure = (
        f"Each kind was drawn {covered['worlds'].min()} to {covered['worlds'].max()} "
        f"times, so that shares of intervals are known to within {halves[0]:.1f} "
        f"percentage points, and shares of worlds to within {halves[1]:.0f}."
    )
    unsaid = (
        "Worlds are drawn as features, not filmed, from the laws of the simulation: a "
        "share holds for real people only as far as they are like one of these kinds."
    )
    return [*first_screen(answer, sure, unsaid), *more]
