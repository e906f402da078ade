"""Which labels training can read."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.corpora.schema import COLUMNS, read_clips, validate, write_clips
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


def test_only_what_a_corpus_adds_as_text_is_text_only(folder, small_params):
    """A clip without media of any other corpus is one like all others."""
    roles = small_params.roles
    for name in (roles.emotion, roles.personality):
        table = read_clips(folder / name / "corpus")
        table.loc[table["split"] == "train", "media"] = None
        table[list(EMOTION_COLUMNS)] = [[0.5], [1.0], [1.0]] @ np.ones((1, 7))
        write_clips(table, folder / name / "corpus")
    added = {roles.emotion: 1, roles.personality: 0}
    changed = {
        name: small_params.corpus[name].model_copy(update={"text_only": count})
        for name, count in added.items()
    }
    corpora = small_params.corpus | changed
    clips = read_study_clips(
        small_params.model_copy(update={"corpus": corpora}), folder
    )
    alone = clips.table[clips.text_only]
    assert alone[["corpus", "split"]].to_numpy().tolist() == [[roles.emotion, "train"]]
    assert len(clips.training_labels(roles.emotion, "emotion")) == 0
    assert len(clips.training_labels(roles.personality, "personality")) == 1


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_the_truth_has_every_label_of_the_same_clips(folder, small_params, task):
    clips, true = (
        read(small_params, folder) for read in (read_study_clips, read_true_clips)
    )
    pd.testing.assert_frame_equal(clips.table, true.table)
    assert (true.labels[task] == (0.25 if task == "emotion" else 0.75)).all()
    assert len(true.labels[task]) == 9
