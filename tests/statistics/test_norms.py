import numpy as np

from sslmepr.labels import TRAITS
from sslmepr.statistics.norms import TRAIT_CORRELATION


def test_norms_are_a_correlation_matrix_of_the_traits():
    assert TRAIT_CORRELATION.shape == (len(TRAITS), len(TRAITS))
    assert (TRAIT_CORRELATION == TRAIT_CORRELATION.T).all()
    assert (TRAIT_CORRELATION.diagonal() == 1).all()
    assert np.linalg.eigvalsh(TRAIT_CORRELATION).min() > 0
