"""A network on all features together: what learning without a design reaches."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from sslmepr.device import seed_everything
from sslmepr.labels import TARGETS, TASKS
from sslmepr.models.fusion import FusionInput
from sslmepr.params import Params
from sslmepr.training.batches import balanced
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.loop import Schedule, fit
from sslmepr.training.losses import LOSSES
from sslmepr.training.predictions import dev_score


class FeatureNetwork(nn.Module):
    """Two hidden layers on the features of all modalities, and a head for each task.

    Parameters
    ----------
    features : int
        Of all modalities together.
    modalities : int
        Whether a clip has them are further inputs.
    hidden : int
    dropout : float
    """

    def __init__(self, features: int, modalities: int, hidden: int, dropout: float):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(features + modalities, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
            nn.Linear(hidden, hidden),
            nn.ReLU(),
            nn.Dropout(dropout),
        )
        self.heads = nn.ModuleDict(
            {task: nn.Linear(hidden, len(TARGETS[task])) for task in TASKS}
        )

    def forward(self, inputs: FusionInput) -> dict[str, Tensor]:
        """Logits of emotions and scores of traits: task to (clip, target)."""
        shown = torch.cat([*inputs.features.values(), inputs.present.float()], -1)
        hidden = self.layers(shown)
        return {
            "emotion": self.heads["emotion"](hidden),
            "personality": self.heads["personality"](hidden).sigmoid(),
        }


def train_feature_network(
    params: Params, data: FusionClips, seed: int, rates: Sequence[float]
) -> dict[str, np.ndarray]:
    """Train with each learning rate, and predict with the best on dev.

    Parameters
    ----------
    params : Params
        Section ``fusion`` gives size and schedule except the learning rate.
    data : FusionClips
    seed : int
    rates : sequence of float

    Returns
    -------
    dict of str to (clip, target) array
        Task to probabilities of emotions or scores of traits, of all clips.
    """
    found = [_train(params, data, seed, rate) for rate in rates]
    _, predicted = max(found, key=lambda each: each[0])
    return predicted


def _train(params: Params, data: FusionClips, seed: int, rate: float):
    """Score on dev, and predictions."""
    seed_everything(params.seed + seed)
    section = params.fusion
    model = FeatureNetwork(
        sum(data.feature_counts.values()),
        len(data.feature_counts),
        section.hidden,
        section.dropout,
    ).to(data.device)
    groups = [data.rows(getattr(params.roles, task), "train") for task in TASKS]
    lengths = np.ones(len(data.clips.table))

    def rows(epoch):
        rng = np.random.default_rng([params.seed, seed, epoch])
        return balanced(groups, lengths, section.batch, rng)

    def score(model):
        scores = []
        for task in TASKS:
            dev = data.rows(getattr(params.roles, task), "dev")
            true = data.clips.labels[task][dev]
            scores.append(dev_score(task, true, _predict(model, data, dev)[task]))
        return float(np.mean(scores))

    history = fit(
        model,
        lambda epoch: map(data.batch, rows(epoch)),
        len(rows(0)),
        _loss,
        score,
        Schedule(section.epochs, None, rate, section.weight_decay),
        progress=False,
    )
    every = np.arange(len(data.clips.table))
    return history["dev_score"].iloc[-1], _predict(model, data, every)


def _loss(model, _, batch) -> Tensor:
    output = model(batch.inputs)
    return sum(LOSSES[task](output[task], batch.labels[task]) for task in TASKS)


@torch.no_grad()
def _predict(model, data: FusionClips, rows: np.ndarray) -> dict[str, np.ndarray]:
    model.eval()
    output = model(data.batch(rows).inputs)
    output["emotion"] = output["emotion"].sigmoid()
    return {task: each.float().cpu().numpy() for task, each in output.items()}
