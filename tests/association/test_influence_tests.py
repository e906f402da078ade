"""Intervals and tests from influence functions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from sslmepr.association.influence_tests import intervals, largest_t


def test_intervals_stay_within_the_range_of_a_correlation():
    low, high, p = intervals(np.array([0.1, 0.95]), np.array([0.05, 0.05]), 0.95, 1000)
    assert (low[0], high[0]) == pytest.approx((0.1 - 0.0981, 0.1 + 0.0981), abs=1e-3)
    assert p[0] == pytest.approx(2 * norm.sf(2), abs=1e-3)
    assert low[1] > 0.6 and high[1] < 1


@given(st.floats(-1, 1), st.floats(0.001, 2), st.floats(-1, 1))
def test_ends_leave_no_correlation_out_that_they_held(estimate, error, truth):
    """Against ends by hand, which may lie outside of -1..1."""
    low, high, _ = intervals(np.array(estimate), np.array(error), 0.95, 100)
    assert -1 <= low <= high <= 1
    width = t.ppf(0.975, 99) * error
    ends = estimate - width, estimate + width
    if abs(estimate) > 0.6:
        z = np.arctanh(np.clip(estimate, -0.999, 0.999))
        width /= 1 - np.tanh(z) ** 2
        ends = np.tanh(z - width), np.tanh(z + width)
    assert (low <= truth <= high) == (ends[0] <= truth <= ends[1])


def test_the_largest_t_of_one_cell_is_that_of_a_normal_variable():
    rng = np.random.default_rng(7)
    influence = [rng.standard_normal((400, 1, 1)), rng.standard_normal((300, 1, 1))]
    error = np.sqrt(sum((each**2).sum(0) for each in influence))
    drawn_t = largest_t(influence, error, 4000, 0)
    assert np.mean(drawn_t > norm.isf(0.025)) == pytest.approx(0.05, abs=0.015)
