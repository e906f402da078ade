"""Sentences and tables on real people say what the result tables hold."""

import pandas as pd
import pytest

from sslmepr.report import real_findings as module


def score(stage, modality, variant, metric, estimate, **other):
    row = {"corpus": "fiv2", "split": "dev", "stage": stage, "modality": modality}
    row |= {"variant": variant, "seed": -1, "metric": metric, "target": "mean"}
    row |= {"estimate": estimate, "low": estimate - 0.01, "high": estimate + 0.01}
    return row | {"interval": "expanded_percentile", "n": 20, "n_speakers": 9} | other


@pytest.fixture
def traits():
    rows = []
    for metric, target in (("CCC", "mean"), ("CCC pooled", "pooled"), ("mACC", "mean")):
        for place, (stage, modality, variant) in enumerate(
            [
                ("baseline", "-", "-"),
                ("linear", "text", "-"),
                ("linear", "fused", "-"),
                ("unimodal", "text", "-"),
                ("unimodal", "audio", "-"),
                ("unimodal", "face", "-"),
                ("stacking", "fused", "-"),
                ("fusion", "fused", "multitask"),
            ]
        ):
            rows.append(
                score(stage, modality, variant, metric, place / 10, target=target)
            )
    table = pd.DataFrame(rows)
    constant = table["modality"] == "face"
    table.loc[constant, ["estimate", "low", "high"]] = 0.0
    return table


@pytest.fixture
def folds():
    rows = []
    values = {"fused": 0.8, "audio": 0.6, "face": 0.5}
    for scale in ("corpus", "speaker"):
        for modality, value in values.items():
            row = {"split": "folds", "method": f"discriminant, {modality}, by {scale}"}
            row |= {"interval": "expanded_percentile", "n": 32, "n_speakers": 16}
            ends = {"low": value - 0.05, "high": value + 0.05}
            rows.append(
                row | {"metric": "UAR", "target": "mean", "estimate": value} | ends
            )
            for name in ("calm", "sad"):
                rows.append(
                    row | {"metric": "recall", "target": name, "estimate": value} | ends
                )
        fused = {**row, "method": f"discriminant, fused, by {scale}"}
        for modality, gain in (("audio", 0.2), ("face", 0.3)):
            above = {"metric": "UAR above", "target": modality, "estimate": gain}
            rows.append(fused | above | {"low": gain - 0.1, "high": gain + 0.1})
    return pd.DataFrame(rows)


def test_speech_is_told_with_its_gain_over_the_better_modality(folds):
    (sentence,) = module.speech_findings(folds)
    assert "recall of 2 emotions, where guessing gives 0.500" in sentence
    assert "32 recordings of 16 actors" in sentence
    assert sentence.count("0.800 [0.750, 0.850]") == 2
    assert sentence.count("(+0.200 [0.100, 0.300] above the better") == 2
    assert "better single modality, audio)" in sentence


def test_nothing_is_told_of_voices_alone(folds):
    alone = folds[~folds["method"].str.contains("fused")]
    assert module.speech_findings(alone) == []


def test_traits_are_told_in_both_splits(traits):
    other = traits.assign(estimate=traits["estimate"] / 2)
    (sentence,) = module.trait_findings(traits, other)
    assert "CCC 0.700 [0.690, 0.710], pooled 0.700" in sentence
    assert "video blogs, from text and audio)" in sentence
    assert "text alone 0.300, audio alone 0.400" in sentence
    assert "20 clips of 9 videos" in sentence
    assert "both sides CCC 0.350" in sentence


def test_lines_are_told_beside_a_linear_model(traits):
    lines = traits[traits["metric"] == "CCC"].assign(metric="weighted F1")
    (sentence,) = module.line_findings(lines)
    assert "weighted F1 0.700 [0.690, 0.710] over 20 lines" in sentence
    assert "reaches 0.100, guessing 0.000" in sentence


def test_a_forest_has_what_can_tell_the_task(traits):
    found = module.model_forest(traits, ("CCC", "mACC"))
    ccc = found[found["metric"] == "CCC"].set_index("modality")
    assert [*ccc.index] == [
        "text",
        "audio",
        "linear_fusion",
        "late_fusion",
        "multitask",
    ]
    assert (ccc["baseline"] == 0).all() and ccc.loc["late_fusion", "estimate"] == 0.6


def test_one_modality_alone_has_no_linear_fusion(traits):
    found = module.model_forest(traits[traits["modality"] != "audio"], ("CCC",))
    assert [*found["modality"]] == ["text", "multitask"]


def test_the_forest_of_folds_ends_with_all_fused(folds):
    found = module.fold_forest(folds)
    part = found[found["metric"] == "UAR, by speaker"]
    assert [*part["modality"]] == ["audio", "face", "fused"]
    assert (found["baseline"] == 0.5).all()


def test_networks_of_stage_1_stand_beside_their_linear_models(traits):
    found = module.stage_1_table(traits)
    assert [*found["modality"]] == ["text", "text"]
    assert [*found["metric"]] == ["CCC", "mACC"]
    assert found["difference"].tolist() == pytest.approx([0.2, 0.2])


def test_checks_that_could_not_be_made_are_said_to_be_none(tmp_path):
    assert "nothing to check" in repr(module.checks(tmp_path))
    pd.DataFrame({"assumption": ["sensors"]}).to_csv(tmp_path / "assumptions.csv")
    assert "sensors" in repr(module.checks(tmp_path))


def test_bounds_are_averaged_and_known_signs_counted():
    bounds = pd.DataFrame(
        {"explained_emotion": [0.1, 0.3], "explained_trait": [0.2, 0.2]}
        | {"low": [-0.5, 0.1], "high": [0.5, 0.7]}
        | {"interval_low": [-0.6, 0.05], "interval_high": [0.6, 0.8]}
    )
    (row,) = module.bounds_told(bounds).to_dict("records")
    assert row["sign_known"] == 1 and row["explained_emotion"] == pytest.approx(0.2)
    assert row["low"] == pytest.approx(-0.2)


def test_what_observers_noted_is_told_for_one_emotion():
    rows = [
        {"emotion": emotion, "trait": trait, "r": r, "low": r - 0.1, "high": r + 0.1}
        for emotion, r in (("happiness", 0.3), ("sadness", -0.2))
        for trait in ("openness", "extraversion")
    ]
    (sentence,) = module.noted_findings(pd.DataFrame(rows).assign(n=680))
    assert "a word of happiness of a face" in sentence and "same 680 clips" in sentence
    assert "openness .30 [.20, .40], extraversion .30 [.20, .40]" in sentence
    assert "sadness" not in sentence
