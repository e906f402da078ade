import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as profile
from hypothesis import strategies as st
from plain import plain
from pydantic import ValidationError
from scipy.stats import norm

from sslmepr import params as parameters
from sslmepr.params.simulation import Raters
from sslmepr.simulation import draw as drawing
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.raters import (
    IMPRESSION,
    halo_rows,
    label_clips,
    majority_errors,
    noise_variance,
    rated_association,
    raters_in,
    rating_ceiling,
)
from sslmepr.simulation.world import (
    EMOTION_CORRELATION,
    draw_emotions,
    draw_traits,
    emotion_intensities,
    make_world,
    trait_scores,
)

SIMULATION = parameters.load().simulation
MILD = Raters(count=5, halo=0.3, noise_sd=0.5)
WORLD = make_world("planted", SIMULATION.worlds)


def some_latents(clips, seed=0):
    rng = np.random.default_rng(seed)
    traits = draw_traits(clips, rng)
    return np.hstack([draw_emotions(WORLD, traits, rng), traits])


def labels(latents, raters, seed=1):
    return label_clips(latents, SIMULATION, raters, np.random.default_rng(seed))


def test_without_raters_labels_are_the_truth():
    latents = some_latents(200)
    found = labels(latents, None)
    np.testing.assert_array_equal(found.rated, latents)
    expected = emotion_intensities(latents[:, :6], 0.8, 2.5)
    assert found.emotion.tobytes() == expected.tobytes()
    expected = trait_scores(latents[:, 6:], 0.15)
    assert found.personality.tobytes() == expected.tobytes()
    nobody = labels(latents, MILD.model_copy(update={"dose": 0.0}))
    np.testing.assert_allclose(nobody.emotion, found.emotion)
    np.testing.assert_allclose(nobody.personality, found.personality)


def test_raters_change_labels_and_nothing_else(settings):
    settings = plain(settings)
    simulation = settings.simulation.model_copy(update={"raters": MILD})
    rated = settings.model_copy(update={"simulation": simulation})
    one, other = (
        draw_corpus("joint", each.corpus["joint"], each) for each in (settings, rated)
    )
    np.testing.assert_array_equal(one.latents, other.latents)
    for name, controls in one.controls.items():
        np.testing.assert_array_equal(controls, other.controls[name])
    assert np.abs(one.labels.personality - other.labels.personality).min() > 0
    again = draw_corpus("joint", rated.corpus["joint"], rated)
    np.testing.assert_array_equal(again.labels.emotion, other.labels.emotion)


def test_ratings_have_their_law():
    latents = some_latents(200_000)
    rated = labels(latents, MILD).rated
    assert IMPRESSION @ EMOTION_CORRELATION @ IMPRESSION == pytest.approx(1)
    assert IMPRESSION[3] > 0 > IMPRESSION[0] and IMPRESSION[5] == 0
    seen = latents[:, 6:] + 0.3 * (latents[:, :6] @ IMPRESSION)[:, None]
    np.testing.assert_allclose(latents @ halo_rows(MILD).T, seen)
    error = np.cov((rated[:, 6:] - seen).T)
    # The impression that is not of the emotions is common to all traits.
    expected = 0.3**2 / 5 + 0.5**2 / 5 * np.eye(5)
    np.testing.assert_allclose(error, expected, atol=1e-3)
    assert noise_variance(MILD) == pytest.approx(expected[0, 0])


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_an_emotion_is_present_if_most_raters_see_it(count):
    raters = Raters(count=count, halo=0.0, noise_sd=0.7)
    latents = np.tile([1.1, *[-9.0] * 10], (100_000, 1))
    found = labels(latents, raters)
    each = norm.sf(0.8, 1.1, 0.7)
    votes = np.arange(count + 1)
    chances = np.array([_binomial(count, vote, each) for vote in votes])
    expected = chances[votes > count / 2].sum()
    assert (found.emotion[:, 1] > 0).mean() == pytest.approx(expected, abs=0.006)
    np.testing.assert_array_equal(found.emotion[:, 1] > 0, found.rated[:, 0] > 0.8)
    np.testing.assert_array_equal(found.emotion[:, 0] == 1, found.rated[:, 0] <= 0.8)
    nodes, weights = majority_errors(raters)
    computed = weights @ norm.sf(0.8 - nodes, 1.1, 0.2)
    errors = found.rated[:, 0] - 1.1
    smooth = norm.sf(0.8 - errors, 1.1, 0.2).mean()
    assert computed == pytest.approx(smooth, abs=0.006)


def _binomial(count, hits, chance):
    ways = np.prod([(count - k) / (k + 1) for k in range(hits)])
    return ways * chance**hits * (1 - chance) ** (count - hits)


def test_the_error_of_a_single_rater_is_normal():
    nodes, weights = majority_errors(Raters(count=1, halo=0.0, noise_sd=0.5))
    for limit, spread in ((0.3, 0.4), (-1.0, 0.8), (0.0, 0.3)):
        exact = norm.cdf(limit, scale=np.hypot(spread, 0.5))
        computed = weights @ norm.cdf(limit - nodes, scale=spread)
        assert computed == pytest.approx(exact, abs=1e-6)


def test_an_intensity_is_the_mean_over_raters():
    latents = np.tile([9.0, *[-9.0] * 10], (3, 1))
    found = labels(latents, MILD)
    np.testing.assert_array_equal(found.emotion, [[0, 1, 0, 0, 0, 0, 0]] * 3)
    between = labels(np.tile([1.65, *[-9.0] * 10], (50_000, 1)), MILD)
    # Halfway between threshold and ceiling, where clipping is symmetric.
    assert between.emotion[:, 1].mean() == pytest.approx(0.5, abs=0.01)


def test_the_ceiling_is_the_root_of_the_intraclass_correlation():
    latents = some_latents(200_000)
    one, other = (labels(latents, MILD, seed).rated[:, 6:] for seed in (1, 2))
    icc = [np.corrcoef(a, b)[0, 1] for a, b in zip(one.T, other.T, strict=True)]
    found = rating_ceiling(WORLD, MILD)
    np.testing.assert_allclose(found, np.sqrt(icc), atol=0.005)
    alone = Raters(count=1, halo=0.0, noise_sd=1.0)
    np.testing.assert_allclose(rating_ceiling(WORLD, alone), np.sqrt(0.5))


@profile(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.floats(-1, 1), st.floats(0, 2), st.floats(0, 1))
def test_labels_stay_on_their_scales(count, halo, noise, dose):
    raters = Raters(count=count, halo=halo, noise_sd=noise, dose=dose)
    latents = some_latents(40)
    found = labels(latents, raters)
    assert found.emotion.min() >= 0 and found.emotion.max() <= 1
    assert found.personality.min() >= 0 and found.personality.max() <= 1
    others = found.emotion[:, 1:].max(1)
    np.testing.assert_array_equal(found.emotion[:, 0] == 1, others == 0)
    _, weights = majority_errors(raters)
    assert weights.min() >= 0 and weights.sum() == pytest.approx(1)


@pytest.mark.parametrize(
    "wrong", [{"count": 0}, {"noise_sd": -0.1}, {"dose": 2.0}, {"halos": 1.0}]
)
def test_what_is_no_panel_is_an_error(wrong):
    with pytest.raises(ValidationError, match=next(iter(wrong))):
        Raters(**{"count": 5, "halo": 0.3, "noise_sd": 0.5} | wrong)


def test_associations_as_rated_are_those_of_many_rated_clips():
    raters = Raters(count=5, halo=0.6, noise_sd=1.0)
    rng = np.random.default_rng(11)
    latents = rng.multivariate_normal(np.zeros(11), WORLD.covariance, 200_000)
    rated = label_clips(latents, SIMULATION, raters, rng).rated
    found = np.corrcoef(rated.T)[:6, 6:]
    # Standard error of a correlation of so many clips: 0.0022.
    np.testing.assert_allclose(rated_association(WORLD, raters), found, atol=0.01)
    assert rated_association(WORLD, None) is WORLD.association


def test_where_nothing_is_associated_nor_are_the_labels():
    unrelated = make_world("none", SIMULATION.worlds)
    assert not np.any(rated_association(unrelated, raters_in(unrelated, MILD)))
    assert np.abs(rated_association(unrelated, MILD)).max() > 0.1
    assert raters_in(WORLD, MILD) == MILD
    assert raters_in(unrelated, MILD) == MILD.model_copy(update={"halo": 0.0})
    assert raters_in(unrelated, None) is None


def test_unrelated_corpora_differ_by_the_halo_in_trait_labels_alone(
    settings, monkeypatch
):
    corpus = settings.corpus["null_joint"]
    own = draw_corpus("null_joint", corpus, settings)
    monkeypatch.setattr(drawing, "raters_in", lambda world, raters: raters)
    haloed = draw_corpus("null_joint", corpus, settings)
    for field in ("latents", "splits", "persons"):
        np.testing.assert_array_equal(getattr(own, field), getattr(haloed, field))
    for name, values in own.controls.items():
        np.testing.assert_array_equal(values, haloed.controls[name])
    np.testing.assert_array_equal(own.labels.emotion, haloed.labels.emotion)
    moved = haloed.labels.rated[:, 6:] - own.labels.rated[:, 6:]
    np.testing.assert_allclose(moved, np.tile(moved[:, :1], 5), atol=1e-12)
    impression = own.latents[:, :6] @ IMPRESSION
    assert np.corrcoef(moved[:, 0], impression)[0, 1] > 0.8
