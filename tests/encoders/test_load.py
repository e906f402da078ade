from pathlib import Path

import pytest
import torch

from sslmepr.encoders.image import IMAGE_ENCODERS
from sslmepr.encoders.load import load_encoders
from sslmepr.encoders.speech import SPEECH_ENCODERS
from sslmepr.encoders.text import TEXT_ENCODERS
from sslmepr.labels import ENCODERS, FEATURE_COUNTS
from sslmepr.params import load
from sslmepr.weights import WeightsError

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def extract():
    return load(ROOT / "params.yaml").extract


def test_defaults_are_embedded(extract):
    encoders = load_encoders(extract, torch.device("cpu"))
    for encoder in (encoders.image, encoders.speech, encoders.text):
        assert encoder.feature_count == FEATURE_COUNTS[encoder.name]
    assert encoders.speech.steps_per_second == extract.speech_steps_per_second
    assert encoders.text is encoders.text  # loaded once


def test_the_papers_encoders_are_looked_for_where_told(extract, tmp_path):
    chosen = {
        "image_encoder": "clip_vit_b32",
        "speech_encoder": "wav2vec2_emotion",
        "text_encoder": "bge_small_en",
        "checkpoint_dir": str(tmp_path),
    }
    encoders = load_encoders(extract.model_copy(update=chosen), torch.device("cpu"))
    for kind in ("image", "speech", "text"):
        with pytest.raises(WeightsError, match="hf download"):
            getattr(encoders, kind)


def test_egemaps_by_name(extract):
    chosen = extract.model_copy(update={"speech_encoder": "egemaps"})
    encoders = load_encoders(chosen, torch.device("cpu"))
    assert encoders.speech.name == "egemaps"


@pytest.mark.parametrize(
    ("kind", "loaders"),
    [("image", IMAGE_ENCODERS), ("speech", SPEECH_ENCODERS), ("text", TEXT_ENCODERS)],
)
def test_every_encoder_that_params_accept_can_be_loaded(kind, loaders):
    assert set(loaders) == set(ENCODERS[kind])
