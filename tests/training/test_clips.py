"""Which labels training can read."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.corpora.schema import COLUMNS, validate, write_clips
from sslmepr.evaluation.true_labels import read_true_clips
from sslmepr.labels import EMOTION_COLUMNS, TRAIT_COLUMNS
from sslmepr.training.clips import read_study_clips

SPLITS = ("train", "dev", "test")


@pytest.fixture
def folder(tmp_path, small_params):
    """Three corpora, each with a clip of every split and both kinds of label."""
    for name in small_params.roles.model_dump().values():
        table = pd.DataFrame(
            {"clip_id": SPLITS, "speaker_id": SPLITS, "split": SPLITS, "media": "x.mp4"}
        ).reindex(columns=list(COLUMNS))
        table[list(EMOTION_COLUMNS)], table[list(TRAIT_COLUMNS)] = 0.25, 0.75
        write_clips(validate(table, name), tmp_path / name / "corpus")
    return tmp_path


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_training_sees_only_labels_of_the_role_outside_test(folder, small_params, task):
    clips = read_study_clips(small_params, folder)
    known = clips.table[clips.labelled(task)]
    assert set(known["corpus"]) == {getattr(small_params.roles, task)}
    assert known["split"].tolist() == ["train", "dev"]
    assert np.isnan(clips.labels[task]).all(1).sum() == len(clips.table) - 2


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_the_truth_has_every_label_of_the_same_clips(folder, small_params, task):
    clips, true = (
        read(small_params, folder) for read in (read_study_clips, read_true_clips)
    )
    pd.testing.assert_frame_equal(clips.table, true.table)
    assert (true.labels[task] == (0.25 if task == "emotion" else 0.75)).all()
    assert len(true.labels[task]) == 9
