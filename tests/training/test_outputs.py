"""Outputs of a stage: one row per clip, one file per corpus."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from sslmepr.training.batches import ModalityClips
from sslmepr.training.checkpoints import CheckpointError
from sslmepr.training.clips import StudyClips, read_study_clips
from sslmepr.training.outputs import (
    model_of_outputs,
    predict_outputs,
    read_outputs,
    study_outputs,
    write_outputs,
)

NAMES = [
    ("b", "x"),
    ("a", "ü-1"),
    ("b", "日本 'q'"),
    ("a", "x"),
    ("c", "z"),
    ("b", "é"),
]


@pytest.fixture
def clips():
    """Corpora in no order; two of them have a clip called x."""
    table = pd.DataFrame(NAMES, columns=["corpus", "clip_id"])
    table = table.assign(speaker_id="s", split="train")
    return StudyClips(table, {}, ["b", "a", "c"])


def outputs(rows):
    return {
        "logits": 10.0 * np.asarray(rows, np.float32)[:, None] + np.arange(3),
        "score": np.asarray(rows, np.float64) / 7,
    }


class Looking(nn.Module):
    """Says what it was given."""

    def forward(self, values, mask, offset_logits):
        assert not self.training
        first = values[:, 0, :2].double()
        return SimpleNamespace(
            steps=mask.sum(1), first=first, offset_logits=offset_logits
        )


def test_outputs_of_a_model_come_back_in_the_order_of_the_rows(study, small_params):
    folder, _ = study
    data = ModalityClips(read_study_clips(small_params, folder), "text", folder)
    rows = data.present(np.arange(len(data.clips.table)))[::-1].copy()
    assert len(set(data.lengths[rows])) > 2  # so that they are sorted on the way

    found = predict_outputs(Looking(), data, rows, ["steps", "first"])
    assert found["steps"].tolist() == data.lengths[rows].tolist()
    assert found["first"].dtype == np.float32 and found["first"].shape == (len(rows), 2)
    assert found["first"][3] == pytest.approx(data.padded(rows[3:4])[0][0, 0, :2])


def test_a_model_starts_from_the_probe_of_its_task(study, small_params):
    folder, _ = study
    data = ModalityClips(read_study_clips(small_params, folder), "text", folder)
    rows = data.present(np.arange(len(data.clips.table)))[::-1].copy()
    logits = np.arange(7.0 * len(rows)).reshape(-1, 7)
    data.set_offset_logits("emotion", rows, logits)
    found = predict_outputs(Looking(), data, rows, ["offset_logits"], "emotion")
    np.testing.assert_array_equal(found["offset_logits"], logits)
    with pytest.raises(KeyError, match="personality"):
        predict_outputs(Looking(), data, rows, ["offset_logits"], "personality")


def test_round_trip(clips, tmp_path):
    rows = np.array([5, 1, 2, 3])
    write_outputs(tmp_path, clips, rows, outputs(rows))
    ids, found = read_outputs(tmp_path, "b")
    assert ids == ["é", "日本 'q'"] and set(found) == {"logits", "score"}
    assert found["logits"].tolist() == [[50, 51, 52], [20, 21, 22]]
    assert found["score"].tolist() == [5 / 7, 2 / 7]
    assert found["score"].dtype == torch.float64
    ids, found = read_outputs(str(tmp_path), "a")
    assert ids == ["ü-1", "x"] and found["logits"][:, 0].tolist() == [10, 30]


def test_a_corpus_without_clips_has_an_empty_file(clips, tmp_path):
    rows = np.array([0, 1])
    write_outputs(tmp_path, clips, rows, outputs(rows))
    ids, found = read_outputs(tmp_path, "c")
    assert ids == []
    assert found["logits"].shape == (0, 3) and found["score"].shape == (0,)
    rows, joined = study_outputs(tmp_path, clips)
    assert rows.tolist() == [0, 1] and len(joined["logits"]) == 2


def test_no_clips_at_all(clips, tmp_path):
    write_outputs(tmp_path, clips, np.array([], int), outputs([]))
    rows, joined = study_outputs(tmp_path, clips)
    assert rows.dtype == torch.int64 and rows.shape == (0,)
    assert joined["logits"].shape == (0, 3)


@pytest.mark.parametrize("given", [[0, 1, 2, 3, 4, 5], [4, 3, 5, 0], [2]])
def test_rows_of_a_study_find_their_outputs(clips, tmp_path, given):
    write_outputs(tmp_path, clips, np.array(given), outputs(given))
    rows, joined = study_outputs(tmp_path, clips)
    assert sorted(rows.tolist()) == sorted(given)
    assert joined["logits"][:, 0].tolist() == [10.0 * row for row in rows.tolist()]
    assert joined["score"].tolist() == [row / 7 for row in rows.tolist()]


def test_outputs_are_matched_by_clip_id(clips, tmp_path):
    given = np.arange(6)
    write_outputs(tmp_path, clips, given, outputs(given))
    order = [4, 2, 0, 5, 3, 1]
    table = clips.table.iloc[order].reset_index(drop=True)
    rows, joined = study_outputs(tmp_path, StudyClips(table, {}, ["a", "b", "c"]))
    was = np.array(order)[rows.numpy()]
    assert joined["logits"][:, 0].tolist() == (10.0 * was).tolist()


def test_an_output_of_a_clip_that_the_study_lacks_is_an_error(clips, tmp_path):
    write_outputs(tmp_path, clips, np.arange(6), outputs(np.arange(6)))
    fewer = StudyClips(clips.table.iloc[:5], {}, clips.corpora)
    with pytest.raises(KeyError, match="é"):
        study_outputs(tmp_path, fewer)


def test_same_outputs_same_bytes_and_ids_can_be_read_in_the_file(clips, tmp_path):
    for name in ("1", "2"):
        (tmp_path / name).mkdir()
        write_outputs(tmp_path / name, clips, np.arange(6), outputs(np.arange(6)))
    paths = [tmp_path / name / "outputs-a.safetensors" for name in ("1", "2")]
    assert paths[0].read_bytes() == paths[1].read_bytes()
    with safe_open(paths[0], framework="pt") as file:
        assert json.loads(file.metadata()["told"])["clip_ids"] == ["ü-1", "x"]
        assert "ü-1" in file.metadata()["told"]


@pytest.mark.parametrize("damage", ["absent", "half", "empty", "text", "without"])
def test_damaged_outputs_are_reported_with_the_remedy(clips, tmp_path, damage):
    folder = tmp_path / "crosstask" / "face"
    folder.mkdir(parents=True)
    write_outputs(folder, clips, np.arange(6), outputs(np.arange(6)), "abc")
    assert model_of_outputs(folder, clips) == "abc"
    path = folder / "outputs-a.safetensors"
    whole = path.read_bytes()
    path.write_bytes({"half": whole[:-9], "text": b"nothing"}.get(damage, b""))
    if damage == "without":  # as an earlier version wrote it
        save_file({"logits": torch.zeros(2)}, path, {"clip_ids": "[]"})
    elif damage == "absent":
        path.unlink()
    for read in (model_of_outputs, study_outputs):
        with pytest.raises(
            CheckpointError, match="outputs-a.*not readable.*`dvc repro crosstask@face`"
        ):
            read(folder, clips)


def test_outputs_of_two_models_are_an_error(clips, tmp_path):
    write_outputs(tmp_path, clips, np.arange(6), outputs(np.arange(6)), "abc")
    only_a = StudyClips(clips.table, {}, ["a"])
    write_outputs(tmp_path, only_a, np.arange(6), outputs(np.arange(6)), "other")
    with pytest.raises(CheckpointError, match="outputs of several models"):
        model_of_outputs(tmp_path, clips)
