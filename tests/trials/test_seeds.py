import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sslmepr.trials.seeds import differences, summarise

RUNS = pd.DataFrame(
    [("a", 0.5, seed, "other CCC", value) for seed, value in enumerate((0.1, 0.2, 0.6))]
    + [
        ("b", 0.5, seed, "other CCC", value)
        for seed, value in enumerate((0.0, 0.0, 0.3))
    ]
    + [("b", 0.5, 0, "other UAR", 0.7)],
    columns=["arm", "offset", "seed", "metric", "value"],
)


def test_summary_by_hand():
    table = summarise(RUNS, 0.95).set_index(["arm", "metric"])
    found = table.loc[("a", "other CCC")]
    half = stats.t.ppf(0.975, 2) * np.std([0.1, 0.2, 0.6], ddof=1) / np.sqrt(3)
    assert found["estimate"] == pytest.approx(0.3) and found["n"] == 3
    assert found["low"] == pytest.approx(0.3 - half)
    assert found["high"] == pytest.approx(0.3 + half)
    assert found["interval"] == "cluster_t"
    alone = table.loc[("b", "other UAR")]
    assert np.isnan(alone["low"]) and alone["interval"] == "none"


def test_differences_are_paired_and_relative_to_the_reference():
    table = differences(RUNS, "a", 0.95)
    assert table[["arm", "metric"]].to_numpy().tolist() == [["b", "other CCC"]]
    paired = stats.ttest_1samp([0.1, 0.2, 0.3], 0).confidence_interval(0.95)
    assert table["estimate"].item() == pytest.approx(0.2)
    assert table["low"].item() == pytest.approx(paired.low)
    assert table["high"].item() == pytest.approx(paired.high)
    with pytest.raises(ValueError, match="no arm 'c'"):
        differences(RUNS, "c", 0.95)
