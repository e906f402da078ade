"""What is said in a clip, by Whisper through faster-whisper (CTranslate2)."""

import numpy as np
from faster_whisper import WhisperModel

from sslmepr.weights import WHISPER_TINY_EN, WeightsError

EMBEDDED = "tiny.en"


class Transcriber:
    """Speech recognition with a model chosen by name.

    Parameters
    ----------
    model_name : str
        ``tiny.en`` is embedded; any other name that faster-whisper knows
        (``large-v3-turbo`` is the paper's) comes from the hub, and the path of a
        folder in CTranslate2 format is read as it is.

    Raises
    ------
    WeightsError
        If the model can be found neither here nor on the hub.
    """

    def __init__(self, model_name: str = EMBEDDED):
        self.name = model_name
        self._language = "en" if model_name.endswith(".en") else None
        source = model_name
        if model_name == EMBEDDED:
            source = str(WHISPER_TINY_EN.path.parent)
        try:
            self._model = WhisperModel(
                source, device="cpu", compute_type="float32", cpu_threads=1
            )
        except (OSError, RuntimeError, ValueError) as error:
            raise WeightsError(
                f"extract.transcriber: cannot load Whisper {model_name!r} ({error}); "
                f"fetch it with: hf download Systran/faster-whisper-{model_name}"
            ) from None

    def transcribe(self, waveform: np.ndarray) -> str:
        """The words of a (sample,) waveform at 16 kHz; empty if none are heard."""
        # One temperature only: the sampled fallbacks would not be reproducible.
        segments, _ = self._model.transcribe(
            waveform,
            language=self._language,
            temperature=0.0,
            condition_on_previous_text=False,
            without_timestamps=True,
        )
        return " ".join(segment.text.strip() for segment in segments).strip()
