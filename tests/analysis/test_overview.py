import pandas as pd

from sslmepr.analysis.overview import findings

METRICS = pd.DataFrame(
    [
        (stage, modality, variant, metric, value)
        for metric, floor in (("mWACC", 0.5), ("CCC", 0.0))
        for stage, modality, variant, value in (
            ("baseline", "any", "any", floor),
            ("unimodal", "face", "any", floor + 0.1),
            ("unimodal", "text", "any", floor + 0.2),
            ("fusion_linear", "fused", "multitask", floor + 0.25),
            ("fusion", "fused", "multitask", floor + 0.3),
        )
    ],
    columns=["stage", "modality", "variant", "metric", "estimate"],
).assign(seed=-1, split="test", target="mean", low=0.0, high=1.0, n=72)
AGREEMENT = pd.DataFrame(
    [
        ("simulated", "correlation", 0.93, 0.9, 0.95, 30),
        ("simulated", "significant", 0.6, float("nan"), float("nan"), 30),
        ("unrelated", "correlation", float("nan"), float("nan"), float("nan"), 30),
        ("unrelated", "significant", 0.0, float("nan"), float("nan"), 30),
    ],
    columns=["study", "metric", "estimate", "low", "high", "n_cells"],
)


def test_sentences_carry_the_numbers_of_the_tables():
    emotions, traits, planted, unrelated = findings(METRICS, AGREEMENT).sentences
    assert "mWACC of 0.800 [0.000, 1.000] (72 clips)" in emotions
    assert "text, reaches 0.700 [0.000, 1.000], and guessing 0.500" in emotions
    assert "CCC of 0.300" in traits
    assert "r = 0.930 [0.900, 0.950] over 30 pairs" in planted
    assert "0 % of 30 emotion-trait pairs" in unrelated
