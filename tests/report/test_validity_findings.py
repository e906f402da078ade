import pandas as pd

from sslmepr.report.validity_findings import validity_findings

CELLS = pd.DataFrame(
    [
        ("here", 0.3, True, 0.1, 0.5, 0.3),
        ("here", 0.2, False, -0.1, 0.1, 0.2),
        ("here", 0.0, True, 0.1, 0.3, 0.2),
        ("none", 0.0, False, -0.2, 0.1, 0.0),
    ],
    columns=["study", "planted", "significant", "low", "high", "rated"],
)
AGREEMENT = pd.DataFrame(
    [
        ("here", "correlation", 0.93, 0.9, 0.95, 3),
        ("here", "slope", 0.8, 0.7, 0.9, 3),
        ("here", "significant", 0.67, float("nan"), float("nan"), 3),
    ],
    columns=["study", "metric", "estimate", "low", "high", "n_cells"],
)


def test_what_is_found_and_what_is_invented_come_first():
    answer, sure, unsaid, rest = validity_findings(
        CELLS, AGREEMENT, "here", 0.05
    ).sentences
    assert answer.startswith("**It finds 1 of the 2 pairs that are there**")
    assert "and calls 1 of the 1 others. Correlations come out at .80 [.70" in answer
    assert answer.endswith(
        "**Where nothing is associated**, it calls 0 of 1 pairs, whose intervals reach "
        ".15 to either side on average."
    )
    assert sure.startswith("**How sure.** Its intervals, which promise 95 %, hold the")
    assert "in 2 of 3 pairs of the here world and in 1 of 1 pairs of the none" in sure
    assert "These are 2 worlds" in sure
    assert unsaid.startswith("**What it does not say.** An association of labels")
    assert "r = 0.930 [0.900, 0.950] over 3 pairs" in rest
