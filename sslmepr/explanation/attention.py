"""Attention weights and contributions of modalities in a fusion model, as tidy tables.

Attention is a weight inside the model, not an explanation of its output; attributions
(:mod:`sslmepr.explanation.attribution`) are measured at the output.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from sslmepr.explanation.evidence import CORRELATION, correlation, mean_by
from sslmepr.models.fusion import FusionOutput

PARTS = ("graph_attention", "task_query", "product_of_experts")
"""Components that give weights to modalities."""

OBSERVER = "ideal_observer"
NOISE, CONTRARY = "noise", "contrary words"
"""What is special about a clip: how badly a modality is seen, and what is said."""

SAID = ("audio", "text")
"""Modalities whose weight could depend on whether words are meant."""


def contributions(values: pd.DataFrame) -> pd.DataFrame:
    """Sum attributions by modality, over all pathways.

    Parameters
    ----------
    values : DataFrame
        ``values`` of :class:`sslmepr.explanation.attribution.Attribution`.

    Returns
    -------
    DataFrame
        clip_id, target, modality, attribution (signed), share (of the absolute sum;
        shares of a clip and target add up to 1).
    """
    keys = ["clip_id", "target", "modality"]
    table = values.groupby(keys, sort=False)["attribution"].sum().reset_index()
    size = table["attribution"].abs()
    total = size.groupby([table["clip_id"], table["target"]]).transform("sum")
    return table.assign(share=(size / total.where(total > 0)))


def weight_table(
    output: FusionOutput,
    clip_ids: Sequence[str],
    modalities: Sequence[str],
    tasks: Sequence[str],
    parts: Sequence[str],
) -> pd.DataFrame:
    """Weights that a model gives to the modalities of each clip, by what gives them.

    Parameters
    ----------
    output : FusionOutput
    clip_ids : (clip,) sequence of str
    modalities, tasks : sequence of str
        In the order of the model.
    parts : sequence of str
        Of `PARTS`, those that the model has; others give no weight.

    Returns
    -------
    DataFrame
        kind, task (that it serves; None if all), clip_id, modality, weight: 1 if all
        present modalities of the clip have the same. Of graph attention it is that
        which a modality receives, mean over those that attend.
    """
    graph = output.graph_attention.detach().cpu().numpy()
    query = output.query_attention.detach().cpu().numpy()
    quality = output.quality.detach().cpu().numpy()
    present = graph.sum(axis=-1) > 0
    count = present.sum(1, keepdims=True)
    kinds = {"graph_attention": [(None, graph.sum(1) / count)]}
    kinds["task_query"] = [(task, query[:, place]) for place, task in enumerate(tasks)]
    kinds["product_of_experts"] = [(None, quality)]
    clips, places = np.nonzero(present)
    tables = []
    for kind in parts:
        for task, weights in kinds[kind]:
            total = np.where(present, weights, 0).sum(1, keepdims=True)
            relative = weights / (total / count)
            table = {
                "kind": kind,
                "task": task,
                "clip_id": np.asarray(clip_ids, dtype=object)[clips],
                "modality": np.asarray(modalities, dtype=object)[places],
                "weight": relative[clips, places],
            }
            tables.append(pd.DataFrame(table).astype({"task": object}))
    columns = ["kind", "task", "clip_id", "modality", "weight"]
    return (
        pd.concat(tables, ignore_index=True)
        if tables
        else pd.DataFrame(columns=columns)
    )


def weights_by_modality(
    weights: pd.DataFrame,
    precision: pd.DataFrame | None,
    speakers: Mapping[str, str],
    resamples: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Weights over clips, and how they follow those of an ideal observer.

    Parameters
    ----------
    weights : DataFrame
        Of :func:`weight_table`.
    precision : DataFrame or None
        Of `sslmepr.explanation.observer_evidence.ObserverEvidence`.
    speakers, resamples, confidence, seed
        As in `sslmepr.explanation.evidence.evidence_used`.

    Returns
    -------
    DataFrame
        kind (with its task), modality, clips, mean, lowest, highest (percentiles 5 and
        95 over clips), correlation (with the observer's weight; NaN where that is the
        same in all clips, as in a world where all is seen equally well) and its ends.
    """
    rows = []
    joined = with_observer(weights, precision)
    for (kind, modality), mine in joined.groupby(["kind", "modality"], sort=False):
        found = dict.fromkeys(CORRELATION, np.nan)
        if mine["observer"].notna().all():
            found = correlation(
                mine["observer"].to_numpy(),
                mine["weight"].to_numpy(),
                [speakers[clip] for clip in mine["clip_id"]],
                resamples,
                confidence,
                seed,
            )
        lowest, highest = np.quantile(mine["weight"], [0.05, 0.95])
        row = {"kind": kind, "modality": modality, "clips": len(mine)}
        row |= {"mean": mine["weight"].mean(), "lowest": lowest, "highest": highest}
        rows.append(row | found)
    columns = ["kind", "modality", "clips", "mean", "lowest", "highest"]
    return pd.DataFrame(rows, columns=[*columns, *CORRELATION])


def with_observer(
    weights: pd.DataFrame, precision: pd.DataFrame | None
) -> pd.DataFrame:
    """Weights beside those of an ideal observer.

    Parameters
    ----------
    weights, precision
        As of :func:`weights_by_modality`.

    Returns
    -------
    DataFrame
        kind (with its task), clip_id, modality, weight, observer (weight of the
        modality for the task, or its mean over tasks, as a multiple of the mean over
        modalities; NaN where unknown).
    """
    tasks = weights["task"].map(
        {"emotion": " for emotions", "personality": " for traits"}
    )
    told = weights.assign(kind=weights["kind"] + tasks.fillna(""))
    keys = ["clip_id", "modality"]
    if precision is None:
        return told.drop(columns="task").assign(observer=np.nan)
    each = precision.groupby([*keys, "task"])["weight"].mean()
    ideal = each.unstack("task")
    ideal["mean"] = ideal.mean(axis=1)
    count = (ideal > 0).groupby("clip_id").transform("sum")
    ideal = ideal * count
    at = pd.MultiIndex.from_frame(told[keys])
    values = ideal.reindex(at)
    task = told["task"].fillna("mean")
    column = [values.columns.get_loc(name) for name in task]
    observer = values.to_numpy()[np.arange(len(told)), column]
    return told.drop(columns="task").assign(observer=observer)


def with_noise(
    weights: pd.DataFrame, precision: pd.DataFrame, contrary: pd.Series
) -> pd.DataFrame:
    """Weights, those of an ideal observer first, beside what was seen of the clip.

    Parameters
    ----------
    weights, precision
        As of :func:`weights_by_modality`.
    contrary : Series
        By clip, whether the words say the opposite of what is felt.

    Returns
    -------
    DataFrame
        kind (with its task, or `OBSERVER`), clip_id, modality, weight, noise (of what
        the modality shows in this clip, as a multiple of the usual), contrary (words).
    """
    keys = ["clip_id", "modality"]
    places = weights[keys].drop_duplicates()
    ideal = with_observer(places.assign(kind=OBSERVER, task=None, weight=0), precision)
    ideal["weight"] = ideal.pop("observer")
    known = with_observer(weights, precision).drop(columns="observer")
    table = pd.concat([ideal, known], ignore_index=True)
    quality = precision.drop_duplicates(keys).set_index(keys)["quality"]
    seen = quality.reindex(pd.MultiIndex.from_frame(table[keys])).to_numpy()
    table = table.assign(
        noise=np.where(seen > 0, np.where(seen > 0, seen, 1) ** -0.5, np.nan).round(6),
        contrary=contrary.reindex(table["clip_id"]).to_numpy(float),
    )
    return table.dropna(subset=["noise", "weight"]).reset_index(drop=True)


def weights_by_noise(seen: pd.DataFrame, *sampling) -> pd.DataFrame:
    """Mean weight of each modality by how noisy it is in the clip.

    Parameters
    ----------
    seen : DataFrame
        From :func:`with_noise`.
    *sampling
        speakers, resamples, confidence, seed, as of :func:`weights_by_modality`.

    Returns
    -------
    DataFrame
        kind, modality, noise, clips, weight with its ends.
    """
    columns = ["kind", "modality", NOISE, "clips", "weight", "weight_low"]
    tables = [pd.DataFrame(columns=[*columns, "weight_high"])]
    for (kind, modality), mine in seen.groupby(["kind", "modality"], sort=False):
        means = mean_by(mine.sort_values(NOISE), NOISE, ["weight"], *sampling)
        tables.append(means.assign(kind=kind, modality=modality))
    return pd.concat(tables[1:] or tables, ignore_index=True)[tables[0].columns]


def weights_following(seen: pd.DataFrame, *sampling) -> pd.DataFrame:
    """Rank correlation of weights with noise, and with contrary words.

    Parameters
    ----------
    seen, *sampling
        As of :func:`weights_by_noise`. Ranks are those of all clips.

    Returns
    -------
    DataFrame
        kind, modality, follows (`NOISE`, or `CONTRARY` for the modalities `SAID`),
        clips, correlation (Spearman's, over clips) with its ends; NaN where one of the
        two is constant.
    """
    speakers, *settings = sampling
    rows = []
    for (kind, modality), mine in seen.groupby(["kind", "modality"], sort=False):
        people = [speakers[clip] for clip in mine["clip_id"]]
        weight = rankdata(mine["weight"].round(6))
        signs = {NOISE: "noise"} | ({CONTRARY: "contrary"} if modality in SAID else {})
        for sign, column in signs.items():
            found = correlation(rankdata(mine[column]), weight, people, *settings)
            row = {"kind": kind, "modality": modality, "follows": sign}
            rows.append(row | {"clips": len(mine)} | found)
    columns = ["kind", "modality", "follows", "clips", *CORRELATION]
    return pd.DataFrame(rows, columns=columns)
