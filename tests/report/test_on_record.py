import pandas as pd

from sslmepr.report.on_record import recorded

TABLE = pd.DataFrame({"emotion": ["anger", "fear"], "robustness": [0.4, 0.0]})


def test_a_table_is_read_and_one_that_is_not_there_has_no_rows(tmp_path):
    path = tmp_path / "halo.csv"
    assert recorded(path).shape == (0, 0)
    nothing = recorded(path, list(TABLE))
    assert nothing.empty and list(nothing) == list(TABLE)
    TABLE.assign(weight=0.4).to_csv(path, index=False)
    assert list(recorded(path)) == [*TABLE, "weight"]
    pd.testing.assert_frame_equal(recorded(path, list(TABLE)), TABLE)
