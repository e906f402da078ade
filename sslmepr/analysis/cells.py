"""The 30 cells of an association table as sums over speakers.

A correlation is a function of six sums (count, two sums, three sums of products), a
partial correlation of ten. Kept per speaker, they give the estimate (their total), the
bootstrap (totals with speakers drawn anew) and the jackknife (the total less one
speaker) for all cells at once.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from sslmepr.analysis.resampling import speaker_index, sum_by_speaker
from sslmepr.labels import SCORED_EMOTIONS, TRAITS

CELLS = [(emotion, trait) for emotion in SCORED_EMOTIONS for trait in TRAITS]

FEWEST_SPEAKERS = 3
CONSTANT = 1e-9
"""A column whose variance falls below this share of its scale does not vary."""


@dataclass(frozen=True)
class Cells:
    """The values that enter each of the 30 cells, as (row, cell) arrays.

    `values` has one more axis in front: emotion, trait and, with halo control, the mean
    of the other traits. `used` is False where a row lacks one of them.
    """

    values: np.ndarray
    used: np.ndarray
    index: np.ndarray
    n_speakers: int
    scale: np.ndarray


def build_cells(table: pd.DataFrame, halo: bool) -> Cells:
    """Standardised values of each cell, from a wide per-clip table."""
    emotions = table[[f"emotion_{e}" for e in SCORED_EMOTIONS]].to_numpy(dtype=float)
    traits = table[[f"trait_{t}" for t in TRAITS]].to_numpy(dtype=float)
    sides = [np.repeat(emotions, len(TRAITS), axis=1), _tile(traits)]
    if halo:
        others = (traits.sum(axis=1, keepdims=True) - traits) / (len(TRAITS) - 1)
        sides.append(_tile(others))
    values = np.stack(sides)  # (side, clip, cell)
    used = np.isfinite(values).all(axis=0)
    index, n_speakers = speaker_index(table["speaker_id"])
    scale = _spread(values, used)
    values = np.where(used, values - _mean(values, used)[:, None], 0.0)
    values /= np.where(scale > 0, scale, 1.0)[:, None]
    return Cells(values, used, index, n_speakers, scale)


def _tile(traits: np.ndarray) -> np.ndarray:
    return np.tile(traits, (1, len(SCORED_EMOTIONS)))


def _mean(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    n = np.maximum(used.sum(axis=0), 1)
    return np.where(used, values, 0.0).sum(axis=1) / n


def _spread(values: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Standard deviation (side, cell); zero where only rounding varies."""
    deviation = np.where(used, values - _mean(values, used)[:, None], 0.0)
    spread = np.sqrt((deviation**2).sum(axis=1) / np.maximum(used.sum(axis=0), 1))
    size = np.abs(np.where(used, values, 0.0)).max(axis=1, initial=0.0)
    return np.where(spread > CONSTANT * size, spread, 0.0)


def at_level(cells: Cells, level: str) -> Cells:
    """The same cells over clips, over speakers' means, or over deviations from them."""
    if level == "clip":
        return cells
    n = sum_by_speaker(cells.used, cells.index, cells.n_speakers)  # (speaker, cell)
    means = np.stack(
        [sum_by_speaker(side, cells.index, cells.n_speakers) for side in cells.values]
    ) / np.maximum(n, 1)
    if level == "between":
        return Cells(
            means, n > 0, np.arange(cells.n_speakers), cells.n_speakers, cells.scale
        )
    deviations = np.where(cells.used, cells.values - means[:, cells.index], 0.0)
    return Cells(deviations, cells.used, cells.index, cells.n_speakers, cells.scale)


def moments_by_speaker(cells: Cells) -> np.ndarray:
    """Count, sums and sums of products per speaker: (speaker, moment, cell)."""
    sides = len(cells.values)
    columns = [cells.used, *cells.values]
    columns += [
        cells.values[i] * cells.values[j] for i in range(sides) for j in range(i, sides)
    ]
    sums = [sum_by_speaker(column, cells.index, cells.n_speakers) for column in columns]
    return np.stack(sums, axis=1)


def correlation(moments: np.ndarray) -> np.ndarray:
    """Correlation, or partial correlation, from moments (..., moment, cell)."""
    sides = 2 if moments.shape[-2] == 6 else 3
    n = np.maximum(moments[..., 0, :], 1)
    mean = [moments[..., 1 + i, :] / n for i in range(sides)]
    pairs = [(i, j) for i in range(sides) for j in range(i, sides)]
    cov = {
        (i, j): moments[..., 1 + sides + k, :] / n - mean[i] * mean[j]
        for k, (i, j) in enumerate(pairs)
    }
    if sides == 3:
        cov = _partial_out(cov)
    xx, yy = cov[0, 0], cov[1, 1]
    defined = (xx > CONSTANT) & (yy > CONSTANT)
    scale = np.sqrt(np.where(defined, xx * yy, 1.0))
    return np.where(defined, np.clip(cov[0, 1] / scale, -1, 1), np.nan)


def _partial_out(cov: dict) -> dict:
    """Covariances of what is left of sides 0 and 1 after regression on side 2."""
    varies = cov[2, 2] > CONSTANT
    divisor = np.where(varies, cov[2, 2], 1.0)
    return {
        (i, j): np.where(varies, cov[i, j] - cov[i, 2] * cov[j, 2] / divisor, cov[i, j])
        for i, j in [(0, 0), (0, 1), (1, 1)]
    }


def jackknife_p(
    moments: np.ndarray, r: np.ndarray, n_speakers: np.ndarray
) -> np.ndarray:
    """Two-sided p-value of r = 0, leaving out one speaker at a time."""
    left_out = correlation(moments.sum(axis=0) - moments)  # (speaker, cell)
    counted = (moments[:, 0] > 0) & np.isfinite(left_out)
    z = _fisher_z(np.where(counted, left_out, 0.0))
    n = np.maximum(n_speakers, 2)
    centre = np.where(counted, z, 0.0).sum(axis=0) / np.maximum(counted.sum(axis=0), 1)
    variance = (n - 1) / n * (np.where(counted, z - centre, 0.0) ** 2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = _fisher_z(np.nan_to_num(r)) / np.sqrt(variance)
    p = 2 * stats.t.sf(np.abs(t), n - 1)
    return np.where(np.isnan(r) | (variance <= 0), np.nan, p)


def _fisher_z(r: np.ndarray) -> np.ndarray:
    return np.arctanh(np.clip(r, -1 + 1e-12, 1 - 1e-12))


def reasons(
    cells: Cells, level: str, n_speakers: np.ndarray, r: np.ndarray
) -> list[str]:
    """Why r is undefined, per cell; empty where it is defined."""
    varies = (_spread(cells.values, cells.used) > CONSTANT) & (cells.scale > 0)
    return [
        "" if defined else _reason(level, names, few, varies[:, cell])
        for cell, (names, few, defined) in enumerate(
            zip(CELLS, n_speakers, np.isfinite(r), strict=True)
        )
    ]


def _reason(level: str, names: tuple, n_speakers: int, varies: np.ndarray) -> str:
    if n_speakers < FEWEST_SPEAKERS:
        return f"only {n_speakers} speakers have both values"
    constant = [name for name, ok in zip(names, varies, strict=False) if not ok]
    verb = "do" if len(constant) > 1 else "does"
    if constant and level == "clip":
        return f"{' and '.join(constant)} {verb} not vary"
    if constant:
        return f"{' and '.join(constant)} {verb} not vary {level} speakers"
    return "nothing is left once the other traits are partialled out"
