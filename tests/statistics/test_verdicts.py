import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslmepr.statistics.verdicts import verdicts


def test_each_verdict_by_hand():
    low = [0.001, -0.02, -0.004, -0.004, -0.02, np.nan, 0.0, 0.001]
    high = [0.02, -0.001, 0.005, 0.006, 0.02, np.nan, 0.0, 0.004]
    expected = ["better", "worse", "equivalent", "undecided", "undecided"]
    expected += ["no interval", "equivalent", "equivalent"]
    assert verdicts(low, high, 0.005).tolist() == expected


ENDS = st.floats(-1, 1).filter(lambda value: value == 0 or abs(value) > 1e-6)


@given(ENDS, ENDS, st.floats(0.001, 1))
def test_turning_a_difference_round_turns_its_verdict_round(one, other, margin):
    low, high = sorted([one, other])
    turned = {"better": "worse", "worse": "better"}
    found = verdicts(low, high, margin).item()
    assert verdicts(-high, -low, margin).item() == turned.get(found, found)


def test_bad_input_is_named():
    with pytest.raises(ValueError, match=r"margin: 0 is not above 0"):
        verdicts(0, 1, 0)
    with pytest.raises(ValueError, match="low: exceeds high"):
        verdicts(1, 0, 0.1)
