"""Signs of clips follow their circumstances and fade out with the doses."""

from dataclasses import replace

import numpy as np
import pytest

from sslmepr.params.simulation import Knobs
from sslmepr.simulation.knobs import HIDING, draw_circumstances
from sslmepr.simulation.signs import Signs, signs_of

NAMES = {
    "face": ("brow_squeeze", "lid_opening", "eye_rings", "mouth_curve"),
    "body": ("hand_height", "hand_opening", "gesture_amplitude", "lean"),
}


def _draw(clips=300, **doses):
    knobs = Knobs(**doses)
    rng = np.random.default_rng(3)
    latents = rng.standard_normal((clips, 11))
    given = draw_circumstances(knobs, NAMES, latents, np.arange(clips), 4, rng)
    return given, [signs_of(given, knobs, NAMES, clip) for clip in range(clips)]


def test_without_knobs_there_are_no_signs():
    _, signs = _draw()
    assert all(each == Signs() for each in signs)


@pytest.mark.parametrize("dose", [0.5, 1.0])
def test_loss_has_three_classes_that_fade_with_the_dose(dose):
    given, signs = _draw(reliability=dose)
    losses = np.array([[each.loss[name] for name in NAMES] for each in signs])
    assert set(losses.ravel()) == {0.0, dose / 2, dose}
    noise = np.stack([given.noise[name] for name in NAMES], axis=1)
    assert (np.argsort(noise, axis=None) == np.argsort(losses + noise, axis=None)).all()
    assert 0.4 < (losses == 0).mean() < 0.6


def test_a_thing_is_in_front_of_what_is_hidden():
    given, signs = _draw(occlusion=1.0)
    assert {each.thing for each in signs} <= {*HIDING, None}
    for clip, each in enumerate(signs):
        for name, controls in NAMES.items():
            if each.thing and HIDING[each.thing][0] == name:
                seen = set(np.array(controls)[~given.hidden[name][clip]])
                assert seen == set(controls) - set(HIDING[each.thing][1])


def test_the_marker_is_whole_from_a_half_on():
    for dose, share in [(0.25, 0.5), (0.5, 1.0), (1.0, 1.0)]:
        given, signs = _draw(incongruence=dose)
        markers = np.array([each.marker for each in signs])
        np.testing.assert_allclose(markers, share * given.marker)


def test_absent_modalities_are_named():
    given, signs = _draw(missing=0.8)
    for clip, each in enumerate(signs):
        assert each.absent == {n for n in NAMES if given.absent[n][clip]}
    assert replace(signs[0], absent=frozenset()).absent == frozenset()
