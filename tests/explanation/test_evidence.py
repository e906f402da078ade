"""Shares and correlations of evidence, against numpy, and their intervals."""

import numpy as np
import pandas as pd
import pytest
import torch

from sslmepr.explanation.evidence import (
    CORRELATION,
    correlation,
    evidence_used,
    mean_by,
    shuffled_weights,
)
from sslmepr.models.fusion import FusionConfig, FusionModel

CLIPS = [f"c{n}" for n in range(40)]
SPEAKERS = {clip: f"p{place // 2}" for place, clip in enumerate(CLIPS)}
TARGETS, MODALITIES = ["anger", "openness"], ["face", "text"]


@pytest.fixture
def tables():
    rng = np.random.default_rng(0)
    keys = pd.MultiIndex.from_product(
        [CLIPS, TARGETS, MODALITIES], names=["clip_id", "target", "modality"]
    )
    table = pd.DataFrame(index=keys).reset_index()
    table["attribution"] = rng.normal(3, 1, len(table))
    table["evidence"] = table["attribution"] + rng.normal(0, 1, len(table))
    return table.drop(columns="evidence"), table.drop(columns="attribution")


def test_shares_and_correlations_are_those_of_numpy(tables):
    used, there = tables
    table = evidence_used(used, there, SPEAKERS, 100, 0.95, 1)
    table = table.set_index(["target", "modality"])
    keys = ["target", "modality"]
    for name, values, column in (
        ("used", used, "attribution"),
        ("there", there, "evidence"),
    ):
        spread = values.groupby(keys)[column].std(ddof=0)
        share = spread / spread.groupby("target").transform("sum")
        np.testing.assert_allclose(table.loc[share.index, name], share)
    both = used.merge(there)
    for key, mine in both.groupby(keys):
        expected = np.corrcoef(mine["attribution"], mine["evidence"])[0, 1]
        assert table.loc[key, "correlation"] == pytest.approx(expected)
        low, high = table.loc[key, ["correlation_low", "correlation_high"]]
        assert low < expected < high
    for name in ("used", "there", "correlation"):
        mean = table.loc[TARGETS, name].unstack("modality").mean()
        np.testing.assert_allclose(table.loc["all", name][MODALITIES], mean[MODALITIES])
    shares = table["used"].groupby("target").sum()
    assert shares.to_numpy() == pytest.approx(1)


def test_without_truth_there_are_shares_alone(tables):
    table = evidence_used(tables[0], None, SPEAKERS, 20, 0.95, 1)
    assert table["used"].notna().all() and table["used_low"].notna().all()
    assert table[["there", "correlation", "there_low"]].isna().all(axis=None)


def test_a_modality_that_a_clip_lacks_contributes_nothing(tables):
    used = tables[0]
    gone = (used["clip_id"] == "c3") & (used["modality"] == "text")
    left = evidence_used(used[~gone], None, SPEAKERS, 0, 0.95, 1)
    zeros = used.assign(attribution=used["attribution"].mask(gone, 0.0))
    pd.testing.assert_frame_equal(
        left, evidence_used(zeros, None, SPEAKERS, 0, 0.95, 1)
    )


def test_a_constant_has_no_correlation():
    x = np.arange(20.0)
    speakers = [f"p{n}" for n in range(20)]
    found = correlation(x, np.full(20, 0.1), speakers, 50, 0.95, 0)
    assert all(np.isnan(each) for each in found.values())
    found = correlation(x, -2 * x, speakers, 50, 0.95, 0)
    assert found == pytest.approx(dict.fromkeys(CORRELATION, -1))


def test_means_by_category_resample_speakers():
    table = pd.DataFrame({"clip_id": CLIPS, "kind": ["a", "b"] * 20})
    table["hit"] = np.arange(40) % 4 / 3
    found = mean_by(table, "kind", ["hit"], SPEAKERS, 200, 0.95, 0)
    assert found["kind"].tolist() == ["a", "b"] and found["clips"].tolist() == [20, 20]
    assert found["hit"].tolist() == pytest.approx([1 / 3, 2 / 3])
    assert (found["hit_low"] < found["hit"]).all()
    assert (found["hit"] < found["hit_high"]).all()


def test_a_share_of_all_has_an_interval_that_is_not_a_point():
    table = pd.DataFrame({"clip_id": CLIPS, "kind": "a", "hit": 1.0})
    found = mean_by(table, "kind", ["hit"], SPEAKERS, 200, 0.95, 0, ["hit"])
    (row,) = found.to_dict("records")
    people = len({SPEAKERS[clip] for clip in CLIPS})
    # Wilson (1927) of n of n: n / (n + z²).
    assert row["hit"] == row["hit_high"] == 1
    assert row["hit_low"] == pytest.approx(people / (people + 1.96**2), abs=1e-4)


def test_shuffled_weights_are_the_same_in_other_places():
    torch.manual_seed(0)
    features = {"face": 3, "text": 3}
    model = FusionModel(
        FusionConfig({"face": 4, "text": 4}, 8, 2, 0.0, features=features)
    )
    for value in model.factors.parameters():
        torch.nn.init.normal_(value.data)
    other, again = shuffled_weights(model, 1), shuffled_weights(model, 1)
    moved = 0
    for name, value in model.state_dict().items():
        mine = other.state_dict()[name]
        assert torch.equal(value.flatten().sort()[0], mine.flatten().sort()[0])
        assert torch.equal(mine, again.state_dict()[name])
        moved += not torch.equal(value, mine)
        if name.startswith("factors."):
            assert torch.equal(value, mine) is not name.endswith(".loadings")
    assert moved > 5
