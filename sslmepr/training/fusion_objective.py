"""Training objective of the fusion model: weighted supervised and pseudo-label loss."""

from typing import ClassVar

import torch
from torch import Tensor

from sslmepr.params.training import Fusion, Variant
from sslmepr.training.gradnorm import LossGradients, LossGroup, linear_calls
from sslmepr.training.losses import LOSSES
from sslmepr.training.pseudo_labels import emotion_pseudo_loss, trait_pseudo_loss

MODALITY_DROPOUT = 0.2
"""Probability that a modality of a clip is hidden from the student in training. The
teacher of the pseudo-labels sees all modalities. The method is that of Neverova et al.
(2016, ModDrop); the value is a convention and was not tuned."""


class FusionObjective:
    """Objective of one training run of the fusion model.

    Parameters
    ----------
    section : Fusion
        ``params.fusion``.
    variant : Variant
        Without ``semi_supervised`` there are no pseudo-labels. Without ``gradnorm`` the
        supervised losses share their budget equally, and pseudo-label losses have
        ``semi_supervised.weight`` times the weight of supervised ones.
    seed : int
        Seed of the modality dropout.
    """

    running: ClassVar[dict] = {}
    """Arguments of `LossGroup` for averaged losses that differ from its defaults."""

    labelled_losses: ClassVar[dict] = LOSSES
    """Task to its supervised loss, a function of (output, labels)."""

    pseudo_losses: ClassVar[dict] = {
        "emotion": emotion_pseudo_loss,
        "personality": trait_pseudo_loss,
    }
    """Task to its pseudo-label loss, a function of (output, output that makes the
    pseudo-labels, whether a clip is unlabelled, threshold)."""

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
        # With a single task, a group has one loss and nothing to balance.
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
        """Weighted sum of the losses of a batch, after updating the loss weights.

        Parameters
        ----------
        model, teacher : FusionModel
        batch : FusionBatch

        Returns
        -------
        () Tensor
        """
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
        """Output from which pseudo-labels are made."""
        return teacher(batch.inputs)

    def _compared(self, model) -> list[torch.nn.Parameter]:
        """Parameters on which gradient norms of the losses are compared.

        With the whole trunk, every loss would need a backward pass through it.
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
        """Modality dropout; at least one modality of every clip is kept."""
        present = inputs.present
        drawn = torch.rand(present.shape, generator=self._generator)
        kept = present & (drawn.to(present.device) >= MODALITY_DROPOUT)
        kept = torch.where(kept.any(1, keepdim=True), kept, present)
        return inputs._replace(present=kept)
