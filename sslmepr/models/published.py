"""The network as it was published, to be compared with (Ryumina et al., SSL-MEPR).

Differences from ours: unimodal predictions enter as their mean over modalities and
become part of a task's representation; emotions exclude each other (softmax); a cosine
with the guide bank is averaged with the head's output as it is, which holds the head
back.
"""

import torch
from torch import Tensor, nn

from sslmepr.labels import EMOTIONS, TARGETS
from sslmepr.models.fusion import FusionConfig, FusionInput, FusionModel

PUBLISHED_THRESHOLD = 1 / len(EMOTIONS)
"""Probability from which an emotion is decided present. As published, none is where
neutral reaches 1 - 1/7; no other can reach 1/7 then, so this is the whole rule."""


class PublishedFusion(FusionModel):
    """Stage 3 as published; graph attention and task queries are those of ours.

    Its ``emotion_logits`` are logits of a softmax.

    Raises
    ------
    ValueError
        If the configuration leaves out a published component, or asks for one of ours.
    """

    def __init__(self, config: FusionConfig):
        if config.without != ("co_training",):
            raise ValueError(
                f"without: {', '.join(config.without)}: the published network is built "
                "whole, and without co_training"
            )
        super().__init__(config)
        for task in config.tasks:
            self.predict_projectors[task] = nn.Linear(len(TARGETS[task]), config.hidden)
            self.heads[task].reset_parameters()
            self.banks[task].log_scale.requires_grad_(False)  # the bare cosine

    @staticmethod
    def emotion_probabilities(logits: Tensor) -> Tensor:
        """Of the seven emotions, which sum to 1: (clip, emotion)."""
        return logits.softmax(-1)

    def _decide(self, task: str, representation: Tensor, given: FusionInput) -> Tensor:
        """Mean of what head and guide bank say."""
        said = given.emotion_logits if task == "emotion" else given.trait_scores
        present = given.present[..., None]
        # An absent modality may hold anything, even NaN.
        mean = torch.where(present, said, 0.0).sum(1) / present.sum(1)
        representation = representation + self.predict_projectors[task](mean)
        head = self.heads[task](self.dropout(representation))
        cosine = self.banks[task](representation)
        if task == "personality":
            head, cosine = head.sigmoid(), cosine.sigmoid()
        return (head.float() + cosine) / 2
