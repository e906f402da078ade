import os
import shutil
import unicodedata
from pathlib import Path

import av
import pytest

from sslmepr.media.audio import read_waveform
from sslmepr.media.container import find_file, first_stream, open_media, streams
from sslmepr.media.errors import MediaError
from sslmepr.media.video import sample_frames

COMPOSED, DECOMPOSED = (unicodedata.normalize(f, "Jürgen") for f in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("stored", "asked"), [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)]
)
def test_accents_may_be_written_in_either_way(
    tmp_path, write_clip, tone, stored, asked
):
    file = tmp_path / stored / f"{stored}.wav"
    file.parent.mkdir()
    shutil.move(write_clip("a.wav", waveform=tone), file)
    wanted = tmp_path / asked / f"{asked}.wav"
    assert find_file(wanted).samefile(file)
    assert len(read_waveform(wanted)) == 16000


def test_the_name_as_written_comes_first(tmp_path):
    for name in (COMPOSED, DECOMPOSED):
        (tmp_path / name).touch()
    for name in (COMPOSED, DECOMPOSED):
        assert find_file(tmp_path / name).name == name
    absent = tmp_path / "nö" / "where.wav"
    assert find_file(absent) == absent


def test_a_name_that_is_not_utf_8(tmp_path, write_clip, tone):
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/J\xfcrgen.mp4"))
    try:
        write_clip("a.mp4", levels=[10, 20], waveform=tone).rename(path)
    except OSError:
        pytest.skip("names of this file system are UTF-8")
    assert len(read_waveform(path)) >= 16000
    assert len(sample_frames(path, 2).images) == 2


@pytest.mark.parametrize("name", ["http:a.wav", "concat:a|b.wav", "-a %d.wav"])
def test_a_name_that_looks_like_an_address(
    tmp_path, write_clip, tone, monkeypatch, name
):
    write_clip("a.wav", waveform=tone).rename(tmp_path / name)
    monkeypatch.chdir(tmp_path)
    assert len(read_waveform(name)) == 16000


@pytest.mark.parametrize(
    "content",
    [
        "ffconcat version 1.0\nfile 'clip.mp4'\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nclip.mp4\n#EXT-X-ENDLIST\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n",
        "<?xml version='1.0' encoding='utf-8'?><MPD>Jürgen</MPD>\n",
    ],
)
def test_playlists_open_nothing(tmp_path, write_clip, content, monkeypatch):
    write_clip(levels=[10, 20])
    path = tmp_path / "list.mp4"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(MediaError, match="it is a text or a playlist"):
        sample_frames(path, 1)
    # nor would a decoder take it
    monkeypatch.setattr("sslmepr.media.container._check_head", lambda *_: None)
    with pytest.raises(MediaError, match="no format of recordings|cannot be decoded"):
        sample_frames(path, 1)


def test_a_picture_is_no_recording(tmp_path):
    path = tmp_path / "picture.mp4"
    av.VideoFrame(64, 64, "rgb24").to_image().save(path, "png")
    with pytest.raises(MediaError, match="is in no format of recordings"):
        sample_frames(path, 1)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ValueError("Frame does not match"), "cannot be read .Frame does not match"),
        (AttributeError(), "cannot be read .AttributeError"),
        (MemoryError(), "cannot be read .MemoryError"),
        (av.InvalidDataError(1, "Invalid data"), "cannot be decoded .Invalid data"),
        (MediaError("x", "as it is"), "as it is"),
    ],
)
def test_whatever_decoders_raise_tells_the_file(write_clip, tone, error, reason):
    path = write_clip("a.wav", waveform=tone)
    with pytest.raises(MediaError, match=reason), open_media(path):
        raise error


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(MediaError, match="there is no such file"):
        read_waveform(tmp_path)


def test_the_track_marked_as_default_comes_first(write_tracks, tone):
    path = write_tracks([0 * tone, 0.5 * tone, tone], default=1)
    with open_media(path) as container:
        assert [s.index for s in streams(container, "audio", path)] == [1, 0, 2]
        assert first_stream(container, "audio", path).index == 1
