import numpy as np
import pytest

from sslmepr.media.transcript import Transcriber
from sslmepr.weights import WeightsError


def test_no_words_are_heard_in_noise():
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05, 16000).astype(np.float32)
    assert Transcriber().transcribe(noise) == ""


def test_unknown_model_says_how_to_fetch_it(tmp_path):
    with pytest.raises(WeightsError, match="extract.transcriber.*hf download"):
        Transcriber(str(tmp_path / "nothing"))
