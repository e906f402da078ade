"""Files cut in half, of every format that tells, and files that only look cut."""

import av
import numpy as np
import pytest

from sslmepr.media.audio import read_waveform
from sslmepr.media.completeness import break_off
from sslmepr.media.errors import MediaError
from sslmepr.media.video import sample_frames

SOUNDS = {
    "wav": "pcm_s16le",
    "aiff": "pcm_s16be",
    "flac": "flac",
    "mp3": "libmp3lame",
    "ogg": "libopus",
    "m4a": "aac",
    "mka": "libopus",
    "webm": "libopus",
}
FILMS = {"mp4": "libx264", "mov": "libx264", "mkv": "libx264", "avi": "mpeg4"}
LIVE = {
    "mp4": {"movflags": "frag_keyframe+empty_moov"},
    "mkv": {"live": "1"},
    "webm": {"live": "1"},
}
RATE = 48000


def write_sound(path, codec, options=None):
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", options=options or {}) as out:
        stream = out.add_stream(codec, rate=RATE, layout="mono")
        sound = rng.normal(0, 0.1, (1, 2 * RATE)).astype(np.float32)
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
        frame.sample_rate = RATE
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    return path


def write_film(path, codec, options=None):
    rng = np.random.default_rng(0)
    with av.open(str(path), "w", options=options or {}) as out:
        stream = out.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.gop_size = 5
        for _ in range(20):
            image = rng.integers(0, 255, (48, 64, 3), dtype=np.uint8)
            out.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(stream.encode())
    return path


def halve(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("suffix", SOUNDS)
def test_half_of_a_sound_breaks_off(tmp_path, suffix):
    path = write_sound(tmp_path / f"a.{suffix}", SOUNDS[suffix])
    assert break_off(path) is None
    assert len(read_waveform(path)) == pytest.approx(32000, abs=2000)
    halve(path)
    with pytest.raises(MediaError, match="the file breaks off.*copy it again"):
        read_waveform(path)


@pytest.mark.parametrize("suffix", FILMS)
def test_half_of_a_film_breaks_off(tmp_path, suffix):
    path = write_film(tmp_path / f"a.{suffix}", FILMS[suffix])
    assert break_off(path) is None
    assert len(sample_frames(path, 4).images) == 4
    halve(path)
    with pytest.raises(MediaError, match="the file breaks off.*copy it again"):
        sample_frames(path, 4)


def test_what_is_there_of_a_broken_file_can_be_used(tmp_path):
    """Segments before the break; not those behind it."""
    film = write_film(tmp_path / "a.mp4", "libx264", {"movflags": "faststart"})
    sound = write_sound(tmp_path / "a.wav", "pcm_s16le")
    for path in (film, sound):
        halve(path)
    assert len(sample_frames(film, 2, 0.0, 0.5).images) == 2
    assert len(read_waveform(sound, 0.0, 0.5)) == 8000
    for read in (
        lambda: read_waveform(sound, 0.5, 1.9),
        lambda: sample_frames(film, 2, 1.5, 2.0),
    ):
        with pytest.raises(MediaError, match="breaks off"):
            read()


@pytest.mark.parametrize("suffix", LIVE)
def test_live_recordings_announce_nothing(tmp_path, suffix):
    if suffix == "webm":
        path = write_film(tmp_path / "a.webm", "libvpx", LIVE[suffix])
    else:
        path = write_film(tmp_path / f"a.{suffix}", "libx264", LIVE[suffix])
    assert break_off(path) is None
    assert len(sample_frames(path, 4).images) == 4


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_sizes_that_stand_for_unknown(tmp_path, size):
    path = write_sound(tmp_path / "a.wav", "pcm_s16le")
    content = bytearray(path.read_bytes())
    data = content.index(b"data")
    for place in (4, data + 4):
        content[place : place + 4] = size.to_bytes(4, "little")
    path.write_bytes(content)
    assert break_off(path) is None


def test_what_lies_behind_the_end_does_no_harm(tmp_path):
    for path in (
        write_sound(tmp_path / "a.wav", "pcm_s16le"),
        write_film(tmp_path / "a.mp4", "libx264"),
        write_sound(tmp_path / "a.mp3", "libmp3lame"),
    ):
        with path.open("ab") as file:
            file.write(bytes(999) + b"TAG")
        assert break_off(path) is None
