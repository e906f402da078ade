"""Frames of a drawn person: room, body and head put together and moved in time."""

import cv2
import numpy as np

from sslmepr.simulation import body, face, scene
from sslmepr.simulation.body import BODY_CONTROLS, BodyPainter
from sslmepr.simulation.controls import Controls
from sslmepr.simulation.face import FACE_CONTROLS, FaceMoment, FacePainter
from sslmepr.simulation.head import ORIGIN, PATCH_SIZE, paint_back_hair
from sslmepr.simulation.look import Look, draw_look
from sslmepr.simulation.paint import lay_over
from sslmepr.simulation.scene import (
    SCENE_CONTROLS,
    STAGE_HEIGHT,
    DomainLook,
    paint_scene,
)

__all__ = [
    "BODY_CONTROLS",
    "Controls",
    "DomainLook",
    "EMOTION_AXES",
    "FACE_CONTROLS",
    "Look",
    "SCENE_CONTROLS",
    "SECOND_EMOTION_AXES",
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

SHUTTER_SECONDS = 0.14
"""How far back the trail of a moving arm reaches; long, so that speed can be seen."""


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
) -> np.ndarray:
    """Draw a clip.

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
    room = paint_scene(controls.scene, domain, stage_width, rng)
    room = cv2.resize(room, (width, height), interpolation=cv2.INTER_AREA)
    person = _Person(look, controls, domain.framing, (width, height), rng)
    seconds = np.arange(frame_count) / frames_per_second
    lids = _blinks(seconds, rng)
    frames = np.repeat(room[None], frame_count, axis=0)
    for index, second in enumerate(seconds):
        person.paint(frames[index], second, lids[index], speech[index])
    return frames


class _Person:
    """Head and body of one clip, and how they move."""

    def __init__(self, look, controls, framing, size, rng):
        unit = size[1] / STAGE_HEIGHT
        self.scale = PERSON_SCALE * framing * unit
        self.face = FacePainter(look, controls.face)
        phases = rng.uniform(0, 2 * np.pi, 12)
        self.body = BodyPainter(look, controls.body, self.face.skin, phases[:6])
        self.phases = phases[6:]
        self.back_hair = paint_back_hair(look)
        across = size[0] / 2 + unit * rng.normal(0, 6)
        self.head = np.array((across, unit * (HEAD_TOP * framing + rng.normal(0, 2))))
        self.neck = self.head + (0, self.scale * NECK)

    def paint(self, canvas, second, lids, speech) -> None:
        moment = self.body.moment(second, SHUTTER_SECONDS)
        waves = np.sin(2 * np.pi * second * np.array((0.9, 0.7, 1.3)) + self.phases[:3])
        drop = self.scale * (self.body.head_drop_px + 1.5 * waves[0])
        place = self.head + (self.scale * moment.sway_px, drop)
        roll = 2.0 * waves[1] + 0.2 * moment.sway_px
        glance = (2.2 * np.round(waves[2]), 0.0)
        expression = FaceMoment(lids, glance, 1.5 * waves[0], speech)
        if self.back_hair is not None:
            self._lay_head(canvas, self.back_hair, place, roll)
        self.body.paint(canvas, moment, self.neck, self.scale)
        self._lay_head(canvas, self.face.paint(expression), place, roll)

    def _lay_head(self, canvas, patch, place, roll_degrees: float) -> None:
        """Turn a patch about the chin, scale it and put it in its place."""
        corner = np.floor(place - self.scale * ORIGIN).astype(int)
        pivot = ORIGIN + (0, 70)
        matrix = cv2.getRotationMatrix2D(tuple(pivot), -roll_degrees, self.scale)
        matrix[:, 2] += place + self.scale * (pivot - ORIGIN) - pivot - corner
        size = tuple(int(np.ceil(self.scale * side)) + 2 for side in PATCH_SIZE)
        lay_over(canvas, cv2.warpAffine(patch, matrix, size), *corner)


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
