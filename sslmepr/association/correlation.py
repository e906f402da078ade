"""Correlations of emotions with traits, with cluster-robust intervals and tests.

No clip of the training corpora carries both labels, so at least one side of a
correlation is usually predicted; `source` names which. There are three levels of
aggregation:

``clip``
    over all clips;
``between``
    over speaker means: do people who show more of an emotion have more of a trait?
``within``
    over clips centred by speaker: is a trait stronger in the clips that show more of an
    emotion?

Intervals come from the cluster bootstrap over speakers
(:mod:`sslmepr.statistics.cluster_bootstrap`), p-values from a cluster-robust score test
(:func:`sslmepr.association.cell_tests.clustered_p`); the ordinary test of a correlation
has too many false positives if clips of a speaker are alike. The family for the
correction of p-values is all defined cells of one level. Intervals and p-values cover
the sampling of test speakers. With `refits` (predictors fitted to bootstrap samples of
the training speakers) they also cover the sampling of the training speakers.

On clustered data: Cameron, A. C. and Miller, D. L. (2015), A practitioner's guide to
cluster-robust inference, Journal of Human Resources, 50, 317-372.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from sslmepr.association.cell_tests import (
    FEWEST_SPEAKERS,
    Cells,
    at_level,
    build_cells,
    clustered_p,
    correlation,
    moments_by_speaker,
    reasons,
)
from sslmepr.association.grid import CELL, CELLS, cell_index
from sslmepr.association.sources import DISJOINT, SOURCES, sides
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.statistics.cluster_bootstrap import (
    FEWEST_FOR_BOOTSTRAP,
    NONE,
    interval,
    replicated_totals,
)

LEVELS = ("clip", "between", "within")
LARGEST_R = 1 - 1e-9
"""Correlations are clipped to it, so that Fisher's z is finite."""


def association(
    table: pd.DataFrame,
    source: str,
    resamples: int,
    confidence: float,
    correction: str,
    alpha: float,
    seed: int,
    levels: tuple[str, ...] = LEVELS,
    refits: Sequence[pd.DataFrame] = (),
) -> pd.DataFrame:
    """Correlation of every scored emotion with every trait.

    Parameters
    ----------
    table : DataFrame
        One row per clip (several with `DISJOINT`): ``clip_id``, ``speaker_id``,
        ``emotion_*`` for the six scored emotions and ``trait_*`` for the five traits. A
        clip without a value (NaN) is left out of the cells that need it; `n` counts
        those that remain.
    source : str
        What the two sides are, one of `sslmepr.association.sources.SOURCES` or
        `DISJOINT`; kept in the result.
    resamples : int
        Bootstrap resamples of speakers.
    confidence : float
        Confidence level of the interval, for example 0.95.
    correction : str
        Any method of ``statsmodels.stats.multitest.multipletests``.
    alpha : float
        Cells whose corrected p-value does not exceed it are called significant.
    seed : int
        Seed of the resampling.
    levels : tuple of {"clip", "between", "within"}
        Levels of aggregation.
    refits : sequence of DataFrame
        Tables like `table`, predicted by refits to bootstrap samples of the training
        speakers; at least two, or none.

    Returns
    -------
    DataFrame
        source, emotion, trait, level, r, low, high, interval (which kind), p,
        p_corrected, significant, training_error (standard deviation of r over refits;
        NaN without them), n (clips), n_speakers, reason. Where r is undefined, it and
        all columns computed from it are NaN, and `reason` explains why; elsewhere
        `reason` is empty.

    Raises
    ------
    ValueError
        If a column is missing or infinite, or `source` or a level is unknown.
    """
    _check(table, source, levels)
    parts = []
    for name in levels:
        cells = at_level(build_cells(table), name)
        others = _refitted(refits, name)
        part = _estimate(cells, name, resamples, confidence, seed, others)
        part["p_corrected"], part["significant"] = _correct(
            part["p"].to_numpy(), correction, alpha
        )
        parts.append(part.assign(level=name))
    result = pd.concat(parts, ignore_index=True).assign(source=source)
    if source == DISJOINT:
        result["n"] //= max(1, len(table) // table["clip_id"].nunique())
    return result[
        ["source", "emotion", "trait", "level", "r", "low", "high", "interval", "p"]
        + ["p_corrected", "significant", "training_error", "n", "n_speakers", "reason"]
    ]


def resampled_association(
    table: pd.DataFrame,
    resamples: int,
    seed: int,
    refits: Sequence[pd.DataFrame] = (),
) -> pd.DataFrame:
    """Correlations over clips in every replicate, for statistics of the whole matrix.

    Parameters
    ----------
    table, resamples, seed, refits
        As for :func:`association`.

    Returns
    -------
    DataFrame
        resample, emotion, trait, r; one row per replicate and cell. The number of
        speakers of the largest cell decides between bootstrap and jackknife.
    """
    _check(table, SOURCES[0], ("clip",))
    moments = moments_by_speaker(build_cells(table))
    most = int((moments[:, 0] > 0).sum(axis=0).max())
    refitted = _refitted(refits, "clip")
    values = _replicated(moments, resamples, seed, refitted, most)
    wide = pd.DataFrame(values[1:], columns=cell_index()).rename_axis("resample")
    return wide.stack(CELL, future_stack=True).rename("r").reset_index()


def wide_table(
    predictions: pd.DataFrame, speaker_ids: pd.Series, source: str
) -> pd.DataFrame:
    """Build the per-clip table for :func:`association` from a predictions table.

    Predictions are averaged over seeds (an ensemble) before they are correlated.

    Parameters
    ----------
    predictions : DataFrame
        clip_id, target, predicted, true (and seed) of one variant on one corpus.
    speaker_ids : Series
        clip_id to speaker_id.
    source : str
        One of `SOURCES`; decides whether `predicted` or `true` is taken.

    Returns
    -------
    DataFrame
        clip_id, speaker_id, ``emotion_*``, ``trait_*``.

    Raises
    ------
    ValueError
        If a clip has no speaker, or the table holds several variants or corpora.
    """
    for column in ("variant", "corpus"):
        if column in predictions and predictions[column].nunique() > 1:
            raise ValueError(f"predictions: several values of {column}; choose one")
    emotion_side, trait_side = sides(source)
    mean = predictions.groupby(["clip_id", "target"])[["predicted", "true"]].mean()
    wide = mean.unstack("target")
    columns = {
        f"emotion_{name}": wide[(emotion_side, name)]
        for name in SCORED_EMOTIONS
        if (emotion_side, name) in wide
    } | {
        f"trait_{name}": wide[(trait_side, name)]
        for name in TRAITS
        if (trait_side, name) in wide
    }
    table = pd.DataFrame(columns, index=wide.index).reset_index()
    unknown = set(table["clip_id"]) - set(speaker_ids.index)
    if unknown:
        raise ValueError(f"speaker_id: no speaker for clip {min(unknown)}")
    table.insert(1, "speaker_id", table["clip_id"].map(speaker_ids))
    return table


def _check(table: pd.DataFrame, source: str, levels: tuple[str, ...]) -> None:
    if source != DISJOINT:
        sides(source)
    for name in levels:
        if name not in LEVELS:
            raise ValueError(f"levels: {name!r} is none of {', '.join(LEVELS)}")
    values = [f"emotion_{name}" for name in SCORED_EMOTIONS]
    values += [f"trait_{name}" for name in TRAITS]
    for column in ["speaker_id", *values]:
        if column not in table:
            raise ValueError(f"{column}: no such column in the association table")
    for column in values:
        if np.isinf(table[column].to_numpy(dtype=float)).any():
            raise ValueError(f"{column}: holds an infinite value")


def _refitted(tables: Sequence[pd.DataFrame], level: str) -> np.ndarray:
    """Correlations from refits to other training samples: (refit, cell)."""
    rows = [
        correlation(moments_by_speaker(cells).sum(axis=0))
        for cells in (at_level(build_cells(each), level) for each in tables)
    ]
    return np.array(rows).reshape(-1, len(CELLS))


def _replicated(
    moments: np.ndarray, resamples: int, seed: int, refitted: np.ndarray, speakers: int
) -> np.ndarray:
    """Correlations of all speakers, then of replicates: (1 + replicate, cell).

    With refits, replicates also carry the error of the training sample: a bootstrap
    resample gets the deviation of a random refit, on the scale of Fisher's z; to
    jackknife replicates, one more replicate per refit is appended.
    """
    r = correlation(replicated_totals(moments, resamples, seed, speakers))
    if len(refitted) < 2 or len(r) == 1:
        return r
    z = np.arctanh(np.clip(refitted, -LARGEST_R, LARGEST_R))
    # Deviations from the sample mean have (B - 1) / B of the variance: corrected here.
    deviations = (z - z.mean(axis=0)) * np.sqrt(len(z) / (len(z) - 1))
    drawn = np.arctanh(np.clip(r, -LARGEST_R, LARGEST_R))
    if speakers < FEWEST_FOR_BOOTSTRAP:
        # Scaled so that the jackknife's formula gives the variance over refits.
        scale = np.sqrt(speakers / (speakers - 1) / len(z)) if speakers > 1 else 0.0
        return np.concatenate([r, np.tanh(drawn[0] + scale * deviations)])
    chosen = np.random.default_rng([seed, 1]).integers(len(z), size=len(r) - 1)
    return np.concatenate([r[:1], np.tanh(drawn[1:] + deviations[chosen])])


def _estimate(
    cells: Cells,
    name: str,
    resamples: int,
    confidence: float,
    seed: int,
    refitted: np.ndarray,
) -> pd.DataFrame:
    moments = moments_by_speaker(cells)
    n_speakers = (moments[:, 0] > 0).sum(axis=0)
    r = np.where(
        n_speakers >= FEWEST_SPEAKERS, correlation(moments.sum(axis=0)), np.nan
    )
    low, high = np.full((2, len(CELLS)), np.nan)
    kind = np.full(len(CELLS), NONE, dtype=object)
    for speakers in np.unique(n_speakers[np.isfinite(r)]):
        mine = (n_speakers == speakers) & np.isfinite(r)
        values = _replicated(
            moments[..., mine], resamples, seed, refitted[:, mine], speakers
        )
        low[mine], high[mine], kind[mine] = interval(values, speakers, confidence)
    # A t interval is symmetric and can exceed the range of a correlation.
    low, high = np.clip([low, high], -1, 1)
    undefined = np.isnan(r)
    error = np.full(len(CELLS), np.nan)
    if len(refitted) >= 2:
        error = refitted.std(axis=0, ddof=1)
    p = clustered_p(moments, n_speakers, np.nan_to_num(error))
    frame = pd.DataFrame(CELLS, columns=CELL)
    return frame.assign(
        r=r,
        low=low,
        high=high,
        interval=kind,
        p=np.where(undefined, np.nan, p),
        training_error=error,
        n=moments[:, 0].sum(axis=0).astype(int),
        n_speakers=n_speakers,
        reason=reasons(cells, name, n_speakers, r),
    )


def _correct(p: np.ndarray, method: str, alpha: float) -> tuple[np.ndarray, np.ndarray]:
    """Corrected p-values of the family of defined cells, and which are significant."""
    corrected = np.full(p.shape, np.nan)
    significant = np.zeros(p.shape, dtype=bool)
    defined = np.isfinite(p)
    if defined.any():
        reject, adjusted, *_ = multipletests(p[defined], alpha=alpha, method=method)
        corrected[defined], significant[defined] = adjusted, reject
    return corrected, significant
