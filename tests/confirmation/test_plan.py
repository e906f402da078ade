"""Bounds that are fixed before, and what is said of a metric."""

import numpy as np
import pandas as pd
import pytest
import yaml

from sslmepr.confirmation.plan import (
    FILE,
    MET,
    MISSED,
    UNDECIDED,
    Bounds,
    ConfirmationPlan,
    judged,
    read_plan,
)
from sslmepr.params.base import ParamsError


def plan(**bounds):
    return ConfirmationPlan(written="today", worlds=3, features=4, bounds=bounds)


def test_the_file_fixes_coverage_false_alarms_and_errors():
    found = read_plan()
    assert found.worlds == 200
    ends = {name: each.ends for name, each in found.bounds.items()}
    assert ends == {
        "covers_planted": (0.93, 0.98),
        "largest_t_error": (-np.inf, 0.05),
        "error_ratio": (0.9, 1.1),
    }
    errors = {name: each.errors for name, each in found.bounds.items()}
    assert errors == {
        "covers_planted": None,
        "largest_t_error": 2,
        "error_ratio": None,
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"worlds": 0}, "worlds"),
        ({"worlds": "many"}, "worlds"),
        ({"bounds": {}}, "bounds"),
        ({"bounds": {"nonsense": {"most": 1.0}}}, "nonsense"),
        ({"bounds": {"slope": {}}}, "needs `least`, `most` or both"),
        ({"bounds": {"slope": {"least": 2.0, "most": 1.0}}}, "must not be above"),
        ({"bounds": {"slope": {"most": 2.0, "errors": 2}}}, "a share between 0 and 1"),
        ({"bounds": {"slope": {"most": 0.5, "errors": -1}}}, "greater than or equal"),
        ({"more": 1}, "more"),
    ],
)
def test_anything_else_is_refused_by_the_name_of_the_file(tmp_path, change, message):
    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(FILE.read_text()) | change))
    with pytest.raises(ParamsError, match=message) as refused:
        read_plan(path)
    assert str(refused.value).startswith(str(path))


def test_an_absent_file_is_refused(tmp_path):
    with pytest.raises(ParamsError, match="no such file"):
        read_plan(tmp_path / "plan.yaml")


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.93, 0.98, MET),
        (0.95, 0.96, MET),
        (0.92, 0.96, UNDECIDED),
        (0.95, 0.99, UNDECIDED),
        (0.90, 0.99, UNDECIDED),
        (0.90, 0.92, MISSED),
        (0.981, 0.99, MISSED),
        (np.nan, np.nan, UNDECIDED),
    ],
)
def test_the_whole_interval_decides(low, high, verdict):
    table = pd.DataFrame({"metric": ["covers_planted"], "low": [low], "high": [high]})
    bounds = {"covers_planted": Bounds(least=0.93, most=0.98)}
    found = judged(table, plan(**bounds)).iloc[0]
    assert (found["least"], found["most"], found["verdict"]) == (0.93, 0.98, verdict)


def test_one_bound_leaves_the_other_side_open_and_none_says_nothing():
    table = pd.DataFrame(
        {
            "metric": ["largest_t_error", "rmse", "largest_t_error"],
            "low": [0.0, 0.1, 0.06],
            "high": [0.04, 0.2, 0.09],
        }
    )
    found = judged(table, plan(largest_t_error=Bounds(most=0.05)))
    assert found["verdict"].tolist() == [MET, "", MISSED]
    assert found["least"].tolist()[0] == -np.inf
    assert np.isnan(found[["least", "most"]].to_numpy(float)[1]).all()


@pytest.mark.parametrize(("called", "verdict"), [(0, MET), (16, MET), (17, MISSED)])
def test_false_alarms_may_be_above_their_bound_by_two_standard_errors(called, verdict):
    """Of 200 worlds 10 are promised, with a standard error of 3.08."""
    row = {"metric": ["largest_t_error"], "estimate": [called / 200], "worlds": [200]}
    table = pd.DataFrame(row | {"low": [0.0], "high": [1.0]})
    found = judged(table, plan(largest_t_error=Bounds(most=0.05, errors=2)))
    assert found["verdict"].tolist() == [verdict]
