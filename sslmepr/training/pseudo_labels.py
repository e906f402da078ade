"""Mean-teacher pseudo-labels for clips without labels of a task.

The teacher is an exponential moving average of the model's weights (Tarvainen and
Valpola 2017). It predicts the clip without noise; the student sees the clip with
dropout and with modalities hidden. Pseudo-labels stay soft, and traits stay scores:
hard pseudo-labels reward confidence as such, and if the corpora's features differ by an
offset, they make the predictions of a task constant on the corpus without its labels.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn import functional

from sslmepr.training.losses import masked_mean_loss


class WeightAverage:
    """An exponential moving average of a model's weights, as a model of its own.

    Parameters
    ----------
    model : Module
        The model that is trained.
    decay : float
        Weight of the previous average in each step. In step s it is at most s/(s + 9),
        so that the initial weights lose their influence early. This warm-up is that of
        TensorFlow's ``ExponentialMovingAverage``, (1 + n)/(10 + n) after n steps.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.decay, self.steps = decay, 0
        self.model = copy.deepcopy(model).eval()
        self.model.requires_grad_(False)
        pairs = [
            (mine, its)
            for mine, its in zip(
                self.model.parameters(), model.parameters(), strict=True
            )
            if its.requires_grad
        ]
        self._mine, self._its = map(list, zip(*pairs, strict=True))

    @torch.no_grad()
    def update(self) -> None:
        """Move the average one step towards the trained model's weights."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 9))
        torch._foreach_lerp_(self._mine, self._its, 1 - decay)


def emotion_pseudo_loss(
    logits: Tensor, teacher_logits: Tensor, unlabelled: Tensor, threshold: float
) -> Tensor:
    """Binary cross-entropy with the teacher's probabilities where it is confident.

    Parameters
    ----------
    logits, teacher_logits : (clip, emotion) Tensor
    unlabelled : (clip,) bool Tensor
        Clips without emotion labels; the others are masked.
    threshold : float
        Smallest max(p, 1 - p) of the teacher at which an emotion of a clip is used.

    Returns
    -------
    () Tensor
        Sum over the emotions used, divided by the number of all emotions of the
        unlabelled clips, so that a teacher that is rarely confident has little weight.
    """
    target = teacher_logits.detach().sigmoid()
    used = torch.maximum(target, 1 - target) >= threshold
    losses = functional.binary_cross_entropy_with_logits(
        logits, target, reduction="none"
    )
    return _over_unlabelled(losses, used, unlabelled)


def trait_pseudo_loss(
    scores: Tensor, teacher_scores: Tensor, unlabelled: Tensor, margin: float
) -> Tensor:
    """Absolute difference from the teacher's scores where these are far from 0.5.

    Parameters
    ----------
    scores, teacher_scores : (clip, trait) Tensor
        In 0..1.
    unlabelled : (clip,) bool Tensor
    margin : float
        Smallest distance of the teacher's score from 0.5 at which a trait is used.

    Returns
    -------
    () Tensor
        Divided as in `emotion_pseudo_loss`.
    """
    target = teacher_scores.detach()
    used = (target - 0.5).abs() >= margin
    return _over_unlabelled((scores - target).abs(), used, unlabelled)


def _over_unlabelled(losses: Tensor, used: Tensor, unlabelled: Tensor) -> Tensor:
    kept = torch.where(used, losses, torch.zeros_like(losses))
    return masked_mean_loss(kept, unlabelled[:, None].expand_as(losses))
