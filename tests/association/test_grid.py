import numpy as np
import pandas as pd
import pytest

from sslmepr.association.grid import CELLS, cell_index, cell_matrix, tidy_matrix
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

WORLD = {
    "happiness": {"extraversion": 0.5, "openness": 0.2},
    "sadness": {"emotional_stability": -0.4},
}


def test_cells_run_through_the_traits_of_one_emotion_after_the_other():
    assert CELLS[:6] == [
        *((SCORED_EMOTIONS[0], t) for t in TRAITS),
        ("disgust", "openness"),
    ]
    assert len(set(CELLS)) == 30
    assert cell_index().tolist() == CELLS and cell_index().names == ["emotion", "trait"]


def test_a_tidy_table_of_any_order_becomes_a_matrix():
    values = np.random.default_rng(0).random((6, 5))
    table = cell_index().to_frame(index=False).assign(r=values.ravel())
    shuffled = table.sample(frac=1, random_state=0)
    np.testing.assert_array_equal(cell_matrix(shuffled, "r"), values)
    np.testing.assert_array_equal(
        cell_matrix(shuffled.assign(high=shuffled["r"] > 0.5), "high"), values > 0.5
    )


def test_cells_that_are_absent_are_undefined_and_doubled_ones_refused():
    table = tidy_matrix(WORLD, "r")
    found = cell_matrix(table[table["r"] != 0], "r")
    assert np.isfinite(found).sum() == 3 and found[3, 2] == 0.5
    with pytest.raises(ValueError, match="r: a cell is duplicated"):
        cell_matrix(pd.concat([table, table[:1]]), "r")


def test_tidy_matrix_takes_worlds_matrices_and_tidy_tables():
    planted = tidy_matrix(WORLD, "planted")
    assert len(planted) == 30 and planted["planted"].ne(0).sum() == 3
    wide = planted.pivot(index="emotion", columns="trait", values="planted")
    for other in (wide, planted.rename(columns={"planted": "value"})):
        pd.testing.assert_frame_equal(tidy_matrix(other, "planted"), planted)
    assert (tidy_matrix({}, "planted")["planted"] == 0).all()


def test_tidy_matrix_names_what_is_wrong():
    with pytest.raises(ValueError, match="joy x openness is no cell"):
        tidy_matrix({"joy": {"openness": 0.1}}, "planted")
    short = tidy_matrix(WORLD, "planted").iloc[1:]
    with pytest.raises(ValueError, match="no value for anger x openness"):
        tidy_matrix(short, "planted")
    with pytest.raises(ValueError, match="exactly one numeric column is needed"):
        tidy_matrix(short.assign(other=1.0), "planted")
