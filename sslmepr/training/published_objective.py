"""Training objective of the published method (Ryumina et al.), for comparison.

Emotions are single-label: cross-entropy with the strongest. Traits: absolute error.
Clips without labels get hard pseudo-labels from the model itself (self-training): the
most probable emotion if its probability exceeds a threshold, and 1 or 0 for a trait
whose score is far from 0.5. GradNorm compares gradients on all parameters and uses
current losses relative to those of the first batch.
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
    """Softmax cross-entropy with the strongest annotated emotion.

    Parameters
    ----------
    logits : (clip, emotion) Tensor
    intensity : (clip, emotion) Tensor
        0 absent to 1 strongest, NaN where not annotated.

    Returns
    -------
    () Tensor
    """
    known = ~intensity.isnan().any(1)
    strongest = intensity.nan_to_num().argmax(1)
    losses = functional.cross_entropy(logits, strongest, reduction="none")
    return masked_mean_loss(losses, known)


def hard_emotion_loss(
    logits: Tensor, pseudo: Tensor, unlabelled: Tensor, threshold: float
) -> Tensor:
    """Softmax cross-entropy with hard pseudo-labels of confident clips.

    Parameters
    ----------
    logits, pseudo : (clip, emotion) Tensor
        Softmax logits of the model, and those that make the pseudo-labels.
    unlabelled : (clip,) bool Tensor
        Clips without emotion labels; the others are masked.
    threshold : float
        A clip is used if its largest probability exceeds this.

    Returns
    -------
    () Tensor
    """
    largest, emotion = pseudo.detach().softmax(-1).max(-1)
    used = unlabelled & (largest > threshold)
    losses = functional.cross_entropy(logits, emotion, reduction="none")
    return masked_mean_loss(losses, used)


def hard_trait_loss(
    scores: Tensor, pseudo: Tensor, unlabelled: Tensor, margin: float
) -> Tensor:
    """Binary cross-entropy with hard pseudo-labels of scores far from 0.5.

    Parameters
    ----------
    scores, pseudo : (clip, trait) Tensor
        Scores in 0..1 of the model, and those that make the pseudo-labels.
    unlabelled : (clip,) bool Tensor
        Clips without trait labels; the others are masked.
    margin : float
        A score is used if its distance from 0.5 exceeds this.

    Returns
    -------
    () Tensor
    """
    pseudo = pseudo.detach()
    used = unlabelled[:, None] & ((pseudo - 0.5).abs() > margin)
    pushed = (pseudo > 0.5).to(scores.dtype)
    inside = scores.clamp(1e-6, 1 - 1e-6)
    losses = functional.binary_cross_entropy(inside, pushed, reduction="none")
    return masked_mean_loss(losses, used)


class PublishedObjective(FusionObjective):
    """Objective as published; the parameters are those of `FusionObjective`."""

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
        # Gradients of all parameters are known, so no further backward pass is needed.
        weights = self._weights(losses)
        known = gradients.combined(weights)
        return WithGradients.apply(losses @ weights, known, *shared)

    def _hide(self, inputs):
        return inputs
