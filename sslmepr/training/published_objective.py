"""What the method was published to be taught (Ryumina et al.), for comparison.

Emotions exclude each other: cross-entropy with the strongest. Traits: absolute error. A
clip without labels is given its own prediction as a hard one: the likeliest emotion
where its probability exceeds a threshold, a trait pushed to 1 or 0 where its score is
far from the middle. Weights of the losses are balanced on all parameters, from losses
as they come and relative to those of the first batch.
"""

from functools import partial
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from sslmepr.training.fusion_objective import FusionObjective
from sslmepr.training.gradnorm import WithGradients
from sslmepr.training.losses import masked_mean_loss, trait_loss


def strongest_emotion_loss(logits: Tensor, intensity: Tensor) -> Tensor:
    """Cross-entropy of a softmax with the strongest annotated emotion.

    Parameters
    ----------
    logits : (clip, emotion) Tensor
    intensity : (clip, emotion) Tensor
        0 absent to 1 strongest, NaN where not annotated.
    """
    known = ~intensity.isnan().any(1)
    strongest = intensity.nan_to_num().argmax(1)
    losses = functional.cross_entropy(logits, strongest, reduction="none")
    return masked_mean_loss(losses, known)


def hard_emotion_loss(
    logits: Tensor, said: Tensor, unlabelled: Tensor, threshold: float
) -> Tensor:
    """Cross-entropy with the likeliest emotion where it is likelier than a threshold.

    Parameters
    ----------
    logits, said : (clip, emotion) Tensor
        Logits of a softmax: of the model, and those that make the pseudo-labels.
    unlabelled : (clip,) bool Tensor
        Clips without emotion labels; the others take no part.
    threshold : float
    """
    largest, emotion = said.detach().softmax(-1).max(-1)
    used = unlabelled & (largest > threshold)
    losses = functional.cross_entropy(logits, emotion, reduction="none")
    return masked_mean_loss(losses, used)


def hard_trait_loss(
    scores: Tensor, said: Tensor, unlabelled: Tensor, margin: float
) -> Tensor:
    """Cross-entropy with 1 or 0, of scores further than `margin` from 0.5.

    Parameters
    ----------
    scores, said : (clip, trait) Tensor
        In 0..1: of the model, and those that make the pseudo-labels.
    unlabelled : (clip,) bool Tensor
    margin : float
    """
    said = said.detach()
    used = unlabelled[:, None] & ((said - 0.5).abs() > margin)
    pushed = (said > 0.5).to(scores.dtype)
    inside = scores.clamp(1e-6, 1 - 1e-6)
    losses = functional.binary_cross_entropy(inside, pushed, reduction="none")
    return masked_mean_loss(losses, used)


class PublishedObjective(FusionObjective):
    """Loss of a training run as published; parameters as of `FusionObjective`."""

    running: ClassVar[dict] = {"memory": 0.0, "initial_steps": 1}
    labelled_losses: ClassVar[dict] = {
        "emotion": strongest_emotion_loss,
        "personality": partial(trait_loss, share=0),
    }
    pseudo_losses: ClassVar[dict] = {
        "emotion": hard_emotion_loss,
        "personality": hard_trait_loss,
    }

    def _target(self, output, teacher, batch):
        return output

    def _compared(self, model) -> list[torch.nn.Parameter]:
        return [each for each in model.parameters() if each.requires_grad]

    def _sum(self, losses, shared, gradients):
        # Gradients of all parameters are there: no further backward pass.
        weights = self._weights(losses)
        known = gradients.combined(weights)
        return WithGradients.apply(losses @ weights, known, *shared)

    def _hide(self, inputs):
        return inputs
