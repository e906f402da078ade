"""What joining modalities and networks gains, for each emotion and each trait.

Both models of a comparison are scored on the same clips, and differences are taken
within each replicate of the cluster bootstrap over speakers: intervals are paired.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from sslmepr.evaluation.metrics import (
    Draws,
    emotion_draws,
    personality_draws,
    single_label_draws,
)
from sslmepr.evaluation.scores import LINEAR, LINEAR_FUSION
from sslmepr.labels import FUSED, TARGETS, select
from sslmepr.statistics.cluster_bootstrap import Clusters, interval
from sslmepr.training.predictions import is_single_label

_MEASURED = {"CCC", "ACC", "mACC", "WACC", "mWACC"}
_MEASURED |= {"class F1", "macro F1", "weighted F1", "UAR"}
_COLUMNS = ["corpus", "split", "task", "model", "against", "metric", "target"]
_COLUMNS += ["estimate", "reference", "difference", "low", "high", "interval"]
_COLUMNS += ["n", "n_speakers"]


def target_gains(
    predictions: pd.DataFrame,
    clips: pd.DataFrame,
    variant: str,
    resamples: int,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Differences of scores between models, by emotion or trait and over all.

    Parameters
    ----------
    predictions : DataFrame
        Those that the stage ``evaluate`` writes.
    clips : DataFrame
        part (corpus, or member of a union of corpora), clip_id, speaker_id.
    variant : str
        The fusion model that is compared.
    resamples : int
        Replicates of the cluster bootstrap over speakers.
    confidence : float
        Confidence level of the intervals.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        corpus, split (dev or test), task, model (the variant, or the modality of a
        network of stage 1), against (for the variant: each modality's network, and
        linear fusion; for a network: the linear probe), metric, target (``mean`` for
        the metric over all), estimate, reference, difference, low, high and interval
        (of the difference), n, n_speakers. Seeds are averaged. Clips are those that
        both models predict and that are labelled.
    """
    speakers = clips.set_index(["part", "clip_id"])["speaker_id"]
    known = predictions[
        predictions["split"].isin(["dev", "test"]) & predictions["true"].notna()
    ]
    rows = []
    for (corpus, split, task), part in known.groupby(
        ["corpus", "split", "task"], sort=False
    ):
        names = {"corpus": corpus, "split": split, "task": task}
        for model, against, tables in _pairs(part, variant):
            own, other = (_by_seed(table, task) for table in tables)
            shared = next(iter(own.values())).index.intersection(
                next(iter(other.values())).index
            )
            if len(shared):
                drawn = Clusters(speakers[corpus][shared], resamples, seed)
                rows += [
                    names | {"model": model, "against": against} | row
                    for row in _differences(own, other, shared, task, drawn, confidence)
                ]
    return pd.DataFrame(rows, columns=_COLUMNS)


def _pairs(part: pd.DataFrame, variant: str) -> Iterator:
    """Model, what it is held against, and the predictions of both."""
    fused = select(part, stage="fusion", variant=variant)
    networks, probes = (select(part, stage=stage) for stage in ("unimodal", "linear"))
    for modality, network in networks.groupby("modality", sort=False):
        # A modality that no labelled training clip has is a constant.
        if (network.groupby("target")["predicted"].nunique() == 1).all():
            continue
        if len(fused):
            yield variant, modality, (fused, network)
        probe = select(probes, modality=modality)
        if len(probe):
            yield modality, LINEAR, (network, probe)
    linear = select(probes, modality=FUSED)
    if len(fused) and len(linear):
        yield variant, LINEAR_FUSION, (fused, linear)


def _by_seed(table: pd.DataFrame, task: str) -> dict:
    """Seed to clips by (predicted, true, decided) x targets."""
    values = ["predicted", "true"] + (["decided"] if task == "emotion" else [])
    return {
        seed: each.pivot(index="clip_id", columns="target", values=values).sort_index()
        for seed, each in table.groupby("seed", sort=False)
    }


def _differences(own, other, shared, task, speakers: Clusters, confidence) -> Iterator:
    means = []
    for runs in (own, other):
        draws = [_draws(task, run.loc[shared], speakers) for run in runs.values()]
        means.append(
            {key: np.mean([d[key] for d in draws], axis=0) for key in draws[0]}
        )
    ours, theirs = means
    for metric, target in ours:
        value, base = ours[metric, target], theirs[metric, target]
        low, high, kind = interval(value - base, speakers.n_clusters, confidence)
        yield {
            "metric": metric,
            "target": target,
            "estimate": value[0],
            "reference": base[0],
            "difference": value[0] - base[0],
            "low": float(low),
            "high": float(high),
            "interval": str(kind),
            "n": speakers.n,
            "n_speakers": speakers.n_clusters,
        }


def _draws(task: str, run: pd.DataFrame, speakers: Clusters) -> Draws:
    targets = list(TARGETS[task])
    predicted = run["predicted"][targets].to_numpy(float)
    true = run["true"][targets].to_numpy(float)
    if task == "personality":
        # Skill is not compared, so that its baseline does not matter.
        draws = personality_draws(true, predicted, np.zeros(len(targets)), speakers)
    elif is_single_label(true):
        draws = single_label_draws(true.argmax(1), predicted.argmax(1), speakers)
    else:
        decided = run["decided"][targets[1:]].to_numpy(bool)
        draws = emotion_draws(true[:, 1:] > 0, predicted[:, 1:], decided, speakers)
    return {key: each for key, each in draws.items() if key[0] in _MEASURED}
