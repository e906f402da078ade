import pandas as pd

from sslmepr.report.overview import (
    agreement_findings,
    recognition,
    recognition_findings,
    study_findings,
)

METRICS = pd.DataFrame(
    [
        (stage, modality, variant, metric, value)
        for metric, floor in (("mWACC", 0.5), ("CCC", 0.0))
        for stage, modality, variant, value in (
            ("baseline", "any", "any", floor),
            ("linear", "fused", "any", floor + 0.15),
            ("unimodal", "face", "any", floor + 0.1),
            ("unimodal", "text", "any", floor + 0.2),
            ("stacking", "fused", "any", floor + 0.25),
            ("fusion", "fused", "multitask", floor + 0.3),
        )
    ],
    columns=["stage", "modality", "variant", "metric", "estimate"],
).assign(seed=-1, split="test", target="mean", low=0.0, high=1.0, n=72)
AGREEMENT = pd.DataFrame(
    [
        ("simulated", "correlation", 0.93, 0.9, 0.95, 30),
        ("simulated", "slope", 0.8, 0.7, 0.9, 30),
        ("simulated", "significant", 0.6, float("nan"), float("nan"), 30),
        ("unrelated", "correlation", float("nan"), float("nan"), float("nan"), 30),
        ("unrelated", "significant", 0.0, float("nan"), float("nan"), 30),
    ],
    columns=["study", "metric", "estimate", "low", "high", "n_cells"],
)


def test_sentences_carry_the_numbers_of_the_tables():
    emotions, traits = recognition(METRICS)
    planted, unrelated = agreement_findings(AGREEMENT)
    assert "accuracy (mWACC) of 0.800 [0.000, 1.000] (72 clips)" in emotions
    assert "late fusion reaches 0.750, linear fusion 0.650, the best" in emotions
    assert "text after stage 1, 0.700, and guessing 0.500." in emotions
    assert "concordance (CCC) of 0.300" in traits
    assert "r = 0.930 [0.900, 0.950] over 30 pairs" in planted
    assert (
        "They are 0.800 [0.700, 0.900] times as large as those on average, too weak"
        in planted
    )
    assert "0 % of 30 emotion-trait pairs" in unrelated


def test_without_truth_the_sentences_on_associations_follow():
    told = ["**Present**, 1 of 30: anger with openness.", "**Absent**, 0 of 30."]
    _, _, *associations = study_findings(METRICS, told).sentences
    assert associations == told


def test_scores_are_those_of_test_or_else_of_dev_and_absent_ones_are_not_told():
    emotions, traits = study_findings(METRICS.assign(split="dev"), []).sentences
    assert "**Recognising emotions** on the dev split" in emotions
    assert "**Recognising traits** on the dev split" in traits
    both = pd.concat([METRICS, METRICS.assign(split="dev", estimate=9.0)])
    assert "test split" in study_findings(both, []).sentences[0]
    both = pd.concat([both, METRICS.assign(split="all", estimate=9.0)])
    assert "people whom no stage" in study_findings(both, []).sentences[0]
    (alone,) = study_findings(METRICS[METRICS.metric == "CCC"], []).sentences
    assert "traits" in alone


def test_the_first_line_ends_with_what_stage_3_adds():
    told = recognition_findings(METRICS, None, "**Stage 3** x.", ["Kept."]).sentences
    assert told[0] == " ".join([*recognition(METRICS), "**Stage 3** x."])
    assert told[1].endswith("over people, not clips. Kept.") and len(told) == 3
    assert "drawn" not in told[2]
    assert len(recognition_findings(METRICS, None, "", []).sentences) == 3
    assert recognition_findings(METRICS, None, "", [], ["x"]).sentences[3:] == ["x"]


def test_what_is_covered_is_told_where_the_ceiling_is_known():
    rows = [("fused", "mWACC", 0.9), ("face", "mWACC", 0.7), ("fused", "CCC", 0.6)]
    ceiling = pd.DataFrame(rows, columns=["modality", "metric", "ceiling"])
    emotions, traits = recognition(METRICS, ceiling)
    # From .5 to .9 by .8; from 0 to .6 by .3; the interval is [0, 1] of the score.
    assert emotions.endswith(
        "reaches 0.900: from guessing, 75 % [−125, 125] of the way are covered."
    )
    assert traits.endswith(
        "reaches 0.600: from guessing, 50 % [0, 167] of the way are covered."
    )
