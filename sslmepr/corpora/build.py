"""From the ``corpus`` section of ``params.yaml`` to a clip table and its summary."""

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from sslmepr.corpora import fiv2, meld, mosei, ravdess
from sslmepr.corpora.fiv2 import read_fiv2, read_fiv2_by_video
from sslmepr.corpora.folder import read_folder
from sslmepr.corpora.language import languages
from sslmepr.corpora.meld import read_meld
from sslmepr.corpora.mm_ocean import read_mm_ocean
from sslmepr.corpora.mosei import read_mosei
from sslmepr.corpora.ravdess import read_ravdess
from sslmepr.corpora.schema import (
    CorpusError,
    missing_rows,
    part_of,
    read_clips,
    write_clips,
)
from sslmepr.corpora.splits import published_splits
from sslmepr.corpora.table import read_table
from sslmepr.corpora.union import read_given, read_union
from sslmepr.labels import (
    EMOTION_COLUMNS,
    EMOTIONS,
    SPLITS,
    TARGET_COLUMNS,
    TRAIT_COLUMNS,
    TRAITS,
)
from sslmepr.params import Params

READERS: dict[str, Callable[[Path], pd.DataFrame]] = {
    "mosei": read_mosei,
    "fiv2": read_fiv2,
    "fiv2_by_video": read_fiv2_by_video,
    "meld": read_meld,
    "mm_ocean": read_mm_ocean,
    "ravdess": read_ravdess,
    "folder": read_folder,
}
"""Source to the function that reads its published files into a clip table."""

PUBLISHED_COUNTS = {
    "mosei": mosei.PUBLISHED_COUNTS,
    "fiv2": fiv2.PUBLISHED_COUNTS,
    "meld": meld.PUBLISHED_COUNTS,
    "ravdess": ravdess.PUBLISHED_COUNTS,
}

_DIGITS = 6  # enough for any table; keeps committed files free of last-bit noise


def read_corpus(name: str, params: Params, folder: str | Path) -> None:
    """Read published corpus `name` and leave its clip table in `folder`.

    Parameters
    ----------
    name : str
        A key of ``params.corpus``. Its files are looked for in
        ``params.data_path(name)``.
    params : Params
    folder : path
        Receives ``clips.parquet`` and, where clips were left out, ``missing.csv``.

    Raises
    ------
    CorpusError
        If there is no such corpus, if it is simulated (`sslmepr.simulation` renders
        those), or its files are not as published, or not there unless it is
        ``optional``: its clip table is empty then.
    """
    corpus = _corpus(name, params)
    source, root = corpus.source, params.data_path(name)
    if source == "simulated":
        raise CorpusError(f"corpus.{name}: is simulated; there is nothing to read")
    if source == "table":
        read = partial(read_table, corpus=corpus, seed=params.seed)
        write_clips(read_given(name, corpus, root, read), folder)
    elif source == "union":
        write_clips(read_union(root, corpus.parts, READERS), folder)
    else:
        write_clips(read_given(name, corpus, root, READERS[source]), folder)


def summarise_corpus(name: str, params: Params, folder: str | Path) -> dict[str, Any]:
    """Summary of the corpus in `folder`, and the number of clips left out of it.

    Parameters
    ----------
    name : str
        A key of ``params.corpus``.
    params : Params
    folder : path
        Holds its clip table.

    Returns
    -------
    dict
        Ready for JSON: ``corpus``, ``source``, the keys of `describe`, for a union its
        parts, and the number of clips ``left_out``.
    """
    clips = read_clips(folder)
    parts = describe(name, params, clips)
    source = params.corpus[name].source
    summary = {"corpus": name, "source": source, **parts.pop(name), **parts}
    return summary | {"left_out": len(missing_rows(clips))}


def describe(name: str, params: Params, clips: pd.DataFrame) -> dict[str, dict]:
    """Summaries of a corpus, and of each part of a union.

    Parameters
    ----------
    name : str
        A key of ``params.corpus``.
    params : Params
    clips : DataFrame
        Its clip table.

    Returns
    -------
    dict of str to dict
        Name of the corpus, and for a union of each part, to the result of `summarise`,
        ``published``: per quantity and split for which the authors give a count,
        this as ``expected``, and ``found``; and ``dev_as_test``, whether the published
        dev split is held out as test.
    """
    corpus = _corpus(name, params)
    held_out = clips.attrs.get("dev_as_test", [])
    found = {name: _summarise(corpus, clips, name in held_out)}
    if corpus.source == "union":
        for part, table in clips.groupby(part_of(clips["clip_id"]), sort=False):
            found[part] = _summarise(corpus.parts[part], table, part in held_out)
    return found


def _summarise(corpus, clips: pd.DataFrame, dev_as_test: bool) -> dict[str, Any]:
    """The summary of a corpus, whose published counts are of its published splits."""
    published = PUBLISHED_COUNTS.get(corpus.source)
    counts = _counts(clips.assign(split=published_splits(clips, dev_as_test)))
    compared = _plain(_against_published(counts, published or {}))
    return summarise(clips) | {"published": compared, "dev_as_test": dev_as_test}


def _corpus(name: str, params: Params):
    if name not in params.corpus:
        raise CorpusError(
            f"there is no corpus {name!r} in params.corpus; "
            f"known: {', '.join(params.corpus)}"
        )
    return params.corpus[name]


def summarise(clips: pd.DataFrame) -> dict[str, Any]:
    """Counts and descriptive statistics of a clip table, ready for JSON.

    Parameters
    ----------
    clips : DataFrame
        A clip table.

    Returns
    -------
    dict
        ``clips`` and ``speakers`` per split and in all; ``clips_sharing_a_speaker``
        with train, per split; ``labelled`` clips per task; ``emotions``; ``traits``;
        ``trait_correlations`` over clips; ``transcripts``; ``media``. Floats have six
        digits, and a number that is undefined is None.
    """
    summary = {
        **_counts(clips),
        "clips_sharing_a_speaker": _sharing(clips),
        "labelled": {
            task: int(clips[columns[0]].notna().sum())
            for task, columns in TARGET_COLUMNS.items()
        },
        "emotions": _emotions(clips),
        "traits": _traits(clips),
        "trait_correlations": _trait_correlations(clips),
        "transcripts": _transcripts(clips["transcript"]),
        "media": int(clips["media"].notna().sum()),
    }
    return _plain(summary)


def _counts(clips: pd.DataFrame) -> dict[str, dict[str, int]]:
    """Clips and speakers per split, and in all."""
    return {
        "clips": _per_split(clips["clip_id"], clips["split"]),
        "speakers": _per_split(clips["speaker_id"], clips["split"]),
    }


def _per_split(values: pd.Series, split: pd.Series) -> dict[str, int]:
    found = values.groupby(split).nunique()
    return {"all": values.nunique()} | {
        name: found[name] for name in SPLITS if name in found
    }


def _sharing(clips: pd.DataFrame) -> dict[str, int]:
    learned = set(clips.loc[clips["split"] == "train", "speaker_id"])
    shared = clips["speaker_id"].isin(learned)
    others = [name for name in SPLITS[1:] if (clips["split"] == name).any()]
    return {name: (shared & (clips["split"] == name)).sum() for name in others}


def _emotions(clips: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Per emotion: clips in which it is present, and its mean intensity in those."""
    return {
        name: {
            "present": (clips[column] > 0).sum(),
            "mean_intensity": clips.loc[clips[column] > 0, column].mean(),
        }
        for name, column in zip(EMOTIONS, EMOTION_COLUMNS, strict=True)
        if clips[column].notna().any()
    }


def _traits(clips: pd.DataFrame) -> dict[str, dict[str, float]]:
    return {
        name: {"mean": clips[column].mean(), "sd": clips[column].std()}
        for name, column in zip(TRAITS, TRAIT_COLUMNS, strict=True)
        if clips[column].notna().any()
    }


def _trait_correlations(clips: pd.DataFrame) -> dict[str, dict[str, float]]:
    scores = clips[list(TRAIT_COLUMNS)].dropna()
    if scores.empty:
        return {}
    return scores.set_axis(list(TRAITS), axis=1).corr().to_dict()


def _transcripts(transcripts: pd.Series) -> dict[str, Any]:
    given = transcripts.dropna()
    words = given.str.split().str.len()
    return {
        "present": len(words),
        "missing": transcripts.isna().sum(),
        "words_median": words.median(),
        "words_longest": words.max() if len(words) else math.nan,
        **languages(given),
    }


def _against_published(counts: dict, published: dict) -> dict[str, dict]:
    """Expected and found, per quantity and split; a split that is absent counts 0."""
    return {
        quantity: {
            split: {"expected": expected, "found": counts[quantity].get(split, 0)}
            for split, expected in splits.items()
        }
        for quantity, splits in published.items()
    }


def _plain(value: Any) -> Any:
    """`value` with Python's own numbers, rounded, and None for what is undefined."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if pd.isna(value):
        return None
    if float(value).is_integer() and not isinstance(value, float):
        return int(value)
    return round(float(value), _DIGITS)
