"""Intraclass correlations against published numbers and an analysis of variance."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.formula.api import ols
from statsmodels.stats.anova import anova_lm

from sslmepr.statistics.cluster_bootstrap import Clusters
from sslmepr.statistics.reliability import intraclass

PUBLISHED = np.array(
    [
        [9, 2, 5, 8],
        [6, 1, 3, 2],
        [8, 4, 6, 8],
        [7, 1, 2, 6],
        [10, 5, 6, 9],
        [6, 2, 4, 7],
    ]
)
"""Table 2 of Shrout and Fleiss (1979): six targets, four judges."""


def by_anova(ratings):
    """ICC(2,1) and ICC(2,k) from the analysis of variance of statsmodels."""
    n, k = ratings.shape
    table = pd.DataFrame(
        {
            "value": ratings.ravel(),
            "target": np.repeat(np.arange(n), k),
            "rater": np.tile(np.arange(k), n),
        }
    )
    squares = anova_lm(ols("value ~ C(target) + C(rater)", table).fit())["mean_sq"]
    rows, columns, rest = squares
    gap = (columns - rest) / n
    return (
        (rows - rest) / (rows + (k - 1) * rest + k * gap),
        (rows - rest) / (rows + gap),
    )


def test_the_published_example():
    found = intraclass(PUBLISHED)
    assert round(float(found.single), 2) == 0.29
    assert round(float(found.average), 2) == 0.62


def test_an_analysis_of_variance_gives_the_same():
    rng = np.random.default_rng(0)
    ratings = rng.standard_normal((30, 1)) + 0.8 * rng.standard_normal((30, 5))
    ratings += [0.0, 0.5, -1.0, 0.2, 0.0]
    assert intraclass(ratings) == pytest.approx(by_anova(ratings))


def test_several_constructs_are_analysed_one_by_one():
    rng = np.random.default_rng(1)
    ratings = rng.standard_normal((12, 3, 2)) + rng.standard_normal((12, 1, 2))
    found = intraclass(ratings)
    for place in range(2):
        alone = intraclass(ratings[..., place])
        assert found.single[place] == pytest.approx(alone.single)
        assert found.average[place] == pytest.approx(alone.average)


def test_a_resample_is_the_analysis_of_its_targets():
    rng = np.random.default_rng(2)
    ratings = rng.standard_normal((40, 3, 2)) + 2 * rng.standard_normal((40, 1, 2))
    names = np.array([f"s{n // 2:02d}" for n in range(40)])
    clusters = Clusters(names, 5, 3)
    found = intraclass(ratings, clusters.total)
    counts = clusters.total(np.eye(40)).round().astype(int)  # (1 + resample, target)
    for place, count in enumerate(counts):
        drawn = intraclass(np.repeat(ratings, count, axis=0))
        np.testing.assert_allclose(found.single[place], drawn.single)
        np.testing.assert_allclose(found.average[place], drawn.average)


def test_raters_who_agree_in_full_and_targets_that_do_not_vary():
    alike = np.repeat(np.arange(5.0)[:, None], 3, axis=1)
    assert intraclass(alike) == pytest.approx((1, 1))
    assert np.isnan(intraclass(np.full((5, 3), 0.3))).all()


@given(
    st.integers(0, 2**32 - 1),
    st.floats(-1e3, 1e3),
    st.floats(0.01, 1e3),
)
def test_neither_origin_nor_unit_matters(seed, origin, unit):
    rng = np.random.default_rng(seed)
    ratings = rng.standard_normal((9, 4)) + rng.standard_normal((9, 1))
    expected = tuple(map(float, intraclass(ratings)))
    moved = tuple(map(float, intraclass(origin + unit * ratings)))
    assert moved == pytest.approx(expected, rel=1e-6, abs=1e-6)
    shuffled = intraclass(ratings[rng.permutation(9)][:, rng.permutation(4)])
    assert tuple(map(float, shuffled)) == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1))
def test_the_mean_of_raters_is_stepped_up_from_one(seed):
    """Spearman-Brown: ICC(2,k) = k ICC(2,1) / (1 + (k - 1) ICC(2,1))."""
    rng = np.random.default_rng(seed)
    found = intraclass(rng.standard_normal((15, 4)) + rng.standard_normal((15, 1)))
    single = float(found.single)
    assert float(found.average) == pytest.approx(4 * single / (1 + 3 * single))


def test_what_is_not_rated_in_full_is_refused():
    with pytest.raises(ValueError, match="two raters are needed, got 6 and 1"):
        intraclass(PUBLISHED[:, :1])
    with pytest.raises(ValueError, match="got 1 and 4"):
        intraclass(PUBLISHED[:1])
    gap = PUBLISHED.astype(float)
    gap[2, 1] = np.nan
    with pytest.raises(ValueError, match="rate every target"):
        intraclass(gap)
