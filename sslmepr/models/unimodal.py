"""Stage 1: one modality, one task."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sslmepr.labels import TARGETS
from sslmepr.models.sequence import SequenceEncoder, masked_mean


@dataclass(frozen=True)
class UnimodalConfig:
    """What a `UnimodalModel` is built from; plain values, fit for JSON.

    Attributes
    ----------
    task : str
        `emotion` or `personality`.
    features : int
        Width of the encoder's features.
    hidden, block, layers, state, heads, dropout
        As in `SequenceEncoder`.

    Raises
    ------
    ValueError
        If `task` is unknown.
    """

    task: str
    features: int
    hidden: int
    block: str
    layers: int
    state: int
    heads: int
    dropout: float

    def __post_init__(self):
        if self.task not in TARGETS:
            raise ValueError(f"task={self.task!r}: choose one of {', '.join(TARGETS)}")


class UnimodalOutput(NamedTuple):
    """What a `UnimodalModel` says of a batch of clips.

    Attributes
    ----------
    sequence : (clip, step, hidden) torch.Tensor
        Zero where there is no real step.
    embedding : (clip, hidden) torch.Tensor
        Mean of `sequence` over real steps.
    output : (clip, target) torch.Tensor
        Logits, one per emotion, of which several may be positive; or trait scores in
        0..1.
    """

    sequence: Tensor
    embedding: Tensor
    output: Tensor


def head(width: int, hidden: int, targets: int, dropout: float) -> nn.Sequential:
    """Two layers from an embedding of `width` to `targets` logits."""
    return nn.Sequential(
        nn.Linear(width, hidden),
        nn.ReLU(),
        nn.Dropout(dropout),
        nn.Linear(hidden, targets),
    )


class UnimodalModel(nn.Module):
    """Sequence encoder, mean over time, two-layer head."""

    def __init__(self, config: UnimodalConfig):
        super().__init__()
        self.config = config
        self.encoder = SequenceEncoder(
            config.features,
            config.hidden,
            config.block,
            config.layers,
            config.state,
            config.heads,
            config.dropout,
        )
        targets = len(TARGETS[config.task])
        self.head = head(config.hidden, config.hidden, targets, config.dropout)

    def forward(self, values: Tensor, mask: Tensor) -> UnimodalOutput:
        """Predict one task.

        Parameters
        ----------
        values : (clip, step, feature) torch.Tensor
        mask : (clip, step) torch.Tensor of bool
            True at real steps.

        Raises
        ------
        ValueError
            If a clip has no real step.
        """
        sequence = self.encoder(values, mask)
        embedding = masked_mean(sequence, mask)
        output = self.head(embedding).float()
        if self.config.task == "personality":
            output = torch.sigmoid(output)
        return UnimodalOutput(sequence, embedding, output)
