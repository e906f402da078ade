"""Who attends to whom in a fusion model, and what its outputs rest on, as tidy tables.

Attention is a weight inside the model, not an explanation of its output; attributions
(:mod:`sslmepr.explanation.attribution`) are measured at the output.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sslmepr.models.fusion import FusionOutput


def contributions(values: pd.DataFrame) -> pd.DataFrame:
    """Share of each modality and half in what an output rests on.

    Returns
    -------
    DataFrame
        clip_id, target, modality, half, attribution (signed sum over all pathways),
        share (of the sum of absolute attributions over the clip's target).
    """
    keys = ["clip_id", "target", "modality", "half"]
    table = values.groupby(keys, sort=False)["attribution"].sum().reset_index()
    size = table["attribution"].abs()
    total = size.groupby([table["clip_id"], table["target"]]).transform("sum")
    return table.assign(share=(size / total.where(total > 0)))


def graph_attention_table(
    output: FusionOutput, clip_ids: Sequence[str], modalities: Sequence[str]
) -> pd.DataFrame:
    """How much each modality takes from each.

    Returns
    -------
    DataFrame
        clip_id, modality (that receives), source, attention; modalities that a clip
        lacks are left out.
    """
    weights = output.graph_attention.detach().cpu().numpy()
    present = weights.sum(axis=-1) > 0
    clips, receiver, source = np.nonzero(present[:, :, None] & present[:, None, :])
    names = np.asarray(modalities)
    return pd.DataFrame(
        {
            "clip_id": np.asarray(clip_ids)[clips],
            "modality": names[receiver],
            "source": names[source],
            "attention": weights[clips, receiver, source],
        }
    )


def query_attention_table(
    output: FusionOutput,
    clip_ids: Sequence[str],
    modalities: Sequence[str],
    tasks: Sequence[str],
) -> pd.DataFrame:
    """How much each task reads from each modality.

    Returns
    -------
    DataFrame
        clip_id, task, modality, attention; modalities that a clip lacks are left out.
    """
    weights = output.query_attention.detach().cpu().numpy()
    present = output.graph_attention.detach().cpu().numpy().sum(axis=-1) > 0
    clips, task, modality = np.nonzero(np.broadcast_to(present[:, None], weights.shape))
    return pd.DataFrame(
        {
            "clip_id": np.asarray(clip_ids)[clips],
            "task": np.asarray(tasks)[task],
            "modality": np.asarray(modalities)[modality],
            "attention": weights[clips, task, modality],
        }
    )
