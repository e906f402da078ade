"""Face, body and scene of every frame, and how each of them was found.

One person is followed through the clip, whoever else is seen. Where the face is not
detected in a frame something else stands in for it, as in the published method, and its
provenance says so. A clip that never shows a face has none: :func:`lacking_regions`.
"""

from itertools import pairwise

import numpy as np
import pandas as pd

from sslmepr.labels import VISUAL_MODALITIES

PROVENANCES = ("detected", "person", "full_frame")
COLUMNS = (
    *("frame", "modality", "provenance"),
    *("left", "top", "right", "bottom", "score", "faces"),
)

MAX_GAP_FRAMES = 2
"""A face missing for longer may have left: its place is not guessed."""

MAX_HIDDEN = 0.95
"""A person who covers more of the picture leaves no scene to see."""

MIN_BODY = 0.4
"""So much of the picture, in heights of the face, must lie below a face to show a body.
"""

GREY = 128


def find_regions(images: np.ndarray, faces: list[np.ndarray]) -> pd.DataFrame:
    """Where face, body and scene lie in each frame of a clip.

    With a detected face, the face is `detected` and the body the `person` region
    around it. A face missing for at most two frames is interpolated to find the person
    region, which then stands in for the face too (`person`). Without a face, both are
    the `full_frame`. The scene always is.

    Parameters
    ----------
    images : (frame, height, width, channel) np.ndarray
    faces : list of (face, 5) np.ndarray
        Detections per frame: left, top, right, bottom in px, score.

    Returns
    -------
    DataFrame
        ``frame, modality, provenance, left, top, right, bottom, score, faces``: one row
        per frame and visual modality, boxes in px of the image, score NaN where nothing
        was detected, and how many faces the frame shows.
    """
    frames, height, width = images.shape[:3]
    track = follow_person(faces)
    guessed = _interpolate(track)
    rows = []
    for frame in range(frames):
        whole = (0.0, 0.0, float(width), float(height))
        face = body = ("full_frame", *whole, np.nan)
        if frame in track:
            face = ("detected", *map(float, track[frame]))
            body = ("person", *person_region(track[frame], height, width), np.nan)
        elif frame in guessed:
            body = ("person", *person_region(guessed[frame], height, width), np.nan)
            face = body
        scene = ("full_frame", *whole, np.nan)
        for modality, region in zip(
            VISUAL_MODALITIES, (face, body, scene), strict=True
        ):
            rows.append((frame, modality, *region, len(faces[frame])))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def follow_person(faces: list[np.ndarray]) -> dict[int, np.ndarray]:
    """The detections of the person who dominates a clip.

    Faces are linked to the track whose last face is nearest, if it is about as large
    and no further away than a face's width per frame passed. The track with the
    largest sum of score times width is the person's.

    Parameters
    ----------
    faces : list of (face, 5) np.ndarray
        Detections per frame.

    Returns
    -------
    dict of int to (5,) np.ndarray
        Frame to face; frames without one are absent.
    """
    tracks: list[dict[int, np.ndarray]] = []
    for frame, found in enumerate(faces):
        pairs = sorted(
            (distance, t, f)
            for t, track in enumerate(tracks)
            for f, face in enumerate(found)
            if (distance := _distance(track, face, frame)) is not None
        )
        used_tracks, used_faces = set(), set()
        for _, t, f in pairs:
            if t not in used_tracks and f not in used_faces:
                tracks[t][frame] = found[f]
                used_tracks.add(t)
                used_faces.add(f)
        tracks += [{frame: x} for f, x in enumerate(found) if f not in used_faces]
    return max(tracks, key=_dominance, default={})


def _distance(track: dict[int, np.ndarray], face: np.ndarray, frame: int):
    """Centre distance in face widths, or None where the two cannot be one person."""
    last_frame = max(track)
    last = track[last_frame]
    (x, y, width), (last_x, last_y, last_width) = _centre(face), _centre(last)
    distance = float(np.hypot(x - last_x, y - last_y)) / max(width, last_width)
    near = distance <= 1.0 * (frame - last_frame)
    alike = 0.5 <= width / last_width <= 2.0
    return distance if near and alike else None


def _centre(box: np.ndarray) -> tuple[float, float, float]:
    left, top, right, bottom = map(float, box[:4])
    return (left + right) / 2, (top + bottom) / 2, right - left


def _dominance(track: dict[int, np.ndarray]) -> float:
    return sum(float(face[4] * (face[2] - face[0])) for face in track.values())


def _interpolate(track: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Boxes for the frames between two detections that are not far apart."""
    guessed = {}
    for before, after in pairwise(sorted(track)):
        if after - before - 1 <= MAX_GAP_FRAMES:
            for frame in range(before + 1, after):
                share = (frame - before) / (after - before)
                guessed[frame] = (1 - share) * track[before] + share * track[after]
    return guessed


def person_region(face: np.ndarray, height: int, width: int) -> tuple[float, ...]:
    """Head, shoulders, arms and trunk, from the proportions of an adult body.

    About eight heads make a standing body and two to three heads the shoulders' width;
    the region leaves room for the arms. It is cut at the edges of the image.

    Parameters
    ----------
    face : (4 or 5,) np.ndarray
        Left, top, right, bottom in px.
    height, width : int
        Of the image, px.
    """
    left, top, right, bottom = map(float, face[:4])
    face_width, face_height = right - left, bottom - top
    return (
        max(0.0, left - 1.75 * face_width),
        max(0.0, top - 0.6 * face_height),
        min(float(width), right + 1.75 * face_width),
        min(float(height), bottom + 6.0 * face_height),
    )


def lacking_regions(regions: pd.DataFrame, mask_person: bool) -> dict[str, str]:
    """What the frames of a clip do not show, and why.

    Parameters
    ----------
    regions : DataFrame
        From :func:`find_regions`.
    mask_person : bool
        Whether the scene is shown without the person.

    Returns
    -------
    dict of str to str
        Modality to reason. Face and body are lacking if no frame shows a face, the
        body if at least half of the faces lie at the lower edge (`MIN_BODY`), the
        scene if the person covers more than `MAX_HIDDEN` of at least half of the
        frames.
    """
    boxes = regions.set_index("modality")
    face, body, scene = (boxes.loc[[name]] for name in VISUAL_MODALITIES)
    is_person = body["provenance"].eq("person").to_numpy()
    if not is_person.any():
        return dict.fromkeys(("face", "body"), "no person was found")
    lacking = {}
    heights = (face["bottom"] - face["top"]).to_numpy()
    below = (scene["bottom"].to_numpy() - face["bottom"].to_numpy()) / heights
    if np.mean(below[face["provenance"].eq("detected").to_numpy()] < MIN_BODY) >= 0.5:
        lacking["body"] = "only the head is in the picture"
    hidden = _areas(body) / _areas(scene) > MAX_HIDDEN
    if mask_person and np.mean(hidden & is_person) >= 0.5:
        lacking["scene"] = "the person covers the whole picture"
    return lacking


def _areas(boxes: pd.DataFrame) -> np.ndarray:
    width, height = boxes["right"] - boxes["left"], boxes["bottom"] - boxes["top"]
    return (width * height).to_numpy()


def crop_regions(
    images: np.ndarray, regions: pd.DataFrame, mask_person: bool
) -> dict[str, list[np.ndarray]]:
    """Cut the regions out of their frames.

    Parameters
    ----------
    images : (frame, height, width, channel) uint8 np.ndarray
    regions : DataFrame
        From :func:`find_regions`.
    mask_person : bool
        Whether the scene shows grey where the person is. A person who was not found
        cannot be masked.

    Returns
    -------
    dict of str to list of (height, width, channel) uint8 np.ndarray
        Modality to one crop per frame; crops are views of `images` where possible.
    """
    crops = {modality: [] for modality in VISUAL_MODALITIES}
    person = {}
    for row in regions.itertuples():
        image = images[row.frame]
        part = _pixels(row, image.shape)
        if row.modality == "body" and row.provenance == "person":
            person[row.frame] = part
        if row.modality == "scene" and mask_person and row.frame in person:
            image = image.copy()
            image[person[row.frame]] = GREY
        crops[row.modality].append(image[part])
    return crops


def _pixels(row, shape) -> tuple[slice, slice]:
    """The whole pixels that a box touches, at least one."""
    height, width = shape[:2]
    top, left = min(int(row.top), height - 1), min(int(row.left), width - 1)
    bottom = max(top + 1, int(np.ceil(row.bottom)))
    return slice(top, bottom), slice(left, max(left + 1, int(np.ceil(row.right))))
