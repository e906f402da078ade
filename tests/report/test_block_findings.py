import pandas as pd

from sslmepr.report import block_findings

COLUMNS = ["what", "task", "block", "metric", "estimate", "low", "high"]


def test_sentences_count_intervals_apart_from_zero():
    rows = [
        ("face", "emotion", "mamba", "over_linear", 0.02, 0.01, 0.03),
        ("text", "emotion", "mamba", "over_linear", 0.01, -0.01, 0.03),
        ("face", "emotion", "mamba", "over_state_free", -0.02, -0.03, -0.01),
        ("text", "emotion", "mamba", "over_state_free", 0.01, 0.0, 0.02),
        ("mean over modalities", "emotion", "mamba", "over_linear", 0.9, 0.8, 1.0),
        ("drawn sequences", "order", "linear", "dev_score", 0.5, 0.5, 0.5),
        ("drawn sequences", "order", "state_free", "dev_score", 0.51, 0.49, 0.53),
        ("drawn sequences", "order", "mamba", "over_linear", 0.4, 0.3, 0.5),
    ]
    said = block_findings.findings(pd.DataFrame(rows, columns=COLUMNS)).sentences
    assert said == [
        "**Where only the order of steps tells**, area under the curve: "
        "Linear probe 0.500 [0.500, 0.500]; "
        "Published block (state-free) 0.510 [0.490, 0.530].",
        "**Mamba-2 against the linear probe that it corrects**, on the study's "
        "corpora: differences from 0.010 to 0.020; 1 of 2 intervals lie above zero, "
        "0 below.",
        "**Mamba-2 against the published block**, on the study's corpora: "
        "differences from −0.020 to 0.010; 0 of 2 intervals lie above zero, 1 below.",
    ]


def test_gains_over_pooling_are_told_by_modality():
    columns = ["knob", "dose", "modality", "arm", "against", "metric"]
    rows = [
        ("burst", 0.0, "face", "mamba", "pooling", "mWACC", 0.0, -0.001, 0.001),
        ("burst", 0.0, "stacked", "mamba", "pooling", "mWACC", 0.0, -0.001, 0.001),
        ("burst", 1.0, "face", "mamba", "pooling", "mWACC", 0.03, 0.02, 0.04),
        ("burst", 1.0, "audio", "mamba", "pooling", "mWACC", 0.035, 0.03, 0.04),
        ("burst", 1.0, "stacked", "mamba", "pooling", "mWACC", 0.005, -0.01, 0.02),
        ("burst", 1.0, "stacked", "mamba", "pooling", "CCC", 0.9, 0.9, 0.9),
        ("burst", 1.0, "face", "mamba", "pooling and slope", "mWACC", 0.9, 0.9, 0.9),
        ("burst", 1.0, "face", "pooling and slope", "pooling", "mWACC", 0.9, 0.9, 0.9),
    ]
    table = pd.DataFrame(rows, columns=[*columns, "estimate", "low", "high"])
    assert block_findings.timed_findings(table, 0.005).sentences == [
        "**Mamba-2, burst 1**, over pooling, in balanced accuracy (mWACC): 0.005 "
        "[−0.010, 0.020] (undecided) in late fusion; in one modality alone, face 0.030 "
        "[0.020, 0.040] (better); audio 0.035 [0.030, 0.040] (better).",
    ]
