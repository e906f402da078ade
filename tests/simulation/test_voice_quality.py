import numpy as np
import pytest

from sslmepr.simulation.voice_quality import SAMPLE_RATE_HZ, colour_voice

NEUTRAL = dict.fromkeys(
    (
        "breathiness",
        "brightness",
        "resonance",
        "tremor",
        "roughness",
        "stress",
        "loudness",
    ),
    0.0,
)


def tone(frequency_hz=200.0):
    seconds = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return np.sin(2 * np.pi * frequency_hz * seconds)


def colour(waveform, **values):
    return colour_voice(waveform, NEUTRAL | values, np.random.default_rng(0))


def test_loudness_sets_the_level_whatever_came_in():
    for gain in (0.01, 1.0):
        level = np.sqrt(np.mean(np.square(colour(gain * tone(), loudness=1.0))))
        assert level == pytest.approx(0.07 * 10 ** (9 / 20), rel=0.05)


def test_tremor_wavers_at_six_hertz():
    envelope = np.abs(colour(tone(), tremor=1.0, roughness=-1.0))
    spectrum = np.abs(np.fft.rfft(envelope - envelope.mean()))
    assert 1 + spectrum[1:40].argmax() == 6


def test_roughness_adds_fast_modulation():
    def fast(**values):
        spectrum = np.abs(np.fft.rfft(np.abs(colour(tone(), **values))))
        return spectrum[45:71].max() / spectrum[0]

    assert fast(roughness=1.0, tremor=-1.0) > 5 * fast(roughness=-1.0, tremor=-1.0)


def test_silence_stays_silence():
    assert not np.abs(colour(np.zeros(4000))).max() > 0.1
