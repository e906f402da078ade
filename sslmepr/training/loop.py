"""Training loop of all stages: AdamW, warm-up and cosine decay, moving average.

Training either stops early on dev or has a fixed budget of epochs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from sslmepr.training.pseudo_labels import WeightAverage

AVERAGE_DECAY = 0.98
"""Decay per step of the moving average of the weights. The averaged model is scored on
dev, is kept as the result, and is the teacher of the pseudo-labels. By convention, not
tuned: the average is over about the last 50 steps, 1 / (1 - 0.98)."""

GRADIENT_CLIP = 1.0
"""Largest norm of the gradient (Pascanu et al. 2013). By convention, not tuned."""

WARM_UP_SHARE = 0.05
"""Share of the steps over which the learning rate rises linearly before it falls as a
cosine (Loshchilov and Hutter 2017). By convention, not tuned."""


class TrainingError(RuntimeError):
    """Training diverged: the loss is not finite."""


@dataclass(frozen=True)
class Schedule:
    """Training schedule; fields but the last as in ``params.yaml``.

    Without patience, `epochs` is a fixed budget, after which training ends. The
    learning rate warms up and falls as a cosine or, with `plateau`, is halved whenever
    as many epochs have gone by without a better dev score.
    """

    epochs: int
    patience: int | None
    learning_rate: float
    weight_decay: float
    plateau: int | None = None

    @classmethod
    def from_section(cls, section) -> "Schedule":
        """Schedule of a training section of the parameters, such as ``unimodal``."""
        names = ("epochs", "patience", "learning_rate", "weight_decay")
        return cls(**{name: getattr(section, name) for name in names})


def fit(
    model: nn.Module,
    batches: Callable[[int], Iterable],
    steps_per_epoch: int,
    loss: Callable[[nn.Module, nn.Module, object], Tensor],
    score: Callable[[nn.Module], float],
    schedule: Schedule,
    title: str = "",
    progress: bool = True,
) -> pd.DataFrame:
    """Train `model` in place, and keep the moving average of its weights.

    With patience, training stops early and the weights of the best epoch are restored;
    with a fixed budget, those of the last epoch are kept, whatever dev says. The
    initial weights are scored too, as epoch 0, and kept if no epoch is better. The
    moving average of the weights is scored and kept, not the weights themselves: with a
    few hundred clips, scores of single epochs vary a lot, and selecting the best would
    overfit dev.

    Parameters
    ----------
    model : Module
        Only parameters that require gradients are trained.
    batches : callable
        Epoch number to that epoch's batches; may be lazy.
    steps_per_epoch : int
        Number of batches per epoch, for the learning rate schedule.
    loss : callable
        (model, averaged model, batch) to a scalar loss.
    score : callable
        Averaged model to its score on dev; higher is better. With NaN (no labelled dev
        clips), the weights of the last epoch are kept.
    schedule : Schedule
    title : str
        Shown beside the progress bar and in errors.
    progress : bool
        Show a progress bar over epochs.

    Returns
    -------
    DataFrame
        Columns epoch (from 0), train_loss (NaN at 0), dev_score.

    Raises
    ------
    TrainingError
        If the loss of an epoch is not finite.
    """
    run = Run(model, schedule, max(1, steps_per_epoch), loss)
    best, since = _copy(run.average.model), 0
    first = float(score(run.average.model))
    best_score = -np.inf if np.isnan(first) else first
    history = [(0, np.nan, first)]
    for epoch in tqdm(
        range(1, schedule.epochs + 1), desc=title, disable=not progress, leave=False
    ):
        mean_loss = run.epoch(batches(epoch))
        if not np.isfinite(mean_loss):
            raise TrainingError(f"{title}: the loss of epoch {epoch} is {mean_loss}")
        dev_score = float(score(run.average.model))
        history.append((epoch, mean_loss, dev_score))
        since += 1
        fixed = schedule.patience is None
        if fixed or np.isnan(dev_score) or dev_score > best_score:
            best_score = -np.inf if np.isnan(dev_score) else dev_score
            best, since = _copy(run.average.model), 0
        if schedule.patience is not None and since >= schedule.patience:
            break
        if schedule.plateau is not None and since and since % schedule.plateau == 0:
            run.factor /= 2
    model.load_state_dict(best)
    model.eval()
    return pd.DataFrame(history, columns=["epoch", "train_loss", "dev_score"])


class Run:
    """Model, averaged model and optimiser during training."""

    def __init__(self, model, schedule: Schedule, steps_per_epoch: int, loss):
        self.model, self.loss, self.schedule = model, loss, schedule
        self.trained = [each for each in model.parameters() if each.requires_grad]
        self.optimiser = torch.optim.AdamW(
            _decayed(self.trained, schedule.weight_decay),
            lr=schedule.learning_rate,
            fused=True,
        )
        self.average = WeightAverage(model, AVERAGE_DECAY)
        self.total = schedule.epochs * steps_per_epoch
        self.factor = 1.0  # on a plateau

    def epoch(self, batches) -> float:
        """Take a step for every batch and return the mean loss."""
        self.model.train()
        losses = [self.step(batch) for batch in batches]
        return float(torch.stack(losses).mean())

    def step(self, batch) -> Tensor:
        """Take one optimiser step and return the loss of the batch."""
        rate = self.factor * self.schedule.learning_rate
        if self.schedule.plateau is None:
            rate *= _rate(self.average.steps, self.total)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        value = self.loss(self.model, self.average.model, batch)
        value.backward()
        nn.utils.clip_grad_norm_(self.trained, GRADIENT_CLIP)
        self.optimiser.step()
        self.average.update()
        return value.detach()


def _rate(step: int, total: int) -> float:
    """Learning rate relative to its maximum."""
    warm = max(1, round(WARM_UP_SHARE * total))
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + np.cos(np.pi * (step - warm) / max(1, total - warm)))


def _decayed(parameters, weight_decay: float) -> list[dict]:
    """Parameter groups: weight decay for matrices, none for biases and norms."""
    matrices = [each for each in parameters if each.ndim > 1]
    vectors = [each for each in parameters if each.ndim <= 1]
    return [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]


def _copy(model: nn.Module) -> dict[str, Tensor]:
    return {name: value.clone() for name, value in model.state_dict().items()}
