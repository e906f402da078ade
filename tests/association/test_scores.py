"""Scores of corpora, centred and on one scale."""

import numpy as np
from drawn_laws import drawn, laws

from sslmepr.association.scores import SENSORS, centred, of_unit_variance


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
