import json

import numpy as np
import pandas as pd
import pytest

from sslmepr.evaluation import scores

METRICS = pd.DataFrame(
    [
        # stage, modality, variant, split, seed, metric, target, estimate
        ("baseline", "any", "any", "test", -1, "mWACC", "mean", 0.5),
        ("unimodal", "face", "any", "test", -1, "mWACC", "mean", 0.7),
        ("unimodal", "audio", "any", "test", -1, "mWACC", "mean", 0.6),
        ("unimodal", "audio", "any", "test", -1, "WACC", "anger", 0.9),
        ("unimodal", "audio", "any", "dev", -1, "mWACC", "mean", 0.65),
        ("fusion", "fused", "multitask", "test", 0, "mWACC", "mean", 0.79),
        ("fusion", "fused", "multitask", "test", -1, "mWACC", "mean", 0.8),
        ("stacking", "fused", "any", "test", -1, "mWACC", "mean", 0.75),
        ("linear", "face", "any", "test", -1, "mWACC", "mean", 0.55),
    ],
    columns=[
        *("stage", "modality", "variant", "split", "seed"),
        *("metric", "target", "estimate"),
    ],
).assign(low=0.4, high=0.9, n=10)
CEILING = pd.DataFrame(
    {"modality": ["face", "fused"], "metric": "mWACC", "ceiling": [0.8, 0.9]}
)


def test_by_modality_orders_modalities_and_puts_the_fused_model_last():
    table = scores.by_modality(METRICS, "unimodal", ("mWACC",), "test", CEILING)
    assert table["modality"].tolist() == ["face", "audio", "fused"]
    assert table["estimate"].tolist() == [0.7, 0.6, 0.8]
    assert table["baseline"].tolist() == [0.5] * 3
    np.testing.assert_array_equal(table["ceiling"], [0.8, np.nan, 0.9])


def test_distance_covered():
    table = scores.by_modality(METRICS, "unimodal", ("mWACC",), "test", CEILING)
    found = scores.distance_covered(table)
    np.testing.assert_allclose(found["covered"], [0.2 / 0.3, np.nan, 0.75])
    np.testing.assert_allclose(found["covered_low"], [-0.1 / 0.3, np.nan, -0.25])
    np.testing.assert_allclose(found["covered_high"], [0.4 / 0.3, np.nan, 1.0])


def test_headline_of_a_split_without_metrics_is_an_error():
    with pytest.raises(ValueError, match="no mWACC on split 'all'"):
        scores.headline(METRICS, ("mWACC",), "all")


def test_first_split():
    assert scores.first_split(METRICS, ("all", "test", "dev")) == "test"
    with pytest.raises(ValueError, match="none of the splits all"):
        scores.first_split(METRICS, ("all",))


def test_ceiling_of_a_corpus_without_truth_is_none(tmp_path):
    assert scores.read_ceiling(tmp_path) is None


def test_ceiling_names_all_channels_together_fused(tmp_path):
    score = {"emotion": {"mWACC": 0.9}, "personality": {"mACC": 0.95, "CCC": 0.8}}
    better = {"emotion": {"mWACC": 0.92}, "personality": {"mACC": 0.96, "CCC": 0.82}}
    (tmp_path / "ideal_observer.json").write_text(
        json.dumps({"face": score, "all": {**score, "controls": better}})
    )
    table = scores.read_ceiling(tmp_path)
    assert table.to_dict("list") == {
        "modality": ["face"] * 3 + ["fused"] * 3,
        "metric": ["mWACC", "mACC", "CCC"] * 2,
        "ceiling": [0.9, 0.95, 0.8] * 2,
        "of_controls": [0.9, 0.95, 0.8, 0.92, 0.96, 0.82],
    }


def test_of_corpora_leaves_out_the_parts_of_a_union():
    metrics = pd.DataFrame({"corpus": ["both", "lines", "speech", "traits"]})
    found = scores.of_corpora(metrics, ["both", "traits", "people"])
    assert found["corpus"].tolist() == ["both", "traits"]
