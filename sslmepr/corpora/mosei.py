"""CMU-MOSEI (Zadeh et al. 2018): segments of YouTube monologues with rated emotions.

Two published forms are read. The SDK's ``CMU_MOSEI_Labels.csd`` with the standard folds
and the raw folder gives segments of whole videos, cut by time without being encoded
again. CSV files with a column for each of seven emotions (``video_name, Neutral, Anger,
...``), one file per split, give segments that were cut before.

Raters gave 0 to 3 for each of six emotions, and the means are kept: a few exceed 3,
where there were more raters, and count as 3. Neutral was not rated; here it is 1 where
all six are 0. Speakers are not published, so the unit that must not cross splits, and
that intervals resample, is the video.

Some published segments begin before their video does; they count from its beginning.
Those that end there too, or before they begin, or are not rated, are left out of the
table and named with it, and so are videos that are in none of the folds.
"""

import ast
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import h5py
import numpy as np
import pandas as pd

from sslmepr.corpora.schema import COLUMNS, CorpusError, validate
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, SCORED_EMOTIONS

CSD = "CMU_MOSEI_Labels.csd"
FOLDS = "cmu_mosei_std_folds.py"
RATED = ("happiness", "sadness", "anger", "surprise", "disgust", "fear")
"""The order of columns 1 to 6 in the SDK's labels; column 0 is sentiment."""

HIGHEST = 3.0
NONSENSE = 2 * HIGHEST
"""Above 3 by extra raters is published, above this is another scale."""

FOLD_NAMES = {
    "train": "standard_train_fold",
    "dev": "standard_valid_fold",
    "test": "standard_test_fold",
}
PUBLISHED_COUNTS = {"clips": {"train": 16327, "dev": 1871, "test": 4662}}
"""Segments of the standard folds that s3prl counts in the labels."""

VIDEO_FOLDER = "Videos/Full/Combined"
SOUND_FOLDER = "Audio/Full/WAV_16000"
SEGMENT_FOLDER = "Videos/Segmented/Combined"
TRANSCRIPT_FOLDER = "Transcript/Segmented/Combined"
TOLERANCE_SECONDS = 0.01
_SEGMENT = re.compile(r"(?P<video>.+)_(?P<number>\d+)(?:\.\w+)?")
_ARGMAX_COLUMNS = {"file", "index", "label6"}


def read_mosei(folder: str | Path) -> pd.DataFrame:
    """The clip table of CMU-MOSEI.

    Parameters
    ----------
    folder : path
        Holds `CSD` and `FOLDS` from the SDK (which is read, not run), anywhere below,
        or CSV files of seven emotions with the split in their names. Media and
        transcripts are found below it where the raw archive was unpacked. If it has
        any media, what is not there is for extraction to record.

    Raises
    ------
    CorpusError
        If neither is there, a file is damaged, or labels are not what MOSEI has; also
        for labels that keep only the strongest emotion.
    """
    folder = Path(folder)
    csd = _find(folder, CSD)
    if csd is not None:
        table, left_out = _read_csd(folder, csd)
    else:
        table, left_out = _read_csvs(folder), {}
    return validate(table, f"CMU-MOSEI in {folder}", left_out=left_out)


def _find(folder: Path, name: str) -> Path | None:
    return next(iter(sorted(folder.rglob(name))), None)


# -- the SDK's labels ------------------------------------------------------------------


def _read_csd(folder: Path, csd: Path) -> tuple[pd.DataFrame, dict[str, str]]:
    """The clip table, and segments and videos that are not in it, with the reason."""
    folds_path = _find(folder, FOLDS)
    if folds_path is None:
        raise CorpusError(
            f"CMU-MOSEI: expected {FOLDS}, from the SDK that {CSD} comes with, in "
            f"{folder}; not found there"
        )
    split_of = read_folds(folds_path)
    raw = _raw_folder(folder)
    rows, left_out = [], {}
    for video, intervals, ratings in _read_labels(csd):
        if video not in split_of:  # the SDK leaves it out too
            left_out[video] = f"in none of the folds of {FOLDS}"
            continue
        media = _media(folder, raw, video)
        spoken = _read_transcript(raw, video)
        for place, (number, text) in enumerate(_numbered(spoken, intervals)):
            name, (start, end) = f"{video}_{number}", intervals[place].tolist()
            start = max(start, 0.0)
            if not start < end < np.inf:
                left_out[name] = f"no segment lies from {start:g} to {end:g} seconds"
                continue
            if np.isnan(ratings[place]).any():
                left_out[name] = "an emotion is not rated"
                continue
            rows.append(
                {
                    "clip_id": name,
                    "speaker_id": video,
                    "split": split_of[video],
                    "media": media,
                    "start_seconds": start,
                    "end_seconds": end,
                    "transcript": text,
                    **_labels(dict(zip(RATED, ratings[place], strict=True))),
                }
            )
    if not rows:
        first = next(iter(left_out.items()), ("", "it has no videos"))
        raise CorpusError(f"{csd}: no segment can be used; {': '.join(first)}")
    return pd.DataFrame(rows, columns=list(COLUMNS)), left_out


def read_folds(path: Path) -> dict[str, str]:
    """Video to split, from the lists in the SDK's module, which is parsed and not run.

    Raises
    ------
    CorpusError
        If it is not such a module, or a video is in two folds.
    """
    try:
        module = ast.parse(path.read_text(encoding="utf-8"))
    except (SyntaxError, UnicodeDecodeError) as error:
        raise CorpusError(f"{path}: not the SDK's list of folds: {error}") from None
    lists = {
        statement.targets[0].id: statement.value
        for statement in module.body
        if isinstance(statement, ast.Assign)
        and isinstance(statement.targets[0], ast.Name)
    }
    split_of: dict[str, str] = {}
    for split, name in FOLD_NAMES.items():
        try:
            videos = ast.literal_eval(lists[name])
        except (KeyError, ValueError):
            raise CorpusError(f"{path}: has no list {name}") from None
        for video in videos:
            if split_of.setdefault(video, split) != split:
                raise CorpusError(f"{path}: video {video} is in two folds")
    return split_of


def _read_labels(path: Path):
    """Video, its intervals (segment, 2) in seconds and ratings (segment, 6)."""
    try:
        with h5py.File(path) as file:
            data = file["All Labels"]["data"]
            for video in data:
                intervals = np.asarray(data[video]["intervals"], float)
                features = np.asarray(data[video]["features"], float)
                if features.ndim != 2 or features.shape[1] != 1 + len(RATED):
                    raise CorpusError(
                        f"{path}: video {video} has labels of shape {features.shape}; "
                        "expected sentiment and six emotions for each segment"
                    )
                if intervals.shape != (len(features), 2):
                    raise CorpusError(
                        f"{path}: video {video} has {len(features)} labels and "
                        f"intervals of shape {intervals.shape}"
                    )
                yield video, intervals, _checked(features[:, 1:], path, video)
    except (OSError, KeyError) as error:
        raise CorpusError(f"{path}: not the SDK's label file: {error}") from None


def _checked(ratings: np.ndarray, path: Path, video: str) -> np.ndarray:
    if (ratings < 0).any() or (ratings > NONSENSE).any():
        raise CorpusError(
            f"{path}: video {video} has an emotion below 0 or above {NONSENSE:g}; they "
            f"are rated 0 to {HIGHEST:g}"
        )
    return ratings


def _labels(ratings: dict[str, float]) -> dict[str, float]:
    """Ratings of the six emotions as intensities in 0..1, and neutral from them."""
    shown = {name: min(ratings[name], HIGHEST) / HIGHEST for name in SCORED_EMOTIONS}
    shown["neutral"] = float(not any(shown.values()))
    return dict(zip(EMOTION_COLUMNS, map(shown.get, EMOTIONS), strict=True))


def _raw_folder(folder: Path) -> Path | None:
    """Where the raw archive was unpacked: the folder that holds its transcripts."""
    for known in (TRANSCRIPT_FOLDER, VIDEO_FOLDER, SOUND_FOLDER, SEGMENT_FOLDER):
        for place in (folder, folder / "Raw", *sorted(folder.glob("*/Raw"))):
            if (place / known).is_dir():
                return place
    return None


def _media(folder: Path, raw: Path | None, video: str) -> str | None:
    """The whole video, or its sound where there is no picture.

    If neither is there, the one that would be, in a folder that was unpacked.
    """
    if raw is None:
        return None
    paths = [raw / VIDEO_FOLDER / f"{video}.mp4", raw / SOUND_FOLDER / f"{video}.wav"]
    possible = [path for path in paths if path.parent.is_dir()]
    present = [path for path in possible if path.is_file()]
    for path in present or possible:
        return path.relative_to(folder).as_posix()
    return None


def _read_transcript(raw: Path | None, video: str) -> list[tuple]:
    """Number, start, end and text of each segment; empty if there is no transcript."""
    if raw is None:
        return []
    path = raw / TRANSCRIPT_FOLDER / f"{video}.txt"
    if not path.is_file():
        return []
    segments = []
    text = path.read_text(encoding="utf-8", errors="replace")
    for line, content in enumerate(text.splitlines(), 1):
        fields = content.split("___", 4)
        if len(fields) < 5:
            continue  # a segment's text may hold line breaks
        try:
            number, start, end = int(fields[1]), float(fields[2]), float(fields[3])
        except ValueError:
            raise CorpusError(
                f"{path}: line {line} is not video___number___start___end___text"
            ) from None
        segments.append((number, start, end, fields[4].strip()))
    return segments


def _numbered(
    spoken: list[tuple], intervals: np.ndarray
) -> Iterator[tuple[int, str | None]]:
    """Number and text of each interval (segment, 2), every number once.

    Both are those of the transcript's segment at the same time, of which either list
    may have more than the other and in another order; intervals without one get, in
    their order, the numbers that the transcript does not use.
    """
    free = itertools.filterfalse(
        {each[0] for each in spoken}.__contains__, itertools.count()
    )
    waiting, used = list(spoken), set()
    for start, end in intervals.tolist():
        number, text = None, None
        for segment in waiting:
            near = abs(segment[1] - start) + abs(segment[2] - end)
            if near <= 2 * TOLERANCE_SECONDS:
                waiting.remove(segment)
                number, text = segment[0], segment[3] or None
                break
        if number is None or number in used:
            number = next(free)
        used.add(number)
        yield number, text


# -- CSV files of seven emotions -------------------------------------------------------


def _read_csvs(folder: Path) -> pd.DataFrame:
    paths = sorted(folder.rglob("*.csv"))
    found: dict[str, tuple[Path, pd.DataFrame]] = {}
    for path in paths:
        try:
            source = pd.read_csv(path, dtype=str, keep_default_na=False)
        except (ValueError, OSError, UnicodeDecodeError) as error:
            raise CorpusError(f"{path}: not readable as CSV: {error}") from None
        names = {str(name).strip().lower(): name for name in source.columns}
        if _ARGMAX_COLUMNS <= set(names):
            raise CorpusError(
                f"{path}: refused. Its label6 is the strongest of six emotions, so a "
                "segment in which all are 0 became happy, and intensities are lost; "
                f"use {CSD} from the SDK"
            )
        if {"video_name", *EMOTIONS} <= set(names):
            split = _split_of_name(path)
            if split in found:
                raise CorpusError(f"{path} and {found[split][0]} are both {split}")
            found[split] = path, source.rename(columns={v: k for k, v in names.items()})
    missing = [split for split in ("train", "dev") if split not in found]
    if missing:
        raise CorpusError(
            f"CMU-MOSEI: expected {CSD} with {FOLDS}, or CSV files of train and dev "
            f"with the columns video_name and seven emotions, in {folder}; not found"
        )
    raw = _raw_folder(folder)
    tables = [_from_csv(folder, raw, split, *each) for split, each in found.items()]
    return pd.concat(tables, ignore_index=True)


def _split_of_name(path: Path) -> str:
    words = set(re.split(r"[^a-z]+", path.stem.lower()))
    for split, known in (
        ("train", {"train", "training"}),
        ("dev", {"dev", "val", "valid", "validation"}),
        ("test", {"test", "testing"}),
    ):
        if words & known:
            return split
    raise CorpusError(f"{path}: its name does not say train, dev or test")


def _from_csv(
    folder, raw, split: str, path: Path, source: pd.DataFrame
) -> pd.DataFrame:
    segments = source["video_name"].map(_SEGMENT.fullmatch)
    if segments.isna().any():
        row = segments.isna().idxmax()
        raise CorpusError(
            f"{path}: video_name {source.at[row, 'video_name']!r} in data row "
            f"{row + 1} is not <video>_<number>"
        )
    table = pd.DataFrame(index=source.index, columns=list(COLUMNS), dtype=object)
    table["clip_id"] = [f"{each['video']}_{each['number']}" for each in segments]
    table["speaker_id"] = [each["video"] for each in segments]
    table["split"] = split
    if raw is not None and (raw / SEGMENT_FOLDER).is_dir():
        place = (raw / SEGMENT_FOLDER).relative_to(folder).as_posix()
        table["media"] = f"{place}/" + table["clip_id"] + ".mp4"
    if "text" in source:
        text = source["text"].str.strip()
        table["transcript"] = text.where(text != "")
    ratings = source[list(SCORED_EMOTIONS)].apply(pd.to_numeric, errors="coerce")
    wrong = ~((ratings >= 0) & (ratings <= NONSENSE)).all(axis=1)
    if wrong.any():
        row = wrong.idxmax()
        raise CorpusError(
            f"{path}: an emotion in data row {row + 1} is below 0, above {NONSENSE:g} "
            f"or no number; they are rated 0 to {HIGHEST:g}"
        )
    rows = [_labels(row) for row in ratings.to_dict("records")]
    table[list(EMOTION_COLUMNS)] = pd.DataFrame(rows, index=source.index)
    return table
