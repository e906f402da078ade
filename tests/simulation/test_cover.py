import numpy as np
import pytest

from sslmepr.simulation.cover import paint_desk, shown_beside, spoiled
from sslmepr.simulation.knobs import HIDING


def test_a_thing_leaves_the_average_of_what_it_hides():
    shown = {"lid_opening": 0.4, "mouth_curve": -0.3}
    assert shown_beside(None, shown) == shown
    assert shown_beside("scarf", shown) == {"lid_opening": 0.4, "mouth_curve": 0.0}
    for thing, (_, hidden) in HIDING.items():
        assert not any(shown_beside(thing, dict.fromkeys(hidden, 1.0)).values())


def test_loss_darkens_and_blurs_in_proportion():
    layer = np.zeros((40, 40, 4), np.uint8)
    layer[:, 20:] = (200, 100, 50, 255)
    assert spoiled(layer, 0.0, 2.0) is layer
    half, all_ = spoiled(layer, 0.5, 2.0), spoiled(layer, 1.0, 2.0)
    # of its light a layer keeps 1 - 0.6 loss; its opacity stays
    np.testing.assert_array_equal(half[20, 39], (140, 70, 35, 255))
    np.testing.assert_array_equal(all_[20, 39], (80, 40, 20, 255))
    widths = [np.ptp(np.flatnonzero(np.diff(x[20, :, 3]))) for x in (layer, half, all_)]
    assert widths[0] < widths[1] < widths[2]


def test_a_desk_hides_everything_below_its_edge():
    layer = paint_desk((320, 256), (160, 115), 0.42)
    opacity = layer[..., 3]
    assert not opacity[: int(115 + 0.42 * 114)].any()
    assert opacity[int(115 + 0.42 * 142) :, 70:250].min() == 255


@pytest.mark.parametrize("channels", [3, 4])
def test_a_room_and_a_layer_can_be_spoiled(channels):
    layer = np.full((8, 8, channels), 100, np.uint8)
    assert spoiled(layer, 1.0, 1.0)[..., :3].max() == 40
