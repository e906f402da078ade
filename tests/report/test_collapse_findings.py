import pandas as pd

from sslmepr.report.collapse_findings import collapse_finding


def test_scores_at_both_ends_of_the_offset():
    rows = [
        ("as published", 0.0, "other CCC", 0.56),
        ("as published", 0.5, "other CCC", 0.9),
        ("as published", 1.0, "other CCC", -0.021),
        ("as published", 1.0, "own CCC", 0.8),
        ("ours", 0.0, "other CCC", 0.86),
        ("ours", 1.0, "other CCC", 0.844),
        ("not named", 1.0, "other CCC", 0.1),
    ]
    table = pd.DataFrame(rows, columns=["arm", "offset", "metric", "estimate"])
    told = collapse_finding(table)
    assert told.endswith("(1): as published, .56 and −.02; ours, .86 and .84.")
    assert "(offset 0)" in told
