import copy

import numpy as np
import pytest
import torch
from torch import nn

from sslmepr.training.pseudo_labels import (
    WeightAverage,
    emotion_pseudo_loss,
    trait_pseudo_loss,
)


def test_only_confident_emotions_of_unlabelled_clips_have_a_gradient():
    logits = torch.zeros(3, 2, requires_grad=True)
    teacher = torch.tensor([[3.0, 0.1], [-3.0, 3.0], [3.0, 3.0]])
    unlabelled = torch.tensor([True, True, False])
    emotion_pseudo_loss(logits, teacher, unlabelled, 0.6).backward()
    with_gradient = logits.grad != 0
    assert with_gradient.tolist() == [[True, False], [True, True], [False, False]]
    # Towards the teacher, and soft: p - q over the four entries of unlabelled clips.
    q = 1 / (1 + np.exp(-3.0))
    assert logits.grad[0, 0].item() == pytest.approx((0.5 - q) / 4)


def test_agreement_with_the_teacher_has_no_gradient():
    # A hard label would still push a confident student further out.
    logits = torch.tensor([[2.0, -2.0]], requires_grad=True)
    emotion_pseudo_loss(logits, logits.detach(), torch.tensor([True]), 0.6).backward()
    assert logits.grad.abs().max() < 1e-6


def test_traits_stay_scores_and_are_gated_by_their_margin():
    scores = torch.tensor([[0.5, 0.5, 0.9]], requires_grad=True)
    teacher = torch.tensor([[0.65, 0.55, 0.65]])
    loss = trait_pseudo_loss(scores, teacher, torch.tensor([True]), 0.1)
    assert loss.item() == pytest.approx((0.15 + 0.25) / 3)
    loss.backward()
    assert np.sign(scores.grad.numpy()).tolist() == [[-1, 0, 1]]


@pytest.mark.parametrize("pseudo_loss", [emotion_pseudo_loss, trait_pseudo_loss])
def test_no_gradient_reaches_the_teacher(pseudo_loss):
    student = torch.rand(4, 5, requires_grad=True)
    teacher = torch.rand(4, 5, requires_grad=True)
    pseudo_loss(student, teacher, torch.ones(4, dtype=torch.bool), 0.0).backward()
    assert teacher.grad is None and student.grad is not None


@pytest.mark.parametrize("pseudo_loss", [emotion_pseudo_loss, trait_pseudo_loss])
def test_a_fully_labelled_batch_gives_zero(pseudo_loss):
    student = torch.rand(4, 5, requires_grad=True)
    none = torch.zeros(4, dtype=torch.bool)
    assert pseudo_loss(student, torch.rand(4, 5), none, 0.0).item() == 0


def test_weight_average_by_hand():
    model = nn.Linear(1, 1, bias=False)
    model.weight.data.fill_(1.0)
    average = WeightAverage(model, 0.5)
    for value, expected in [(2.0, 1.9), (4.0, 1.9 * 2 / 11 + 4 * 9 / 11)]:
        model.weight.data.fill_(value)
        average.update()
        assert average.model.weight.item() == pytest.approx(expected)
    for _ in range(30):
        average.update()
    before = average.model.weight.item()
    model.weight.data.fill_(0.0)
    average.update()
    assert average.model.weight.item() == pytest.approx(before / 2)


def test_weight_average_is_evaluating_and_leaves_frozen_weights():
    model = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.Linear(2, 2))
    model[0].requires_grad_(False)
    average = WeightAverage(model, 0.9)
    before = copy.deepcopy(average.model[0].weight)
    model[0].weight.data.add_(1)
    average.update()
    assert torch.equal(average.model[0].weight, before)
    assert not any(module.training for module in average.model.modules())
    assert not any(each.requires_grad for each in average.model.parameters())
