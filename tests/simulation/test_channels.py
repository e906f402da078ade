import numpy as np
import pytest
from plain import plain

from sslmepr.labels import MODALITIES
from sslmepr.simulation.channels import make_channel, make_channels
from sslmepr.simulation.world import make_world


@pytest.fixture(scope="module")
def simulation(settings):
    return plain(settings).simulation


@pytest.fixture
def channel():
    rng = np.random.default_rng(3)
    names = tuple(f"control_{index}" for index in range(12))
    axes = rng.standard_normal((12, 6)), rng.standard_normal((12, 5))
    return make_channel("face", names, *axes, 1.5, 0.5)


def test_strength_is_the_length_of_every_axis(channel):
    np.testing.assert_allclose(np.linalg.norm(channel.emotion_axes, axis=0), 1.5)
    np.testing.assert_allclose(np.linalg.norm(channel.trait_axes, axis=0), 0.5)


def test_trait_axes_say_nothing_about_emotions(channel):
    overlap = channel.emotion_axes.T @ channel.trait_axes
    np.testing.assert_allclose(overlap, 0, atol=1e-12)


def test_a_trait_axis_without_room_of_its_own_keeps_its_direction():
    emotions, traits = np.eye(6), np.eye(6)[:, :5]
    channel = make_channel("face", tuple("abcdef"), emotions, traits, 1, 2)
    np.testing.assert_array_equal(channel.trait_axes, 2 * traits)


def test_the_model_of_a_domain_has_its_scale_and_offset(channel):
    model = channel.in_domain("vlog", 0.8)
    np.testing.assert_array_equal(model.first, 0.8 * channel.emotion_axes)
    np.testing.assert_array_equal(model.second, 0.8 * channel.second_axes)
    np.testing.assert_array_equal(model.traits, channel.trait_axes)
    np.testing.assert_array_equal(model.offset, channel.offset("vlog"))


def test_offsets_belong_to_the_domain(channel):
    np.testing.assert_array_equal(channel.offset("vlog"), channel.offset("vlog"))
    assert np.abs(channel.offset("vlog") - channel.offset("monologue")).max() > 0.1


def test_spread_is_that_of_the_population(channel, simulation):
    world = make_world("planted", simulation.worlds)
    rng = np.random.default_rng(1)
    latents = rng.multivariate_normal(np.zeros(11), world.covariance, 40_000)
    noise = rng.standard_normal((len(latents), 12))
    values = latents @ channel.loadings().T + channel.offset("vlog") + noise
    np.testing.assert_allclose(channel.spread(world), values.std(axis=0), rtol=0.03)


def test_every_modality_has_its_channel(simulation):
    channels = make_channels(simulation)
    assert tuple(channels) == MODALITIES
    for name, channel in channels.items():
        assert channel.name == name
        assert len(channel.controls) == len(set(channel.controls))
        assert channel.loadings().shape == (len(channel.controls), 11)
        np.testing.assert_allclose(
            channel.emotion_axes.T @ channel.trait_axes, 0, atol=1e-12
        )
