"""What is common to all traits, and what is left without it."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.association.halo import (
    SELF_REPORTS,
    common_part,
    outcomes,
    without_halo,
)
from sslmepr.association.sources import PREDICTED_TRAIT
from sslmepr.labels import TRAITS


def predictions(read, annotated, corpus="a"):
    """Tidy predictions of traits from two (clip, trait) arrays; two equal seeds."""
    clips = [f"c{n}" for n in range(len(read))]
    parts = [
        pd.DataFrame(
            {"clip_id": clips, "predicted": read[:, at], "true": annotated[:, at]}
        ).assign(
            target=trait, corpus=corpus, stage="fusion", variant="multitask", seed=seed
        )
        for at, trait in enumerate(TRAITS)
        for seed in (0, 1)
    ]
    return pd.concat(parts, ignore_index=True)


def test_common_part_is_the_mean_correlation_of_two_traits():
    rng = np.random.default_rng(0)
    read = rng.standard_normal((40, 5)) + rng.standard_normal((40, 1))
    known = rng.standard_normal((40, 5))
    table = common_part(predictions(read, known), ["a", "absent"], "multitask")
    assert list(table["traits"]) == ["annotated", "read by the model", SELF_REPORTS]
    for row, values in zip(table.itertuples(), (known, read), strict=False):
        r = pd.DataFrame(values).corr().to_numpy()
        expected = np.mean([r[i, j] for i in range(5) for j in range(i)])
        assert row.mean_correlation == pytest.approx(expected)
        assert row.clips == 40
    # The norms: .41, .28, .24, .54, .07, .22, .26 and three close to nothing.
    assert table["mean_correlation"].iloc[-1] == pytest.approx(0.198)


def test_a_corpus_without_trait_labels_has_no_annotated_row():
    read = np.random.default_rng(1).standard_normal((20, 5))
    table = common_part(predictions(read, np.full((20, 5), np.nan)), "a", "multitask")
    assert list(table["traits"]) == ["read by the model", SELF_REPORTS]


def found(raw, left):
    """Two tables of four cells: (r, significant) as they are and without halo."""
    cells = [("anger", "openness"), ("anger", "extraversion")]
    cells += [("fear", "openness"), ("fear", "extraversion")]
    parts = [
        pd.DataFrame(cells, columns=["emotion", "trait"]).assign(
            r=[r for r, _ in side], significant=[s for _, s in side], halo=halo
        )
        for side, halo in ((raw, False), (left, True))
    ]
    return pd.concat(parts).assign(corpus="a", source=PREDICTED_TRAIT, level="clip")


def test_every_cell_has_its_outcome():
    raw = [(0.3, True), (0.3, True), (-0.3, True), (0.0, False)]
    left = [(0.2, True), (-0.2, True), (-0.1, False), (0.2, True)]
    table = without_halo(found(raw, left))
    expected = ["survives", "turns round", "vanishes", "appears"]
    assert list(table["outcome"]) == expected
    counts = outcomes(table).iloc[0]
    assert counts["significant"] == 3
    assert list(counts[expected]) == [1, 1, 1, 1]
    assert counts["pairs"] == "anger × openness"


def test_nothing_significant_has_no_outcome():
    table = without_halo(found([(0.1, False)] * 4, [(0.1, False)] * 4))
    assert list(table["outcome"]) == [""] * 4
    assert outcomes(table)["pairs"].item() == ""
