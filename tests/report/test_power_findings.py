import pandas as pd

from sslmepr.association.sources import CROSS, DISJOINT
from sslmepr.report.power_findings import (
    coverage,
    error_rates,
    power_findings,
    trials_findings,
)

ROWS = [
    (CROSS, "480 clips", 0.0, "covers_planted", 0.95, 200),
    (CROSS, "480 clips", 0.3, "covers_planted", 0.965, 100),
    (CROSS, "moderation", 0.3, "covers_planted", 0.9, 100),
    (CROSS, "480 clips", 0.0, "familywise_error", 0.04, 200),
    (CROSS, "480 clips", 0.3, "familywise_error", 0.5, 100),
    (CROSS, "480 clips", 0.0, "largest_t_error", 0.6, 200),
    (CROSS, "halo", 0.0, "familywise_error", 0.06, 200),
    (CROSS, "unlike", 0.0, "familywise_error", 0.2, 200),
    (CROSS, "480 clips", 0.0, "rmse", 0.08, 200),
    (DISJOINT, "480 clips", 0.0, "covers_planted", 0.6, 200),
    (DISJOINT, "480 clips", 0.0, "rmse", 0.09, 200),
    (DISJOINT, "480 clips", 0.0, "familywise_error", 0.9, 200),
]
NAMES = ["source", "condition", "strength", "metric", "estimate", "worlds"]
SUMMARY = pd.DataFrame(ROWS, columns=NAMES)


def test_error_rates_are_those_of_the_verdicts():
    assert error_rates(SUMMARY, 0.05) == (
        "In 400 drawn worlds whose truth is known, intervals that promise 95 % hold it "
        "in 90 to 96 % of the pairs, by kind of drawn world. Where nothing is "
        "associated, some pair is called present in 6 % of the worlds of the typical "
        "kind and in up to 20 % (*unlike*); 5 % are promised."
    )


def test_findings_tell_rates_failures_false_alarms_by_kind_and_the_alternative():
    rates, covered, called, beside = power_findings(SUMMARY, 0.05).sentences
    assert rates == error_rates(SUMMARY, 0.05)
    assert covered == (
        "**In 2 of 3 kinds** coverage is 93 to 98 %; it is not in moderation at "
        "|r| = 0.3 (90 %)."
    )
    assert called.endswith("worlds: unlike 20 %, halo 6 %, 480 clips 4 %.")
    assert "nearer the truth in size in 0 of 1 kinds" in beside
    assert "60 to 60 % of the pairs, by kind of drawn world, and where" in beside
    assert "in up to 90 % of the worlds, three sources in up to 4 % of" in beside


def test_what_is_not_on_record_is_not_told():
    good = SUMMARY[
        (SUMMARY["source"] == CROSS) & (SUMMARY["condition"] != "moderation")
    ]
    _, covered, _ = power_findings(good, 0.05).sentences
    assert covered == "**In 2 of 2 kinds** coverage is 93 to 98 %."
    assert coverage(good) == (0.95, 0.965)


def test_how_sure_and_what_is_not_said_follow_the_answer():
    ends = SUMMARY.assign(
        low=SUMMARY["estimate"] - 0.012, high=SUMMARY["estimate"] + 0.01
    )
    answer, sure, unsaid, *more = trials_findings(ends, 0.05)
    assert [answer, *more] == power_findings(SUMMARY, 0.05).sentences
    assert "drawn 100 to 200 times" in sure and "within 1.1 percentage points" in sure
    assert unsaid.startswith("**What it does not say.** Worlds are drawn")
