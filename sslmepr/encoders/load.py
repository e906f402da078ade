"""The image, speech and text encoder named in ``params.yaml``, loaded on first use."""

from functools import cached_property

import torch

from sslmepr.encoders.image import IMAGE_ENCODERS
from sslmepr.encoders.quality import WithQuality
from sslmepr.encoders.speech import SPEECH_ENCODERS
from sslmepr.encoders.text import TEXT_ENCODERS
from sslmepr.params.corpora import Extract


class Encoders:
    """Image, speech and text encoder, with measures of quality behind their features.

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
    def image(self) -> WithQuality:
        """Encodes crops of face, body and scene."""
        return self._load("image", IMAGE_ENCODERS[self._extract.image_encoder])

    @cached_property
    def speech(self) -> WithQuality:
        """Encodes waveforms."""
        return self._load("speech", SPEECH_ENCODERS[self._extract.speech_encoder])

    @cached_property
    def text(self) -> WithQuality:
        """Encodes transcripts."""
        return self._load("text", TEXT_ENCODERS[self._extract.text_encoder])

    def _load(self, kind: str, load) -> WithQuality:
        return WithQuality(kind, load(self._extract, self._device))


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
