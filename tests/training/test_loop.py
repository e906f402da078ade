import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from sslmepr.training import loop
from sslmepr.training.loop import Schedule, TrainingError, fit

X = torch.linspace(-1, 1, 32)[:, None]


def regress(scores=None, epochs=30, patience=30, batches=None, seed=0, schedule=None):
    torch.manual_seed(seed)
    model = nn.Linear(1, 1)
    scores = iter(scores) if scores is not None else None
    seen = []

    def loss(model, _, batch):
        return (model(batch) - 2 * batch).square().mean()

    def score(average):
        seen.append(average.weight.item())
        if scores is not None:
            return next(scores)
        return -float((average(X) - 2 * X).square().mean().detach())

    history = fit(
        model,
        batches or (lambda epoch: iter([X] * 10)),
        10,
        loss,
        score,
        Schedule(epochs, patience, 0.1, 0.0, **schedule or {}),
        "toy",
        progress=False,
    )
    return model, history, seen


def test_it_learns_and_says_how():
    model, history, _ = regress()
    assert model.weight.item() == pytest.approx(2, abs=0.05)
    assert list(history.columns) == ["epoch", "train_loss", "dev_score"]
    assert history["epoch"].tolist() == list(range(31))
    assert history["train_loss"].isna().tolist() == [True] + [False] * 30
    assert history["train_loss"].iloc[-1] < 0.01 * history["train_loss"].iloc[1]


def test_best_weights_are_restored():
    scores = [0.0, 1.0, 5.0, 2.0, 3.0]
    model, history, seen = regress(scores, epochs=4)
    assert history["dev_score"].tolist() == scores
    assert model.weight.item() == seen[2] != seen[4]
    assert not model.training


def test_a_model_that_never_improves_keeps_the_weights_it_came_with():
    torch.manual_seed(0)
    before = nn.Linear(1, 1)
    model, history, seen = regress([3, 1, 3, 2, 9], epochs=9, patience=3)
    assert history["epoch"].tolist() == [0, 1, 2, 3]
    assert seen[0] == before.weight.item() != seen[3]
    assert torch.equal(model.weight, before.weight)
    assert torch.equal(model.bias, before.bias) and not model.training


def test_a_fixed_budget_keeps_the_last_epoch_whatever_dev_says():
    model, history, seen = regress([9, 1, 8, 2, 0], epochs=4, patience=None)
    assert history["epoch"].tolist() == [0, 1, 2, 3, 4]
    assert model.weight.item() == seen[-1] != seen[0] and not model.training


def test_scores_that_begin_undefined():
    model, history, seen = regress([np.nan, 1, 0, 0], epochs=3)
    assert model.weight.item() == seen[1]
    assert history["dev_score"].isna().tolist() == [True, False, False, False]


def test_it_stops_when_patience_is_spent():
    _, history, _ = regress([0, 1, 2, 2, 1, 1, 9], epochs=6, patience=3)
    assert history["epoch"].tolist() == [0, 1, 2, 3, 4, 5]


def test_nothing_to_score_keeps_the_last_epoch():
    model, _, seen = regress([np.nan] * 6, epochs=5)
    assert model.weight.item() == seen[-1] != seen[0]


def test_batches_are_made_one_at_a_time():
    """Every batch is learned from before the next is made; none is made to count."""
    made, used = [], []

    def batches(epoch):
        for _ in range(10):
            assert len(made) == len(used)
            made.append(epoch)
            yield X

    def loss(model, _, batch):
        used.append(None)
        return (model(batch) - 2 * batch).square().mean()

    schedule = Schedule(3, 3, 0.1, 0.0)
    fit(nn.Linear(1, 1), batches, 10, loss, lambda _: 0.0, schedule, progress=False)
    assert made == [1] * 10 + [2] * 10 + [3] * 10 and len(used) == 30


def test_same_seed_same_result():
    first, second = regress(epochs=4), regress(epochs=4)
    assert first[0].weight.item() == second[0].weight.item()
    pd.testing.assert_frame_equal(first[1], second[1])


def test_frozen_weights_stay():
    model = nn.Sequential(nn.Linear(1, 1), nn.Linear(1, 1))
    model[0].requires_grad_(False)
    before = model[0].weight.clone()
    fit(
        model,
        lambda epoch: [X],
        1,
        lambda model, _, batch: model(batch).square().mean(),
        lambda model: 0.0,
        Schedule(2, 2, 0.1, 0.5),
        progress=False,
    )
    assert torch.equal(model[0].weight, before)


def test_a_loss_that_is_not_finite_is_an_error():
    with pytest.raises(TrainingError, match="toy: the loss of epoch 1 is nan"):
        regress(batches=lambda epoch: [X * float("nan")])


def test_on_a_plateau_the_learning_rate_is_halved(monkeypatch):
    rates = []

    def epoch(self, batches):
        mean = taken(self, batches)
        rates.append(self.optimiser.param_groups[0]["lr"])
        return mean

    taken = loop.Run.epoch
    monkeypatch.setattr(loop.Run, "epoch", epoch)
    scores = [0, 1, 1, 0, 1, 2, 1, 1, 1, 1]
    regress(scores, epochs=9, schedule={"plateau": 2})
    assert rates == pytest.approx(0.1 * np.array([4, 4, 4, 2, 2, 2, 2, 1, 1]) / 4)
