"""The scene channel: light, palette and objects of a room, and how they are drawn.

Rooms carry cues of the personality of those who live in them (S. D. Gosling et al.,
2002, A room with a cue); the directions used here are choices of this design. The
person stands in the middle, so what carries information stands at the sides.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.controls import amount, axis_matrix, squash
from sslmepr.simulation.paint import (
    Colour,
    box,
    curve,
    fill,
    glow,
    hsv,
    limb,
    mix,
    oval,
    shade,
    stroke,
)

SCENE_CONTROLS = (
    "light_level",
    "warmth",
    "saturation",
    "wall_hue",
    "pattern",
    "clutter",
    "plants",
    "books",
    "pictures",
    "lamp",
    "window",
    "festoon",
)
"""`wall_hue` runs from green to pink; `festoon` is a chain of lights."""

EMOTION_AXES = axis_matrix(
    SCENE_CONTROLS,
    SCORED_EMOTIONS,
    {
        "anger": {"wall_hue": 0.7, "light_level": -0.4, "pattern": 0.5},
        "disgust": {"wall_hue": -0.7, "saturation": -0.4, "clutter": 0.6},
        "fear": {"light_level": -0.8, "window": -0.5, "warmth": -0.3},
        "happiness": {"saturation": 0.6, "festoon": 0.7, "light_level": 0.3},
        "sadness": {"warmth": -0.7, "saturation": -0.5, "lamp": -0.4},
        "surprise": {"lamp": 0.7, "window": 0.5, "pattern": 0.4},
    },
)
"""(control, emotion of `SCORED_EMOTIONS`), unit-length columns."""

TRAIT_AXES = axis_matrix(
    SCENE_CONTROLS,
    TRAITS,
    {
        "openness": {"pictures": 0.8, "books": 0.5, "pattern": 0.3},
        "conscientiousness": {"clutter": -0.7, "books": 0.7},
        "extraversion": {"festoon": 0.6, "saturation": 0.5, "books": -0.5},
        "agreeableness": {"plants": 0.7, "warmth": 0.7},
        "emotional_stability": {"window": 0.7, "plants": 0.5, "pattern": -0.4},
    },
)
"""(control, trait), unit-length columns: choices of this design, not findings."""

STAGE_HEIGHT = 512
"""Height of the canvas in units; the width follows from the frame's proportions."""

WOOD: Colour = (150, 106, 72)


@dataclass(frozen=True)
class DomainLook:
    """What all clips of a domain have in common.

    Parameters
    ----------
    framing : float
        Size of the person in the picture; 1 leaves a face about 75 pixels high in a
        frame of 256.
    clutter : float
        0..1: from the bare panels of a studio to a room that is lived in.
    """

    framing: float = 1.0
    clutter: float = 0.3

    @property
    def family(self) -> str:
        """`studio` for a tidy domain, `home` for the others."""
        return "studio" if self.clutter < 0.5 else "home"


def paint_scene(
    controls: np.ndarray, domain: DomainLook, width: int, rng: np.random.Generator
) -> np.ndarray:
    """The empty room.

    Parameters
    ----------
    controls : (control,) ndarray
        As named by `SCENE_CONTROLS`.
    domain : DomainLook
    width : int
        Of the canvas, for a height of `STAGE_HEIGHT`.
    rng : numpy.random.Generator
        Colours and places of the objects.

    Returns
    -------
    (row, column, 3) uint8 ndarray
    """
    shown = squash(controls, SCENE_CONTROLS)
    canvas = np.zeros((STAGE_HEIGHT, width, 3), np.uint8)
    wall = _wall_colour(shown)
    _wall(canvas, wall, shown, domain)
    _pictures(canvas, width - 62, amount(shown["pictures"]), rng)
    _books(canvas, width - 66, amount(shown["books"]), rng)
    _sideboard(canvas, domain, wall)
    _plant(canvas, 56, amount(shown["plants"]), rng)
    _clutter(canvas, amount(shown["clutter"]), domain, rng)
    canvas = _grade(canvas, shown)
    _window(canvas, 60, shown, wall)
    _lamp(canvas, width - 54, amount(shown["lamp"]))
    _festoon(canvas, amount(shown["festoon"]), rng)
    if rng.random() < 0.5:
        canvas = canvas[:, ::-1]
    return np.ascontiguousarray(canvas)


def paint_backdrop(width: int) -> np.ndarray:
    """A bare wall that says nothing about a person.

    Parameters
    ----------
    width : int
        Of the canvas, for a height of `STAGE_HEIGHT`.

    Returns
    -------
    (row, column, 3) uint8 ndarray
    """
    canvas = np.full((STAGE_HEIGHT, width, 3), (150, 150, 154), np.uint8)
    glow(canvas, (width / 2, 200), (300, 260), (196, 196, 198), 0.9)
    return canvas


def _wall_colour(shown: dict) -> Colour:
    green, plain, pink = (104, 182, 124), (196, 188, 184), (222, 112, 170)
    hue = shown["wall_hue"]
    return mix(plain, pink if hue > 0 else green, abs(hue))


def _wall(canvas, wall: Colour, shown: dict, domain: DomainLook) -> None:
    height, width = canvas.shape[:2]
    canvas[0] = np.asarray(wall, np.uint8)
    canvas[1:] = canvas[0]
    strength = 0.55 * amount(shown["pattern"]) ** 1.3
    line = shade(wall, 0.5)
    if domain.family == "studio":
        panels = [box(x, 0, x + 18, height) for x in range(-20, width + 40, 40)]
        fill(canvas, np.array(panels), line, strength)
        glow(canvas, (width / 2, 190), (230, 210), shade(wall, 1.22), 0.7)
    else:
        diamond = np.array([(0, -11), (11, 0), (0, 11), (-11, 0)])
        places = [
            (x, y)
            for row, y in enumerate(range(8, height, 36))
            for x in range(18 * (row % 2), width, 36)
        ]
        fill(canvas, np.array(places)[:, None] + diamond, line, strength)
    for x in (0, width):
        glow(canvas, (x, height * 0.9), (150, 330), shade(wall, 0.6), 0.5)


def _window(canvas, middle: float, shown: dict, wall: Colour) -> None:
    size = amount(shown["window"])
    half, top, bottom = 12 + 52 * size, 150 - 96 * size, 170 + 96 * size
    sky, frame = (206, 228, 244), (238, 234, 226)
    fill(canvas, box(middle - half - 7, top - 7, middle + half + 7, bottom + 7), frame)
    fill(canvas, box(middle - half, top, middle + half, bottom), sky)
    low = bottom - 0.3 * (bottom - top)
    hills = curve(
        [(middle - half, low), (middle - half / 3, low - 18 * size)]
        + [(middle + half / 3, low + 6 * size), (middle + half, low - 10 * size)]
    )
    ground = [(middle + half, bottom), (middle - half, bottom)]
    fill(canvas, np.concatenate([hills, ground]), (128, 166, 120))
    stroke(canvas, [(middle, top), (middle, bottom)], frame, 6)
    centre = (top + bottom) / 2
    stroke(canvas, [(middle - half, centre), (middle + half, centre)], frame, 5)
    for side in (-1, 1):
        edge = middle + side * (half + 6)
        cloth = box(edge - 9, top - 12, edge + 9, bottom + 14)
        fill(canvas, cloth, shade(wall, 0.82))
    glow(canvas, (middle, centre), (half + 30, 90), (250, 252, 255), 0.3 * size)


def _pictures(canvas, middle: float, share: float, rng) -> None:
    hues = rng.random(3)
    for index, (x, y) in enumerate(((-2, 90), (-32, 196), (32, 190))):
        size = np.clip(1.5 * share - 0.22 * index, 0.05, 1.1)
        wide, high = (58, 54) if index == 0 else (28, 34)
        wide, high = wide * size, high * size
        frame = box(middle + x - wide, y - high, middle + x + wide, y + high)
        fill(canvas, frame + (4, 5), (40, 36, 34), 0.35)
        fill(canvas, frame, (62, 46, 38))
        inner = (middle + x - 0.82 * wide, y - 0.8 * high)
        other = (middle + x + 0.82 * wide, y + 0.8 * high)
        fill(canvas, box(*inner, *other), (246, 240, 228))
        spot = (middle + x, y)
        fill(canvas, oval(spot, (0.55 * wide, 0.5 * high)), hsv(hues[index], 0.7, 0.85))
        fill(
            canvas,
            oval(np.add(spot, (0.15 * wide, 0.1 * high)), (0.3 * wide, 0.26 * high)),
            hsv(hues[index] + 0.4, 0.7, 0.5),
        )


def _books(canvas, middle: float, share: float, rng) -> None:
    left, right, board = middle - 66, middle + 80, 318
    fill(canvas, box(left, board, right, board + 9), shade(WOOD, 0.8))
    x = right - 4
    end = right - 4 - (right - left - 6) * share
    while x > end:
        thick = rng.uniform(9, 15)
        tall = (62 + 18 * rng.random()) * (0.55 + 0.5 * share)
        cover = hsv(rng.random(), 0.55, rng.uniform(0.4, 0.75))
        fill(canvas, box(x - thick, board - tall, x - 1.5, board), cover)
        band = box(x - thick, board - 0.8 * tall, x - 1.5, board - 0.68 * tall)
        fill(canvas, band, (240, 224, 180))
        x -= thick


def _sideboard(canvas, domain: DomainLook, wall: Colour) -> None:
    height, width = canvas.shape[:2]
    if domain.family == "studio":
        wood = mix(shade(wall, 0.5), (90, 90, 98), 0.6)
    else:
        wood = WOOD
    fill(canvas, box(0, 436, width, height), shade(wood, 0.82))
    fill(canvas, box(0, 430, width, 442), shade(wood, 1.15))
    for x in (140, width - 140):
        stroke(canvas, [(x, 446), (x, height)], shade(wood, 0.6), 3)


def _plant(canvas, middle: float, share: float, rng) -> None:
    base = 432
    tall, leaves = 16 + 150 * share, 5 + round(12 * share)
    pot = 12 + 16 * share
    for index in range(leaves):
        angle = np.linspace(-1.15, 1.15, leaves)[index] + rng.normal(0, 0.06)
        reach = tall * (1 - 0.3 * abs(angle) / 1.15)
        tip = np.array((middle + 0.62 * reach * np.sin(angle), base - pot - reach))
        tip[1] += 0.45 * reach * (1 - np.cos(angle))
        root = np.array((middle, base - pot))
        bow = root + 0.5 * (tip - root) + (12 * share * np.sign(angle), -6)
        leaf = curve([root, bow - (4 + 7 * share, 0), tip, bow + (4 + 7 * share, 0)])
        tone = shade((72, 138, 74), 0.75 + 0.5 * rng.random())
        fill(canvas, leaf, tone)
    top, bottom = pot, 0.7 * pot
    corners = [(-top, -pot * 1.2), (top, -pot * 1.2), (bottom, 0), (-bottom, 0)]
    fill(canvas, np.add(corners, (middle, base)), (186, 104, 74))
    rim = box(middle - top - 3, base - 1.3 * pot, middle + top + 3, base - 1.05 * pot)
    fill(canvas, rim, (206, 124, 90))


def _clutter(canvas, share: float, domain: DomainLook, rng) -> None:
    """Cups, balls and boxes on and before the sideboard."""
    width = canvas.shape[1]
    count = round(26 * max(0.0, share + 0.3 * (domain.clutter - 0.5)))
    spots = np.linspace(0, 1, 13)
    for index in range(min(count, 26)):
        column = spots[(index * 5) % 13]
        x = 8 + 112 * column if index % 2 else width - 8 - 112 * column
        y = 470 + 34 * ((index * 7) % 5) / 4 if index >= 6 else 436
        size = rng.uniform(13, 19)
        colour = hsv(rng.random(), 0.7, rng.uniform(0.5, 0.95))
        kind = rng.integers(3)
        if kind == 0:
            fill(canvas, oval((x, y - size), (size, size)), colour)
            fill(canvas, oval((x - 4, y - 1.4 * size), (4, 4)), (255, 255, 255), 0.6)
        elif kind == 1:
            tilt = rng.uniform(-4, 4)
            corners = [(-size, 0), (-size + tilt, -1.7 * size)]
            corners += [(size + tilt, -1.7 * size), (size, 0)]
            fill(canvas, np.add(corners, (x, y)), colour)
            stroke(canvas, [(x, y), (x + tilt, y - 1.7 * size)], shade(colour, 0.6), 3)
        else:
            fill(canvas, limb((x, y - 2.6 * size), (x, y - 7), 4, 7), colour)
            fill(canvas, box(x - 8, y - 1.4 * size, x + 8, y), colour)


def _grade(canvas: np.ndarray, shown: dict) -> np.ndarray:
    """Saturation, colour temperature and light of all that has no light of its own."""
    strength = 0.1 + 1.6 * amount(shown["saturation"])
    warm, level = shown["warmth"], 0.42 + 0.78 * amount(shown["light_level"])
    tint = level * np.array((1 + 0.26 * warm, 1 + 0.02 * warm, 1 - 0.34 * warm))
    vivid = strength * np.eye(3) + (1 - strength) / 3  # about the mean of the channels
    return cv2.transform(canvas, tint[:, None] * vivid)


def _lamp(canvas, middle: float, share: float) -> None:
    tall, wide = 40 + 46 * share, 16 + 34 * share
    top = 432 - tall
    stroke(canvas, [(middle, 432), (middle, top)], (60, 52, 48), 5)
    fill(canvas, box(middle - 14, 426, middle + 14, 434), (60, 52, 48))
    warm = (255, 226, 150)
    glow(canvas, (middle, top), (95, 95), warm, 0.85 * share)
    lit = mix((110, 96, 84), (255, 240, 190), share)
    cone = [(-0.55 * wide, -0.8 * wide), (0.55 * wide, -0.8 * wide)]
    cone += [(wide, 0.35 * wide), (-wide, 0.35 * wide)]
    fill(canvas, np.add(cone, (middle, top)), lit)


def _festoon(canvas, share: float, rng) -> None:
    width = canvas.shape[1]
    x = np.linspace(0, width, 61)
    y = 12 + 26 * np.abs(np.sin(np.pi * 3 * x / width))
    stroke(canvas, np.stack([x, y], axis=1), (46, 42, 44), 2, min(1.0, 2 * share))
    start = rng.random()
    radius = 2 + 8 * share
    for index in range(2, 60, 3):
        spot = (x[index], y[index] + radius)
        colour = hsv(start + 0.31 * index, 0.65, 1.0)
        glow(canvas, spot, (2.2 * radius, 2.2 * radius), colour, 0.9 * share)
        fill(canvas, oval(spot, (radius, 1.2 * radius)), colour, min(1.0, 2 * share))
