"""The three encoders that ``params.yaml`` names, each loaded when first needed."""

from functools import cached_property

import torch

from sslmepr.encoders.image import ClipVitB32, EfficientNetLite0, ImageEncoder
from sslmepr.encoders.speech import (
    Egemaps,
    SpeechEncoder,
    Wav2Vec2Emotion,
    WhisperTinyEn,
)
from sslmepr.encoders.text import TextEncoder
from sslmepr.params import Extract


class Encoders:
    """Image, speech and text encoder.

    A corpus without media never loads the first two.
    """

    def __init__(self, extract: Extract, device: torch.device):
        self._extract, self._device = extract, device

    @cached_property
    def image(self) -> ImageEncoder:
        """For crops of face, body and scene."""
        if self._extract.image_encoder == EfficientNetLite0.name:
            return EfficientNetLite0(self._device)
        return ClipVitB32(self._device, self._extract.checkpoint_dir)

    @cached_property
    def speech(self) -> SpeechEncoder:
        """For waveforms."""
        rate = self._extract.speech_steps_per_second
        if self._extract.speech_encoder == WhisperTinyEn.name:
            return WhisperTinyEn(rate)
        if self._extract.speech_encoder == Egemaps.name:
            return Egemaps(rate)
        return Wav2Vec2Emotion(rate, self._device, self._extract.checkpoint_dir)

    @cached_property
    def text(self) -> TextEncoder:
        """For transcripts."""
        return TextEncoder(
            self._extract.text_encoder, self._device, self._extract.checkpoint_dir
        )


def load_encoders(extract: Extract, device: torch.device) -> Encoders:
    """The encoders named in the section ``extract`` of the parameters.

    Raises
    ------
    WeightsError
        When an encoder is first used and its weights are nowhere to be found.
    """
    return Encoders(extract, device)
