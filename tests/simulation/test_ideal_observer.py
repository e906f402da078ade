import numpy as np
import pytest
from scipy.stats import norm

from sslmepr.simulation.channels import make_channel
from sslmepr.simulation.ideal_observer import (
    Posterior,
    agreement,
    concordance_correlation,
    correlate,
    infer,
    observe,
    posterior_covariance,
    score_emotions,
    score_traits,
)
from sslmepr.simulation.world import draw_emotions, draw_traits, make_world

WORLDS = {
    "planted": {
        "anger": {"agreeableness": -0.45, "emotional_stability": -0.35},
        "happiness": {"extraversion": 0.5, "agreeableness": 0.35},
        "sadness": {"extraversion": -0.4, "emotional_stability": -0.45},
    },
    "none": {},
}
SCALES = {"monologue": 1.0, "vlog": 0.8}


def some_channel(name="face", emotion=1.5, trait=1.0, controls=14, seed=0):
    rng = np.random.default_rng(seed)
    names = tuple(f"{name}_{index}" for index in range(controls))
    axes = rng.standard_normal((controls, 6)), rng.standard_normal((controls, 5))
    return make_channel(name, names, *axes, emotion, trait)


def some_clips(world, channels, count=2000, seed=0):
    rng = np.random.default_rng(seed)
    traits = draw_traits(count, rng)
    latents = np.hstack([draw_emotions(world, traits, rng), traits])
    domains = np.array(["monologue", "vlog"])[np.arange(count) % 2]
    controls = {c.name: np.zeros((count, len(c.controls))) for c in channels}
    for domain, scale in SCALES.items():
        rows = domains == domain
        for c in channels:
            controls[c.name][rows] = c.draw(latents[rows], domain, scale, rng)
    return latents, domains, controls


def test_posterior_covariance_is_that_of_information_form():
    world = make_world("planted", WORLDS)
    loadings = some_channel().loadings(0.8)
    information = np.linalg.inv(world.covariance) + loadings.T @ loadings
    np.testing.assert_allclose(
        posterior_covariance(world.covariance, loadings),
        np.linalg.inv(information),
        atol=1e-12,
    )


def test_posterior_of_one_clip_agrees_with_weighted_samples():
    world = make_world("planted", WORLDS)
    channel = some_channel(emotion=0.7, trait=0.7)
    _, domains, controls = some_clips(world, [channel], count=1, seed=4)
    posterior = infer(world, [channel], controls, domains, SCALES)
    rng = np.random.default_rng(1)
    samples = rng.multivariate_normal(np.zeros(11), world.covariance, 400_000)
    expected = samples @ channel.loadings(1.0).T + channel.offset("monologue")
    log_weights = -0.5 * np.square(controls["face"] - expected).sum(axis=1)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    mean = weights @ samples
    spread = np.sqrt(weights @ np.square(samples - mean))
    np.testing.assert_allclose(posterior.mean[0], mean, atol=0.05)
    np.testing.assert_allclose(posterior.deviation[0], spread, atol=0.05)
    probability = norm.sf((0.8 - posterior.mean[0]) / posterior.deviation[0])
    np.testing.assert_allclose(probability, weights @ (samples > 0.8), atol=0.05)


def test_reliability_is_the_correlation_with_the_truth():
    world = make_world("planted", WORLDS)
    channel = some_channel()
    latents, domains, controls = some_clips(world, [channel], count=20_000)
    posterior = infer(world, [channel], controls, domains, SCALES)
    for domain in SCALES:
        rows = domains == domain
        correlations = [
            np.corrcoef(posterior.mean[rows, k], latents[rows, k])[0, 1]
            for k in range(11)
        ]
        np.testing.assert_allclose(
            correlations, posterior.reliability[rows][0], atol=0.03
        )


def certain(latents):
    deviation = np.full_like(latents, 1e-9)
    return Posterior(latents, deviation, np.ones_like(latents))


def test_who_knows_the_latents_makes_no_error():
    latents = np.random.default_rng(0).standard_normal((50, 11))
    emotions = score_emotions(certain(latents), latents[:, :6], 0.8)
    traits = score_traits(certain(latents), latents[:, 6:], 0.15)
    assert set(emotions.values()) == {1.0}
    assert all(value == pytest.approx(1) for value in traits.values())


def test_who_sees_nothing_is_at_chance():
    world = make_world("planted", WORLDS)
    channel = some_channel(emotion=0.0, trait=0.0)
    latents, domains, controls = some_clips(world, [channel])
    posterior = infer(world, [channel], controls, domains, SCALES)
    assert score_emotions(posterior, latents[:, :6], 0.8)["mWACC"] == 0.5
    assert score_traits(posterior, latents[:, 6:], 0.15)["CCC"] == pytest.approx(0)


def test_an_emotion_that_never_occurs_is_left_out():
    latents = np.random.default_rng(0).standard_normal((50, 11))
    latents[:, 0] = -1
    scores = score_emotions(certain(latents), latents[:, :6], 0.8)
    assert scores["WACC_anger"] is None
    assert scores["mWACC"] == 1.0


def test_concordance_of_a_hand_computed_example():
    # cov = 1, variances 1.25 and 1.25, means 2.5 and 3.5: 2 / (2.5 + 1)
    true, predicted = np.array([1.0, 2, 3, 4]), np.array([2.0, 4, 3, 5])
    assert concordance_correlation(true, predicted) == pytest.approx(2 / 3.5)
    assert concordance_correlation(np.ones(3), np.ones(3)) == 0


def test_the_decision_for_ccc_beats_the_posterior_mean():
    world = make_world("planted", WORLDS)
    channel = some_channel(trait=0.5)
    latents, domains, controls = some_clips(world, [channel], count=5000)
    posterior = infer(world, [channel], controls, domains, SCALES)
    scores = score_traits(posterior, latents[:, 6:], 0.15)
    plain = [
        concordance_correlation(latents[:, k], posterior.mean[:, k])
        for k in range(6, 11)
    ]
    assert scores["CCC"] > np.mean(plain) + 0.05
    assert scores["CCC"] == pytest.approx(posterior.reliability[0, 6:].mean(), abs=0.03)


def test_correlate_agrees_with_numpy():
    rng = np.random.default_rng(0)
    emotions, traits = rng.standard_normal((30, 6)), rng.standard_normal((30, 5))
    expected = np.corrcoef(emotions.T, traits.T)[:6, 6:]
    np.testing.assert_allclose(correlate(emotions, traits), expected)
    assert agreement(expected, expected) == pytest.approx(1)
    assert agreement(expected, np.zeros((6, 5))) is None


def test_more_channels_are_never_worse_and_recover_what_was_planted():
    world = make_world("planted", WORLDS)
    channels = {
        "face": some_channel("face", seed=1),
        "text": some_channel("text", seed=2),
    }
    latents, domains, controls = some_clips(world, list(channels.values()))
    scores, table = observe(
        world, channels, controls, latents, domains, SCALES, 0.8, 0.15
    )
    assert list(scores) == ["face", "text", "all"]
    for name in channels:
        for task, metric in (("emotion", "mWACC"), ("personality", "CCC")):
            assert scores["all"][task][metric] > scores[name][task][metric]
    assert scores["all"]["association"]["r_recovered"] > 0.95
    assert len(table) == 3 * 30
    planted = table.query("emotion == 'anger' and trait == 'agreeableness'").planted
    assert planted.unique().tolist() == [-0.45]


def test_nothing_is_invented_in_a_null_world():
    world = make_world("none", WORLDS)
    channel = some_channel(emotion=0.5, trait=0.5)
    latents, domains, controls = some_clips(world, [channel], count=20_000)
    scores, table = observe(
        world, {"face": channel}, controls, latents, domains, SCALES, 0.8, 0.15
    )
    columns = ["sampled", "emotion_crossed", "trait_crossed", "recovered"]
    assert table[columns].abs().max().max() < 0.03
    assert scores["all"]["association"]["r_recovered"] is None
