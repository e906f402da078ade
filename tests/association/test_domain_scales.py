"""Scales of scores in corpora without their labels, from covariances of scores."""

import numpy as np
import pytest
from drawn_laws import EMOTIONS, MODALITIES, TRAITS, drawn, laws

from sslmepr.association.cross_source import CrossSource
from sslmepr.association.domain_scales import (
    EVERY,
    SCALED,
    against_truth,
    by_corpus,
    domain_scales,
    rescaled,
    scale_table,
)

CLIPS = 20_000
SCALES = np.array([0.6, 0.8, 0.7])


def read_less(each, tasks):
    """The same corpus, of whose labels scores carry a share: noise is as it was."""
    rng = np.random.default_rng(7)
    parts = {}
    for name in tasks:
        values = getattr(each, name) * SCALES[:, None]
        noise = 0.7 * np.sqrt(1 - SCALES[:, None] ** 2)
        parts[name] = values + noise * rng.standard_normal(values.shape)
    return each._replace(**parts)


def test_scales_are_found_without_labels():
    rng = np.random.default_rng(0)
    corpora = drawn(rng, CLIPS, *laws(rng))
    corpora[1] = read_less(corpora[1], ["emotions"])
    corpora[2] = read_less(corpora[2], ["traits"])
    found = domain_scales(corpora)
    np.testing.assert_allclose(found["emotion"][[0, 2]], 1, atol=0.03)
    np.testing.assert_allclose(found["emotion"][1], SCALES, atol=0.03)
    np.testing.assert_allclose(found["personality"][:2], 1, atol=0.03)
    np.testing.assert_allclose(found["personality"][2], SCALES, atol=0.03)
    assert (found["emotion"][0] == 1).all() and (found["personality"][1] == 1).all()


def test_associations_are_corrected_by_them():
    rng = np.random.default_rng(0)
    joint, of_emotions, of_traits = laws(rng)
    corpora = drawn(rng, CLIPS, joint, of_emotions, of_traits)
    corpora[1] = read_less(corpora[1], ["emotions"])
    corpora[2] = read_less(corpora[2], ["emotions"])
    ways, _ = by_corpus(corpora, ["one", "two", "three"])
    truth = joint[:EMOTIONS, EMOTIONS:]
    table = against_truth(ways, truth).set_index("covariances")
    assert [*table.index] == [EVERY, "one", "two", "three", SCALED]
    assert table.loc[SCALED, "slope"] == pytest.approx(1, abs=0.06)
    assert table.loc[SCALED, "rmse"] < 0.7 * table.loc[EVERY, "rmse"]


def test_what_was_never_seen_together_keeps_its_scale():
    """Of one sensor, or of clips that have one modality each."""
    rng = np.random.default_rng(2)
    corpora = drawn(rng, 60, *laws(rng))
    same = [each._replace(sensors=["camera"] * MODALITIES) for each in corpora]
    alone = np.eye(MODALITIES, dtype=bool)[np.arange(60) % MODALITIES]
    single = [each._replace(present=alone) for each in corpora]
    for each in (same, single):
        for scales in domain_scales(each).values():
            np.testing.assert_allclose(scales, 1)


def test_scores_over_their_scales_are_centred():
    rng = np.random.default_rng(3)
    corpora = drawn(rng, 50, *laws(rng))
    ones = np.ones((3, MODALITIES))
    scales = {"emotion": 2 * ones, "personality": 4 * ones}
    for before, after in zip(corpora, rescaled(corpora, scales), strict=True):
        there = before.present[:, 0]
        for name, factor in (("emotions", 2), ("traits", 4)):
            own = getattr(before, name)[there, 0]
            expected = (own - own.mean(0)) / factor
            np.testing.assert_allclose(getattr(after, name)[there, 0], expected)


def test_a_corpus_that_does_not_identify_them_is_left_out():
    rng = np.random.default_rng(4)
    corpora = drawn(rng, 300, *laws(rng))
    first = corpora[0].present & (np.arange(MODALITIES) == 0)
    corpora[0] = corpora[0]._replace(present=first)  # no two modalities together
    ways, _ = by_corpus(corpora, ["one", "two", "three"])
    assert [*ways] == [EVERY, "two", "three", SCALED]


def test_the_table_by_hand():
    truth = np.array([[0.5, 0.0], [0.0, -0.5], [0.25, 0.0]])
    influence = [np.full((1, EMOTIONS, TRAITS), 0.1)]
    found = CrossSource(0.5 * truth, influence, 9, 9)
    row = against_truth({"half": found}, truth).iloc[0]
    assert row["slope"] == pytest.approx(0.5) and row["held"] == 4
    assert row["correlation"] == pytest.approx(1) and row["pairs"] == 6
    assert row["rmse"] == pytest.approx(np.sqrt((0.25 * truth**2).mean()))


def test_scales_in_long_form():
    scales = {
        "emotion": np.array([[1.0, 1.0], [0.5, 0.7]]),
        "personality": np.array([[0.2, 0.3], [1.0, 1.0]]),
    }
    table = scale_table(scales, ["a", "b"], ["face", "text"])
    cells = table.set_index(["corpus", "task", "modality"])["scale"]
    assert cells["b", "emotion", "text"] == 0.7
    assert cells["a", "personality", "face"] == 0.2 and len(cells) == 8
