"""Evidence that the model uses, against evidence that there is, with intervals."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
import torch
from statsmodels.stats.proportion import proportion_confint

from sslmepr.models.fusion import FusionModel
from sslmepr.statistics.cluster_bootstrap import Clusters, interval
from sslmepr.statistics.metrics import mean_defined, ratio

ALL = "all"
"""Target of the rows that are means over targets."""

USED = ("used", "there", "correlation")

CORRELATION = ("correlation", "correlation_low", "correlation_high")
"""A correlation and its ends."""


def evidence_used(
    contributions: pd.DataFrame,
    evidence: pd.DataFrame | None,
    speakers: Mapping[str, str],
    resamples: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """How much of every output each modality decides, and how much it could.

    The share of a modality is the standard deviation of its contribution over clips,
    relative to the sum of those of all modalities. Its correlation is over clips, with
    the ideal observer's evidence. A clip that lacks a modality has a contribution of 0.

    Parameters
    ----------
    contributions : DataFrame
        Of the model: clip_id, target, modality, attribution.
    evidence : DataFrame or None
        Of the ideal observer: clip_id, target, modality, evidence; None where unknown.
    speakers : mapping of str to str
        Clip to the speaker, by whom clips are resampled.
    resamples, confidence, seed
        Of the cluster bootstrap.

    Returns
    -------
    DataFrame
        target (also `ALL`), modality, clips; of each of `USED` (share used, share that
        there is, correlation) the estimate and ``_low`` and ``_high``; NaN where there
        is no evidence.
    """
    used = contributions.set_index(["clip_id", "target", "modality"])["attribution"]
    used = used.unstack(["target", "modality"]).fillna(0.0)
    clusters = Clusters([speakers[clip] for clip in used.index], resamples, seed)
    there = None
    if evidence is not None:
        there = evidence.set_index(["clip_id", "target", "modality"])["evidence"]
        there = there.unstack(["target", "modality"]).reindex(used.index)
        used = used[[column for column in used if column in there]]
        there = there[used.columns]
    shape = used.columns.unique("target"), used.columns.unique("modality")
    used = used.reindex(columns=pd.MultiIndex.from_product(shape), fill_value=0.0)
    size = (len(used), len(shape[0]), len(shape[1]))
    values = used.to_numpy().reshape(size)
    sums = {"y": values, "yy": values**2}
    if there is not None:
        other = there.reindex(columns=used.columns).to_numpy().reshape(size)
        sums |= {"x": other, "xx": other**2, "xy": other * values}
    total = {name: clusters.total(each) for name, each in sums.items()}
    n = clusters.total(np.ones(len(used)))[:, None, None]
    spread = {"used": _variance(total["yy"], total["y"], n)}
    found = {"used": _share(spread["used"])}
    if there is None:
        nothing = np.full_like(found["used"], np.nan)
        found |= {"there": nothing, "correlation": nothing}
    else:
        spread["there"] = _variance(total["xx"], total["x"], n)
        found["there"] = _share(spread["there"])
        found["correlation"] = _correlation(total, n)
    keys = pd.MultiIndex.from_product(
        [[*shape[0], ALL], shape[1]], names=["target", "modality"]
    )
    table = pd.DataFrame(index=keys).reset_index().assign(clips=len(used))
    for name in USED:
        each = found[name]
        mean = mean_defined(np.moveaxis(each, 1, -1))
        each = np.concatenate([each, mean[:, None]], axis=1)
        ends = interval(each, clusters.n_clusters, confidence)
        table[name] = each[0].ravel()
        table[f"{name}_low"], table[f"{name}_high"] = (
            ends.low.ravel(),
            ends.high.ravel(),
        )
    return table


def correlation(
    x: np.ndarray, y: np.ndarray, speakers, resamples: int, confidence: float, seed: int
) -> dict[str, float]:
    """Correlation over clips with the interval of the cluster bootstrap.

    Parameters
    ----------
    x, y : (clip,) ndarray
    speakers : (clip,) sequence of str
    resamples, confidence, seed
        Of the cluster bootstrap.

    Returns
    -------
    dict of str to float
        correlation, correlation_low, correlation_high; NaN where one of the two is
        constant.
    """
    clusters = Clusters(speakers, resamples, seed)
    # Means are removed first, so that squares do not cancel.
    x, y = x - x.mean(), y - y.mean()
    sums = {"x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y}
    total = {name: clusters.total(each) for name, each in sums.items()}
    values = _correlation(total, clusters.total(np.ones(len(x))))
    ends = interval(values, clusters.n_clusters, confidence)
    found = (values[0], ends.low, ends.high)
    return dict(zip(CORRELATION, map(float, found), strict=True))


def _correlation(total: Mapping[str, np.ndarray], n) -> np.ndarray:
    """From sums; NaN where a standard deviation is rounding error."""
    x, y = (_variance(total[2 * name], total[name], n) for name in "xy")
    shared = total["xy"] / n - total["x"] * total["y"] / n**2
    product = np.sqrt(x * y)
    known = (x > 1e-14) & (y > 1e-14)
    return ratio(np.where(known, shared, 0.0), np.where(known, product, 0.0))


def _variance(squares, total, n):
    return np.maximum(squares / n - (total / n) ** 2, 0.0)


def _share(variance: np.ndarray) -> np.ndarray:
    spread = np.sqrt(variance)
    return ratio(spread, spread.sum(-1, keepdims=True))


def mean_by(
    table: pd.DataFrame,
    by: str,
    columns: list[str],
    speakers: Mapping[str, str],
    resamples: int,
    confidence: float,
    seed: int,
    counted: Collection[str] = (),
) -> pd.DataFrame:
    """Means over clips with intervals, by a category.

    Parameters
    ----------
    table : DataFrame
        clip_id, `by` and numeric `columns`.
    speakers, resamples, confidence, seed
        As in :func:`evidence_used`.
    counted : collection of str
        Columns of yes and no (1 and 0): they have Wilson's interval for as many as
        there are people, since resampling a share of all gives all.

    Returns
    -------
    DataFrame
        `by`, clips, and of each of `columns` the mean, ``_low`` and ``_high``.
    """
    rows = []
    for name, mine in table.groupby(by, sort=False):
        clusters = Clusters([speakers[c] for c in mine["clip_id"]], resamples, seed)
        total = clusters.total(mine[columns].to_numpy(float))
        means = total / clusters.total(np.ones(len(mine)))[:, None]
        ends = interval(means, clusters.n_clusters, confidence)
        row = {by: name, "clips": len(mine)}
        for place, column in enumerate(columns):
            row[column] = means[0, place]
            low, high = ends.low[place], ends.high[place]
            if column in counted:
                people = clusters.n_clusters
                low, high = proportion_confint(
                    means[0, place] * people, people, 1 - confidence, method="wilson"
                )
            row[f"{column}_low"], row[f"{column}_high"] = low, high
        rows.append(row)
    return pd.DataFrame(rows)


def shuffled_weights(model: FusionModel, seed: int) -> FusionModel:
    """A copy whose weights are those of the model in random places.

    What is said of a model must not be said of this one (Adebayo et al. 2018, Sanity
    checks for saliency maps).

    Parameters
    ----------
    model : FusionModel
    seed : int

    Returns
    -------
    FusionModel
        Every matrix and vector has the values that it had. Products of experts, second
        forms and, but for its loadings, the factor model are left as they are: shuffled
        precisions and covariances cannot be inverted.
    """
    generator = torch.Generator().manual_seed(seed)
    other = type(model)(model.config).eval()
    shuffled = {}
    for name, value in model.state_dict().items():
        kept = name.startswith(("experts.", "forms.", "factors."))
        if kept and not name.endswith(".loadings"):
            shuffled[name] = value
            continue
        order = torch.randperm(value.numel(), generator=generator)
        shuffled[name] = value.flatten()[order].view_as(value)
    other.load_state_dict(shuffled)
    return other
