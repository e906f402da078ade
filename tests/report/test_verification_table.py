"""What is told of tolerances and of machines."""

import pandas as pd

from sslmepr.report import verification_table


def test_tolerances_are_those_that_the_project_promises():
    told = verification_table.tolerances().set_index("kind")["tolerance"]
    assert told["metric"] == "0.006" and told["interval end"] == "0.005"
    assert told["p"] == "0.02" and told["one clip"] == "5 / clips"
    exact = {
        name for name, kind in verification_table.KINDS.items() if kind.tolerance == 0
    }
    assert exact == {"count", "text", "file"}


def test_nothing_was_verified_yet(tmp_path):
    history = verification_table.read_history(tmp_path / "absent.csv")
    assert verification_table.last_comparison(history, "small").empty
    assert verification_table.machines(history).empty
    pd.testing.assert_index_equal(
        verification_table.machines(history).columns,
        pd.Index(verification_table.MACHINES),
    )


def test_the_last_comparison_is_that_of_the_study():
    rows = [("a", 0.1, None), ("b", 0.2, 0.3), ("a", 0.4, None)]
    columns = ["study", "largest metric", "largest one cell"]
    history = pd.DataFrame(rows, columns=columns)
    assert verification_table.last_comparison(history, "a").to_dict("records") == [
        {"kind": "metric", "tolerance": "0.006", "largest": 0.4}
    ]
    assert verification_table.last_comparison(history, "b")["tolerance"].tolist() == [
        "0.006",
        "1 / cells",
    ]


def test_the_last_verification_is_told():
    names = ["study", "processor", "blas", "torch", "date", "compared", "outside"]
    rows = [
        ("a", "X", "open", "AVX2", "2026-11-28", 1200, 0),
        ("a", "X", "open", "AVX2", "2026-11-27", 1300, 4),
        ("a", "Y", "open", "AVX2", "2026-11-26", 1300, 4),
    ]
    history = pd.DataFrame(rows, columns=names)
    told = verification_table.verified(history, "a")
    assert "last on 2026-11-28 (X, open, AVX2): 1,200 numbers" in told
    assert told.endswith(
        "none of them outside its tolerance. So far this study was verified on 2 kinds "
        "of machine or arithmetic."
    )
    failed = verification_table.verified(history.tail(1), "a")
    assert "on record, 4 of them outside their tolerance" in failed
    assert failed.endswith("on 1 kind of machine or arithmetic.")
    assert "Not computed again yet" in verification_table.verified(history, "b")
