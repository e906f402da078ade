"""The sequence block that the published method calls Mamba, for comparison.

It has no recurrent state: no information passes from one step to another.
"""

import torch.nn.functional as F
from torch import Tensor, nn


class StateFreeBlock(nn.Module):
    """The published "Mamba" block: a feed-forward network applied to each step.

    x → W_in x; then x + B x + C x, ReLU, W_out, dropout, residual, norm.
    """

    def __init__(self, hidden: int, state: int, dropout: float):
        super().__init__()
        self.into = nn.Linear(hidden, state)
        self.b, self.c = nn.Linear(state, state), nn.Linear(state, state)
        self.out = nn.Linear(state, hidden)
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(hidden)

    def forward(self, values: Tensor, mask: Tensor) -> Tensor:
        """Map (clip, step, hidden) to the same shape; `mask` is not used."""
        inner = self.into(values)
        inner = F.relu(inner + self.b(inner) + self.c(inner))
        return self.norm(values + self.dropout(self.out(inner)))
