import pandas as pd

from sslmepr.association.sources import CROSS, DISJOINT, UNSCALED
from sslmepr.report.power_findings import (
    asked,
    cell_bias,
    corrections,
    coverage,
    error_rates,
    power_findings,
    read_drawn,
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
        "associated, some pair is called present in 6 % of worlds of the typical kind "
        "and in 20 % of the worst (*unlike*); 5 % are promised."
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


def test_scales_are_told_beside_what_they_correct():
    pairs = {UNSCALED: (0.8, 0.91, 0.3), CROSS: (0.97, 0.94, 0.06)}
    rows = [
        (source, "unlike", strength, metric, value, 100)
        for source, values in pairs.items()
        for (metric, strength), value in zip(
            [("slope", 0.3), ("covers_planted", 0.3), ("familywise_error", 0.0)],
            values,
            strict=True,
        )
    ]
    table = pd.concat([SUMMARY.iloc[:4], pd.DataFrame(rows, columns=NAMES)])
    told = power_findings(table, 0.05).sentences[-1]
    assert told.endswith(
        "from .80 to .97 of the truth, coverage from 91 % to 94 %, and worlds without "
        "associations in which some pair is called from 30 % to 6 %."
    )


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
    assert sure.endswith("and shares of worlds to within 1.")
    assert unsaid.startswith("**What it does not say.** Worlds are drawn")


def test_standard_errors_of_the_typical_world_and_of_all():
    ratios = {"error_ratio": (1.05, 1.3), "error_ratio_trimmed": (1.0, 1.1)}
    ratios["error_ratio_median"] = (1.02, 1.21)
    rows = [
        (CROSS, kind, 0.3, name, value, 100)
        for name, values in ratios.items()
        for kind, value in zip(("480 clips", "mild world"), values, strict=True)
    ]
    table = pd.concat([SUMMARY, pd.DataFrame(rows, columns=NAMES)])
    _, _, _, errors, _ = power_findings(table, 0.05).sentences
    assert (
        "are 1.02 to 1.21 times it by kind, and within this range in 1 of 2" in errors
    )
    assert "add most, is within it in 1, and without the tenth" in errors
    assert "standard errors in 2. The largest mean" in errors
    assert errors.endswith(
        "in 2. The largest mean is that of mild world at |r| = 0.3 (1.30)."
    )


def test_the_bias_of_single_pairs_is_told_where_it_is_largest():
    columns = ["source", "condition", "strength", "emotion", "trait"]
    columns += ["planted", "expected", "deviation", "worlds"]
    rows = [
        (CROSS, "480 clips", 0.3, "anger", "openness", 0.3, 0.28, 0.1, 100),
        (CROSS, "480 clips", 0.3, "fear", "openness", 0.0, 0.01, 0.1, 100),
        (CROSS, "overlap", 0.3, "disgust", "openness", 0.0, -0.17, 0.2, 100),
        (DISJOINT, "overlap", 0.3, "anger", "openness", 0.0, 0.9, 0.2, 100),
    ]
    told = cell_bias(pd.DataFrame(rows, columns=columns))
    assert "half of all pairs are off by less than .020 on average" in told
    worst, second = told.split("over worlds, but ")[1].split("; ")
    assert worst == (
        "disgust with openness in *overlap* at |r| = 0.3, −.17 on average "
        "where .00 is planted (± .02)"
    )
    assert second.startswith("anger with openness in *480 clips*")


def test_corrections_are_told_with_what_each_calls():
    told = corrections(SUMMARY)
    assert "any false alarm: over all thirty pairs it calls some in 60 to 60 %" in told
    assert "In the same worlds, some pair is called in 4 to 20 %. Where" in told
    assert told.endswith(
        "some pair that is not is called as well in 50 to 50 % of worlds."
    )


def test_larger_studies_are_read_beside_those_of_a_trial(tmp_path):
    SUMMARY.to_csv(tmp_path / "drawn.csv", index=False)
    assert len(read_drawn(tmp_path / "drawn.csv")) == len(SUMMARY)
    SUMMARY.assign(condition="960 clips").to_csv(tmp_path / "larger.csv", index=False)
    both = read_drawn(tmp_path / "drawn.csv")
    assert both["condition"].eq("960 clips").sum() == len(SUMMARY) == len(both) / 2
    assert len(read_drawn(tmp_path / "larger.csv")) == len(SUMMARY)


def test_bounds_are_those_of_the_standard_errors_on_record():
    bounds = asked(SUMMARY, 0.05)
    assert bounds["covers_planted"] == (0.93, 0.98)
    assert bounds["largest_t_error"] == (0.0, 0.05) and bounds["rmse"] == (0.0, 0.1)
    assert bounds["error_ratio"] == (0.9, 1.1) and len(bounds) == 4
    more = SUMMARY.iloc[:1].assign(metric="error_ratio_median")
    later = asked(pd.concat([SUMMARY, more]), 0.05)
    assert later["error_ratio_median"] == (0.9, 1.1) and "error_ratio" not in later
