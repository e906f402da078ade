import numpy as np
import pytest

from sslmepr.simulation.voice_quality import SAMPLE_RATE_HZ, colour_voice, over_time

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
    np.zeros(1),
)


def tone(frequency_hz=200.0):
    seconds = np.arange(SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    return np.sin(2 * np.pi * frequency_hz * seconds)


def colour(waveform, **values):
    values = {name: np.atleast_1d(each) for name, each in values.items()}
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


@pytest.mark.parametrize("count", [7, 40, 1001])
def test_between_the_middles_of_moments_a_quantity_is_interpolated(count):
    moments = np.array([1.0, 3.0, -2.0, 0.5])
    middles = ((np.arange(4) + 0.5) / 4 * count).round()
    expected = np.interp(np.arange(count), middles, moments)
    np.testing.assert_allclose(over_time(moments, count), expected, atol=1e-12)
    assert over_time(moments[:1], count) == 1.0


@pytest.mark.parametrize("name", sorted(set(NEUTRAL) - {"loudness"}))
def test_a_quality_changes_in_the_second_half_alone(name):
    noise = np.random.default_rng(1).standard_normal(SAMPLE_RATE_HZ)
    waveform = 0.1 * noise + 0.5 * tone()
    plain = colour(waveform, **{name: np.zeros(4)})
    changed = colour(waveform, **{name: np.array([0.0, 0.0, 1.0, 1.0])})
    first, second = slice(0, 5500), slice(8000, None)
    # loudness is of the whole clip: the louder the second half, the softer the first
    factor = np.linalg.norm(plain[first]) / np.linalg.norm(changed[first])
    apart = np.abs(factor * changed - plain)
    assert apart[second].mean() > 3 * apart[first].mean()


def test_loudness_rises_over_the_clip():
    waveform = np.sqrt(2) * 0.07 * tone()
    rising = colour(waveform, loudness=np.linspace(-1, 1, 8), tremor=-1.0)
    levels = [np.sqrt(np.mean(part**2)) for part in np.array_split(rising, 8)]
    # 9 dB up or down, from middle to middle
    expected = 0.07 * 10 ** (9 * np.linspace(-1, 1, 8) / 20)
    np.testing.assert_allclose(levels, expected, rtol=0.1)
