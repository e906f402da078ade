"""How the losses of the fusion model are put together, by hand."""

import numpy as np
import pytest
import torch
from toy_fusion import Toy, toy_batch

from sslmepr.params.training import Variant
from sslmepr.training.fusion_objective import MODALITY_DROPOUT, FusionObjective
from sslmepr.training.losses import emotion_loss, trait_loss


@pytest.fixture
def section(small_params):
    return small_params.fusion


@pytest.fixture
def model():
    torch.manual_seed(0)
    return Toy()


@pytest.fixture
def teacher():
    torch.manual_seed(5)
    return Toy()


def supervised(model, batch):
    output = model(batch.inputs)
    return (
        emotion_loss(output.emotion_logits, batch.labels["emotion"]),
        trait_loss(output.trait_scores, batch.labels["personality"]),
    )


def test_both_tasks_share_the_budget_equally(section, model):
    batch = toy_batch()
    emotion, trait = supervised(model, batch)
    found = FusionObjective(section, Variant(), 0)(model, None, batch)
    half = section.gradnorm.supervised.budget / 2
    assert found.item() == pytest.approx(half * (emotion + trait).item(), rel=1e-6)


@pytest.mark.parametrize("place", [0, 1])
def test_a_single_task_has_the_weight_that_it_has_beside_another(section, model, place):
    task, batch = ("emotion", "personality")[place], toy_batch()
    found = FusionObjective(section, Variant(tasks=[task]), 0)(model, None, batch)
    half = section.gradnorm.supervised.budget / 2
    expected = half * supervised(model, batch)[place]
    assert found.item() == pytest.approx(expected.item(), rel=1e-6)


def test_pseudo_labels_are_the_teachers_of_clips_without_a_label(
    section, model, teacher
):
    batch, variant = toy_batch(), Variant(adding=["semi_supervised"])
    semi = section.semi_supervised
    with torch.no_grad():
        own, its = model(batch.inputs), teacher(batch.inputs)
    # Emotions of the last three clips, traits of the first three.
    p = 1 / (1 + np.exp(-its.emotion_logits[3:].double().numpy()))
    q = 1 / (1 + np.exp(-own.emotion_logits[3:].double().numpy()))
    losses = -(p * np.log(q) + (1 - p) * np.log(1 - q))
    sure = np.maximum(p, 1 - p) >= semi.emotion_threshold
    pseudo = [np.where(sure, losses, 0).mean()]
    scores = its.trait_scores[:3].numpy()
    far = np.abs(scores - 0.5) >= semi.trait_margin
    differences = np.abs(own.trait_scores[:3].numpy() - scores)
    pseudo.append(np.where(far, differences, 0).mean())
    assert 0 < sure.sum() < sure.size and 0 < far.sum() < far.size
    half = section.gradnorm.supervised.budget / 2
    expected = half * (sum(supervised(model, batch)).item() + semi.weight * sum(pseudo))
    found = FusionObjective(section, variant, 0)(model, teacher, batch)
    assert found.item() == pytest.approx(expected, rel=1e-5)


def test_gradnorm_gives_each_group_its_budget(section, model, teacher):
    variant = Variant(adding=["semi_supervised", "gradnorm"])
    objective = FusionObjective(section, variant, 0)
    found = objective(model, teacher, toy_batch())
    budgets = (
        section.gradnorm.supervised.budget,
        section.gradnorm.semi_supervised.budget,
    )
    # In the first steps the initial losses are averaged and no weight moves.
    for group, budget in zip(objective.groups.values(), budgets, strict=True):
        assert group.weights.tolist() == pytest.approx([budget / 2] * 2)
    # Pseudo-label losses have another budget than without GradNorm.
    without = FusionObjective(section, Variant(adding=["semi_supervised"]), 0)
    known = sum(supervised(model, toy_batch())).item() * budgets[0] / 2
    ratio = budgets[1] / (section.semi_supervised.weight * budgets[0])
    fixed = without(model, teacher, toy_batch()).item() - known
    assert found.item() - known == pytest.approx(ratio * fixed, rel=1e-4)


def test_the_student_lacks_modalities_and_the_teacher_none(section, model, teacher):
    batch, variant = toy_batch(400), Variant(adding=["semi_supervised"])
    present = batch.inputs.present
    FusionObjective(section, variant, seed=3)(model, teacher, batch)
    assert torch.equal(teacher.present, present)
    draw = torch.rand(400, 2, generator=torch.Generator().manual_seed(3))
    kept = present & (draw >= MODALITY_DROPOUT)
    lost = ~kept.any(1)
    assert lost.any() and torch.equal(model.present[lost], present[lost])
    assert torch.equal(model.present[~lost], kept[~lost])
