"""Weights of several losses, balanced by their gradients (Chen et al. 2018).

Modified as in SSL-MEPR: supervised and semi-supervised losses are two groups with
budgets of their own, weights have a floor, and they move by a fixed step. Ours takes
gradients on the shared trunk only, and rates from running losses instead of the first
batch, which decides everything when it happens to be an easy one.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

MEMORY = 0.9
INITIAL_STEPS = 10


class LossGroup:
    """The weights of one group of losses; they always sum to its budget.

    Parameters
    ----------
    size : int
        Number of losses.
    alpha : float
        Strength of the pull towards equal training rates.
    step : float
        Step of the weights, for a gradient of the group's mean norm.
    budget : float
        Sum of the weights.
    floor : float
        Smallest weight before the sum is restored.
    memory : float
        Weight of the past in the running losses; 0 takes them as they come.
    initial_steps : int
        Steps whose mean loss counts as the initial loss.
    """

    def __init__(
        self,
        size: int,
        alpha: float,
        step: float,
        budget: float,
        floor: float,
        memory: float = MEMORY,
        initial_steps: int = INITIAL_STEPS,
    ):
        self.alpha, self.step, self.budget, self.floor = alpha, step, budget, floor
        self.memory, self.initial_steps = memory, initial_steps
        self.weights = torch.full((size,), budget / size)
        self._initial, self._running = torch.zeros(size), torch.zeros(size)
        self._seen = 0

    @torch.no_grad()
    def update(self, losses: Tensor, norms: Tensor) -> None:
        """Move the weights so that gradient norms follow the training rates.

        Minimises sum_i |w_i n_i - mean(w n) r_i^alpha| by one step (equation 2 of
        the paper), r_i being the loss relative to its initial value and to the mean of
        the group, with the target held constant.

        Parameters
        ----------
        losses : (loss,) Tensor
        norms : (loss,) Tensor
            Gradient norm of each loss, unweighted, on the shared trunk.
        """
        losses, norms = losses.detach().cpu(), norms.detach().cpu()
        self._remember(losses)
        # A loss without a gradient yet (no confident pseudo-label) has no rate.
        if self._seen < self.initial_steps or not bool((norms > 0).all()):
            return
        ratios = self._running / self._initial.clamp(min=1e-12)
        rates = ratios / ratios.mean().clamp(min=1e-12)
        weighted = self.weights * norms
        target = weighted.mean() * rates**self.alpha
        gradient = torch.sign(weighted - target) * norms / norms.mean()
        weights = (self.weights - self.step * gradient).clamp(min=self.floor)
        self.weights = weights * (self.budget / weights.sum())

    def _remember(self, losses: Tensor) -> None:
        if self._seen < self.initial_steps:
            self._initial += losses / self.initial_steps
        if self._seen:
            losses = torch.lerp(losses, self._running, self.memory)
        self._running = losses
        self._seen += 1


def gradient_norms(losses: Sequence[Tensor], shared: Sequence[Tensor]) -> Tensor:
    """Gradient norm of each loss on the shared tensors: (loss,).

    The graph is kept for the backward pass that follows. A loss that does not depend on
    the shared tensors has norm zero.
    """
    norms = []
    for loss in losses:
        gradients = (
            torch.autograd.grad(loss, shared, retain_graph=True, allow_unused=True)
            if loss.requires_grad
            else []
        )
        known = [gradient for gradient in gradients if gradient is not None]
        total = sum((gradient.square().sum() for gradient in known), torch.zeros(()))
        norms.append(total.sqrt().cpu())
    return torch.stack(norms)
