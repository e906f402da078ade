import numpy as np
import pytest

from sslmepr.simulation import paint


@pytest.fixture
def canvas():
    return np.zeros((40, 60, 3), np.uint8)


def test_curve_passes_through_its_knots():
    knots = [(0, 0), (3, 5), (9, 2)]
    line = paint.curve(knots, per_segment=4)
    np.testing.assert_allclose(line[[0, 4, 8]], knots)
    ring = paint.curve(knots, closed=True, per_segment=4)
    np.testing.assert_allclose(ring[[0, 4, 8]], knots)


def test_oval_lies_on_its_ellipse():
    points = paint.oval((5, 7), (4, 2)) - (5, 7)
    np.testing.assert_allclose((points / (4, 2)) ** 2 @ [1, 1], 1)


def test_limb_keeps_its_distance():
    outline = paint.limb((0, 0), (10, 0), 3, 2)
    assert outline[:, 0].min() == pytest.approx(-3)
    assert outline[:, 0].max() == pytest.approx(12)
    assert abs(outline[:, 1]).max() == pytest.approx(3)


def test_fill_covers_inside_and_respects_opacity(canvas):
    paint.fill(canvas, paint.box(10, 10, 30, 30), (200, 100, 50))
    paint.fill(canvas, paint.box(10, 10, 30, 30), (0, 0, 0), opacity=0.5)
    np.testing.assert_array_equal(canvas[20, 20], (100, 50, 25))
    assert canvas[5].max() == 0 and canvas[:, 40].max() == 0


def test_shapes_outside_are_cut(canvas):
    paint.fill(canvas, paint.box(-20, -20, -5, -5), (255, 255, 255), opacity=0.5)
    paint.glow(canvas, (-100, -100), (5, 5), (255, 255, 255), 1.0)
    paint.lay_over(canvas, np.full((5, 5, 4), 255, np.uint8), 70, 0)
    assert canvas.max() == 0


def test_lay_over_composes_premultiplied_layers(canvas):
    canvas[:] = 100
    layer = np.zeros((4, 4, 4), np.uint8)
    layer[:2] = (60, 40, 20, 255)
    layer[2] = (30, 20, 10, 128)
    paint.lay_over(canvas, layer, 58, -1)
    np.testing.assert_array_equal(canvas[0, 58], (60, 40, 20))
    np.testing.assert_allclose(canvas[1, 59], (80, 70, 60), atol=1)
    np.testing.assert_array_equal(canvas[2, 59], (100, 100, 100))


def test_glow_is_strongest_in_its_middle(canvas):
    paint.glow(canvas, (30, 20), (8, 8), (250, 0, 0), 0.8)
    assert canvas[20, 30, 0] == pytest.approx(200, abs=6)
    assert canvas[20, 36, 0] < canvas[20, 30, 0]
    assert canvas[0, 0].max() == 0
