"""Ways to associations by whose covariances of scores are used."""

import numpy as np
import pytest
from drawn_laws import EMOTIONS, MODALITIES, TRAITS, drawn, laws, read_less

from sslmepr.association.by_corpora import (
    EVERY,
    UNSCALED,
    against_truth,
    by_corpus,
    scale_table,
)
from sslmepr.association.cross_source import CrossSource
from sslmepr.association.domain_scales import DomainScales

CLIPS = 20_000
SCALES = np.array([0.6, 0.8, 0.7])


def test_scales_correct_associations():
    rng = np.random.default_rng(0)
    joint, of_emotions, of_traits = laws(rng)
    corpora = drawn(rng, CLIPS, joint, of_emotions, of_traits)
    corpora[1] = read_less(corpora[1], ["emotions"], SCALES)
    corpora[2] = read_less(corpora[2], ["emotions"], SCALES)
    ways, _ = by_corpus(corpora, ["one", "two", "three"])
    truth = joint[:EMOTIONS, EMOTIONS:]
    table = against_truth(ways, truth).set_index("covariances")
    assert [*table.index] == [EVERY, "one", "two", "three", UNSCALED]
    assert table.loc[EVERY, "slope"] == pytest.approx(1, abs=0.06)
    assert table.loc[EVERY, "rmse"] < 0.7 * table.loc[UNSCALED, "rmse"]


def test_a_corpus_that_does_not_identify_them_is_left_out():
    rng = np.random.default_rng(4)
    corpora = drawn(rng, 300, *laws(rng))
    first = corpora[0].present & (np.arange(MODALITIES) == 0)
    corpora[0] = corpora[0]._replace(present=first)  # no two modalities together
    ways, _ = by_corpus(corpora, ["one", "two", "three"])
    assert [*ways] == [EVERY, "two", "three", UNSCALED]


def test_the_table_by_hand():
    truth = np.array([[0.5, 0.0], [0.0, -0.5], [0.25, 0.0]])
    influence = [np.full((1, EMOTIONS, TRAITS), 0.1)]
    found = CrossSource(0.5 * truth, influence, 9, 9)
    row = against_truth({"half": found}, truth).iloc[0]
    assert row["slope"] == pytest.approx(0.5) and row["held"] == 4
    assert row["correlation"] == pytest.approx(1) and row["pairs"] == 6
    assert row["rmse"] == pytest.approx(np.sqrt((0.25 * truth**2).mean()))


def test_scales_in_long_form():
    values = [[[1.0, 1.0], [0.5, 0.7]], [[0.2, 0.3], [1.0, 1.0]]]
    scales = DomainScales(np.array(values), {})
    table = scale_table(scales, ["a", "b"], ["face", "text"])
    cells = table.set_index(["corpus", "task", "modality"])["scale"]
    assert cells["b", "emotion", "text"] == 0.7
    assert cells["a", "personality", "face"] == 0.2 and len(cells) == 8
