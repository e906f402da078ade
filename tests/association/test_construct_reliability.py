"""Reliability of constructs against single analyses, and what cannot be computed."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from sslmepr.association.construct_reliability import (
    noise_ceilings,
    reliability_table,
)
from sslmepr.association.disjoint_modalities import CORRELATED
from sslmepr.labels import TRAITS
from sslmepr.simulation.world import make_world
from sslmepr.statistics.reliability import intraclass

CLIPS = 40


def predictions(seeds=(0, 1, 2), modalities=("face", "text"), constant=None):
    """Stage 1 of some modalities and a fusion model, with known logits."""
    rng = np.random.default_rng(0)
    true = rng.standard_normal((CLIPS, len(CORRELATED)))
    kinds = [("unimodal", name, "any", 0) for name in modalities]
    kinds += [("fusion", "fused", "multitask", seed) for seed in seeds]
    rows, logits = [], {}
    for stage, name, variant, seed in kinds:
        values = true + 0.7 * rng.standard_normal(true.shape)
        if constant is not None:
            values[:, constant] = 0.1
        logits[stage, name, seed] = values
        rows += [
            (f"c{n:02d}", "joint", stage, name, variant, seed, target, expit(value))
            for n, each in enumerate(values)
            for target, value in zip(CORRELATED, each, strict=True)
        ]
    columns = "clip_id corpus stage modality variant seed target predicted".split()
    return pd.DataFrame(rows, columns=columns), logits


@pytest.fixture
def clips():
    table = pd.DataFrame({"clip_id": [f"c{n:02d}" for n in range(CLIPS)]})
    table["speaker_id"] = [f"s{n // 2:02d}" for n in range(CLIPS)]
    return table.assign(corpus="joint", part="joint")


def test_each_row_is_one_analysis_of_variance(settings, clips):
    table, logits = predictions()
    found = reliability_table(settings, table, clips, "multitask")
    assert len(found) == 2 * len(CORRELATED) and (found["reason"] == "").all()
    found = found.set_index(["construct", "over"])
    for over, keys in {
        "modalities": [("unimodal", "face", 0), ("unimodal", "text", 0)],
        "seeds": [("fusion", "fused", seed) for seed in (0, 1, 2)],
    }.items():
        ratings = np.stack([logits[key] for key in keys], 1)
        expected = intraclass(ratings)
        for place, construct in enumerate(CORRELATED):
            row = found.loc[(construct, over)]
            assert row["single"] == pytest.approx(expected.single[place])
            assert row["mean"] == pytest.approx(expected.average[place])
            assert row["single_low"] < row["single"] < row["single_high"]
            assert row["mean_low"] < row["mean"] < row["mean_high"]
            assert (row["count"], row["n"], row["n_speakers"]) == (len(keys), 40, 20)


def test_only_clips_with_all_modalities_are_compared(settings, clips):
    table, logits = predictions()
    lacking = (table["clip_id"] == "c05") & (table["modality"] == "text")
    found = reliability_table(settings, table[~lacking], clips, "multitask")
    found = found.set_index(["construct", "over"])
    keys = [("unimodal", name, 0) for name in ("face", "text")]
    ratings = np.delete(np.stack([logits[key] for key in keys], 1), 5, axis=0)
    row = found.loc[("anger", "modalities")]
    assert row["n"] == 39
    assert row["single"] == pytest.approx(intraclass(ratings).single[0])
    assert found.loc[("anger", "seeds"), "n"] == 40


@pytest.mark.parametrize(
    ("changes", "over", "told"),
    [
        ({"seeds": (0,)}, "seeds", "the model was trained once"),
        ({"modalities": ("text",)}, "modalities", "and 1 predicted clips"),
        ({"constant": 3}, "modalities", "scores do not vary"),
    ],
)
def test_what_cannot_be_computed_says_why(changes, over, told, settings, clips):
    table, _ = predictions(**changes)
    found = reliability_table(settings, table, clips, "multitask")
    mine = found[found["over"] == over]
    if "constant" in changes:
        mine = mine[mine["construct"] == CORRELATED[3]]
    assert len(mine) and mine["reason"].str.contains(told).all()
    assert mine["single"].isna().all() and mine["mean_low"].isna().all()
    assert len(found) == 2 * len(CORRELATED)


def test_without_held_out_clips_nothing_is_computed(settings, clips):
    table, _ = predictions()
    found = reliability_table(settings, table, clips.iloc[:0], "multitask")
    assert (found["reason"] != "").all() and found["single"].isna().all()


def test_ceilings_are_the_roots_of_the_reliability_of_simulated_raters(settings):
    """Mean of K ratings of t, coloured by the impression that emotions make."""
    found = noise_ceilings(settings)
    assert list(found["construct"]) == list(TRAITS)
    raters = settings.simulation.raters
    corpus = settings.corpus[settings.roles.held_out]
    world = make_world(corpus.world, settings.simulation.worlds)
    signs = dict(anger=-1, disgust=-1, fear=-1, happiness=1, sadness=-1)
    kappa = np.array([signs.get(name, 0) for name in CORRELATED[:6]], float)
    kappa /= np.sqrt(kappa @ world.covariance[:6, :6] @ kappa)
    noise = (raters.halo**2 + raters.noise_sd**2) / raters.count
    for row, association in zip(found.itertuples(), world.association.T, strict=True):
        known = 1 + raters.halo**2 + 2 * raters.halo * kappa @ association
        assert row.reliability == pytest.approx(known / (known + noise))
        assert row.ceiling == pytest.approx(np.sqrt(row.reliability))
        assert row.raters == raters.count


def test_without_known_raters_there_is_no_ceiling(settings):
    simulation = settings.simulation.model_copy(update={"raters": None})
    without = settings.model_copy(update={"simulation": simulation})
    assert noise_ceilings(without).empty
    assert noise_ceilings(settings.for_study("real")).empty
