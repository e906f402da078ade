import numpy as np
import pytest

from sslmepr.simulation import head
from sslmepr.simulation.look import HAIR_STYLES, draw_look


def _with(style: str):
    rng = np.random.default_rng(0)
    while (look := draw_look(rng)).hair_style != style:
        pass
    return look


@pytest.mark.parametrize("style", HAIR_STYLES)
def test_head_fits_its_patch(style):
    look = _with(style)
    for patch in (head.paint_head(look, 0.9, 14.0, 0.5), head.paint_back_hair(look)):
        if patch is not None:
            edges = [patch[0], patch[-1], patch[:, 0], patch[:, -1]]
            assert max(edge.max() for edge in edges) == 0
            excess = patch[..., :3].max(axis=2).astype(int) - patch[..., 3]
            assert excess.max() <= 2  # premultiplied, but for rounding


def test_flush_reddens_and_pallor_bleaches():
    skin = (200.0, 150.0, 120.0)
    red, pale = head.complexion(skin, 1.0), head.complexion(skin, -1.0)
    assert red[1] / red[0] < skin[1] / skin[0] < pale[1] / pale[0]
    assert head.complexion(skin, 0.0) == skin


def test_jaw_lowers_the_chin_alone():
    look = draw_look(np.random.default_rng(1))
    closed, dropped = head.face_outline(look), head.face_outline(look, 10.0)
    assert dropped[:, 1].max() - closed[:, 1].max() == pytest.approx(10, abs=0.5)
    assert dropped[:, 1].min() == closed[:, 1].min()
