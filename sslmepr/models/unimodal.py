"""Stage 1: network for one modality and one task, a correction of a linear probe.

A probe on mean-pooled features is fitted first (ridge regression for traits, logistic
regression for emotions) and frozen. Sequence encoder and head learn a correction of its
logits, which is 0 at the start of training. With a few hundred clips, an encoder
trained without the probe scores below it; with it, early stopping on dev keeps the
correction only if it improves the score.
"""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sslmepr.labels import TARGETS
from sslmepr.models.sequence import SequenceEncoder, masked_mean


@dataclass(frozen=True)
class UnimodalConfig:
    """Configuration of a `UnimodalModel`; plain values that JSON can hold.

    Attributes
    ----------
    task : str
        `emotion` or `personality`.
    features : int
        Number of features per step.
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
    """Output of a `UnimodalModel` for a batch of clips.

    Attributes
    ----------
    sequence : (clip, step, hidden) torch.Tensor
        Zero where there is no real step.
    embedding : (clip, hidden) torch.Tensor
        Mean of `sequence` over real steps.
    logits : (clip, target) torch.Tensor
        One per emotion (multi-label) or one per trait.
    """

    sequence: Tensor
    embedding: Tensor
    logits: Tensor

    @property
    def predicted(self) -> Tensor:
        """Probabilities of emotions or scores of traits, in 0..1: (clip, target)."""
        return torch.sigmoid(self.logits)


def head(width: int, hidden: int, targets: int, dropout: float) -> nn.Sequential:
    """Two-layer head whose logits are 0 at initialisation.

    Parameters
    ----------
    width, hidden, targets : int
        Sizes of the embedding, the hidden layer and the output.
    dropout : float
    """
    last = nn.Linear(hidden, targets)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), last)


def set_linear(layer: nn.Linear, weights: Tensor, bias: Tensor) -> None:
    """Set a linear layer to the solution of a linear model and freeze it.

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
    """Sum of a linear probe and of a correction by sequence encoder and head."""

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
            Base logits that the network corrects, instead of the probe's own: out of
            fold for training clips, on which the probe's own are in-sample.

        Returns
        -------
        UnimodalOutput

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
