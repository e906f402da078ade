import dataclasses

import numpy as np
import pytest
from plain import plain
from scipy.stats import kstest

from sslmepr.params.simulation import Knobs, Raters
from sslmepr.simulation.channels import make_channel
from sslmepr.simulation.draw import draw_corpus
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
from sslmepr.simulation.knobs import (
    domain_shift,
    draw_circumstances,
    draw_controls,
)
from sslmepr.simulation.mixture import Known, infer
from sslmepr.simulation.raters import (
    halo_rows,
    label_clips,
    noise_variance,
    rating_ceiling,
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
PLAIN = Knobs()


def some_channel(
    name="face", emotion=1.5, trait=1.0, controls=14, seed=0, unlikeness=0.0
):
    rng = np.random.default_rng(seed)
    names = tuple(f"{name}_{index}" for index in range(controls))
    axes = rng.standard_normal((controls, 6)), rng.standard_normal((controls, 5))
    return make_channel(name, names, *axes, emotion, trait, unlikeness=unlikeness)


def some_clips(world, channels, count=2000, seed=0, knobs=PLAIN):
    rng = np.random.default_rng(seed)
    traits = draw_traits(count, rng)
    latents = np.hstack([draw_emotions(world, traits, rng), traits])
    domains = np.array(["monologue", "vlog"])[np.arange(count) % 2]
    shifts = {name: domain_shift(knobs.offset, name) for name in SCALES}
    latents = latents + np.array([shifts[name] for name in domains])
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


def posterior_of(world, channels, seen, knobs=PLAIN, **settings):
    return observe_clips(world, channels, seen, SCALES, 0.8, knobs, 1, **settings)


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
    rate, zero = np.full_like(present, 0.2), np.zeros_like(latents)
    reliable = np.ones_like(latents)
    return Posterior(present, latents, latents, deviation, reliable, rate, zero)


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


def test_no_dose_gives_the_numbers_of_a_world_without_knobs(settings):
    """Written down before there were raters and differences between domains."""
    settings = plain(settings)
    joint = settings.corpus["joint"].model_copy(update={"clips": 240, "persons": 240})
    drawn = draw_corpus("joint", joint, settings)
    sums = {name: each[3].sum() for name, each in drawn.controls.items()}
    assert sums == pytest.approx(
        {
            "face": 2.6265443477145998,
            "body": -7.499530681282406,
            "scene": -4.800023514984245,
            "audio": -3.692520509352547,
            "text": 3.352382075104999,
        },
        abs=1e-9,
    )
    assert drawn.labels.emotion.sum() == pytest.approx(175.2177731424189, abs=1e-9)
    assert drawn.labels.personality.sum() == pytest.approx(608.0632206402397, abs=1e-9)
    seen = Seen(drawn.controls, drawn.circumstances, drawn.domains)
    posterior = observe_clips(
        *(drawn.world, drawn.channels, seen, SCALES, 0.8, settings.simulation.knobs, 8)
    )
    assert posterior.rated is None and posterior.of_labels is posterior
    expected = {
        "present": (0.16425452439417698, 323.3963415742454),
        "mean": (0.4751011595854606, 69.20407905958311),
        "deviation": (0.332506110942943, 850.6019442192226),
        "reliability": (0.9431011007233525, 2497.854627777255),
    }
    for name, (first, total) in expected.items():
        found = getattr(posterior, name)
        assert found[3, 0] == pytest.approx(first, abs=1e-9)
        assert found.sum() == pytest.approx(total, abs=1e-9)
    emotions = score_emotions(posterior, drawn.latents[:, :6], 0.8)
    assert emotions["mWACC"] == pytest.approx(0.9291695721733602, abs=1e-9)
    traits = score_traits(posterior, drawn.latents[:, 6:], 0.15)
    assert traits["CCC"] == pytest.approx(0.9401708810688338, abs=1e-9)


RATERS = Raters(count=5, halo=0.3, noise_sd=0.5)


def test_posterior_of_ratings_agrees_with_weighted_samples(settings):
    world = make_world("planted", WORLDS)
    channels = {"face": some_channel(emotion=0.7, trait=0.7)}
    _, seen = some_clips(world, channels, count=1, seed=4)
    raters = RATERS.model_copy(update={"noise_sd": 1.5, "halo": 0.8})
    posterior = posterior_of(world, channels, seen, raters=raters).rated
    rng = np.random.default_rng(1)
    samples = rng.multivariate_normal(np.zeros(11), world.covariance, 400_000)
    rated = label_clips(samples, settings.simulation, raters, rng).rated
    model = channels["face"].in_domain("monologue", 1.0)
    expected = samples @ np.hstack([model.first, model.traits]).T + model.offset
    log_weights = -0.5 * np.square(seen.controls["face"][0] - expected).sum(axis=1)
    weights = np.exp(log_weights - log_weights.max())
    weights /= weights.sum()
    np.testing.assert_allclose(
        posterior.present[0], weights @ (rated[:, :6] > 0.8), atol=0.05
    )
    mean = weights @ rated[:, 6:]
    np.testing.assert_allclose(posterior.mean[0, 6:], mean, atol=0.05)
    spread = np.sqrt(weights @ np.square(rated[:, 6:] - mean))
    np.testing.assert_allclose(posterior.deviation[0, 6:], spread, atol=0.05)
    rates = (rated[:, :6] > 0.8).mean(0)
    np.testing.assert_allclose(posterior.base_rate[0], rates, atol=0.005)


@pytest.mark.parametrize(("offset", "count"), [(0.0, 5), (1.0, 1), (1.0, 4)])
def test_posterior_of_ratings_is_calibrated(settings, offset, count):
    world, knobs = make_world("planted", WORLDS), Knobs(offset=offset)
    channels = {"face": some_channel(emotion=0.8, unlikeness=offset)}
    latents, seen = some_clips(world, channels, count=20_000, knobs=knobs)
    raters = RATERS.model_copy(update={"count": count})
    rng = np.random.default_rng(8)
    rated = label_clips(latents, settings.simulation, raters, rng).rated
    posterior = posterior_of(world, channels, seen, knobs, raters=raters)
    for truth, one in ((latents, posterior), (rated, posterior.rated)):
        # Standardised errors of traits, and of how often an emotion is present.
        error = (truth - one.mean)[:, 6:] / one.deviation[:, 6:]
        np.testing.assert_allclose(error.mean(0), 0, atol=0.03)
        np.testing.assert_allclose(error.std(0), 1, atol=0.03)
        np.testing.assert_allclose(
            (truth[:, 6:] < one.median[:, 6:]).mean(0), 0.5, atol=0.02
        )
        for chance, shown in zip(one.present.T, truth[:, :6].T > 0.8, strict=True):
            for low in np.arange(0, 1, 0.2):
                inside = (chance >= low) & (chance < low + 0.2)
                size = np.sqrt(np.sum(chance[inside] * (1 - chance[inside])))
                surplus = np.sum(shown[inside]) - np.sum(chance[inside])
                assert abs(surplus) < 4.5 * size
        for domain in SCALES:
            rows = seen.domains == domain
            np.testing.assert_allclose(
                (truth[rows, :6] > 0.8).mean(0), one.base_rate[rows][0], atol=0.02
            )
            for k in range(6, 11):
                found = np.corrcoef(one.mean[rows, k], truth[rows, k])[0, 1]
                assert found == pytest.approx(one.reliability[rows][0, k], abs=0.03)


def test_ratings_lie_where_the_posterior_says(settings):
    world, count = make_world("planted", WORLDS), 3000
    channel = some_channel(emotion=0.8)
    channels = {"face": channel}
    latents, seen = some_clips(world, channels, count=count)
    rng = np.random.default_rng(3)
    rated = label_clips(latents, settings.simulation, RATERS, rng).rated
    rows = np.flatnonzero(seen.domains == "vlog")
    loadings = {"face": channel.in_domain("vlog", 0.8)}
    ((_, mixture),) = infer(
        Known(world.covariance, loadings, PLAIN, 1, further=halo_rows(RATERS)),
        {"face": seen.controls["face"][rows]},
        seen.circumstances.at(rows),
    )
    noisy = mixture.part(slice(11, 16), noise_variance(RATERS))
    placed = noisy.below(rated[rows, 6:])
    assert all(kstest(each, "uniform").pvalue > 1e-4 for each in placed.T)


def test_who_knows_all_reaches_the_ceiling_of_ratings_and_nobody_more(settings):
    world = make_world("planted", WORLDS)
    channels = {"face": some_channel(emotion=9.0, trait=9.0)}
    latents, seen = some_clips(world, channels, count=20_000)
    rng = np.random.default_rng(8)
    rated = label_clips(latents, settings.simulation, RATERS, rng).rated
    given = world, channels, seen, latents, SCALES, 0.8, 0.15, PLAIN, 1
    scores, _ = observe(*given, RATERS, rated)
    ceiling = rating_ceiling(world, RATERS)
    found = scores["all"]["rating_ceiling"]
    assert list(found.values()) == pytest.approx(ceiling)
    for name, most in found.items():
        reached = scores["all"]["personality"][f"CCC_{name}"]
        assert reached == pytest.approx(most, abs=0.02)
    assert scores["all"]["truth"]["personality"]["CCC"] > 0.98
    assert (
        scores["all"]["emotion"]["mWACC"] < scores["all"]["truth"]["emotion"]["mWACC"]
    )
    plain, _ = observe(*given)
    assert plain["all"]["emotion"] == scores["all"]["truth"]["emotion"]
    assert plain["all"]["association"] == pytest.approx(scores["all"]["association"])


def test_raters_of_dose_zero_say_the_truth():
    world = make_world("planted", WORLDS)
    channels = {"face": some_channel()}
    latents, seen = some_clips(world, channels, count=300)
    given = world, channels, seen, latents, SCALES, 0.8, 0.15, PLAIN, 1
    nobody = RATERS.model_copy(update={"dose": 0.0})
    scores, _ = observe(*given, nobody, latents)
    for task in ("emotion", "personality"):
        assert scores["all"][task] == pytest.approx(scores["all"]["truth"][task])


def test_an_observer_that_takes_domains_for_alike_is_worse():
    world, knobs = make_world("planted", WORLDS), Knobs(offset=1)
    channels = {"face": some_channel(unlikeness=1.0)}
    latents, seen = some_clips(world, channels, count=4000, knobs=knobs)
    full = posterior_of(world, channels, seen, knobs)
    nested = posterior_of(world, channels, seen, knobs, without=("offset",))
    alike = {"face": some_channel()}
    np.testing.assert_array_equal(nested.mean, posterior_of(world, alike, seen).mean)
    scores = [
        score_emotions(one, latents[:, :6], 0.8)["mWACC"] for one in (full, nested)
    ]
    assert scores[0] > scores[1] + 0.02
