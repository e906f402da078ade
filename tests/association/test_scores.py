"""Scores of corpora, centred and on one scale."""

import numpy as np
from drawn_laws import drawn, laws

from sslmepr.association.scores import (
    SENSORS,
    SHRUNK,
    centred,
    of_unit_variance,
    whitened,
)


def test_crops_of_a_picture_have_one_sensor():
    assert len({SENSORS[name] for name in ("face", "body", "scene")}) == 1
    assert len({*SENSORS.values()}) == 3


def test_scores_have_mean_zero_where_they_are_and_are_zero_elsewhere():
    rng = np.random.default_rng(0)
    corpus = drawn(rng, 80, *laws(rng))[0]
    shifted = corpus._replace(emotions=corpus.emotions + 3)
    for each in (centred(corpus), centred(shifted)):
        np.testing.assert_allclose(each.emotions, centred(corpus).emotions, atol=1e-12)
        assert not each.traits[~each.present].any()
        np.testing.assert_allclose(each.traits.sum(0), 0, atol=1e-10)


def test_one_unit_serves_all_corpora():
    """Of all clips together, so that one that shows less keeps smaller scores."""
    rng = np.random.default_rng(1)
    corpora = [centred(each) for each in drawn(rng, 90, *laws(rng))]
    scaled = of_unit_variance(corpora)
    parts = [each.emotions[:, 0][each.present[:, 0]] for each in scaled]
    np.testing.assert_allclose((np.concatenate(parts) ** 2).mean(0), 1)
    before = [each.emotions[:, 0][each.present[:, 0]] for each in corpora]
    units = [one[0] / other[0] for one, other in zip(before, parts, strict=True)]
    np.testing.assert_allclose(units[1:], np.tile(units[0], (2, 1)))


def test_whitened_scores_are_hardly_correlated_within_a_modality():
    """Each eigenvalue of their correlations is divided by its shrunk value."""
    rng = np.random.default_rng(2)
    corpora = [centred(each) for each in drawn(rng, 90, *laws(rng))]
    before, after = (
        np.concatenate([each.traits[:, 1][each.present[:, 1]] for each in scores])
        for scores in (of_unit_variance(corpora), whitened(corpora))
    )
    first, second = (each.T @ each / len(each) for each in (before, after))
    values, vectors = np.linalg.eigh(first)
    shrunk = values / ((1 - SHRUNK) * values + SHRUNK)
    np.testing.assert_allclose(second, (vectors * shrunk) @ vectors.T, atol=1e-10)
    for each, other in zip(corpora, whitened(corpora), strict=True):
        assert not other.emotions[~each.present].any()


def test_scores_that_nobody_has_stay_zero():
    rng = np.random.default_rng(3)
    corpora = [centred(each) for each in drawn(rng, 90, *laws(rng))]
    unseen = [each._replace(traits=0 * each.traits) for each in corpora]
    assert not any(each.traits.any() for each in whitened(unseen))
