import pandas as pd

from sslmepr.explanation.results import with_intervals


def test_intervals_stand_behind_their_estimates():
    table = pd.DataFrame({"kind": ["a"], "hit": [0.5], "hit_low": [0.4]})
    table = with_intervals(table.assign(hit_high=0.625), "hit")
    assert table.columns.tolist() == ["kind", "hit"]
    assert table["hit"].tolist() == ["0.500 [0.400, 0.625]"]
    empty = pd.DataFrame(columns=["kind", "hit"])
    assert with_intervals(empty, "hit").equals(empty)
