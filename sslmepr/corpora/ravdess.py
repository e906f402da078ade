"""RAVDESS (Livingstone & Russo 2018): acted speech, what is acted in the file names.

A name like ``03-01-05-02-01-01-12.wav`` is seven fields: modality (01 audio-visual, 02
video, 03 audio), vocal channel (01 speech, 02 song), emotion, intensity (01 normal, 02
strong), statement, repetition, actor. Actors never cross splits.
"""

import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import COLUMNS, CorpusError, validate
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS

EMOTION_NAMES = {
    "01": "neutral",
    "02": "neutral",  # calm, the authors' second baseline condition
    "03": "happiness",
    "04": "sadness",
    "05": "anger",
    "06": "fear",
    "07": "disgust",
    "08": "surprise",
}
"""RAVDESS's emotions to ours."""

PUBLISHED_EMOTIONS = (
    "neutral",
    "calm",
    "happy",
    "sad",
    "angry",
    "fearful",
    "disgust",
    "surprised",
)
"""RAVDESS's emotions as its authors call and number them, 01 to 08."""

INTENSITIES = {"01": 0.5, "02": 1.0}
"""Acted normally or strongly, as intensity; baseline conditions are acted one way."""

STATEMENTS = {
    "01": "Kids are talking by the door.",
    "02": "Dogs are sitting by the door.",
}

SPLITS = {
    "train": range(1, 13),
    "dev": range(13, 17),
    "test": range(17, 25),
}
"""Actors of each split. The authors publish none; this one is ours."""

PUBLISHED_COUNTS = {
    "clips": {"train": 720, "dev": 240, "test": 480},
    "speakers": {"train": 12, "dev": 4, "test": 8},
}
"""Speech recordings, and actors, of the published corpus: 60 each of 24 actors."""

SUFFIXES = (".wav", ".flac", ".mp4")
_SPEECH, _SOUND = "01", ("03", "01")
_NAME = re.compile(r"\d{2}(?:-\d{2}){6}")
_CLIP_ID = re.compile(r"01-(?P<emotion>\d{2})(?:-\d{2}){4}$")


def read_ravdess(folder: str | Path) -> pd.DataFrame:
    """The clip table of RAVDESS's speech.

    Songs are left out. Where a recording is there as sound alone (modality 03) and with
    picture (01), the latter is taken; video without sound (02) never is.

    Parameters
    ----------
    folder : path
        Holds ``Actor_01`` to ``Actor_24``, or some of them, with ``.wav``, ``.flac`` or
        ``.mp4`` files named as published. What an actor who is there has not is left
        out of the table and named with it.

    Raises
    ------
    CorpusError
        If there is no recording, one is there twice, or a name is not RAVDESS's.
    """
    folder = Path(folder)
    paths = sorted(
        path
        for path in folder.glob("Actor_*/*")
        if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    )
    if not paths:
        raise CorpusError(
            f"RAVDESS: expected Actor_01 and so on with {', '.join(SUFFIXES)} files in "
            f"{folder}; found none"
        )
    chosen: dict[str, tuple[list[str], Path]] = {}
    for path in paths:
        fields = _fields(path)
        if fields[0] not in _SOUND or fields[1] != _SPEECH:
            continue
        clip_id = "-".join(fields[1:])
        known = chosen.get(clip_id)
        if known is not None and known[0] == fields:
            raise CorpusError(f"{path} and {known[1]} are the same recording")
        if known is None or _SOUND.index(fields[0]) > _SOUND.index(known[0][0]):
            chosen[clip_id] = fields, path
    if not chosen:
        raise CorpusError(f"RAVDESS: no speech with sound in {folder}, only others")
    rows = [_row(name, *found, folder) for name, found in sorted(chosen.items())]
    actors = {int(fields[6]) for fields, _ in chosen.values()}
    absent = [name for name in _published(actors) if name not in chosen]
    return validate(
        pd.DataFrame(rows, columns=list(COLUMNS)),
        f"RAVDESS in {folder}",
        left_out=dict.fromkeys(absent, "this recording of its actor is not there"),
    )


def _published(actors: Iterable[int]) -> Iterator[str]:
    """Names, in the clip table, of all 60 recordings of each actor."""
    for actor, emotion in itertools.product(sorted(actors), EMOTION_NAMES):
        intensities = list(INTENSITIES)[: 1 if emotion == "01" else None]
        for rest in itertools.product(intensities, STATEMENTS, ("01", "02")):
            yield "-".join((_SPEECH, emotion, *rest, f"{actor:02d}"))


def published_emotions(clip_ids: Iterable[str]) -> list[str]:
    """RAVDESS's own emotion of each clip, by its name in the clip table."""
    numbers = [int(_CLIP_ID.search(name)["emotion"]) for name in clip_ids]
    return [PUBLISHED_EMOTIONS[number - 1] for number in numbers]


def _fields(path: Path) -> list[str]:
    if not _NAME.fullmatch(path.stem):
        raise CorpusError(
            f"{path}: not named as RAVDESS publishes it, seven numbers of two digits"
        )
    fields = path.stem.split("-")
    for place, known, what in (
        (2, EMOTION_NAMES, "emotion"),
        (3, INTENSITIES, "intensity"),
        (4, STATEMENTS, "statement"),
    ):
        if fields[place] not in known:
            raise CorpusError(f"{path}: {what} {fields[place]} is none of RAVDESS's")
    if not 1 <= int(fields[6]) <= 24:
        raise CorpusError(f"{path}: actor {fields[6]} is none of RAVDESS's 24")
    return fields


def _row(clip_id: str, fields: list[str], path: Path, folder: Path) -> dict:
    actor, emotion = int(fields[6]), EMOTION_NAMES[fields[2]]
    intensity = 1.0 if emotion == "neutral" else INTENSITIES[fields[3]]
    labels = dict.fromkeys(EMOTION_COLUMNS, 0.0)
    labels[EMOTION_COLUMNS[EMOTIONS.index(emotion)]] = intensity
    return {
        "clip_id": clip_id,
        "speaker_id": f"actor-{actor:02d}",
        "split": next(name for name, actors in SPLITS.items() if actor in actors),
        "media": path.relative_to(folder).as_posix(),
        "transcript": STATEMENTS[fields[4]],
        **labels,
    }
