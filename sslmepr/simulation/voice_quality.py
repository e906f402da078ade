"""Voice quality as signal processing: what a speech synthesiser cannot be asked for."""

from functools import cache
from itertools import pairwise

import numpy as np
from scipy import signal

SAMPLE_RATE_HZ = 16000
_BASE_LEVEL = 0.07  # root mean square of speech at average loudness
_SMALLEST_LEVEL = 1e-4
_SETTLED_SAMPLES = 800  # after which the resonance has forgotten its beginning


def over_time(moments: np.ndarray, count: int) -> np.ndarray | float:
    """A quantity at every sample.

    Parameters
    ----------
    moments : (moment,) array
        Values in the middle of parts of equal length; before the first and behind the
        last middle the quantity stays as it is.
    count : int
        Number of samples.

    Returns
    -------
    (sample,) ndarray or float
        The value itself where there is a single moment.
    """
    if len(moments) == 1:
        return moments[0]
    values = pairwise([moments[0], *moments, moments[-1]])
    sizes = np.diff(_bounds(len(moments), count))
    return np.concatenate(
        [
            np.linspace(*pair, size, endpoint=False)
            for pair, size in zip(values, sizes, strict=True)
        ]
    )


def _bounds(moments: int, count: int) -> list[int]:
    """The middles of the moments in samples, between beginning and end."""
    if moments == 1:
        return [0, 0, count]
    middles = (np.arange(moments) + 0.5) / moments * count
    return [0, *middles.round().astype(int), count]


def colour_voice(
    waveform: np.ndarray, values: dict[str, np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Give synthetic speech a voice quality and a loudness.

    Both change smoothly from moment to moment.

    Parameters
    ----------
    waveform : (sample,) array
        At `SAMPLE_RATE_HZ`.
    values : dict of str to (moment,) ndarray
        ``breathiness``, ``brightness``, ``resonance``, ``tremor``, ``roughness``,
        ``stress`` and ``loudness``, each within -1..1.
    rng : numpy.random.Generator

    Returns
    -------
    (sample,) float32 ndarray
        Within -1..1.
    """
    waveform = _breathe(waveform, values["breathiness"], rng)
    waveform = _brighten(waveform, values["brightness"])
    waveform = _resonate(waveform, values["resonance"])
    waveform = _modulate(waveform, values["tremor"], values["roughness"], rng)
    waveform = _stress(waveform, values["stress"])
    level = np.sqrt(np.mean(np.square(waveform)))
    loudness = 10 ** (9 * values["loudness"] / 20)
    target = _BASE_LEVEL * over_time(loudness, len(waveform))
    waveform = waveform * target / max(level, _SMALLEST_LEVEL)
    return np.tanh(waveform).astype(np.float32)


@cache
def _filter(order: int, cutoff_hz: float, kind: str) -> np.ndarray:
    return signal.butter(order, cutoff_hz, kind, fs=SAMPLE_RATE_HZ, output="sos")


def _envelope(waveform: np.ndarray, cutoff_hz: float) -> np.ndarray:
    section = _filter(2, cutoff_hz, "lowpass")
    return np.maximum(signal.sosfiltfilt(section, np.abs(waveform)), _SMALLEST_LEVEL)


def _breathe(
    waveform: np.ndarray, moments: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Aspiration noise above 2 kHz that follows the speech, -32 to -8 dB."""
    noise = rng.standard_normal(len(waveform))
    noise = signal.sosfilt(_filter(2, 2000, "highpass"), noise)
    level = over_time(10 ** ((-20 + 12 * moments) / 20), len(waveform))
    return waveform + level * 1.5 * _envelope(waveform, 30) * noise


def _brighten(waveform: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Tilt of the spectrum around 1 kHz, up to 9 dB up or down."""
    high = signal.sosfilt(_filter(1, 1000, "highpass"), waveform)
    return waveform + over_time(10 ** (9 * moments / 20) - 1, len(waveform)) * high


def _resonate(waveform: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """A nasal resonance that fades from that of one moment to that of the next."""
    bounds = _bounds(len(moments), len(waveform))
    amounts = [moments[0], *moments, moments[-1]]
    result = np.empty(len(waveform))
    for index, (start, stop) in enumerate(pairwise(bounds)):
        early = max(0, start - _SETTLED_SAMPLES)
        before, after = amounts[index : index + 2]
        heard = _nasal(waveform[early:stop], before)[start - early :]
        if before != after:
            fade = np.linspace(0, 1, stop - start, endpoint=False)
            other = _nasal(waveform[early:stop], after)[start - early :]
            heard = heard + fade * (other - heard)
        result[start:stop] = heard
    return result


def _nasal(waveform: np.ndarray, amount: float) -> np.ndarray:
    """A resonance at 450 Hz, up to 10 dB up or down."""
    gain = 10 ** (10 * amount / 40)
    omega = 2 * np.pi * 450 / SAMPLE_RATE_HZ
    width = np.sin(omega) / 3
    numerator = [1 + width * gain, -2 * np.cos(omega), 1 - width * gain]
    denominator = [1 + width / gain, -2 * np.cos(omega), 1 - width / gain]
    return signal.lfilter(numerator, denominator, waveform)


def _modulate(
    waveform: np.ndarray,
    tremor: np.ndarray,
    roughness: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Tremor: pitch and loudness waver at 6 Hz; roughness: loudness at 45 to 70 Hz."""
    seconds = np.arange(len(waveform)) / SAMPLE_RATE_HZ
    phase = rng.uniform(0, 2 * np.pi)
    wave = np.sin(2 * np.pi * 6 * seconds + phase)
    depth = over_time(0.5 * (1 + tremor), len(waveform))
    delay_seconds = 0.0024 * depth * wave  # up to 9 % of pitch
    waveform = np.interp(seconds - delay_seconds, seconds, waveform)
    rate_hz = rng.uniform(45, 70)
    depth_of_rasp = over_time(0.4 * (1 + roughness), len(waveform))
    rasp = np.sin(2 * np.pi * rate_hz * seconds) * depth_of_rasp
    return waveform * (1 + 0.6 * depth * wave) * (1 + rasp)


def _stress(waveform: np.ndarray, moments: np.ndarray) -> np.ndarray:
    """Expand or compress the loudness of syllables against each other."""
    slow = _envelope(waveform, 6)
    relative = np.clip(slow / slow.mean(), 0.1, 4)
    return waveform * relative ** over_time(0.6 * moments, len(waveform))
