"""Stage 1: one modality, one task.

The model starts as a linear one. A probe on the mean over time is fitted first (ridge
regression for traits, logistic regression for emotions) and stays as it is; sequence
encoder and head learn what the probe misses.
With a few hundred clips an encoder that starts from nothing does not even reach the
probe; starting there, it can only be chosen on dev where it adds something.
"""

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
    targets : int, optional
        Number of logits; that of the task's targets if not given.

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
    targets: int | None = None

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
    logits : (clip, target) torch.Tensor
        One per emotion, of which several may be positive, or one per trait.
    """

    sequence: Tensor
    embedding: Tensor
    logits: Tensor

    @property
    def predicted(self) -> Tensor:
        """Probabilities of emotions or scores of traits, in 0..1: (clip, target)."""
        return torch.sigmoid(self.logits)


def head(width: int, hidden: int, targets: int, dropout: float) -> nn.Sequential:
    """Two layers from an embedding of `width` to `targets` logits, at first all 0."""
    last = nn.Linear(hidden, targets)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(width, hidden), nn.ReLU(), nn.Dropout(dropout), last)


def set_linear(layer: nn.Linear, weights: Tensor, bias: Tensor) -> None:
    """Give a linear layer the solution of a linear model, and keep it from learning.

    Parameters
    ----------
    layer : Linear
    weights : (target, feature) torch.Tensor
    bias : (target,) torch.Tensor
    """
    with torch.no_grad():
        layer.weight.copy_(weights)
        layer.bias.copy_(bias)
    layer.requires_grad_(False)


class UnimodalModel(nn.Module):
    """A linear probe, and what sequence encoder, mean over time and head add to it."""

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
        targets = config.targets or len(TARGETS[config.task])
        self.head = head(config.hidden, config.hidden, targets, config.dropout)
        self.probe = nn.Linear(config.features, targets)

    def forward(
        self, values: Tensor, mask: Tensor, offset_logits: Tensor | None = None
    ) -> UnimodalOutput:
        """Predict one task.

        Parameters
        ----------
        values : (clip, step, feature) torch.Tensor
        mask : (clip, step) torch.Tensor of bool
            True at real steps.
        offset_logits : (clip, target) torch.Tensor, optional
            Logits in place of the probe's own. A probe has seen the training clips;
            for them, those of probes that have not are given.

        Raises
        ------
        ValueError
            If a clip has no real step.
        """
        sequence = self.encoder(values, mask)
        embedding = masked_mean(sequence, mask)
        if offset_logits is None:
            offset_logits = self.probe(masked_mean(values, mask))
        return UnimodalOutput(
            sequence, embedding, self.head(embedding).float() + offset_logits.float()
        )
