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
