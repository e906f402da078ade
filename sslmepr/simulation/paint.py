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

MIRROR = np.array(((-1, 1), (1, 1)))
"""(side, axis): what lies on the right, on the left and on the right of the middle."""

LIMB_POINTS = 18
"""Of the outline that `limb` returns."""

GLOW_REACH = 2.2
"""Where a glow ends, in its radii."""


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
    start, end : (..., 2) array
        In canvas pixels.
    start_radius, end_radius : (...) array
        Half the width at the ends, in canvas pixels.

    Returns
    -------
    (..., point, 2) ndarray
    """
    start, end = np.asarray(start, float), np.asarray(end, float)
    ahead = end - start
    ahead /= np.maximum(np.hypot(ahead[..., 0], ahead[..., 1]), 1e-9)[..., None]
    cap = turned(_arc(-math.pi / 2, math.pi / 2, LIMB_POINTS // 2), ahead)
    far = cap * np.expand_dims(end_radius, (-2, -1)) + end[..., None, :]
    near = start[..., None, :] - cap * np.expand_dims(start_radius, (-2, -1))
    return np.concatenate([far, near], axis=-2)


def turned(points: np.ndarray, ahead: np.ndarray) -> np.ndarray:
    """Turn points about (0, 0), so that the x axis comes to lie along `ahead`.

    Parameters
    ----------
    points : (..., point, 2) ndarray
    ahead : (..., 2) ndarray
        Unit vectors.
    """
    return points @ np.stack([ahead, ahead[..., ::-1] * (-1, 1)], axis=-2)


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
    """Fill closed outlines, in place.

    Parameters
    ----------
    canvas : (row, column, channel) uint8 ndarray
    points : (point, 2) or (outline, point, 2) array
        In canvas pixels; outlines must not overlap.
    colour : Colour
    opacity : float
        0..1.
    """

    def draw(target, moved):
        whole, ink = _fixed(moved), _ink(target, colour)
        cv2.fillPoly(target, whole, ink, cv2.LINE_AA, FRACTION_BITS)

    _draw(canvas, np.asarray(points, float), 2, opacity, draw)


def stroke(
    canvas: np.ndarray,
    points,
    colour: Colour,
    width_px: float = 2,
    opacity: float = 1.0,
    closed: bool = False,
) -> None:
    """Draw along lines, in place.

    Parameters
    ----------
    canvas : (row, column, channel) uint8 ndarray
    points : (point, 2) or (line, point, 2) array
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
            _fixed(moved),
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
    columns, across = _bell(centre[0], radii[0], canvas.shape[1])
    rows, down = _bell(centre[1], radii[1], canvas.shape[0])
    region = canvas[rows, columns]
    if region.size == 0:
        return
    weight = strength * down[:, None] * across
    paint = np.empty_like(region)
    paint[0] = (*np.round(colour), 255)[: canvas.shape[2]]
    paint[1:] = paint[0]  # whole rows, faster than pixel by pixel
    if canvas.shape[2] == 4:
        opacity = cv2.extractChannel(region, 3)
        weight = cv2.multiply(opacity, weight, scale=1 / 255, dtype=cv2.CV_32F)
    cv2.blendLinear(region, paint, 1 - weight, weight, dst=region)
    if canvas.shape[2] == 4:
        cv2.insertChannel(opacity, region, 3)


def lay_over(canvas: np.ndarray, layer: np.ndarray, left: int, top: int) -> None:
    """Put a layer onto a canvas, in place, cut at the canvas's edges.

    Parameters
    ----------
    canvas : (row, column, channel) uint8 ndarray
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
    kept = cv2.multiply(region, cv2.merge(region.shape[2] * [clear]), scale=1 / 255)
    if region.shape[2] == 3:
        part = cv2.cvtColor(part, cv2.COLOR_RGBA2RGB)
    cv2.add(kept, part, dst=region)


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


def _bell(middle: float, radius: float, size: int) -> tuple[slice, np.ndarray]:
    """Where on an axis of `size` pixels a glow falls, and how strongly, 0..1."""
    reach = GLOW_REACH * radius
    span = slice(max(0, math.ceil(middle - reach)), max(0, math.ceil(middle + reach)))
    away = (np.arange(span.start, min(size, span.stop)) - middle) / radius
    edge = math.exp(-(GLOW_REACH**2))
    line = (np.exp(-(away**2)) - edge) / (1 - edge)
    return span, line.astype(np.float32)


def _fixed(points: np.ndarray) -> np.ndarray:
    """Outlines or lines (line, point, 2) in the fractions of a pixel that cv2 takes."""
    fixed = np.rint(points * 2**FRACTION_BITS).astype(np.int32)
    return fixed.reshape(-1, *fixed.shape[-2:])


def _ink(canvas: np.ndarray, colour: Colour) -> tuple:
    return (*colour, 255) if canvas.shape[2] == 4 else tuple(colour)


def _draw(canvas, points, margin, opacity, draw) -> None:
    if opacity >= 1:
        draw(canvas, points)
        return
    if opacity < FAINTEST:
        return
    extent = points.reshape(-1, 2).astype(np.float32)
    left, top, width, height = cv2.boundingRect(extent)
    right, bottom = left + width + margin, top + height + margin
    left, top = max(0, left - margin), max(0, top - margin)
    region = canvas[top : max(top, bottom), left : max(left, right)]
    if region.size == 0:
        return
    layer = region.copy()
    draw(layer, points - (left, top))
    cv2.addWeighted(layer, opacity, region, 1 - opacity, 0, dst=region)
