"""The calibration that stage 3 writes beside its models."""

import json

import numpy as np
import pytest

from sslmepr.labels import TARGETS
from sslmepr.training.calibration import (
    FILE,
    Calibration,
    CalibrationClips,
    calibrate,
    read_calibration,
    write_calibration,
)
from sslmepr.training.checkpoints import CheckpointError
from sslmepr.training.clips import read_study_clips
from sslmepr.training.new_clips import StudyModels


@pytest.fixture(scope="module")
def models(trained):
    folder = trained[1]
    return StudyModels(folder, folder / "fusion" / "multitask", "cpu")


def test_stage_3_calibrates_on_labelled_dev_clips(trained, models, small_params):
    data_folder, folder, _, _ = trained
    found = read_calibration(folder / "fusion" / "multitask", models.digests)
    clips = read_study_clips(small_params, data_folder)
    for task in ("emotion", "personality"):
        rows = clips.rows(task, "dev")
        mine = found.tasks[task]
        assert (mine.corpus, mine.split) == (task, "dev")
        assert mine.true == clips.labels[task][rows].astype(float).tolist()
        ids = clips.table["clip_id"].iloc[rows].tolist()
        predicted = models.predict(ids, data_folder / task / "features")[task]
        assert mine.predicted == predicted.mean(0).tolist()
        names = clips.table["speaker_id"].iloc[rows]
        assert mine.speakers == names.map(sorted(set(names)).index).tolist()
        assert mine.people == names.nunique() == 6
    assert set(found.models) == {"0", "1"}


def test_a_variant_is_calibrated_for_its_tasks(trained):
    folder = trained[1]
    stage_3 = folder / "fusion" / "emotion_only"
    models = StudyModels(folder, stage_3, "cpu")
    found = read_calibration(stage_3, models.digests)
    assert set(found.tasks) == {"emotion"}
    assert [len(each) for each, _, _ in found.columns("personality")] == [0] * 5


def test_test_labels_and_names_are_not_in_the_file(trained):
    data_folder, folder, _, _ = trained
    text = (folder / "fusion" / "multitask" / FILE).read_text()
    assert "emotion-0" not in text and "personality-p" not in text
    assert {each["split"] for each in json.loads(text)["tasks"].values()} == {"dev"}


def test_clips_without_labels_or_without_modality_are_left_out(
    trained, models, small_params
):
    data_folder, _, _, _ = trained
    clips = read_study_clips(small_params, data_folder)
    rows = clips.rows("emotion", "dev")
    clips.labels["emotion"][rows[:3], 2] = np.nan
    clips.labels["personality"][:] = np.nan
    clips.table.loc[rows[3], "clip_id"] = "nobody"
    found = calibrate(small_params, clips, models, data_folder)
    assert set(found.tasks) == {"emotion"}
    assert len(found.tasks["emotion"].true) == len(rows) - 4
    assert np.isfinite(found.tasks["emotion"].predicted).all()


def some(people=40):
    rng = np.random.default_rng(2)
    tasks = {}
    for task, targets in TARGETS.items():
        shape = people, len(targets)
        true = (rng.random(shape) < 0.5).astype(float).tolist()
        predicted = rng.random(shape).tolist()
        speakers = list(range(people))
        tasks[task] = CalibrationClips("c", "dev", speakers, true, predicted)
    return Calibration(tasks, {"0": "f00"})


def test_what_is_written_is_read(tmp_path):
    write_calibration(some(), tmp_path)
    assert read_calibration(tmp_path, {"0": "f00"}) == some()
    with pytest.raises(CheckpointError, match="of other models than lie beside it"):
        read_calibration(tmp_path, {"0": "f01"})
    for content in ("[]", "{}", "", '{"targets": {}, "tasks": [], "models": {}}'):
        (tmp_path / FILE).write_text(content)
        message = "calibration.json: not readable as a calibration.*train it again"
        with pytest.raises(CheckpointError, match=message):
            read_calibration(tmp_path, {"0": "f00"})
    (tmp_path / FILE).unlink()
    with pytest.raises(CheckpointError, match="calibration.json: is missing"):
        read_calibration(tmp_path, {"0": "f00"})
