r"""How strongly scores carry labels in the corpora that do not have these labels.

Three sources assume one joint law in all corpora: that a score of emotions carries as
much of an emotion in the corpus with trait labels as in its own. But a probe reads the
people, scenes and wording of its own corpus best, and in another one its scores may
carry a share :math:`\alpha` of it. Covariances with the labels of that corpus are then
too small, and with them associations.

No label is needed to see it. Covariances of the emotion scores of two modalities come
from the emotions that both carry, and are :math:`\alpha_m \alpha_k` times those of
their own corpus. Over all pairs of modalities of different sensors, the scales
:math:`\alpha` follow by least squares, with a prior towards 1. They are, by modality,
what `sslmepr.association.cue_strength` gives for a whole corpus, with an interval.
Scores over their scales carry the same in all corpora; associations from them take the
scales as known, so that their standard errors are too small.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.optimize import least_squares

from sslmepr.association.cross_source import CrossSource, cross_source
from sslmepr.association.scores import (
    IdentificationError,
    Scores,
    centred,
    of_unit_variance,
)
from sslmepr.labels import TASKS

PRIOR = 1 / 3
"""Standard deviation of the logarithm of a scale. By convention, not tuned."""

EVERY, SCALED = "all corpora", "all corpora, scales corrected"
COLUMNS = ["covariances", "slope", "correlation", "rmse", "held", "pairs"]


def domain_scales(scores: Sequence[Scores]) -> dict[str, np.ndarray]:
    """Scales of scores in every corpus, relative to the corpus with their labels.

    Parameters
    ----------
    scores : sequence of Scores
        Of an emotion corpus, a personality corpus and further ones.

    Returns
    -------
    dict of str to (corpus, modality) ndarray
        By task; 1 in the corpus with its labels, and where no two modalities of
        different sensors were seen together.
    """
    scaled = of_unit_variance([centred(each) for each in scores])
    modalities = range(scores[0].present.shape[1])
    sensors = list(modalities if scores[0].sensors is None else scores[0].sensors)
    pairs = [p for p in combinations(modalities, 2) if sensors[p[0]] != sensors[p[1]]]
    found = {}
    for own, task in enumerate(TASKS):
        values = [(each.emotions, each.traits)[own] for each in scaled]
        moments = [
            [_covariance(value, each.present, pair) for pair in pairs]
            for value, each in zip(values, scaled, strict=True)
        ]
        found[task] = np.array(
            [
                np.ones(len(sensors))
                if place == own
                else _scales(moments[own], other, pairs, len(sensors))
                for place, other in enumerate(moments)
            ]
        )
    return found


def _covariance(values, present, pair) -> tuple[np.ndarray, int]:
    both = present[:, pair].all(1)
    first, second = (values[both, each] for each in pair)
    count = int(both.sum())
    return first.T @ second / max(count, 1), count


def _scales(own, other, pairs, size: int) -> np.ndarray:
    """Scales by which the covariances of one corpus are those of another."""

    def left(logs):
        scale = np.exp(logs)
        parts = [
            np.sqrt(n * k / max(n + k, 1))
            * (there - scale[pair[0]] * scale[pair[1]] * here).ravel()
            for pair, (here, n), (there, k) in zip(pairs, own, other, strict=True)
        ]
        return np.concatenate([*parts, logs / PRIOR])

    return np.exp(least_squares(left, np.zeros(size)).x)


def rescaled(scores: Sequence[Scores], scales: dict[str, np.ndarray]) -> list[Scores]:
    """Scores over their scales, which carry the same in all corpora.

    Parameters
    ----------
    scores, scales
        As of `domain_scales`, and from it.
    """
    return [
        each._replace(
            emotions=centred(each).emotions / scales["emotion"][place][:, None],
            traits=centred(each).traits / scales["personality"][place][:, None],
        )
        for place, each in enumerate(scores)
    ]


def by_corpus(
    scores: Sequence[Scores], names: Sequence[str]
) -> tuple[dict[str, CrossSource], dict[str, np.ndarray]]:
    """Associations from the covariances of scores of each corpus, and scale-corrected.

    Parameters
    ----------
    scores : sequence of Scores
    names : sequence of str
        Of the corpora.

    Returns
    -------
    associations : dict of str to CrossSource
        By whose covariances of scores are used; without those that leave the
        associations undetermined.
    scales : dict
        From `domain_scales`.
    """
    scales = domain_scales(scores)
    ways: dict[str, tuple] = {EVERY: (scores, None)}
    for place, name in enumerate(names):
        ways[name] = scores, [each == place for each in range(len(scores))]
    ways[SCALED] = rescaled(scores, scales), None
    found = {}
    for name, (used, counted) in ways.items():
        try:
            found[name] = cross_source(*used[:2], used[2:], counted=counted)
        except IdentificationError:
            continue  # of few clips
    return found, scales


def against_truth(
    found: dict[str, CrossSource], truth: np.ndarray, quantile: float = 1.96
) -> pd.DataFrame:
    """How near each way comes to a known truth.

    Parameters
    ----------
    found : dict of str to CrossSource
        From `by_corpus`.
    truth : (emotion, trait) ndarray
    quantile : float
        Half the width of an interval, in standard errors.

    Returns
    -------
    DataFrame
        covariances (whose), slope (of the estimates on the truth, through 0),
        correlation (with it, over pairs), rmse, held (pairs whose interval holds the
        truth), pairs.
    """
    rows = []
    for name, each in found.items():
        off = each.associations - truth
        rows.append(
            (
                name,
                (each.associations * truth).sum() / (truth**2).sum(),
                np.corrcoef(each.associations.ravel(), truth.ravel())[0, 1],
                np.sqrt((off**2).mean()),
                int((np.abs(off) <= quantile * each.error).sum()),
                truth.size,
            )
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def scale_table(
    scales: dict[str, np.ndarray], corpora: Sequence[str], modalities: Sequence[str]
) -> pd.DataFrame:
    """Scales in long form: corpus, task, modality, scale.

    Parameters
    ----------
    scales : dict
        From `domain_scales`.
    corpora, modalities : sequence of str
        Their names.
    """
    rows = [
        (corpus, task, modality, scale)
        for task, matrix in scales.items()
        for corpus, row in zip(corpora, matrix, strict=True)
        for modality, scale in zip(modalities, row, strict=True)
    ]
    return pd.DataFrame(rows, columns=["corpus", "task", "modality", "scale"])
