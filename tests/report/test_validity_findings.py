import pandas as pd

from sslmepr.report.power_findings import error_rates
from sslmepr.report.validity_findings import simpler_sources, validity_findings

CELLS = pd.DataFrame(
    [
        ("here", 0.3, True, 0.1, 0.5, 0.3),
        ("here", 0.2, False, -0.1, 0.1, 0.2),
        ("here", 0.0, True, 0.1, 0.3, 0.2),
        ("none", 0.0, False, -0.2, 0.1, 0.0),
    ],
    columns=["study", "planted", "significant", "low", "high", "rated"],
).assign(recovered=[0.3, 0.0, 0.2, -0.05], emotion="fear", trait="openness")
AGREEMENT = pd.DataFrame(
    [
        ("here", "correlation", 0.93, 0.9, 0.95, 3),
        ("here", "slope", 0.8, 0.7, 0.9, 3),
        ("here", "significant", 0.67, float("nan"), float("nan"), 3),
    ],
    columns=["study", "metric", "estimate", "low", "high", "n_cells"],
)


def test_error_rates_stand_where_the_claims_are():
    rows = [
        ("cross_source", "kind", 0.0, "covers_planted", 0.95, 200),
        ("cross_source", "kind", 0.0, "familywise_error", 0.065, 200),
    ]
    columns = ["source", "condition", "strength", "metric", "estimate", "worlds"]
    drawn = pd.DataFrame(rows, columns=columns)
    known = (CELLS, AGREEMENT, "here", 0.05)
    _, sure, *_ = validity_findings(*known, drawn=drawn).sentences
    _, alone, *_ = validity_findings(*known).sentences
    assert sure == f"{alone} {error_rates(drawn, 0.05)}"
    assert alone.endswith("These are 2 worlds, a check and no error rate.")


def test_what_is_found_and_what_is_invented_come_first():
    answer, sure, unsaid, rest = validity_findings(
        CELLS, AGREEMENT, "here", 0.05
    ).sentences
    assert answer.startswith("**It finds 1 of the 2 pairs that are there**")
    assert "and calls 1 of the 1 others, whose labels correlate by up to .20" in answer
    assert "Called are fear with openness (.30 where the truth is .30); fear" in answer
    assert "Correlations come out at .80 [.70" in answer
    assert answer.endswith(
        "**Where nothing is associated**, it calls 0 of 1 pairs, whose intervals reach "
        ".15 to either side on average."
    )
    assert sure.startswith("**How sure.** Its intervals, which promise 95 %, hold the")
    assert (
        "in the here world in 1 of the 2 pairs that were built in and 1 of the" in sure
    )
    assert "and in the none world in 1 of 1 pairs." in sure
    assert "These are 2 worlds" in sure
    assert unsaid.startswith("**What it does not say.** An association of labels")
    assert "r = 0.930 [0.900, 0.950] over 3 pairs" in rest


def test_simpler_sources_that_are_nearer_are_told_with_what_they_call():
    rows = [
        ("cross_source", "here", "rmse", 0.17, 30),
        ("true_x_predicted", "here", "rmse", 0.1, 30),
        ("predicted_x_predicted", "here", "rmse", 0.3, 30),
        ("cross_source", "none", "false_positive_rate", 0.0, 30),
        ("true_x_predicted", "none", "false_positive_rate", 4 / 30, 30),
    ]
    names = ["source", "study", "metric", "estimate", "n_cells"]
    table = pd.DataFrame(rows, columns=names).assign(low=0.05, high=0.4)
    (told,) = simpler_sources(table, "here")
    assert "three sources err by .17 [.05, .40]" in told
    assert "annotated emotion × predicted trait .10 [.05, .40]." in told
    assert "each calls: three sources 0 of 30; annotated emotion × predicted" in told
    assert simpler_sources(table[table["source"] != "true_x_predicted"], "here") == []
    assert simpler_sources(table.iloc[1:], "here") == []
