import numpy as np
import pytest
import torch

from sslmepr.statistics import metrics
from sslmepr.training.losses import concordance, emotion_loss, trait_loss

NAN = float("nan")


def test_emotion_loss_by_hand_ignores_what_is_not_annotated():
    logits = torch.tensor([[0.0, 2.0], [1.0, -1.0], [50.0, 50.0]])
    intensity = torch.tensor([[0.3, 0.0], [0.0, 1.0], [NAN, NAN]])
    p = 1 / (1 + np.exp(-logits[:2].numpy()))
    present = np.array([[1, 0], [0, 1]])
    expected = -np.mean(present * np.log(p) + (1 - present) * np.log(1 - p))
    assert emotion_loss(logits, intensity).item() == pytest.approx(expected, rel=1e-5)


def test_one_emotion_per_clip_makes_argmax_work():
    logits = torch.zeros(3, 7, requires_grad=True)
    intensity = torch.eye(7)[[1, 4, 0]]
    emotion_loss(logits, intensity).backward()
    assert (-logits.grad).argmax(1).tolist() == [1, 4, 0]


def test_trait_loss_by_hand():
    scores = torch.tensor([[0.2, 0.5], [0.6, 0.4], [0.9, 0.9]])
    true = torch.tensor([[0.3, 0.5], [0.4, 0.8], [NAN, NAN]])
    assert trait_loss(scores, true, share=0).item() == pytest.approx(0.7 / 4)
    y, p = true[:2].numpy(), scores[:2].numpy()
    ccc = metrics.concordance(y, p)
    expected = 0.7 / 4 + 0.5 * y.std(0).mean() * np.mean(1 - ccc)
    assert trait_loss(scores, true, share=0.5).item() == pytest.approx(
        expected, rel=1e-5
    )


def test_concordance_equals_the_metric():
    rng = np.random.default_rng(0)
    p, y = rng.random((30, 5)), rng.random((30, 5))
    found = concordance(torch.tensor(p), torch.tensor(y))
    assert found.numpy() == pytest.approx(metrics.concordance(y, p))


@pytest.mark.parametrize(("loss", "targets"), [(emotion_loss, 7), (trait_loss, 5)])
def test_unlabelled_batch_costs_nothing(loss, targets):
    output = torch.full((4, targets), 0.3, requires_grad=True)
    value = loss(output, torch.full((4, targets), NAN))
    value.backward()
    assert value.item() == 0 and not output.grad.any()
