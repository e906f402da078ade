"""How well constructs are measured, and how robust the headline is, in sentences."""

from collections.abc import Mapping

import pandas as pd

from sslmepr.association.multitrait import CUTOFF
from sslmepr.association.specifications import (
    CHOICES,
    EVERY,
    HELD_OUT,
    NETWORKS,
    PROBES,
    TRAINING,
    by_choice,
)
from sslmepr.labels import SCORED_EMOTIONS, TRAITS, select
from sslmepr.report.apa import apa_number, apa_p
from sslmepr.report.overview import Findings, first_screen
from sslmepr.report.tables import number
from sslmepr.report.words import plain

AGREE = "**Do modalities agree on who is how?**"
APART = "**Can emotions and traits be told apart?**"
DEPENDS = "**Does the headline depend on choices?**"


def measurement_findings(
    agreement: pd.DataFrame | None,
    ratios: pd.DataFrame | None,
    refused: str,
    curve: pd.DataFrame,
    joint: pd.DataFrame,
    claims: Mapping[str, int],
) -> Findings:
    """Answer the three questions of the chapter on measurement.

    Parameters
    ----------
    agreement : DataFrame or None
        From `sslmepr.association.multitrait.convergent_table`.
    ratios : DataFrame or None
        From `sslmepr.association.multitrait.htmt_table`.
    refused : str
        Why these two are None.
    curve, joint : DataFrame
        Table of `sslmepr.association.specifications.Curve`, and its joint tests.
    claims : mapping of str to {-1, 1}
        Emotion to the claimed sign of its mean association with the traits.

    Returns
    -------
    Findings
        The first screen, and the answer to each question.
    """
    if agreement is None or ratios is None:
        reason = f"{refused[:1].upper()}{refused[1:]}."
        told = [f"{AGREE} {reason}", f"{APART} {reason}"]
    else:
        told = [convergent_sentence(agreement), discriminant_sentence(ratios)]
    known = joint[joint["specifications"] > 0]
    told = [*told, choices_sentence(curve, joint, claims), *by_corpora(curve)]
    first = [*_in_short(agreement, ratios, known), *by_networks(curve)]
    return Findings([*first, *told])


def _in_short(
    agreement: pd.DataFrame | None, ratios: pd.DataFrame | None, joint: pd.DataFrame
) -> list[str]:
    parts, people = [], ""
    if agreement is not None and ratios is not None:
        emotional = ratios["construct"].isin(SCORED_EMOTIONS)
        pairs = ratios[emotional & ratios["other"].isin(TRAITS)]
        parts = [
            "modalities agree by more than chance on "
            f"{(agreement['low'] > 0).sum()} of {len(agreement)} "
            f"emotions and traits (r = {apa_number(agreement['convergent'].mean())} on "
            "average)",
            f"{pairs['distinct'].sum()} of {len(pairs)} pairs of an emotion and a "
            "trait are surely two things",
        ]
        people = (
            f"Intervals are over {agreement['n_speakers'].max():,} people, drawn again "
            "and again. "
        )
    parts += [
        f"{100 * row.of_sign:.0f} % of {row.specifications} ways to analyse give "
        f"{plain(row.emotion)} the sign that is claimed"
        for row in joint.itertuples()
    ]
    if not parts:
        return []
    answer = f"**In short:** {'; '.join(parts)}."
    sure = (
        f"{people}Ways to analyse share their clips and are no independent evidence; "
        "they are tested together."
    )
    unsaid = (
        "Whether a construct is what its name says: modalities that all read how much "
        "a person smiles agree, whatever the smile means."
    )
    return first_screen(answer, sure, unsaid)


def convergent_sentence(agreement: pd.DataFrame) -> str:
    """Say of how many constructs scores of different modalities correlate."""
    known = agreement.dropna(subset=["convergent"])
    if known.empty:
        return f"{AGREE} Scores do not vary."
    sure = int((known["low"] > 0).sum())
    verdict = _share(sure, len(agreement), "constructs")
    least, most = (
        known.loc[getattr(known["convergent"], end)()] for end in ("idxmin", "idxmax")
    )
    exceeds = number(100 * known["exceeds"].mean(), 1)
    return (
        f"{AGREE} {verdict}: scores of one construct from two sensors correlate by "
        f"{apa_number(known['convergent'].mean())} on average, from "
        f"{_of(least, 'convergent')} for {plain(least['construct'])} to "
        f"{_of(most, 'convergent')} for {plain(most['construct'])}; in "
        f"{exceeds} % of the comparisons this is more than scores of different "
        "constructs do."
    )


def discriminant_sentence(ratios: pd.DataFrame) -> str:
    """Say how many pairs of constructs are distinct."""
    emotions, traits = (
        ratios["construct"].isin(SCORED_EMOTIONS),
        ratios["other"].isin(TRAITS),
    )
    pairs = ratios[emotions & traits]
    distinct, sure = int(pairs["distinct"].sum()), pairs["low"].notna()
    verdict = _share(distinct, len(pairs), "pairs of an emotion with a trait")
    told = (
        f"{APART} {verdict} HTMT, their correlation without errors of measurement, is "
        f"surely smaller than 1 in size; in {(pairs['below'] & sure).sum()} of the "
        f"{sure.sum()} that have an interval it is below the conventional "
        f"{apa_number(CUTOFF)}"
    )
    known = pairs.dropna(subset=["htmt"])
    if len(known):
        closest = known.loc[known["htmt"].abs().idxmax()]
        told += (
            f"; closest are {plain(closest['construct'])} and "
            f"{plain(closest['other'])}, {_of(closest, 'htmt')}"
        )
    others = {
        "emotions": ratios[emotions & ~traits],
        "traits": ratios[~emotions],
    }
    apart = [
        f"{each['distinct'].sum()} of {len(each)} pairs of {name}"
        for name, each in others.items()
    ]
    return f"{told}. Distinct are also {' and '.join(apart)}."


def choices_sentence(
    curve: pd.DataFrame, joint: pd.DataFrame, claims: Mapping[str, int]
) -> str:
    """Say how far the headline moves over all specifications."""
    known = joint[joint["specifications"] > 0]
    if known.empty:
        reason = curve["reason"].iloc[0]
        return f"{DEPENDS} {reason[:1].upper()}{reason[1:]}."
    parts = [_headline(row, claims[row.emotion]) for row in known.itertuples()]
    if (known["significant"] == 1).all():
        verdict = "No"
    elif (known["of_sign"] == 1).all():
        verdict = "Its significance does, its sign does not"
    else:
        verdict = "Yes, even its sign"
    moves = by_choice(curve).groupby(["choice", "emotion"])["mean"]
    largest = (moves.max() - moves.min()).groupby("choice").max()
    most = largest.reindex(CHOICES).idxmax()
    refused = int(known["refused"].max())
    left = f" {refused} more are not identified." if refused else ""
    return (
        f"{DEPENDS} {verdict}: over {known['specifications'].iloc[0]} specifications, "
        f"{'; '.join(parts)}. The choice of {plain(most)} matters most: on average, it "
        f"moves the headline by {apa_number(largest[most])}.{left}"
    )


def by_corpora(curve: pd.DataFrame) -> list[str]:
    """What covariances of the scores of some corpora alone give.

    Parameters
    ----------
    curve : DataFrame
        As of `by_networks`.

    Returns
    -------
    list of str
        A sentence, or none where there is no held-out corpus.
    """
    known = select(curve, modalities=EVERY, scores=next(iter(PROBES)))
    known = known.dropna(subset=["estimate"])
    if not {TRAINING, HELD_OUT} <= set(known["corpora"]):
        return []
    parts = []
    for emotion, mine in known.groupby("emotion", sort=False):
        rows = mine.set_index("corpora")
        told = ", ".join(
            f"{_of(rows.loc[name], 'estimate')} from {words}"
            for name, words in (
                (EVERY, "all corpora"),
                (TRAINING, "the training corpora alone"),
                (HELD_OUT, "the held-out corpus alone"),
            )
            if name in rows.index
        )
        parts.append(f"{plain(emotion)} {told}")
    return [
        "**Which corpora give the covariances of scores**, with all modalities and "
        f"probes as they are: {'; '.join(parts)}. How far the headline of other "
        "people may lie from this one, *A test that was fixed first* shows."
    ]


def by_networks(curve: pd.DataFrame) -> list[str]:
    """What the method's own networks find, in place of linear probes.

    Parameters
    ----------
    curve : DataFrame
        Table of `sslmepr.association.specifications.Curve`; may be empty.

    Returns
    -------
    list of str
        A sentence, or none if no specification of networks has an estimate.
    """
    if curve.empty:
        return []
    known = select(curve, scores=NETWORKS).dropna(subset=["estimate"])
    if known.empty:
        return []
    parts, every = [], select(known, modalities=EVERY, corpora=EVERY)
    for emotion, mine in known.groupby("emotion", sort=False):
        whole = select(every, emotion=emotion)
        told = [_of(row, "estimate") for _, row in whole.iterrows()]
        if len(mine) > 1:
            count = f"{mine['significant'].sum()} of {len(mine)} ways to analyse"
            told.append(f"significant in {count}")
        parts.append(f"{plain(emotion)} {', '.join(told)}")
    # By the analysis of all clips, as in the chapter on associations.
    confirmed = (every if len(every) else known)["significant"].sum()
    found = "some of its claims are" if confirmed else "none of its claims is"
    return [
        "**With scores from the method's own networks in place of linear ones, "
        f"{found} confirmed** (mean association with the five traits: "
        f"{'; '.join(parts)})."
    ]


def _headline(row, sign: int) -> str:
    ends = f"[{apa_number(row.low)}, {apa_number(row.high)}]"
    span = f"from {apa_number(row.smallest)} to {apa_number(row.largest)}"
    direction = "positive" if sign > 0 else "negative"
    return (
        f"the mean association of {plain(row.emotion)} with the five traits is "
        f"{apa_number(row.median)} {ends} in the median ({span}; {apa_p(row.p_median)})"
        f", and {100 * row.significant:.0f} % of the estimates are significantly "
        f"{direction} ({apa_p(row.p_significant)})"
    )


def _share(count: int, whole: int, of: str) -> str:
    if count == whole:
        return f"Yes, in all {whole} {of}"
    return f"In {count} of {whole} {of}" if count else f"No, in none of {whole} {of}"


def _of(row: pd.Series, name: str) -> str:
    if pd.isna(row["low"]):
        return f"{apa_number(row[name])} (no interval)"
    ends = f"[{apa_number(row['low'])}, {apa_number(row['high'])}]"
    return f"{apa_number(row[name])} {ends}"
