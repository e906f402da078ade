from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import kstest, norm

from sslmepr.params import load
from sslmepr.simulation import words_heard
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.ideal_observer import Seen, observe_clips
from sslmepr.simulation.mixture import Known, infer
from sslmepr.simulation.words import CLAUSES, LEAST, STRONG, TEXT_CONTROLS, said
from sslmepr.simulation.words_heard import infer_heard, likelihood

CONTROLS = len(TEXT_CONTROLS)


@pytest.fixture(scope="module")
def mild():
    """Clips of the held-out corpus of the mild world, all of one domain."""
    settings = load()
    corpus = settings.corpus["joint"].model_copy(
        update={"clips": 300, "persons": 300, "domains": ["vlog"]}
    )
    return settings.simulation, draw_corpus("mild", corpus, settings)


def arguments(simulation, draw, *names):
    scale = simulation.domains["vlog"].emotion_scale
    loadings = {name: draw.channels[name].in_domain("vlog", scale) for name in names}
    controls = {name: draw.controls[name] for name in names}
    doses = simulation.knobs, simulation.cue_frames
    known = Known(draw.world.covariance, loadings, *doses)
    return known, controls, draw.circumstances


def heard(draw):
    spread = draw.channels["text"].spread(draw.world)
    return said(draw.controls["text"][:, 0] / spread), spread


def test_chance_of_what_is_said_is_that_of_drawn_controls():
    rng = np.random.default_rng(1)
    mean, deviation = rng.normal(0, 0.7, CONTROLS), rng.uniform(0.4, 1, CONTROLS)
    drawn = said(mean + deviation * rng.standard_normal((200_000, CONTROLS)))
    kinds, counts = np.unique(drawn, axis=0, return_counts=True)
    chances = np.array([likelihood(each, mean[None], deviation)[0] for each in kinds])
    assert chances.sum() == pytest.approx(1, abs=0.04)  # rare ones are not drawn
    often = counts > 100
    assert {int((kinds[often] != 0).sum(1).min()), CLAUSES} <= {2, 3}
    surprise = (counts - 200_000 * chances) / np.sqrt(200_000 * chances)
    assert np.abs(surprise[often]).max() < 4.5
    assert surprise[often].std() == pytest.approx(1, abs=0.2)


def test_chance_of_saying_little_is_a_product():
    levels = np.zeros(CONTROLS, int)
    levels[2] = -1
    mean, deviation = np.linspace(-0.5, 0.5, CONTROLS)[None], np.full(CONTROLS, 0.6)
    quiet = norm.cdf(LEAST, mean[0], 0.6) - norm.cdf(-LEAST, mean[0], 0.6)
    weak = norm.cdf(-LEAST, mean[0, 2], 0.6) - norm.cdf(-STRONG, mean[0, 2], 0.6)
    expected = weak * np.delete(quiet, 2).prod()
    assert likelihood(levels, mean, deviation) == pytest.approx(expected)


@pytest.mark.parametrize("seen", [("text",), ("face", "audio", "text")])
def test_posterior_given_words_is_calibrated(mild, seen):
    """The rank of the truth in its posterior is uniform, and its variance right."""
    simulation, draw = mild
    levels, spread = heard(draw)
    ranks, squares = np.empty_like(draw.latents), np.empty_like(draw.latents)
    for rows, mixture in infer_heard(levels, spread, *arguments(*mild, *seen)):
        ranks[rows] = mixture.below(draw.latents[rows])
        error = draw.latents[rows] - mixture.expected()
        squares[rows] = error**2 / mixture.variance()
    for latent in ranks.T:
        assert kstest(latent, "uniform").pvalue > 1e-4
    assert squares.mean() == pytest.approx(1, abs=0.07)


def test_weights_are_even_enough(mild):
    simulation, draw = mild
    parts = infer_heard(*heard(draw), *arguments(*mild, *draw.channels))
    number = np.concatenate([1 / (each.weight**2).sum(1) for _, each in parts])
    assert np.median(number) > 1000
    assert (number > 500).mean() > 0.97


def test_without_text_it_is_the_exact_posterior(mild):
    simulation, draw = mild
    absent = {name: np.full(300, name != "scene") for name in draw.channels}
    given = list(arguments(simulation, draw, "scene", "text"))
    given[2] = replace(draw.circumstances, absent=absent)
    means = [
        np.concatenate([each.expected() for _, each in parts])
        for parts in (infer(*given), infer_heard(*heard(draw), *given))
    ]
    error = np.abs(means[0] - means[1])
    assert error.max() < 0.2  # of latents with standard deviation 1, by chance
    assert error.mean() < 0.02


def test_words_tell_less_than_their_controls(mild):
    simulation, draw = mild
    levels, _ = heard(draw)
    scales = {name: each.emotion_scale for name, each in simulation.domains.items()}
    rest = simulation.emotion_threshold, simulation.knobs, simulation.cue_frames
    channels = {"text": draw.channels["text"]}
    deviations = [
        observe_clips(
            draw.world,
            channels,
            Seen(draw.controls, draw.circumstances, draw.domains, words),
            scales,
            *rest,
        ).deviation.mean()
        for words in (None, levels)
    ]
    assert deviations[0] + 0.02 < deviations[1] < 1


def test_an_observer_of_words_knows_all_knobs(mild):
    simulation, draw = mild
    levels, _ = heard(draw)
    seen = Seen(draw.controls, draw.circumstances, draw.domains, levels)
    rest = {}, simulation.emotion_threshold, simulation.knobs, simulation.cue_frames
    with pytest.raises(ValueError, match="observer that knows all knobs"):
        observe_clips(draw.world, draw.channels, seen, *rest, without=["variants"])


def test_the_same_words_give_the_same_posterior(mild, monkeypatch):
    monkeypatch.setattr(words_heard, "DRAWS", 50)
    monkeypatch.setattr(words_heard, "TRIALS", 0)
    simulation, draw = mild
    given = *heard(draw), *arguments(simulation, draw, "text")
    first, second = (
        np.concatenate([each.expected() for _, each in infer_heard(*given)])
        for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)
