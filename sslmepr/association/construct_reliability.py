"""How reliably constructs are measured: over modalities, seeds and raters.

Modalities and seeds are treated as raters of the same clips: ICC(2,1) is the
reliability of one, ICC(2,k) that of their mean (`sslmepr.statistics.reliability`).
Absolute agreement is asked for, so that modalities which differ in mean or spread agree
less than they correlate. Where the people who rated are known, the square root of their
reliability is a noise ceiling: no prediction can agree more with their ratings.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import logit

from sslmepr.association.disjoint_modalities import CORRELATED, PROBABILITY_CLIP
from sslmepr.association.multitrait import (
    MeasurementError,
    held_out,
    unimodal_scores,
)
from sslmepr.association.study_associations import variant_predictions
from sslmepr.labels import TRAITS
from sslmepr.params import Params
from sslmepr.simulation.raters import raters_in, rating_ceiling
from sslmepr.simulation.world import make_world
from sslmepr.statistics.cluster_bootstrap import NONE, Clusters, interval
from sslmepr.statistics.reliability import intraclass

OVER_MODALITIES, OVER_SEEDS = "modalities", "seeds"

COLUMNS = ["construct", "over", "count"]
COLUMNS += [
    f"{kind}{end}" for kind in ("single", "mean") for end in ("", "_low", "_high")
]
COLUMNS += ["interval", "n", "n_speakers", "reason"]


def reliability_table(
    params: Params, predictions: pd.DataFrame, clips: pd.DataFrame, variant: str
) -> pd.DataFrame:
    """Reliability of all constructs over modalities and seeds, on held-out clips.

    Parameters
    ----------
    params : Params
        ``roles.held_out``, ``association`` and the seed are used.
    predictions : DataFrame
        Of the stage ``evaluate``.
    clips : DataFrame
        Of `sslmepr.training.clips.StudyClips`.
    variant : str
        The fusion model whose seeds are compared.

    Returns
    -------
    DataFrame
        construct, over (``modalities`` or ``seeds``), count (of them), single and mean
        (ICC(2,1) and ICC(2,k)) with the ends of their intervals, interval (their kind),
        n, n_speakers, reason (why they are undefined; else empty).
    """
    mine, speakers = held_out(params, predictions, clips)
    parts = []
    for over, read in ((OVER_MODALITIES, _modalities), (OVER_SEEDS, _seeds)):
        try:
            parts += _rows(over, *read(mine, speakers, variant), params)
        except MeasurementError as error:
            nothing = {"over": over, "count": 0, "n": 0, "n_speakers": 0}
            nothing |= {"interval": NONE, "reason": str(error)}
            parts += [{"construct": name, **nothing} for name in CORRELATED]
    return pd.DataFrame(parts, columns=COLUMNS)


def _modalities(predictions, speakers, variant) -> tuple[np.ndarray, np.ndarray]:
    """Clips that have all modalities: (clip, modality, construct), and speakers."""
    measured = unimodal_scores(predictions, speakers)
    whole = np.isfinite(measured.scores).all((1, 2))
    return measured.scores[whole], measured.speakers[whole]


def _seeds(predictions, speakers, variant) -> tuple[np.ndarray, np.ndarray]:
    """Logits of one fusion model: (clip, seed, construct), and speakers."""
    corpora = predictions["corpus"].unique()
    if not len(corpora):
        raise MeasurementError(
            "seeds cannot be compared: no held-out clip is predicted"
        )
    rows = pd.concat([variant_predictions(predictions, variant, c) for c in corpora])
    rows = rows[rows["target"].isin(CORRELATED)]
    seeds = sorted(rows["seed"].unique())
    if len(seeds) < 2:
        raise MeasurementError("seeds cannot be compared: the model was trained once")
    wide = rows.pivot(
        index="clip_id", columns=["seed", "target"], values="predicted"
    ).reindex(columns=pd.MultiIndex.from_product([seeds, CORRELATED]))
    values = np.clip(wide.to_numpy(float), PROBABILITY_CLIP, 1 - PROBABILITY_CLIP)
    shape = len(wide), len(seeds), len(CORRELATED)
    return logit(values).reshape(shape), wide.index.map(speakers).to_numpy()


def _rows(over: str, values, speakers, params: Params) -> Iterator[dict]:
    if len(values) < 2:
        raise MeasurementError(
            f"{over} cannot be compared: {len(values)} clips have all"
        )
    settings = params.association
    clusters = Clusters(speakers, settings.resamples, params.seed)
    found = intraclass(values, clusters.total)
    single, mean = (
        interval(each, clusters.n_clusters, settings.confidence) for each in found
    )
    for place, construct in enumerate(CORRELATED):
        vary = np.isfinite(found.single[0, place])
        yield {
            "construct": construct,
            "over": over,
            "count": values.shape[1],
            "single": found.single[0, place],
            "single_low": single.low[place],
            "single_high": single.high[place],
            "mean": found.average[0, place],
            "mean_low": mean.low[place],
            "mean_high": mean.high[place],
            "interval": single.kind[place],
            "n": clusters.n,
            "n_speakers": clusters.n_clusters,
            "reason": "" if vary else "scores do not vary",
        }


def noise_ceilings(params: Params) -> pd.DataFrame:
    """Highest concordance with the ratings that any prediction can reach.

    Parameters
    ----------
    params : Params

    Returns
    -------
    DataFrame
        construct, raters, reliability (ICC(1,k) of their mean), ceiling (its square
        root): of the traits of the held-out corpus. Without rows where the raters are
        not known: published corpora do not come with single ratings. Emotions are
        labelled by majority, which has no intraclass correlation.
    """
    corpus = params.corpus[params.roles.held_out]
    raters = params.simulation.raters
    columns = ["construct", "raters", "reliability", "ceiling"]
    if corpus.source != "simulated" or raters is None:
        return pd.DataFrame(columns=columns)
    world = make_world(corpus.world, params.simulation.worlds)
    ceiling = rating_ceiling(world, raters_in(world, raters))
    rows = zip(TRAITS, [raters.count] * len(TRAITS), ceiling**2, ceiling, strict=True)
    return pd.DataFrame(rows, columns=columns)
