"""Weighted ridge and logistic regression against scikit-learn and statsmodels."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import LogisticRegression, Ridge

from sslmepr.statistics.regression import logistic, offset_logistic, ridge


def drawn(targets, seed=0, clips=50, features=6):
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((clips, features))
    true = values @ rng.standard_normal((features, targets))
    counts = rng.integers(0, 4, (3, clips)).astype(float)
    return values, true + 2 * rng.standard_normal(true.shape), counts


@pytest.mark.parametrize("alpha", [0.5, 30.0])
def test_ridge_is_that_of_scikit_learn(alpha):
    features, true, counts = drawn(4)
    weights, bias = ridge(features, true, alpha, counts)
    assert weights.shape == (3, 4, 6) and bias.shape == (3, 4)
    for sample, count in enumerate(counts):
        model = Ridge(alpha=alpha).fit(features, true, sample_weight=count)
        assert weights[sample] == pytest.approx(model.coef_, abs=1e-10)
        assert bias[sample] == pytest.approx(model.intercept_, abs=1e-10)


@pytest.mark.parametrize("C", [0.01, 1.0])
def test_logistic_is_that_of_scikit_learn(C):
    features, true, counts = drawn(3)
    weights, bias = logistic(features, true > 1, C, counts)
    for sample, count in enumerate(counts):
        for target in range(3):
            model = LogisticRegression(C=C, tol=1e-10, max_iter=1000)
            model.fit(features, true[:, target] > 1, sample_weight=count)
            found = [*weights[sample, target], bias[sample, target]]
            expected = [*model.coef_[0], model.intercept_[0]]
            assert found == pytest.approx(expected, abs=2e-4)


def test_a_count_of_two_equals_a_duplicated_clip():
    features, true, counts = drawn(2)
    twice = np.repeat(np.arange(50), counts[0].astype(int))
    for found, expected in (
        (
            ridge(features, true, 2.0, counts[:1]),
            ridge(features[twice], true[twice], 2.0, np.ones((1, len(twice)))),
        ),
        (
            logistic(features, true > 0, 0.1, counts[:1]),
            logistic(features[twice], true[twice] > 0, 0.1, np.ones((1, len(twice)))),
        ),
    ):
        assert found[0] == pytest.approx(expected[0], abs=1e-5)
        assert found[1] == pytest.approx(expected[1], abs=1e-5)


def test_the_start_does_not_change_the_solution():
    features, true, counts = drawn(3)
    start = np.full((3, 6), 2.0), np.full(3, -1.0)
    found = logistic(features, true > 0, 0.1, counts, start)
    expected = logistic(features, true > 0, 0.1, counts)
    assert found[0] == pytest.approx(expected[0], abs=1e-4)


@pytest.mark.parametrize(("present", "odds"), [(False, 1 / 99), (True, 99)])
def test_a_target_of_all_or_no_clips_has_an_intercept_only(present, odds):
    features, true, _ = drawn(2)
    labels = true > 0
    labels[10:, 1] = present
    labels[:10, 1] = not present
    counts = np.ones((2, 50))
    counts[0, :10] = 0  # 40 clips that are all the same
    counts[0, 10:20] = 2  # of which ten count twice: 50
    weights, bias = logistic(features, labels, 0.1, counts)
    assert np.array_equal(weights[0, 1], np.zeros(6))
    assert bias[0, 1] == pytest.approx(np.log(odds))
    assert np.abs(weights[1, 1]).max() > 0 and np.abs(weights[:, 0]).min() > 0


def test_logistic_around_an_offset_is_that_of_statsmodels():
    features, true, counts = drawn(1, clips=200)
    present = np.random.default_rng(1).permutation(true[:, 0] > 0).astype(float)
    offset = 0.3 * features[:, 0] ** 2
    weights, bias = offset_logistic(features, present, np.zeros(6), counts[0], offset)
    model = sm.GLM(
        present,
        sm.add_constant(features),
        family=sm.families.Binomial(),
        offset=offset,
        freq_weights=counts[0],
    ).fit(tol=1e-12)
    np.testing.assert_allclose(np.r_[bias, weights], model.params, atol=1e-6)


def test_its_penalty_is_that_of_scikit_learn():
    features, true, counts = drawn(1)
    present = (true[:, 0] > 0).astype(float)
    weights, bias = offset_logistic(features, present, np.full(6, 2.0), counts[0], 0.0)
    model = LogisticRegression(C=0.5, tol=1e-10, max_iter=1000)
    model.fit(features, present, sample_weight=counts[0])
    np.testing.assert_allclose(weights, model.coef_[0], atol=1e-5)
    assert bias == pytest.approx(model.intercept_[0], abs=1e-5)
    assert offset_logistic(features, np.ones(50), np.ones(6), counts[0], 0.0) is None
