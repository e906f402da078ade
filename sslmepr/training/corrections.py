"""How much of what a network adds to late fusion is kept, chosen on dev.

A network that is trained for a fixed budget may have learned little that holds for
other people, and a product of experts may weigh modalities by differences in quality
that there are none of. Two numbers per task, which a few hundred dev clips suffice for,
say how much of each is kept: the share of the network's correction, and how far the
product of experts takes the place of the plain sum. Both are reported. 0 and 0 leave
late fusion, openly.
"""

import itertools
from collections.abc import Mapping
from typing import NamedTuple

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
    """

    correction: float
    weighing: float | None


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
        Is put into evaluation mode; its `shares` and `weighing` are set. Without
        predict projectors there is nothing to add to, and they stay 1.

    Returns
    -------
    dict of str to Kept
        By task, the shares with the smallest loss on its labelled dev clips: of equal
        ones those of the smaller weighing, and of these the smaller correction. 1 if
        there are none.
    """
    model.eval()
    model.shares.fill_(1.0)
    model.weighing.fill_(1.0)
    if not len(model.predict_projectors) or "predict_projector" in model.config.without:
        return kept_shares(model)
    weighings = SHARES if model.experts is not None else SHARES[-1:]
    for place, task in enumerate(model.config.tasks):
        rows = data.rows(getattr(params.roles, task), "dev")
        rows = rows[data.clips.labelled(task)[rows]]
        if not len(rows):
            continue
        batch, losses = data.batch(rows), {}
        for chosen in itertools.product(weighings, SHARES):
            model.weighing[place], model.shares[place] = chosen
            output = model(batch.inputs).of(task)
            losses[chosen] = float(LOSSES[task](output, batch.labels[task]))
        best = min(losses, key=losses.__getitem__)
        model.weighing[place], model.shares[place] = best
    return kept_shares(model)


def kept_shares(model: FusionModel) -> dict[str, Kept]:
    """How much of its additions to late fusion a model keeps, by task."""
    experts = model.experts is not None
    return {
        task: Kept(float(share), float(weighing) if experts else None)
        for task, share, weighing in zip(
            model.config.tasks, model.shares, model.weighing, strict=True
        )
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
