from pathlib import Path

import pytest

from sslmepr.corpora.folder import read_folder
from sslmepr.corpora.schema import LABEL_COLUMNS, CorpusError

REAL = Path(__file__).parents[3] / "shared" / "media"


def test_every_media_file_is_a_clip_to_predict(tmp_path):
    for name in ("b.MP4", "a ü.wav", "sub/b.mp4", "notes.txt", ".hidden.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "folder.mp4").mkdir()
    table = read_folder(tmp_path)
    expected = ["a ü.wav", "b.MP4", "sub/b.mp4"]
    for column in ("clip_id", "speaker_id", "media"):
        assert list(table[column]) == expected
    assert set(table["split"]) == {"test"}
    empty = ["start_seconds", "end_seconds", "transcript", *LABEL_COLUMNS]
    assert table[empty].isna().all(axis=None)


def test_a_folder_without_media_is_told_what_was_expected(tmp_path):
    (tmp_path / "notes.txt").touch()
    with pytest.raises(CorpusError, match=r"expected \.mp4, .*found none"):
        read_folder(tmp_path)


def test_an_absent_folder_is_named(tmp_path):
    with pytest.raises(CorpusError, match="none: expected a folder of media files"):
        read_folder(tmp_path / "none")


@pytest.mark.skipif(not REAL.is_dir(), reason="no clips of people in shared/media")
def test_the_clips_of_real_people_are_found():
    expected = ["face_noface.mov", "no_face.mp4", "single_face.mp4"]
    assert list(read_folder(REAL)["clip_id"]) == expected
