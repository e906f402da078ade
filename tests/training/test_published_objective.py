"""The published losses, by hand, and how they are put together."""

import numpy as np
import pytest
import torch
from toy_fusion import Toy, toy_batch

from sslmepr.params.training import Variant
from sslmepr.training.fusion_objective import FusionObjective
from sslmepr.training.published_objective import (
    PublishedObjective,
    hard_emotion_loss,
    hard_trait_loss,
    strongest_emotion_loss,
)

NAN = float("nan")


def test_the_strongest_emotion_is_the_class():
    logits = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0], [9.0, 9.0, 9.0]])
    intensity = torch.tensor([[0.2, 0.6, 0.0], [0.0, 0.0, 0.1], [NAN, NAN, NAN]])
    p = np.exp(logits.numpy()) / np.exp(logits.numpy()).sum(1, keepdims=True)
    expected = -(np.log(p[0, 1]) + np.log(p[1, 2])) / 2
    found = strongest_emotion_loss(logits, intensity).item()
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_confident_emotion_is_its_own_pseudo_label():
    logits = torch.tensor([[2.0, 0.0], [0.3, 0.0], [5.0, 0.0]], requires_grad=True)
    unlabelled = torch.tensor([True, True, False])
    loss = hard_emotion_loss(logits, logits, unlabelled, 0.6)
    p = 1 / (1 + np.exp(-2.0))  # .88; the second is at .57
    assert loss.item() == pytest.approx(-np.log(p), rel=1e-5)
    loss.backward()
    assert logits.grad[0].tolist() == pytest.approx([p - 1, 1 - p], abs=1e-5)
    assert not logits.grad[1:].any()


def test_traits_far_from_the_middle_are_pushed_to_the_ends():
    scores = torch.tensor([[0.7, 0.55, 0.3], [0.9, 0.1, 0.5]], requires_grad=True)
    loss = hard_trait_loss(scores, scores, torch.tensor([True, False]), 0.1)
    assert loss.item() == pytest.approx(-np.log(0.7), rel=1e-5)  # twice the same
    loss.backward()
    assert scores.grad[0, 0] < 0 < scores.grad[0, 2]
    assert scores.grad[0, 1] == 0 and not scores.grad[1].any()


def test_no_confident_clip_gives_zero():
    logits = torch.zeros(2, 3, requires_grad=True)
    everyone = torch.ones(2, dtype=torch.bool)
    assert hard_emotion_loss(logits, logits, everyone, 0.6).item() == 0
    scores = torch.full((2, 5), 0.5)
    assert hard_trait_loss(scores, scores, everyone, 0.1).item() == 0


def test_the_first_step_counts_all_losses_by_their_budgets(small_params):
    section = small_params.fusion
    objective = PublishedObjective(section, Variant(as_published=True), 0)
    model, batch = Toy(), toy_batch()
    output = model(batch.inputs)
    known = torch.arange(6) < 3
    supervised = [
        strongest_emotion_loss(output.emotion_logits, batch.labels["emotion"]),
        (output.trait_scores[3:] - batch.labels["personality"][3:]).abs().mean(),
    ]
    pseudo = [
        hard_emotion_loss(output.emotion_logits, output.emotion_logits, ~known, 0.6),
        hard_trait_loss(output.trait_scores, output.trait_scores, known, 0.1),
    ]
    found = objective(model, None, batch)
    # GradNorm has moved the weights once: all losses are at their initial value.
    parts = zip(("supervised", "semi_supervised"), (supervised, pseudo), strict=True)
    expected = 0
    for name, losses in parts:
        weights = objective.groups[name].weights
        assert weights.sum().item() == pytest.approx(
            getattr(section.gradnorm, name).budget
        )
        expected += weights @ torch.stack(losses)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)
    moved = objective.groups["supervised"].weights
    assert abs(moved[0] - moved[1]) > 0


def test_gradients_of_the_loss_are_those_of_the_weighted_sum(small_params):
    objective = PublishedObjective(small_params.fusion, Variant(as_published=True), 0)
    model, batch = Toy(), toy_batch()
    objective(model, None, batch).backward()
    output = model(batch.inputs)
    losses = objective._supervised(output, batch)
    losses += objective._unsupervised(output, output, batch)
    weights = torch.cat([group.weights for group in objective.groups.values()])
    expected = torch.autograd.grad(torch.stack(losses) @ weights, model.parameters())
    for parameter, gradient in zip(model.parameters(), expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-4, atol=1e-6)


def test_gradients_are_compared_on_all_parameters(small_params):
    model, variant = Toy(), Variant(as_published=True)
    published = PublishedObjective(small_params.fusion, variant, 0)
    assert len(published._compared(model)) == 6
    ours = FusionObjective(small_params.fusion, Variant(), 0)
    assert ours._compared(model) == [model.trunk.weight]
