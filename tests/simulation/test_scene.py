import numpy as np
import pytest

from sslmepr.simulation import scene
from sslmepr.simulation.scene import SCENE_CONTROLS, DomainLook, paint_scene


def _paint(domain=None, seed=0, **controls) -> np.ndarray:
    values = np.array([controls.get(name, 0.0) for name in SCENE_CONTROLS])
    rng = np.random.default_rng(seed)
    return paint_scene(values, domain or DomainLook(), 640, rng).astype(int)


@pytest.mark.parametrize("axes", [scene.EMOTION_AXES, scene.TRAIT_AXES])
def test_scene_axes_are_unit_and_distinct(axes):
    np.testing.assert_allclose(np.linalg.norm(axes, axis=0), 1)
    assert np.linalg.cond(axes) < 4


@pytest.mark.parametrize("control", SCENE_CONTROLS)
def test_every_scene_control_is_visible_beside_the_person(control):
    low, high = (_paint(**{control: value}) for value in (-2.0, 2.0))
    sides = np.r_[0:130, 510:640]
    assert (abs(low - high).max(axis=2) > 30)[:, sides].sum() > 1500


def test_light_and_warmth_mean_what_they_say():
    assert _paint(light_level=2.0).mean() > 1.5 * _paint(light_level=-2.0).mean()
    warm, cold = (_paint(warmth=value).mean(axis=(0, 1)) for value in (2.0, -2.0))
    assert warm[0] / warm[2] > 1.5 * cold[0] / cold[2]


def test_domains_have_families_of_their_own():
    studio, home = DomainLook(1.0, 0.3), DomainLook(1.15, 0.7)
    assert (studio.family, home.family) == ("studio", "home")
    assert (_paint(studio) != _paint(home)).mean() > 0.3


def test_same_seed_same_room():
    np.testing.assert_array_equal(_paint(seed=3), _paint(seed=3))
    assert (_paint(seed=3) != _paint(seed=4)).any()
