"""The face channel: expression controls, and the features that they draw.

The controls follow the visible actions of the Facial Action Coding System (P. Ekman and
W. V. Friesen, 1978); the emotions move them as that system's prototypes describe
(happiness: lip corners and cheeks raised; surprise: brows and lids raised, jaw dropped;
disgust: nose wrinkled; and so on). How traits move them is a choice of this design.
"""

from copy import copy
from dataclasses import dataclass

import cv2
import numpy as np

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.controls import amount, axis_matrix, between, squash
from sslmepr.simulation.cover import scarf, shown_beside, sunglasses
from sslmepr.simulation.head import (
    ORIGIN,
    complexion,
    paint_head,
)
from sslmepr.simulation.look import Look
from sslmepr.simulation.paint import (
    MIRROR,
    curve,
    fill,
    glow,
    mix,
    oval,
    shade,
    stroke,
)

FACE_CONTROLS = (
    "brow_height",
    "brow_slant",
    "brow_squeeze",
    "lid_opening",
    "eye_rings",
    "cheek_raise",
    "nose_wrinkle",
    "mouth_curve",
    "mouth_opening",
    "mouth_width",
    "head_pitch",
    "flush",
)
"""`brow_slant` above 0 raises the inner ends (worried), below 0 lowers them (frown);
`eye_rings` are the dark rings of tired or tearful eyes."""

EMOTION_AXES = axis_matrix(
    FACE_CONTROLS,
    SCORED_EMOTIONS,
    {
        "anger": {
            "brow_slant": -0.7,
            "brow_squeeze": 0.7,
            "mouth_width": -0.3,
            "lid_opening": 0.3,
            "flush": 0.7,
        },
        "disgust": {
            "nose_wrinkle": 1.0,
            "mouth_curve": -0.3,
            "lid_opening": -0.5,
            "head_pitch": 0.3,
        },
        "fear": {
            "brow_height": 0.5,
            "brow_slant": 0.4,
            "lid_opening": 0.5,
            "mouth_width": 0.6,
            "flush": -0.7,
        },
        "happiness": {"mouth_curve": 1.0, "cheek_raise": 0.8, "mouth_width": 0.3},
        "sadness": {
            "brow_slant": 0.6,
            "mouth_curve": -0.5,
            "eye_rings": 0.7,
            "head_pitch": -0.6,
            "lid_opening": -0.2,
        },
        "surprise": {
            "brow_height": 0.8,
            "lid_opening": 0.3,
            "mouth_opening": 0.9,
            "mouth_width": -0.4,
        },
    },
)
"""(control, emotion of `SCORED_EMOTIONS`), unit-length columns."""

SECOND_EMOTION_AXES = axis_matrix(
    FACE_CONTROLS,
    SCORED_EMOTIONS,
    {
        # Cold: narrow lids, a pressed mouth, pale.
        "anger": {"lid_opening": -0.7, "mouth_width": -0.6, "flush": -0.5},
        # Turned away, with open mouth and raised cheeks.
        "disgust": {"cheek_raise": 0.6, "mouth_opening": 0.6, "brow_squeeze": 0.5},
        # Frozen: small, eyes down.
        "fear": {"brow_squeeze": 0.6, "head_pitch": -0.6, "mouth_width": -0.5},
        # Quiet bliss: lids and brows at rest, glowing.
        "happiness": {"lid_opening": -0.5, "brow_squeeze": -0.5, "flush": 0.7},
        # Crying: red, squeezed brows, open mouth.
        "sadness": {"brow_squeeze": 0.5, "flush": 0.5, "mouth_opening": 0.6},
        # Puzzled: head raised, slanted brows, wrinkled nose.
        "surprise": {"head_pitch": 0.6, "brow_slant": 0.6, "nose_wrinkle": 0.5},
    },
)
"""The same for the second form of each emotion."""

TRAIT_AXES = axis_matrix(
    FACE_CONTROLS,
    TRAITS,
    {
        "openness": {"brow_height": 0.8, "eye_rings": -0.5, "mouth_opening": -0.3},
        "conscientiousness": {"head_pitch": 0.6, "mouth_opening": -0.6},
        "extraversion": {"mouth_width": 0.7, "mouth_opening": 0.5, "eye_rings": -0.5},
        "agreeableness": {"cheek_raise": 0.8, "nose_wrinkle": -0.4, "head_pitch": -0.3},
        "emotional_stability": {"brow_squeeze": -0.9, "lid_opening": -0.4},
    },
)
"""(control, trait), unit-length columns: choices of this design, not findings."""


SOFTNESS_PX = 1.8
"""Blur of the painted head, as by a lens: detectors know photographs, not outlines."""

MOUTH_BOX = (-58, 22, 58, 106)
"""Left, top, right, bottom of the widest open mouth around the middle of the face."""

EYES_BOX = (-70, -78, 70, 22)
"""The same of eyes, glasses and raised or lowered brows."""

_BLUR_REACH_PX = 6


@dataclass(frozen=True)
class FaceMoment:
    """What of a face changes from frame to frame.

    Parameters
    ----------
    lids : float
        Share of the clip's lid opening: 1 open, 0 in a blink.
    gaze_px : (2,) ndarray
        Small movements of the eyes.
    brow_px : float
        Small movement of the brows, up is positive.
    speech : float
        How far speech opens the mouth, 0..1.
    """

    lids: float = 1.0
    gaze_px: tuple[float, float] = (0.0, 0.0)
    brow_px: float = 0.0
    speech: float = 0.0


class FacePainter:
    """Paints one person's face with one expression, moment by moment.

    Parameters
    ----------
    look : Look
    controls : (control,) ndarray
        As named by `FACE_CONTROLS`.
    thing : str, optional
        What is worn, of `sslmepr.simulation.knobs.HIDING`; controls that it hides
        make no difference.
    """

    def __init__(self, look: Look, controls: np.ndarray, thing: str | None = None):
        self.look, self.thing = look, thing
        self._settle(shown_beside(thing, squash(controls, FACE_CONTROLS)))
        pitch, flush = self.shown["head_pitch"], self.shown["flush"]
        self.base = paint_head(look, pitch, 0.8 * self.gap_px, flush)
        self._relief()
        self._nose()
        if thing == "sunglasses":
            self._open_eyes(self.base, 1.0, (0.0, 0.0))
            sunglasses(self.base, self._at((0, 0)))
        elif thing == "scarf":
            scarf(self.base, look, self._at((0, 0)))
        self.soft = cv2.GaussianBlur(self.base, (0, 0), SOFTNESS_PX)

    def _settle(self, shown: dict[str, float]) -> None:
        """Whatever follows from the controls and is not painted."""
        self.shown = shown
        self.gap_px = 27 * amount(shown["mouth_opening"]) ** 1.8
        self.skin = complexion(self.look.skin, shown["flush"])
        self.lift = -13 * shown["head_pitch"]
        self._parts: dict[tuple, np.ndarray] = {}

    def towards(self, other: "FacePainter", share: float) -> "FacePainter":
        """The same face on its way to another expression.

        Eyes, brows and mouth move there; skin, folds and hair are cross-faded, which
        costs little.

        Parameters
        ----------
        other : FacePainter
            Of the same look and thing.
        share : float
            0..1 of the way.
        """
        if share == 0 or other is self:
            return self
        way = copy(self)
        way._settle(between(self.shown, other.shown, share))
        for name in ("base", "soft"):
            layers = getattr(self, name), 1 - share, getattr(other, name), share
            setattr(way, name, cv2.addWeighted(*layers, 0))
        return way

    def paint(self, moment: FaceMoment) -> np.ndarray:
        """The head as a premultiplied layer (row, column, 4)."""
        head = self.soft.copy()
        lids, brow_px = round(moment.lids, 1), float(round(moment.brow_px))
        for box, paint, state in (
            (EYES_BOX, self._upper_face, (lids, brow_px, moment.gaze_px)),
            (MOUTH_BOX, self._mouth, (round(moment.speech, 1),)),
        ):
            if box == MOUTH_BOX and self.thing == "scarf":
                continue
            if (box, state) not in self._parts:
                self._parts[box, state] = self._softly(box, paint, state)
            head[self._within(box)] = self._parts[box, state]
        return head

    def _within(self, box, margin: int = 0) -> tuple[slice, slice]:
        """Rows and columns of a box around the middle of the face."""
        x, y = self._at((0, 0)).astype(int)
        left, top, right, bottom = box
        rows = slice(y + top - margin, y + bottom + margin)
        return rows, slice(x + left - margin, x + right + margin)

    def _softly(self, box, paint, state) -> np.ndarray:
        """A box of the head with `paint` in it, blurred as the whole head would be."""
        patch = self.base.copy()
        paint(patch, *state)
        wide = patch[self._within(box, _BLUR_REACH_PX)]
        inner = slice(_BLUR_REACH_PX, -_BLUR_REACH_PX)
        return cv2.GaussianBlur(wide, (0, 0), SOFTNESS_PX)[inner, inner]

    def _upper_face(self, patch, lids: float, brow_px: float, gaze_px) -> None:
        if self.thing != "sunglasses":
            self._open_eyes(patch, lids, gaze_px)
        self._brows(patch, brow_px)
        if self.look.glasses and self.thing != "sunglasses":
            self._glasses(patch)

    def _at(self, points) -> np.ndarray:
        return np.asarray(points, float) + ORIGIN + (0, self.lift)

    def _pair(self, points) -> np.ndarray:
        """What lies on the right of the face, on both sides of it, (line, point, 2)."""
        lines = np.asarray(points, float)
        both = lines * MIRROR.reshape(2, *(lines.ndim - 1) * (1,), 2)
        return self._at(both.reshape(-1, *lines.shape[-2:]))

    def _relief(self) -> None:
        """Folds and bulges that belong to the expression, and stay for the clip."""
        dark, light = shade(self.skin, 0.62), mix(self.skin, (255, 246, 232), 0.6)
        cheek, curl = amount(self.shown["cheek_raise"]), self.shown["mouth_curve"]
        squeeze = amount(self.shown["brow_squeeze"])
        rings, tired = amount(self.shown["eye_rings"]), mix(dark, (70, 30, 80), 0.5)
        ball = (35, 27 - 9 * cheek)
        for side in MIRROR:
            glow(self.base, self._at(side * (26, -13)), (19, 15), dark, 0.5)
        ring = self._pair(curve([(11, 6), (26, 14), (41, 5)]))
        for thick, share in ((13, 0.28), (7, 0.4)):
            stroke(self.base, ring, tired, thick, share * rings)
        for side in MIRROR:
            middle = self._at(side * ball)
            glow(self.base, middle + (0, 17), (21, 8), dark, 0.8 * cheek)
            glow(self.base, middle, (18, 12), light, 0.9 * cheek)
        feet = [curve([(45, -6 + fan * 0.3), (56, -7 + fan)]) for fan in (-8, 0, 8)]
        stroke(self.base, self._pair(feet), dark, 2, 0.8 * cheek**3)
        fold = curve([(15, 18), (27, 30 - 3 * curl), (33 + 3 * curl, 45)])
        stroke(self.base, self._pair(fold), dark, 3, 0.1 + 0.4 * cheek**2)
        frown = self._pair(curve([(6, -42), (5, -33), (7, -24)]))
        stroke(self.base, frown, shade(dark, 0.7), 4, squeeze**2.2)
        glow(self.base, self._at((0, -33)), (12, 13), shade(dark, 0.8), 0.9 * squeeze)

    def _nose(self) -> None:
        base, skin = self.base, self.skin
        dark, deep = shade(skin, 0.66), shade(skin, 0.38)
        wrinkle, pitch = amount(self.shown["nose_wrinkle"]), self.shown["head_pitch"]
        wide = 13 * self.look.nose_width * (0.8 + 0.6 * wrinkle)
        tip = 28 - 9 * wrinkle - 3 * pitch
        glow(base, self._at((9, 2)), (8, 24), dark, 0.5)
        glow(base, self._at((0, tip + 8)), (wide + 3, 6), dark, 0.65)
        light = mix(skin, (255, 250, 240), 0.65)
        glow(base, self._at((-2, 0)), (5, 24), light, 0.6)
        glow(base, self._at((-2, tip - 4)), (8, 6), light, 0.6)
        wing = curve([(wide - 3, tip - 9), (wide + 2, tip), (wide - 4, tip + 6)])
        stroke(base, self._pair(wing), dark, 3, 0.85)
        high = 2.6 + 1.6 * max(0, pitch)
        nostril = oval((0.5 * wide, tip + 4.5), (4.6, high), 12)
        fill(base, self._pair(nostril), deep, 0.9)
        sneer = curve([(wide + 3, tip - 8), (wide + 12, tip + 4), (wide + 16, 40)])
        stroke(base, self._pair(sneer), shade(dark, 0.7), 4, wrinkle**2.5)
        lines = [curve([(-10, y), (0, y - 4), (10, y)]) for y in (-15, -8, -1, 6)]
        stroke(base, self._at(lines), shade(dark, 0.7), 3, wrinkle**2.5)

    def _open_eyes(self, patch: np.ndarray, lids: float, gaze_px) -> None:
        look, shown = self.look, self.shown
        opening = amount(shown["lid_opening"]) * lids
        upper = 2.0 + 14 * look.eye_size * opening
        lower = 1.5 + 6.5 * amount(shown["lid_opening"]) * min(1, lids + 0.2)
        lower -= 3.5 * amount(shown["cheek_raise"])
        half = 16.5 * look.eye_size
        rim = [(-half, 1), (-half * 0.45, -upper * 0.86), (half * 0.2, -upper)]
        rim += [(half * 0.7, -upper * 0.62), (half, 0)]
        under = [(half, 0), (half * 0.4, lower), (-half * 0.4, lower), (-half, 1)]
        centre = np.array((25.5, -9))
        over_line = self._pair(curve(rim) + centre)
        under_line = self._pair(curve(under) + centre)
        shapes = np.concatenate([over_line, under_line], axis=1)
        irises = self._pair([centre - (0, 0.3 * upper)]) + gaze_px
        _eyeballs(patch, shapes, irises, look)
        lid = over_line - (0, 6 - 2 * opening)
        stroke(patch, lid, shade(self.skin, 0.55), 2, 0.7)
        stroke(patch, over_line, (34, 24, 22), 4)
        stroke(patch, under_line, shade(self.skin, 0.5), 2, 0.7)

    def _brows(self, patch: np.ndarray, raised_px: float) -> None:
        shown = self.shown
        slant, squeeze = shown["brow_slant"], shown["brow_squeeze"]
        y = -31 - 15 * shown["brow_height"] - raised_px
        inner, outer = 12 - 7 * squeeze, 46 - 3 * squeeze
        spine = curve(
            [
                (inner, y + 3 - 17 * slant),
                (0.5 * (inner + outer) - 2, y - 2),
                (outer, y + 3 + 12 * slant),
            ]
        )
        thick = 4.2 * self.look.brow_thickness * np.linspace(1.0, 0.35, len(spine))
        lean = np.stack([0 * thick, thick], axis=1)
        shape = np.concatenate([spine - lean, (spine + lean)[::-1]])
        hair = mix(self.look.hair, (40, 30, 28), 0.5)
        fill(patch, self._pair(shape), mix(hair, shade(self.skin, 0.4), 0.3))

    def _mouth(self, patch: np.ndarray, speech: float) -> None:
        shown, look = self.shown, self.look
        gap = max(self.gap_px, 1.5) + 7 * speech
        half = 25 * (1 + 0.48 * shown["mouth_width"]) - 3 * speech
        lift = 12 * shown["mouth_curve"]
        corner, middle = 48.5 - lift, 48.5 + 0.45 * lift
        lips = mix(self.skin, (164, 44, 56), 0.62)
        full = look.lip_fullness * (7 - 0.1 * gap)
        inner_top = _bow(-half, corner, middle - 0.2 * gap)
        inner_low = _bow(half, corner, middle + 0.8 * gap)
        top = [(-half - 3, corner), (-half * 0.4, middle - 0.2 * gap - full * 0.8)]
        top += [(0, middle - 0.2 * gap - full * 0.5)]
        top += [(half * 0.4, middle - 0.2 * gap - full * 0.8), (half + 3, corner)]
        low = _bow(half + 3, corner, middle + 0.8 * gap + full)
        fill(patch, self._at(np.concatenate([curve(top), low])), lips)
        inside = self._at(np.concatenate([inner_top, inner_low]))
        fill(patch, inside, (66, 18, 26))
        if gap > 4:
            self._teeth(patch, inner_top, inner_low, half, gap)
        stroke(patch, self._at(inner_top), (58, 20, 24), 2)
        shine = low[3:-3] * (0.5, 1) - (0, full * 0.55)
        stroke(patch, self._at(shine), mix(lips, (255, 235, 230), 0.5), 2, 0.5)
        corners = self._pair(oval((half + 3, corner), (3, 3)))
        fill(patch, corners, shade(self.skin, 0.45), 0.7)

    def _teeth(self, patch, inner_top, inner_low, half, gap) -> None:
        depth = min(8.0, 0.5 * gap)
        row = inner_top[3:-3]
        teeth = np.concatenate([row, row[::-1] + (0, depth)])
        low = inner_low[::-1][3:-3]
        teeth[len(row) :, 1] = np.minimum(teeth[len(row) :, 1], low[::-1, 1])
        fill(patch, self._at(teeth), (246, 242, 234))
        if gap > 12:
            tongue = oval((0, inner_low[:, 1].max() - 4), (0.45 * half, 4.5))
            fill(patch, self._at(tongue), (186, 84, 88), 0.9)

    def _glasses(self, patch: np.ndarray) -> None:
        frame = (58, 54, 60)
        lenses = self._pair(oval((26, -8), (23, 20)))
        stroke(patch, lenses, frame, 2, 0.85, closed=True)
        stroke(patch, self._pair([(49, -11), (61, -14)]), frame, 2, 0.85)
        stroke(patch, self._at([(-4, -11), (0, -13), (4, -11)]), frame, 2, 0.85)


def _bow(start: float, corner: float, middle: float) -> np.ndarray:
    """A lip's edge from one corner of the mouth to the other."""
    bend = corner + 0.8 * (middle - corner)
    knots = [(start, corner), (start / 2, bend), (0, middle)]
    return curve(knots + [(-start / 2, bend), (-start, corner)], per_segment=5)


def _eyeballs(patch, shapes, iris_centres, look: Look) -> None:
    """White, iris, pupil and highlight of both eyes, cut out by the lids."""
    low = np.floor(shapes.min(axis=(0, 1))).astype(int) - 2
    high = np.ceil(shapes.max(axis=(0, 1))).astype(int) + 3
    region = patch[low[1] : high[1], low[0] : high[0]]
    tile = np.empty_like(region)
    tile[:] = (226, 220, 214, 255)
    tile[:3] = (206, 204, 204, 255)  # shadow of the lid
    centres = iris_centres - low
    for radius, away, colour in (
        (9.4, (0, 0), shade(look.iris, 0.55)),
        (7.6, (0, 0), shade(look.iris, 1.15)),
        (4.2, (0, 0), (14, 12, 14)),
        (2.3, (-3, -3.2), (255, 255, 255)),
    ):
        fill(tile, centres + oval(away, (radius, radius)), colour)
    lids = np.zeros((*region.shape[:2], 1), np.uint8)
    fill(lids, shapes - low, (255, 255, 255))
    seen = lids.astype(np.float32)[..., 0] / 255
    cv2.blendLinear(region, tile, 1 - seen, seen, dst=region)
