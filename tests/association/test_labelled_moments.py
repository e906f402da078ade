"""Latent emotions behind labels, and moments of labelled corpora."""

import numpy as np
import pytest
from drawn_laws import drawn, laws
from scipy.stats import multivariate_normal

from sslmepr.association.labelled_moments import (
    EmotionMoments,
    StandardisedMoments,
    smoothed,
    tetrachoric,
)


@pytest.mark.parametrize("r", [-0.7, -0.1, 0.0, 0.4, 0.9])
def test_tetrachoric_inverts_the_bivariate_normal(r):
    both = multivariate_normal.cdf([-0.3, -0.8], cov=[[1, r], [r, 1]])
    assert tetrachoric(0.3, 0.8, both) == pytest.approx(r, abs=1e-4)


def test_tetrachoric_stops_at_its_ends():
    assert tetrachoric(0.0, 0.0, 0.0) == -0.999
    assert tetrachoric(0.0, 0.0, 0.5) == 0.999


def test_a_matrix_of_pairs_becomes_one_of_correlations():
    broken = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    assert np.linalg.eigvalsh(broken)[0] < 0
    smooth = smoothed(broken)
    np.testing.assert_allclose(np.diag(smooth), 1)
    assert np.linalg.eigvalsh(smooth)[0] > 0
    assert (np.sign(smooth) == np.sign(broken)).all()
    whole = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert smoothed(whole) is whole


def test_parts_know_their_labels():
    rng = np.random.default_rng(10)
    emotion, personality, _ = drawn(rng, 2000, *laws(rng))
    assert EmotionMoments(emotion).matrix[0, 1] == pytest.approx(0.25, abs=0.1)
    assert StandardisedMoments(personality).matrix[0, 1] == pytest.approx(0.25, abs=0.1)
