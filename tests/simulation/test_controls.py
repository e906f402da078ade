import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.simulation.controls import amount, axis_matrix, squash


def test_squash_is_zero_at_average_and_odd():
    shown = squash(np.array([0.0, 1.6, -1.6]), ("a", "b", "c"))
    assert shown["a"] == 0
    assert shown["b"] == pytest.approx(np.tanh(1.0))
    assert shown["c"] == -shown["b"]


@settings(max_examples=20, deadline=None)
@given(st.floats(-1e6, 1e6))
def test_squash_stays_within_one(value):
    assert -1 <= squash([value], ("a",))["a"] <= 1


def test_squash_names_what_is_wrong():
    with pytest.raises(ValueError, match="2 values are needed"):
        squash(np.zeros(3), ("a", "b"))
    with pytest.raises(ValueError, match="control b is not finite"):
        squash(np.array([0, np.nan]), ("a", "b"))


def test_amount_maps_to_share():
    assert [amount(-1), amount(0), amount(1)] == [0, 0.5, 1]


def test_axis_matrix_has_unit_columns():
    weights = {"joy": {"a": 3.0, "b": -4.0}, "calm": {"b": 2.0}}
    matrix = axis_matrix(("a", "b"), ("joy", "calm"), weights)
    np.testing.assert_allclose(matrix, [[0.6, 0.0], [-0.8, 1.0]])


def test_axis_matrix_knows_its_controls():
    with pytest.raises(KeyError, match="nose"):
        axis_matrix(("a",), ("joy",), {"joy": {"nose": 1.0}})
