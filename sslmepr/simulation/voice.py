"""The audio channel: eSpeak NG speaks, signal processing gives the voice its quality.

Pitch, pitch range, rate, loudness and pauses are settings of the synthesiser;
breathiness, brightness, tremor, roughness, resonance and stress are put on the waveform
afterwards. The directions in which emotions move them follow Scherer (2003, Speech
Communication 40, 227-256, table 2) and Juslin & Laukka (2003, Psychological Bulletin
129, 770-814); those of the traits follow Scherer (1979, Personality markers in speech),
as far as there are findings; the rest is chosen.
"""

from dataclasses import dataclass
from xml.sax.saxutils import escape

import numpy as np
from scipy import signal

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.controls import axis_matrix, squash
from sslmepr.simulation.espeak import VoiceError, synthesise
from sslmepr.simulation.voice_quality import SAMPLE_RATE_HZ, colour_voice

AUDIO_CONTROLS = (
    "pitch",
    "pitch_range",
    "rate",
    "loudness",
    "pauses",
    "breathiness",
    "brightness",
    "tremor",
    "roughness",
    "resonance",
    "stress",
)
EMOTION_AXES = axis_matrix(
    AUDIO_CONTROLS,
    SCORED_EMOTIONS,
    {
        "anger": {
            "pitch": 0.4,
            "pitch_range": 0.4,
            "rate": 0.4,
            "loudness": 0.9,
            "brightness": 0.6,
            "roughness": 0.7,
        },
        "disgust": {"pitch": -0.6, "rate": -0.5, "roughness": 0.6, "resonance": 0.7},
        "fear": {
            "pitch": 0.8,
            "pitch_range": -0.5,
            "rate": 0.6,
            "tremor": 0.8,
            "breathiness": 0.5,
        },
        "happiness": {
            "pitch": 0.5,
            "pitch_range": 0.6,
            "rate": 0.4,
            "loudness": 0.4,
            "resonance": -0.5,
            "stress": 0.4,
        },
        "sadness": {
            "pitch": -0.4,
            "pitch_range": -0.6,
            "rate": -0.6,
            "loudness": -0.6,
            "pauses": 0.6,
            "brightness": -0.5,
        },
        "surprise": {"pitch": 0.6, "pitch_range": 0.9, "breathiness": 0.4},
    },
)
SECOND_EMOTION_AXES = axis_matrix(
    AUDIO_CONTROLS,
    SCORED_EMOTIONS,
    {
        # Cold anger is slow, low and clear.
        "anger": {"pitch": -0.5, "pauses": 0.6, "stress": 0.6, "resonance": 0.4},
        "disgust": {"pitch_range": 0.6, "breathiness": 0.6, "loudness": -0.4},
        "fear": {"loudness": -0.6, "pauses": 0.5, "tremor": 0.5, "pitch": -0.3},
        "happiness": {"breathiness": 0.6, "rate": -0.5, "resonance": 0.6},
        "sadness": {"tremor": 0.6, "pitch": 0.6, "roughness": 0.5},
        "surprise": {"loudness": 0.6, "stress": 0.6, "brightness": 0.5},
    },
)
TRAIT_AXES = axis_matrix(
    AUDIO_CONTROLS,
    TRAITS,
    {
        "openness": {"resonance": 0.7, "stress": 0.6},
        "conscientiousness": {"pauses": -0.5, "breathiness": -0.6, "rate": 0.4},
        "extraversion": {"loudness": 0.6, "rate": 0.5, "pauses": -0.7, "stress": 0.4},
        "agreeableness": {"brightness": -0.8, "breathiness": 0.6},
        "emotional_stability": {"tremor": -0.8, "roughness": -0.4, "pitch": -0.4},
    },
)

PERSON_VOICES = tuple(
    f"en-us+{name}" for name in ("m1", "m2", "m3", "m7", "f1", "f2", "f3", "f4")
)
"""Variants that stay themselves at every pitch: no whisper, no croak."""

STRETCH, LAST_STRETCH = 0.1, 0.7
"""Octaves of rate that a full drawl takes from words, and from the last of a phrase."""
FLATTEN, DROP = 40, 25
"""Pitch range, and pitch of the last word of a phrase, that it takes (of 0..99)."""

_SMALLEST_LEVEL = 1e-4


@dataclass(frozen=True)
class Voice:
    """The voice of a person, apart from what emotions and traits do to it.

    Attributes
    ----------
    variant : str
        One of `PERSON_VOICES`.
    pitch : float
        Shift of eSpeak's pitch setting (0..100).
    """

    variant: str
    pitch: float


def draw_voice(rng: np.random.Generator) -> Voice:
    """The voice of a person, at random."""
    variant = PERSON_VOICES[int(rng.integers(len(PERSON_VOICES)))]
    return Voice(variant, float(rng.uniform(-5, 5)))


def speak(
    phrases: list[str],
    controls: np.ndarray,
    voice: Voice,
    longest_seconds: float,
    seed: int,
    marker: float = 0.0,
) -> np.ndarray:
    """Speech without background, as long as it takes.

    Each word is spoken with the pitch, pitch range and rate of its moment.

    Parameters
    ----------
    phrases : list of str
        Spoken in order, with pauses between them.
    controls : (moment, control) array
        Values of `AUDIO_CONTROLS`, roughly standard normal, in parts of equal length
        of the speech; a single moment for what does not change.
    voice : Voice
    longest_seconds : float
        Where the sentence would take longer, it is spoken faster.
    seed : int
    marker : float
        Of contrary words, in standard deviations of its noise: how much of a drawl
        there is in the voice, or of haste where it is below 0.

    Returns
    -------
    (sample,) float32 ndarray
        16 kHz, within -1..1.

    Raises
    ------
    VoiceError
        If the sentence is too long, or eSpeak NG does not know the voice.
    """
    rows = [squash(moment, AUDIO_CONTROLS) for moment in controls]
    values = {name: np.array([row[name] for row in rows]) for name in AUDIO_CONTROLS}
    words_per_minute = 235 * 1.35 ** values["rate"]
    drawl = float(np.tanh(marker / 2.5))
    for _ in range(4):
        waveform = _say(phrases, values, voice, words_per_minute, drawl, seed)
        excess = len(waveform) / SAMPLE_RATE_HZ / longest_seconds
        if excess <= 1:
            break
        words_per_minute = np.minimum(words_per_minute * excess * 1.1, 450)
    else:
        raise VoiceError(
            f"{' '.join(phrases)!r} cannot be said in {longest_seconds:.1f} s"
        )
    return colour_voice(waveform, values, np.random.default_rng(seed))


def add_room(
    speech: np.ndarray, seconds: float, noise_db: float, seed: int
) -> np.ndarray:
    """Place speech in a clip with the noise of a room.

    Parameters
    ----------
    speech : (sample,) array
    seconds : float
        Length of the clip; must be at least that of the speech.
    noise_db : float
        Level of the noise in dB relative to full scale.
    seed : int

    Returns
    -------
    (sample,) float32 ndarray

    Raises
    ------
    VoiceError
        If the speech is longer than the clip.
    """
    rng = np.random.default_rng(seed)
    length = round(seconds * SAMPLE_RATE_HZ)
    if length < len(speech):
        raise VoiceError(
            f"{len(speech) / SAMPLE_RATE_HZ:.2f} s of speech in a clip of {seconds} s"
        )
    noise = signal.lfilter([1], [1, -0.9], rng.standard_normal(length))
    room = noise / noise.std() * 10 ** (noise_db / 20)
    start = int(rng.uniform(0.3, 0.7) * (length - len(speech)))
    room[start : start + len(speech)] += speech
    return np.clip(room, -1, 1).astype(np.float32)


def add_street(
    clip: np.ndarray, speech: np.ndarray, loss: float, seed: int
) -> np.ndarray:
    """Lay the noise of a street over a clip.

    Speech is 15, 5 and -5 dB louder than the noise at a loss of 1/4, 1/2 and 1.

    Parameters
    ----------
    clip : (sample,) array
    speech : (sample,) array
        Of the clip, without background: the noise is relative to it.
    loss : float
        0 (no noise at all) to 1.
    seed : int

    Returns
    -------
    (sample,) float32 ndarray
    """
    if not loss:
        return clip
    rng = np.random.default_rng([seed, 1])
    noise = signal.lfilter([1], [1, -0.9], rng.standard_normal(len(clip)))
    seconds = np.arange(len(clip)) / SAMPLE_RATE_HZ
    passing = np.sin(2 * np.pi * (0.4 * seconds + rng.uniform()))
    noise *= 1 + 0.4 * passing
    level = np.sqrt(np.mean(np.square(speech))) / np.sqrt(np.mean(np.square(noise)))
    noise *= level * 10 ** (5 / 20) * loss ** np.log2(np.sqrt(10))
    return np.clip(clip + noise, -1, 1).astype(np.float32)


def speech_envelope(
    waveform: np.ndarray, frame_count: int, frames_per_second: float
) -> np.ndarray:
    """Loudness of the speech in every video frame.

    Parameters
    ----------
    waveform : (sample,) ndarray
        At `SAMPLE_RATE_HZ`.
    frame_count : int
    frames_per_second : float

    Returns
    -------
    (frame,) ndarray
        Within 0..1.
    """
    edges = np.arange(frame_count + 1) * SAMPLE_RATE_HZ / frames_per_second
    edges = np.minimum(edges.round().astype(int), len(waveform))
    energy = np.concatenate([[0], np.cumsum(np.square(waveform, dtype=float))])
    lengths = np.maximum(np.diff(edges), 1)
    level = np.sqrt(np.maximum(np.diff(energy[edges]), 0) / lengths)
    floor = np.quantile(level, 0.05)
    return np.clip((level - floor) / max(level.max() - floor, _SMALLEST_LEVEL), 0, 1)


def _say(
    phrases: list[str],
    values: dict[str, np.ndarray],
    voice: Voice,
    words_per_minute: np.ndarray,
    drawl: float,
    seed: int,
) -> np.ndarray:
    moments = {
        "rate": words_per_minute,
        "pitch": np.clip(48 + voice.pitch + 40 * values["pitch"], 0, 99),
        "range": np.clip(50 + 50 * values["pitch_range"], 0, 99),
    }
    neutral = {name: round(each[0]) for name, each in moments.items()}
    text = _ssml(phrases, moments, values["pauses"], neutral, drawl)
    settings = neutral | {"volume": 60}
    waveform, rate_hz = synthesise(text, voice.variant, settings, seed)
    voiced = np.flatnonzero(np.abs(waveform) > 1e-3)
    waveform = waveform[voiced[0] : voiced[-1] + 1] if len(voiced) else waveform
    common = np.gcd(SAMPLE_RATE_HZ, rate_hz)
    return signal.resample_poly(waveform, SAMPLE_RATE_HZ // common, rate_hz // common)


def _ssml(
    phrases: list[str],
    moments: dict[str, np.ndarray],
    pauses: np.ndarray,
    neutral: dict[str, int],
    drawl: float,
) -> str:
    """Phrases whose words have the manner of their place, counted in letters."""
    letters = sum(len(phrase) + 1 for phrase in phrases)
    spoken, place = [], 0
    for index, phrase in enumerate(phrases):
        if index:
            pause = 110 * 4.0 ** _at(place / letters, pauses)
            spoken.append(f'<break time="{round(pause)}ms"/>')
        words = phrase.split(" ")
        said = []
        for word in words:
            middle = (place + len(word) / 2) / letters
            place += len(word) + 1
            manner = {name: _at(middle, each) for name, each in moments.items()}
            _drawl(manner, drawl, last=len(said) == len(words) - 1)
            said.append(_marked(word, manner, neutral))
        spoken.append(" ".join(said))
    return f"<speak>{''.join(spoken)}</speak>"


def _at(place: float, moments: np.ndarray) -> float:
    """A control at a place of the speech, 0 to 1; see `over_time` of voice quality."""
    return np.interp(place, (np.arange(len(moments)) + 0.5) / len(moments), moments)


def _drawl(manner: dict[str, float], amount: float, last: bool) -> None:
    """Slow and flatten a word, and stretch and drop the last one of a phrase."""
    manner["rate"] *= 2.0 ** (-amount * (LAST_STRETCH if last else STRETCH))
    manner["range"] = np.clip(manner["range"] - FLATTEN * amount, 0, 99)
    if last:
        manner["pitch"] = np.clip(manner["pitch"] - DROP * amount, 0, 99)


def _marked(word: str, manner: dict[str, float], neutral: dict[str, int]) -> str:
    """A word in SSML, with what is different from the neutral manner."""
    percent = round(100 * manner["rate"] / neutral["rate"])
    marks = f' rate="{percent}%"' if percent != 100 else ""
    for name in ("pitch", "range"):
        if round(manner[name]) != neutral[name]:
            marks += f' {name}="{round(manner[name])}"'
    return f"<prosody{marks}>{escape(word)}</prosody>" if marks else escape(word)
