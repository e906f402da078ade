"""Agreement of a study's associations with published self-report correlations.

Self-reports are about experienced emotion and one's own traits; the associations of a
study are about displayed emotion and traits as strangers perceive them. Their sizes are
not comparable, but their signs and pattern over cells are. Three comparisons are made:

``signs``
    do cells have the direction that was fixed before the comparison was run?
``pattern``
    do the correlations of the cells correlate with those of self-reports?
``control``
    how large are the cells of surprise, the negative control?

The cells of a table are dependent, so that a binomial test of signs would be wrong. The
permutation test knows: it recomputes the agreement for all permutations of the emotions
(rows) of the study's table.
"""

from itertools import permutations

import numpy as np
import pandas as pd

from sslmepr.association.cross_table import CrossAssociations
from sslmepr.association.grid import CELL, SHAPE, cell_index, cell_matrix
from sslmepr.association.recovery import centred_interval
from sslmepr.association.self_reports import pooled_reports
from sslmepr.association.sources import CROSS
from sslmepr.association.study_associations import Associations
from sslmepr.params import Params
from sslmepr.statistics.cluster_bootstrap import FEWEST_FOR_BOOTSTRAP, NONE
from sslmepr.statistics.metrics import matrix_correlation

COLUMNS = ["comparison", "against", "estimate", "low", "high", "interval"]
COLUMNS += ["p_permutation", "n_cells", "reason"]

TOGETHER = "together"
"""Stands for the corpus of associations that come from all corpora."""

FEWEST_PEOPLE = FEWEST_FOR_BOOTSTRAP
"""Tables of fewer speakers are not compared, for lack of a bootstrap interval."""

FEWEST_EMOTIONS = 4
"""Fewer emotions in common leave too few distinct permutations for a test."""


def study_people(
    found: Associations,
    params: Params,
    reports: pd.DataFrame,
    directions: pd.DataFrame,
    crossed: CrossAssociations | None = None,
) -> pd.DataFrame:
    """Compare every corpus and source of a study.

    Parameters
    ----------
    found : Associations
        Tables over clips of at least `FEWEST_PEOPLE` speakers are used.
    params : Params
        The confidence level and the seed are used.
    reports : DataFrame
        From :func:`sslmepr.association.self_reports.read_self_reports`.
    directions : DataFrame
        From :func:`sslmepr.association.self_reports.read_directions`.
    crossed : CrossAssociations, optional
        The associations of the labels, if they are identified; they are compared first.

    Returns
    -------
    DataFrame
        corpus (of all corpora: `TOGETHER`), source, and the columns of
        `compare_people`.
    """
    names = ["corpus", "source"]
    table, draws = found
    if crossed is not None:
        table = pd.concat([crossed.table.assign(corpus=TOGETHER), table])
        draws = {**draws, (TOGETHER, CROSS): crossed.draws}
    over_clips = table[table["level"] == "clip"]
    parts = []
    for key, mine in over_clips.groupby(names, sort=False):
        if mine["n_speakers"].max() < FEWEST_PEOPLE:
            continue
        compared = compare_people(
            mine,
            draws[key],
            reports,
            directions,
            params.association.confidence,
            params.seed,
        )
        parts.append(compared.assign(**dict(zip(names, key, strict=True))))
    if not parts:
        return pd.DataFrame([], columns=[*names, *COLUMNS])
    return pd.concat(parts, ignore_index=True)[[*names, *COLUMNS]]


def compare_people(
    found: pd.DataFrame,
    draws: pd.DataFrame,
    reports: pd.DataFrame,
    directions: pd.DataFrame,
    confidence: float,
    seed: int,
) -> pd.DataFrame:
    """Compare one table of associations with directions and self-reports.

    Parameters
    ----------
    found : DataFrame
        One level of one source: emotion, trait, r, n_speakers.
    draws : DataFrame
        Its bootstrap replicates over speakers: resample, emotion, trait, r.
    reports, directions : DataFrame
        As for :func:`study_people`.
    confidence : float
        Confidence level of the intervals.
    seed : int
        Seed of the simulated sampling error of the self-reports.

    Returns
    -------
    DataFrame
        comparison (``signs``, ``pattern`` or ``control``), against (``directions``, or
        the source of the self-reports), estimate (share of signs that agree;
        correlation over cells; mean absolute r), low, high, interval (which kind),
        p_permutation (one-sided; for the control, against the alternative that its
        cells are small), n_cells, reason (why the estimate is undefined; else empty).
    """
    model = cell_matrix(found, "r")
    drawn = _drawn(draws)
    how = {"confidence": confidence, "n_speakers": int(found["n_speakers"].max())}
    rows = [_signs(model, drawn, directions, how)]
    for source, mine in reports.groupby("source", sort=False):
        rows.append(_pattern(model, drawn, mine, how, seed) | {"against": source})
    rows.append(_control(model, drawn, directions, how))
    otherwise = {"reason": "", "interval": NONE}
    return pd.DataFrame([otherwise | row for row in rows], columns=COLUMNS)


def _drawn(draws: pd.DataFrame) -> np.ndarray:
    """Replicates as an array (resample, emotion, trait)."""
    wide = draws.pivot(index="resample", columns=CELL, values="r")
    return wide.reindex(columns=cell_index()).to_numpy(float).reshape(-1, *SHAPE)


def _orders() -> np.ndarray:
    """All permutations of the emotions, the identity first."""
    return np.array([*permutations(range(SHAPE[0]))])


def _p(values: np.ndarray) -> float:
    """Permutation p-value: share of values that are at least the first, the observed.

    Undefined values count as at least the observed one, which is conservative.
    """
    less = values < values[0] - 1e-12
    return float(1 - less.mean())


def _hit_rate(matrices: np.ndarray, sign: np.ndarray) -> np.ndarray:
    """Share of the cells with a direction that have its sign, by matrix."""
    directed = (sign == 1) | (sign == -1)
    cells = matrices[..., directed]
    known = np.isfinite(cells)
    hits = (np.sign(cells) == sign[directed]) & known
    with np.errstate(invalid="ignore"):
        return hits.sum(-1) / known.sum(-1)


def _signs(model, drawn, directions: pd.DataFrame, how: dict) -> dict:
    sign = cell_matrix(directions, "sign")
    directed = (sign == 1) | (sign == -1)
    n = int(np.isfinite(model[directed]).sum())
    row = {"comparison": "signs", "against": "directions", "n_cells": n}
    if n == 0:
        return row | {"reason": "no directed cell is defined"}
    rates = _hit_rate(model[_orders()], sign)
    spread = _hit_rate(drawn, sign)
    low, high, kind = centred_interval(spread, rates[0], "sign_agreement", **how)
    return row | {
        "estimate": rates[0],
        "low": low,
        "high": high,
        "interval": kind,
        "p_permutation": _p(rates),
    }


def _pattern(model, drawn, reports: pd.DataFrame, how: dict, seed: int) -> dict:
    pooled = pooled_reports(reports)
    human, error = cell_matrix(pooled, "r"), cell_matrix(pooled, "error")
    both = np.isfinite(human) & np.isfinite(model)
    row = {"comparison": "pattern", "n_cells": int(both.sum())}
    if both.any(axis=1).sum() < FEWEST_EMOTIONS:
        return row | {"reason": f"fewer than {FEWEST_EMOTIONS} emotions in common"}
    z = np.arctanh(human)
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(drawn.shape) * np.nan_to_num(error)
    estimates = matrix_correlation(model[_orders()], human)
    low, high, kind = centred_interval(
        matrix_correlation(drawn, np.tanh(z + noise)),
        estimates[0],
        "correlation",
        **how,
    )
    return row | {
        "estimate": estimates[0],
        "low": low,
        "high": high,
        "interval": kind,
        "p_permutation": _p(estimates),
    }


def _control(model, drawn, directions: pd.DataFrame, how: dict) -> dict:
    nothing = cell_matrix(directions, "sign") == 0
    n = int(np.isfinite(model[nothing]).sum())
    row = {"comparison": "control", "against": "directions", "n_cells": n}
    if n == 0:
        return row | {"reason": "no cell of the negative control is defined"}
    sizes = _mean_size(model[_orders()], nothing)
    low, high, kind = centred_interval(
        _mean_size(drawn, nothing), sizes[0], "size", **how
    )
    return row | {
        "estimate": sizes[0],
        "low": max(low, 0.0),
        "high": high,
        "interval": kind,
        "p_permutation": _p(-sizes),  # small values support the expectation
    }


def _mean_size(matrices: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Mean absolute correlation over the chosen cells, by matrix."""
    cells = matrices[..., chosen]
    known = np.isfinite(cells)
    with np.errstate(invalid="ignore"):
        return np.where(known, np.abs(cells), 0.0).sum(-1) / known.sum(-1)
