import contextlib
import os
from pathlib import Path

import av
import pytest

from sslmepr.corpora.folder import MEDIA_SUFFIXES, media_files, read_folder
from sslmepr.corpora.schema import LABEL_COLUMNS, CorpusError

REAL = Path(__file__).parents[3] / "shared" / "media"


def test_every_media_file_is_a_clip_to_predict(tmp_path):
    for name in ("b.MP4", "a ü.wav", "sub/b.mp4", "notes.txt", ".hidden.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    (tmp_path / "folder.mp4").mkdir()
    table = read_folder(tmp_path)
    assert table.attrs["left_out"] == {
        ".hidden.mp4": "hidden: a name in its path begins with a dot",
        "notes.txt": "its name ends in no media format: '.txt'",
    }
    expected = ["a ü.wav", "b.MP4", "sub/b.mp4"]
    for column in ("clip_id", "speaker_id", "media"):
        assert list(table[column]) == expected
    assert set(table["split"]) == {"test"}
    empty = ["start_seconds", "end_seconds", "transcript", *LABEL_COLUMNS]
    assert table[empty].isna().all(axis=None)


@pytest.mark.parametrize("suffix", "m4a mts wmv m4v MTS 3gp ogg opus aac vob".split())
def test_recordings_of_phones_and_cameras_are_taken(tmp_path, suffix):
    (tmp_path / f"x.{suffix}").touch()
    assert list(read_folder(tmp_path)["media"]) == [f"x.{suffix}"]


def test_formats_of_media_are_those_that_ffmpeg_names():
    """Pictures, texts and formats of games or broadcasters apart."""
    known = set()
    for name in av.formats_available:
        for mode in "rw":
            with contextlib.suppress(ValueError):
                known |= av.format.ContainerFormat(name, mode).extensions
    # other names of those, and formats of cameras that FFmpeg knows by their content
    known |= set(
        "qt divx mpe mod tod lrv rf64 bwf snd wave awb mka weba rmvb ogm".split()
    )
    known |= {"m2a", "mpa", "mjpg", "h261", "aiff", "adts", "amv"}
    assert {suffix.removeprefix(".") for suffix in MEDIA_SUFFIXES} <= known


@pytest.mark.skipif(os.name == "nt", reason="names are UTF-16 there")
def test_a_name_that_is_not_utf_8_is_told(tmp_path):
    (tmp_path / "x.wav").touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")).touch()
    table = read_folder(tmp_path)
    assert list(table["media"]) == ["x.wav"]
    reason = "its name is not UTF-8: rename the file"
    assert table.attrs["left_out"] == {"caf\\udce9.wav": reason}
    assert [
        each.encode("utf-8", "surrogateescape") for each in media_files(tmp_path)
    ] == [
        b"caf\xe9.wav",
        b"x.wav",
    ]


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
