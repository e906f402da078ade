import cv2
import numpy as np
import pytest

from sslmepr.simulation import face
from sslmepr.simulation.face import (
    FACE_CONTROLS,
    FaceMoment,
    FacePainter,
)
from sslmepr.simulation.look import draw_look


def _paint(moment=None, **controls) -> np.ndarray:
    values = np.array([controls.get(name, 0.0) for name in FACE_CONTROLS])
    look = draw_look(np.random.default_rng(4))
    return FacePainter(look, values).paint(moment or FaceMoment()).astype(int)


@pytest.mark.parametrize("axes", [face.EMOTION_AXES, face.TRAIT_AXES])
def test_axes_are_unit_and_distinct(axes):
    np.testing.assert_allclose(np.linalg.norm(axes, axis=0), 1)
    assert np.linalg.cond(axes) < 4


@pytest.mark.parametrize("control", FACE_CONTROLS)
def test_every_control_is_visible(control):
    low, high = _paint(**{control: -2.0}), _paint(**{control: 2.0})
    assert (abs(low - high).max(axis=2) > 30).sum() > 200


def test_extremes_still_paint():
    rng = np.random.default_rng(0)
    for _ in range(5):
        values = rng.choice([-1e3, 1e3], size=len(FACE_CONTROLS))
        patch = FacePainter(draw_look(rng), values).paint(FaceMoment(speech=1.0))
        assert patch.any()


def test_speech_opens_the_mouth_and_blinks_close_the_eyes():
    silent = _paint(mouth_opening=-2.0)
    loud = _paint(FaceMoment(speech=1.0), mouth_opening=-2.0)
    changed = np.flatnonzero((silent != loud).any(axis=(1, 2)))
    assert changed.min() > 168  # below the middle of the face
    open_eyes, blink = _paint(), _paint(FaceMoment(lids=0.1))
    changed = np.flatnonzero((open_eyes != blink).any(axis=(1, 2)))
    assert 120 < changed.min() and changed.max() < 190


def test_painting_leaves_the_painter_as_it_was():
    painter = FacePainter(draw_look(np.random.default_rng(2)), np.zeros(12))
    before = painter.paint(FaceMoment())
    painter.paint(FaceMoment(speech=1.0, lids=0.2))
    np.testing.assert_array_equal(painter.paint(FaceMoment()), before)


def test_blurring_eyes_and_mouth_alone_equals_blurring_the_head():
    rng = np.random.default_rng(3)
    for opening in 4 * (-1e3, 0.0, 1e3):
        values = rng.choice([-1e3, 1e3], size=len(FACE_CONTROLS))
        values[FACE_CONTROLS.index("mouth_opening")] = opening
        painter, moment = FacePainter(draw_look(rng), values), FaceMoment(speech=1.0)
        whole = painter.base.copy()
        painter._upper_face(whole, 1.0, 0.0, (0.0, 0.0))
        painter._mouth(whole, moment.speech)
        whole = cv2.GaussianBlur(whole, (0, 0), face.SOFTNESS_PX)
        np.testing.assert_array_equal(painter.paint(moment), whole)


def test_a_face_passes_into_another_expression():
    look, moment = draw_look(np.random.default_rng(4)), FaceMoment()
    sad, glad = (FacePainter(look, np.full(12, value)) for value in (-1.0, 1.0))
    assert sad.towards(glad, 0.0) is sad and sad.towards(sad, 0.3) is sad
    np.testing.assert_array_equal(
        sad.towards(glad, 1.0).paint(moment), glad.paint(moment)
    )
    first, half, last = (
        painter.paint(moment).astype(int)
        for painter in (sad, sad.towards(glad, 0.5), glad)
    )
    whole = abs(last - first).sum()
    assert abs(half - first).sum() < whole and abs(half - last).sum() < whole
