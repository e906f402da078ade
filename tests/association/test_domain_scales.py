"""Scales of scores in corpora without their labels, from covariances of scores."""

import numpy as np
import pytest
from drawn_laws import MODALITIES, drawn, laws, read_less

from sslmepr.association.domain_scales import DomainScales, domain_scales
from sslmepr.association.scores import Scores, centred, of_unit_variance

CLIPS = 20_000
SCALES = np.array([0.6, 0.8, 0.7])


def scales_of(corpora):
    return domain_scales(of_unit_variance([centred(each) for each in corpora]))


def test_scales_are_found_without_labels():
    rng = np.random.default_rng(0)
    corpora = drawn(rng, CLIPS, *laws(rng))
    corpora[1] = read_less(corpora[1], ["emotions"], SCALES)
    corpora[2] = read_less(corpora[2], ["traits"], SCALES)
    found = scales_of(corpora).values
    np.testing.assert_allclose(found[0, [0, 2]], 1, atol=0.03)
    np.testing.assert_allclose(found[0, 1], SCALES, atol=0.03)
    np.testing.assert_allclose(found[1, :2], 1, atol=0.03)
    np.testing.assert_allclose(found[1, 2], SCALES, atol=0.03)
    assert (found[0, 0] == 1).all() and (found[1, 1] == 1).all()


def test_influence_is_that_of_a_jackknife():
    rng = np.random.default_rng(1)
    corpora = drawn(rng, CLIPS, *laws(rng))
    corpora[1] = read_less(corpora[1], ["emotions"], SCALES)
    corpora = of_unit_variance([centred(each) for each in corpora])
    found = domain_scales(corpora)
    assert sorted(found.influence) == [(0, 1), (0, 2), (1, 0), (1, 2)]
    for (own, place), parts in found.influence.items():
        for where, influence in zip((own, place), parts, strict=True):
            change = []
            for clip in range(12):
                fewer, keep = list(corpora), np.arange(CLIPS) != clip
                fewer[where] = Scores(
                    *(None if x is None else x[keep] for x in fewer[where][:5])
                )
                other = domain_scales(fewer).values[own, place]
                change.append(np.log(found.values[own, place] / other))
            mine = influence[:12] / CLIPS
            np.testing.assert_allclose(change, mine, atol=0.1 * np.abs(mine).max())


def test_what_was_never_seen_together_keeps_its_scale():
    """Of one sensor, or of clips that have one modality each."""
    rng = np.random.default_rng(2)
    corpora = drawn(rng, 60, *laws(rng))
    same = [each._replace(sensors=["camera"] * MODALITIES) for each in corpora]
    alone = np.eye(MODALITIES, dtype=bool)[np.arange(60) % MODALITIES]
    single = [each._replace(present=alone) for each in corpora]
    for each in (same, single):
        found = scales_of(each)
        np.testing.assert_allclose(found.values, 1)
        assert all((x == 0).all() for pair in found.influence.values() for x in pair)


def test_scores_over_their_scales():
    rng = np.random.default_rng(3)
    corpora = drawn(rng, 50, *laws(rng))
    values = rng.uniform(0.5, 2, (2, 3, MODALITIES))
    found = DomainScales(values, {}).rescaled(corpora)
    for place, (before, after) in enumerate(zip(corpora, found, strict=True)):
        for task in range(2):
            expected = before[task] / values[task, place][:, None]
            np.testing.assert_allclose(after[task], expected)


def test_what_scales_are_wrong_by_is_added_by_corpus():
    rng = np.random.default_rng(4)
    parts = [rng.standard_normal((n, 4)) for n in (5, 6)]
    influence = {(0, 1): (rng.random((5, 3)), rng.random((6, 3)))}
    slopes = {(0, 1): rng.random((4, 3))}
    before = [each.copy() for each in parts]
    DomainScales(np.ones((2, 2, 3)), influence).add_to(parts, slopes)
    for each, first, added in zip(parts, before, influence[0, 1], strict=True):
        assert each == pytest.approx(first + added @ slopes[0, 1].T)
