import pandas as pd

from sslmepr.report.component_findings import (
    ablation_findings,
    component_findings,
    elsewhere_finding,
    stage_3_finding,
)

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


def test_components_are_told_by_verdict():
    both = ("co_training", False, "mWACC", 0.01, 0.001, 0.02, "better")
    table = pd.concat([gains(), pd.DataFrame([both], columns=gains().columns)])
    assert component_findings(table, METRICS, 0.005).sentences == [
        "**Better with it**: co-training (traits and emotions).",
        "**Worse with it**: task queries, not in the model (emotions).",
        "**As good without it (within ±0.005)**: none.",
        "**Undecided**: learning both tasks (emotions).",
    ]


def over_late_fusion(*verdicts):
    rows = [
        ("late_fusion", False, metric, -0.01, -0.02, 0.005, verdict)
        for metric, verdict in zip(METRICS, verdicts, strict=True)
    ]
    return pd.concat([gains(), pd.DataFrame(rows, columns=gains().columns)])


def test_stage_3_is_told_by_what_it_adds_to_late_fusion():
    assert stage_3_finding(gains(), METRICS) == ""
    told = stage_3_finding(over_late_fusion("undecided", "equivalent"), METRICS)
    assert told.startswith(
        "**Stage 3 adds nothing measurable to late fusion**: its gains are −0.010 "
        "[−0.020, 0.005] for emotions (undecided), −0.010 [−0.020, 0.005] for traits "
        "(equivalent); over linear fusion of features, +0.030 [0.020, 0.040] for traits"
    )
    some = stage_3_finding(over_late_fusion("worse", "better"), METRICS)
    assert some.startswith(
        "**Stage 3 adds to late fusion for traits and is worse for emotions**"
    )
    both = stage_3_finding(over_late_fusion("better", "better"), METRICS)
    assert both.startswith("**Stage 3 adds to late fusion for emotions and traits**")


def test_parts_that_help_are_told_with_what_they_do_to_real_people():
    columns = gains().columns
    harmed = pd.DataFrame(
        [("co_training", False, "CCC", -0.02, -0.03, -0.01, "worse")], columns=columns
    )
    told = elsewhere_finding(gains(), harmed, METRICS)
    assert told.endswith(
        "with co-training, concordance (CCC) is worse (−0.020 [−0.030, −0.010])."
    )
    alike = harmed.assign(verdict="undecided")
    told = elsewhere_finding(gains(), alike, METRICS)
    assert told.endswith("with co-training, no difference can be measured.")
    assert elsewhere_finding(gains(), harmed.assign(component="x"), METRICS) == ""
    assert elsewhere_finding(gains(), pd.DataFrame(), METRICS) == ""
    table = over_late_fusion("better", "better").assign(n=300, n_seeds=3)
    answer, _, unsaid = ablation_findings(table, METRICS, 0.9, harmed).sentences
    assert answer.startswith("**Stage 3 adds") and "measurably help** on" in answer
    assert unsaid.startswith("**What it does not say.** That parts that help here also")


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
