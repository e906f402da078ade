"""Split conformal prediction: exact quantiles, coverage, and its limits."""

import math
from fractions import Fraction

import numpy as np
import pytest
from scipy.stats import binom

from sslmepr.statistics.conformal import (
    ABSENT,
    EITHER,
    PRESENT,
    PresenceBounds,
    fewest_speakers,
    half_width,
    presence_bounds,
    presence_sets,
    speaker_weights,
    upper_bound,
)

LEVELS = ("1/2", "4/5", "9/10", "19/20")


def ranked(scores, speakers, level: Fraction):
    """The bound by its definition, in exact arithmetic, trying every score."""
    own = {name: speakers.count(name) for name in speakers}
    for bound in sorted(scores):
        below = (
            Fraction(1, (len(own) + 1) * own[name])
            for score, name in zip(scores, speakers, strict=True)
            if score <= bound
        )
        if sum(below) >= level:
            return bound
    return math.inf


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", range(10))
def test_bound_is_that_of_an_exact_ranking(seed, level):
    rng = np.random.default_rng(seed)
    counts = rng.integers(1, 6, rng.integers(1, 45))
    speakers = np.repeat([f"person {n}" for n in range(len(counts))], counts).tolist()
    # Few distinct values, so that there are ties.
    scores = rng.integers(0, 25, len(speakers)) / 16
    shuffled = rng.permutation(len(speakers))
    found = upper_bound(
        scores[shuffled], np.array(speakers)[shuffled], float(Fraction(level))
    )
    assert found == ranked(scores.tolist(), speakers, Fraction(level))


@pytest.mark.parametrize("n", [4, 9, 19, 20, 39, 60, 99])
@pytest.mark.parametrize("level", LEVELS)
def test_with_one_clip_each_it_is_the_ranked_residual(n, level):
    rng = np.random.default_rng(n)
    true, predicted = rng.random((2, n))
    rank = math.ceil((n + 1) * Fraction(level))
    expected = [*sorted(abs(true - predicted)), math.inf][min(rank, n + 1) - 1]
    found = half_width(true, predicted, range(n), float(Fraction(level)))
    assert found == expected
    assert math.isinf(found) == (n < fewest_speakers(float(Fraction(level))))


def test_fewest_speakers():
    assert [fewest_speakers(float(Fraction(each))) for each in LEVELS] == [1, 4, 9, 19]
    for level in (0.55, 0.7, 0.99):
        fewest = fewest_speakers(level)
        assert math.isfinite(upper_bound(np.zeros(fewest), range(fewest), level))
        assert math.isinf(upper_bound(np.zeros(fewest - 1), range(fewest - 1), level))


def drawn(rng, people):
    """Residuals of clips and the speakers; who speaks more is predicted better."""
    counts = 1 + rng.geometric(0.4, people)
    own = rng.normal(0, 1, people) / np.sqrt(counts)
    speakers = np.repeat(np.arange(people), counts)
    return own[speakers] + 0.3 * rng.standard_normal(len(speakers)), speakers


@pytest.mark.parametrize("people, level", [(19, 0.95), (25, 0.9), (40, 0.8), (60, 0.9)])
def test_a_new_clip_of_a_new_person_is_covered(people, level):
    rng = np.random.default_rng([people, 1])
    draws, held, naive = 3000, 0, 0
    for _ in range(draws):
        # Of people in random order, the last is new, with a clip at random.
        residuals, speakers = drawn(rng, people + 1)
        known = speakers < people
        bound = upper_bound(abs(residuals[known]), speakers[known], level)
        one = abs(rng.choice(residuals[~known]))
        held += one <= bound
        clips = np.arange(known.sum())
        naive += one <= upper_bound(abs(residuals[known]), clips, level)
    # A test of coverage >= level that errs once in a million.
    assert held >= binom.ppf(1e-6, draws, level)
    # Not wider than it need be: the excess is at most one speaker's weight.
    assert held <= binom.ppf(1 - 1e-6, draws, level + 1 / (people + 1))
    assert naive < held


@pytest.mark.parametrize("level", [0.8, 0.9])
def test_sets_cover_those_with_the_emotion_and_those_without(level):
    rng = np.random.default_rng(7)
    draws, held = 2000, {False: [], True: []}
    for _ in range(draws):
        truth = rng.random(81) < 0.25
        # Overconfident: conformal sets do not rely on the probabilities.
        predicted = 1 / (1 + np.exp(-6 * (truth - 0.5 + rng.standard_normal(81))))
        bounds = presence_bounds(truth[:-1], predicted[:-1], range(80), level)
        (found,) = presence_sets(predicted[-1:], bounds)
        held[bool(truth[-1])].append(
            found in (EITHER, PRESENT if truth[-1] else ABSENT)
        )
    for each in held.values():
        assert sum(each) >= binom.ppf(1e-6, len(each), level)


def test_bounds_of_presence_by_hand():
    true = [0, 0, 0, 0, 0.5, 1, 2, 3, np.nan]
    predicted = [0.1, 0.2, 0.3, 0.7, 0.4, 0.6, 0.8, 0.9, 0.5]
    # With four people, the bound of 80 % is the largest, or smallest, of all.
    bounds = presence_bounds(true, predicted, range(9), 0.8)
    assert bounds == PresenceBounds(0.7, 0.4)
    sets = presence_sets([0.3, 0.4, 0.7, 0.71, np.nan], bounds)
    assert sets.tolist() == [ABSENT, EITHER, EITHER, PRESENT, ""]
    # What lies in a gap between the thresholds conforms to neither.
    sets = presence_sets([0.4, 0.45, 0.55, 0.6, np.nan], PresenceBounds(0.4, 0.6))
    assert sets.tolist() == [ABSENT, ABSENT, PRESENT, PRESENT, ""]


def test_too_few_speakers_bound_nothing():
    bounds = presence_bounds([0] * 30 + [1] * 3, np.linspace(0, 1, 33), range(33), 0.9)
    assert bounds.lowest_present == -math.inf and math.isfinite(bounds.highest_absent)
    assert presence_sets([0.0, 1.0], bounds).tolist() == [EITHER, PRESENT]
    assert math.isinf(half_width([0.5] * 99, [0.4] * 99, ["one"] * 99, 0.6))
    nobody = presence_bounds([], [], [], 0.5)
    assert nobody == PresenceBounds(math.inf, -math.inf)


def test_clips_without_label_are_as_if_not_there():
    rng = np.random.default_rng(3)
    true, predicted = rng.random((2, 50))
    speakers = rng.integers(0, 20, 50).astype(str)
    lost = rng.random(50) < 0.3
    some = np.where(lost, np.nan, true)
    expected = half_width(true[~lost], predicted[~lost], speakers[~lost], 0.8)
    assert half_width(some, predicted, speakers, 0.8) == expected
    expected = presence_bounds(
        true[~lost] - 0.5, predicted[~lost], speakers[~lost], 0.5
    )
    assert presence_bounds(some - 0.5, predicted, speakers, 0.5) == expected


def test_speakers_weigh_alike():
    weights = speaker_weights(["a", "b", "b", "c", "b"])
    assert weights == pytest.approx([1, 1 / 3, 1 / 3, 1, 1 / 3])


@pytest.mark.parametrize(
    "scores, speakers, level, message",
    [
        ([1.0], ["a"], 1.0, "confidence: 1.0 is not between 0 and 1"),
        ([1.0], ["a"], 0.0, "confidence: 0.0 is not between 0 and 1"),
        ([1.0, 2.0], ["a"], 0.5, r"shapes \(2,\) and \(1,\)"),
        ([[1.0]], [["a"]], 0.5, r"shapes \(1, 1\) and \(1, 1\)"),
        ([1.0, math.inf], ["a", "b"], 0.5, "scores: clip number 1 has inf"),
        ([1.0, 2.0], ["a", None], 0.5, "clip number 1 has no speaker"),
    ],
)
def test_what_cannot_be_calibrated(scores, speakers, level, message):
    with pytest.raises(ValueError, match=message):
        upper_bound(scores, speakers, level)


@pytest.mark.parametrize(
    "candidates, least, most", [("penalties", 0.0, 0.02), ("noisy", 0.01, 0.05)]
)
def test_what_choosing_on_the_calibration_people_costs(candidates, least, most):
    """Sixty people of dev choose a model by its mean error, and calibrate it.

    Penalties and shares of a correction cost a point at 80 %, thirty models that differ
    by chance, as the epochs of a network do, four or five; less at 95 %.
    """
    rng = np.random.default_rng(11)
    lost = {0.8: [], 0.9: [], 0.95: []}
    for _ in range(300):
        weights = rng.normal(0, 0.3, 20)
        x = [rng.standard_normal((clips, 20)) for clips in (120, 60, 200, 60)]
        y = [each @ weights + rng.standard_normal(len(each)) for each in x]
        gram, moment = x[0].T @ x[0], x[0].T @ y[0]
        penalties = np.logspace(-1, 4, 16)[:, None, None] * np.eye(20)
        fits = np.linalg.solve(gram + penalties, moment[:, None])[..., 0]
        if candidates == "penalties":
            fits = np.concatenate([share * fits for share in (0, 0.25, 0.5, 0.75, 1)])
        else:
            fits = fits[5] + 0.15 * rng.standard_normal((30, 20))
        best = fits[np.abs(y[1] - fits @ x[1].T).mean(1).argmin()]
        errors = np.abs(y[2] - x[2] @ best)
        for level, each in lost.items():
            dev, other = (
                (errors <= half_width(y[i], x[i] @ best, range(60), level)).mean()
                for i in (1, 3)
            )
            each.append(other - dev)
    for each in lost.values():
        error = np.std(each) / np.sqrt(len(each))
        assert least - 2 * error < np.mean(each) < most + 2 * error
        assert error < 0.005
    assert np.mean(lost[0.8]) > np.mean(lost[0.95])
