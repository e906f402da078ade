"""Splits that are made here: by hash, and dev in the place of an absent test split."""

import hashlib

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sslmepr.corpora.splits import hold_out_dev, published_splits, split_by_hash

NAMES = [f"video {number}" for number in range(200)]


def place(name):
    """By an independent way: the first 16 of the hexadecimal digits."""
    return int(hashlib.sha256(name.encode()).hexdigest()[:16], 16) % 100


def table(splits):
    clips = pd.DataFrame({"speaker_id": NAMES[: len(splits)], "split": splits})
    clips["clip_id"] = clips["speaker_id"] + ".000"
    clips.attrs = {"shared_speakers": True}
    return clips


@pytest.mark.parametrize("name", NAMES[:40])
def test_a_name_falls_where_its_hash_says(name):
    expected = "train" if place(name) < 60 else "dev" if place(name) < 80 else "test"
    assert split_by_hash(name, 60, 20) == expected


def test_dev_is_held_out_and_another_is_drawn_from_training_speakers():
    clips = table(["train"] * 150 + ["dev"] * 50)
    changed = hold_out_dev("a corpus", clips, 15)
    assert (changed["split"].iloc[150:] == "test").all()
    expected = ["dev" if place(each) >= 85 else "train" for each in NAMES[:150]]
    assert changed["split"].iloc[:150].tolist() == expected
    assert 10 < expected.count("dev") < 35  # of 150, about 22
    assert changed.attrs == clips.attrs | {"dev_as_test": ["a corpus"]}
    assert (clips["split"].iloc[150:] == "dev").all()  # the one that was given stays


def test_clips_of_a_speaker_stay_together():
    clips = pd.concat([table(["train"] * 100), table(["train"] * 100)])
    changed = hold_out_dev("a corpus", clips, 30)
    assert (changed.groupby("speaker_id")["split"].nunique() == 1).all()


@pytest.mark.parametrize("percent", [0, 15])
def test_a_published_test_split_needs_no_substitute(percent):
    clips = table(["train"] * 100 + ["dev"] * 50 + ["test"] * 50)
    assert hold_out_dev("a corpus", clips, percent) is clips


def test_nothing_changes_unless_it_is_wanted():
    clips = table(["train"] * 100 + ["dev"] * 50)
    assert hold_out_dev("a corpus", clips, 0) is clips


@given(
    st.lists(st.sampled_from(["train", "dev"]), min_size=1, max_size=150),
    st.booleans(),
    st.integers(0, 99),
)
def test_published_splits_are_known_afterwards(splits, tested, percent):
    splits = ["train", *splits, *(["test"] * tested)]
    changed = hold_out_dev("mine", table(splits), percent)
    held_out = changed.attrs.get("dev_as_test", [])
    assert held_out == ["mine"] * (percent > 0 and not tested)
    assert published_splits(changed, bool(held_out)).tolist() == splits
