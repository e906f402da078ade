"""A waveform to the 26 descriptors that librosa gives of it, as means over a clip.

First Impressions' voices are published as such a table: chroma, root mean square,
spectral centroid, bandwidth and roll-off, zero crossings and 20 mel-frequency cepstral
coefficients (`sslmepr.labels.VOICE_DESCRIPTORS`), the means over time of what librosa's
functions give with their defaults. Where one corpus has that table and another has
recordings, both speak the same language of features only if the recordings are measured
in the same way. This module does so without librosa, whose compiler of its inner loops
weighs more than all encoders of this compendium; a test holds it to librosa's numbers.

The recipe is that of librosa 0.11 (McFee et al. 2015,
doi:10.25080/Majora-7b98e3ed-003): 22,050 samples a second, frames of 2,048 samples
every 512, centred, zeros beyond the ends. The published table does not say which
version it was made with, and its recordings had more than 8 kHz of bandwidth, while
every recording is read at 16 kHz here: nothing lies above 8 kHz. What is constant
between two corpora drops out where features are standardised by corpus or by speaker.
"""

from functools import lru_cache

import numpy as np
from scipy.fft import dct
from scipy.signal import firwin, resample_poly

from sslmepr.corpora.feature_tables import table_revision
from sslmepr.labels import QUALITY, VOICE_DESCRIPTORS

RATE_HZ = 22050
_UP_DOWN = (441, 320)  # RATE_HZ to SAMPLE_RATE_HZ
FRAME, HOP = 2048, 512
"""Samples of a frame, and from one frame to the next."""

ROLL_OFF = 0.85
"""Share of the spectrum below the roll-off."""

MELS, CEPSTRA, CHROMA = 128, 20, 12
TOP_DB = 80.0
"""What lies further below the loudest moment is raised to there."""

_TINY = float(np.finfo(np.float32).tiny)


class VoiceDescriptors:
    """Measures recordings as librosa does, one step for each.

    Parameters
    ----------
    version : str, optional
        What the tables of other corpora, with which these features are learned from
        together, say of theirs.
    """

    name = "librosa"
    steps_per_second = np.nan  # a clip is one step, however long it is
    columns = (*VOICE_DESCRIPTORS, *QUALITY["table"])
    feature_count = len(columns)

    def __init__(self, version: str | None = None):
        self.revision = table_revision(version, self.columns)

    def encode(self, waveforms: list[np.ndarray]) -> list[np.ndarray]:
        """Measure (sample,) waveforms at 16 kHz.

        Returns
        -------
        list of (step, feature) float32 ndarray
            One step each; the certainty, 1, stands last.
        """
        return [
            np.append(describe_voice(each), 1.0).astype(np.float32)[None]
            for each in waveforms
        ]


def describe_voice(waveform: np.ndarray) -> np.ndarray:
    """The descriptors of a recording, means over its frames.

    Parameters
    ----------
    waveform : (sample,) array
        At 16 kHz, not empty.

    Returns
    -------
    (descriptor,) float64 ndarray
        In the order of `sslmepr.labels.VOICE_DESCRIPTORS`: chroma 0 to 1, root mean
        square of full scale, three frequencies in Hz, share of samples at which the
        sign changes, coefficients of decibels.
    """
    waveform = np.asarray(waveform, np.float64)
    return describe_samples(resample_poly(waveform, *_UP_DOWN, window=_low_pass()))


@lru_cache(maxsize=1)
def _low_pass() -> np.ndarray:
    """A filter that passes 0.91 of the band and damps its images by 120 dB, (tap,).

    As librosa's resampler does; the usual one of scipy leaves images that are louder
    than the pauses of speech, and counts of zero crossings with them.
    """
    up, _ = _UP_DOWN
    return firwin(128 * up + 1, 0.956 / up, window=("kaiser", 12.3))


def describe_samples(samples: np.ndarray) -> np.ndarray:
    """`describe_voice` of (sample,) samples at `RATE_HZ`."""
    window = np.hanning(FRAME + 1)[:-1]
    frames = _frames(np.pad(samples, FRAME // 2))
    magnitude = np.abs(np.fft.rfft(frames * window)).T  # (frequency, frame)
    hz = np.fft.rfftfreq(FRAME, 1 / RATE_HZ)
    centroid, bandwidth, roll_off = _shape(magnitude, hz[:, None])
    edges = _frames(np.pad(samples, FRAME // 2, mode="edge"))
    means = [
        _chroma(magnitude**2, hz).mean(),
        np.sqrt((frames**2).mean(1)).mean(),
        centroid.mean(),
        bandwidth.mean(),
        roll_off.mean(),
        _crossings(edges).mean(),
    ]
    return np.array([*means, *_cepstra(magnitude**2).mean(1)])


def _frames(samples: np.ndarray) -> np.ndarray:
    """Overlapping frames, (frame, sample)."""
    return np.lib.stride_tricks.sliding_window_view(samples, FRAME)[::HOP]


def _shape(magnitude: np.ndarray, hz: np.ndarray):
    """Centroid, bandwidth and roll-off of each frame, in Hz; 0 of silence."""
    total = magnitude.sum(0)
    share = magnitude / np.where(total < _TINY, 1.0, total)
    centroid = (share * hz).sum(0)
    bandwidth = np.sqrt((share * (hz - centroid) ** 2).sum(0))
    below = np.cumsum(magnitude, 0) < ROLL_OFF * total
    return centroid, bandwidth, hz[:, 0][below.sum(0)]


def _crossings(frames: np.ndarray) -> np.ndarray:
    """Share of the samples of each frame that have another sign than the one before."""
    below = np.where(np.abs(frames) <= 1e-10, 0.0, frames) < 0
    return (below[:, 1:] != below[:, :-1]).sum(1) / FRAME


def _cepstra(power: np.ndarray) -> np.ndarray:
    """Mel-frequency cepstral coefficients, (coefficient, frame)."""
    decibels = 10 * np.log10(np.maximum(_mel_filters() @ power, 1e-10))
    decibels = np.maximum(decibels, decibels.max() - TOP_DB)
    return dct(decibels, axis=0, norm="ortho")[:CEPSTRA]


@lru_cache(maxsize=1)
def _mel_filters() -> np.ndarray:
    """Triangles of equal area on Slaney's mel scale, (mel, frequency)."""
    hz = np.fft.rfftfreq(FRAME, 1 / RATE_HZ)
    corners = _mel_to_hz(np.linspace(0, _hz_to_mel(RATE_HZ / 2), MELS + 2))
    slopes = (hz - corners[:, None]) / np.diff(corners, append=np.nan)[:, None]
    rising, falling = slopes[:-2], 1 - slopes[1:-1]
    filters = np.maximum(0, np.minimum(rising, falling))
    return filters * (2 / (corners[2:] - corners[:-2]))[:, None]


_LINEAR_HZ, _LOG_STEP = 200 / 3, np.log(6.4) / 27
_BREAK_HZ = 1000.0
"""Slaney's scale: linear below, logarithmic above."""


def _hz_to_mel(hz: float) -> float:
    if hz < _BREAK_HZ:
        return hz / _LINEAR_HZ
    return _BREAK_HZ / _LINEAR_HZ + np.log(hz / _BREAK_HZ) / _LOG_STEP


def _mel_to_hz(mels: np.ndarray) -> np.ndarray:
    knee = _BREAK_HZ / _LINEAR_HZ
    above = _BREAK_HZ * np.exp(_LOG_STEP * (mels - knee))
    return np.where(mels < knee, mels * _LINEAR_HZ, above)


def _chroma(power: np.ndarray, hz: np.ndarray) -> np.ndarray:
    """Strength of each of twelve pitch classes, the strongest 1: (class, frame)."""
    raw = _chroma_filters(_tuning(power, hz)) @ power
    strongest = raw.max(0)
    return raw / np.where(strongest < _TINY, 1.0, strongest)


@lru_cache(maxsize=128)
def _chroma_filters(tuning: float) -> np.ndarray:
    """Weights of each frequency in each pitch class, (class, frequency)."""
    hz = np.linspace(0, RATE_HZ, FRAME, endpoint=False)[1:]
    place = CHROMA * np.log2(hz / (440.0 * 2 ** (tuning / CHROMA) / 16))
    place = np.concatenate([[place[0] - 1.5 * CHROMA], place])
    width = np.concatenate([np.maximum(np.diff(place), 1.0), [1.0]])
    half = round(CHROMA / 2)
    away = place - np.arange(CHROMA)[:, None]
    away = np.remainder(away + half + 10 * CHROMA, CHROMA) - half
    weights = np.exp(-0.5 * (2 * away / width) ** 2)
    weights /= np.sqrt((weights**2).sum(0))
    weights *= np.exp(-0.5 * ((place / CHROMA - 5) / 2) ** 2)  # around the fifth octave
    weights = np.roll(weights, -3, axis=0)  # from A to C
    return weights[:, : 1 + FRAME // 2]


def _tuning(power: np.ndarray, hz: np.ndarray) -> float:
    """How far pitches lie from concert pitch, in semitones, to a hundredth."""
    average = np.gradient(power, axis=0)
    curvature = np.zeros_like(power)
    curvature[1:-1] = 2 * power[1:-1] - power[2:] - power[:-2]
    bent = np.where(np.abs(curvature) < _TINY, 1.0, curvature)
    shift = np.where(np.abs(curvature) < _TINY, 0.0, average / bent)
    shift[[0, -1]] = 0
    height = power + 0.5 * average * shift
    heard = np.where(power > 0.1 * power.max(0), power, 0.0)
    peak = np.zeros(power.shape, bool)
    peak[1:-1] = (heard[1:-1] > heard[:-2]) & (heard[1:-1] >= heard[2:])
    peak &= ((hz >= 150.0) & (hz < 4000.0))[:, None]
    pitches = ((np.arange(len(power))[:, None] + shift) * RATE_HZ / FRAME)[peak]
    heights = height[peak][pitches > 0]
    pitches = pitches[pitches > 0]
    if not len(pitches):
        return 0.0
    strong = pitches[heights >= np.median(heights)]
    away = np.mod(CHROMA * np.log2(strong / (440.0 / 16)), 1.0)
    away[away >= 0.5] -= 1.0
    bins = np.linspace(-0.5, 0.5, 101)
    counts, edges = np.histogram(away, bins)
    return float(edges[np.argmax(counts)])
