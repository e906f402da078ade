import cv2
import numpy as np
import pytest

from sslmepr.encoders.quality import MEASURES, WithQuality, picture, sound
from sslmepr.labels import ENCODERS, QUALITY, QUALITY_COUNTS

SIDE, RATE = 64, 16000


class Plain:
    """An encoder whose features are how many values an item has."""

    name, revision, feature_count, steps_per_second = "plain", "r", 1, 5.0

    def prepare(self, crop):
        return crop

    def continuing(self, text):
        return 0.25

    def encode(self, items, batch=1):
        return [np.full((2, 1), len(item), np.float32) for item in items]


class Pictures(Plain):
    def encode(self, items, batch=1):
        return np.array([[len(item)] for item in items], np.float32).reshape(-1, 1)


def crop(rng):
    return rng.integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def test_measures_of_a_picture_by_hand():
    grey = np.tile(np.arange(0, 128, 2, dtype=np.uint8), (SIDE, 1))
    found = picture(Plain(), np.dstack([grey] * 3))
    # A ramp has no edges but at the border, where it is reflected: 2 and -2.
    edges = np.zeros((SIDE, SIDE))
    edges[:, 0], edges[:, -1] = 4, -4
    expected = [grey.mean(), grey.std(), edges.var()]
    assert found[:3] == pytest.approx(np.log1p(expected))
    assert found[3] == pytest.approx((SIDE - 2) / SIDE)


def test_darkness_blur_and_covers_are_told_apart():
    image = crop(np.random.default_rng(0))
    clear = picture(Plain(), image)
    dark = picture(Plain(), image // 4)
    blurred = picture(Plain(), cv2.GaussianBlur(image, (0, 0), 2))
    covered = image.copy()
    covered[: SIDE // 2] = 90
    covered = picture(Plain(), covered)
    assert dark[0] < clear[0] and dark[1] < clear[1]
    assert blurred[2] < clear[2] - 2 and blurred[0] == pytest.approx(clear[0], abs=0.1)
    assert covered[3] == pytest.approx(clear[3] + 0.5, abs=0.05)


def test_measures_of_sound_by_hand():
    seconds = np.arange(RATE) / RATE
    tone = 0.1 * np.sin(2 * np.pi * 400 * seconds)  # whole periods in each frame
    tone[: RATE // 4] *= 0.01
    low, spread, flatness = sound(Plain(), tone)
    # Power of a sine is half its squared amplitude; a quarter is 40 dB below.
    assert low == pytest.approx(10 * np.log10(0.1**2 / 2) - 40, abs=0.01)
    assert spread == pytest.approx(40, abs=0.01)
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    # Log of an exponential variable has mean -0.577 (Euler's constant).
    assert sound(Plain(), noise)[2] == pytest.approx(-0.577, abs=0.08)
    assert flatness < -5


def test_noise_fills_the_pauses_of_speech():
    rng = np.random.default_rng(1)
    speech = rng.standard_normal(RATE) * np.repeat([0.0, 0.3], RATE // 2)
    clear = sound(Plain(), speech + 0.001 * rng.standard_normal(RATE))
    noisy = sound(Plain(), speech + 0.1 * rng.standard_normal(RATE))
    assert noisy[0] > clear[0] + 30 and noisy[1] < clear[1] - 30


def test_extremes_have_finite_measures():
    black = picture(Plain(), np.zeros((SIDE, SIDE, 3), np.uint8))
    assert black.tolist() == [0, 0, 0, 1]
    assert np.isfinite(sound(Plain(), np.zeros(10))).all()


@pytest.mark.parametrize("kind", MEASURES)
def test_measures_stand_behind_the_features_of_every_step(kind):
    rng = np.random.default_rng(2)
    items = {
        "image": [crop(rng), crop(rng)],
        "speech": [rng.standard_normal(800), rng.standard_normal(900)],
        "text": ["one", "three"],
    }[kind]
    plain = Pictures() if kind == "image" else Plain()
    encoder = WithQuality(kind, plain)
    encoded, bare = encoder.encode(items, 1), plain.encode(items)
    assert encoder.feature_count == 1 + len(QUALITY[kind])
    assert encoder.revision.startswith("r+") and encoder.name == "plain"
    assert encoder.steps_per_second == 5.0
    for values, item, before in zip(encoded, items, bare, strict=True):
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values[..., :1], before)
        measured = MEASURES[kind](plain, item)
        every = np.broadcast_to(measured, values[..., 1:].shape)
        np.testing.assert_allclose(values[..., 1:], every, rtol=1e-6)


def test_no_pictures_have_no_features():
    assert WithQuality("image", Pictures()).encode([]).shape == (0, 5)


def test_every_encoder_has_the_measures_of_its_kind():
    for kind, encoders in ENCODERS.items():
        for name in encoders:
            assert QUALITY_COUNTS[name] == len(QUALITY[kind])
