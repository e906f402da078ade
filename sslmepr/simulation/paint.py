"""Brushes: antialiased shapes, soft light and layers on eight-bit canvases.

A canvas is a uint8 array (row, column, channel) with three channels (RGB), or four: RGB
premultiplied by the fourth, opacity. Points are (x, y) in canvas pixels and may be
fractional.
"""

import colorsys
import math
from functools import lru_cache

import cv2
import numpy as np

Colour = tuple[float, float, float]

FAINTEST = 0.5 / 255
"""Opacity below which no pixel changes by half a level."""

FRACTION_BITS = 4


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """Mix two colours linearly.

    Parameters
    ----------
    first, second : Colour
    share : float
        Share of `second`, 0..1.
    """
    return tuple(
        (1 - share) * a + share * b for a, b in zip(first, second, strict=True)
    )


def shade(colour: Colour, factor: float) -> Colour:
    """Darken or lighten a colour.

    Parameters
    ----------
    colour : Colour
    factor : float
        Below 1 darker, above 1 lighter; the result is clipped to 0..255.
    """
    return tuple(min(255.0, max(0.0, part * factor)) for part in colour)


def hsv(hue: float, saturation: float, value: float) -> Colour:
    """A colour in RGB 0..255 from hue, saturation and value.

    Parameters
    ----------
    hue, saturation, value : float
        In 0..1; the hue is cyclic, the others are clipped.
    """
    saturation, value = np.clip((saturation, value), 0.0, 1.0)
    return tuple(255 * p for p in colorsys.hsv_to_rgb(hue % 1.0, saturation, value))


def curve(knots, closed: bool = False, per_segment: int = 8) -> np.ndarray:
    """A smooth line through `knots` (Catmull-Rom).

    Parameters
    ----------
    knots : (knot, 2) array
    closed : bool
        Whether the last knot joins the first.
    per_segment : int
        Points drawn between neighbouring knots.

    Returns
    -------
    (point, 2) ndarray
    """
    knots = np.asarray(knots, dtype=float)
    padded = (
        np.concatenate([knots[-1:], knots, knots[:2]])
        if closed
        else np.concatenate([knots[:1], knots, knots[-1:]])
    )
    before, here, there, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    pieces = np.stack([before, here, there, after], axis=1)  # (segment, 4, axis)
    points = (_catmull_rom(per_segment) @ pieces).reshape(-1, 2)  # (point, axis)
    return points if closed else np.concatenate([points, knots[-1:]])


def mirrored(half) -> np.ndarray:
    """A closed outline from its right half, listed from top to bottom."""
    half = np.asarray(half, dtype=float)
    left = half[::-1] * (-1, 1)
    return np.concatenate([half, left[np.abs(left[:, 0]) > 1e-9]])


def oval(centre, radii, angle_degrees: float = 0.0, points: int = 32) -> np.ndarray:
    """The outline of an ellipse.

    Parameters
    ----------
    centre, radii : (2,) array
        In canvas pixels.
    angle_degrees : float
        Rotation from the x axis towards the y axis, which points down.
    points : int

    Returns
    -------
    (point, 2) ndarray
    """
    angle = math.radians(angle_degrees)
    cos, sin = math.cos(angle), math.sin(angle)
    axes = np.array(
        [
            [radii[0] * cos, radii[0] * sin],
            [-radii[1] * sin, radii[1] * cos],
        ]
    )
    return _arc(0.0, 2 * math.pi, points + 1)[:-1] @ axes + centre


def limb(start, end, start_radius: float, end_radius: float) -> np.ndarray:
    """The closed outline of a tapered bar with round ends.

    Parameters
    ----------
    start, end : (2,) array
        In canvas pixels.
    start_radius, end_radius : float
        Half the width at the ends, in canvas pixels.

    Returns
    -------
    (point, 2) ndarray
    """
    across, down = end[0] - start[0], end[1] - start[1]
    length = math.hypot(across, down) or 1.0
    cos, sin = across / length, down / length
    cap = _arc(-math.pi / 2, math.pi / 2, 9) @ np.array([[cos, sin], [-sin, cos]])
    return np.concatenate([cap * end_radius + end, start - cap * start_radius])


def box(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """The corners of a rectangle.

    Parameters
    ----------
    left, top, right, bottom : float
        In canvas pixels.

    Returns
    -------
    (4, 2) ndarray
    """
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)], float)


def fill(canvas: np.ndarray, points, colour: Colour, opacity: float = 1.0) -> None:
    """Fill a closed outline, in place.

    Parameters
    ----------
    canvas : (row, column, channel) uint8 ndarray
    points : (point, 2) array
        In canvas pixels.
    colour : Colour
    opacity : float
        0..1.
    """

    def draw(target, moved):
        whole = _fixed(moved)
        cv2.fillPoly(target, [whole], _ink(target, colour), cv2.LINE_AA, FRACTION_BITS)

    _draw(canvas, np.asarray(points, float), 2, opacity, draw)


def stroke(
    canvas: np.ndarray,
    points,
    colour: Colour,
    width_px: float = 2,
    opacity: float = 1.0,
    closed: bool = False,
) -> None:
    """Draw along a line, in place.

    Parameters
    ----------
    canvas : (row, column, channel) uint8 ndarray
    points : (point, 2) array
        In canvas pixels.
    colour : Colour
    width_px : float
        Rounded to whole pixels, at least one.
    opacity : float
        0..1.
    closed : bool
        Whether the last point joins the first.
    """
    width = max(1, round(width_px))

    def draw(target, moved):
        cv2.polylines(
            target,
            [_fixed(moved)],
            closed,
            _ink(target, colour),
            width,
            cv2.LINE_AA,
            FRACTION_BITS,
        )

    _draw(canvas, np.asarray(points, float), width + 2, opacity, draw)


def glow(canvas: np.ndarray, centre, radii, colour: Colour, strength: float) -> None:
    """Blend a Gaussian spot of colour into what is already painted, in place.

    Parameters
    ----------
    canvas : (row, column, channel) uint8 ndarray
        On a layer with opacity, the opacity does not change.
    centre, radii : (2,) array
        In canvas pixels; at a radius the strength has fallen to 1/e.
    colour : Colour
    strength : float
        Opacity at the centre, 0..1.
    """
    if strength < FAINTEST:
        return
    reach = 2.2 * np.asarray(radii, float)
    low = np.floor(np.asarray(centre) - reach).astype(int)
    size = np.maximum(2, np.ceil(2 * reach).astype(int))
    weight = cv2.resize(_gaussian(), (int(size[0]), int(size[1])))
    top, left = max(0, low[1]), max(0, low[0])
    region = canvas[top : low[1] + size[1], left : low[0] + size[0]]
    if min(region.shape[:2]) == 0 or min(low + size) <= 0:
        return
    weight = weight[top - low[1] :, left - low[0] :]
    weight = strength * weight[: region.shape[0], : region.shape[1], None]
    if canvas.shape[2] == 4:
        weight = weight * (region[..., 3:] / 255.0)
    colours = region[..., :3].astype(np.float32)
    colours += weight * (np.asarray(colour, np.float32) - colours)
    region[..., :3] = np.clip(colours + 0.5, 0, 255)


def lay_over(canvas: np.ndarray, layer: np.ndarray, left: int, top: int) -> None:
    """Put a layer onto an RGB canvas, in place, cut at the canvas's edges.

    Parameters
    ----------
    canvas : (row, column, 3) uint8 ndarray
    layer : (row, column, 4) uint8 ndarray
        RGB premultiplied by the opacity, and the opacity.
    left, top : int
        Where the layer's upper left corner lies, in canvas pixels.
    """
    height, width = canvas.shape[:2]
    x0, y0 = max(0, left), max(0, top)
    x1, y1 = min(width, left + layer.shape[1]), min(height, top + layer.shape[0])
    if x0 >= x1 or y0 >= y1:
        return
    part = layer[y0 - top : y1 - top, x0 - left : x1 - left]
    region = canvas[y0:y1, x0:x1]
    clear = cv2.bitwise_not(cv2.extractChannel(part, 3))
    clear = cv2.cvtColor(clear, cv2.COLOR_GRAY2RGB)
    kept = cv2.multiply(region, clear, scale=1 / 255)
    cv2.add(kept, cv2.cvtColor(part, cv2.COLOR_RGBA2RGB), dst=region)


@lru_cache(maxsize=8)
def _catmull_rom(per_segment: int) -> np.ndarray:
    t = np.arange(per_segment) / per_segment
    powers = np.stack([t**0, t, t**2, t**3], axis=1)
    basis = [[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]]
    return 0.5 * powers @ np.array(basis, float)  # (point, knot)


@lru_cache(maxsize=16)
def _arc(start: float, stop: float, points: int) -> np.ndarray:
    turn = np.linspace(start, stop, points)
    return np.stack([np.cos(turn), np.sin(turn)], axis=1)  # (point, axis)


@lru_cache(maxsize=1)
def _gaussian() -> np.ndarray:
    axis = np.linspace(-2.2, 2.2, 65)
    line = np.exp(-(axis**2)) - np.exp(-(2.2**2))
    line = np.maximum(line, 0) / line.max()
    return np.outer(line, line).astype(np.float32)


def _fixed(points: np.ndarray) -> np.ndarray:
    return np.round(points * 2**FRACTION_BITS).astype(np.int32)


def _ink(canvas: np.ndarray, colour: Colour) -> tuple:
    return (*colour, 255) if canvas.shape[2] == 4 else tuple(colour)


def _draw(canvas, points, margin, opacity, draw) -> None:
    if opacity >= 1:
        draw(canvas, points)
        return
    if opacity < FAINTEST:
        return
    left, top, width, height = cv2.boundingRect(points.astype(np.float32))
    right, bottom = left + width + margin, top + height + margin
    left, top = max(0, left - margin), max(0, top - margin)
    region = canvas[top : max(top, bottom), left : max(left, right)]
    if region.size == 0:
        return
    layer = region.copy()
    draw(layer, points - (left, top))
    cv2.addWeighted(layer, opacity, region, 1 - opacity, 0, dst=region)
