"""Resampling of speakers: the unit that clips are nested in.

Clips of one speaker resemble each other, so a clip is not an independent observation
and resampling clips would give intervals that are too narrow. Here whole speakers are
drawn. Every statistic of the compendium that is a function of sums over clips (a
correlation, an accuracy, a concordance) needs only the sums of each speaker, and a
resample is then a row of counts times those sums.
"""

from collections.abc import Iterator

import numpy as np
from scipy import stats

LARGEST_CHUNK = 4_000_000
"""Counts held in memory at once, whatever the numbers of resamples and speakers."""


def speaker_index(speaker_ids) -> tuple[np.ndarray, int]:
    """Number the speakers in order of their names.

    Parameters
    ----------
    speaker_ids : (clip,) sequence of str
        Whose clip it is.

    Returns
    -------
    index : (clip,) ndarray of int
    count : int
        How many speakers there are.

    Raises
    ------
    ValueError
        If a clip has no speaker.
    """
    names = np.asarray(speaker_ids, dtype=object)
    for position, name in enumerate(names):
        if name is None or name != name:
            raise ValueError(f"speaker_id: clip number {position} has no speaker")
    known, index = np.unique(names.astype(str), return_inverse=True)
    return index, len(known)


def sum_by_speaker(values: np.ndarray, index: np.ndarray, count: int) -> np.ndarray:
    """Sums over the clips of each speaker.

    Parameters
    ----------
    values : (clip, ...) ndarray
    index : (clip,) ndarray of int
        As :func:`speaker_index` gives it.
    count : int
        Number of speakers.

    Returns
    -------
    (speaker, ...) ndarray of float
    """
    order = np.argsort(index, kind="stable")
    present, starts = np.unique(index[order], return_index=True)
    sums = np.zeros((count, *values.shape[1:]))
    if len(present):
        sums[present] = np.add.reduceat(
            np.asarray(values, dtype=float)[order], starts, axis=0
        )
    return sums


def speaker_counts(n_speakers: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """How often each speaker is drawn in each resample, in chunks of resamples.

    The same arguments give the same draws, so statistics computed one after the other
    are paired.

    Yields
    ------
    (resample, speaker) ndarray of float
        Each row sums to `n_speakers`.
    """
    rng = np.random.default_rng(seed)
    step = max(1, min(resamples, LARGEST_CHUNK // max(n_speakers, 1)))
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = rng.integers(n_speakers, size=(rows, n_speakers))
        drawn += n_speakers * np.arange(rows)[:, None]
        counts = np.bincount(drawn.ravel(), minlength=rows * n_speakers)
        yield counts.reshape(rows, n_speakers).astype(float)


def resampled_sums(sums: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Totals of `sums` over each resample of speakers.

    Parameters
    ----------
    sums : (speaker, ...) ndarray
    resamples, seed : int

    Returns
    -------
    (resample, ...) ndarray
    """
    flat = sums.reshape(len(sums), -1)
    totals = [counts @ flat for counts in speaker_counts(len(sums), resamples, seed)]
    return np.concatenate(totals).reshape(-1, *sums.shape[1:])


def bootstrap_interval(draws: np.ndarray, level: float, n_speakers: int) -> tuple:
    """Expanded percentile interval from bootstrap draws along axis 0.

    The plain percentile interval is too narrow for few speakers, as a normal interval
    is against Student's t; the expanded one takes percentiles further out by just that
    much. Undefined draws (NaN) are left out; where fewer than nine tenths of the draws
    are defined there is no interval, but NaN.

    Parameters
    ----------
    draws : (resample, ...) ndarray
    level : float
        Of the interval, for example 0.95.
    n_speakers : int
        How many were drawn from.

    Returns
    -------
    low, high : (...) ndarray

    Notes
    -----
    Source: Hesterberg, T. C. (2015), What teachers should know about the bootstrap, The
    American Statistician, 69, 371-386.
    """
    if n_speakers < 2:
        return np.full(draws.shape[1:], np.nan), np.full(draws.shape[1:], np.nan)
    quantile = stats.t.ppf((1 + level) / 2, n_speakers - 1)
    tail = stats.norm.sf(quantile * np.sqrt(n_speakers / (n_speakers - 1)))
    defined = np.isfinite(draws).mean(axis=0)
    filled = np.where(defined > 0, draws, 0.0)
    low, high = np.nanquantile(filled, [tail, 1 - tail], axis=0)
    enough = defined >= 0.9
    return np.where(enough, low, np.nan), np.where(enough, high, np.nan)
