import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.simulation.world import (
    EMOTION_CORRELATION,
    EMOTION_PART,
    TRAIT_CORRELATION,
    TRAIT_PART,
    WorldError,
    draw_emotions,
    draw_traits,
    emotion_intensities,
    make_world,
    trait_scores,
)

WORLDS = {
    "planted": {
        "anger": {"agreeableness": -0.45, "emotional_stability": -0.35},
        "happiness": {"extraversion": 0.5},
    },
    "none": {},
}


def test_listed_associations_are_planted_and_all_others_zero():
    association = make_world("planted", WORLDS).association
    assert association.shape == (6, 5)
    assert association[0].tolist() == [0, 0, 0, -0.45, -0.35]
    assert association[3, 2] == 0.5
    assert np.count_nonzero(association) == 3


def test_null_world_has_emotions_independent_of_traits():
    world = make_world("none", WORLDS)
    assert not world.mapping.any()
    np.testing.assert_array_equal(world.residual, EMOTION_CORRELATION)


def test_a_population_has_the_planted_correlations():
    world = make_world("planted", WORLDS)
    rng = np.random.default_rng(0)
    traits = draw_traits(100_000, rng)
    emotions = draw_emotions(world, traits, rng)
    covariance = np.cov(emotions.T, traits.T)
    np.testing.assert_allclose(covariance, world.covariance, atol=0.02)
    np.testing.assert_allclose(
        covariance[EMOTION_PART, TRAIT_PART], world.association, atol=0.02
    )


@pytest.mark.parametrize("matrix", [TRAIT_CORRELATION, EMOTION_CORRELATION])
def test_correlations_are_correlations(matrix):
    np.testing.assert_array_equal(matrix, matrix.T)
    assert np.diag(matrix).tolist() == [1] * len(matrix)
    assert np.linalg.eigvalsh(matrix).min() > 0.1


@pytest.mark.parametrize(
    ("worlds", "words"),
    [
        ({}, ["no world 'bad'"]),
        ({"bad": {"neutral": {}}}, ["simulation.worlds.bad", "'neutral'"]),
        ({"bad": {"fear": {"courage": 0.1}}}, ["worlds.bad.fear", "'courage'"]),
        (
            {"bad": {"fear": {"openness": 0.9, "conscientiousness": 0.9}}},
            ["world bad", "too strong"],
        ),
    ],
)
def test_impossible_worlds_are_named(worlds, words):
    with pytest.raises(WorldError) as error:
        make_world("bad", worlds)
    for word in words:
        assert word in str(error.value)


def test_intensity_rises_from_threshold_to_ceiling():
    latents = np.array([[0.8, 0.9, 1.65, 2.5, 4.0, -3.0], [0.8, 0, 0, 0, 0, 0]])
    expected = [
        [0, 0, 0.1 / 1.7, 0.5, 1, 1, 0],
        [1, 0, 0, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(emotion_intensities(latents, 0.8, 2.5), expected)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(-5, 5), min_size=6, max_size=6))
def test_neutral_is_the_absence_of_all_others(latents):
    (clip,) = emotion_intensities(np.array([latents]), 0.8, 2.5)
    assert clip.min() >= 0 and clip.max() <= 1
    assert clip[0] == (not clip[1:].any())


def test_trait_scores_stay_within_bounds():
    scores = trait_scores(np.array([[0.0, 1.0, -2.0, 9.0, -9.0]]), 0.15)
    np.testing.assert_allclose(scores, [[0.5, 0.65, 0.2, 1.0, 0.0]])
