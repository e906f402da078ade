"""MM-OCEAN (Kang et al. 2026): clips of First Impressions, described in words.

Observers noted what they saw and heard of each clip, with times, in four channels:
Expression, Action, Background and Audio. People checked the notes. Beside them stand
the transcript and the trait scores of First Impressions. The published files hold more:
analyses of personality and questions about it, which were *written from the labels*.
They are dropped as a file is opened, before anything can read them.

Most of its videos have clips in First Impressions' training and validation, too, so no
study may have both corpora (`sslmepr.params.study`).
"""

import json
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.corpora.fiv2 import (
    PUBLISHED_NAMES,
    clean_transcript,
    video_of,
)
from sslmepr.corpora.schema import COLUMNS, CorpusError, validate
from sslmepr.corpora.splits import split_by_hash
from sslmepr.labels import TRAIT_COLUMNS, TRAITS

CHANNELS = {
    "face": "Expression",
    "body": "Action",
    "scene": "Background",
    "audio": "Audio",
}
"""Modality to what MM-OCEAN calls the channel that describes it."""

SHARES = (60, 20)
"""Of 100 videos, those in train and in dev; the others are in test."""

READ_KEYS = ("video_id", "transcription", "original_scores", "observations")
"""What is taken from a file; all else is dropped unread."""


class Observation(NamedTuple):
    """One note about a clip.

    Attributes
    ----------
    channel : str
    start_seconds, end_seconds : float
        From the start of the clip.
    text : str
        One sentence or several.
    place : str
        File and line, or number in the file, for messages.
    """

    channel: str
    start_seconds: float
    end_seconds: float
    text: str
    place: str


def read_mm_ocean(folder: str | Path) -> pd.DataFrame:
    """The clip table of MM-OCEAN.

    Every ``.json`` file below the folder is a clip. Each video is assigned to train,
    dev or test by a hash of its name, so that its split does not depend on which of the
    published files are there. ``speaker_id`` is the video.

    Parameters
    ----------
    folder : path

    Raises
    ------
    CorpusError
        If there is no file, or one is not built as published; it names the file.
    """
    folder = Path(folder)
    paths = sorted(each for each in folder.rglob("*.json") if each.is_file())
    if not paths:
        raise CorpusError(f"MM-OCEAN: expected .json files in {folder}; found none")
    rows, seen = [], {}
    for path in paths:
        content = load_clip(path)
        name = content["video_id"]
        if name in seen:
            raise CorpusError(f"{seen[name]} and {path}: both are about clip {name!r}")
        seen[name] = path
        rows.append(_row(content, path))
    return validate(pd.DataFrame(rows, columns=list(COLUMNS)), f"MM-OCEAN in {folder}")


def load_clip(path: Path) -> dict:
    """What a file says of its clip, under `READ_KEYS` alone.

    Raises
    ------
    CorpusError
        If it is no JSON, or lacks one of these keys.
    """
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise CorpusError(f"{path}: not readable as JSON: {error}") from None
    if not isinstance(content, dict):
        raise CorpusError(f"{path}: holds no clip, as MM-OCEAN publishes them")
    lacking = [key for key in READ_KEYS if key not in content]
    if lacking:
        raise CorpusError(f"{path}: has no {', '.join(lacking)}; MM-OCEAN's files have")
    content = {key: content[key] for key in READ_KEYS}
    for key in ("video_id", "transcription"):
        if not isinstance(content[key], str):
            raise CorpusError(f"{path}: {key} is no text: {content[key]!r}")
    return content


def read_observations(path: Path) -> tuple[str, list[Observation]]:
    """Name of a file's clip, and all that is noted of it.

    Raises
    ------
    CorpusError
        As `load_clip`; and if an observation lacks a part, or one is of a wrong kind.
    """
    content = load_clip(path)
    notes = content["observations"]
    if not isinstance(notes, list):
        raise CorpusError(f"{path}: observations is no list")
    found = []
    for number, each in enumerate(notes, 1):
        where = f"{path.name}, observation {number}"
        try:
            parts = [
                each[key]
                for key in ("dimension", "start_time", "end_time", "description")
            ]
        except (KeyError, TypeError):
            raise CorpusError(
                f"{path.parent / where}: has not dimension, start_time, end_time and "
                "description"
            ) from None
        found.append(Observation(*parts, where))
    return content["video_id"], found


def _row(content: dict, path: Path) -> dict:
    scores = content["original_scores"]
    lacking = [
        name
        for name in PUBLISHED_NAMES.values()
        if not isinstance(scores, dict)
        or isinstance(scores.get(name), bool)
        or not isinstance(scores.get(name), int | float)
    ]
    if lacking:
        raise CorpusError(f"{path}: original_scores has no number {', '.join(lacking)}")
    video = video_of(content["video_id"], path)
    traits = {
        column: float(scores[PUBLISHED_NAMES[trait]])
        for trait, column in zip(TRAITS, TRAIT_COLUMNS, strict=True)
    }
    return {
        "clip_id": content["video_id"],
        "speaker_id": video,
        "split": split_by_hash(video, *SHARES),
        "transcript": clean_transcript(content["transcription"]) or None,
        **traits,
    }
