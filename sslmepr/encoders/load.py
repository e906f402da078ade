"""The image, speech and text encoder named in ``params.yaml``, loaded on first use."""

from functools import cached_property

import torch

from sslmepr.encoders.image import IMAGE_ENCODERS, ImageEncoder
from sslmepr.encoders.speech import SPEECH_ENCODERS, SpeechEncoder
from sslmepr.encoders.text import TEXT_ENCODERS, TextEncoder
from sslmepr.params.corpora import Extract


class Encoders:
    """Image, speech and text encoder.

    Each is loaded when it is first used, so a corpus without media never loads the
    first two.

    Parameters
    ----------
    extract : Extract
        The section ``extract`` of the parameters, which names the encoders.
    device : torch.device
        Where encoders that run in torch compute.
    """

    def __init__(self, extract: Extract, device: torch.device):
        self._extract, self._device = extract, device

    @cached_property
    def image(self) -> ImageEncoder:
        """Encodes crops of face, body and scene."""
        return IMAGE_ENCODERS[self._extract.image_encoder](self._extract, self._device)

    @cached_property
    def speech(self) -> SpeechEncoder:
        """Encodes waveforms."""
        load = SPEECH_ENCODERS[self._extract.speech_encoder]
        return load(self._extract, self._device)

    @cached_property
    def text(self) -> TextEncoder:
        """Encodes transcripts."""
        return TEXT_ENCODERS[self._extract.text_encoder](self._extract, self._device)


def load_encoders(extract: Extract, device: torch.device) -> Encoders:
    """Prepare the encoders named in the section ``extract`` of the parameters.

    Parameters
    ----------
    extract : Extract
    device : torch.device

    Returns
    -------
    Encoders

    Raises
    ------
    WeightsError
        When an encoder is first used and its weights cannot be found.
    """
    return Encoders(extract, device)
