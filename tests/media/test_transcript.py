from types import SimpleNamespace

import numpy as np
import pytest
from scipy.signal import resample_poly

from sslmepr.media.transcript import STRETCH_SAMPLES, Transcriber, Transcript
from sslmepr.simulation.espeak import synthesise
from sslmepr.weights import WeightsError


@pytest.fixture(scope="module")
def transcriber():
    return Transcriber()


def spoken(text, voice):
    """A sentence at 16 kHz."""
    waveform, rate = synthesise(text, voice, {"rate": 165}, 0)
    return resample_poly(waveform, 16000, rate).astype(np.float32)


def test_no_words_are_heard_in_noise(transcriber):
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05, 16000).astype(np.float32)
    expected = Transcript(reason="no speech was recognised")
    assert transcriber.transcribe(noise) == expected


@pytest.mark.parametrize(
    ("voice", "said", "heard"),
    [
        (
            "en-us+f2",
            "I never thought that we would be talking about this again after so long.",
            "talking about this again after so long",
        ),
        (
            "en-us+m3",
            "I am so happy that you came, we have been waiting for you.",
            "happy",
        ),
    ],
)
def test_english_is_written_down(transcriber, voice, said, heard):
    transcript = transcriber.transcribe(spoken(said, voice))
    assert heard in transcript.text
    assert (transcript.language, transcript.reason) == ("en", "")


@pytest.mark.parametrize(
    ("voice", "said"),
    [
        ("de+f2", "Ich hätte nie gedacht, dass wir nach so langer Zeit davon reden."),
        ("de+f2", "Bitte mach die Tür zu, es wird kalt hier drinnen."),
        ("de+m3", "Mein Bruder hat letzten Sommer ein kleines Haus am Meer gekauft."),
        ("fr+f2", "Je n'aurais jamais pensé que nous en reparlerions."),
        ("fr+f2", "Ferme la porte s'il te plaît, il commence à faire froid."),
        ("es+f2", "Nunca pensé que volveríamos a hablar de esto."),
        ("ru+f2", "Мой брат купил маленький дом у моря прошлым летом."),
        ("hi+f2", "मेरे भाई ने पिछली गर्मियों में समुद्र के पास एक छोटा घर खरीदा।"),
    ],
)
def test_no_english_is_made_up_for_another_language(transcriber, voice, said):
    transcript = transcriber.transcribe(spoken(said, voice))
    assert transcript.text == "" and transcript.language == ""
    assert transcript.reason in (
        "the speech does not seem to be English, or is not clear enough",
        "no speech was recognised",
    )


class Recorded:
    """A Whisper model that gives the segments that it was made with."""

    def __init__(self, *segments, multilingual=False, detected=("en", 1.0)):
        self.model = SimpleNamespace(is_multilingual=multilingual)
        self.segments, self.detected, self.calls = segments, detected, []

    def detect_language(self, waveform):
        return *self.detected, []

    def transcribe(self, waveform, language, **_):
        self.calls.append((len(waveform), language))
        return iter(self.segments), None


def segment(text, log_probability=-0.2, compression=1.0, tokens=10):
    return SimpleNamespace(
        text=text,
        avg_logprob=log_probability,
        compression_ratio=compression,
        tokens=[0] * tokens,
    )


def told(transcriber, monkeypatch, model, samples=16000):
    monkeypatch.setattr(transcriber, "_model", model)
    return transcriber.transcribe(np.zeros(samples, np.float32))


@pytest.mark.parametrize(
    ("segments", "kept"),
    [
        ([segment(" Hello", -0.79)], True),
        ([segment(" Hello", -0.81)], False),
        ([segment(" no no no no", -0.1, 2.39)], True),
        ([segment(" no no no no", -0.1, 2.41)], False),
        # by tokens: (30 * -0.2 + 10 * -1.4) / 40 = -0.5, (10 * -0.2 + 30 * -1.4) = -1.1
        ([segment("a", -0.2, tokens=30), segment("b", -1.4, tokens=10)], True),
        ([segment("a", -0.2, tokens=10), segment("b", -1.4, tokens=30)], False),
    ],
)
def test_what_seems_invented(transcriber, monkeypatch, segments, kept):
    transcript = told(transcriber, monkeypatch, Recorded(*segments))
    assert bool(transcript.text) == kept == (not transcript.reason)


@pytest.mark.parametrize(
    ("detected", "language"),
    [(("de", 0.98), "de"), (("en", 0.5), "en"), (("cy", 0.3), "en")],
)
def test_a_model_of_many_languages_says_which(
    transcriber, monkeypatch, detected, language
):
    """And is believed where it is sure; low probabilities are no sign there."""
    model = Recorded(segment(" Guten Tag", -2.0), multilingual=True, detected=detected)
    transcript = told(transcriber, monkeypatch, model)
    assert transcript == Transcript("Guten Tag", language)
    assert model.calls == [(16000, language)]


def test_long_sound_is_heard_in_stretches(transcriber, monkeypatch):
    model = Recorded(segment(" and"))
    samples = 2 * STRETCH_SAMPLES + 16000
    transcript = told(transcriber, monkeypatch, model, samples)
    assert transcript.text == "and and and"
    assert [length for length, _ in model.calls] == 2 * [STRETCH_SAMPLES] + [16000]
    assert STRETCH_SAMPLES % (30 * 16000) == 0  # Whisper's windows


def test_unknown_model_says_how_to_fetch_it(tmp_path):
    with pytest.raises(WeightsError, match="extract.transcriber.*hf download"):
        Transcriber(str(tmp_path / "nothing"))
