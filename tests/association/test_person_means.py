"""Croon's correction against drawn people, balanced formulas and a jackknife."""

import numpy as np
import pytest
from scipy import stats

from sslmepr.association.person_means import corrected_slope

PEOPLE, BETWEEN, WITHIN = 400, 0.8, -0.5


def drawn(rng, people=PEOPLE, most=3, spread=1.0, noise=1.0):
    """Clips of people: slopes between and within differ in sign."""
    sizes = rng.integers(1, most + 1, people)
    names = np.repeat(np.arange(people), sizes)
    person = spread * rng.standard_normal(people)
    moment = noise * rng.standard_normal(len(names))
    other = BETWEEN * person + 0.6 * rng.standard_normal(people)
    y = other[names] + WITHIN * moment + 0.5 * rng.standard_normal(len(names))
    return person[names] + moment, y, names


def test_the_slope_is_that_of_people_and_not_of_their_means():
    """The slope of means of few clips lies towards the one within."""
    found, plain = [], []
    for seed in range(40):
        x, y, names = drawn(np.random.default_rng(seed))
        found.append(corrected_slope(x, y, names, 0.95).slope)
        means = [np.bincount(names, each) / np.bincount(names) for each in (x, y)]
        plain.append(stats.linregress(*means).slope)
    error = np.std(found) / np.sqrt(len(found))
    assert np.mean(found) == pytest.approx(BETWEEN, abs=4 * error)
    assert np.mean(plain) < BETWEEN - 0.3


def test_intervals_cover():
    covered = 0
    for seed in range(200):
        x, y, names = drawn(np.random.default_rng([1, seed]), people=150)
        found = corrected_slope(x, y, names, 0.95)
        covered += found.low <= BETWEEN <= found.high
    assert stats.binom.cdf(covered, 200, 0.95) > 0.001
    assert stats.binom.sf(covered - 1, 200, 0.95) > 0.001


def test_with_equal_numbers_of_clips_it_is_an_analysis_of_variance():
    rng = np.random.default_rng(2)
    x, y = rng.standard_normal((2, 60, 4)) + 2 * rng.standard_normal((2, 60, 1))
    names = np.repeat(np.arange(60), 4)
    mx, my = x.mean(1), y.mean(1)
    within = [
        ((x - mx[:, None]) * (each - m[:, None])).sum() / (60 * 3)
        for each, m in ((x, mx), (y, my))
    ]
    between = [np.cov(mx, each)[0, 1] for each in (mx, my)]
    parts = [b - w / 4 for b, w in zip(between, within, strict=True)]
    found = corrected_slope(x.ravel(), y.ravel(), names, 0.95)
    assert found.slope == pytest.approx(parts[1] / parts[0])
    assert found.reliability == pytest.approx(parts[0] / between[0])
    deleted = [
        corrected_slope(
            np.delete(x, j, 0).ravel(),
            np.delete(y, j, 0).ravel(),
            np.delete(names.reshape(60, 4), j, 0).ravel(),
            0.95,
        ).slope
        for j in range(60)
    ]
    error = np.sqrt(np.var(deleted) * 59)
    half = stats.t.ppf(0.975, 59) * error
    assert found.high - found.slope == pytest.approx(half)


def test_people_who_do_not_differ_have_no_slope():
    rng = np.random.default_rng(3)
    names = np.repeat(np.arange(80), 2)
    found = corrected_slope(*rng.standard_normal((2, 160)), names, 0.95)
    assert found.reliability < 0.5
    assert np.isnan([found.slope, found.low, found.high]).all()


def test_units_and_origins_do_not_matter():
    x, y, names = drawn(np.random.default_rng(4), people=60)
    found = corrected_slope(x, y, names, 0.95)
    again = corrected_slope(10 * x + 1000, 3 * y - 7, names, 0.95)
    assert again.slope == pytest.approx(0.3 * found.slope)
    assert again.reliability == pytest.approx(found.reliability)
