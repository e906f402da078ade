"""Simulated sequences whose label depends on the order of steps alone.

Every sequence has two marks, and the label is whether the first kind precedes the
second. Each sequence is used forwards and backwards with opposite labels, so a model
that ignores order predicts both alike and has an area under the curve of 0.5.
"""

from dataclasses import dataclass

import numpy as np
import torch

from sslmepr.device import choose_device, seed_everything
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel, set_linear
from sslmepr.params import Params
from sslmepr.statistics.metrics import area_under_curve
from sslmepr.training.batches import chunks
from sslmepr.training.loop import Schedule, fit
from sslmepr.training.losses import emotion_loss

MARKS = 2
"""Kinds of mark; each has a feature that is 0 except at the step of its mark."""

FEATURES = 8
"""Total number of features; those without marks are standard normal noise."""

HEIGHT = 2.0
"""Value of a mark's feature at its step."""

TRAINING_SHARE = 0.7
"""Share of the sequences in the training split; the others are the dev split."""


@dataclass(frozen=True)
class Ordered:
    """Drawn sequences, all of one length.

    Attributes
    ----------
    values : (sequence, step, feature) float32 array
        The second half are the sequences of the first half reversed in time.
    before : (sequence,) bool array
        Whether the mark of feature 0 comes before the mark of feature 1.
    train : (sequence,) bool array
        Training split, otherwise dev; a sequence and its reverse are in the same split.
    """

    values: np.ndarray
    before: np.ndarray
    train: np.ndarray


def draw_order(sequences: int, steps: int, seed: int) -> Ordered:
    """Draw sequences and their reverses.

    Parameters
    ----------
    sequences : int
        Total number, even and at least 4.
    steps : int
        Length of each sequence, at least 2.
    seed : int

    Returns
    -------
    Ordered

    Raises
    ------
    ValueError
        If `sequences` or `steps` is outside these limits.
    """
    if sequences % 2 or sequences < 4:
        raise ValueError(f"sequences={sequences}: an even number from 4 on is needed")
    if steps < MARKS:
        raise ValueError(f"steps={steps}: two marks need two steps")
    rng, drawn = np.random.default_rng(seed), sequences // 2
    values = rng.standard_normal((drawn, steps, FEATURES)).astype(np.float32)
    places = rng.random((drawn, steps)).argsort(1)[:, :MARKS]
    values[:, :, :MARKS] = 0
    for mark in range(MARKS):
        values[np.arange(drawn), places[:, mark], mark] = HEIGHT
    before = places[:, 0] < places[:, 1]
    train = np.arange(drawn) < min(round(TRAINING_SHARE * drawn), drawn - 1)
    return Ordered(
        np.concatenate([values, values[:, ::-1]]),
        np.concatenate([before, ~before]),
        np.tile(train, 2),
    )


def train_order(
    params: Params, block: str, drawn: Ordered, seed: int
) -> tuple[UnimodalModel, np.ndarray]:
    """Train a stage-1 network on drawn sequences.

    Parameters
    ----------
    params : Params
        Section ``unimodal`` gives the model and schedule.
    block : str
        Kind of sequence block.
    drawn : Ordered
    seed : int
        Seed of initial weights, dropout and batches.

    Returns
    -------
    model : UnimodalModel
    scores : (epoch,) array
        Area under the curve on dev, before training and after every epoch.
    """
    seed_everything(seed)
    section = params.unimodal
    device = choose_device(params.compute.device)
    sizes = section.model_dump(
        include={"hidden", "layers", "state", "heads", "dropout"}
    )
    # Binary labels, as of an emotion.
    config = UnimodalConfig("emotion", FEATURES, block=block, targets=1, **sizes)
    model = UnimodalModel(config)
    # The probe on mean-pooled features is 0: a sequence and its reverse have the same
    # mean and opposite labels.
    set_linear(model.probe, torch.zeros(1, FEATURES), torch.zeros(1))
    model.to(device)
    values = torch.from_numpy(drawn.values).to(device)
    mask = torch.ones(values.shape[:2], dtype=torch.bool, device=device)
    labels = torch.from_numpy(drawn.before[:, None]).float().to(device)
    train, dev = np.flatnonzero(drawn.train), np.flatnonzero(~drawn.train)

    def batches(epoch):
        rng = np.random.default_rng([seed, epoch])
        return chunks(rng.permutation(train), section.batch)

    def loss(model, _, rows):
        return emotion_loss(model(values[rows], mask[rows]).logits, labels[rows])

    @torch.no_grad()
    def score(model):
        model.eval()
        logits = model(values[dev], mask[dev]).logits.cpu().numpy()
        return float(area_under_curve(drawn.before[dev, None], logits)[0])

    steps, schedule = len(batches(0)), Schedule.from_section(section)
    history = fit(model, batches, steps, loss, score, schedule, "order", False)
    return model, history["dev_score"].to_numpy()
