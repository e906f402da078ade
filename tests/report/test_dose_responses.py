"""Gains of components beside what there is to gain, and verdicts."""

import pandas as pd

from sslmepr.report.dose_responses import findings, gain_table, lines, read_gains

OBSERVED = pd.DataFrame(
    [
        ("reliability", 1.0, "full observer", "mWACC", 0.0, 0.0, 0.0),
        ("reliability", 1.0, "without reliability", "mWACC", 0.11, 0.1, 0.12),
        ("reliability", 1.0, "late fusion", "mWACC", 0.09, 0.08, 0.1),
        ("reliability", 1.0, "late fusion", "CCC", 0.3, 0.2, 0.4),
        ("reliability", 1.0, "without reliability", "CCC", 0.25, 0.2, 0.3),
        ("mild world", 1.0, "without reliability", "mWACC", 0.01, 0.0, 0.02),
    ],
    columns=["knob", "dose", "observer", "metric", "loss", "loss_low", "loss_high"],
)
GAINED = pd.DataFrame(
    [
        ("product_of_experts", "reliability", 1.0, "without", "mWACC", 0.05, 0.04, 0.1),
        ("product_of_experts", "reliability", 1.0, "late fusion", "mWACC", 0.2, 0, 1),
        ("semi_supervised", "scarcity", 0.5, "without", "mWACC", -0.01, -0.03, 0.01),
    ],
    columns=[
        *("component", "knob", "dose", "against", "metric", "estimate", "low", "high")
    ],
)


def test_lines_hold_gains_over_the_same_model_and_what_there_is():
    found = lines(GAINED, OBSERVED, "mWACC")
    assert found[["dose", "line", "estimate"]].values.tolist() == [
        [1.0, "gain of the component", 0.05],
        [0.5, "gain of the component", -0.01],
        [1.0, "what there is to gain", 0.09],
    ]
    assert found["metric"].iloc[0] == found["metric"].iloc[2]
    assert "reliability" in found["metric"].iloc[0]


def test_the_table_has_a_verdict_for_each_gain_over_the_same_model():
    found = gain_table(GAINED, OBSERVED, 0.005).frame
    assert found["verdict"].tolist() == ["better", "undecided"]
    assert found["there to gain"].tolist() == ["0.090", "–"]
    assert found["dose"].tolist() == ["reliability, dose 1", "scarcity, dose 0.5"]


def test_sentences_say_gain_verdict_and_what_there_is_to_gain():
    found = findings(GAINED, OBSERVED, 0.005).sentences
    assert len(found) == 2
    first, second = found
    assert "reliability" in first and "mWACC 0.050" in first
    assert "of 0.090 (better)" in first and "0.200" not in first
    assert "at dose 0.5" in second and "(undecided)" in second
    poor = OBSERVED.assign(loss=OBSERVED["loss"] / 10)
    assert "of 0.009 (better)" in findings(GAINED, poor, 0.005).sentences[0]
    none = GAINED.assign(estimate=0.0, low=-0.01)
    assert "with little to gain (undecided)" in findings(none, poor, 0.005).sentences[0]


def test_both_ends_of_a_knob_are_told():
    ends = pd.concat([GAINED.assign(dose=dose) for dose in (0.0, 0.5, 1.0)])
    first = findings(ends, OBSERVED, 0.005).sentences[0]
    assert "at dose 1 " in first and "at dose 0 " in first and "0.5 " not in first


def test_trials_with_unlike_corpora_are_told_apart(tmp_path):
    GAINED.to_csv(tmp_path / "a-gains.csv", index=False)
    GAINED.assign(offset=0.5).to_csv(tmp_path / "b-gains.csv", index=False)
    GAINED.assign(offset=0.0).to_csv(tmp_path / "c-gains.csv", index=False)
    GAINED.to_csv(tmp_path / "a.csv", index=False)
    found = read_gains(tmp_path)
    assert list(found.columns) == list(GAINED.columns)
    knobs = ["reliability", "reliability", "scarcity"]
    unlike = [f"{knob} in unlike corpora (offset 0.5)" for knob in knobs]
    assert found["knob"].tolist() == [*knobs, *unlike, *knobs]
