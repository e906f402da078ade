"""Sequence encoders: from features per step to one hidden vector per step.

Kinds of block, selected by name: `mamba` (recurrent state over steps, so order is
modelled without positions), `transformer` (attention between all steps, with sinusoidal
positions at the input, which need no training and extend to clips longer than those in
training) and, for comparison, `state_free` (the block that the published method calls
Mamba).
"""

import math

import torch
from torch import Tensor, nn

from sslmepr.models.mamba import Mamba2
from sslmepr.models.state_free import StateFreeBlock


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the real steps of each clip.

    Parameters
    ----------
    values : (clip, step, feature) torch.Tensor
    mask : (clip, step) torch.Tensor of bool
        True at real steps. Values elsewhere, even NaN, have no influence.

    Returns
    -------
    (clip, feature) torch.Tensor

    Raises
    ------
    ValueError
        If a clip has no real step; the message gives its position in the batch.
    """
    counts = mask.sum(1, keepdim=True)
    if not counts.all():
        empty = (counts[:, 0] == 0).nonzero().flatten().tolist()
        raise ValueError(f"no real step in clips {empty} of the batch")
    return values.masked_fill(~mask[..., None], 0.0).sum(1) / counts


def masked_max(values: Tensor, mask: Tensor) -> Tensor:
    """Largest value over the real steps of each clip, of each feature.

    Parameters
    ----------
    values, mask
        As in `masked_mean`; each clip has a real step.

    Returns
    -------
    (clip, feature) torch.Tensor
    """
    return values.masked_fill(~mask[..., None], -torch.inf).amax(1)


def rise(mask: Tensor) -> Tensor:
    """Contrast that rises over the real steps of each clip.

    Parameters
    ----------
    mask : (clip, step) torch.Tensor of bool
        True at real steps.

    Returns
    -------
    (clip, step) torch.Tensor
        Of mean 0 and mean square 1 over the real steps, however many; 0 in padding and
        in clips of a single step. A mean of features that are weighted by it is their
        slope, which the mean itself does not contain.
    """
    counts = mask.sum(1, keepdim=True).float()
    place = 2 * mask.cumsum(1) - 1 - counts
    scale = (3 / (counts.square() - 1).clamp(min=1)).sqrt()
    return (scale * place).masked_fill(~mask, 0.0)


def sinusoids(steps: int, features: int) -> Tensor:
    """Sinusoidal position encoding (Vaswani et al. 2017, section 3.5).

    Parameters
    ----------
    steps, features : int

    Returns
    -------
    (step, feature) torch.Tensor
    """
    rates = torch.exp(torch.arange(0, features, 2) * (-math.log(10000.0) / features))
    angles = torch.arange(steps)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :features]


class MambaBlock(nn.Module):
    """Pre-norm residual Mamba-2 block."""

    def __init__(self, hidden: int, state: int, dropout: float):
        super().__init__()
        self.norm = nn.LayerNorm(hidden)
        inner = 2 * hidden
        self.mixer = Mamba2(hidden, d_state=state, headdim=math.gcd(inner, 64))
        self.dropout = nn.Dropout(dropout)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Mix each step with earlier ones; (clip, step, hidden) to the same shape."""
        return values + self.dropout(self.mixer(self.norm(values), mask))


class TransformerBlock(nn.Module):
    """Pre-norm Transformer encoder layer."""

    def __init__(self, hidden: int, heads: int, dropout: float):
        super().__init__()
        self.layer = nn.TransformerEncoderLayer(
            hidden,
            heads,
            dim_feedforward=2 * hidden,
            dropout=dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Mix all real steps of a clip; (clip, step, hidden) to the same shape."""
        return self.layer(values, src_key_padding_mask=~mask)


BLOCKS = {
    "mamba": MambaBlock,
    "transformer": TransformerBlock,
    "state_free": StateFreeBlock,
}


class SequenceEncoder(nn.Module):
    """Projection, norm and dropout, then blocks of one kind, then a norm.

    Parameters
    ----------
    features, hidden : int
        Width of the input and of all layers after it.
    block : str
        `mamba`, `transformer` or `state_free`.
    layers : int
    state : int
        Mamba-2's state size per head, or the inner width of `state_free`.
    heads : int
        Attention heads of `transformer`.
    dropout : float

    Raises
    ------
    ValueError
        If `block` is unknown or `heads` does not divide `hidden`.
    """

    def __init__(
        self,
        features: int,
        hidden: int,
        block: str,
        layers: int,
        state: int,
        heads: int,
        dropout: float,
    ):
        super().__init__()
        if block not in BLOCKS:
            raise ValueError(f"block={block!r}: choose one of {', '.join(BLOCKS)}")
        if block == "transformer" and hidden % heads:
            raise ValueError(f"heads={heads} does not divide hidden={hidden}")
        self.positions = block == "transformer"
        self.project = nn.Linear(features, hidden)
        self.project_norm = nn.LayerNorm(hidden)
        self.dropout = nn.Dropout(dropout)
        kind, size = BLOCKS[block], heads if block == "transformer" else state
        self.blocks = nn.ModuleList(kind(hidden, size, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(hidden)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Encode padded sequences.

        Parameters
        ----------
        values : (clip, step, feature) torch.Tensor
        mask : (clip, step) torch.Tensor of bool
            True at real steps. Values elsewhere have no influence.

        Returns
        -------
        (clip, step, hidden) torch.Tensor
            Zero at padding.
        """
        absent = ~mask[..., None]
        hidden = self.project_norm(self.project(values.masked_fill(absent, 0.0)))
        if self.positions:
            hidden = hidden + sinusoids(*hidden.shape[1:]).to(hidden)
        hidden = self.dropout(hidden)
        for block in self.blocks:
            hidden = block(hidden, mask)
        return self.norm(hidden).masked_fill(absent, 0.0)
