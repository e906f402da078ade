"""Metrics of arrays against other definitions and at their bounds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import pearsonr

from sslmepr.statistics.metrics import (
    area_under_curve,
    concordance,
    matrix_correlation,
)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_concordance_bounds(seed):
    rng = np.random.default_rng(seed)
    true, predicted = rng.random((20, 1)), rng.random((20, 1))
    ccc, r = concordance(true, predicted)[0], pearsonr(true[:, 0], predicted[:, 0])[0]
    assert abs(ccc) <= abs(r) + 1e-12
    assert concordance(true, true)[0] == pytest.approx(1)
    assert concordance(predicted, true)[0] == pytest.approx(ccc)


def test_area_under_curve_counts_ties_half():
    true = np.array([[1], [1], [0], [0]], bool)
    assert area_under_curve(true, [[3], [2], [2], [1]])[0] == pytest.approx(3.5 / 4)
    assert np.isnan(area_under_curve(true[:2], [[1], [2]])[0])


def test_matrices_correlate_over_the_cells_that_both_have():
    rng = np.random.default_rng(0)
    matrices, fixed = rng.normal(size=(4, 6, 5)), rng.normal(size=(6, 5))
    matrices[1, 2, 3] = fixed[0, 0] = np.nan
    matrices[3] = 0.25
    found = matrix_correlation(matrices, fixed)
    for matrix, r in zip(matrices[:3], found, strict=False):
        both = np.isfinite(matrix) & np.isfinite(fixed)
        assert r == pytest.approx(pearsonr(matrix[both], fixed[both])[0], abs=1e-12)
    assert np.isnan(found[3])
    each = matrix_correlation(matrices, np.stack([fixed, -fixed, fixed, fixed]))
    assert each[:3] == pytest.approx(found[:3] * [1, -1, 1])
    flat = matrix_correlation(matrices.reshape(4, -1), fixed.ravel())
    assert flat == pytest.approx(found, nan_ok=True)
