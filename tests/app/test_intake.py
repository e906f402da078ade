import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recordings import write_video

from sslmepr.app import intake
from sslmepr.app.intake import (
    AppError,
    check_file,
    check_recording,
    check_segment,
    is_recording,
)

RECORDINGS = {
    "mp4": b"\0\0\0\x18ftypisom",
    "webm": b"\x1aE\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81",
    "avi": b"RIFF\x10\0\0\0AVI ",
    "wav": b"RIFF\x10\0\0\0WAVE",
    "flac": b"fLaC\0\0\0\x22\x10\0\x10\0",
    "ogg": b"OggS\0\x02\0\0\0\0\0\0",
    "mp3 with tags": b"ID3\x04\0\0\0\0\0\0\0\0",
    "mp3": b"\xff\xfb\x90\x64\0\0\0\0\0\0\0\0",
}
OTHERS = {
    "playlist": b"ffconcat ver",
    "stream list": b"#EXTM3U\n#EX",
    "page": b"<!doctype ht",
    "image": b"\x89PNG\r\n\x1a\n\0\0\0",
    "RIFF of a picture": b"RIFF\x10\0\0\0WEBP",
    "AAC, whose layer is none": b"\xff\xf1\x50\x80\0\0\0\0\0\0\0\0",
    "archive": b"PK\x03\x04\0\0\0\0\0\0\0\0",
    "nothing": b"",
    "one byte": b"\xff",
}


@pytest.mark.parametrize("head", RECORDINGS.values(), ids=RECORDINGS)
def test_recordings_are_known_by_their_first_bytes(head):
    assert is_recording(head)


@pytest.mark.parametrize("head", OTHERS.values(), ids=OTHERS)
def test_whatever_else_is_refused(head):
    assert not is_recording(head)


@given(st.text(max_size=12))
def test_no_text_is_a_recording_but_one_that_names_a_format(text):
    head = text.encode()[:12]
    names = (b"fLaC", b"OggS", b"ID3", b"RIFF")
    if not head.startswith(names) and head[4:8] != b"ftyp":
        assert not is_recording(head)


def test_no_decoder_opens_what_is_refused(tmp_path, monkeypatch):
    def opened(*_, **__):
        raise AssertionError("a decoder was asked")

    monkeypatch.setattr("av.open", opened)
    path = tmp_path / "list.mp4"
    path.write_text("ffconcat version 1.0\nfile /etc/hostname\n")
    with pytest.raises(AppError, match="not a recording") as caught:
        check_file(path)
    assert str(tmp_path) not in str(caught.value) and "list" not in str(caught.value)
    with pytest.raises(AppError, match="no longer there"):
        check_file(tmp_path / "gone.mp4")


def test_a_file_may_be_so_large(tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    path.write_bytes(RECORDINGS["mp4"])
    monkeypatch.setattr(intake, "MOST_BYTES", 12)
    check_file(path)
    monkeypatch.setattr(intake, "MOST_BYTES", 11)
    with pytest.raises(AppError, match="larger than .* MB.* at once: cut out"):
        check_file(path)


@pytest.mark.parametrize(
    "typed, bounds",
    [
        (("", ""), (None, None)),
        ((None, None), (None, None)),
        (("1.5", " 2 "), (1.5, 2.0)),
        ((0, 60), (0.0, 60.0)),
        (("10", ""), (10.0, None)),
    ],
)
def test_bounds_of_a_segment(typed, bounds):
    assert check_segment(*typed) == bounds


@pytest.mark.parametrize(
    "typed, message",
    [
        (("one", ""), "The start must be a number"),
        (("", "-1"), "The end must be a number"),
        (("nan", ""), "The start must be"),
        (("", "inf"), "The end must be"),
        (("2", "2"), "is empty"),
        (("3", "2"), "is empty"),
        (("", "0"), "is empty"),
        (("0", "60.1"), "at most 60 seconds"),
        (({}, ""), "The start must be"),
    ],
)
def test_segments_that_cannot_be(typed, message):
    with pytest.raises(AppError, match=message):
        check_segment(*typed)


def test_a_segment_lies_in_its_recording(tmp_path, monkeypatch):
    path = tmp_path / "a.mp4"
    write_video(path, frames=20)
    assert check_recording(path, None, None) == pytest.approx(2, abs=0.1)
    assert check_recording(path, 0.5, 1.5) == 1
    with pytest.raises(AppError, match="ends at 2.0 s: choose an earlier start"):
        check_recording(path, 3, None)
    monkeypatch.setattr(intake, "MOST_SECONDS", 1.0)
    with pytest.raises(AppError, match="longer than 1 seconds: give a start and an"):
        check_recording(path, None, None)
    assert check_recording(path, 1, 2) == 1


def test_the_length_of_a_recording_without_one_in_its_header(tmp_path):
    """As browsers write it: the packets say when it ends."""
    path = tmp_path / "a.mkv"
    write_video(path, frames=20)
    content = path.read_bytes()
    # EBML element Duration (0x4489), a float of eight bytes: as if it was not known
    assert content.count(b"\x44\x89\x88") == 1
    begin = content.index(b"\x44\x89\x88")
    void = b"\xec\x89" + bytes(9)
    path.write_bytes(content[:begin] + void + content[begin + 11 :])
    assert intake.recording_seconds(path) == pytest.approx(2, abs=0.15)
    (length,) = struct.unpack(">d", content[begin + 3 : begin + 11])
    assert length / 1000 == pytest.approx(2, abs=0.15)


def test_what_cannot_be_decoded_is_told_without_its_name(clips):
    with pytest.raises(AppError, match="cannot be decoded") as caught:
        check_recording(clips / "broken.mp4", None, None)
    assert "broken" not in str(caught.value) and str(clips) not in str(caught.value)
