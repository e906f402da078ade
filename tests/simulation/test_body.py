import numpy as np
import pytest

from sslmepr.simulation import body
from sslmepr.simulation.body import BODY_CONTROLS, BodyPainter, bend, gesture_clock
from sslmepr.simulation.look import draw_look


def _painter(**controls) -> BodyPainter:
    values = np.array([controls.get(name, 0.0) for name in BODY_CONTROLS])
    look = draw_look(np.random.default_rng(4))
    return BodyPainter(look, values, look.skin, np.linspace(0, 5, 6))


def _paint(painter: BodyPainter, seconds: float = 0.3) -> np.ndarray:
    canvas = np.full((256, 320, 3), 128, np.uint8)
    painter.paint(canvas, painter.moment(seconds, 0.06), (160, 130), 0.5)
    return canvas.astype(int)


@pytest.mark.parametrize("axes", [body.EMOTION_AXES, body.TRAIT_AXES])
def test_body_axes_are_unit_and_distinct(axes):
    np.testing.assert_allclose(np.linalg.norm(axes, axis=0), 1)
    assert np.linalg.cond(axes) < 4


@pytest.mark.parametrize("control", BODY_CONTROLS)
def test_every_body_control_is_visible(control):
    low, high = (_paint(_painter(**{control: value})) for value in (-2.0, 2.0))
    assert (abs(low - high).max(axis=2) > 30).sum() > 100


def test_elbow_keeps_both_lengths_and_points_outwards():
    shoulder, hand = np.array((80.0, 40.0)), np.array((60.0, 150.0))
    elbow = bend(shoulder, hand, 1)
    assert np.linalg.norm(elbow - shoulder) == pytest.approx(body.UPPER_ARM)
    assert np.linalg.norm(elbow - hand) == pytest.approx(body.FOREARM)
    assert elbow[0] > 80
    mirror = bend(shoulder * (-1, 1), hand * (-1, 1), -1)
    np.testing.assert_allclose(mirror, elbow * (-1, 1))


def test_elbow_of_a_stretched_arm_lies_between():
    elbow = bend(np.zeros(2), np.array((0.0, 424.0)), 1)
    np.testing.assert_allclose(elbow, (0, 224))


def test_gestures_grow_with_amplitude():
    def path(amplitude):
        painter = _painter(gesture_amplitude=amplitude)
        hands = [painter.moment(t, 0.06).hands[1] for t in np.arange(0, 4, 0.1)]
        return np.ptp(hands, axis=0).max()

    assert path(2.0) > 3 * path(-2.0)


def test_formal_clothes_show_a_shirt():
    formal = _painter(garment_formality=3.0).torso
    casual = _painter(garment_formality=-3.0).torso
    white = [
        (patch[60:110, 160:200, :3].min(axis=2) > 225).mean()
        for patch in (formal, casual)
    ]
    assert white[0] > 0.1 > white[1]


def test_gestures_go_on_where_they_are_when_their_speed_changes():
    seconds = np.arange(5) / 8
    np.testing.assert_array_equal(gesture_clock(np.full(5, 1.7), seconds), seconds)
    speed = np.array([1.0, 1.0, 2.0, 2.0, 0.5])
    turns = speed * gesture_clock(speed, seconds)
    np.testing.assert_allclose(turns, np.cumsum([0, 1.0, 1.5, 2.0, 1.25]) / 8)


def test_a_body_moves_between_two_manners():
    calm, wild = _painter(hand_height=-1.0, slump=-1.0), _painter(hand_height=1.0)
    assert calm.towards(wild, 0.0) is calm and calm.towards(calm, 0.4) is calm
    steps = [calm.towards(wild, share) for share in np.linspace(0, 1, 6)]
    for values in (
        [each.moment(0.3, 0.06).hands[1, 1] for each in steps],
        [-each.head_drop_px for each in steps],
    ):
        np.testing.assert_allclose(np.diff(values), np.diff(values)[0])
    np.testing.assert_array_equal(_paint(steps[-1]), _paint(wild))
