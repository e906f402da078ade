"""Ablation: paired comparison of fusion variants with the full model.

Variants are tested on the same clips, so their errors are correlated and the interval
of a difference is much narrower than the interval of a score. Differences are therefore
computed within each cluster-bootstrap replicate of the speakers; the replicates are the
same for all variants and seeds. A variant's value is the mean over its seeds, and other
seeds would give another one: the interval is widened by the variance of that mean, with
degrees of freedom after Satterthwaite (1946, Biometrics Bulletin 2).
"""

from dataclasses import dataclass
from functools import reduce
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import stats

from sslmepr.corpora.schema import read_clips
from sslmepr.evaluation.metrics import emotion_draws, personality_draws
from sslmepr.evaluation.scores import LATE_FUSION, LINEAR_FUSION
from sslmepr.labels import FUSED, SCORED_EMOTIONS, TRAITS, select
from sslmepr.params import Params
from sslmepr.params.analysis import DEV
from sslmepr.statistics.cluster_bootstrap import Clusters, interval
from sslmepr.statistics.verdicts import verdicts

METRICS = {"emotion": ("mWACC", "mF1"), "personality": ("mACC", "CCC")}
SCORED = {"emotion": SCORED_EMOTIONS, "personality": TRAITS}

BASELINES = {"linear": LINEAR_FUSION, "stacking": LATE_FUSION}
"""Stages of the regressions that join all modalities, to their names as variants."""


def shown_clips(
    predictions: pd.DataFrame, params: Params, data_folder: str | Path = "data"
) -> tuple[pd.DataFrame, pd.Series]:
    """Predictions of fusion models on the clips that ``evaluate.shown`` allows.

    `BASELINES` are variants beside them. No chance is in them, so that they stand at
    every seed of the fusion models.

    Parameters
    ----------
    predictions : DataFrame
        Those that the stage ``evaluate`` writes.
    params : Params
        Sections ``roles`` and ``evaluate``.
    data_folder : path
        Holds ``<corpus>/corpus``.

    Returns
    -------
    predictions : DataFrame
        Of the held-out corpus, or, where it has no labels, of the test clips of both
        training corpora, each of which has the labels of its own task, or of their dev
        clips where one has no test clips or dev alone may be shown; without the column
        corpus.
    speaker_ids : Series
        clip_id to speaker_id.

    Raises
    ------
    CorpusError
        If a clip table is missing or damaged.
    """
    roles, fused = params.roles, _fused(predictions)
    corpora = [roles.held_out]
    chosen = select(fused, corpus=roles.held_out)
    if params.evaluate.shown == DEV or chosen["true"].isna().all():
        corpora = [*dict.fromkeys([roles.emotion, roles.personality])]
        rated = fused[fused["true"].notna()]
        chosen = select(rated, split="test")
        both = set(chosen["task"]) == set(rated["task"])
        if params.evaluate.shown == DEV or not both:
            chosen = select(rated, split="dev")
    tables = [read_clips(Path(data_folder, name, "corpus")) for name in corpora]
    speakers = pd.concat(tables).set_index("clip_id")["speaker_id"]
    return chosen.drop(columns="corpus"), speakers


def _fused(predictions: pd.DataFrame) -> pd.DataFrame:
    """All that join the modalities, under the names of their variants."""
    models = select(predictions, stage="fusion")
    seeds = models["seed"].unique()
    tables = [models]
    for stage, name in BASELINES.items():
        mine = select(predictions, stage=stage, modality=FUSED).assign(variant=name)
        tables += [mine.assign(seed=seed) for seed in seeds]
    return pd.concat(tables, ignore_index=True)


def compare_variants(
    predictions: pd.DataFrame,
    speaker_ids: pd.Series,
    reference: str,
    resamples: int,
    confidence: float,
    margin: float,
    seed: int,
) -> pd.DataFrame:
    """Difference between every variant and a reference, by metric.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, variant, seed, target, predicted, true and decided (presence of
        emotions after thresholding), of fusion models on one corpus and split.
    speaker_ids : Series
        clip_id to speaker_id.
    reference : str
        The variant of the full model.
    resamples : int
        Replicates of the cluster bootstrap over speakers.
    confidence : float
        Confidence level of the intervals.
    margin : float
        Largest difference that does not matter.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    DataFrame
        variant, metric, estimate (mean over seeds), spread (standard deviation over
        seeds, NaN for one), reference (the reference's estimate on the same clips),
        difference, low, high, interval (of the difference, over speakers and seeds, and
        its kind; over speakers alone with one seed, or with other seeds than those of
        the reference), verdict (of `sslmepr.statistics.verdicts`), n, n_speakers,
        n_seeds. There are no rows for a task that the variant or the reference does not
        predict, and none without predictions.

    Raises
    ------
    ValueError
        If the reference is missing, there are several corpora or splits, or a clip has
        no speaker.
    """
    _check(predictions, speaker_ids, reference)
    bootstrap = _Bootstrap(speaker_ids, resamples, confidence, seed)
    rows = []
    for task in METRICS:
        runs = _runs(predictions, task)
        for variant in dict.fromkeys(variant for variant, _ in runs):
            rows += _differences(
                task,
                {seed: run for (name, seed), run in runs.items() if name == variant},
                {seed: run for (name, seed), run in runs.items() if name == reference},
                bootstrap,
                {"variant": variant},
            )
    columns = ["variant", "metric", "estimate", "spread", "reference", "difference"]
    columns += ["low", "high", "interval", "n", "n_speakers", "n_seeds"]
    table = pd.DataFrame(rows, columns=columns)
    judged = verdicts(table["low"].astype(float), table["high"].astype(float), margin)
    table.insert(columns.index("n"), "verdict", judged)
    return table


@dataclass(frozen=True)
class _Bootstrap:
    """Settings of the cluster bootstrap, shared by all variants and tasks."""

    speaker_ids: pd.Series
    resamples: int
    confidence: float
    seed: int

    def speakers(self, clip_ids: pd.Index) -> Clusters:
        ids = self.speaker_ids[clip_ids].to_numpy()
        return Clusters(ids, self.resamples, self.seed)


def _check(predictions: pd.DataFrame, speaker_ids: pd.Series, reference: str) -> None:
    for column in ("corpus", "split"):
        if column in predictions and predictions[column].nunique() > 1:
            raise ValueError(f"predictions: several values of {column}; choose one")
    if len(predictions) and reference not in set(predictions["variant"]):
        raise ValueError(f"predictions: there is no variant {reference!r}")
    unknown = set(predictions["clip_id"]) - set(speaker_ids.index)
    if unknown:
        raise ValueError(f"speaker_id: no speaker for clip {min(unknown)}")


def _runs(predictions: pd.DataFrame, task: str) -> dict:
    """(variant, seed) to a table: clips by (predicted, true, decided) x targets."""
    table = predictions[predictions["target"].isin(SCORED[task])]
    table = table.dropna(subset=["true", "predicted"])
    values = ["predicted", "true"] + (["decided"] if task == "emotion" else [])
    return {
        run: group.pivot(index="clip_id", columns="target", values=values).dropna()
        for run, group in table.groupby(["variant", "seed"], sort=False)
    }


def _differences(
    task: str, runs: dict, references: dict, bootstrap: _Bootstrap, names: dict
) -> list[dict]:
    if not runs or not references:
        return []
    indexes = [run.index for run in (*runs.values(), *references.values())]
    clips = reduce(pd.Index.intersection, indexes)
    if len(clips) == 0:
        return []
    clips = clips.sort_values()
    speakers = bootstrap.speakers(clips)
    own = [_draws(task, run.loc[clips], speakers) for run in runs.values()]
    full = [_draws(task, run.loc[clips], speakers) for run in references.values()]
    rows = []
    for metric in METRICS[task]:
        per_seed = np.stack([draws[metric, "mean"] for draws in own])
        bases = np.stack([draws[metric, "mean"] for draws in full])
        value, base = per_seed.mean(axis=0), bases.mean(axis=0)
        difference = value - base
        low, high, kind = interval(
            difference, speakers.n_clusters, bootstrap.confidence
        )
        if list(runs) == list(references) and len(runs) > 1:
            each = per_seed[:, 0] - bases[:, 0]
            low, high = _over_seeds_too(
                each, low, high, speakers.n_clusters, bootstrap.confidence
            )
        spread = per_seed[:, 0].std(ddof=1) if len(runs) > 1 else np.nan
        rows.append(
            {
                **names,
                "metric": metric,
                "estimate": value[0],
                "spread": spread,
                "reference": base[0],
                "difference": difference[0],
                "low": float(low),
                "high": float(high),
                "interval": str(kind),
                "n": len(clips),
                "n_speakers": speakers.n_clusters,
                "n_seeds": len(runs),
            }
        )
    return rows


def _over_seeds_too(
    each: np.ndarray, low: float, high: float, n_speakers: int, confidence: float
) -> tuple[float, float]:
    """Widen an interval over speakers by the variance over seeds.

    Parameters
    ----------
    each : (seed,) ndarray
        Difference of each seed.
    low, high : float
        Interval of their mean over speakers.
    n_speakers : int
    confidence : float

    Returns
    -------
    low, high : float
    """
    middle, level = each.mean(), (1 + confidence) / 2
    halves = np.array([middle - low, high - middle])
    of_speakers = (halves / stats.t.ppf(level, n_speakers - 1)) ** 2
    of_seeds = each.var(ddof=1) / len(each)
    total = of_speakers + of_seeds
    weights = of_speakers**2 / (n_speakers - 1) + of_seeds**2 / (len(each) - 1)
    with np.errstate(invalid="ignore"):
        freedom = total**2 / weights
    wider = np.where(total > 0, stats.t.ppf(level, freedom) * np.sqrt(total), 0.0)
    return middle - wider[0], middle + wider[1]


def _draws(task: str, run: pd.DataFrame, speakers: Clusters) -> dict:
    targets = list(SCORED[task])
    predicted = run["predicted"][targets].to_numpy(dtype=float)
    true = run["true"][targets].to_numpy(dtype=float)
    if task == "emotion":
        decided = run["decided"][targets].to_numpy(dtype=bool)
        return emotion_draws(true > 0, predicted, decided, speakers)
    # Skill is not compared here, so its baseline (the training mean) does not matter.
    return personality_draws(true, predicted, np.zeros(len(targets)), speakers)
