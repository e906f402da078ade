"""Moments, levels and the score test against pandas, NumPy and SciPy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sslmepr.association.cell_tests import (
    at_level,
    build_cells,
    clustered_p,
    correlation,
    moments_by_speaker,
    reasons,
)
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

EMOTIONS, TRAIT_COLUMNS = (
    [f"emotion_{name}" for name in SCORED_EMOTIONS],
    [f"trait_{name}" for name in TRAITS],
)
CELL = 7  # disgust and extraversion: the second emotion, the third trait
X, Y = "emotion_disgust", "trait_extraversion"


@pytest.fixture
def table():
    """24 clips of 6 speakers; one clip lacks a trait, one speaker has a single clip."""
    draw = np.random.default_rng(0).standard_normal((24, 11)) * 3 + 5
    table = pd.DataFrame(draw, columns=[*EMOTIONS, *TRAIT_COLUMNS])
    table.loc[3, Y] = np.nan
    return table.assign(speaker_id=[*"aaaaaabbbbbbcccccdddeeef"])


def used(table):
    """Both sides of the cell, where none lacks."""
    return table[[X, Y, "speaker_id"]].dropna()


def counted(cells):
    """Speakers with a clip, per cell."""
    return (moments_by_speaker(cells)[:, 0] > 0).sum(axis=0)


def test_each_cell_is_standardised_over_the_clips_that_have_both_sides(table):
    cells, known = build_cells(table), used(table)
    assert cells.values.shape == (2, 24, 30) and cells.n_speakers == 6
    assert cells.used[:, CELL].tolist() == [n != 3 for n in range(24)]
    assert cells.used[:, 0].all()
    for side, name in enumerate((X, Y)):
        column = known[name]
        assert cells.scale[side, CELL] == pytest.approx(column.std(ddof=0))
        expected = (column - column.mean()) / column.std(ddof=0)
        found = cells.values[side, :, CELL]
        assert found[known.index] == pytest.approx(expected) and found[3] == 0


def test_between_are_speaker_means_and_within_deviations_from_them(table):
    cells = build_cells(table)
    values = pd.Series(cells.values[0, :, CELL]).drop(3)
    speaker = table["speaker_id"].drop(3)
    between, within = (at_level(cells, level) for level in ("between", "within"))
    assert at_level(cells, "clip") is cells
    assert between.values.shape == (2, 6, 30) and between.used.all()
    means = values.groupby(speaker).mean()
    assert between.values[0, :, CELL] == pytest.approx(means)
    expected = (values - values.groupby(speaker).transform("mean"))[:-1]
    assert within.values[0, expected.index, CELL] == pytest.approx(expected)
    # The clip without a trait, and the only clip of speaker f.
    assert np.flatnonzero(~within.used[:, CELL]).tolist() == [3, 23]


def test_r_of_summed_moments_is_the_correlation(table):
    known = used(table)
    moments = moments_by_speaker(build_cells(table))
    assert moments.shape == (6, 6, 30)
    found = correlation(moments.sum(axis=0))[CELL]
    assert found == pytest.approx(stats.pearsonr(known[X], known[Y])[0])
    constant = build_cells(table.assign(**{X: 4.0}))
    found = correlation(moments_by_speaker(constant).sum(axis=0))
    assert np.flatnonzero(np.isnan(found)).tolist() == [5, 6, 7, 8, 9]


def test_p_is_that_of_a_t_test_on_the_scores_of_speakers(table):
    cells, known = build_cells(table), used(table)
    x, y = (known[name] - known[name].mean() for name in (X, Y))
    scores = (x * y).groupby(known["speaker_id"]).sum()
    found = clustered_p(moments_by_speaker(cells), counted(cells))
    assert found[CELL] == pytest.approx(stats.ttest_1samp(scores, 0).pvalue)


def test_the_training_error_adds_to_the_variance_of_the_score(table):
    cells, known = build_cells(table), used(table)
    x, y = (known[name] - known[name].mean() for name in (X, Y))
    scores = (x * y).groupby(known["speaker_id"]).sum()
    # A correlation of 0.2 in units of the mean score of six speakers.
    error = 0.2 * len(known) * x.std(ddof=0) * y.std(ddof=0) / 6
    t = scores.mean() / np.hypot(stats.sem(scores), error)
    found = clustered_p(moments_by_speaker(cells), counted(cells), np.full(30, 0.2))
    assert found[CELL] == pytest.approx(2 * stats.t.sf(abs(t), 5))


def test_one_speaker_has_no_p(table):
    cells = build_cells(table.assign(speaker_id="a"))
    assert np.isnan(clustered_p(moments_by_speaker(cells), counted(cells))).all()


def why(table, level="clip"):
    cells = at_level(build_cells(table), level)
    moments, speakers = moments_by_speaker(cells), counted(cells)
    r = np.where(speakers < 3, np.nan, correlation(moments.sum(axis=0)))
    return reasons(cells, level, speakers, r)[CELL]


def test_an_undefined_cell_says_why(table):
    assert why(table) == ""
    assert why(table.assign(**{Y: 1.0})) == "extraversion does not vary"
    both = table.assign(**{X: 0.0, Y: 1.0})
    assert why(both) == "disgust and extraversion do not vary"
    means = table.groupby("speaker_id")[X].transform("mean")
    alike = table.assign(**{X: table[X] - means})
    alike.loc[3, Y] = 5.0
    assert why(alike, "between") == "disgust does not vary between speakers"
    assert why(table.iloc[:12]) == "only 2 speakers have both values"
    few = table.iloc[[0, 1, 6, 7, 12, 17, 20]]
    expected = "only 2 speakers have several clips with both values"
    assert why(few, "within") == expected
