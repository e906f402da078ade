"""Speech recognition by Whisper, through faster-whisper (CTranslate2)."""

from dataclasses import dataclass

import numpy as np
from faster_whisper import WhisperModel

from sslmepr.media.audio import SAMPLE_RATE_HZ
from sslmepr.weights import WHISPER_TINY_EN, WeightsError

EMBEDDED = "tiny.en"

STRETCH_SAMPLES = 600 * SAMPLE_RATE_HZ
"""Whisper hears windows of 30 s, but makes the spectrogram of all that it is given at
once. So it is given no more than this, a multiple of its windows."""

LEAST_LOG_PROBABILITY = -0.8
"""A model that knows only English makes up English words for whatever is said, but its
tokens' mean log-probability is then low, or it repeats itself, which compresses well.
Chosen with tiny.en on sentences that eSpeak NG spoke: of 166 in ten other languages,
163 are below this or above `MOST_COMPRESSION`. Of 107 others, in nine languages and
other voices, 101 are (of German 19 of 23). Of English, 160 takes of RAVDESS and 144
sentences of eSpeak NG, 6 are, all of which were misheard."""

MOST_COMPRESSION = 2.4
"""Whisper's own mark of a text that repeats itself (Radford et al. 2022, section
4.5)."""

LEAST_LANGUAGE_PROBABILITY = 0.7
"""A language other than English that is less probable is not believed: of a second of
speech it may be any."""


@dataclass(frozen=True)
class Transcript:
    """Transcript of a clip.

    Attributes
    ----------
    text : str
        Empty if there is none.
    language : str
        ISO 639 code of the text, or empty.
    reason : str
        Why there is no text, or empty.
    """

    text: str = ""
    language: str = ""
    reason: str = ""


class Transcriber:
    """Speech recognition with a model chosen by name.

    Parameters
    ----------
    model_name : str
        ``tiny.en`` is embedded; any other model name of faster-whisper
        (``large-v3-turbo`` is the paper's) comes from the hub, and the path of a
        folder in CTranslate2 format is read as it is.

    Raises
    ------
    WeightsError
        If the model can be found neither here nor on the hub.
    """

    def __init__(self, model_name: str = EMBEDDED):
        self.name = model_name
        source = model_name
        if model_name == EMBEDDED:
            source = str(WHISPER_TINY_EN.verify().parent)
        try:
            self._model = WhisperModel(
                source, device="cpu", compute_type="float32", cpu_threads=1
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsError(
                f"extract.transcriber: cannot load Whisper {model_name!r} ({error}); "
                f"fetch it with: hf download Systran/faster-whisper-{model_name}"
            ) from None

    def transcribe(self, waveform: np.ndarray) -> Transcript:
        """The words of a (sample,) waveform at 16 kHz.

        A multilingual model identifies the language. An English-only model returns no
        text for speech that does not seem to be English.
        """
        many = self._model.model.is_multilingual
        language = self._language(waveform) if many else "en"
        segments = []
        for begin in range(0, len(waveform), STRETCH_SAMPLES):
            # One temperature only: the sampled fallbacks would not be reproducible.
            found, _ = self._model.transcribe(
                waveform[begin : begin + STRETCH_SAMPLES],
                language=language,
                temperature=0.0,
                condition_on_previous_text=False,
                without_timestamps=True,
            )
            segments += found
        text = " ".join(segment.text.strip() for segment in segments).strip()
        if not text:
            return Transcript(reason="no speech was recognised")
        if not many and _seems_hallucinated(segments):
            return Transcript(
                reason="the speech does not seem to be English, or is not clear enough"
            )
        return Transcript(text, language)

    def _language(self, waveform: np.ndarray) -> str:
        language, probability, _ = self._model.detect_language(waveform)
        return language if probability >= LEAST_LANGUAGE_PROBABILITY else "en"


def _seems_hallucinated(segments: list) -> bool:
    """Whether an English-only model probably transcribed speech that is not English."""
    marks = [(each.avg_logprob, each.compression_ratio) for each in segments]
    tokens = [len(each.tokens) for each in segments]
    log_probability, compression = np.average(marks, axis=0, weights=tokens)
    return log_probability < LEAST_LOG_PROBABILITY or compression > MOST_COMPRESSION
