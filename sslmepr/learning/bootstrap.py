"""Intervals by resampling speakers, for metrics that are functions of sums over clips.

Clips of one speaker are alike, so speakers are drawn with replacement and not clips.
That only re-weights the sums of each speaker: all resamples of all targets are one
matrix product.
"""

import numpy as np
import pandas as pd

COLUMNS = ["metric", "target", "estimate", "low", "high", "n", "n_speakers", "targets"]

Draws = dict[tuple[str, str], np.ndarray]
"""(metric, target) to its values: (1 + resample,)."""


class Speakers:
    """Clips grouped by speaker, and how often each speaker is drawn in each resample.

    Parameters
    ----------
    speaker_ids : (clip,) array of str
    resamples : int
        Number of bootstrap resamples; 0 gives no interval.
    seed : int
    """

    def __init__(self, speaker_ids, resamples: int, seed: int):
        self.ids, self.index = np.unique(
            np.asarray(speaker_ids, dtype=str), return_inverse=True
        )
        self.n, self.n_speakers = len(self.index), len(self.ids)
        if self.n == 0:
            raise ValueError("a metric needs at least one clip, got none")
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(
            self.n_speakers, np.full(self.n_speakers, 1 / self.n_speakers), resamples
        )
        self._weights = np.vstack([np.ones(self.n_speakers), drawn])

    def total(self, values: np.ndarray) -> np.ndarray:
        """Sums over clips in the sample itself and in each resample.

        Parameters
        ----------
        values : (clip, ...) array

        Returns
        -------
        (1 + resample, ...) array
        """
        if len(values) != self.n:
            raise ValueError(f"{self.n} speaker ids, but {len(values)} clips of values")
        flat = np.asarray(values, dtype=float).reshape(self.n, -1)
        sums = np.zeros((self.n_speakers, flat.shape[1]))
        np.add.at(sums, self.index, flat)
        return (self._weights @ sums).reshape(-1, *np.shape(values)[1:])


def tabulate(draws: Draws, speakers: Speakers, level: float) -> pd.DataFrame:
    """Estimates with percentile intervals.

    Returns
    -------
    DataFrame
        Columns metric, target, estimate, low, high, n (clips), n_speakers and targets
        (over how many defined targets a mean was taken). Without resamples, or with a
        single speaker, the interval is NaN.
    """
    tails = [(1 - level) / 2, (1 + level) / 2]
    defined = _count_defined(draws)
    rows = []
    for (metric, target), values in draws.items():
        kept = values[1:][~np.isnan(values[1:])]
        known = len(kept) > 0 and speakers.n_speakers > 1 and not np.isnan(values[0])
        low, high = np.quantile(kept, tails) if known else (np.nan, np.nan)
        counted = defined[metric] if target == "mean" else int(not np.isnan(values[0]))
        rows.append((metric, target, values[0], low, high, counted))
    table = pd.DataFrame(rows, columns=[*COLUMNS[:5], "targets"])
    return table.assign(n=speakers.n, n_speakers=speakers.n_speakers)[COLUMNS]


_MEAN_OF = {
    "mWACC": "WACC",
    "mUAR": "WACC",
    "mF1": "F1",
    "mAUC": "AUC",
    "mACC": "ACC",
    "macro F1": "class F1",
    "weighted F1": "class F1",
    "UAR": "recall",
}


def _count_defined(draws: Draws) -> dict[str, int]:
    counts = {}
    for metric, _ in draws:
        single = _MEAN_OF.get(metric, metric)
        counts[metric] = sum(
            not np.isnan(values[0])
            for (name, other), values in draws.items()
            if name == single and other != "mean"
        )
    return counts
