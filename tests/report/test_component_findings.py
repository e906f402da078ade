import pandas as pd

from sslmepr.report.component_findings import ablation_findings, component_findings

METRICS = {"mWACC": "emotions", "CCC": "traits"}


def gains():
    rows = [
        ("co_training", False, "CCC", 0.019, 0.014, 0.024, "better"),
        ("co_training", False, "mF1", 0.5, 0.4, 0.6, "better"),
        ("task_query", True, "mWACC", -0.01, -0.02, -0.001, "worse"),
        ("both_tasks", False, "mWACC", 0.0, -0.02, 0.03, "undecided"),
        ("linear_fusion", False, "CCC", 0.03, 0.02, 0.04, "better"),
    ]
    names = ["component", "added", "metric", "gain", "low", "high", "verdict"]
    return pd.DataFrame(rows, columns=names)


def test_components_are_told_by_verdict_with_their_gains():
    assert component_findings(gains(), METRICS, 0.005).sentences == [
        "**The whole model** gains for traits over linear fusion "
        "0.0300 [0.0200, 0.0400]: better.",
        "**Better with it**: co-training for traits, 0.0190 [0.0140, 0.0240].",
        "**Worse with it**: task queries (not in the model) for emotions, "
        "−0.0100 [−0.0200, −0.0010].",
        "**As good without it (within ±0.005)**: none.",
        "**Undecided**: learning both tasks for emotions.",
    ]


def test_helpful_components_are_counted_apart_from_those_that_are_lacking():
    table = gains().assign(n=300, n_seeds=3)
    answer, sure, unsaid = ablation_findings(table, METRICS, 0.9).sentences
    assert answer.startswith(
        "**1 of the 2 parts of the model and 0 of the 1 that it lacks measurably "
        "help** on clips that no stage was trained on: co-training (traits, by 0.019 "
        "[0.014, 0.024]). Emotions are scored by balanced accuracy (mWACC; .5"
    )
    assert sure == (
        "**How sure.** Each was left out or added with 3 seeds of training. Of 3 "
        "comparisons on 300 clips, 1 stayed undecided, and chance alone would make "
        "about 0.3 differ."
    )
    assert unsaid.startswith("**What it does not say.**")
    worse = table.assign(verdict="worse")
    assert ": none. Emot" in ablation_findings(worse, METRICS, 0.9).sentences[0]
    assert ablation_findings(table[:0], METRICS, 0.9).sentences == []
