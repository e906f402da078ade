"""GradNorm: loss weights balanced by gradient norms (Chen et al. 2018).

Modified as in SSL-MEPR: supervised and semi-supervised losses are two groups with
separate budgets, weights have a floor, and they move by a fixed step. In addition,
gradients are taken on the shared trunk only, and training rates are computed from
averaged losses. Rates relative to the first batch depend on how easy that batch is.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

EMA_DECAY = 0.9
"""Weight of the previous value in the exponential moving average of the losses. By
convention, not tuned; the published method has no average."""

INITIAL_STEPS = 10
"""Number of steps whose mean loss counts as the initial loss. By convention, not tuned;
in the published method it is the first step alone."""


class LossGroup:
    """Weights of one group of losses, which always sum to the group's budget.

    Parameters
    ----------
    size : int
        Number of losses.
    alpha : float
        GradNorm's asymmetry: how strongly training rates are equalised.
    step : float
        Step size of the weights, per unit of gradient norm relative to the group mean.
    budget : float
        Sum of the weights.
    floor : float
        Smallest weight, before rescaling to the budget.
    memory : float
        Decay of the moving average of the losses; 0 uses the current losses.
    initial_steps : int
        Number of steps whose mean loss counts as the initial loss.
    """

    def __init__(
        self,
        size: int,
        alpha: float,
        step: float,
        budget: float,
        floor: float,
        memory: float = EMA_DECAY,
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
        # A loss without a gradient (no confident pseudo-label yet) has no rate.
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


class LinearCall(NamedTuple):
    """One call of a linear layer: (..., in) to (..., out)."""

    layer: nn.Linear
    given: Tensor
    result: Tensor


@contextmanager
def linear_calls(
    model: nn.Module, shared: Sequence[Tensor]
) -> Iterator[list[LinearCall]]:
    """Record calls of a model's linear layers whose parameters are all shared.

    Only calls that make `LossGradients` faster are recorded.

    Parameters
    ----------
    model : Module
    shared : sequence of Tensor

    Yields
    ------
    list of LinearCall
        Filled while the context is open.
    """
    calls, wanted = [], {id(each) for each in shared}

    def note(layer, given, result):
        out, into = layer.weight.shape
        if given[0].numel() // into * (out + into) < out * into:
            calls.append(LinearCall(layer, given[0].detach(), result))

    hooks = [
        layer.register_forward_hook(note)
        for layer in (model.modules() if wanted else ())
        if isinstance(layer, nn.Linear)
        and all(id(each) in wanted for each in layer.parameters())
    ]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


class LossGradients:
    """Gradients of several losses on shared tensors, from one batched backward pass.

    The graph is retained for a further backward pass.

    Parameters
    ----------
    losses : (loss,) Tensor
    shared : sequence of Tensor
    calls : sequence of LinearCall
        All calls of some linear layers whose parameters are among `shared`. With inputs
        X and output gradients D, the weight gradient is D' X, and its squared norm is
        the sum of (D D') * (X X'). With few rows this is cheaper than computing the
        gradient of every loss (Goodfellow 2015).
    """

    def __init__(
        self,
        losses: Tensor,
        shared: Sequence[Tensor],
        calls: Sequence[LinearCall] = (),
    ):
        counts = Counter(call.layer for call in calls)
        # Gradients of several calls would have to be added first.
        calls = [call for call in calls if counts[call.layer] == 1]
        covered = {id(each) for call in calls for each in call.layer.parameters()}
        others = [each for each in shared if id(each) not in covered]
        found = torch.autograd.grad(
            losses,
            [*(call.result for call in calls), *others],
            torch.eye(len(losses), device=losses.device),
            is_grads_batched=True,
            retain_graph=True,
            allow_unused=True,
        )
        self._shared, self._count = shared, len(losses)
        self._calls = [
            (call.layer, call.given.flatten(0, -2), gradient.flatten(1, -2))
            for call, gradient in zip(calls, found, strict=False)
            if gradient is not None
        ]  # (row, in) and (loss, row, out)
        self._others = {
            id(tensor): gradient
            for tensor, gradient in zip(others, found[len(calls) :], strict=True)
            if gradient is not None
        }

    def norms(self) -> Tensor:
        """Gradient norm of each loss over all shared tensors: (loss,).

        A loss that does not depend on them has norm zero.
        """
        squares = torch.zeros(self._count, device=self._device())
        for layer, given, gradient in self._calls:
            products = (gradient @ gradient.mT) * (given @ given.T)
            squares += products.sum((1, 2))
            if layer.bias is not None:
                squares += gradient.sum(1).square().sum(1)
        for gradient in self._others.values():
            whole = gradient.reshape(self._count, -1)
            squares += torch.linalg.vector_norm(whole, dim=1).square()
        return squares.sqrt().cpu()

    def combined(self, weights: Tensor) -> list[Tensor | None]:
        """Gradient of the weighted sum of the losses on each shared tensor.

        Parameters
        ----------
        weights : (loss,) Tensor

        Returns
        -------
        list of Tensor or None
            None for a tensor on which no loss depends.
        """
        found = {
            name: torch.tensordot(weights, gradient, 1)
            for name, gradient in self._others.items()
        }
        for layer, given, gradient in self._calls:
            gradient = torch.tensordot(weights, gradient, 1)
            found[id(layer.weight)] = gradient.T @ given
            if layer.bias is not None:
                found[id(layer.bias)] = gradient.sum(0)
        return [found.get(id(tensor)) for tensor in self._shared]

    def _device(self):
        return self._shared[0].device


class WithGradients(torch.autograd.Function):
    """Attach precomputed gradients on some tensors to a value."""

    @staticmethod
    def forward(ctx, value, gradients, *tensors):
        """Return a copy of `value`; `gradients` belong to `tensors`."""
        ctx.gradients = gradients
        return value.detach().clone()

    @staticmethod
    def backward(ctx, factor):
        """Scale the precomputed gradients by the incoming one."""
        known = (each if each is None else factor * each for each in ctx.gradients)
        return None, None, *known
