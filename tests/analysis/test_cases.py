import numpy as np
import pandas as pd

from sslmepr.analysis.cases import choose_clips


def test_clips_are_spread_over_the_ranks_of_error():
    predicted = np.arange(8) / 10
    table = pd.DataFrame(
        {"clip_id": [f"c{place}" for place in range(8)], "predicted": predicted}
    ).assign(true=0.0)
    assert choose_clips(table, 4) == ["c1", "c3", "c5", "c7"]


def test_clips_without_truth_are_left_out():
    table = pd.DataFrame(
        {"clip_id": ["a", "b"], "predicted": [0.1, 0.2], "true": [np.nan, 0.0]}
    )
    assert choose_clips(table, 3) == ["b"]


def test_where_no_clip_has_truth_they_are_spread_over_the_table():
    names = [f"c{place}" for place in (3, 1, 2, 0)]
    table = pd.DataFrame({"clip_id": names, "predicted": 0.5, "true": np.nan})
    assert choose_clips(table, 2) == ["c1", "c0"]
    assert choose_clips(table, 9) == names
