"""ChaLearn First Impressions V2 (Escalante et al. 2020): clips with apparent traits.

Read from the published pickles, through an unpickler that runs nothing; MP4 files
are used when they were unzipped anywhere below the folder. The official split is kept:
training is our train, validation our dev, test our test
(`sslmepr.corpora.splits.hold_out_dev` says what a study without test files does). It
cuts videos apart: most clips of validation and test come from a video that training has
too. The clip table records this (``shared_speakers``): results on this split are
affected by leakage between videos.
"""

import re
from pathlib import Path
from typing import Any

import pandas as pd

from sslmepr.corpora.restricted_pickle import load
from sslmepr.corpora.schema import COLUMNS, CorpusError, validate
from sslmepr.corpora.splits import split_by_hash
from sslmepr.labels import TRAIT_COLUMNS, TRAITS

SPLIT_NAMES = {"train": "training", "dev": "validation", "test": "test"}
"""Our splits to the names that FIv2's files bear."""

PUBLISHED_NAMES = {name: name for name in TRAITS} | {
    "emotional_stability": "neuroticism"
}
"""Our traits to FIv2's. What it calls neuroticism is scored high for *stable* people:
it correlates at +.8 with extraversion. ``interview`` is no trait, and left out."""

PUBLISHED_COUNTS = {"clips": {"train": 6000, "dev": 2000, "test": 2000}}

_CLIP_NAME = re.compile(r"(?P<video>.+)\.\d{3}\.mp4")
_MARK = re.compile(
    r"\[(?P<words>[^\]]*?)\s*(?:\d{1,2}(?::\d{2}){1,3})?\]"  # [word 00:00:05]
    r"|\b\d{2}(?::\d{2}){2}\b"  # 00:00:24
)
_TYPIST = re.compile(
    r"\b(?:inaudible|crosstalk|foreign|lang?uage|phonetic|music)\b", re.IGNORECASE
)


def read_fiv2(folder: str | Path) -> pd.DataFrame:
    """The clip table of FIv2's official split.

    ``speaker_id`` is the YouTube video that the clip was cut from, the closest
    substitute for a person in the published files.

    Parameters
    ----------
    folder : path
        Holds ``annotation_<split>.pkl`` and ``transcription_<split>.pkl`` for
        training, validation and perhaps test. If any clip's MP4 file is below it, each
        clip has one in the table: what is not there is for extraction to record.

    Raises
    ------
    CorpusError
        If a file is missing, holds anything but data, or is not built as published.
    """
    folder = Path(folder)
    missing = [
        path.name
        for split, name in SPLIT_NAMES.items()
        for path in _paths(folder, name)
        if not path.is_file() and (split != "test" or _paths(folder, name)[0].is_file())
    ]
    if missing:
        raise CorpusError(
            f"FIv2: expected {', '.join(missing)} in {folder}; not found there"
        )
    media = {
        path.name: path.relative_to(folder).as_posix()
        for path in sorted(folder.rglob("*.mp4"))
    }
    tables = [
        _read_split(*_paths(folder, name), split, media)
        for split, name in SPLIT_NAMES.items()
        if _paths(folder, name)[0].is_file()
    ]
    return validate(
        pd.concat(tables, ignore_index=True),
        f"FIv2 in {folder}",
        allow_shared_speakers=True,
    )


def read_fiv2_by_video(folder: str | Path) -> pd.DataFrame:
    """The clip table of FIv2 with every video in one split.

    Each video is assigned to train, dev or test (70, 15 and 15 of 100) by a hash of its
    name, so its split does not depend on which published files are there. Clips of the
    official test split are left out, since most of their videos would be in training.

    Parameters
    ----------
    folder : path
        As for `read_fiv2`.

    Raises
    ------
    CorpusError
        As `read_fiv2` does.
    """
    table = read_fiv2(folder)
    table = table[table["split"] != "test"].reset_index(drop=True)
    table["split"] = [split_by_hash(video, 70, 15) for video in table["speaker_id"]]
    return validate(table, f"FIv2 by video in {folder}")


def clean_transcript(text: str) -> str:
    """A transcript without its typist's marks.

    ``[inaudible 00:00:16]`` goes; ``[Hanna 00:00:05]``, where the typist was unsure of
    a word, leaves the word; bare times go.
    """

    text = _MARK.sub(lambda match: _TYPIST.sub("", match["words"] or ""), text)
    return " ".join(text.split())


def _paths(folder: Path, name: str) -> tuple[Path, Path]:
    return folder / f"annotation_{name}.pkl", folder / f"transcription_{name}.pkl"


def _load_mapping(path: Path, kind: type, what: str) -> dict[str, Any]:
    content = load(path)
    if not isinstance(content, dict) or not all(
        isinstance(key, str) and isinstance(value, kind)
        for key, value in content.items()
    ):
        raise CorpusError(f"{path}: not a dictionary of {what}, as FIv2 publishes")
    return content


def _read_split(
    annotation_path: Path, transcription_path: Path, split: str, media: dict[str, str]
) -> pd.DataFrame:
    scores = _read_scores(annotation_path)
    texts = _load_mapping(transcription_path, str, "clip to text")
    _same_clips(set(scores.index), set(texts), annotation_path, transcription_path)

    table = pd.DataFrame(index=scores.index, columns=list(COLUMNS), dtype=object)
    table[list(TRAIT_COLUMNS)] = scores
    table["clip_id"] = scores.index
    table["speaker_id"] = [
        video_of(clip_id, annotation_path) for clip_id in scores.index
    ]
    table["split"] = split
    if media:
        table["media"] = [media.get(clip_id, clip_id) for clip_id in scores.index]
    table["transcript"] = [
        clean_transcript(texts[clip_id]) or None for clip_id in scores.index
    ]
    return table


def _read_scores(path: Path) -> pd.DataFrame:
    """Trait scores (clip, trait) in our order, clips sorted by name."""
    annotation = _load_mapping(path, dict, "trait to clips")
    missing = [name for name in PUBLISHED_NAMES.values() if name not in annotation]
    if missing:
        raise CorpusError(f"{path}: no scores of {', '.join(missing)}")
    clip_ids = set(annotation[PUBLISHED_NAMES[TRAITS[0]]])
    columns = {}
    for trait, column in zip(TRAITS, TRAIT_COLUMNS, strict=True):
        name = PUBLISHED_NAMES[trait]
        _same_clips(clip_ids, set(annotation[name]), path, f"{path} ({name})")
        columns[column] = annotation[name]
    return pd.DataFrame(columns).sort_index()


def _same_clips(expected: set, found: set, where: Path, other: Path | str) -> None:
    lone = sorted(map(str, expected ^ found))
    if lone:
        raise CorpusError(
            f"{where} and {other} differ in {len(lone)} clips, {lone[0]} first"
        )


def video_of(clip_id: str, path: Path) -> str:
    """The YouTube video that a clip was cut from.

    Raises
    ------
    CorpusError
        If the clip is not named as published; it names `path`.
    """
    match = _CLIP_NAME.fullmatch(clip_id)
    if match is None:
        raise CorpusError(
            f"{path}: clip {clip_id!r} is not named <video>.<three digits>.mp4"
        )
    return match["video"]
