"""Appearance of a drawn person, which is independent of the labels.

A look is drawn at random and independently of traits and emotions, so that no model can
read a label from skin, hair, glasses or clothes.
"""

from dataclasses import dataclass

import numpy as np

from sslmepr.simulation.paint import Colour

HAIR_STYLES = (
    "cropped",
    "short",
    "parted",
    "curly",
    "bob",
    "long",
    "bun",
    "headscarf",
)

SKIN_TONES: tuple[Colour, ...] = (
    (246, 216, 196),
    (240, 202, 176),
    (228, 184, 152),
    (214, 166, 130),
    (194, 144, 106),
    (168, 118, 84),
    (142, 98, 70),
    (118, 82, 62),
)

HAIR_COLOURS: tuple[Colour, ...] = (
    (36, 28, 26),
    (58, 40, 30),
    (84, 56, 38),
    (120, 82, 50),
    (176, 136, 84),
    (140, 70, 40),
    (150, 148, 146),
)

DARK_HAIR = 3
"""How many of the hair colours, from the front, go with the darker half of skins."""


@dataclass(frozen=True)
class Look:
    """Appearance of one person.

    Parameters
    ----------
    skin, hair, iris : Colour
        RGB in 0..255.
    hair_style : str
        One of `HAIR_STYLES`.
    face_width, jaw_width, chin_length : float
        Factors around 1.
    brow_thickness, eye_size, nose_width, lip_fullness : float
        Factors around 1.
    glasses, beard : bool
    garment_hue : float
        Hue of the upper garment in 0..1; how vivid it is, is a control of the body.
    build : float
        Factor around 1 for the width of the shoulders.
    """

    skin: Colour
    hair: Colour
    iris: Colour
    hair_style: str
    face_width: float
    jaw_width: float
    chin_length: float
    brow_thickness: float
    eye_size: float
    nose_width: float
    lip_fullness: float
    glasses: bool
    beard: bool
    garment_hue: float
    build: float


IRISES: tuple[Colour, ...] = ((70, 46, 30), (92, 62, 36), (74, 98, 84), (70, 102, 132))


def draw_look(rng: np.random.Generator) -> Look:
    """A person at random.

    Parameters
    ----------
    rng : numpy.random.Generator
        The same state gives the same person.
    """
    tone = int(rng.integers(len(SKIN_TONES)))
    dark = tone >= len(SKIN_TONES) // 2
    hairs = HAIR_COLOURS[:DARK_HAIR] if dark else HAIR_COLOURS
    style = HAIR_STYLES[rng.integers(len(HAIR_STYLES))]
    warm = rng.normal(0, 3, size=3)

    def around(spread):
        return float(np.clip(rng.normal(1, spread), 1 - 2 * spread, 1 + 2 * spread))

    return Look(
        skin=tuple(float(np.clip(c, 0, 255)) for c in SKIN_TONES[tone] + warm),
        hair=hairs[rng.integers(len(hairs))],
        iris=IRISES[rng.integers(2 if dark else len(IRISES))],
        hair_style=style,
        face_width=around(0.035),
        jaw_width=around(0.05),
        chin_length=around(0.03),
        brow_thickness=around(0.1),
        eye_size=around(0.05),
        nose_width=around(0.08),
        lip_fullness=around(0.1),
        glasses=bool(rng.random() < 0.2),
        beard=bool(rng.random() < 0.15 and style in ("cropped", "short", "parted")),
        garment_hue=float(rng.random()),
        build=around(0.04),
    )
