import numpy as np
import pytest

from sslmepr.report.projection import project


def test_plane_equals_singular_vectors_up_to_sign():
    values = np.random.default_rng(0).standard_normal((20, 6)) * [5, 3, 1, 1, 1, 1]
    result = project(values, [f"clip-{i}" for i in range(20)])
    centred = values - values.mean(axis=0)
    left, size, _ = np.linalg.svd(centred, full_matrices=False)
    expected = np.abs(left[:, :2] * size[:2])
    np.testing.assert_allclose(result[["x", "y"]].abs(), expected)
    assert result["clip_id"][3] == "clip-3"


def test_bad_features_are_named():
    values = np.eye(4)
    values[2, 1] = np.nan
    with pytest.raises(ValueError, match="clip c: a feature is not finite"):
        project(values, list("abcd"))
    with pytest.raises(ValueError, match="needs three clips, got 2"):
        project(np.eye(2), ["a", "b"])
