"""Learning curves of several ways of learning, in words and for figures."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sslmepr.report.overview import Findings
from sslmepr.report.tables import Table, interval
from sslmepr.report.words import pretty
from sslmepr.statistics.verdicts import BETTER, verdicts

WHOLE, FACTOR = "whole method", "factor model"
OWN_DECISIONS = "as published"
LIMIT = "linear model, very many clips"
FULL, OF_FEATURES = "observer of controls", "observer of features"
BOUNDS = (LIMIT, OF_FEATURES, FULL)
ALONE = " alone"
METRICS = ("mWACC", "CCC")
MILD = ("mild", "largest", "published")
"""Trials in the mild world; of what two have, the first counts."""


def read(folder: str | Path, trials: Sequence[str], kind: str = "") -> pd.DataFrame:
    """Tables of some trials as one, without repetitions.

    Parameters
    ----------
    folder : path
        Results of the trials of `sslmepr.trials.curves`.
    trials : sequence of str
        In one world. Files that are not on record are left out.
    kind : {"", "-covered", "-gains"}

    Returns
    -------
    DataFrame
    """
    paths = [Path(folder, f"{trial}{kind}.csv") for trial in trials]
    tables = [pd.read_csv(path) for path in paths if path.exists()]
    known = pd.concat([each for each in tables if len(each)], ignore_index=True)
    if "against" in known:  # of trials that had no other arm whose gains are told
        known["arm"] = known.get("arm", pd.Series(dtype=str)).fillna(WHOLE)
    key = [name for name in known if name in ("clips", "arm", "against", "observer")]
    return known.drop_duplicates([*key, "metric"], ignore_index=True)


def best_alone(summary: pd.DataFrame) -> pd.DataFrame:
    """The summary with the best single modality of each size and metric only.

    Chosen by the score that is shown, which flatters it.
    """
    alone = summary["arm"].str.endswith(ALONE)
    order = summary[alone].sort_values("estimate", ascending=False, kind="stable")
    best = order.drop_duplicates(["clips", "metric"]).assign(arm="best modality")
    return pd.concat([summary[~alone], best], ignore_index=True)


def curve_lines(
    summary: pd.DataFrame,
) -> tuple[pd.DataFrame, dict[str, list[float]]]:
    """Lines of the arms and marks of the bounds, for `figures.trial_lines`.

    The published method is shown once, recalibrated.

    Parameters
    ----------
    summary : DataFrame
        clips, arm, metric, estimate, low, high.

    Returns
    -------
    lines : DataFrame
        The same, without bounds.
    marks : dict of str to list of float
        Metric to the scores of `BOUNDS`.
    """
    bounds = summary[summary["arm"].isin(BOUNDS)].drop_duplicates(["arm", "metric"])
    marks = bounds.groupby("metric", sort=False)["estimate"].agg(list).to_dict()
    arms = summary[~summary["arm"].isin([*BOUNDS, OWN_DECISIONS])]
    return best_alone(arms), marks


def findings(
    covered: pd.DataFrame, gains: pd.DataFrame, margin: float, arm: str = WHOLE
) -> Findings:
    """Say what an arm is ahead of, and how much of the way it goes.

    Parameters
    ----------
    covered, gains : DataFrame
        Of one world, from the trial of learning curves.
    margin : float
        Largest difference that does not matter.
    arm : str
        The whole method or the factor model.

    Returns
    -------
    Findings
        One sentence on the comparisons for each metric, one on the way with fewer clips
        than the most, if there are such sizes, and one on the way with most.
    """
    own = gains[gains["metric"].isin(METRICS) & (gains["arm"] == arm)]
    known = _without_single(own)
    known = known.assign(verdict=verdicts(known["low"], known["high"], margin))
    sentences = []
    for metric, own in known.groupby("metric", sort=False):
        parts = [
            f"less {against}, {_at_largest(rows)}"
            for against, rows in own.groupby("against", sort=False)
        ]
        sentences.append(f"**{pretty(arm)}, {metric}**: {'; '.join(parts)}.")
    mine = covered[covered["arm"] == arm]
    if mine.empty:
        return Findings([f"Learning curves of the {arm} are not on record."])
    *fewer, (most, own) = mine.groupby("clips")
    if fewer:
        told = "; ".join(
            f"{_shares(each, OF_FEATURES)} with {clips:,}" for clips, each in fewer
        )
        sentences.append(
            "**With fewer labelled clips**, on the way to the observer who knows what "
            f"the features mean (next sentence), the {arm} goes {told}."
        )
    sentences.append(
        f"**With {most:,} labelled clips for each task**, of the way from a linear "
        "model that learned from very many clips to an observer who knows what the "
        f"features mean, the {arm} goes {_shares(own, OF_FEATURES)}; to an observer "
        f"who sees what the clips are made from, {_shares(own, FULL)}."
    )
    return Findings(sentences)


def _shares(covered: pd.DataFrame, observer: str) -> str:
    """Shares of the way in both metrics, with their intervals."""
    each = (f"{_share(covered, observer, metric)} ({metric})" for metric in METRICS)
    return " and ".join(each)


def _at_largest(rows: pd.DataFrame) -> str:
    """Gain at the largest size, and the sizes at which it is better."""
    last = rows.nlargest(1, "clips").iloc[0]
    gain = interval(last["estimate"], last["low"], last["high"], 3)
    better = rows.loc[rows["verdict"] == BETTER, "clips"]
    sizes = ", ".join(f"{clips:,}" for clips in sorted(better)) or "none"
    return f"{gain} with {last['clips']:,} clips (better with {sizes})"


def _without_single(gains: pd.DataFrame) -> pd.DataFrame:
    """Of all single modalities, that against which the gain is smallest, by size."""
    alone = gains["against"].str.endswith(ALONE)
    least = gains[alone].sort_values("estimate", kind="stable")
    least = least.drop_duplicates(["clips", "arm", "metric"]).sort_index()
    return pd.concat([gains[~alone], least.assign(against="best modality")])


def _share(covered: pd.DataFrame, observer: str, metric: str) -> str:
    chosen = (covered["observer"] == observer) & (covered["metric"] == metric)
    row = covered[chosen].iloc[0]
    return interval(row["estimate"], row["low"], row["high"], 2)


def covered_table(covered: pd.DataFrame) -> Table:
    """Share of the way of each arm but single modalities, by size and observer.

    Parameters
    ----------
    covered : DataFrame
        From `sslmepr.trials.curves.covered`.
    """
    chosen = covered["metric"].isin(METRICS) & ~covered["arm"].str.endswith(ALONE)
    rows = [
        (
            row.clips,
            row.arm,
            row.observer,
            row.metric,
            interval(row.estimate, row.low, row.high, 2),
            row.n,
        )
        for row in covered[chosen].itertuples()
    ]
    columns = ["clips", "arm", "observer", "metric", "covered", "studies"]
    return Table(pd.DataFrame(rows, columns=columns))


def gain_table(gains: pd.DataFrame, margin: float) -> Table:
    """Gain of the whole method or the factor model over other arms, and its meaning.

    Parameters
    ----------
    gains : DataFrame
        From `sslmepr.trials.curves.ahead`.
    margin : float
        Largest difference that does not matter.
    """
    rows = [
        (
            row.clips,
            row.arm,
            row.against,
            row.metric,
            interval(row.estimate, row.low, row.high, 3),
            verdicts(row.low, row.high, margin).item(),
            row.n,
        )
        for row in _without_single(gains).itertuples()
    ]
    columns = ["clips", "arm", "against", "metric", "gain", "verdict", "studies"]
    caption = (
        "Gain of an arm over another, on the same studies and new people; equivalent: "
        f"the interval lies within ±{margin:g}."
    )
    return Table(pd.DataFrame(rows, columns=columns), caption)
