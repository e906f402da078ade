import pandas as pd

from sslmepr.report.component_findings import component_findings

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
