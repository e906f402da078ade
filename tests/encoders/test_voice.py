"""Voice descriptors, held to what librosa 0.11.0 gave for the same samples."""

import csv
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.corpora.feature_tables import read_feature_tables
from sslmepr.encoders.voice import (
    RATE_HZ,
    VoiceDescriptors,
    describe_samples,
    describe_voice,
)
from sslmepr.labels import VOICE_DESCRIPTORS
from sslmepr.media.audio import SAMPLE_RATE_HZ
from sslmepr.params.corpora import FeatureTable

PUBLISHED = Path(__file__).parents[3] / "shared/corpora/fiv2"

# Means over frames of librosa.feature.chroma_stft, rms, spectral_centroid,
# spectral_bandwidth, spectral_rolloff, zero_crossing_rate and mfcc at 22,050 Hz, with
# seven digits.
LIBROSA = {
    "hum": "0.2681009 0.05102757 856.0859 1026.215 1804.385 0.006236683 -417.9476 "
    "102.8538 -53.60078 31.58845 17.76452 -25.15779 10.47999 -4.913778 -15.57819 "
    "4.743789 -11.52152 -5.195103 6.322493 -11.29487 -3.968571 -1.542916 -12.88234 "
    "-1.764622 -3.124313 -6.46048",
    "chirp": "0.1950732 0.2774809 1706.264 125.7772 1763.765 0.1488703 -506.3005 "
    "39.10344 -30.31563 -10.2805 4.58314 -13.0389 -9.419811 2.713828 -5.227569 "
    "-6.122312 2.877772 -0.9063206 -3.92078 2.217628 0.7489109 -2.872552 1.147734 "
    "1.285445 -2.120118 0.3665454",
}


def seconds(rate=RATE_HZ, duration=1.0):
    return np.arange(int(rate * duration)) / rate


def hum(t):
    """A buzz at 140 Hz that comes and goes."""
    buzz = sum(np.sin(2 * np.pi * k * 140 * t + k) / k for k in range(1, 30))
    return 0.1 * buzz * (np.sin(2 * np.pi * 3 * t) > 0)


def chirp(t):
    return 0.4 * np.sin(2 * np.pi * (200 + 1500 * t) * t)


@pytest.mark.parametrize("sound", [hum, chirp])
def test_librosas_numbers(sound):
    expected = [float(each) for each in LIBROSA[sound.__name__].split()]
    found = describe_samples(sound(seconds()))
    np.testing.assert_allclose(found, expected, rtol=2e-6, atol=2e-6)


def test_resampling_changes_little():
    """Of a chirp that fades in and out, so that it has nothing above 8 kHz."""

    def fading(t):
        return chirp(t) * np.sin(np.pi * t)

    found = describe_voice(fading(seconds(SAMPLE_RATE_HZ)))
    expected = describe_samples(fading(seconds()))
    np.testing.assert_allclose(found[:6], expected[:6], rtol=0.01)


def test_silence():
    """All is 0 but the first coefficient: -100 dB in 128 bands, times √128."""
    found = describe_voice(np.zeros(SAMPLE_RATE_HZ))
    assert found[VOICE_DESCRIPTORS.index("mfcc1")] == pytest.approx(-100 * 128**0.5)
    assert np.delete(found, VOICE_DESCRIPTORS.index("mfcc1")) == pytest.approx(
        0, abs=1e-9
    )


def test_a_pure_tone():
    found = dict(
        zip(
            VOICE_DESCRIPTORS,
            describe_samples(0.5 * np.sin(2 * np.pi * 1000 * seconds(duration=2))),
            strict=True,
        )
    )
    assert found["rmse"] == pytest.approx(0.5 / 2**0.5, rel=0.03)
    assert found["zero_crossing_rate"] == pytest.approx(2000 / RATE_HZ, rel=0.03)
    assert found["spectral_centroid"] == pytest.approx(1000, rel=0.05)
    # a Hann window spreads a tone over two bins on either side
    assert found["rolloff"] == pytest.approx(1000, abs=2 * RATE_HZ / 2048)


def test_louder_is_louder_and_nothing_else():
    sound = chirp(seconds(SAMPLE_RATE_HZ))
    soft, loud = (
        dict(zip(VOICE_DESCRIPTORS, describe_voice(k * sound), strict=True))
        for k in (0.25, 1.0)
    )
    assert loud["rmse"] == pytest.approx(4 * soft["rmse"])
    for name in ("chroma_stft", "spectral_centroid", "spectral_bandwidth", "rolloff"):
        assert loud[name] == pytest.approx(soft[name], rel=1e-6)
    # 20 log10(4) decibels in each of 128 bands; the rest of the shape stays
    step = 20 * np.log10(4) * 128**0.5
    assert loud["mfcc1"] - soft["mfcc1"] == pytest.approx(step, rel=1e-6)
    assert loud["mfcc5"] == pytest.approx(soft["mfcc5"], abs=1e-6)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 4000), st.integers(0, 2**31))
def test_ranges(count, seed):
    """Whatever is recorded, however short."""
    found = describe_voice(np.random.default_rng(seed).uniform(-1, 1, count))
    assert np.isfinite(found).all() and len(found) == 26
    assert (found[:2] >= 0).all() and (found[:2] <= 1).all()
    assert (found[2:5] >= 0).all() and (found[2:5] <= RATE_HZ / 2).all()
    assert 0 <= found[5] <= 1


def test_features_are_those_of_a_table_of_the_same_version(tmp_path):
    """One store, one encoder: a table with these columns and ours can be learned from
    together."""
    header = ",".join(("clip", *VOICE_DESCRIPTORS))
    row = ",".join(("a", *map(str, range(26))))
    (tmp_path / "t.csv").write_text(f"{header}\n{row}\n")
    table = FeatureTable(tool="librosa", path="t.csv", version="v")
    clip = {"clip_id": "a", "media": None, "start_seconds": None, "end_seconds": None}
    tabulated = read_feature_tables([clip], table, tmp_path)
    ours = VoiceDescriptors("v")
    assert (ours.name, ours.revision) == (tabulated.encoder, tabulated.revision)
    assert ours.columns == tabulated.columns
    (encoded,) = ours.encode([np.zeros(800, np.float32)])
    assert encoded.shape == tabulated.sequences["a"].values.shape
    assert encoded.dtype == np.float32 and encoded[0, -1] == 1
    assert VoiceDescriptors("w").revision != ours.revision


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="First Impressions is not there")
def test_the_published_table():
    """Its names are ours, and its numbers lie where ours can lie."""
    with (PUBLISHED / "audio_descriptors_validation.csv").open() as file:
        names, *rows = csv.reader(file)
    assert tuple(names[1:]) == VOICE_DESCRIPTORS
    values = np.array([row[1:] for row in rows], float)
    assert len(values) == 2000 and np.isfinite(values).all()
    assert (values[:, :2] > 0).all() and (values[:, :2] < 1).all()
    assert (values[:, 2:5] < RATE_HZ / 2).all() and (values[:, 5] < 1).all()
    # louder than silence, softer than white noise at full scale
    assert (values[:, 6] > -100 * 128**0.5).all() and (values[:, 6] < 300).all()
