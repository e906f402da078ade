"""A task that only the order of steps can tell, drawn as sequences.

Every sequence holds two marks, and the question is whether the first kind comes before
the second. Each is drawn once and given forwards and backwards, with opposite answers:
what is indifferent to order says the same of both, and is right about one of them.
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
"""Features that are 0 but where a mark of their kind is."""

FEATURES = 8
"""Those of the marks, and others that are noise of unit deviation."""

HEIGHT = 2.0
"""Of a mark."""

TRAINING_SHARE = 0.7
"""Of the sequences; the others are the dev split."""


@dataclass(frozen=True)
class Ordered:
    """Drawn sequences, all of one length.

    Attributes
    ----------
    values : (sequence, step, feature) float32 array
        Those of the second half are those of the first, backwards.
    before : (sequence,) bool array
        Whether the mark of feature 0 comes before the mark of feature 1.
    train : (sequence,) bool array
        The others are for dev; a sequence and its reverse are in the same split.
    """

    values: np.ndarray
    before: np.ndarray
    train: np.ndarray


def draw_order(sequences: int, steps: int, seed: int) -> Ordered:
    """Draw `sequences` sequences, an even number, of `steps` steps.

    Raises
    ------
    ValueError
        If their number is odd or there are not enough of them for two splits, or if
        two marks do not fit.
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
    """Train the model of stage 1 on drawn sequences.

    Parameters
    ----------
    params : Params
        Its section ``unimodal`` says how to train.
    block : str
    drawn : Ordered
    seed : int
        Of initial weights, dropout and batches.

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
    # Labels are of the kind that emotions have: present or not.
    config = UnimodalConfig("emotion", FEATURES, block=block, targets=1, **sizes)
    model = UnimodalModel(config)
    # The regression on means over steps has no weights: for each of them, what one
    # sequence asks for, its reverse takes back.
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
