"""The published fusion network, for comparison (Ryumina et al., SSL-MEPR).

Differences from `FusionModel`: unimodal predictions are averaged over modalities and
added to a task's representation; emotions are single-label (softmax); the unscaled
cosine with the guide bank is averaged with the head's output, which limits the range of
the logits.
"""

import torch
from torch import Tensor, nn

from sslmepr.labels import EMOTIONS, OURS, TARGETS
from sslmepr.models.fusion import FusionConfig, FusionInput, FusionModel

PUBLISHED_THRESHOLD = 1 / len(EMOTIONS)
"""Decision threshold: an emotion is predicted present from this probability on. The
published rule that no emotion is present if neutral reaches 1 - 1/7 follows from it,
because then no other emotion can reach 1/7."""


class PublishedFusion(FusionModel):
    """Stage 3 as published; graph attention and task queries as in `FusionModel`.

    Its ``emotion_logits`` are softmax logits.

    Raises
    ------
    ValueError
        If the configuration leaves out a published component or includes one of `OURS`.
    """

    activation = nn.ReLU

    def __init__(self, config: FusionConfig):
        if config.without != OURS:
            raise ValueError(
                f"without: {', '.join(config.without)}: the published network is built "
                f"whole, and without {', '.join(OURS)}"
            )
        super().__init__(config)
        for task in config.tasks:
            self.predict_projectors[task] = nn.Linear(len(TARGETS[task]), config.hidden)
            # Initialised at random: no stacking regression gives the first logits.
            self.heads[task] = nn.Linear(config.hidden, len(TARGETS[task]))
            self.banks[task].log_scale.requires_grad_(False)  # unscaled cosine

    @staticmethod
    def emotion_probabilities(logits: Tensor) -> Tensor:
        """Softmax probabilities of the seven emotions: (clip, emotion)."""
        return logits.softmax(-1)

    def _late_fusion(self, given: FusionInput) -> dict[str, Tensor]:
        """None: the mean of unimodal predictions enters the representation instead."""
        return {}

    def _decide(self, task, representation, given, late, product, factored) -> Tensor:
        """Mean of the outputs of head and guide bank."""
        predicted = given.emotion_logits if task == "emotion" else given.trait_scores
        present = given.present[..., None]
        # Values of an absent modality are arbitrary and may be NaN.
        mean = torch.where(present, predicted, 0.0).sum(1) / present.sum(1)
        representation = representation + self.predict_projectors[task](mean)
        head = self.heads[task](self.dropout(representation))
        cosine = self.banks[task](representation)
        if task == "personality":
            head, cosine = head.sigmoid(), cosine.sigmoid()
        return (head.float() + cosine) / 2
