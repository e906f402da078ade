"""How much of what a network adds to late fusion is kept, chosen on dev.

A network that is trained for a fixed budget may have learned little that holds for
other people, a product of experts may weigh modalities by differences in quality that
there are none of, and a factor model needs many clips. Three numbers per task, which a
few hundred dev clips suffice for, say how much of each is kept: the share of the
network's correction, how far the product of experts takes the place of the plain sum,
and how far the factor model takes that of both. All are reported; at 0 each, late
fusion is left, openly.
"""

import itertools
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch

from sslmepr.models.fusion import FusionModel
from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.params import Params
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.losses import LOSSES
from sslmepr.training.unimodal import correction_share

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What may be chosen. By convention, not tuned."""


class Kept(NamedTuple):
    """How much is kept of what a fusion model adds to late fusion, for one task.

    Attributes
    ----------
    correction : float
        Share of the corrections of heads and guide banks, `FusionModel.shares`.
    weighing : float or None
        Share of the product of experts, `FusionModel.weighing`; None without it.
    factors : float or None
        Share of the factor model, `FusionModel.believing`; None without one.
    """

    correction: float
    weighing: float | None
    factors: float | None


@torch.no_grad()
def choose_shares(
    params: Params, data: FusionClips, model: FusionModel
) -> dict[str, Kept]:
    """Set how much of its additions to late fusion a model keeps, for each task.

    Parameters
    ----------
    params : Params
        ``roles`` names the corpus that is labelled for each task.
    data : FusionClips
    model : FusionModel
        Is put into evaluation mode; its `shares`, `weighing` and `believing` are set.
        Without predict projectors there is nothing to add to, and they stay 1.

    Returns
    -------
    dict of str to Kept
        By task, the shares with the smallest loss on its labelled dev clips: of equal
        ones those that believe the factor model less, of these those of the smaller
        weighing, and of these the smaller correction. 1 if there are none.
    """
    model.eval()
    for each in (model.shares, model.weighing, model.believing):
        each.fill_(1.0)
    if not len(model.predict_projectors) or "predict_projector" in model.config.without:
        return kept_shares(model)
    weighings = SHARES if model.experts is not None else SHARES[-1:]
    for place, task in enumerate(model.config.tasks):
        rows = _labelled_dev(params, data, task)
        if not len(rows):
            continue
        batch = data.batch(rows)
        losses: dict[tuple[float, ...], float] = {}
        believed = SHARES if model.factored(batch.inputs) else SHARES[-1:]
        for chosen in itertools.product(believed, weighings, SHARES):
            _set(model, place, *chosen)
            output = model(batch.inputs).of(task)
            losses[chosen] = float(LOSSES[task](output, batch.labels[task]))
        _set(model, place, *min(losses, key=losses.__getitem__))
    return kept_shares(model)


def _labelled_dev(params: Params, data: FusionClips, task: str) -> np.ndarray:
    rows = data.rows(getattr(params.roles, task), "dev")
    return rows[data.clips.labelled(task)[rows]]


def _set(model: FusionModel, place: int, *chosen: float) -> None:
    model.believing[place], model.weighing[place], model.shares[place] = chosen


@torch.no_grad()
def choose_believing(params: Params, data: FusionClips, model: FusionModel) -> None:
    """Set how far a factor model takes the place of the rest, before it is trained.

    A network learns to correct what it starts from. All else is left as it is; the same
    loss decides as in `choose_shares`. 0 without labelled dev clips.
    """
    model.eval()
    for place, task in enumerate(model.config.tasks):
        rows, losses = _labelled_dev(params, data, task), {0.0: 0.0}
        if len(rows):
            batch = data.batch(rows)
            for share in SHARES:
                model.believing[place] = share
                output = model(batch.inputs).of(task)
                losses[share] = float(LOSSES[task](output, batch.labels[task]))
        model.believing[place] = min(losses, key=losses.__getitem__)


def kept_shares(model: FusionModel) -> dict[str, Kept]:
    """How much of its additions to late fusion a model keeps, by task."""
    experts, factors = model.experts is not None, model.factors is not None
    return {
        task: Kept(
            float(model.shares[place]),
            float(model.weighing[place]) if experts else None,
            float(model.believing[place]) if factors else None,
        )
        for place, task in enumerate(model.config.tasks)
    }


@torch.no_grad()
def added_shares(
    params: Params,
    data: FusionClips,
    model: FusionModel,
    projectors: Mapping[str, PredictProjector],
) -> dict[str, float | None]:
    """How much of its logits a model adds to late fusion, which it starts from.

    All that stage 3 does is counted: the product of experts, guides, and the
    corrections of the network.

    Parameters
    ----------
    params : Params
        ``roles`` names the corpus that is labelled for each task.
    data : FusionClips
    model : FusionModel
        Is put into evaluation mode.
    projectors : mapping of str to PredictProjector
        Task to late fusion.

    Returns
    -------
    dict of str to float or None
        Task to the `sslmepr.training.unimodal.correction_share` on its dev clips; None
        without dev clips, or where the model does not start from late fusion.
    """
    model.eval()
    added: dict[str, float | None] = dict.fromkeys(model.config.tasks)
    if "predict_projector" in model.config.without:
        return added
    for task in model.config.tasks:
        rows = data.rows(getattr(params.roles, task), "dev")
        if not len(rows):
            continue
        inputs = data.batch(rows).inputs
        start, found = projectors[task](inputs), model(inputs).of(task)
        if task == "personality":
            found = torch.logit(found, eps=1e-6)
        change = found - start
        added[task] = correction_share(start.cpu().numpy(), change.cpu().numpy())
    return added
