"""Attention weights and contributions of modalities in a fusion model, as tidy tables.

Attention is a weight inside the model, not an explanation of its output; attributions
(:mod:`sslmepr.explanation.attribution`) are measured at the output.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sslmepr.models.fusion import FusionOutput


def contributions(values: pd.DataFrame) -> pd.DataFrame:
    """Sum attributions by modality and half of its embedding.

    Parameters
    ----------
    values : DataFrame
        ``values`` of :class:`sslmepr.explanation.attribution.Attribution`.

    Returns
    -------
    DataFrame
        clip_id, target, modality, half, attribution (signed sum over all pathways),
        share (of the absolute sum; shares of a clip and target add up to 1).
    """
    keys = ["clip_id", "target", "modality", "half"]
    table = values.groupby(keys, sort=False)["attribution"].sum().reset_index()
    size = table["attribution"].abs()
    total = size.groupby([table["clip_id"], table["target"]]).transform("sum")
    return table.assign(share=(size / total.where(total > 0)))


def graph_attention_table(
    output: FusionOutput, clip_ids: Sequence[str], modalities: Sequence[str]
) -> pd.DataFrame:
    """Graph attention weights between modalities.

    Parameters
    ----------
    output : FusionOutput
    clip_ids : (clip,) sequence of str
    modalities : sequence of str
        In the order of the model.

    Returns
    -------
    DataFrame
        clip_id, modality (that attends), source (that is attended to), attention;
        modalities that a clip lacks are left out.
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
    """Attention weights of each task's query to the modalities.

    Parameters
    ----------
    output : FusionOutput
    clip_ids : (clip,) sequence of str
    modalities, tasks : sequence of str
        In the order of the model.

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
