"""Do modalities agree on who is how, and are constructs more than one?

In a multitrait-multimethod matrix (Campbell and Fiske 1959) every *construct*, here an
emotion or a trait, is measured by every *method*, here a modality whose model reads
nothing else. Scores of one construct from different modalities should correlate
(convergent validity), and more than scores of different constructs do (discriminant
validity). Scores of different constructs from one modality share its errors. So do
modalities of one sensor: face, body and scene are crops of the same picture. Methods
that are compared therefore have different sensors
(`sslmepr.association.scores.SENSORS`).

The heterotrait-monotrait ratio (HTMT; Henseler, Ringle and Sarstedt 2015) estimates the
correlation of two constructs as if they were measured without error: the mean
correlation of their scores, relative to the geometric mean of those within each. Here
it is taken over modalities of different sensors alone, since modalities, unlike the
items of a questionnaire, measure both constructs and would bring their errors into it.

References
----------
Campbell, D. T., & Fiske, D. W. (1959). Convergent and discriminant validation by the
multitrait-multimethod matrix. Psychological Bulletin, 56, 81-105.

Henseler, J., Ringle, C. M., & Sarstedt, M. (2015). A new criterion for assessing
discriminant validity in variance-based structural equation modeling. Journal of the
Academy of Marketing Science, 43, 115-135.
"""

from itertools import combinations, permutations
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.special import logit

from sslmepr.association.correlation import FEWEST_SPEAKERS
from sslmepr.association.disjoint_modalities import CORRELATED, PROBABILITY_CLIP
from sslmepr.association.scores import SENSORS
from sslmepr.labels import MODALITIES, select
from sslmepr.params import Params
from sslmepr.statistics.cluster_bootstrap import Clusters, interval
from sslmepr.statistics.metrics import ratio

CUTOFF = 0.85
"""HTMT above which two constructs are said not to be distinct. A convention, of which
a more lenient form is .90; that it is below 1 is what a test can show."""

CONSTANT = 1e-9
"""Variance of standardised scores that counts as none."""


class MeasurementError(ValueError):
    """What is to be computed is not defined for these clips."""


class UnimodalScores(NamedTuple):
    """Scores of clips, by modality and construct.

    Attributes
    ----------
    scores : (clip, modality, construct) ndarray
        Logits; NaN where a clip lacks a modality.
    modalities : list of str
    speakers : (clip,) ndarray of str
    """

    scores: np.ndarray
    modalities: list[str]
    speakers: np.ndarray


class Multitrait(NamedTuple):
    """A multitrait-multimethod matrix with its replicates.

    Attributes
    ----------
    matrix : (1 + replicate, modality, construct, modality, construct) ndarray
        Correlations over the clips that have both modalities, first of the sample
        itself and then of the cluster bootstrap; NaN where a score does not vary.
    modalities : list of str
    n, n_speakers : int
    """

    matrix: np.ndarray
    modalities: list[str]
    n: int
    n_speakers: int


def unimodal_scores(
    predictions: pd.DataFrame, speaker_ids: pd.Series
) -> UnimodalScores:
    """Read off what the models of single modalities say about clips.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, stage, modality, target, predicted of one corpus; rows of stage 1
        (``unimodal``) are used, whose models know one modality and one task each.
    speaker_ids : Series
        clip_id to speaker_id.

    Returns
    -------
    UnimodalScores
        Modalities in the order of the labels, clips in that of their names.

    Raises
    ------
    MeasurementError
        If there are fewer than two modalities, or too few clips or speakers.
    """
    rows = select(predictions, stage="unimodal")
    rows = rows[rows["target"].isin(CORRELATED)]
    modalities = [name for name in MODALITIES if name in set(rows["modality"])]
    if len(modalities) < 2:
        raise MeasurementError(
            "modalities cannot be compared: two are needed, and "
            f"{len(modalities)} predicted clips"
        )
    keys = ["clip_id", "modality", "target"]
    wide = rows.groupby(keys)["predicted"].mean().unstack(["modality", "target"])
    columns = pd.MultiIndex.from_product([modalities, CORRELATED])
    values = wide.reindex(columns=columns).to_numpy(float)
    values = values.reshape(-1, len(modalities), len(CORRELATED))
    speakers = wide.index.map(speaker_ids).to_numpy()
    whole = np.isfinite(values).all(2).sum(1) > 1
    count = len(pd.unique(speakers[whole]))
    if count < FEWEST_SPEAKERS:
        raise MeasurementError(
            f"modalities cannot be compared: {count} speakers have clips with two, and "
            f"{FEWEST_SPEAKERS} are needed"
        )
    limits = PROBABILITY_CLIP, 1 - PROBABILITY_CLIP
    return UnimodalScores(logit(np.clip(values, *limits)), modalities, speakers)


def multitrait(measured: UnimodalScores, resamples: int, seed: int) -> Multitrait:
    """Correlate the scores of all constructs from all modalities.

    Parameters
    ----------
    measured : UnimodalScores
    resamples : int
        Replicates of the cluster bootstrap over speakers.
    seed : int

    Returns
    -------
    Multitrait

    Raises
    ------
    MeasurementError
        If all modalities have the same sensor.
    """
    if len({SENSORS[name] for name in measured.modalities}) < 2:
        raise MeasurementError(
            "modalities cannot be compared: all are recorded with the same sensor, so "
            "that their errors are not independent"
        )
    scores = measured.scores
    clusters = Clusters(measured.speakers, resamples, seed)
    there = np.isfinite(scores).all(2)
    centre, scale = (f(scores, axis=0) for f in (np.nanmean, np.nanstd))
    scores = (scores - centre) / np.where(scale > 0, scale, 1.0)
    count, constructs = scores.shape[1:]
    matrix = None
    for m in range(count):
        for k in range(m, count):
            both = there[:, m] & there[:, k]
            pair = [np.where(both[:, None], scores[:, p], 0.0) for p in (m, k)]
            found = _correlations(clusters, both, *pair)
            if matrix is None:
                shape = len(found), count, constructs, count, constructs
                matrix = np.empty(shape)
            matrix[:, m, :, k], matrix[:, k, :, m] = found, found.transpose(0, 2, 1)
    return Multitrait(matrix, measured.modalities, clusters.n, clusters.n_clusters)


def _correlations(clusters: Clusters, both, first, second) -> np.ndarray:
    """Pearson correlations of columns, (1 + replicate, first, second)."""
    n = np.maximum(clusters.total(both), 1e-12)[:, None]
    means = [clusters.total(each) / n for each in (first, second)]
    spread = [
        clusters.total(each**2) / n - mean**2
        for each, mean in zip((first, second), means, strict=True)
    ]
    products = clusters.total(first[:, :, None] * second[:, None])
    shared = products / n[..., None] - means[0][:, :, None] * means[1][:, None]
    size = np.sqrt(
        np.where(spread[0] > CONSTANT, spread[0], 0.0)[:, :, None]
        * np.where(spread[1] > CONSTANT, spread[1], 0.0)[:, None]
    )
    return np.clip(ratio(shared, size), -1, 1)


def _crossed(found: Multitrait) -> list[tuple[int, int]]:
    """Ordered pairs of modalities of different sensors."""
    sensors = [SENSORS[name] for name in found.modalities]
    pairs = permutations(range(len(sensors)), 2)
    return [(m, k) for m, k in pairs if sensors[m] != sensors[k]]


def convergent(found: Multitrait) -> np.ndarray:
    """Mean correlation of each construct with itself over modalities of two sensors.

    Returns
    -------
    (1 + replicate, construct) ndarray
        NaN where no pair of modalities has a defined correlation.
    """
    pairs = [(m, k) for m, k in _crossed(found) if m < k]
    same = [np.diagonal(found.matrix[:, m, :, k], 0, 1, 2) for m, k in pairs]
    return _mean(np.stack(same), 0)


def heteromethod(found: Multitrait) -> np.ndarray:
    """Mean correlation of two constructs over pairs of modalities of two sensors.

    Returns
    -------
    (1 + replicate, construct, construct) ndarray
        Symmetric; `convergent` is its diagonal.
    """
    pairs = _crossed(found)
    return _mean(np.stack([found.matrix[:, m, :, k] for m, k in pairs]), 0)


def _mean(values: np.ndarray, axis) -> np.ndarray:
    """Mean of the defined values along an axis or several."""
    known = np.isfinite(values)
    return ratio(np.where(known, values, 0.0).sum(axis), known.sum(axis))


def convergent_table(found: Multitrait, confidence: float) -> pd.DataFrame:
    """Compare, for each construct, the four kinds of cells of the matrix.

    Parameters
    ----------
    found : Multitrait
    confidence : float

    Returns
    -------
    DataFrame
        construct, convergent, low, high, interval (its kind), heteromethod and
        monomethod (mean absolute correlation with the other constructs, from different
        sensors and from the same modality), exceeds (share of the comparisons in which
        a correlation of the construct with itself is larger in size than one with
        another, in the same row or column and from the same two modalities: the second
        criterion of Campbell and Fiske), n, n_speakers.
    """
    own = convergent(found)
    low, high, kind = interval(own, found.n_speakers, confidence)
    matrix, methods = found.matrix[0], range(len(found.modalities))
    rows = []
    for place, construct in enumerate(CORRELATED):
        others = np.arange(len(CORRELATED)) != place
        here = matrix[:, place]  # (modality, modality, construct)
        apart, exceeds = [], []
        for m, k in _crossed(found):
            row, column = here[m, k, others], matrix[m, others, k, place]
            compared = np.abs(np.concatenate([row, column]))
            larger = here[m, k, place] > compared
            exceeds.append(np.where(np.isfinite(compared), larger, np.nan))
            apart.append(np.abs(row))
        together = [np.abs(here[m, m, others]) for m in methods]
        kinds = (apart, together, exceeds)
        means = [float(_mean(np.stack(each), (0, 1))) for each in kinds]
        rows.append(
            (construct, own[0, place], low[place], high[place], kind[place], *means)
        )
    columns = "construct convergent low high interval heteromethod monomethod exceeds"
    table = pd.DataFrame(rows, columns=columns.split())
    return table.assign(n=found.n, n_speakers=found.n_speakers)


def htmt_table(found: Multitrait, confidence: float) -> pd.DataFrame:
    """Heterotrait-monotrait ratio of every pair of constructs.

    Parameters
    ----------
    found : Multitrait
    confidence : float

    Returns
    -------
    DataFrame
        construct, other, htmt (signed), low, high, interval (its kind), below (smaller
        in size than `CUTOFF`, a convention), distinct (its interval lies within -1 to
        1), n, n_speakers, reason (why it is undefined; else empty).
    """
    mean = heteromethod(found)
    own = np.diagonal(mean, 0, 1, 2)
    size = np.sqrt(np.where(own > 0, own, np.nan))
    pairs = [*combinations(range(len(CORRELATED)), 2)]
    values = np.stack(
        [mean[:, i, j] / (size[:, i] * size[:, j]) for i, j in pairs], axis=1
    )
    low, high, kind = interval(values, found.n_speakers, confidence)
    rows = []
    for place, (i, j) in enumerate(pairs):
        without = [CORRELATED[each] for each in (i, j) if not own[0, each] > 0]
        reason = ""
        if without:
            reason = f"modalities do not agree on {' and '.join(without)}"
        rows.append(
            {
                "construct": CORRELATED[i],
                "other": CORRELATED[j],
                "htmt": values[0, place],
                "low": low[place],
                "high": high[place],
                "interval": kind[place],
                "below": bool(abs(values[0, place]) < CUTOFF),
                "distinct": bool(low[place] > -1 and high[place] < 1),
                "n": found.n,
                "n_speakers": found.n_speakers,
                "reason": reason,
            }
        )
    return pd.DataFrame(rows)


def study_multitrait(
    params: Params, predictions: pd.DataFrame, clips: pd.DataFrame
) -> tuple[Multitrait | None, str]:
    """Matrix of the held-out clips of a study, or why there is none.

    Parameters
    ----------
    params : Params
        ``roles.held_out``, ``association.resamples`` and the seed are used.
    predictions : DataFrame
        Of the stage ``evaluate``.
    clips : DataFrame
        Of `sslmepr.training.clips.StudyClips`.

    Returns
    -------
    found : Multitrait or None
    refused : str
        Empty if it is defined.
    """
    mine, speakers = held_out(params, predictions, clips)
    try:
        measured = unimodal_scores(mine, speakers)
        return multitrait(measured, params.association.resamples, params.seed), ""
    except MeasurementError as error:
        return None, str(error)


def held_out(
    params: Params, predictions: pd.DataFrame, clips: pd.DataFrame
) -> tuple[pd.DataFrame, pd.Series]:
    """Predictions of the held-out corpus, and the speakers of its clips.

    Parameters
    ----------
    params, predictions, clips
        As of `study_multitrait`.

    Returns
    -------
    predictions : DataFrame
    speaker_ids : Series
        clip_id to speaker_id.
    """
    mine = clips[clips["corpus"] == params.roles.held_out]
    return (
        predictions[predictions["corpus"].isin(mine["part"].unique())],
        mine.set_index("clip_id")["speaker_id"],
    )
