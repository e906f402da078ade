"""What the fusion model is taught: supervised and pseudo-labelled losses, balanced."""

from typing import ClassVar

import torch
from torch import Tensor

from sslmepr.params import Fusion, Variant
from sslmepr.training.gradnorm import LossGradients, LossGroup, linear_calls
from sslmepr.training.losses import emotion_loss, trait_loss
from sslmepr.training.pseudo_labels import emotion_pseudo_loss, trait_pseudo_loss

MODALITY_DROPOUT = 0.2
"""Chance that a modality of a clip is hidden from the model in training; the teacher
of the pseudo-labels sees all of them."""


class FusionObjective:
    """Loss of one training run of the fusion model.

    Parameters
    ----------
    section : Fusion
        ``params.fusion``.
    variant : Variant
        Without ``semi_supervised`` there are no pseudo-labels. Without ``gradnorm`` the
        supervised losses share their budget equally, and pseudo-labelled losses count
        ``semi_supervised.weight`` of that.
    seed : int
        Of the hidden modalities.
    """

    running: ClassVar[dict] = {}
    """How `LossGroup` keeps losses, where not as by default."""

    labelled_losses: ClassVar[dict] = {
        "emotion": emotion_loss,
        "personality": trait_loss,
    }
    """Task to its loss of (what the model says, labels)."""

    pseudo_losses: ClassVar[dict] = {
        "emotion": emotion_pseudo_loss,
        "personality": trait_pseudo_loss,
    }
    """Task to its loss of (what the model says, what makes the pseudo-labels, clips
    without labels, threshold)."""

    def __init__(self, section: Fusion, variant: Variant, seed: int):
        self.tasks = variant.tasks
        semi = section.semi_supervised
        self._thresholds = {
            "emotion": semi.emotion_threshold,
            "personality": semi.trait_margin,
        }
        left_out = section.left_out(variant)
        self._balanced = "gradnorm" not in left_out
        self._generator = torch.Generator().manual_seed(seed)
        settings = section.gradnorm
        budgets = {"supervised": settings.supervised.budget}
        if "semi_supervised" not in left_out:
            fixed = semi.weight * settings.supervised.budget
            budget = settings.semi_supervised.budget
            budgets["semi_supervised"] = budget if self._balanced else fixed
        # A single task has one loss per group, which leaves nothing to balance.
        part = len(self.tasks) / 2
        self.groups = {
            name: LossGroup(
                len(self.tasks),
                alpha=getattr(settings, name).alpha,
                step=getattr(settings, name).step,
                budget=budget * part,
                floor=settings.floor,
                **self.running,
            )
            for name, budget in budgets.items()
        }

    def __call__(self, model, teacher, batch) -> Tensor:
        """Weighted sum of the losses of a batch, after an update of the weights."""
        balanced = self._balanced and len(self.tasks) > 1
        shared = self._compared(model) if balanced else []
        with linear_calls(model, shared) as calls:
            output = model(self._hide(batch.inputs))
        found = self._supervised(output, batch)
        if "semi_supervised" in self.groups:
            target = self._target(output, teacher, batch)
            found += self._unsupervised(output, target, batch)
        losses = torch.stack(found)
        if not balanced:
            return losses @ self._weights(losses)
        gradients = LossGradients(losses, shared, calls)
        parts = zip(
            self.groups.values(),
            losses.detach().cpu().split(len(self.tasks)),
            gradients.norms().split(len(self.tasks)),
            strict=True,
        )
        for group, *measured in parts:
            group.update(*measured)
        return self._sum(losses, shared, gradients)

    def _weights(self, losses: Tensor) -> Tensor:
        weights = torch.cat([group.weights for group in self.groups.values()])
        return weights.to(losses.device)

    def _sum(self, losses, shared, gradients: LossGradients) -> Tensor:
        """Weighted sum of the losses."""
        return losses @ self._weights(losses)

    @torch.no_grad()
    def _target(self, output, teacher, batch):
        """What pseudo-labels are made of."""
        return teacher(batch.inputs)

    def _compared(self, model) -> list[torch.nn.Parameter]:
        """Parameters on which gradients of the losses are compared.

        All of the trunk would cost a backward pass through it for every loss.
        """
        return model.last_shared_matrices()

    def _supervised(self, output, batch) -> list[Tensor]:
        return [
            self.labelled_losses[task](output.of(task), batch.labels[task])
            for task in self.tasks
        ]

    def _unsupervised(self, output, target, batch) -> list[Tensor]:
        return [
            self.pseudo_losses[task](
                output.of(task),
                target.of(task),
                batch.labels[task].isnan().any(1),
                self._thresholds[task],
            )
            for task in self.tasks
        ]

    def _hide(self, inputs):
        """`inputs` with some modalities of some clips hidden, never all of a clip."""
        present = inputs.present
        drawn = torch.rand(present.shape, generator=self._generator)
        kept = present & (drawn.to(present.device) >= MODALITY_DROPOUT)
        kept = torch.where(kept.any(1, keepdim=True), kept, present)
        return inputs._replace(present=kept)
