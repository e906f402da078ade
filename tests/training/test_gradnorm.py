import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from sslmepr.training.gradnorm import (
    EMA_DECAY,
    INITIAL_STEPS,
    LossGradients,
    LossGroup,
    WithGradients,
    linear_calls,
)


def warmed(losses, **settings):
    group = LossGroup(len(losses), **settings)
    for _ in range(INITIAL_STEPS - 1):
        group.update(torch.tensor(losses), torch.ones(len(losses)))
    return group


def test_weights_rest_until_initial_losses_are_known():
    group = warmed([1.0, 2.0], alpha=1, step=0.1, budget=2.0, floor=0.001)
    assert group.weights.tolist() == [1, 1]


def test_one_step_by_hand():
    group = warmed([1.0, 4.0], alpha=1.0, step=0.1, budget=2.0, floor=0.001)
    group.update(torch.tensor([0.5, 4.0]), torch.tensor([1.0, 3.0]))
    initial = np.array([(9 * 1 + 0.5) / 10, 4.0])
    running = np.array([EMA_DECAY * 1 + (1 - EMA_DECAY) * 0.5, 4.0])
    rates = running / initial
    rates = rates / rates.mean()
    target = 2.0 * rates  # mean of weighted norms 1 and 3
    gradient = np.sign([1.0 - target[0], 3.0 - target[1]]) * [1.0, 3.0] / 2.0
    weights = 1 - 0.1 * gradient
    expected = weights * 2 / weights.sum()
    assert group.weights.numpy() == pytest.approx(expected, abs=1e-6)
    assert group.weights[0] > 1 > group.weights[1]


def test_a_loss_that_learns_slower_gains_weight_and_equal_ones_do_not():
    group = warmed([1.0, 1.0], alpha=1.5, step=0.01, budget=0.8, floor=0.001)
    for step in range(40):
        group.update(torch.tensor([1.0, 0.97**step]), torch.ones(2))
    assert group.weights[0] > 0.45 > group.weights[1]


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 3), st.floats(0, 2))
def test_budget_is_kept_and_weights_stay_positive(seed, budget, alpha):
    rng = np.random.default_rng(seed)
    group = LossGroup(3, alpha=alpha, step=0.5, budget=budget, floor=0.001)
    for _ in range(30):
        losses = torch.tensor(rng.random(3), dtype=torch.float32)
        norms = torch.tensor(rng.random(3) + 0.01, dtype=torch.float32)
        group.update(losses, norms)
        assert float(group.weights.sum()) == pytest.approx(budget, rel=1e-5)
        assert bool((group.weights > 0).all())


def test_a_loss_without_gradient_moves_nothing():
    group = warmed([1.0, 1.0], alpha=1, step=0.1, budget=2.0, floor=0.001)
    for _ in range(5):
        group.update(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0]))
    assert group.weights.tolist() == [1, 1]


def test_gradient_norms_of_a_toy():
    shared = nn.Parameter(torch.tensor([3.0, 4.0]))
    losses = [shared.square().sum(), (2 * shared).sum(), torch.zeros(())]
    norms = LossGradients(torch.stack(losses), [shared]).norms()
    assert norms.tolist() == pytest.approx([10.0, 8**0.5, 0.0])
    # The graph still serves the real backward pass.
    losses[0].backward()
    assert shared.grad.tolist() == [6.0, 8.0]


def norms_one_by_one(losses, shared):
    """Norms of whole gradients, in float64, a backward pass for every loss."""
    norms = []
    for loss in losses:
        found = torch.autograd.grad(loss, shared, retain_graph=True, allow_unused=True)
        squares = [each.double().square().sum() for each in found if each is not None]
        norms.append(float(sum(squares)) ** 0.5)
    return norms


class Branches(nn.Module):
    """Wide layers with and without bias, one of them called twice, one unused."""

    def __init__(self, width, hidden):
        super().__init__()
        self.first = nn.Linear(width, hidden)
        self.plain = nn.Linear(hidden, hidden, bias=False)
        self.twice = nn.Linear(hidden, hidden)
        self.unused = nn.Linear(width, hidden)
        self.scale = nn.Parameter(torch.tensor(2.0))

    def forward(self, given):
        inner = self.plain(self.first(given).tanh())
        return self.scale * self.twice(self.twice(inner).tanh())


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000), st.integers(1, 9), st.integers(2, 40), st.integers(2, 40))
def test_norms_without_gradients_of_weights(seed, clips, width, hidden):
    torch.manual_seed(seed)
    model, given_clips = Branches(width, hidden), torch.randn(clips, width)
    shared = list(model.parameters())
    with linear_calls(model, shared) as calls:
        out = model(given_clips)
    losses = torch.stack([out.square().mean(), out[0].sum(), 0 * out.sum()])
    gradients = LossGradients(losses, shared, calls)
    expected = norms_one_by_one(losses, shared)
    assert gradients.norms().tolist() == pytest.approx(expected, rel=1e-4, abs=1e-6)
    weights = torch.tensor([0.5, 2.0, 1.0])
    found = gradients.combined(weights)
    whole = torch.autograd.grad(losses @ weights, shared, allow_unused=True)
    for mine, its in zip(found, whole, strict=True):
        if its is None:
            assert mine is None
        else:
            torch.testing.assert_close(mine, its, rtol=1e-4, atol=1e-5)


def test_only_calls_that_are_wholly_shared_and_save_work_are_noted():
    model = Branches(50, 40)
    few, many = torch.randn(4, 50), torch.randn(500, 50)
    with linear_calls(model, list(model.parameters())) as calls:
        model(few)
    layers = [call.layer for call in calls]
    assert layers == [model.first, model.plain, model.twice, model.twice]
    with linear_calls(model, [model.first.weight, model.plain.weight]) as calls:
        model(few)
    assert [call.layer for call in calls] == [model.plain]
    with linear_calls(model, list(model.parameters())) as calls:
        model(many)
    assert not calls
    model(few)
    assert not calls  # nothing is noted afterwards


def test_a_value_with_known_gradients():
    known, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(3))
    gradients = [torch.tensor([1.0, -2.0]), None]
    value = WithGradients.apply(torch.tensor(7.0), gradients, known, unused)
    assert value.item() == 7
    (3 * value).backward()
    assert known.grad.tolist() == [3.0, -6.0]
    assert unused.grad is None


def test_losses_as_they_come_against_the_first_batch():
    group = LossGroup(
        2, alpha=1.0, step=0.1, budget=2.0, floor=0.001, memory=0.0, initial_steps=1
    )
    ones = torch.ones(2)
    group.update(torch.tensor([1.0, 2.0]), ones)  # both at their initial loss
    assert group.weights.tolist() == [1, 1]
    group.update(torch.tensor([0.5, 2.0]), ones)
    # Rates 2/3 and 4/3: the first should pull less, the second more.
    assert group.weights.tolist() == pytest.approx([0.9, 1.1])
