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


def history(*on_record_now, **more):
    names = ["study", "processor", "blas", "torch", "date", "compared", "outside"]
    rows = [
        ("a", "X", "open", "AVX2", "2026-11-28", 1200, 0),
        ("a", "X", "open", "AVX2", "2026-11-27", 1300, 4),
        ("a", "Y", "open", "AVX2", "2026-11-26", 1300, 4),
    ]
    table = pd.DataFrame(rows, columns=names).assign(commit="0123456789ab", **more)
    return table.assign(on_record_now=on_record_now)


def test_the_last_verification_is_told():
    told = verification_table.verified(history(True, False, False), "a")
    assert told.startswith("**Computed again** last on 2026-11-28 (X, open, AVX2): 1,2")
    assert told.endswith(
        "with those of commit 0123456, none of them outside its tolerance. Results of "
        "this or an earlier version were verified on 2 kinds of processor and 1 kind "
        "of arithmetic, those on record now on 1 kind of processor and 1 kind of "
        "arithmetic."
    )
    failed = history(None, None, None, farthest="y of x.csv").tail(1)
    failed = verification_table.verified(failed, "a")
    assert "4 of them outside their tolerance, farthest y of x.csv." in failed
    assert failed.endswith("Whether those are the results on record is not known here.")
    empty = verification_table.verified(history(True, True, True), "b")
    assert "Not computed again yet" in empty


def test_results_that_were_replaced_since_are_not_called_verified():
    told = verification_table.verified(history(False, None, False), "a")
    assert told.startswith("**The results on record were not computed again yet**")
    assert "those on record now on none." in told
    # The last row of today's results counts, not a later one of others.
    told = verification_table.verified(history(False, True, False), "a")
    assert told.startswith("**Computed again** last on 2026-11-27")
