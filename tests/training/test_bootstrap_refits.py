import numpy as np
import pandas as pd
import pytest

from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.training.bootstrap_refits import read_refits, write_refits
from sslmepr.training.clips import StudyClips

CLIPS = StudyClips(
    pd.DataFrame({"corpus": [*"aabb"], "clip_id": ["k", "l", "k", "m"]}), {}, ["a", "b"]
)


def test_refits_come_back_with_their_clips_and_both_tasks(tmp_path):
    """Clip k of both corpora, in two refits; b/m has no emotion logits."""
    emotion = np.arange(28.0).reshape(2, 2, 7)
    traits = 100 + np.arange(30.0).reshape(2, 3, 5)
    for modality in ("face", "text"):
        folders = [
            tmp_path / f"unimodal/{modality}-{task}"
            for task in ("emotion", "personality")
        ]
        for folder in folders:
            folder.mkdir(parents=True)
        write_refits(folders[0], CLIPS, np.array([0, 2]), "emotion", emotion)
        write_refits(folders[1], CLIPS, np.array([3, 2, 0]), "personality", traits)
    table = read_refits(tmp_path, ["text", "face"])
    key = ["modality", "corpus", "clip_id", "refit"]
    assert [*table.columns] == [*key, *EMOTIONS, *TRAITS]
    assert table["modality"].tolist() == ["text"] * 4 + ["face"] * 4
    found = table.set_index(key).sort_index()
    assert len(found) == 8 and ("face", "b", "m", 0) not in found.index
    for corpus, place, other in (("a", 0, 2), ("b", 1, 1)):
        for refit in (0, 1):
            row = found.loc["face", corpus, "k", refit]
            assert row[list(EMOTIONS)].tolist() == emotion[refit, place].tolist()
            assert row[list(TRAITS)].tolist() == traits[refit, other].tolist()


def test_a_modality_that_was_not_trained_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="body-emotion"):
        read_refits(tmp_path, ["body"])
