import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.simulation.controls import amount, axis_matrix, between, course, squash


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


def test_frames_that_are_sampled_show_their_moments():
    """Extraction shows the frame at the middle of each of as many equal parts."""
    for frames in range(16, 40):
        before, share = course(8, frames)
        sampled = ((np.arange(8) + 0.5) * frames / 8).astype(int)
        shown = before[sampled] + share[sampled]
        np.testing.assert_array_equal(shown, np.arange(8))


def test_between_moments_a_clip_moves_on_without_a_jump():
    before, share = course(8, 400)
    place = before + share
    assert place[0] == 0 and place[-1] == 7
    # a quarter of 50 frames per moment on either side are held; 1.5 is the steepest
    assert 0 <= np.diff(place).min() and np.diff(place).max() <= 1.5 / 25 + 1e-9
    on_the_way = (share > 0) & (share < 1)
    assert on_the_way.sum() in range(7 * 24, 7 * 25 + 1)


def test_one_moment_is_the_whole_clip():
    before, share = course(1, 5)
    assert not before.any() and not share.any()


def test_controls_between_moments():
    first, second = {"a": 0.3, "b": -1.0}, {"a": 0.3, "b": 1.0}
    assert between(first, second, 0.7)["a"] == 0.3
    assert between(first, second, 0.25)["b"] == -0.5
