"""The body channel: posture, gesture and clothes, and how they are drawn.

Which way emotions move posture and gesture follows common descriptions of bodily
expression (H. G. Wallbott, 1998): a collapsed posture in sadness, raised shoulders in
fear, opened arms in joy. How traits move clothes and manner is a choice of this design.

Points are in person units: canvas pixels at framing 1, with the base of the neck at
(0, 0).
"""

from copy import copy
from dataclasses import dataclass

import cv2
import numpy as np

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.controls import amount, axis_matrix, between, squash
from sslmepr.simulation.cover import shown_beside
from sslmepr.simulation.look import Look
from sslmepr.simulation.paint import (
    LIMB_POINTS,
    MIRROR,
    Colour,
    curve,
    fill,
    glow,
    hsv,
    lay_over,
    limb,
    mirrored,
    mix,
    oval,
    shade,
    stroke,
    turned,
)

BODY_CONTROLS = (
    "shoulder_height",
    "slump",
    "lean",
    "arm_openness",
    "hand_height",
    "hand_opening",
    "gesture_amplitude",
    "gesture_speed",
    "sway",
    "garment_vividness",
    "garment_lightness",
    "garment_formality",
)

EMOTION_AXES = axis_matrix(
    BODY_CONTROLS,
    SCORED_EMOTIONS,
    {
        "anger": {"lean": 0.7, "hand_opening": -0.8, "gesture_speed": 0.4},
        "disgust": {"lean": -0.6, "arm_openness": -0.7, "hand_height": 0.3},
        "fear": {"shoulder_height": 0.9, "hand_height": 0.4, "sway": 0.3},
        "happiness": {"arm_openness": 0.7, "gesture_amplitude": 0.6, "slump": -0.3},
        "sadness": {"slump": 0.8, "hand_height": -0.6, "gesture_speed": -0.3},
        "surprise": {"hand_opening": 0.7, "hand_height": 0.6, "gesture_amplitude": 0.3},
    },
)
"""(control, emotion of `SCORED_EMOTIONS`), unit-length columns."""

SECOND_EMOTION_AXES = axis_matrix(
    BODY_CONTROLS,
    SCORED_EMOTIONS,
    {
        "anger": {"arm_openness": -0.6, "gesture_speed": -0.5, "slump": -0.5},
        "disgust": {"shoulder_height": 0.5, "sway": 0.6, "hand_opening": 0.5},
        "fear": {"slump": 0.6, "arm_openness": -0.5, "gesture_speed": 0.6},
        "happiness": {"sway": 0.6, "hand_height": 0.6, "shoulder_height": -0.4},
        "sadness": {"shoulder_height": -0.6, "lean": 0.5, "sway": 0.5},
        "surprise": {"lean": -0.7, "arm_openness": 0.5, "gesture_speed": 0.4},
    },
)
"""The same for the second form of each emotion."""

TRAIT_AXES = axis_matrix(
    BODY_CONTROLS,
    TRAITS,
    {
        "openness": {"garment_vividness": 0.9, "garment_formality": -0.4},
        "conscientiousness": {"garment_formality": 0.8, "slump": -0.5},
        "extraversion": {
            "garment_vividness": 0.4,
            "gesture_amplitude": 0.6,
            "gesture_speed": 0.5,
        },
        "agreeableness": {"garment_lightness": 0.9, "shoulder_height": -0.3},
        "emotional_stability": {"sway": -0.9, "gesture_speed": -0.4},
    },
)
"""(control, trait), unit-length columns: choices of this design, not findings."""

TORSO_SIZE = (360, 400)
TORSO_ORIGIN = np.array((180.0, 60.0))
"""Size of the torso's patch, and where the base of the neck lies on it."""

TRAIL = (1.0, 0.6, 0.25)
"""Where between its earlier and its present place a moving arm leaves a shadow."""

RIM = 2.2
"""Width of the dark line around an arm."""

FINGERS = np.array(((1, -1), (1, 1)))[:, None, None]
"""Across a hand lies outwards what lies inwards across the other."""

UPPER_ARM, FOREARM = 112.0, 100.0

BEHIND_DESK = 60
"""How much lower hands rest behind a desk, in person units."""


@dataclass(frozen=True)
class BodyMoment:
    """Where a body is in one frame.

    Parameters
    ----------
    sway_px : float
        Displacement of neck and head to the right.
    hands, hands_before : (side, 2) ndarray
        Hands as (x, y), first the one on the left of the picture, and where they were
        when the shutter opened: they leave a trail.
    """

    sway_px: float
    hands: np.ndarray
    hands_before: np.ndarray


class BodyPainter:
    """Paints one person's upper body in one manner, moment by moment.

    Parameters
    ----------
    look : Look
    controls : (control,) ndarray
        As named by `BODY_CONTROLS`.
    skin : Colour
        Complexion, so that neck and hands go with the face.
    phases : (6,) ndarray
        Where the movements start, in radians.
    thing : str, optional
        ``desk`` if the body stands behind one; what it hides makes no difference.
    """

    def __init__(
        self, look: Look, controls: np.ndarray, skin: Colour, phases, thing=None
    ):
        self.look, self.phases = look, np.asarray(phases, float)
        self.thing = thing
        self._settle(shown_beside(thing, squash(controls, BODY_CONTROLS)), skin)
        self.torso = self._paint_torso()
        self.ghost = oval((0, 0), (17, 17))

    def _settle(self, shown: dict[str, float], skin: Colour) -> None:
        """Whatever follows from the controls, but for the painted torso."""
        self.shown, self.skin, look = shown, skin, self.look
        vivid = 0.03 + 0.9 * amount(shown["garment_vividness"])
        light = 0.2 + 0.74 * amount(shown["garment_lightness"])
        self.cloth = hsv(look.garment_hue, vivid, light)
        reach = 92 * look.build * (1 + 0.22 * shown["lean"]) - 16 * shown["slump"]
        drop = 34 - 58 * shown["shoulder_height"] + 14 * shown["slump"]
        self.shoulder = np.array((reach, drop))
        self.head_drop_px = 24 * shown["slump"] + 8 * shown["lean"]
        self.gestures_hz = 0.3 + 2.0 * amount(shown["gesture_speed"])
        self.arcs, self.waves = self._motion_lines()
        self.hand, self.inks = self._hand()

    def towards(self, other: "BodyPainter", share: float) -> "BodyPainter":
        """The same body on its way to another manner; the torso is cross-faded.

        Parameters
        ----------
        other : BodyPainter
            Of the same look, phases and thing.
        share : float
            0..1 of the way.
        """
        if share == 0 or other is self:
            return self
        way = copy(self)
        skin = mix(self.skin, other.skin, share)
        way._settle(between(self.shown, other.shown, share), skin)
        way.torso = cv2.addWeighted(self.torso, 1 - share, other.torso, share, 0)
        return way

    def moment(
        self, seconds: float, shutter_seconds: float, clock: float | None = None
    ) -> BodyMoment:
        """Position of the body at a time of the clip.

        Parameters
        ----------
        seconds : float
            From the beginning of the clip.
        shutter_seconds : float
            Exposure time, over which moving arms leave a trail.
        clock : float, optional
            When gestures of the present speed would be where they are now
            (`gesture_clock`), in seconds; the time of the clip by default.
        """
        clock = seconds if clock is None else clock
        hands = self._hands(clock), self._hands(clock - shutter_seconds)
        swing = 3 + 44 * amount(self.shown["sway"]) ** 1.5
        sway = swing * np.sin(2 * np.pi * 0.45 * seconds + self.phases[0])
        return BodyMoment(float(sway), *hands)

    def paint(self, canvas, moment: BodyMoment, place, scale: float) -> None:
        """Draw torso and arms.

        Parameters
        ----------
        canvas : (row, column, 3) uint8 ndarray
        moment : BodyMoment
        place : (2,) array
            The base of the neck at rest on the canvas.
        scale : float
            Canvas pixels for one person unit.
        """
        place = np.asarray(place, float)
        self.paint_torso(canvas, moment, place, scale)
        self._arms(canvas, moment, place, scale)
        for lines, strength in (
            (self.arcs + moment.hands[:, None, None], self.shown["gesture_speed"]),
            (self.waves, self.shown["sway"]),
        ):
            bright = 0.9 * amount(strength) ** 1.6
            stroke(canvas, place + scale * lines, (255, 255, 255), 5 * scale, bright)

    def paint_torso(self, canvas, moment: BodyMoment, place, scale: float) -> None:
        """Draw neck and torso alone; parameters as for `paint`."""
        shear = -moment.sway_px / 240  # the seat stays where it is
        start = place - scale * TORSO_ORIGIN
        corner = np.floor(start).astype(int) - (24, 0)
        offset = start - corner
        across = scale * (moment.sway_px - shear * TORSO_ORIGIN[1])
        matrix = np.array(
            [[scale, scale * shear, offset[0] + across], [0, scale, offset[1]]]
        )
        size = (int(TORSO_SIZE[0] * scale) + 48, int(TORSO_SIZE[1] * scale) + 2)
        lay_over(canvas, cv2.warpAffine(self.torso, matrix, size), *corner)

    def _hands(self, seconds: float) -> np.ndarray:
        shown = self.shown
        rest = (70 + 104 * shown["arm_openness"], 150 - 118 * shown["hand_height"])
        if self.thing == "desk":
            rest = (rest[0], rest[1] + BEHIND_DESK)
        size = 4 + 62 * amount(shown["gesture_amplitude"]) ** 1.3
        turn = 2 * np.pi * self.gestures_hz * seconds
        phases = self.phases[1:5].reshape(2, 2)  # (side, axis)
        move = (0.6, 1) * np.sin(turn * np.array((1, 1.3)) + phases)
        return (rest + size * move) * MIRROR

    def _paint_torso(self) -> np.ndarray:
        patch = np.zeros((TORSO_SIZE[1], TORSO_SIZE[0], 4), np.uint8)
        shown, origin, cloth = self.shown, TORSO_ORIGIN, self.cloth
        reach, drop = self.shoulder
        waist = 74 * self.look.build * (1 - 0.26 * shown["lean"])
        raised = 8 - 26 * shown["shoulder_height"]
        half = [(0, -8), (28, -6), (50, raised), (reach - 14, drop - 8)]
        half += [(reach, drop + 16), (reach - 10, drop + 80), (waist, 190)]
        half += [(waist + 6, 360), (0, 360)]
        fill(patch, limb((0, -50), (0, 14), 30, 36) + origin, shade(self.skin, 0.8))
        fill(patch, curve(mirrored(half), closed=True) + origin, cloth)
        fill(patch, limb((0, -40), (0, 0), 29, 31) + origin, shade(self.skin, 0.82))
        glow(patch, origin + (0, -34), (40, 24), shade(self.skin, 0.4), 0.9)
        dark, bright = shade(cloth, 0.55), mix(cloth, (255, 255, 255), 0.35)
        glow(patch, origin + (reach * 0.75, 150), (46, 130), dark, 0.65)
        glow(patch, origin + (-reach * 0.45, 70), (42, 60), bright, 0.5)
        hollow = amount(shown["slump"])
        glow(patch, origin + (0, 150), (60, 26), dark, 0.9 * hollow**1.5)
        for row in range(3):
            fold = curve([(-54, 146 + 26 * row), (0, 168 + 26 * row)])
            fold = np.concatenate([fold, fold[::-1] * (-1, 1)])
            stroke(patch, fold + origin, shade(dark, 0.8), 4, 0.8 * hollow**1.5)
        self._collar(patch)
        return patch

    def _collar(self, patch: np.ndarray) -> None:
        """From a hooded top to jacket, shirt and tie."""
        formal, cloth = amount(self.shown["garment_formality"]), self.cloth
        origin, dark = TORSO_ORIGIN, shade(self.cloth, 0.6)
        jacket, hood = np.clip(3 * formal - 1.5, 0, 1), np.clip(1.4 - 3 * formal, 0, 1)
        deep = 26 + 120 * max(0.0, formal - 0.25)
        opening = np.array([(-30, -8), (30, -8), (0, deep)], float) + origin
        fill(patch, opening, shade(self.skin, 0.86))
        fill(patch, opening, (240, 240, 244), jacket)
        tie = np.array([(-8, 6), (8, 6), (13, deep - 18), (0, deep - 2)]) + origin
        tie = np.concatenate([tie, [origin + (-13, deep - 18)]])
        fill(patch, tie, hsv(self.look.garment_hue + 0.5, 0.7, 0.45), jacket)
        for side in (-1, 1):
            s = np.array((side, 1))
            lapel = [(24, -12), (46, 4), (52, 58), (34, 52), (0, deep + 16), (0, deep)]
            fill(patch, np.array(lapel) * s + origin, shade(cloth, 0.72), jacket)
            roll = curve([(0, 34), (34, 24), (48, -4), (36, -26)]) * s
            stroke(patch, roll + origin, mix(cloth, dark, 0.5), 24, hood)
            stroke(patch, roll * 0.94 + origin, shade(cloth, 1.15), 8, hood)
            cord = curve([(12, 38), (15, 70), (13, 104)]) * s
            stroke(patch, cord + origin, (240, 238, 232), 4, hood)
        pocket = curve([(-46, 226), (-34, 184), (34, 184), (46, 226)], per_segment=3)
        stroke(patch, pocket + origin, dark, 4, hood)

    def _arms(self, canvas, moment: BodyMoment, place, scale: float) -> None:
        """Both arms as (side, point, axis) or more, each with its trail behind it."""
        trail = np.array((*TRAIL, 0.0))[:, None]
        moved = (moment.hands_before - moment.hands)[:, None]
        hands = moment.hands[:, None] + trail * moved  # (side, moment, axis)
        shoulders = (self.shoulder - (14, 0)) * MIRROR + (moment.sway_px, 16)
        shoulders = shoulders[:, None]
        elbows = bend(shoulders, hands, MIRROR[:, :1])
        wrists = elbows + 0.84 * (hands - elbows)
        elbow, wrist, hand = elbows[:, -1:], wrists[:, -1:], hands[:, -1:]
        ahead = hand - wrist
        ahead /= np.maximum(np.linalg.norm(ahead, axis=2, keepdims=True), 1e-6)

        def put(points):
            return place + scale * points

        ghosts = put(limb(elbows, wrists, 22, 16)), put(self.ghost + hands[:, :, None])
        rim = np.array((RIM, 0.0))
        upper = put(limb(shoulders, elbow, 27 + rim, 22 + rim))
        lower = put(limb(elbow, wrist, 22 + rim, 16 + rim))
        fingers = put(hand[:, :, None] + turned(self.hand * FINGERS, ahead))
        shine = np.stack([shoulders, elbow, elbow, wrist], axis=2)
        shine = put(shine - ((8, 0), (7, 0), (6, 2), (5, 2))).reshape(2, 2, 2, 2)
        for index, side in enumerate((-1, 1)):
            cloth = shade(self.cloth, 0.95 - 0.12 * side)
            for forearm, palm in zip(*(g[index, :-1] for g in ghosts), strict=True):
                fill(canvas, forearm, cloth, 0.28)
                fill(canvas, palm, self.skin, 0.28)
            for outlines in (upper[index], lower[index]):
                fill(canvas, outlines[0], shade(self.cloth, 0.55))
                fill(canvas, outlines[1], cloth)
            light = mix(cloth, (255, 255, 255), 0.22)
            stroke(canvas, shine[index], light, 7.5 * scale)
            for outline, colour in zip(fingers[index], self.inks, strict=True):
                fill(canvas, outline, colour)

    def _motion_lines(self) -> tuple[np.ndarray, np.ndarray]:
        """What comics draw beside things that move, for a picture that stands still.

        Arcs beside the hands: bright where gestures are fast, long where they are wide.
        Waves beside the shoulders: bright where the body sways. Both are (side, line,
        point, axis), the arcs around a hand.
        """
        wide = 0.25 + 1.0 * amount(self.shown["gesture_amplitude"])
        angles = np.linspace(-wide, wide, 9)
        arc = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        arcs = np.array((46, 60, 74))[:, None, None] * arc
        if self.thing == "desk":
            arcs = arcs - (0, 2 * BEHIND_DESK)
        down = np.linspace(-60, 30, 13)
        wave = np.stack([6 * np.sin(down / 7), down], axis=1) + self.shoulder
        waves = wave + np.array(((26, -20), (44, -20)))[:, None]
        return tuple(lines * MIRROR[:, None, None] for lines in (arcs, waves))

    def _hand(self) -> tuple[np.ndarray, list[Colour]]:
        """Outlines of a hand, (shape, point, axis), that points along x; their colours.

        Rim and skin of each finger, one after the other, so that the rims part them.
        """
        open_share = amount(self.shown["hand_opening"])
        length = 4 + 54 * open_share
        across = np.array((-1.0, -0.34, 0.34, 1.0))
        spread = 0.95 * open_share * across
        roots = np.stack([np.full(4, 11.0), 15 * across], axis=1)
        tips = roots + length * np.stack([np.cos(spread), np.sin(spread)], axis=1)
        thumb = np.array((0.0, -14.0))
        roots = np.concatenate([roots, [thumb]])
        tips = np.concatenate([tips, [thumb + 0.6 * length * np.array((0.6, -1))]])
        rim = np.array((1.3, 0.0))
        near, far = np.array((8, 8, 8, 8, 7)), np.array((7, 7, 7, 7, 6))
        fingers = limb(
            roots[:, None], tips[:, None], near[:, None] + rim, far[:, None] + rim
        ).reshape(-1, LIMB_POINTS, 2)
        palm, around = (oval((0, 0), (r, r), points=LIMB_POINTS) for r in (23, 24.3))
        dark = shade(self.skin, 0.6)
        inks = [dark, *5 * (dark, self.skin), shade(self.skin, 0.97)]
        return np.concatenate([[around], fingers, [palm]]), inks


def gesture_clock(gestures_hz: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """When gestures of each frame's speed would be where they are, (frame,) seconds.

    Gestures whose speed changes go on from where they are. For a constant speed this
    is the time itself.

    Parameters
    ----------
    gestures_hz, seconds : (frame,) ndarray
    """
    steps, mean = np.diff(seconds), (gestures_hz[1:] + gestures_hz[:-1]) / 2
    ahead = [
        steps[:frame] @ (mean[:frame] - now) / now
        for frame, now in enumerate(gestures_hz)
    ]
    return seconds + ahead


def bend(shoulder: np.ndarray, hand: np.ndarray, side: int) -> np.ndarray:
    """Where the elbow is, bent outwards.

    Parameters
    ----------
    shoulder, hand : (..., 2) ndarray
    side : (...) array
        -1 for the arm on the left of the picture, 1 for the one on the right.

    Returns
    -------
    (..., 2) ndarray
        At `UPPER_ARM` from the shoulder and `FOREARM` from the hand wherever a hand so
        far away can be reached; otherwise on the line between, in proportion.
    """
    way = hand - shoulder
    far = np.linalg.norm(way, axis=-1)
    ahead = way / np.maximum(far, 1e-6)[..., None]
    reached = np.maximum(far, max(abs(UPPER_ARM - FOREARM), 1e-6))
    along = (UPPER_ARM**2 - FOREARM**2 + reached**2) / (2 * reached)
    longest = UPPER_ARM + FOREARM
    along = np.where(far < longest, along, far * UPPER_ARM / longest)
    across = np.sqrt(np.maximum(0, UPPER_ARM**2 - along**2))
    normal = ahead[..., ::-1] * (-1, 1)
    outwards = np.where(side * normal[..., 0] + 0.35 * normal[..., 1] > 0, 1, -1)
    return shoulder + along[..., None] * ahead + (outwards * across)[..., None] * normal
