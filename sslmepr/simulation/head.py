"""A drawn head without its features: skull, skin with light on it, ears, hair.

Heads are painted on patches of `PATCH_SIZE` with the middle of the face at `ORIGIN`.
"""

import cv2
import numpy as np

from sslmepr.simulation.look import Look
from sslmepr.simulation.paint import (
    Colour,
    curve,
    fill,
    glow,
    lay_over,
    mirrored,
    mix,
    oval,
    shade,
    stroke,
)

PATCH_SIZE = (272, 330)
"""Width and height in canvas pixels."""

ORIGIN = np.array((136.0, 168.0))
"""The middle of the face on its patch, (x, y)."""

LIGHT_FROM_LEFT = 0.19
"""Share by which the lit side of a face is brighter, and the other one darker."""


def blank_patch() -> np.ndarray:
    """An empty layer for a head."""
    return np.zeros((PATCH_SIZE[1], PATCH_SIZE[0], 4), np.uint8)


def face_outline(look: Look, jaw_px: float = 0.0) -> np.ndarray:
    """The outline of skull and jaw around (0, 0), as (point, 2).

    Parameters
    ----------
    look : Look
    jaw_px : float
        How far the chin has dropped.
    """
    wide, jaw = 57 * look.face_width, look.face_width * look.jaw_width
    chin = 87 * look.chin_length + jaw_px
    half = [
        (0, -86),
        (34, -78),
        (wide * 0.92, -44),
        (wide, -4),
        (wide * 0.95, 30),
        (44 * jaw, 58 + 0.7 * jaw_px),
        (22 * jaw, chin - 5),
        (0, chin),
    ]
    return curve(mirrored(half), closed=True)


def paint_head(look: Look, pitch: float, jaw_px: float, flush: float) -> np.ndarray:
    """Skull, ears, shaded skin and the hair in front.

    Parameters
    ----------
    look : Look
    pitch : float
        -1 (bowed) .. 1 (raised).
    jaw_px : float
        How far the chin has dropped.
    flush : float
        -1 (pale) .. 1 (flushed).

    Returns
    -------
    (row, column, 4) uint8 ndarray
    """
    patch = blank_patch()
    skin = complexion(look.skin, flush)
    outline = face_outline(look, jaw_px) + ORIGIN
    if look.hair_style != "headscarf":
        _ears(patch, look, skin, pitch)
    fill(patch, outline, skin)
    _round_off(patch, outline)
    _blush(patch, skin, flush, -10 * pitch)
    if look.beard:
        _beard(patch, look, outline, jaw_px)
    _front_hair(patch, look, pitch, jaw_px)
    return patch


def complexion(skin: Colour, flush: float) -> Colour:
    """Colour of flushed or pale skin.

    Parameters
    ----------
    skin : Colour
    flush : float
        -1 (pale and grey) .. 1 (red).
    """
    if flush > 0:
        red = (min(255.0, skin[0] * 1.06), skin[1] * 0.66, skin[2] * 0.62)
        return mix(skin, red, 0.6 * flush)
    pale = mix(skin, (226, 224, 224), 0.45)
    return mix(skin, pale, -flush)


def _ears(patch: np.ndarray, look: Look, skin: Colour, pitch: float) -> None:
    for side in (-1, 1):
        x, y = ORIGIN + (side * 58 * look.face_width, 2 + 8 * pitch)
        tone = shade(skin, 0.96 - side * 0.08)
        fill(patch, oval((x, y), (10, 18), side * 8), tone)
        inner = oval((x + side, y), (5, 11), side * 8)
        fill(patch, inner, shade(tone, 0.8), opacity=0.6)


def _round_off(patch: np.ndarray, outline: np.ndarray) -> None:
    """Light from the upper left, and darker where the head turns away."""
    height, width = patch.shape[:2]
    opacity = cv2.extractChannel(patch, 3)
    left, top, across, down = cv2.boundingRect(opacity)
    rows, columns = slice(top, top + down), slice(left, left + across)
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 255)
    small = cv2.resize(mask, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(cv2.GaussianBlur(small, (0, 0), 4), (width, height))
    light = 0.4 + 0.57 * np.clip(np.arange(256) / 255, 0.4, 1.0)  # inside, 0..255
    x = (np.arange(width, dtype=np.float32)[columns] - ORIGIN[0]) / 62
    y = (np.arange(height, dtype=np.float32)[rows] - ORIGIN[1]) / 88
    slope = -LIGHT_FROM_LEFT * x[None, :] - 0.07 * y[:, None]
    factor = (light[inside[rows, columns]] + slope).astype(np.float32)
    lit = cv2.merge([factor, factor, factor, np.ones_like(factor)])
    painted = patch[rows, columns]
    most = cv2.merge(4 * [opacity[rows, columns]])
    cv2.min(cv2.multiply(painted, lit, dtype=cv2.CV_8U), most, dst=painted)


def _blush(patch: np.ndarray, skin: Colour, flush: float, lift: float) -> None:
    red = mix(skin, (214, 60, 52), 0.6)
    strength = 0.24 + 0.5 * max(flush, -0.4)
    for side in (-1, 1):
        glow(patch, ORIGIN + (side * 35, 26 + lift), (20, 15), red, strength)
    glow(patch, ORIGIN + (0, 16 + lift), (13, 14), red, 0.5 * strength)
    light = mix(skin, (255, 250, 240), 0.5)
    glow(patch, ORIGIN + (-10, -56), (30, 14), light, 0.28)


def _beard(patch: np.ndarray, look: Look, outline: np.ndarray, jaw_px: float) -> None:
    lower = outline[outline[:, 1] > ORIGIN[1] + 14]
    centre = ORIGIN + (0, 26)
    order = np.argsort(np.arctan2(*(lower - centre).T))  # left to right, below
    edge = [(44, 34), (26, 40), (0, 34), (-26, 40), (-44, 34)]
    fill(patch, np.concatenate([lower[order], ORIGIN + edge]), look.hair, 0.6)


def _hairline(look: Look, pitch: float, deep: float) -> np.ndarray:
    """The lower edge of the hair from the right temple to the left one."""
    wide, y = 59 * look.face_width, 9 * pitch
    return np.array(
        [(wide, -20), (wide * 0.86, -48 - y), (22, -62 + deep - y)]
        + [(-18, -64 + deep - y), (-wide * 0.86, -46 - y), (-wide, -20)]
    )


def _front_hair(patch: np.ndarray, look: Look, pitch: float, jaw_px: float) -> None:
    style, hair = look.hair_style, look.hair
    if style == "headscarf":
        _scarf(patch, look, jaw_px)
        return
    puff = {"cropped": 4, "short": 10, "curly": 12, "bun": 7}.get(style, 10)
    wide = 59 * look.face_width
    low = {"cropped": -14, "short": -8, "parted": -4}.get(style, 14)
    half = [(26, -88 - puff * 0.9), (50, -71 - puff * 0.6)]
    half += [(wide + puff * 0.5, -40), (wide + 2, low)]
    crown = [(-x, y) for x, y in half[::-1]] + [(0, -93 - puff)] + half
    edge = _hairline(look, pitch, {"cropped": -4, "bun": -6, "curly": -6}.get(style, 2))
    if style in ("parted", "bob", "long"):
        edge[2:4] = [(40, -54 - 9 * pitch), (-26, -78 - 9 * pitch)]
    shape = np.concatenate([curve(crown), curve(edge)]) + ORIGIN
    fill(patch, shape, hair)
    if style == "curly":
        for x, y in curve(crown, per_segment=2)[1:-1]:
            fill(patch, oval(ORIGIN + (x, y - 4), (14, 14)), hair)
    _strands(patch, look, puff)


def _strands(patch: np.ndarray, look: Look, puff: float) -> None:
    light = mix(look.hair, (255, 236, 210), 0.25)
    arc = curve([(-46, -64), (-26, -84 - puff * 0.4), (4, -90 - puff * 0.4)])
    glow(patch, ORIGIN + (-20, -84 - puff * 0.3), (26, 9), light, 0.7)
    stroke(patch, arc + ORIGIN, light, 2, opacity=0.35)
    stroke(patch, arc * (0.86, 0.94) + ORIGIN, light, 2, opacity=0.25)


def scarf_colour(look: Look) -> Colour:
    """A muted cloth, taken from the hair so that it stays with the person."""
    return mix(look.hair, (120, 132, 156), 0.7)


def _scarf(patch: np.ndarray, look: Look, jaw_px: float) -> None:
    cloth = scarf_colour(look)
    wide, chin = 59 * look.face_width, 87 * look.chin_length + jaw_px
    outer = [(0, -104), (48, -90), (wide + 16, -40), (wide + 18, 20)]
    outer += [(wide + 8, 80), (wide + 16, 128), (0, 152)]
    inner = [(0, -72), (36, -63), (wide * 0.9, -28), (wide * 0.92, 14)]
    inner += [(40, chin - 26), (20, chin - 5), (0, chin)]
    layer = blank_patch()
    fill(layer, curve(mirrored(outer), closed=True) + ORIGIN, cloth)
    for fold in (0, 12, 24):
        line = curve([(-60, 84 + fold), (0, 116 + fold), (60, 84 + fold)])
        stroke(layer, line + ORIGIN, shade(cloth, 0.78), 4, opacity=0.6)
    glow(layer, ORIGIN + (-26, -84), (30, 16), shade(cloth, 1.3), 0.7)
    glow(layer, ORIGIN + (70, 40), (22, 70), shade(cloth, 0.6), 0.6)
    hole = np.zeros(layer.shape[:2], np.uint8)
    points = np.round((curve(mirrored(inner), closed=True) + ORIGIN) * 16)
    cv2.fillPoly(hole, [points.astype(np.int32)], 255, cv2.LINE_AA, 4)
    cloth_alone = cv2.multiply(layer, cv2.merge(4 * [255 - hole]), scale=1 / 255)
    lay_over(patch, cloth_alone, 0, 0)
    rim = curve(mirrored(inner), closed=True) + ORIGIN
    stroke(patch, rim, shade(cloth, 0.6), 3, opacity=0.5, closed=True)


def paint_back_hair(look: Look) -> np.ndarray | None:
    """What of the hair lies behind neck and shoulders, on a patch of its own."""
    if look.hair_style not in ("bob", "long", "curly", "bun"):
        return None
    patch = blank_patch()
    wide, dark = 59 * look.face_width, shade(look.hair, 0.8)
    lengths = {"bob": 66, "long": 138}
    if look.hair_style in lengths:
        end = lengths[look.hair_style]
        half = [(0, -100), (52, -84), (wide + 12, -30), (wide + 16, 30)]
        half += [(wide + 14, end - 14), (wide - 6, end), (0, end - 20)]
        fill(patch, curve(mirrored(half), closed=True) + ORIGIN, dark)
        glow(patch, ORIGIN + (-wide - 4, 10), (10, 60), shade(look.hair, 1.25), 0.5)
    elif look.hair_style == "curly":
        for turn in np.linspace(0.85 * np.pi, 2.15 * np.pi, 13):
            spot = ORIGIN + (0, -26) + 62 * np.array((np.cos(turn), np.sin(turn)))
            fill(patch, oval(spot, (19, 19)), dark)
    elif look.hair_style == "bun":
        fill(patch, oval(ORIGIN + (0, -112), (28, 24)), dark)
        glow(patch, ORIGIN + (-8, -120), (12, 8), shade(look.hair, 1.5), 0.6)
    return patch
