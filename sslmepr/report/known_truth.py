"""What an association study found, beside a truth that is known, in sentences.

In simulated people, the correlation of the labels in the population is known: what was
planted, with the halo and without the noise of the raters.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from sslmepr.association.by_corpora import EVERY as EVERY_CORPUS
from sslmepr.association.by_corpora import UNSCALED
from sslmepr.association.domain_scales import DomainScales
from sslmepr.association.sources import CROSS
from sslmepr.association.specifications import EVERY
from sslmepr.labels import select
from sslmepr.report.apa import apa_number
from sslmepr.report.power_findings import share
from sslmepr.report.words import plain

NAMED = 3
"""Pairs that are named where intervals miss the truth."""

ALIKE = "mild world"
"""Drawn worlds with the knobs of the simulated study."""


def truths(primary: pd.DataFrame, truth: pd.DataFrame) -> pd.Series:
    """The true correlation of each endpoint: a mean over its traits.

    Parameters
    ----------
    primary : DataFrame
        From `sslmepr.association.preregistration.primary_table`.
    truth : DataFrame
        emotion, trait, rated.
    """
    matrix = truth.pivot(index="emotion", columns="trait", values="rated")
    return pd.Series(
        [
            matrix.loc[row.emotion, _traits(row.traits, matrix)].mean()
            for row in primary.itertuples()
        ],
        primary.index,
        dtype=float,
    )


def _traits(names: str, matrix: pd.DataFrame) -> list[str]:
    return [*matrix] if names == "all" else names.split(", ")


def claims_held(primary: pd.DataFrame, truth: pd.DataFrame) -> list[str]:
    """Which intervals of means over all traits hold the truth.

    Parameters
    ----------
    primary, truth
        As of `truths`; without endpoints, there is no sentence.
    """
    known = primary.assign(truth=truths(primary, truth))
    means = known[(known["traits"] == "all") & (known["direction"] != "none")]
    if means.empty:
        return []
    told = "; ".join(
        f"{plain(row.emotion)} {apa_number(row.truth)}, which the interval "
        f"[{apa_number(row.low)}, {apa_number(row.high)}] "
        f"{'holds' if row.low <= row.truth <= row.high else 'misses'}"
        for row in means.itertuples()
    )
    held = known["truth"].between(known["low"], known["high"]).sum()
    return [
        f"**The truth is known here**: the mean correlation of the labels with the "
        f"five traits is, for {told}. Of all {len(known)} endpoints, intervals hold "
        f"the truth in {held}."
    ]


def miss_explained(
    primary: pd.DataFrame,
    truth: pd.DataFrame,
    drawn: pd.DataFrame,
    curve: pd.DataFrame,
) -> list[str]:
    """What of the distance to the truth is the estimator's own, without rendering.

    Parameters
    ----------
    primary, truth
        As of `truths`.
    drawn : DataFrame
        From `sslmepr.report.power_findings.read_drawn`.
    curve : DataFrame
        Table of `sslmepr.association.specifications.Curve`.

    Returns
    -------
    list of str
        A sentence on each mean over all traits that was expected to have a sign; none
        where such drawn worlds, or the means, are not on record.
    """
    slope = select(drawn, source=CROSS, condition=ALIKE, metric="slope")
    means = primary[(primary["traits"] == "all") & (primary["direction"] != "none")]
    if slope.empty or means.empty:
        return []
    reached = slope.loc[slope["strength"].idxmax(), "estimate"]
    sentences = [
        f"**Without any rendering**, in drawn worlds with such knobs (*{ALIKE}*), "
        f"associations already come out at {apa_number(reached)} of their size: noise "
        "of raters and of scores makes them too weak."
    ]
    quantile = norm.ppf(0.975)
    for mean, true in zip(means.itertuples(), truths(means, truth), strict=True):
        expected = reached * true
        away = np.sign(true) * (mean.r - expected)
        errors = abs(away) / ((mean.high - mean.low) / (2 * quantile))
        sentence = (
            f"**{plain(mean.emotion).capitalize()}**, mean over the five traits: "
            f"{apa_number(true)} is true, {apa_number(expected)} is then to be expected"
            f", and {apa_number(mean.r)} was found, {errors:.1f} standard errors "
            f"{'too weak' if away < 0 else 'stronger'}"
        )
        fewer = select(curve, emotion=mean.emotion, scores="probes", corpora=EVERY)
        fewer = fewer[fewer["modalities"] != EVERY].dropna(subset="estimate")
        if len(fewer):
            order = fewer.sort_values("estimate")[["modalities", "estimate"]]
            least, most = (
                f"{apa_number(row.estimate)} ({row.modalities})"
                for row in order.iloc[[0, -1]].itertuples()
            )
            short = (np.sign(true) * (fewer["estimate"] - expected) < 0).all()
            sentence += f". Without one modality each, it is {least} to {most}" + (
                ", so that no single one makes it too weak" if short else ""
            )
        sentences.append(f"{sentence}.")
    return sentences


def scales_explained(
    ways: pd.DataFrame, scales: DomainScales, corpora: Sequence[str]
) -> list[str]:
    """Whether probes read other corpora worse than their own, and what that takes away.

    Parameters
    ----------
    ways : DataFrame
        From `sslmepr.association.by_corpora.against_truth`.
    scales : DomainScales
    corpora : sequence of str
        Their names.
    """
    slopes = ways.set_index("covariances")["slope"]
    held = ways.set_index("covariances")["held"]
    if not {EVERY_CORPUS, UNSCALED} <= {*slopes.index}:
        return []
    pairs = int(ways["pairs"].iloc[0])
    sides = {"emotions": scales.values[0, 1], "traits": scales.values[1, 0]}
    told = " and ".join(
        f"scores of {side} carry {100 * values.min():.0f} to {share(values.max())} "
        f"(median {share(np.median(values))}) of them in the corpus *{corpus}*"
        for (side, values), corpus in zip(sides.items(), corpora[1::-1], strict=True)
    )
    alone = "; ".join(
        f"*{name}* {apa_number(slopes[name])}" for name in corpora if name in slopes
    )
    return [
        "**Probes read other corpora otherwise than their own.** By covariances of "
        f"scores, for which no label is needed, {told}, by modality, where the corpus "
        "with their labels is 100 %. The analysis divides scores by these scales. "
        f"Estimates have {apa_number(slopes[EVERY_CORPUS])} of the size of the truth, "
        f"and {apa_number(slopes[UNSCALED])} if scales are taken as 1; intervals hold "
        f"it in {held[EVERY_CORPUS]} and in {held[UNSCALED]} of {pairs} pairs.",
        "**Corpora disagree.** From the covariances of scores in one corpus alone, the "
        f"size of the estimates against the truth is: {alone or 'not known'}.",
    ]


def cells_held(cells: pd.DataFrame) -> str:
    """In how many pairs of a world intervals hold the truth, and where they do not.

    Parameters
    ----------
    cells : DataFrame
        emotion, trait, planted, rated, recovered, low, high; those without an interval
        are left out.
    """
    cells = cells.dropna(subset=["low", "high"])
    holds = cells["rated"].between(cells["low"], cells["high"])
    there = cells["planted"] != 0
    if not there.any():
        return f"{holds.sum()} of {len(cells)} pairs"
    told = f"{(holds & there).sum()} of the {there.sum()} pairs that were built in"
    if not there.all():
        told += f" and {(holds & ~there).sum()} of the {(~there).sum()} others"
    missed = cells[~holds]
    if missed.empty:
        return told
    sizes = missed["recovered"].abs()
    near = (sizes < missed["rated"].abs()).sum()
    where = "are too weak"
    if near < len(missed):
        where = f"miss it, {near} of them too weak"
    off = (missed["recovered"] - missed["rated"]).abs()
    most = missed.iloc[np.argsort(-off.to_numpy().round(6), kind="stable")]
    named = "; ".join(
        f"{plain(row.emotion)} with {plain(row.trait)}, {beside(row)}"
        for row in most.head(NAMED).itertuples()
    )
    furthest = "furthest off, " if len(missed) > NAMED else ""
    return f"{told} (the others {where}: {furthest}{named})"


def beside(row) -> str:
    """What was recovered of a pair, beside the truth.

    Parameters
    ----------
    row : named tuple
        Of the cells of `cells_held`.
    """
    return f"{apa_number(row.recovered)} where the truth is {apa_number(row.rated)}"
