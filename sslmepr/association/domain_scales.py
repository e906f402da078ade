r"""How strongly scores carry labels in the corpora that do not have these labels.

A probe reads the people, scenes and wording of its own corpus best, and people show
more of what they feel in one kind of recording than in another. In another corpus, the
scores of a modality may carry a share :math:`\alpha` of what they carry in their own.
Covariances with the labels of that corpus are then too small, and associations from
three sources with them.

No label is needed to see it. Covariances of the scores of two modalities for the same
task come from what both carry, and are :math:`\alpha_m \alpha_k` times those of their
own corpus. Over all pairs of modalities of different sensors, the scales
:math:`\alpha` follow by least squares, with a prior towards 1. Scores over their scales
carry the same in all corpora. What the scales are wrong by is part of the standard
errors of whatever is estimated from such scores: `DomainScales` has the influence of
clips.

A whole corpus with an interval is in `sslmepr.association.cue_strength`.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from sslmepr.association.scores import Scores
from sslmepr.labels import TASKS

PRIOR = 1 / 3
"""Standard deviation of the logarithm of a scale. By convention, not tuned."""


class DomainScales(NamedTuple):
    """Scales of scores in every corpus, relative to the corpus with their labels.

    Attributes
    ----------
    values : (task, corpus, modality) ndarray
        1 in the corpus with the task's labels, and where no two modalities of different
        sensors were seen together.
    influence : dict of (int, int) to (ndarray, ndarray)
        Task and corpus, but for those with its labels, to the influence of clips on the
        logarithms of scales: (clip, modality), of the corpus with the labels and of
        this one.
    """

    values: np.ndarray
    influence: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]]

    def rescaled(self, scores: Sequence[Scores]) -> list[Scores]:
        """Scores over their scales, which carry the same in all corpora.

        Parameters
        ----------
        scores : sequence of Scores
            Centred, in the order of the corpora.
        """
        return [
            each._replace(
                emotions=each.emotions / scales[0][:, None],
                traits=each.traits / scales[1][:, None],
            )
            for each, scales in zip(scores, self.values.swapaxes(0, 1), strict=True)
        ]

    def add_to(
        self, parts: list[np.ndarray], slopes: dict[tuple[int, int], np.ndarray]
    ) -> None:
        """Add what scales are wrong by to the influence of clips on an estimate.

        Parameters
        ----------
        parts : list of (clip, number) ndarray
            By corpus; changed in place.
        slopes : dict of (int, int) to (number, modality) ndarray
            Task and corpus to the slopes of the estimate on the logarithms of scales.
        """
        for (own, place), slope in slopes.items():
            mine, theirs = self.influence[own, place]
            parts[own] += mine @ slope.T
            parts[place] += theirs @ slope.T


def domain_scales(corpora: Sequence[Scores]) -> DomainScales:
    """Estimate the scales of scores in every corpus, without its labels.

    Parameters
    ----------
    corpora : sequence of Scores
        Centred, of unit variance: of an emotion corpus, a personality corpus and
        further ones.

    Returns
    -------
    DomainScales
    """
    modalities = range(corpora[0].present.shape[1])
    sensors = list(modalities if corpora[0].sensors is None else corpora[0].sensors)
    pairs = [p for p in combinations(modalities, 2) if sensors[p[0]] != sensors[p[1]]]
    values = np.ones((len(TASKS), len(corpora), len(modalities)))
    influence = {}
    for own in range(len(TASKS)):
        products = [
            [_Product(each[own], each.present, pair) for pair in pairs]
            for each in corpora
        ]
        for place, there in enumerate(products):
            if place == own:
                continue
            counts = [len(corpora[n].present) for n in (own, place)]
            values[own, place], *influence[own, place] = _scales(
                list(zip(products[own], there, strict=True)), counts, len(sensors)
            )
    return DomainScales(values, influence)


class _Product:
    """Covariances of the scores of two modalities, over the clips that have both."""

    def __init__(self, values: np.ndarray, present: np.ndarray, pair: tuple[int, int]):
        self.pair, self.both = pair, present[:, pair].all(1)
        self.first, self.second = (values[:, each] for each in pair)
        self.count = int(self.both.sum())
        both = self.both / max(self.count, 1)
        self.mean = (self.first * both[:, None]).T @ self.second

    def influence(self, effect: np.ndarray) -> np.ndarray:
        """Of clips on what changes by `effect` (modality, score, score) with `mean`."""
        each = np.einsum(
            "ns,nt,mst->nm", self.first, self.second, effect, optimize=True
        )
        each -= np.einsum("st,mst->m", self.mean, effect)
        return each * (self.both / max(self.both.mean(), 1e-12))[:, None]


def _scales(
    pairs: list[tuple[_Product, _Product]], counts: list[int], size: int
) -> tuple:
    """Scales by which the covariances of one corpus are those of another.

    Returns
    -------
    scales : (modality,) ndarray
    own, there : (clip, modality) ndarray
        Influence of clips on their logarithms.
    """
    weights = [
        np.sqrt(own.count * there.count / max(own.count + there.count, 1))
        for own, there in pairs
    ]

    def expected(logs, own):
        return np.exp(logs[list(own.pair)].sum()) * own.mean

    def left(logs):
        parts = [
            weight * (there.mean - expected(logs, own)).ravel()
            for weight, (own, there) in zip(weights, pairs, strict=True)
        ]
        return np.concatenate([*parts, logs / PRIOR])

    logs = least_squares(left, np.zeros(size)).x
    slopes = []
    for weight, (own, _) in zip(weights, pairs, strict=True):
        slope = np.zeros((own.mean.size, size))
        slope[:, own.pair] -= weight * expected(logs, own).reshape(-1, 1)
        slopes.append(slope)
    jacobian = np.concatenate([*slopes, np.eye(size) / PRIOR])
    gain = -np.linalg.solve(jacobian.T @ jacobian, jacobian.T)
    influence = [np.zeros((count, size)) for count in counts]
    start = 0
    for weight, (own, there) in zip(weights, pairs, strict=True):
        end = start + own.mean.size
        effect = weight * gain[:, start:end].reshape(size, *own.mean.shape)
        scale = np.exp(logs[list(own.pair)].sum())
        influence[0] += own.influence(-scale * effect)
        influence[1] += there.influence(effect)
        start = end
    return np.exp(logs), *influence
