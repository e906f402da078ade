"""Gains of components beside what there is to gain, and verdicts."""

import pandas as pd
import pytest

from sslmepr.report.dose_responses import (
    findings,
    gain_table,
    judged,
    known_to_observers,
    read_gains,
)

OBSERVED = pd.DataFrame(
    [
        ("reliability", 1.0, "full observer", "mWACC", 0.0, 0.0, 0.0),
        ("reliability", 1.0, "without reliability", "mWACC", 0.11, 0.1, 0.12),
        ("reliability", 1.0, "late fusion", "mWACC", 0.09, 0.08, 0.1),
        ("reliability", 1.0, "late fusion", "CCC", 0.3, 0.2, 0.4),
        ("reliability", 1.0, "without reliability", "CCC", 0.25, 0.2, 0.3),
        ("occlusion", 0.0, "late fusion", "mWACC", 0.0, 0.0, 0.0),
        ("occlusion", 1.0, "late fusion", "mWACC", 0.002, 0.001, 0.003),
        ("mild world", 1.0, "without reliability", "mWACC", 0.01, 0.0, 0.02),
    ],
    columns=["knob", "dose", "observer", "metric", "loss", "loss_low", "loss_high"],
)
COLUMNS = ["component", "knob", "dose", "against", "metric", "estimate", "low", "high"]
GAINED = pd.DataFrame(
    [
        ("product_of_experts", "reliability", 1.0, "without", "mWACC", 0.05, 0.04, 0.1),
        ("product_of_experts", "reliability", 1.0, "late fusion", "mWACC", 0.2, 0, 1),
        ("task_query", "occlusion", 0.0, "without", "mWACC", 0.001, -0.002, 0.004),
        ("task_query", "occlusion", 1.0, "without", "mWACC", 0.001, -0.01, 0.012),
        ("semi_supervised", "scarcity", 0.5, "without", "mWACC", -0.01, -0.03, 0.01),
    ],
    columns=COLUMNS,
)


def test_gains_over_the_same_model_stand_beside_what_there_is():
    found = judged(GAINED, OBSERVED, 0.005)
    names = ["component", "dose", "estimate", "there", "there_high", "verdict"]
    rows = found[[*names, "nothing"]].fillna(-1).values.tolist()
    assert rows == [
        ["product_of_experts", 1.0, 0.05, 0.09, 0.1, "better", False],
        ["task_query", 0.0, 0.001, 0.0, 0.0, "equivalent", False],
        ["task_query", 1.0, 0.001, 0.002, 0.003, "undecided", True],
        ["semi_supervised", 0.5, -0.01, -1, -1, "undecided", False],
    ]
    assert known_to_observers(found, OBSERVED).tolist() == [True, True, True, False]


@pytest.mark.parametrize(
    ("low", "high", "nothing"),
    [(0.001, 0.02, False), (-0.02, -0.006, False), (-0.001, 0.001, True)],
)
def test_what_is_better_or_worse_is_so_although_there_is_little_to_gain(
    low, high, nothing
):
    gained = GAINED.iloc[[3]].assign(low=low, high=high)
    assert judged(gained, OBSERVED, 0.005)["nothing"].tolist() == [nothing]


def test_the_table_has_a_row_for_each_dose_and_a_verdict_for_each_gain():
    both = pd.concat([GAINED, GAINED.iloc[[0]].assign(metric="CCC")])
    found = gain_table(judged(both, OBSERVED, 0.005), 0.005).frame
    assert list(found) == [
        "component",
        "dose",
        "mWACC",
        "mWACC, there",
        "CCC",
        "CCC, there",
    ]
    assert found["dose"].tolist() == [
        *("reliability, dose 1", "occlusion, dose 0", "occlusion, dose 1"),
        "scarcity, dose 0.5",
    ]
    assert found["mWACC"].tolist() == [
        "0.050 [0.040, 0.100] better",
        "0.001 [−0.002, 0.004] equivalent",
        "0.001 [−0.010, 0.012] undecided, nothing to gain",
        "−0.010 [−0.030, 0.010] undecided",
    ]
    assert found["mWACC, there"].tolist() == ["0.090", "0.000", "0.002", "–"]
    assert found["CCC, there"].fillna("").tolist() == ["0.250", "", "", ""]
    unknown = gain_table(judged(GAINED.iloc[[-1]], OBSERVED, 0.005), 0.005).frame
    assert list(unknown) == ["component", "dose", "mWACC"]


def test_sentences_are_by_verdict_at_the_largest_dose():
    table = judged(GAINED, OBSERVED, 0.005)
    assert findings(table, 0.005).sentences == [
        "**Better with it**: product of experts under reliability, dose 1: "
        "0.050 [0.040, 0.100] of 0.090 in mWACC.",
        "**Nothing to gain (an observer's knowledge is worth less than 0.02)**: task "
        "queries under occlusion, dose 1: "
        "0.001 [−0.010, 0.012] of 0.002 in mWACC.",
        "**Undecided**: self-training under scarcity, dose 0.5: "
        "−0.010 [−0.030, 0.010] in mWACC.",
        "**Without the circumstance that it is for** (dose 0), where a component "
        "should make no difference, comparisons by verdict: equivalent 1.",
    ]


def test_trials_with_unlike_corpora_are_told_apart(tmp_path):
    folder = tmp_path / "doses"
    folder.mkdir()
    GAINED.to_csv(folder / "a-gains.csv", index=False)
    GAINED.assign(offset=0.5).to_csv(folder / "b-gains.csv", index=False)
    GAINED.assign(offset=0.0).to_csv(folder / "c-gains.csv", index=False)
    GAINED.to_csv(folder / "a.csv", index=False)
    found = read_gains(tmp_path)
    assert list(found.columns) == COLUMNS
    knobs = GAINED["knob"].tolist()
    unlike = [f"{knob} in unlike corpora (offset 0.5)" for knob in knobs]
    assert found["knob"].tolist() == [*knobs, *unlike, *knobs]
    known = known_to_observers(found, OBSERVED)
    assert not known[found["knob"].str.startswith("scarcity")].any()


def test_blocks_are_components_of_late_fusion_against_pooling(tmp_path):
    columns = ["knob", "dose", "modality", "arm", "against", "metric", "estimate"]
    rows = [
        ("burst", 1.0, "stacked", "mamba", "pooling", "mWACC", 0.01),
        ("burst", 1.0, "stacked", "mamba", "pooling and slope", "mWACC", 0.02),
        ("burst", 1.0, "stacked", "pooling and slope", "pooling", "mWACC", 0.03),
        ("burst", 1.0, "face", "mamba", "pooling", "mWACC", 0.04),
    ]
    for kind in ("doses", "timing"):
        (tmp_path / kind).mkdir()
    GAINED.to_csv(tmp_path / "doses" / "a-gains.csv", index=False)
    timed = pd.DataFrame(rows, columns=columns).assign(low=0.0, high=0.1)
    timed.to_csv(tmp_path / "timing" / "drawn-gains.csv", index=False)
    found = read_gains(tmp_path)
    assert list(found.columns) == COLUMNS
    assert found.iloc[-1][["component", "against", "estimate"]].tolist() == [
        *("mamba", "without", 0.01)
    ]
    assert len(found) == len(GAINED) + 1
