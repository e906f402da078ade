"""Tables in which no modality stands on both sides."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.analysis.correlation import DISJOINT, association
from sslmepr.analysis.disjoint import disjoint_table
from sslmepr.labels import SCORED_EMOTIONS, TARGETS, TRAITS

SETTINGS = {"resamples": 200, "level": 0.95, "correction": "fdr_bh", "alpha": 0.05}


def predictions(evidence):
    """Stage-2 predictions from modality to logits (clip, emotion and trait)."""
    targets = [*TARGETS["emotion"], *TRAITS]
    parts = [
        pd.DataFrame(1 / (1 + np.exp(-values)), columns=targets)
        .rename_axis("clip_id")
        .rename(index="clip-{}".format)
        .melt(var_name="target", value_name="predicted", ignore_index=False)
        .reset_index()
        .assign(variant=f"{modality}-crosstask")
        for modality, values in evidence.items()
    ]
    return pd.concat(parts, ignore_index=True)


def speakers(count):
    return pd.Series(
        [f"s{n}" for n in range(count)], [f"clip-{n}" for n in range(count)]
    )


def draw(rng, clips, modalities, shared=0.0):
    """Evidence of unrelated emotions and traits; `shared` errors in each modality."""
    evidence = {}
    for name in modalities:
        values = rng.standard_normal((clips, 12))
        evidence[name] = values + shared * rng.standard_normal((clips, 1))
    return evidence


def test_every_split_is_a_row_and_no_modality_is_on_both_sides():
    rng = np.random.default_rng(0)
    evidence = draw(rng, 6, ["face", "audio", "text"])
    table = disjoint_table(predictions(evidence), speakers(6))
    assert len(table) == 6 * (2**3 - 2)
    # Sets of one first, in the order of the modalities: face against audio and text.
    first = table.iloc[:6]
    happy = 1 + SCORED_EMOTIONS.index("happiness")
    expected = evidence["face"][:, happy]
    np.testing.assert_allclose(
        first["emotion_happiness"], expected - expected.mean(), atol=1e-6
    )
    expected = evidence["audio"][:, 7] + evidence["text"][:, 7]
    np.testing.assert_allclose(
        first["trait_openness"], expected - expected.mean(), atol=1e-6
    )


def test_clips_that_lack_a_modality_are_left_out():
    table = predictions(draw(np.random.default_rng(1), 5, ["face", "text"]))
    lost = (table["variant"] == "text-crosstask") & (table["clip_id"] == "clip-2")
    found = disjoint_table(table[~lost], speakers(5))
    assert set(found["clip_id"]) == {"clip-0", "clip-1", "clip-3", "clip-4"}


def test_one_modality_cannot_be_divided():
    table = predictions(draw(np.random.default_rng(1), 5, ["text"]))
    assert disjoint_table(table, speakers(5)) is None


@pytest.mark.parametrize("seed", range(3))
def test_errors_that_a_modality_shares_make_no_association(seed):
    """Where one table of all modalities finds every cell, disjoint ones find none."""
    rng = np.random.default_rng(seed)
    evidence = draw(rng, 200, ["face", "audio", "text"], shared=1.5)
    table = disjoint_table(predictions(evidence), speakers(200))
    found = association(table, DISJOINT, **SETTINGS, seed=0, levels=("clip",))
    assert found["significant"].mean() <= 0.05
    assert (found["n"] == 200).all() and (found["n_speakers"] == 200).all()
    total = sum(evidence.values())
    naive = np.corrcoef(total[:, 1:], rowvar=False)[:6, 6:]
    assert (np.abs(naive) > 0.4).all()


def test_what_all_modalities_say_is_found():
    rng = np.random.default_rng(4)
    truth = rng.standard_normal((300, 1))
    evidence = {n: e + truth for n, e in draw(rng, 300, ["face", "text"]).items()}
    table = disjoint_table(predictions(evidence), speakers(300))
    found = association(table, DISJOINT, **SETTINGS, seed=0, levels=("clip",))
    # Each side is the truth with noise of the same size: r = 1 / (1 + 1).
    assert found["r"].mean() == pytest.approx(0.5, abs=0.05)
    assert found["significant"].all()
