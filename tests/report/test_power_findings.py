import pandas as pd

from sslmepr.association.sources import CROSS, DISJOINT
from sslmepr.report.power_findings import (
    coverage,
    power_findings,
    trials_findings,
)

ROWS = [
    (CROSS, "480 clips", 0.0, "covers_planted", 0.95, 200),
    (CROSS, "480 clips", 0.3, "covers_planted", 0.965, 100),
    (CROSS, "moderation", 0.3, "covers_planted", 0.9, 100),
    (CROSS, "480 clips", 0.0, "largest_t_error", 0.04, 200),
    (CROSS, "480 clips", 0.3, "largest_t_error", 0.5, 100),
    (CROSS, "480 clips", 0.0, "rmse", 0.08, 200),
    (DISJOINT, "480 clips", 0.0, "covers_planted", 0.6, 200),
    (DISJOINT, "480 clips", 0.0, "rmse", 0.09, 200),
]
NAMES = ["source", "condition", "strength", "metric", "estimate", "worlds"]
SUMMARY = pd.DataFrame(ROWS, columns=NAMES)


def test_findings_tell_coverage_failures_false_alarms_and_the_alternative():
    held, outside, called, beside = power_findings(SUMMARY, 0.05).sentences
    assert "in 90 % to 96.5 % of the cells, over 3 kinds of worlds (400 worlds)" in held
    assert "2 kinds lie within 93 % to 98 %" in held
    assert outside == "**Outside it**: moderation at |r| = 0.3 (90 %)."
    assert called.endswith("(5 % at most are promised): 480 clips 4 %.")
    assert "60 % to 60 %; in 1 of 1 kinds" in beside


def test_what_is_not_on_record_is_not_told():
    good = SUMMARY[
        (SUMMARY["source"] == CROSS) & (SUMMARY["condition"] != "moderation")
    ]
    assert len(power_findings(good, 0.05).sentences) == 2
    assert coverage(good) == (0.95, 0.965)


def test_how_sure_and_what_is_not_said_follow_the_answer():
    ends = SUMMARY.assign(
        low=SUMMARY["estimate"] - 0.012, high=SUMMARY["estimate"] + 0.01
    )
    answer, sure, unsaid, *more = trials_findings(ends, 0.05)
    assert [answer, *more] == power_findings(SUMMARY, 0.05).sentences
    assert "drawn 100 to 200 times" in sure and "within 1.1 percentage points" in sure
    assert unsaid.startswith("**What it does not say.** Worlds are drawn")
