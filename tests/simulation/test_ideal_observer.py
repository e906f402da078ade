import dataclasses

import numpy as np
import pytest

from sslmepr.params.simulation import Knobs
from sslmepr.simulation.channels import make_channel
from sslmepr.simulation.ideal_observer import (
    Posterior,
    Seen,
    agreement,
    concordance_correlation,
    correlate,
    observe,
    observe_clips,
    score_emotions,
    score_traits,
)
from sslmepr.simulation.knobs import draw_circumstances, draw_controls
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
PLAIN = Knobs()


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
    names = {name: channel.controls for name, channel in channels.items()}
    given = draw_circumstances(PLAIN, names, latents, np.arange(count), 1, rng)
    controls = {name: np.zeros((count, 1, len(each))) for name, each in names.items()}
    for domain, scale in SCALES.items():
        rows = np.flatnonzero(domains == domain)
        for name, channel in channels.items():
            noise = rng.standard_normal((len(rows), len(channel.controls)))
            model = channel.in_domain(domain, scale)
            drawn = latents[rows], given.at(rows), PLAIN, 1, noise, rng
            controls[name][rows] = draw_controls(name, model, *drawn)
    return latents, Seen(controls, given, domains)


def posterior_of(world, channels, seen):
    return observe_clips(world, channels, seen, SCALES, 0.8, PLAIN, 1)


def test_posterior_of_one_clip_agrees_with_weighted_samples():
    world = make_world("planted", WORLDS)
    channels = {"face": some_channel(emotion=0.7, trait=0.7)}
    _, seen = some_clips(world, channels, count=1, seed=4)
    posterior = posterior_of(world, channels, seen)
    rng = np.random.default_rng(1)
    samples = rng.multivariate_normal(np.zeros(11), world.covariance, 400_000)
    model = channels["face"].in_domain("monologue", 1.0)
    expected = samples @ np.hstack([model.first, model.traits]).T + model.offset
    log_weights = -0.5 * np.square(seen.controls["face"][0] - expected).sum(axis=1)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    mean = weights @ samples
    spread = np.sqrt(weights @ np.square(samples - mean))
    np.testing.assert_allclose(posterior.mean[0], mean, atol=0.05)
    np.testing.assert_allclose(posterior.deviation[0], spread, atol=0.05)
    present = weights @ (samples[:, :6] > 0.8)
    np.testing.assert_allclose(posterior.present[0], present, atol=0.05)


def test_reliability_is_the_correlation_with_the_truth():
    world = make_world("planted", WORLDS)
    channels = {"face": some_channel()}
    latents, seen = some_clips(world, channels, count=20_000)
    posterior = posterior_of(world, channels, seen)
    for domain in SCALES:
        rows = seen.domains == domain
        correlations = [
            np.corrcoef(posterior.mean[rows, k], latents[rows, k])[0, 1]
            for k in range(11)
        ]
        np.testing.assert_allclose(
            correlations, posterior.reliability[rows][0], atol=0.03
        )


def certain(latents):
    deviation = np.full_like(latents, 1e-9)
    present = (latents[:, :6] > 0.8).astype(float)
    return Posterior(present, latents, latents, deviation, np.ones_like(latents))


def test_who_knows_the_latents_makes_no_error():
    latents = np.random.default_rng(0).standard_normal((50, 11))
    emotions = score_emotions(certain(latents), latents[:, :6], 0.8)
    traits = score_traits(certain(latents), latents[:, 6:], 0.15)
    assert set(emotions.values()) == {1.0}
    assert all(value == pytest.approx(1) for value in traits.values())


def test_who_sees_nothing_is_at_chance():
    world = make_world("planted", WORLDS)
    channels = {"face": some_channel(emotion=0.0, trait=0.0)}
    latents, seen = some_clips(world, channels)
    posterior = posterior_of(world, channels, seen)
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
    channels = {"face": some_channel(trait=0.5)}
    latents, seen = some_clips(world, channels, count=5000)
    posterior = posterior_of(world, channels, seen)
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
    latents, seen = some_clips(world, channels)
    scores, table = observe(world, channels, seen, latents, SCALES, 0.8, 0.15, PLAIN, 1)
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
    channels = {"face": some_channel(emotion=0.5, trait=0.5)}
    latents, seen = some_clips(world, channels, count=20_000)
    scores, table = observe(world, channels, seen, latents, SCALES, 0.8, 0.15, PLAIN, 1)
    columns = ["sampled", "emotion_crossed", "trait_crossed", "recovered"]
    assert table[columns].abs().max().max() < 0.03
    assert scores["all"]["association"]["r_recovered"] is None


def test_clips_without_a_channel_do_not_count_for_it():
    world = make_world("planted", WORLDS)
    channels = {"face": some_channel("face"), "text": some_channel("text", seed=2)}
    latents, seen = some_clips(world, channels, count=400)
    absent = {"face": np.arange(400) >= 100, "text": np.zeros(400, bool)}
    given = dataclasses.replace(seen.circumstances, absent=absent)
    fewer = Seen(
        {"face": seen.controls["face"][:100], "text": seen.controls["text"][:100]},
        given.at(slice(100)),
        seen.domains[:100],
    )
    rest = SCALES, 0.8, 0.15, PLAIN, 1
    scores, _ = observe(
        world, channels, dataclasses.replace(seen, circumstances=given), latents, *rest
    )
    expected, _ = observe(world, channels, fewer, latents[:100], *rest)
    assert scores["face"] == expected["face"]
    assert scores["text"] != expected["text"]
