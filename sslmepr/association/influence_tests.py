"""Intervals and tests of estimates by the influence of speakers."""

from collections.abc import Sequence

import numpy as np
from scipy import stats

FISHER = 0.6
"""Correlation above which a symmetric interval could leave -1..1."""


def intervals(
    estimate: np.ndarray, error: np.ndarray, confidence: float, n_speakers: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intervals and p-values of associations.

    Parameters
    ----------
    estimate, error : (...) arrays
        Beyond a correlation of `FISHER`, on the scale of Fisher's z.
    confidence : float
    n_speakers : int

    Returns
    -------
    low, high, p : (...) ndarrays
        Ends lie in -1..1, as correlations do: what is cut off holds none of them.
    """
    freedom = max(n_speakers - 1, 1)
    quantile = stats.t.ppf((1 + confidence) / 2, freedom)
    low, high = estimate - quantile * error, estimate + quantile * error
    z = np.arctanh(np.clip(estimate, -0.999, 0.999))
    width = quantile * error / (1 - np.tanh(z) ** 2)
    strong = np.abs(estimate) > FISHER
    low = np.where(strong, np.tanh(z - width), low)
    high = np.where(strong, np.tanh(z + width), high)
    low, high = np.clip([low, high], -1, 1)
    return low, high, 2 * stats.t.sf(np.abs(estimate) / error, freedom)


def largest_t(
    influence: Sequence[np.ndarray], error: np.ndarray, draws: int, seed: int
) -> np.ndarray:
    """Largest |t| over a family of cells if nothing were associated.

    Influence of speakers is multiplied by random signs (Rademacher multipliers).

    Parameters
    ----------
    influence : sequence of (speaker, ...) arrays
    error : (...) array
    draws : int
    seed : int

    Returns
    -------
    (draw,) ndarray
    """
    drawn = multiplied(influence, draws, seed) / error
    return np.abs(drawn).reshape(draws, -1).max(1)


def multiplied(influence: Sequence[np.ndarray], draws: int, seed: int) -> np.ndarray:
    """Deviations of the associations under random signs of speakers: (draw, ...)."""
    rng = np.random.default_rng(seed)
    every = np.concatenate(influence)
    signs = rng.choice([-1.0, 1.0], (draws, len(every)))
    return np.tensordot(signs, every, 1)
