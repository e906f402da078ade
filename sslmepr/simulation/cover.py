"""What stands between a viewer and a channel: poor light and focus, and things.

Poor quality only has to be seen: the noise itself is in the controls. So signs of it
leave features in their places, and a detector still finds the face. A thing, however,
hides its controls altogether.
"""

import cv2
import numpy as np

from sslmepr.simulation.knobs import HIDING
from sslmepr.simulation.look import Look
from sslmepr.simulation.paint import (
    MIRROR,
    box,
    curve,
    fill,
    glow,
    hsv,
    mirrored,
    mix,
    oval,
    shade,
    stroke,
)

DARKEST = 0.4
"""Share of its light that a layer keeps at loss 1."""

TINT = 0.65
"""Opacity of dark glasses, whose brown is that of skins: the detector of faces finds
one of three fewer behind black ones."""

DESK_TOP = 116.0
"""Upper edge of a desk below the base of the neck, in person units."""

DESK_HALF = 236.0
"""Half the width of a desk, in person units: beyond the reach of hidden hands."""


def shown_beside(thing: str | None, shown: dict[str, float]) -> dict[str, float]:
    """Controls of a channel as they show beside a thing: what it hides is average.

    Parameters
    ----------
    thing : str, optional
        Of `HIDING`; what is hidden may belong to another channel.
    shown : dict of str to float
        Squashed controls by name.
    """
    hidden = HIDING[thing][1] if thing else ()
    return {name: 0.0 if name in hidden else value for name, value in shown.items()}


def spoiled(layer: np.ndarray, loss: float, blur_px: float) -> np.ndarray:
    """A layer in poor light and out of focus.

    Parameters
    ----------
    layer : (row, column, channel) uint8 ndarray
    loss : float
        0 (the layer itself) to 1.
    blur_px : float
        Standard deviation of the blur at loss 1, in pixels of the layer.
    """
    if loss <= 0:
        return layer
    layer = cv2.GaussianBlur(layer, (0, 0), blur_px * loss)
    light = 1 - (1 - DARKEST) * loss
    return cv2.multiply(layer, (light, light, light, 1.0))


def sunglasses(patch: np.ndarray, middle) -> None:
    """Tinted glasses over both eyes, in place.

    Some of the average eyes behind them shines through: a detector of faces looks for
    eyes.

    Parameters
    ----------
    patch : (row, column, 4) uint8 ndarray
    middle : (2,) ndarray
        Of the face on the patch.
    """
    half = [(7, -15), (22, -18), (39, -16), (46, -10), (43, 3), (35, 11)]
    lens = curve([*half, (22, 13), (11, 7), (7, -3)], closed=True)
    rim = (80, 60, 54)
    for side in MIRROR:
        fill(patch, lens * side + middle, (98, 78, 72), TINT)
        shine = curve([(14, -2), (19, -10), (28, -14)]) + (21 * (side[0] - 1), 0)
        stroke(patch, shine + middle, (236, 238, 244), 3, 0.4)
        stroke(patch, lens * side + middle, rim, 2, closed=True)
        stroke(patch, np.array([(45, -11), (60, -15)]) * side + middle, rim, 4)
    bridge = curve([(-7, -11), (0, -15), (7, -11)])
    stroke(patch, bridge + middle, rim, 3)


def scarf(patch: np.ndarray, look: Look, middle) -> None:
    """A knitted scarf around mouth, chin and neck, in place.

    Parameters
    ----------
    patch : (row, column, 4) uint8 ndarray
    look : Look
    middle : (2,) ndarray
        Of the face on the patch.
    """
    wool = hsv(look.garment_hue + 0.42, 0.5, 0.66)
    dark, light = shade(wool, 0.62), mix(wool, (255, 250, 240), 0.3)
    wide = 59 * look.face_width
    half = [(0, 40), (30, 36), (wide + 3, 20), (wide + 13, 44), (wide + 8, 86)]
    half += [(wide + 16, 118), (0.7 * wide, 140), (0, 148)]
    fill(patch, curve(mirrored(half), closed=True) + middle, wool)
    for row in range(6):
        sag = np.array([(wide + 4, 0), (0.5 * wide, 13), (0, 18)]) + (0, 28 + 17 * row)
        fold = curve(np.concatenate([sag, sag[-2::-1] * (-1, 1)]))
        stroke(patch, fold + middle, dark, 3, 0.5 if row else 0.25)
        stroke(patch, fold - (0, 4) + middle, light, 2, 0.35)
    for x in np.linspace(-wide, wide, 17):
        stitch = [(x, 46 - 14 * abs(x / wide) ** 2), (0.9 * x, 132)]
        stroke(patch, stitch + middle, dark, 1, 0.3)
    glow(patch, middle + (-26, 70), (30, 30), light, 0.35)
    glow(patch, middle + (46, 92), (26, 44), dark, 0.6)
    glow(patch, middle + (0, 100), (60, 7), dark, 0.5)


def paint_desk(size: tuple[int, int], neck, scale: float) -> np.ndarray:
    """A desk in front of a person, as a layer (row, column, 4).

    Parameters
    ----------
    size : (int, int)
        Width and height of the frame in pixels.
    neck : (2,) array
        The base of the neck in the frame.
    scale : float
        Pixels for one person unit.
    """
    layer = np.zeros((size[1], size[0], 4), np.uint8)
    wood = (134, 92, 62)

    def put(points):
        return np.asarray(points, float) * scale + neck

    below = (size[1] - neck[1]) / scale + 10
    front, half = DESK_TOP + 24, DESK_HALF
    fill(layer, put(box(-half + 8, front, half - 8, below)), shade(wood, 0.72))
    for left in (-half + 22, -half / 3 + 8, half / 3 + 6):
        right = left + 2 * half / 3 - 28
        fill(layer, put(box(left, front + 20, right, front + 92)), shade(wood, 0.82))
        edge = put(box(left, front + 20, right, front + 92))
        stroke(layer, edge, shade(wood, 0.5), 1, 0.9, closed=True)
        knob = ((left + right) / 2, front + 42)
        fill(layer, put(oval(knob, (15, 4))), (214, 190, 140))
    glow(layer, put((0, front + 8)), (scale * half, scale * 14), (30, 20, 16), 0.6)
    top = [(-half + 26, DESK_TOP), (half - 26, DESK_TOP), (half, front - 4)]
    fill(layer, put([*top, (-half, front - 4)]), shade(wood, 1.18))
    grain = [[(-half + 40, y), (half - 40, y)] for y in (DESK_TOP + 6, DESK_TOP + 13)]
    stroke(layer, put(grain), shade(wood, 0.95), 1, 0.6)
    fill(layer, put(box(-half, front - 5, half, front + 7)), shade(wood, 1.4))
    glow(
        layer,
        put((-0.4 * half, DESK_TOP + 10)),
        scale * np.array((90, 16)),
        (255, 236, 206),
        0.4,
    )
    return layer
