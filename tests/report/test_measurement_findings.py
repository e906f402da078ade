from itertools import combinations

import numpy as np
import pandas as pd

from sslmepr.association.disjoint_modalities import CORRELATED
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report.measurement_findings import (
    choices_sentence,
    convergent_sentence,
    discriminant_sentence,
    measurement_findings,
)

CLAIMS = {"sadness": -1, "happiness": 1}


def agreement(low=0.1):
    table = pd.DataFrame({"construct": CORRELATED, "convergent": 0.4, "exceeds": 0.9})
    table.loc[0, "convergent"], table.loc[10, "convergent"] = 0.2, 0.6
    return table.assign(low=low, high=0.7, n_speakers=300)


def ratios():
    table = pd.DataFrame(combinations(CORRELATED, 2), columns=["construct", "other"])
    table = table.assign(htmt=0.2, low=0.1, high=0.3, below=True, distinct=True)
    return table.set_index(["construct", "other"])


def curve(happy=(0.2, 0.3), sad=(-0.2, -0.1), reason=""):
    rows = [
        (emotion, modalities, "all", "all", "probes", value)
        for emotion, values in (("sadness", sad), ("happiness", happy))
        for modalities, value in zip(("all", "without face"), values, strict=True)
    ]
    columns = "emotion modalities pairs corpora scores estimate".split()
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(significant=table["estimate"].abs() > 0.15, reason=reason)


def joint(happy=(1.0, 1.0), sad=(1.0, 1.0), specifications=2, refused=0):
    rows = [
        ("sadness", -0.15, -0.25, -0.05, -0.2, -0.1, 0.01, *sad),
        ("happiness", 0.25, 0.15, 0.35, 0.2, 0.3, 0.0004, *happy),
    ]
    columns = "emotion median low high smallest largest p_median of_sign significant"
    table = pd.DataFrame(rows, columns=columns.split())
    return table.assign(
        p_significant=0.04, specifications=specifications, refused=refused
    )


def test_agreement_is_told_by_counting_the_intervals_above_zero():
    told = convergent_sentence(agreement())
    assert "Yes, in all 11 constructs" in told
    assert "by .40 on average, from .20 [.10, .70] for anger to .60 [.10, .70]" in told
    assert "for emotional stability; in 90.0 % of the comparisons" in told
    assert "In 1 of 11 constructs" in convergent_sentence(
        agreement(low=np.where(np.arange(11) == 3, 0.1, -0.1))
    )
    assert "No, in none of 11 constructs" in convergent_sentence(agreement(low=-0.1))
    nothing = agreement().assign(convergent=np.nan)
    assert convergent_sentence(nothing).endswith("Scores do not vary.")


def test_emotions_and_traits_are_told_apart_by_pairs():
    told = discriminant_sentence(ratios().reset_index())
    assert "Yes, in all 30 pairs of an emotion with a trait HTMT" in told
    assert "in 30 of the 30 that have an interval it is below the" in told
    table = ratios()
    cell = ("happiness", "extraversion")
    table.loc[cell, ["htmt", "low", "high"]] = -0.95, -1.1, -0.8
    table.loc[cell, ["below", "distinct"]] = False
    table.loc[("openness", "extraversion"), "distinct"] = False
    told = discriminant_sentence(table.reset_index())
    assert "In 29 of 30 pairs" in told and "in 29 of the 30 that" in told
    assert "closest are happiness and extraversion, −.95 [−1.10, −.80]" in told
    assert "15 of 15 pairs of emotions and 9 of 10 pairs of traits" in told
    pairs = len(SCORED_EMOTIONS) * len(TRAITS)
    nothing = ratios().assign(htmt=np.nan, below=False, distinct=False)
    told = discriminant_sentence(nothing.reset_index())
    assert f"No, in none of {pairs} pairs" in told and "closest" not in told


def test_the_headline_depends_on_choices_by_significance_or_by_sign():
    told = choices_sentence(curve(), joint(), CLAIMS)
    assert "No: over 2 specifications" in told
    assert (
        "of happiness with the five traits is .25 [.15, .35] in the median (from .20 "
        "to .30; p < .001), and 100 % of the estimates are significantly positive "
        "(p = .040)" in told
    )
    assert "significantly negative" in told and "not identified" not in told
    assert "The choice of modalities matters most" in told and "by .10." in told
    part = choices_sentence(curve(), joint(sad=(1.0, 0.5)), CLAIMS)
    assert "Its significance does, its sign does not: over" in part
    sign = choices_sentence(curve(), joint(sad=(0.5, 0.5), refused=3), CLAIMS)
    assert "Yes, even its sign: over" in sign
    assert sign.endswith("3 more are not identified.")


def test_what_cannot_be_computed_is_said_in_each_answer():
    reason = "associations are not identified: no two modalities"
    none = curve(happy=(np.nan, np.nan), sad=(np.nan, np.nan), reason=reason)
    told = measurement_findings(
        None, None, "only text", none, joint(specifications=0), CLAIMS
    ).sentences
    assert told == [
        "**Do modalities agree on who is how?** Only text.",
        "**Can emotions and traits be told apart?** Only text.",
        "**Does the headline depend on choices?** Associations are not identified: no "
        "two modalities.",
    ]
    told = measurement_findings(
        agreement(), ratios().reset_index(), "", curve(), joint(), CLAIMS
    ).sentences
    answer, sure, unsaid, *questions = told
    assert answer == (
        "**In short:** modalities agree by more than chance on 11 of 11 emotions and "
        "traits (r = .40 on average); 30 of 30 pairs of an emotion and a "
        "trait are surely two things; 100 % of 2 ways to analyse give sadness the sign "
        "that is claimed; 100 % of 2 ways to analyse give happiness the sign that is "
        "claimed."
    )
    assert "over 300 people" in sure and unsaid.startswith("**What it does not say.**")
    assert len(questions) == 3 and "Yes, in all 11" in questions[0]
    assert "No: over" in questions[2]
