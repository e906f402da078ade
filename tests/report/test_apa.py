import numpy as np
import pandas as pd
import pytest

from sslmepr.report.apa import apa_correlation, apa_number, apa_p


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.417, ".42"), (-0.417, "−.42"), (1.0, "1.00"), (-0.001, ".00"), (np.nan, "n/a")],
)
def test_numbers_have_no_leading_zero(value, written):
    assert apa_number(value) == written


@pytest.mark.parametrize(
    ("p", "written"), [(0.0123, "p = .012"), (0.0009, "p < .001"), (1.0, "p = 1.000")]
)
def test_small_p_values_are_bounded(p, written):
    assert apa_p(p) == written


def test_a_cell_is_one_phrase():
    row = pd.Series({"r": 0.421, "low": -0.05, "high": 0.6, "p_corrected": 0.0441})
    expected = "r = .42, 95% CI [−.05, .60], p = .044"
    assert apa_correlation(row, 0.95) == expected
    row = pd.Series({"r": np.nan, "reason": "fear does not vary"})
    assert apa_correlation(row, 0.95) == "r undefined (fear does not vary)"
