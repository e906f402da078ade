"""How much of a network's correction to late fusion is kept, chosen on dev.

A network that is trained for a fixed budget may have learned little that holds for
other people. Its correction of the logits of late fusion is therefore shrunk by the
factor that is best on dev: one number per task, which a few hundred clips suffice for,
and which is reported. 0 leaves late fusion or the product of experts, openly.
"""

from collections.abc import Mapping

import torch

from sslmepr.models.fusion import FusionModel
from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.params import Params
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.losses import LOSSES
from sslmepr.training.unimodal import correction_share

SHARES = (0.0, 0.25, 0.5, 0.75, 1.0)
"""What may be chosen. By convention, not tuned."""


@torch.no_grad()
def choose_shares(
    params: Params, data: FusionClips, model: FusionModel
) -> dict[str, float]:
    """Set the share of its corrections that a model keeps, for each task.

    Parameters
    ----------
    params : Params
        ``roles`` names the corpus that is labelled for each task.
    data : FusionClips
    model : FusionModel
        Is put into evaluation mode; its `shares` are set. Without predict projectors
        there is nothing to correct, and they stay 1.

    Returns
    -------
    dict of str to float
        Task to the share with the smallest loss on its labelled dev clips, the smaller
        of equal ones; 1 if there are none.
    """
    model.eval()
    model.shares.fill_(1.0)
    chosen = dict.fromkeys(model.config.tasks, 1.0)
    if not len(model.predict_projectors) or "predict_projector" in model.config.without:
        return chosen
    for place, task in enumerate(model.config.tasks):
        rows = data.rows(getattr(params.roles, task), "dev")
        rows = rows[data.clips.labelled(task)[rows]]
        if not len(rows):
            continue
        batch, losses = data.batch(rows), []
        for share in SHARES:
            model.shares[place] = share
            output = model(batch.inputs).of(task)
            losses.append(float(LOSSES[task](output, batch.labels[task])))
        chosen[task] = SHARES[losses.index(min(losses))]
        model.shares[place] = chosen[task]
    return chosen


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
