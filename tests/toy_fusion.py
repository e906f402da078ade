"""A fusion model of three linear layers, for tests of objectives."""

from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import nn

from sslmepr.models.fusion import FusionOutput


class ToyInput(NamedTuple):
    """(clip, 3) values, and which of two modalities a clip has: (clip, 2)."""

    values: torch.Tensor
    present: torch.Tensor


class Toy(nn.Module):
    """Reads the values, whatever modalities are present, and notes which were."""

    def __init__(self):
        super().__init__()
        self.trunk = nn.Linear(3, 4)
        self.emotion, self.trait = nn.Linear(4, 7), nn.Linear(4, 5)

    def last_shared_matrices(self):
        return [self.trunk.weight]

    def forward(self, given):
        self.present = given.present
        hidden = self.trunk(given.values)
        scores = self.trait(hidden).sigmoid()
        return FusionOutput(self.emotion(hidden), scores, None, None, None, None)


def toy_batch(clips=6):
    """Emotion labels of the first half of the clips, trait labels of the second."""
    torch.manual_seed(1)
    emotion, traits = torch.rand(clips, 7), torch.rand(clips, 5)
    emotion[clips // 2 :], traits[: clips // 2] = torch.nan, torch.nan
    present = torch.ones(clips, 2, dtype=torch.bool)
    present[0, 1] = False
    inputs = ToyInput(torch.randn(clips, 3), present)
    return SimpleNamespace(
        inputs=inputs, labels={"emotion": emotion, "personality": traits}
    )
