import tracemalloc
import wave

import av
import numpy as np
import pytest

from sslmepr.media.audio import SAMPLE_RATE_HZ, is_silent, read_waveform
from sslmepr.media.errors import MediaError


def pitch_hz(waveform):
    spectrum = np.abs(np.fft.rfft(waveform * np.hanning(len(waveform))))
    return np.fft.rfftfreq(len(waveform), 1 / SAMPLE_RATE_HZ)[spectrum.argmax()]


def test_tone_comes_back(write_clip, tone):
    waveform = read_waveform(write_clip("tone.wav", waveform=tone))
    assert waveform.dtype == np.float32
    np.testing.assert_allclose(waveform, tone, atol=1e-4)


def test_other_rate_and_codec(write_clip):
    seconds = np.arange(44100) / 44100
    tone = 0.5 * np.sin(2 * np.pi * 440 * seconds)
    waveform = read_waveform(write_clip("tone.mp4", waveform=tone, rate=44100))
    assert len(waveform) == pytest.approx(SAMPLE_RATE_HZ, abs=2048)
    assert pitch_hz(waveform) == pytest.approx(440, abs=2)


def test_segment_is_exact(write_clip):
    ramp = np.linspace(-0.9, 0.9, 4 * SAMPLE_RATE_HZ)
    path = write_clip("ramp.wav", waveform=ramp)
    waveform = read_waveform(path, 2.25, 3.5)
    expected = ramp[round(2.25 * SAMPLE_RATE_HZ) : round(3.5 * SAMPLE_RATE_HZ)]
    np.testing.assert_allclose(waveform, expected, atol=1e-4)
    assert len(read_waveform(path, 3.0, np.nan)) == SAMPLE_RATE_HZ


def test_silence(write_clip, tone):
    assert is_silent(np.zeros(100, np.float32))
    assert is_silent(np.full(100, 0.0005))
    assert not is_silent(tone)
    assert is_silent(np.zeros(0))


def test_what_cannot_be_used_says_why(write_clip, tmp_path, tone):
    with pytest.raises(MediaError, match="no audio stream"):
        read_waveform(write_clip(levels=[10, 20]))
    with pytest.raises(MediaError, match="there is no such file"):
        read_waveform(tmp_path / "nowhere.wav")
    with pytest.raises(MediaError, match="no samples in the segment"):
        read_waveform(write_clip("tone.wav", waveform=tone), 5.0, 6.0)
    noise = tmp_path / "noise.wav"
    noise.write_bytes(b"RIFF" + bytes(200))
    with pytest.raises(MediaError, match="cannot be decoded"):
        read_waveform(noise)


def loudness(waveform):
    return float(np.sqrt(np.mean(waveform**2)))


def test_the_default_track_is_heard(write_tracks, tone):
    path = write_tracks([tone, 0.25 * tone], default=1)
    assert loudness(read_waveform(path)) == pytest.approx(0.25 * 0.354, rel=0.05)
    path = write_tracks([tone, 0.25 * tone], default=0)
    assert loudness(read_waveform(path)) == pytest.approx(0.354, rel=0.05)


def test_a_track_that_gives_nothing_gives_way(write_tracks, tone):
    path = write_tracks([0 * tone, tone])
    assert loudness(read_waveform(path)) == pytest.approx(0.354, rel=0.05)
    # AC-4 has no decoder; "esds" would tell that it is none
    content = path.read_bytes()
    path.write_bytes(content.replace(b"mp4a", b"ac-4", 1).replace(b"esds", b"free", 1))
    assert loudness(read_waveform(path)) == pytest.approx(0.354, rel=0.05)
    path.write_bytes(content.replace(b"mp4a", b"ac-4").replace(b"esds", b"free"))
    with pytest.raises(MediaError, match="no decoder for its audio stream"):
        read_waveform(path)
    assert is_silent(read_waveform(write_tracks([0 * tone, 0 * tone])))


def test_channels_are_averaged(write_channels, tone):
    two = [0.8 * tone, 0.2 * tone]
    for places in (0, 3, 0x500):  # unnamed; left and right; two of no common pair
        waveform = read_waveform(write_channels(two, places))
        np.testing.assert_allclose(waveform, 0.5 * tone, atol=1e-4)


@pytest.mark.parametrize("count", [3, 4, 5, 8])
def test_no_unnamed_channel_is_dropped(write_channels, tone, count):
    for speaking in range(count):
        channels = np.zeros((count, len(tone)))
        channels[speaking] = tone
        waveform = read_waveform(write_channels(channels))
        np.testing.assert_allclose(waveform, tone / count, atol=1e-4)


def test_channels_that_cancel_each_other(write_channels, tone):
    path = write_channels([0.9 * tone, -tone], places=3)
    np.testing.assert_allclose(read_waveform(path), -tone, atol=1e-4)
    np.testing.assert_allclose(
        read_waveform(path, 0.25, 0.5), -tone[4000:8000], atol=1e-4
    )
    silent = read_waveform(write_channels([0 * tone, 0 * tone]))
    assert is_silent(silent) and len(silent) == len(tone)


def test_unrelated_channels_do_not_cancel_each_other(write_channels):
    noise = np.random.default_rng(0).normal(0, 0.1, (2, 16000))
    waveform = read_waveform(write_channels(noise, places=3))
    np.testing.assert_allclose(waveform, noise.mean(axis=0), atol=1e-4)


def write_mp3(path, rate, seconds=0.5):
    with av.open(str(path), "w", format="mp3", options={"write_xing": "0"}) as out:
        stream = out.add_stream("libmp3lame", rate=rate, layout="mono")
        moments = np.arange(int(seconds * rate)) / rate
        sound = 0.5 * np.sin(2 * np.pi * 440 * moments, dtype=np.float32)[None]
        frame = av.AudioFrame.from_ndarray(sound, format="fltp", layout="mono")
        frame.sample_rate = rate
        out.mux([*stream.encode(frame), *stream.encode()])
    return path.read_bytes()


def test_a_rate_that_changes_on_the_way(tmp_path):
    parts = [write_mp3(tmp_path / "part.mp3", rate) for rate in (48000, 44100)]
    path = tmp_path / "both.mp3"
    path.write_bytes(b"".join(parts))
    waveform = read_waveform(path)
    assert len(waveform) / SAMPLE_RATE_HZ == pytest.approx(1.0, abs=0.15)
    for part in np.split(waveform, [len(waveform) // 2]):
        assert pitch_hz(part[1600:-1600]) == pytest.approx(440, abs=5)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_samples_that_are_no_numbers(tmp_path, tone, value):
    sound = tone.astype(np.float32)[None]
    sound[0, 8000] = value
    path = tmp_path / "nan.wav"
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_f32le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound, format="flt", layout="mono")
        frame.sample_rate = 16000
        out.mux([*stream.encode(frame), *stream.encode()])
    with pytest.raises(MediaError, match="nan.wav: .* not finite numbers"):
        read_waveform(path)
    np.testing.assert_allclose(read_waveform(path, 0, 0.4), tone[:6400], atol=1e-4)


def test_a_float_wave_comes_back(tmp_path, tone):
    path = tmp_path / "float.wav"
    sound = 1.5 * tone.astype(np.float32)[None]
    with av.open(str(path), "w") as out:
        stream = out.add_stream("pcm_f32le", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray(sound, format="flt", layout="mono")
        frame.sample_rate = 16000
        out.mux([*stream.encode(frame), *stream.encode()])
    np.testing.assert_allclose(read_waveform(path), sound[0], atol=1e-6)


def damage(path, places):
    """Overwrite some of a file, given as shares of its length."""
    content = bytearray(path.read_bytes())
    for place in places:
        begin = int(place * len(content))
        content[begin : begin + 40] = bytes(40)
    path.write_bytes(content)


def test_a_damaged_packet_becomes_silence(write_clip):
    noise = 0.5 * np.random.default_rng(0).uniform(-1, 1, 64000)
    path = write_clip("noise.mp4", waveform=noise)
    expected = read_waveform(path)
    damage(path, [0.5])
    waveform = read_waveform(path)
    assert len(waveform) == len(expected)
    assert not waveform[32000:34000].all() and expected[32000:34000].all()
    differs = np.flatnonzero(waveform != expected)
    assert 1024 <= np.ptp(differs) <= 3 * 1024  # blocks of AAC overlap
    damage(path, np.arange(0.1, 0.9, 0.05))
    with pytest.raises(
        MediaError, match="s of its sound are damaged|cannot be decoded"
    ):
        read_waveform(path)


def write_silence(path, seconds):
    with wave.open(str(path), "wb") as out:
        out.setparams((1, 2, 8000, 0, "NONE", ""))
        for _ in range(seconds):
            out.writeframes(bytes(16000))
    return path


def test_sound_that_is_too_long(tmp_path, monkeypatch):
    path = write_silence(tmp_path / "long.wav", 8)
    monkeypatch.setattr("sslmepr.media.audio.MAX_HOURS", 4 / 3600)
    with pytest.raises(MediaError, match="hours of sound; cut it"):
        read_waveform(path)
    assert len(read_waveform(path, 3, 6)) == 3 * SAMPLE_RATE_HZ
    monkeypatch.setattr("sslmepr.media.audio._check_length", lambda *_: None)
    with pytest.raises(MediaError, match="hours of sound; cut it"):
        read_waveform(path)  # of which the file tells no length


def test_sound_is_held_once(tmp_path):
    path = write_silence(tmp_path / "long.wav", 120)
    read_waveform(path, 0, 1)  # imports
    tracemalloc.start()
    waveform = read_waveform(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(waveform) == 120 * SAMPLE_RATE_HZ
    assert peak < 1.3 * waveform.nbytes
