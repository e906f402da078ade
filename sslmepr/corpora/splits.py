"""Splits of published corpora that are made here, by a hash of who is in a clip.

Where a corpus is published without labels of its test split, its dev split is all that
results can be reported on. A choice made on it would make them optimistic, so it may be
held out in the place of the test split (`hold_out_dev`), and choices are made on a part
of training. Hashes make a split independent of which files are there.
"""

import hashlib

import pandas as pd


def split_by_hash(name: str, train: int, dev: int) -> str:
    """The split of a speaker or video.

    Parameters
    ----------
    name : str
    train, dev : int
        How many of 100 names are in train and in dev; the others are in test.
    """
    place = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) % 100
    return "train" if place < train else "dev" if place < train + dev else "test"


def hold_out_dev(name: str, clips: pd.DataFrame, percent: int) -> pd.DataFrame:
    """A published clip table with its dev split as test, and a dev split from train.

    Parameters
    ----------
    name : str
        Of the corpus.
    clips : DataFrame
        A clip table in its published splits.
    percent : int
        How many of 100 training speakers are in dev; by 0 nothing changes.

    Returns
    -------
    DataFrame
        The table as it is where it has a test split: no other has to stand in for it.
        Otherwise the corpus is named in ``attrs["dev_as_test"]``, which travels with
        the table.
    """
    if not percent or (clips["split"] == "test").any():
        return clips
    names = clips["speaker_id"]
    drawn = [split_by_hash(each, 100 - percent, percent) for each in names]
    drawn = pd.Series(drawn, clips.index, dtype=object)
    table = clips.assign(split=drawn.where(clips["split"] == "train", "test"))
    table.attrs = clips.attrs | {"dev_as_test": [name]}
    return table


def published_splits(clips: pd.DataFrame, dev_as_test: bool) -> pd.Series:
    """The published split of each clip.

    Parameters
    ----------
    clips : DataFrame
        A clip table, or the part of one that comes from one corpus.
    dev_as_test : bool
        Whether `hold_out_dev` has changed it.
    """
    changed = {"dev": "train", "test": "dev"} if dev_as_test else {}
    return clips["split"].replace(changed)
