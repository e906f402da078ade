"""Frames of a drawn person: room, body and head put together and moved in time."""

from dataclasses import dataclass, replace

import cv2
import numpy as np

from sslmepr.simulation import body, face, scene
from sslmepr.simulation.body import BODY_CONTROLS, BodyPainter, gesture_clock
from sslmepr.simulation.controls import Controls, course
from sslmepr.simulation.cover import paint_desk, spoiled
from sslmepr.simulation.face import FACE_CONTROLS, FaceMoment, FacePainter
from sslmepr.simulation.head import (
    ORIGIN,
    PATCH_SIZE,
    paint_back_hair,
)
from sslmepr.simulation.look import Look, draw_look
from sslmepr.simulation.paint import lay_over
from sslmepr.simulation.scene import (
    SCENE_CONTROLS,
    STAGE_HEIGHT,
    DomainLook,
    paint_backdrop,
    paint_scene,
)
from sslmepr.simulation.signs import Signs

__all__ = [
    "BODY_CONTROLS",
    "Controls",
    "DomainLook",
    "EMOTION_AXES",
    "FACE_CONTROLS",
    "Look",
    "SCENE_CONTROLS",
    "SECOND_EMOTION_AXES",
    "Signs",
    "TRAIT_AXES",
    "draw_look",
    "render_frames",
]

EMOTION_AXES = {
    "face": face.EMOTION_AXES,
    "body": body.EMOTION_AXES,
    "scene": scene.EMOTION_AXES,
}
"""Channel to (control, emotion of `SCORED_EMOTIONS`)."""

SECOND_EMOTION_AXES = {
    "face": face.SECOND_EMOTION_AXES,
    "body": body.SECOND_EMOTION_AXES,
}
"""The same for the second form of emotions; a room has one form."""

TRAIT_AXES = {
    "face": face.TRAIT_AXES,
    "body": body.TRAIT_AXES,
    "scene": scene.TRAIT_AXES,
}
"""Channel to (control, trait)."""

NECK = 112
"""From the middle of the face to the base of the neck, in units of a head's patch."""

HEAD_TOP = 136
"""From the upper edge to the middle of the face, where a frame is 512 high."""

PERSON_SCALE = 0.84
"""Size of a person at framing 1, where a frame is 512 high."""

FACE_BLUR, BODY_BLUR = 5.0, 8.0
"""Blur at loss 1, in person units (standard deviation)."""

ROOM_BLUR = 0.022
"""The same of the room, in heights of the frame."""

BODY_ALONE, NECK_ALONE = 1.85, 4.0
"""Where the head is not seen: framing at which a body reaches the lower edge, and where
its neck ends below the upper edge, of a frame 512 high."""

HEAD_ALONE = 2.7
"""Framing where neither body nor room is seen."""

PERSON_ALONE, HIGHEST = 1.65, 128.0
"""Where no room is seen: framing from which a person fills the picture, and lowest
place of the middle of the face, so that hands are seen."""

CHIN = 98.0
"""From the middle of the face to below the chin, in units of a head's patch."""

SHUTTER_SECONDS = 0.14
"""How far back the trail of a moving arm reaches; long, so that speed can be seen."""

_PLAIN = Signs()


def render_frames(
    look: Look,
    controls: Controls,
    frame_count: int,
    frames_per_second: float,
    width: int,
    height: int,
    domain: DomainLook,
    seed: int,
    speech_envelope: np.ndarray | None = None,
    signs: Signs = _PLAIN,
) -> np.ndarray:
    """Draw a clip.

    Without a face the head is above the picture, without a body it is at its lower
    edge, and without a scene the person fills the picture before a bare wall. Feature
    extraction (`sslmepr.media.regions.lacking_regions`) then finds no body and no
    scene; but where it finds no face it finds no body either, and where there is no
    person it takes a bare wall for a scene.

    Parameters
    ----------
    look : Look
    controls : Controls
    frame_count : int
    frames_per_second : float
    width, height : int
        Of a frame, in pixels.
    domain : DomainLook
    seed : int
        Of everything that look and controls leave open: objects, blinks, movements.
    speech_envelope : (frame,) ndarray, optional
        Loudness of the voice in 0..1, which opens the mouth; None is silence.
    signs : Signs
        Loss of face, body and scene, a thing that hides controls, absent modalities.

    Returns
    -------
    (frame, row, column, 3) uint8 ndarray
        RGB.

    Raises
    ------
    ValueError
        If a size is not positive or an array does not have the length that it must.
    """
    if min(frame_count, frames_per_second, width, height) <= 0:
        raise ValueError(
            "frame_count, frames_per_second, width and height must be positive, got "
            f"{frame_count}, {frames_per_second}, {width}, {height}"
        )
    speech = _speech(speech_envelope, frame_count)
    rng = np.random.default_rng(seed)
    stage_width = round(STAGE_HEIGHT * width / height)
    if "scene" in signs.absent:
        room = paint_backdrop(stage_width)
    else:
        room = paint_scene(_single(controls.scene), domain, stage_width, rng)
    room = cv2.resize(room, (width, height), interpolation=cv2.INTER_AREA)
    room = spoiled(room, signs.loss.get("scene", 0.0), ROOM_BLUR * height)
    frames = np.repeat(room[None], frame_count, axis=0)
    if signs.absent >= {"face", "body"}:
        return frames
    camera = _camera(domain.framing, signs.absent)
    person = _Person(look, controls, camera, signs, (width, height), frame_count, rng)
    seconds = np.arange(frame_count) / frames_per_second
    lids = _blinks(seconds, rng)
    clock = gesture_clock(np.array([b.gestures_hz for b in person.bodies]), seconds)
    for index, second in enumerate(seconds):
        person.paint(
            frames[index], index, second, clock[index], lids[index], speech[index]
        )
    return frames


def _single(values: np.ndarray) -> np.ndarray:
    """The controls of a channel that does not change over a clip."""
    values = np.atleast_2d(values)
    if len(values) != 1:
        raise ValueError(f"a room has one moment, got controls of {len(values)}")
    return values[0]


@dataclass(frozen=True)
class _Camera:
    """Size of a person, and height of the middle of the face, on the stage."""

    framing: float
    face: float


def _camera(framing: float, absent: frozenset[str]) -> _Camera:
    """Where a camera looks that does not see what is absent."""
    if "face" in absent:
        return _Camera(BODY_ALONE, NECK_ALONE - PERSON_SCALE * BODY_ALONE * NECK)
    if "body" in absent:
        framing = HEAD_ALONE if "scene" in absent else framing
        return _Camera(framing, STAGE_HEIGHT - PERSON_SCALE * framing * CHIN)
    if "scene" in absent:
        framing = max(framing, PERSON_ALONE)
        return _Camera(framing, min(HEAD_TOP * framing, HIGHEST))
    return _Camera(framing, HEAD_TOP * framing)


class _Person:
    """Head and body of one clip, and how they move."""

    def __init__(self, look, controls, camera, signs, size, frame_count, rng):
        unit = size[1] / STAGE_HEIGHT
        self.scale = PERSON_SCALE * camera.framing * unit
        self.absent, self.loss = signs.absent, signs.loss
        if "body" in self.absent:
            controls = replace(controls, body=np.zeros(len(BODY_CONTROLS)))
        phases = rng.uniform(0, 2 * np.pi, 12)
        self.faces, self.bodies = _painters(
            look, controls, signs.thing, phases[:6], frame_count
        )
        self.phases = phases[6:]
        self.back_hair = paint_back_hair(look)
        across = size[0] / 2 + unit * rng.normal(0, 6)
        self.head = np.array((across, unit * (camera.face + rng.normal(0, 2))))
        self.neck = self.head + (0, self.scale * NECK)
        self.desk = None
        if signs.thing == "desk" and "body" not in signs.absent:
            self.desk = paint_desk(size, self.neck, self.scale)

    def paint(self, canvas, index, second, clock, lids, speech) -> None:
        body = self.bodies[index]
        moment = body.moment(second, SHUTTER_SECONDS, clock)
        waves = np.sin(2 * np.pi * second * np.array((0.9, 0.7, 1.3)) + self.phases[:3])
        drop = self.scale * (body.head_drop_px + 1.5 * waves[0])
        place = self.head + (self.scale * moment.sway_px, drop)
        roll = 2.0 * waves[1] + 0.2 * moment.sway_px
        glance = (2.2 * np.round(waves[2]), 0.0)
        expression = FaceMoment(lids, glance, 1.5 * waves[0], speech)
        if self.back_hair is not None and "face" not in self.absent:
            self._lay_head(canvas, self.back_hair, place, roll)
        self._lay_body(canvas, body, moment)
        if self.desk is not None:
            lay_over(canvas, self.desk, 0, 0)
        if "face" in self.absent:
            return
        self._lay_head(canvas, self.faces[index].paint(expression), place, roll)

    def _lay_body(self, canvas, body, moment) -> None:
        loss = self.loss.get("body", 0.0)
        if "body" in self.absent:
            body.paint_torso(canvas, moment, self.neck, self.scale)
        elif not loss:
            body.paint(canvas, moment, self.neck, self.scale)
        else:
            layer = np.zeros((*canvas.shape[:2], 4), np.uint8)
            body.paint(layer, moment, self.neck, self.scale)
            lay_over(canvas, spoiled(layer, loss, BODY_BLUR * self.scale), 0, 0)

    def _lay_head(self, canvas, patch, place, roll_degrees) -> None:
        """Turn a patch about the chin, scale it and put it in its place."""
        corner = np.floor(place - self.scale * ORIGIN).astype(int)
        pivot = ORIGIN + (0, 70)
        matrix = cv2.getRotationMatrix2D(tuple(pivot), -roll_degrees, self.scale)
        matrix[:, 2] += place + self.scale * (pivot - ORIGIN) - pivot - corner
        size = tuple(int(np.ceil(self.scale * side)) + 2 for side in PATCH_SIZE)
        layer = cv2.warpAffine(patch, matrix, size)
        layer = spoiled(layer, self.loss.get("face", 0.0), FACE_BLUR * self.scale)
        lay_over(canvas, layer, *corner)


def _painters(look, controls, thing, phases, frame_count):
    """Of face and body in every frame; equal moments share theirs."""
    faces, bodies = np.atleast_2d(controls.face), np.atleast_2d(controls.body)
    moments = max(len(faces), len(bodies))
    faces, bodies = (np.repeat(x, moments // len(x), axis=0) for x in (faces, bodies))
    if len(faces) != len(bodies):
        raise ValueError(
            f"controls of {len(faces)} moments of a face, of {len(bodies)} of a body"
        )
    made: dict[bytes, tuple[FacePainter, BodyPainter]] = {}
    for face_controls, body_controls in zip(faces, bodies, strict=True):
        key = face_controls.tobytes() + body_controls.tobytes()
        if key not in made:
            head = FacePainter(look, face_controls, thing)
            body = BodyPainter(look, body_controls, head.skin, phases, thing)
            made[key] = head, body
    at = [made[f.tobytes() + b.tobytes()] for f, b in zip(faces, bodies, strict=True)]
    way = [
        [
            here.towards(there, share)
            for here, there in zip(at[k], at[min(k + 1, moments - 1)], strict=True)
        ]
        for k, share in zip(*course(moments, frame_count), strict=True)
    ]
    return zip(*way, strict=True)


def _speech(envelope: np.ndarray | None, frame_count: int) -> np.ndarray:
    if envelope is None:
        return np.zeros(frame_count)
    envelope = np.asarray(envelope, float)
    if envelope.shape != (frame_count,):
        raise ValueError(
            f"speech_envelope has shape {envelope.shape}, "
            f"but there are {frame_count} frames"
        )
    return np.clip(envelope, 0, 1)


def _blinks(seconds: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share to which the lids are open in every frame: a blink every few seconds."""
    lids = np.ones(len(seconds))
    moment = rng.uniform(0.3, 2.5)
    while moment < seconds[-1] + 0.2:
        lids = np.minimum(lids, np.abs(seconds - moment) / 0.12)
        moment += rng.uniform(2.0, 4.0)
    return np.clip(lids, 0.08, 1)
