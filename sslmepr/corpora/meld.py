"""MELD (Poria et al. 2019): utterances of a television series, one emotion each.

Read from the published ``<split>_sent_emo.csv``; MP4 files are used when they were
unzipped beside them. The official splits are kept: train for learning, dev for early
stopping and every choice, test only for evaluation. What a study without the test file
does is said in `sslmepr.corpora.splits.hold_out_dev`.
"""

import re
from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import COLUMNS, CorpusError, validate
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS

EMOTION_NAMES = {name: name for name in EMOTIONS} | {"joy": "happiness"}
"""MELD's names of the emotions to ours; MELD itself never says ``happiness``."""

PUBLISHED_COUNTS = {
    "clips": {"train": 9989, "dev": 1109, "test": 2610},
    "speakers": {"train": 1039, "dev": 114, "test": 280},
}
"""Utterances and dialogues (our unit of speakers) that the authors give per split."""

MEDIA_FOLDERS = {
    "train": "train_splits",
    "dev": "dev_splits_complete",
    "test": "output_repeated_splits_test",
}
"""Of each split, below the folder of the corpus or of the split."""

_NEEDED = ("Utterance", "Emotion", "Dialogue_ID", "Utterance_ID")
_C1_CONTROL = re.compile("[\x80-\x9f]")
_TWICE_ENCODED = re.compile("\u00e2\u20ac.|[\u00c2\u00c3][\u0080-\u00bf]")


def read_meld(folder: str | Path) -> pd.DataFrame:
    """The clip table of MELD.

    The unit that must not cross splits (``speaker_id``) is the dialogue. The six main
    characters speak in all three official splits, so the actor cannot be that unit;
    the dialogue is what the authors split by, and utterances of one dialogue share
    topic, mood and listeners, which is what intervals have to allow for. Dialogue
    numbers start again in each split and therefore bear its name.

    Parameters
    ----------
    folder : path
        Holds ``train_sent_emo.csv`` and ``dev_sent_emo.csv``, and perhaps
        ``test_sent_emo.csv``, either directly or in a folder named like the split. If
        it has the MP4 file of any utterance, each has one in the table: what is not
        there is for extraction to record.

    Raises
    ------
    CorpusError
        If a file or column is missing, or a label or number is not what MELD has.
    """
    folder = Path(folder)
    paths = {split: _find_csv(folder, split) for split in PUBLISHED_COUNTS["clips"]}
    missing = [split for split in ("train", "dev") if paths[split] is None]
    if missing:
        names = " and ".join(f"{split}_sent_emo.csv" for split in missing)
        raise CorpusError(f"MELD: expected {names} in {folder}; not found there")
    media = {split: _index_media(folder, split) for split in paths}
    unzipped = any(media.values())
    tables = [
        _read_split(path, split, media[split], unzipped)
        for split, path in paths.items()
        if path is not None
    ]
    return validate(pd.concat(tables, ignore_index=True), f"MELD in {folder}")


def repair_text(text: str) -> str:
    """Undo the ways in which copies of MELD have mistaken one encoding for another.

    Windows' quotes read as Latin-1 become control characters; UTF-8 read as Windows'
    code page becomes ``a`` with a circumflex and rubbish. Sound text stays as it is.
    """
    if _TWICE_ENCODED.search(text):
        try:
            text = text.encode("cp1252").decode("utf-8")
        except UnicodeError:
            pass  # not what it looked like: an honest accent
    return _C1_CONTROL.sub(
        lambda match: match[0].encode("latin-1").decode("cp1252", errors="ignore"), text
    )


def _find_csv(folder: Path, split: str) -> Path | None:
    name = f"{split}_sent_emo.csv"
    candidates = (folder / name, folder / split / name)
    return next((path for path in candidates if path.is_file()), None)


def _index_media(folder: Path, split: str) -> dict[str, str]:
    """File name to path below `folder`, for the MP4 files of a split."""
    name = MEDIA_FOLDERS[split]
    return {
        path.name: path.relative_to(folder).as_posix()
        for place in (folder / name, folder / split / name)
        for path in sorted(place.glob("dia*_utt*.mp4"))
    }


def _read_csv(path: Path) -> pd.DataFrame:
    """The CSV as text: an utterance may be "None" or "NA" and mean it."""
    options = {"dtype": str, "keep_default_na": False}
    try:
        try:
            table = pd.read_csv(path, encoding="utf-8-sig", **options)
        except UnicodeDecodeError:
            table = pd.read_csv(path, encoding="cp1252", **options)
    except (ValueError, OSError) as error:
        raise CorpusError(f"{path}: not readable as CSV: {error}") from None
    missing = [name for name in _NEEDED if name not in table.columns]
    if missing:
        raise CorpusError(
            f"{path}: no column {', '.join(missing)}; a published MELD file has them"
        )
    return table


def _read_split(
    path: Path, split: str, media: dict[str, str], unzipped: bool
) -> pd.DataFrame:
    source = _read_csv(path)
    for column in ("Dialogue_ID", "Utterance_ID"):
        _refuse(source, ~source[column].str.fullmatch(r"\d+"), column, path)
    emotion = source["Emotion"].str.strip().str.lower().map(EMOTION_NAMES)
    _refuse(source, emotion.isna(), "Emotion", path)

    dialogue, utterance = source["Dialogue_ID"], source["Utterance_ID"]
    text = source["Utterance"].map(repair_text).str.strip()
    table = pd.DataFrame(index=source.index, columns=list(COLUMNS), dtype=object)
    table["clip_id"] = f"{split}-dia" + dialogue + "-utt" + utterance
    table["speaker_id"] = f"{split}-dia" + dialogue
    table["split"] = split
    if unzipped:
        names = "dia" + dialogue + "_utt" + utterance + ".mp4"
        found = next(iter(media.values()), f"{MEDIA_FOLDERS[split]}/*")
        place = Path(found).parent.as_posix()
        table["media"] = [media.get(name, f"{place}/{name}") for name in names]
    table["transcript"] = text.where(text != "")
    for name, column in zip(EMOTIONS, EMOTION_COLUMNS, strict=True):
        table[column] = (emotion == name).astype(float)
    return table


def _refuse(source: pd.DataFrame, wrong: pd.Series, column: str, path: Path) -> None:
    if wrong.any():
        row = wrong.idxmax()
        raise CorpusError(
            f"{path}: {column} {source.at[row, column]!r} in data row {row + 1} is not "
            f"what MELD has ({wrong.sum()} such rows)"
        )
