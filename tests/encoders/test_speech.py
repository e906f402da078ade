import hashlib

import checkpoints
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from sslmepr.encoders.speech import (
    HELD_SAMPLES,
    WINDOW_SECONDS,
    Egemaps,
    SpeechEncoder,
    Wav2Vec2Emotion,
    WhisperTinyEn,
    pool_steps,
)
from sslmepr.weights import WeightsError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def waveform():
    """3.2 s: a tone that is silent in its second half."""
    seconds = np.arange(51200) / 16000
    tone = 0.3 * np.sin(2 * np.pi * 200 * seconds) + 0.1 * np.sin(
        2 * np.pi * 400 * seconds
    )
    return np.where(seconds < 1.6, tone, 0).astype(np.float32)


def test_pooling_by_hand():
    values = np.arange(10, dtype=np.float32)[:, None] * [1, 10]
    pooled = pool_steps(values, 50, 20)
    # steps 0 0.4 0.8 | 1.2 1.6 | 2.0 2.4 2.8 | 3.2 3.6 in intervals of 1 / 20 s
    np.testing.assert_allclose(pooled[:, 0], [1, 3.5, 6, 8.5])
    np.testing.assert_allclose(pooled[:, 1], [10, 35, 60, 85])


@settings(max_examples=50, deadline=None)
@given(
    steps=st.integers(1, 400), to_hz=st.sampled_from([0.5, 1.0, 5.0, 7.0, 12.5, 50.0])
)
def test_pooling_equals_its_definition(steps, to_hz):
    values = np.random.default_rng(steps).normal(size=(steps, 2))
    pooled = pool_steps(values, 50.0, to_hz)
    interval = [int((i * to_hz * 10) // 500) for i in range(steps)]
    expected = [
        values[[k == i for k in interval]].mean(axis=0) for i in range(interval[-1] + 1)
    ]
    np.testing.assert_allclose(pooled, expected, rtol=1e-4, atol=1e-6)


def test_pooling_makes_no_steps():
    with pytest.raises(ValueError, match="speech_steps_per_second: 60 is more"):
        pool_steps(np.ones((3, 2)), 50, 60)


def one(encoder, waveform):
    (values,) = encoder.encode([waveform])
    return values


def test_whisper_steps(waveform):
    encoder = WhisperTinyEn(5.0)
    values = one(encoder, waveform)
    assert values.shape == (16, 384) and values.dtype == np.float32
    np.testing.assert_array_equal(values, one(encoder, waveform))
    assert one(encoder, waveform[:10]).shape == (1, 384)


def test_whisper_equals_the_whole_sequence_pooled(waveform):
    fine = one(WhisperTinyEn(50.0), waveform)
    assert fine.shape == (160, 384)
    coarse = one(WhisperTinyEn(5.0), waveform)
    np.testing.assert_allclose(coarse, fine.reshape(16, 10, 384).mean(1), atol=1e-4)


def test_long_waveforms_are_encoded_in_windows():
    noise = np.random.default_rng(0).normal(0, 0.1, 16000 * 32).astype(np.float32)
    encoder = WhisperTinyEn(5.0)
    values = one(encoder, noise)
    assert values.shape == (160, 384)
    np.testing.assert_allclose(values[150:], one(encoder, noise[480000:]), atol=1e-4)


class Counting(SpeechEncoder):
    """Mean of every 320 samples, and what each call was given and gave."""

    native_hz = 50.0

    def __init__(self, steps_per_second, short_of=0):
        super().__init__(steps_per_second)
        self.given, self.short_of = [], short_of

    def _forward(self, windows):
        self.given.append([len(window) for window in windows])
        steps = [w[: len(w) // 320 * 320].reshape(-1, 320).mean(1) for w in windows]
        # wav2vec 2.0 gives one step less of every window
        return [each[: len(each) - self.short_of, None] for each in steps]


@pytest.mark.parametrize("rate", [5.0, 7.0, 0.02])
@pytest.mark.parametrize("short_of", [0, 1])
def test_long_sound_is_encoded_in_bounded_pieces(rate, short_of):
    """20 minutes and a short clip, to the steps of all their states pooled at once."""
    encoder = Counting(rate, short_of)
    rng = np.random.default_rng(0)
    long = rng.normal(0, 0.1, 1205 * 16000).astype(np.float32)
    short = rng.normal(0, 0.1, 3 * 16000).astype(np.float32)
    values = encoder.encode([short, long])
    window = WINDOW_SECONDS * 16000
    assert max(max(lengths) for lengths in encoder.given) == window
    assert max(sum(lengths) for lengths in encoder.given) < HELD_SAMPLES + window
    for waveform, found in zip((short, long), values, strict=True):
        parts = [waveform[i : i + window] for i in range(0, len(waveform), window)]
        whole = np.concatenate(Counting(rate, short_of)._forward(parts))
        np.testing.assert_array_equal(found, pool_steps(whole, 50.0, rate))


def test_egemaps_hear_pitch_and_loudness(waveform):
    encoder = Egemaps(5.0)
    values = one(encoder, waveform)
    assert encoder.feature_count == 25 and values.shape == (16, 25)
    columns = {name: i for i, name in enumerate(encoder.feature_names)}
    pitch = values[:, columns["F0semitoneFrom27.5Hz_sma3nz"]]
    # 200 Hz lies 12 log2(200 / 27.5) = 34.35 semitones above 27.5 Hz
    np.testing.assert_allclose(pitch[2:6], 34.35, atol=0.5)
    loudness = values[:, columns["Loudness_sma3"]]
    assert loudness[:6].min() > 10 * loudness[12:].max()
    assert np.isfinite(one(Egemaps(5.0), waveform[:5])).all()


@pytest.fixture
def tiny_wav2vec2(tmp_path):
    return tmp_path, checkpoints.write_wav2vec2(tmp_path)


def test_wav2vec2_loads_the_published_format(tiny_wav2vec2, waveform):
    folder, model = tiny_wav2vec2
    encoder = Wav2Vec2Emotion(50.0, CPU, folder)
    normal = (waveform - waveform.mean()) / np.sqrt(waveform.var() + 1e-7)
    with torch.no_grad():
        expected = model(torch.from_numpy(normal)[None]).last_hidden_state[0].numpy()
    assert encoder.native_hz == 50.0 and encoder.feature_count == 16
    np.testing.assert_allclose(one(encoder, waveform), expected, atol=1e-4)
    weights = (folder / "wav2vec2_emotion" / "model.safetensors").read_bytes()
    assert encoder.revision == hashlib.sha256(weights).hexdigest()[:12]
    assert one(Wav2Vec2Emotion(5.0, CPU, folder), waveform).shape == (16, 16)


def test_wav2vec2_batches_change_nothing(tiny_wav2vec2, waveform):
    """What CUDA does with windows: together, padded to the longest of them."""
    encoder = Wav2Vec2Emotion(50.0, CPU, tiny_wav2vec2[0])
    rng = np.random.default_rng(0)
    waveforms = [waveform[:9000], rng.normal(0, 0.1, 16000 * 31), waveform[:20000]]
    alone = encoder.encode(waveforms)
    encoder._batch = 8
    for apart, together in zip(alone, encoder.encode(waveforms), strict=True):
        np.testing.assert_allclose(together, apart, atol=1e-4)
    assert [len(values) for values in alone] == [27, 1499 + 49, 62]


def test_wav2vec2_is_not_filled_with_random_weights(tiny_wav2vec2):
    folder, model = tiny_wav2vec2
    path = folder / "wav2vec2_emotion" / "model.safetensors"
    state = {f"wav2vec2.{k}": v.contiguous() for k, v in model.state_dict().items()}
    del state["wav2vec2.encoder.layer_norm.weight"]
    save_file(state, path, {"format": "pt"})
    with pytest.raises(WeightsError, match="lacks encoder.layer_norm.weight"):
        Wav2Vec2Emotion(5.0, CPU, folder)


def test_wav2vec2_without_its_weights(tmp_path):
    with pytest.raises(WeightsError, match="hf download audeering/wav2vec2-large"):
        Wav2Vec2Emotion(5.0, CPU, tmp_path)
    (tmp_path / "wav2vec2_emotion").mkdir()
    with pytest.raises(WeightsError, match="extract.speech_encoder.*hf download"):
        Wav2Vec2Emotion(5.0, CPU, tmp_path)
