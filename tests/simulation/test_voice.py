import numpy as np
import pytest
from scipy import signal

from sslmepr.simulation.voice import (
    AUDIO_CONTROLS,
    EMOTION_AXES,
    PERSON_VOICES,
    SAMPLE_RATE_HZ,
    TRAIT_AXES,
    Voice,
    VoiceError,
    add_room,
    add_street,
    draw_voice,
    speak,
    speech_envelope,
)

PHRASES = ["Well", "I made a list", "then we stayed civil", "the food was fine"]
VOICE = Voice("en-us+m3", 0.0)


def moments(count=1, **controls):
    """(moment, control) array; a control may change from moment to moment."""
    rows = [np.broadcast_to(controls.get(name, 0.0), count) for name in AUDIO_CONTROLS]
    return np.stack(rows, axis=1)


def say(seed=5, marker=0.0, **controls):
    return speak(PHRASES, moments(**controls), VOICE, 3.7, seed, marker)


def fundamental_hz(waveform):
    """Fundamental frequencies of voiced frames, by autocorrelation."""
    found = []
    for start in range(0, len(waveform) - 1024, 512):
        frame = waveform[start : start + 1024] * np.hanning(1024)
        spectrum = np.fft.rfft(frame, 2048)
        correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:1024]
        lags = slice(SAMPLE_RATE_HZ // 400, SAMPLE_RATE_HZ // 60)
        lag = lags.start + correlation[lags].argmax()
        if correlation[lag] > 0.5 * correlation[0]:
            found.append(SAMPLE_RATE_HZ / lag)
    return np.array(found)


def level_db(waveform):
    return 10 * np.log10(np.mean(np.square(waveform)))


def above_db(waveform, cutoff_hz):
    """Level above a frequency against the whole."""
    section = signal.butter(4, cutoff_hz, "highpass", fs=SAMPLE_RATE_HZ, output="sos")
    return level_db(signal.sosfilt(section, waveform)) - level_db(waveform)


def test_axes_are_unit_vectors():
    assert EMOTION_AXES.shape == (11, 6)
    assert TRAIT_AXES.shape == (11, 5)
    np.testing.assert_allclose(np.linalg.norm(EMOTION_AXES, axis=0), 1)
    np.testing.assert_allclose(np.linalg.norm(TRAIT_AXES, axis=0), 1)


def test_the_same_seed_says_the_same():
    first = say(breathiness=1.0)
    say(seed=6, pitch=2.0)
    np.testing.assert_array_equal(first, say(breathiness=1.0))
    assert first.dtype == np.float32
    assert np.abs(first).max() <= 1


def test_pitch_raises_the_fundamental_frequency():
    low, high = (np.median(fundamental_hz(say(pitch=value))) for value in (-2, 2))
    assert high > 1.3 * low


def test_pitch_range_widens_the_fundamental_frequency():
    narrow, wide = (
        np.subtract(
            *np.percentile(np.log2(fundamental_hz(say(pitch_range=v))), [90, 10])
        )
        for v in (-2, 2)
    )
    assert wide > 1.5 * narrow


def test_rate_shortens_and_pauses_lengthen():
    assert len(say(rate=2.0)) < 0.85 * len(say(rate=-2.0))
    assert len(say(pauses=2.0)) > 1.1 * len(say(pauses=-2.0))


def test_loudness_is_a_matter_of_decibels():
    assert level_db(say(loudness=2.0)) - level_db(say(loudness=-2.0)) > 9


def test_brightness_and_breathiness_add_treble():
    for control, cutoff_hz in (("brightness", 1500), ("breathiness", 5000)):
        dark, bright = (above_db(say(**{control: v}), cutoff_hz) for v in (-2, 2))
        assert bright > dark + 2, control


@pytest.mark.parametrize(
    "control", ["tremor", "roughness", "resonance", "stress", "breathiness"]
)
def test_every_voice_quality_is_heard(control):
    low, high = say(**{control: -2.0}), say(**{control: 2.0})
    assert len(low) == len(high)
    assert level_db(high - low) > level_db(low) - 18


def test_a_long_sentence_is_spoken_faster_not_cut():
    neutral = moments()
    assert len(speak(PHRASES, neutral, VOICE, 2.0, 1)) <= 2.0 * SAMPLE_RATE_HZ
    with pytest.raises(VoiceError, match="cannot be said in 0.5 s"):
        speak(PHRASES, neutral, VOICE, 0.5, 1)


def test_bad_controls_are_refused():
    with pytest.raises(ValueError, match="pitch"):
        speak(PHRASES, np.zeros(3), VOICE, 3.7, 1)


def test_voices_are_drawn_from_all_variants():
    rng = np.random.default_rng(0)
    drawn = {draw_voice(rng).variant for _ in range(100)}
    assert drawn == set(PERSON_VOICES)


def test_room_noise_fills_the_clip_around_the_speech():
    speech = np.full(8000, 0.5, dtype=np.float32)
    clip = add_room(speech, 2.5, -40, 7)
    assert clip.shape == (40_000,)
    assert level_db(clip[:4000]) == pytest.approx(-40, abs=2)
    assert (clip > 0.4).sum() == pytest.approx(8000, abs=10)
    np.testing.assert_array_equal(clip, add_room(speech, 2.5, -40, 7))
    with pytest.raises(VoiceError, match="0.50 s of speech in a clip of 0.4 s"):
        add_room(speech, 0.4, -40, 7)


def test_the_envelope_follows_the_speech_in_every_frame():
    waveform = np.concatenate([np.zeros(8000), np.full(8000, 0.5), np.zeros(8000)])
    envelope = speech_envelope(waveform, 6, 4)
    np.testing.assert_allclose(envelope, [0, 0, 1, 1, 0, 0])
    assert speech_envelope(np.zeros(16000), 4, 4).tolist() == [0, 0, 0, 0]


def test_a_moment_is_as_good_as_eight_that_are_the_same():
    controls = np.random.default_rng(4).standard_normal((1, len(AUDIO_CONTROLS)))
    once = speak(PHRASES, controls, VOICE, 3.7, 1)
    repeated = speak(PHRASES, np.repeat(controls, 8, axis=0), VOICE, 3.7, 1)
    assert len(once) == len(repeated)
    np.testing.assert_allclose(once, repeated, atol=1e-6)


@pytest.mark.parametrize(
    ("control", "measure"),
    [
        ("pitch", lambda part: np.median(np.log2(fundamental_hz(part)))),
        ("loudness", level_db),
        ("brightness", lambda part: above_db(part, 1500)),
    ],
)
def test_a_control_that_rises_over_the_clip_is_heard_to_rise(control, measure):
    def rise(values):
        speech = speak(PHRASES, moments(8, **{control: values}), VOICE, 3.7, 5)
        first, _, last = np.array_split(speech, 3)
        return measure(last) - measure(first)

    up, down = np.linspace(-2, 2, 8), np.linspace(2, -2, 8)
    assert rise(up) > rise(0.0) > rise(down)


def test_a_word_that_is_spoken_slower_moves_those_behind_it():
    half = np.repeat([0.0, -3.0], 4)
    slow, late = (
        speak(PHRASES, moments(8, rate=rate), VOICE, 5.0, 5) for rate in (-3.0, half)
    )
    even = speak(PHRASES, moments(8), VOICE, 5.0, 5)
    assert len(even) < len(late) < len(slow)


def test_a_drawl_stretches_and_drops_the_ends_and_nothing_without_a_marker():
    np.testing.assert_array_equal(say(), say(marker=0.0))
    phrase = ["I went out with people"]
    lengths, ends = [], []
    for marker in (-2.0, 0.0, 2.0, 4.0):
        speech = speak(phrase, moments(), VOICE, 5.0, 5, marker)
        lengths.append(len(speech))
        ends.append(np.median(fundamental_hz(speech[-len(speech) // 4 :])))
    assert (np.diff(lengths) > 0).all()
    assert ends[-1] < 0.9 * ends[1]


@pytest.mark.parametrize("marker", [-5.0, 5.0])
def test_a_drawl_keeps_to_the_longest_length(marker):
    speech = speak(PHRASES, moments(rate=-3.0, pauses=3.0), VOICE, 3.0, 5, marker)
    assert len(speech) <= 3.0 * SAMPLE_RATE_HZ


@pytest.mark.parametrize(("loss", "ratio_db"), [(0.25, 15), (0.5, 5), (1.0, -5)])
def test_the_street_is_as_loud_as_the_loss_says(loss, ratio_db):
    rng = np.random.default_rng(0)
    speech = (0.05 * rng.standard_normal(32_000)).astype(np.float32)
    clip = add_room(speech, 3.0, -60, 3)
    noise = add_street(clip, speech, loss, 3) - clip
    assert level_db(speech) - level_db(noise) == pytest.approx(ratio_db, abs=0.1)


def test_a_clear_clip_has_no_street():
    clip = add_room(np.full(8000, 0.5, dtype=np.float32), 1.0, -40, 7)
    assert add_street(clip, clip, 0.0, 7) is clip
