"""Outputs of stage 2 as the input of stage 3."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from sslmepr.labels import TARGETS, TASKS
from sslmepr.training.checkpoints import CheckpointError
from sslmepr.training.clips import StudyClips
from sslmepr.training.fusion_clips import FusionClips, join_modalities
from sslmepr.training.outputs import write_outputs

SHAPES = {
    "emotion_embedding": 3,
    "personality_embedding": 2,
    "emotion_logits": 7,
    "trait_scores": 5,
    "features": 4,
}
PRESENT = {"face": [0, 1, 3], "text": [1]}


@pytest.fixture
def clips():
    """Three clips of corpus a and two of b; the last has no modality at all."""
    table = pd.DataFrame(
        {
            "corpus": [*"aaabb"],
            "clip_id": [*"vwxyz"],
            "split": ["train", "train", "dev", "train", "train"],
        }
    )
    labels = {
        task: np.arange(5 * len(TARGETS[task]), dtype=np.float32).reshape(5, -1)
        for task in TASKS
    }
    return StudyClips(table, labels, ["a", "b"])


@pytest.fixture
def outputs(clips, tmp_path):
    """Outputs by modality, written below the study's folder `tmp_path`."""
    rng, written = np.random.default_rng(0), {}
    for modality, rows in PRESENT.items():
        folder = tmp_path / "crosstask" / modality
        folder.mkdir(parents=True)
        written[modality] = {
            name: rng.random((len(rows), width), np.float32)
            for name, width in SHAPES.items()
        }
        rows = np.array(rows)
        write_outputs(folder, clips, rows, written[modality], f"digest-{modality}")
    return written


def read(clips, folder):
    return FusionClips.read(clips, ["face", "text"], folder, torch.device("cpu"))


def test_each_clip_has_the_outputs_of_its_modalities(clips, outputs, tmp_path):
    data = read(clips, tmp_path)
    assert data.widths == {"face": 5, "text": 5}
    assert data.feature_counts == {"face": 4, "text": 4}
    assert data.trained_on == {
        "crosstask/face": "digest-face",
        "crosstask/text": "digest-text",
    }
    expected = [[True, False], [True, True], [False, False], [True, False]]
    assert data.present.tolist() == [*expected, [False, False]]
    face, text = outputs["face"], outputs["text"]
    batch = data.batch(np.array([3, 1]))
    given = batch.inputs
    for task, values in batch.labels.items():
        assert values.tolist() == clips.labels[task][[3, 1]].tolist()
    joined = [*face["emotion_embedding"][2], *face["personality_embedding"][2]]
    assert given.embeddings["face"][0].tolist() == pytest.approx(joined)
    assert given.features["text"][1].tolist() == pytest.approx(text["features"][0])
    assert given.emotion_logits[1, 0].tolist() == pytest.approx(
        face["emotion_logits"][1]
    )
    assert given.trait_scores[1, 1].tolist() == pytest.approx(text["trait_scores"][0])
    assert given.present.tolist() == [[True, False], [True, True]]


def test_what_a_factor_model_says_stands_at_the_clips(clips, outputs, tmp_path):
    data, asked = read(clips, tmp_path), []

    class Model:
        def factored(self, given):
            asked.append(len(given.present))
            return {"emotion": given.features["face"][:, :1] + torch.arange(7)}

    found = data.asking(Model())
    said = found.batch(np.array([3, 2, 0])).inputs.factored["emotion"]
    first = data.features["face"][[3, 0], 0]
    np.testing.assert_allclose(said[[0, 2]], first[:, None] + np.arange(7))
    # A clip without any modality is not asked about, and the clips stay as they are.
    assert not said[1].any() and asked == [3]
    assert not data.batch(np.array([3])).inputs.factored


def test_rows_leave_out_clips_without_any_modality(clips, outputs, tmp_path):
    data = read(clips, tmp_path)
    assert data.rows("a").tolist() == [0, 1] and data.rows("b").tolist() == [3]
    assert data.rows("a", "train").tolist() == [0, 1]
    assert data.rows("a", "dev").tolist() == []


def test_fusion_leaves_out_what_was_added_as_text(clips, outputs, tmp_path):
    added = clips.table.assign(text_only=[False, True, False, False, False])
    data = read(replace(clips, table=added), tmp_path)
    assert data.present[1].tolist() == [True, True]
    assert data.rows("a", "train").tolist() == [0]
    assert data.predictable().tolist() == [0, 3]


def test_outputs_of_two_models_are_refused(clips, outputs, tmp_path):
    folder = tmp_path / "crosstask" / "text"
    (folder / "outputs-b.safetensors").unlink()
    with pytest.raises(CheckpointError, match="outputs-b.safetensors: not readable"):
        read(clips, tmp_path)
    kept = folder / "outputs-a.safetensors"
    before = kept.read_bytes()
    write_outputs(folder, clips, np.array([1]), outputs["text"], "another")
    kept.write_bytes(before)
    with pytest.raises(CheckpointError, match="text: holds outputs of several models"):
        read(clips, tmp_path)


def numbered(*values):
    """Outputs of stage 2 for some clips, of which each holds one number."""
    clips = torch.tensor(values)[:, None]
    widths = SHAPES | {"emotion_embedding": 2, "personality_embedding": 1}
    return {
        name: clips + 10.0 * place + torch.zeros(len(values), width)
        for place, (name, width) in enumerate(widths.items())
    }


def test_outputs_of_stage_2_stand_at_their_clips_and_modalities():
    sizes = {"face": (3, 4), "text": (3, 4)}
    parts = [
        ("text", torch.tensor([2, 0]), numbered(1.0, 2.0)),
        ("text", torch.tensor([3]), numbered(3.0)),
    ]
    found = join_modalities(4, sizes, parts)
    assert found.present.tolist() == [
        [False, True],
        [False, False],
        [False, True],
        [False, True],
    ]
    assert found.embeddings["text"].tolist() == [
        [2, 2, 12],
        [0, 0, 0],
        [1, 1, 11],
        [3, 3, 13],
    ]
    assert found.emotion_logits[:, 1, 6].tolist() == [22, 0, 21, 23]
    assert found.trait_scores[:, 1, 4].tolist() == [32, 0, 31, 33]
    assert found.features["text"][:, 3].tolist() == [42, 0, 41, 43]
    assert found.embeddings["face"].shape == (4, 3)
    assert found.features["face"].shape == (4, 4)
    for absent in (found.embeddings["face"], found.emotion_logits[:, 0]):
        assert not absent.any()
