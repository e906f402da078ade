"""How well something was recorded: a few measures beside the features of an encoder.

Encoders are made to see a face in the dark and to hear a word in noise, so that their
features say little of darkness and noise. Fusion has to know, because a modality that
was recorded badly deserves less weight in that clip. The measures need no learning and
hold for any recording:

==========  ==========================================================================
pictures    log mean and log standard deviation of the luminance (dark, flat), log
            variance of its Laplacian (blurred; Pech-Pacheco et al. 2000,
            doi:10.1109/ICPR.2000.903548), share of pixels around which nothing changes
            (covered)
speech      noise floor in dB (10th percentile of the level) and range from there to the
            90th percentile (noise fills the pauses), log spectral flatness (far below 0
            for a voice, near it for noise; Johnston 1988, doi:10.1109/49.608)
words       share of word pieces that continue a word (garbled words are in no
            vocabulary)
==========  ==========================================================================
"""

import cv2
import numpy as np

from sslmepr.labels import QUALITY
from sslmepr.media.audio import SAMPLE_RATE_HZ

FRAME_SAMPLES = SAMPLE_RATE_HZ // 40
"""Of the level: 25 ms, as usual for speech."""

SILENCE = 1e-10
"""Added to powers before their logarithm, about the rounding of 16 bits."""

REVISION = "+quality1"


class WithQuality:
    """An encoder with measures of quality behind its features, equal for all steps.

    Parameters
    ----------
    kind : {"image", "speech", "text"}
    encoder : ImageEncoder, SpeechEncoder or TextEncoder
        Whatever is not named here is its own.
    """

    def __init__(self, kind: str, encoder):
        self._encoder, self._measure = encoder, MEASURES[kind]
        self.revision = encoder.revision + REVISION
        self.feature_count = encoder.feature_count + len(QUALITY[kind])

    def __getattr__(self, name: str):
        return getattr(self._encoder, name)

    def encode(self, items: list, *args) -> list[np.ndarray] | np.ndarray:
        """Encode as the encoder does.

        Returns
        -------
        list of (step, feature) float32 ndarray
            Of pictures, one array (picture, feature).
        """
        encoded = self._encoder.encode(items, *args)
        both = [
            self._behind(values, self._measure(self._encoder, item))
            for values, item in zip(encoded, items, strict=True)
        ]
        if isinstance(encoded, np.ndarray):
            return np.reshape(both, (-1, self.feature_count)).astype(np.float32)
        return both

    @staticmethod
    def _behind(values: np.ndarray, measured: np.ndarray) -> np.ndarray:
        every = np.broadcast_to(measured, (*values.shape[:-1], len(measured)))
        return np.concatenate([values, every], -1).astype(np.float32)


def picture(encoder, crop: np.ndarray) -> np.ndarray:
    """Measures of a (height, width, channel) uint8 crop, in the encoder's size."""
    grey = cv2.cvtColor(encoder.prepare(crop), cv2.COLOR_RGB2GRAY)
    edges = cv2.Laplacian(grey, cv2.CV_32F)
    mean, deviation = cv2.meanStdDev(grey)
    parts = np.array([mean.item(), deviation.item(), edges.var()])
    return np.append(np.log1p(parts), np.mean(edges == 0))


def sound(encoder, waveform: np.ndarray) -> np.ndarray:
    """Measures of a (sample,) waveform at 16 kHz."""
    waveform = np.asarray(waveform, np.float32)
    waveform = np.pad(waveform, (0, -len(waveform) % FRAME_SAMPLES))
    frames = waveform.reshape(-1, FRAME_SAMPLES)
    level = 10 * np.log10((frames**2).mean(1) + SILENCE)
    low, high = np.quantile(level, [0.1, 0.9])
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME_SAMPLES))) ** 2 + SILENCE
    flatness = np.log(power).mean(1) - np.log(power.mean(1))
    return np.array([low, high - low, np.median(flatness)])


def words(encoder, text: str) -> np.ndarray:
    """Measures of a text."""
    return np.array([encoder.continuing(text)])


MEASURES = {"image": picture, "speech": sound, "text": words}
"""Kind of encoder to what measures an item of what it encodes: (measure,)."""
