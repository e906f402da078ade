"""Designs of published components: whose results they are, which way, and how many."""

import pandas as pd
import pytest

from sslmepr.labels import COMPONENTS, MODEL_COMPONENTS
from sslmepr.report import designs_tried
from sslmepr.report.designs_tried import DESIGNS

MARGIN = 0.005
BOUNDS = ["estimate", "low", "high"]


def gain(component, metric, estimate):
    return (component, metric, estimate, estimate - 0.01, estimate + 0.01)


GAINS = pd.DataFrame(
    [
        gain("graph_attention", "mWACC", 0.02),
        gain("graph_attention", "CCC", -0.03),
        gain("graph_attention", "mACC", 0.5),
        gain("gradnorm", "mWACC", 0.0),
    ],
    columns=["component", "metric", "gain", "low", "high"],
)
DOSED = pd.DataFrame(
    [
        ("product_of_experts", "reliability", dose, against, "mWACC", each, 0.0, 0.1)
        for dose, against, each in (
            (0.5, "without", 0.04),
            (1.0, "without", 0.05),
            (1.0, "late fusion", 0.09),
        )
    ]
    + [("product_of_experts", "scarcity", 0.5, "without", "CCC", 0.01, 0.009, 0.011)],
    columns=["component", "knob", "dose", "against", "metric", *BOUNDS],
)
COLLAPSED = pd.DataFrame(
    [
        ("as published", offset, metric, 0.1 * offset, 0.05, 0.3)
        for offset in (1.0, 2.0)
        for metric in ("other UAR", "own UAR")
    ],
    columns=["arm", "offset", "metric", *BOUNDS],
)
CURVED = pd.DataFrame(
    [("as published, recalibrated", 340, "CCC", 0.25, 0.1, 0.4)],
    columns=["against", "clips", "metric", *BOUNDS],
)


@pytest.fixture(scope="module")
def found():
    return designs_tried.designs_tried(GAINS, DOSED, COLLAPSED, CURVED, MARGIN)


def test_every_component_that_is_tried_is_one():
    known = {*COMPONENTS, *MODEL_COMPONENTS, designs_tried.WHOLE}
    assert {each.component for each in DESIGNS} <= known
    options = {e.name for e in DESIGNS if designs_tried.STUDY in e.sources}
    assert options <= known
    assert len({(each.component, each.form) for each in DESIGNS}) == len(DESIGNS)


def test_published_components_that_the_default_lacks_are_all_named(settings):
    lacking = set(settings.fusion.left_out(settings.variant["multitask"]))
    adding = set(settings.variant["with_everything"].adding)
    assert adding <= lacking
    assert adding == {e.component for e in DESIGNS} - {designs_tried.WHOLE}


def test_gains_are_those_of_the_study_and_of_the_largest_dose(found):
    rows = found.set_index(["component", "tried", "task"]).sort_index()
    study = rows.loc[("graph_attention", "held-out corpus")]
    assert study.loc["emotions", BOUNDS].tolist() == pytest.approx([0.02, 0.01, 0.03])
    assert study["verdict"].tolist() == ["better", "worse"]
    drawn = rows.loc[("graph_attention", "drawn studies, reliability 1")]
    assert drawn[BOUNDS].to_numpy().tolist() == [[0.05, 0.0, 0.1]]
    other = rows.loc[("graph_attention", "drawn studies, scarcity 0.5", "traits")]
    assert other["estimate"] == 0.01


def test_published_forms_are_turned_to_be_gains_over_the_default(found):
    rows = found.set_index("component")
    hard = rows.loc["semi_supervised"]
    assert hard[BOUNDS].tolist() == pytest.approx([-0.2, -0.3, -0.05])
    assert hard["verdict"] == "worse" and hard["task"] == "emotions"
    assert hard["tried"] == "drawn studies, offset 2, less the default model"
    whole = rows.loc["everything"]
    assert whole[BOUNDS].tolist() == pytest.approx([-0.25, -0.4, -0.1])


def test_findings_count_designs_and_say_where_there_are_few(found):
    sentences = designs_tried.designs_findings(found).sentences
    assert sentences == [
        "**Graph attention**: 2 designs on record, fewer than 3; comparisons by "
        "verdict: better 2, worse 1, undecided 1.",
        "**Self-training**: 1 design on record, fewer than 3; comparisons by verdict: "
        "worse 1.",
        "**GradNorm**: 1 design on record, fewer than 3; comparisons by verdict: "
        "undecided 1.",
    ]


def test_the_table_has_a_row_for_each_design_and_what_it_was_tried_on(found):
    table = designs_tried.designs_table(found, MARGIN).frame
    assert list(table.columns) == [
        *("component", "design", "tried", "emotions", "traits")
    ]
    assert len(table) == len(found[["design", "tried"]].drop_duplicates())
    first = table.iloc[0]
    assert first["emotions"] == "0.020 [0.010, 0.030] better"
    assert first["traits"] == "−0.030 [−0.040, −0.020] worse"
    assert table["traits"].isna().any()
    assert "±0.005" in designs_tried.designs_table(found, MARGIN).caption
