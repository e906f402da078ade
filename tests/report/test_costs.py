from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.report.costs import TOGETHER, UNIT, extraction_costs, run_cost

SIZES = pd.DataFrame(
    {"corpus": ["A", "B"], "clips": [3600, 1800], "hours": [10.0, 7.5], "source": "x"}
)


def measurements(**rates):
    rows = [
        {"name": f"rate_{name}", "value": value, "low": value - 1, "high": value + 1}
        for name, value in rates.items()
    ]
    other = {"name": "book", "value": 1.0, "low": 1.0, "high": 1.0, "unit": "seconds"}
    twin = other | {"unit": "GiB"}  # other measurements have several rows
    growth = [other | {"name": "growth", "unit": UNIT}] * 2
    return pd.DataFrame(
        [*({**row, "unit": UNIT} for row in rows), other, twin, *growth]
    )


def test_rate_times_clips():
    measured = measurements(A_tiny=2.0, B_tiny=4.0, A_paper=5.0, B_paper=6.0)
    found = extraction_costs(SIZES, measured, ["tiny", "paper"], [1, 4])
    assert found["corpus"].tolist() == ["A", "B", TOGETHER] * 2
    assert found["study"].tolist() == ["tiny"] * 3 + ["paper"] * 3
    assert found["clips"].tolist() == [3600, 1800, 5400] * 2
    assert found["hours"].tolist() == [10, 7.5, 17.5] * 2
    assert found["processor_hours"].tolist() == [2, 2, 4, 5, 3, 8]
    assert found["hours_on_1"].tolist() == [2, 2, 4, 5, 3, 8]
    assert found["hours_on_4"].tolist() == [0.5, 0.5, 1, 1.25, 0.75, 2]
    assert found["seconds"].tolist()[:2] == [2, 4] and np.isnan(found["seconds"][2])
    assert found["low"].tolist()[3:5] == [4, 5]
    assert found["high"].tolist()[3:5] == [6, 7]


def test_what_was_not_measured_is_missing_and_so_is_the_sum():
    found = extraction_costs(SIZES, measurements(A_tiny=2.0), ["tiny"], [2])
    assert found["hours_on_2"].isna().tolist() == [False, True, True]
    assert found["clips"].tolist() == [3600, 1800, 5400]  # these are known


def test_bad_input_is_refused():
    measured = measurements(A_tiny=2.0)
    with pytest.raises(ValueError, match="not a number of processors: 0"):
        extraction_costs(SIZES, measured, ["tiny"], [4, 0])
    twice = pd.concat([measured, measured])
    with pytest.raises(ValueError, match="rate_A_tiny was measured twice"):
        extraction_costs(SIZES, twice, ["tiny"], [4])


@settings(max_examples=25, deadline=None)
@given(
    rate=st.integers(1, 10**4), clips=st.integers(1, 10**6), count=st.integers(1, 99)
)
def test_more_processors_share_the_same_hours(rate, clips, count):
    sizes = SIZES.head(1).assign(clips=clips)
    measured = measurements(A_tiny=rate)
    found = extraction_costs(sizes, measured, ["tiny"], [count]).iloc[0]
    hours = found["processor_hours"]
    assert found[f"hours_on_{count}"] * count == pytest.approx(hours)
    assert hours * 3600 == pytest.approx(rate * clips)


def test_what_a_run_costs():
    rows = [
        ("repro", 1560.0, "seconds"),
        ("repro", 3.14, "GiB"),
        ("repro", 8.0, "GB on disk"),
        ("book", 20.0, "seconds"),
    ]
    table = pd.DataFrame(rows, columns=["name", "value", "unit"])
    table = table.assign(machine="2 cores")
    assert run_cost(table) == (
        "A whole run of the default study, from rendering to book, takes 26 minutes, "
        "holds at most 3.1 GiB of memory and leaves 8.0 GB on the disk (2 cores, "
        "no GPU)."
    )
    assert "takes 26 minutes (2 cores" in run_cost(table.head(1))


def test_a_run_that_was_not_measured_costs_nothing_known():
    table = pd.DataFrame({"name": ["repro"], "value": [float("nan")], "unit": [None]})
    assert run_cost(table).startswith("A whole run was not measured")


def test_how_to_run_says_what_was_measured():
    """If this fails, `make bench` has measured anew: write this into the page."""
    root = Path(__file__).parents[2]
    page = (root / "book/how-to-run.md").read_text("utf-8")
    told = run_cost(pd.read_csv(root / "results/benchmarks.csv"))
    assert told in " ".join(page.split())
