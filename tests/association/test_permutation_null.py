"""Regressions that are fitted to permuted trait labels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.association.permutation_null import (
    best_ridge,
    permuted_labels,
    shuffled_labels,
)
from sslmepr.corpora.schema import write_clips
from sslmepr.features import write_store
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS
from sslmepr.training.clips import StudyClips
from sslmepr.training.probes import Linear

COUNTS = {"tiny_emotion": 40, "tiny_personality": 200, "tiny_joint": 150}


@pytest.mark.parametrize("clips_in_dev", [0, 30])
@pytest.mark.parametrize("width", [8, 120])
def test_every_row_of_labels_gets_the_regression_of_linear(width, clips_in_dev):
    rng = np.random.default_rng(width)
    weights = rng.standard_normal((width, 5)) / np.sqrt(width)
    train, dev, others = (
        3 + rng.standard_normal((n, width)) for n in (60, clips_in_dev, 20)
    )
    true, dev_true = (
        0.5 + 0.1 * (x @ weights + rng.standard_normal((len(x), 5)))
        for x in (train, dev)
    )
    rows = np.stack([true, rng.permutation(true), true[::-1]])
    dev_rows = np.stack([dev_true, rng.permutation(dev_true), dev_true[::-1]])
    found = best_ridge(train, rows, dev, dev_rows, others)
    for scores, mine, mine_dev in zip(found, rows, dev_rows, strict=True):
        expected = Linear("personality", train, mine, dev, mine_dev).predict(others)
        np.testing.assert_allclose(np.clip(scores, 0, 1), expected, atol=1e-9)


def clips_of(speakers, splits, known):
    """A study of one personality corpus with labels that name their clip."""
    table = pd.DataFrame(
        {
            "corpus": "tiny_personality",
            "speaker_id": speakers,
            "split": splits,
            "clip_id": [f"c{n}" for n in range(len(speakers))],
        }
    )
    labels = np.repeat(np.arange(len(table), dtype=float)[:, None], 5, axis=1)
    labels[~np.asarray(known, bool)] = np.nan
    return StudyClips(table, {"personality": labels}, ["tiny_personality"])


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_labels_are_permuted_within_their_split_and_none_is_lost(tiny, data):
    count = data.draw(st.integers(1, 30))
    draw = st.lists(st.integers(0, 5), min_size=count, max_size=count)
    speakers = [f"s{n}" for n in data.draw(draw)]
    splits = np.array(["train", "train", "train", "dev", "dev", "test"])
    splits = splits[data.draw(draw)]
    known = np.array(data.draw(draw)) > 0
    clips = clips_of(speakers, splits, known)
    permuted = permuted_labels(tiny, clips, 3)
    np.testing.assert_array_equal(permuted[0], clips.labels["personality"])
    assert (np.isnan(permuted).all(0) == ~known[:, None]).all()
    for each in permuted:
        for split in ("train", "dev", "test"):
            mine = known & (splits == split)
            assert set(each[mine, 0]) == set(np.flatnonzero(mine))
        used = known & (splits != "test")
        assert (each[known & ~used] == permuted[0, known & ~used]).all()
        assert (
            each[known] == each[known][:, :1]
        ).all()  # a clip's traits stay together


def test_labels_of_a_speaker_stay_together(tiny):
    speakers = [f"s{n}" for n in range(20) for _ in range(3)]
    clips = clips_of(speakers, ["train"] * 60, [True] * 60)
    permuted = permuted_labels(tiny, clips, 5)
    owner = permuted[:, :, 0].astype(int) // 3  # whose label a clip now has
    blocks = owner.reshape(6, 20, 3)
    assert (blocks == blocks[:, :, :1]).all()
    assert (blocks[1:, :, 0] != np.arange(20)).any(axis=1).all()


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Features that show one thing strongly, and what the labels are about weakly.

    Emotions are read from the strong one and the weak one. Returns the folder and
    predictions of the regressions of emotions.
    """
    folder = tmp_path_factory.mktemp("shuffled")
    rng = np.random.default_rng(0)
    maps = {name: rng.standard_normal((3, 30)) for name in ("face", "text")}
    parts = []
    for name, count in COUNTS.items():
        weak, strong = rng.standard_normal((2, count))
        marks = np.arange(count) / count
        split = np.where(marks < 0.7, "train", np.where(marks < 0.9, "dev", "test"))
        table = pd.DataFrame(
            {
                "clip_id": [f"{name}-{n:03}" for n in range(count)],
                "speaker_id": [f"{name}-s{n // 2:03}" for n in range(count)],
                "split": split if name != "tiny_joint" else "test",
                "media": None,
                "start_seconds": np.nan,
                "end_seconds": np.nan,
                "transcript": None,
            }
        )
        table[list(EMOTION_COLUMNS)] = np.nan
        table[list(TRAIT_COLUMNS)] = np.nan
        if name == "tiny_personality":
            score = np.clip(0.5 + 0.12 * weak, 0, 1)
            for column in TRAIT_COLUMNS:
                table[column] = score
        if name == "tiny_emotion":
            table[list(EMOTION_COLUMNS)] = np.eye(7)[np.arange(count) % 7]
        write_clips(table, folder / name / "corpus")
        for modality, mixing in maps.items():
            shown = np.column_stack([weak, 3 * strong, np.zeros(count)]) @ mixing
            noise = 0.5 * rng.standard_normal((count, 2, 30))
            values = (shown[:, None] + noise).astype(np.float32)
            sequences = zip(table["clip_id"], values, strict=True)
            write_store(folder / name / "features", modality, sequences, "drawn", "1")
        if name == "tiny_joint":
            parts = [_emotions(table["clip_id"], m, weak, strong) for m in maps]
    return folder, pd.concat(parts, ignore_index=True)


def _emotions(clip_ids, modality, weak, strong):
    logits = np.zeros((len(clip_ids), 7))
    logits[:, EMOTIONS.index("happiness")] = weak
    logits[:, EMOTIONS.index("anger")] = strong
    logits[:, EMOTIONS.index("fear")] = np.sin(np.arange(len(clip_ids)) ** 2)
    table = pd.DataFrame(1 / (1 + np.exp(-logits)), columns=list(EMOTIONS))
    table = table.assign(clip_id=clip_ids.to_numpy()).melt(
        "clip_id", var_name="target", value_name="predicted"
    )
    return table.assign(
        stage="linear", modality=modality, task="emotion", corpus="tiny_joint"
    )


def test_chance_is_large_along_what_features_show_most(study, tiny):
    folder, predictions = study
    found = shuffled_labels(tiny, predictions, 200, folder)
    cells = found.set_index(["emotion", "trait"])
    assert len(cells) == 30 and (cells["n"] == COUNTS["tiny_joint"]).all()
    happy, angry, afraid = (
        cells.loc[(name, "openness")] for name in ("happiness", "anger", "fear")
    )
    # What the labels are about is found, and more than shuffled labels find.
    assert happy["r"] > 0.9 and happy["exceeds"]
    # Shuffled labels agree with what is shown most, by chance and by far.
    assert angry["null_95"] > 0.8 and not angry["exceeds"]
    assert afraid["null_95"] < 0.3 and not afraid["exceeds"]
    assert np.abs(cells["null_mean"].dropna()).max() < 0.2


def test_the_same_seed_gives_the_same_table(study, tiny):
    folder, predictions = study
    first, second = (shuffled_labels(tiny, predictions, 20, folder) for _ in range(2))
    pd.testing.assert_frame_equal(first, second)
