r"""How strongly corpora show emotions and traits, without further labels.

People show more of what they feel in one kind of recording than in another. Say that
in corpus c a standard deviation of an emotion changes scores by $a_c$ times what it
does in the corpus with emotion labels. Covariances of its scores from different
modalities m and k then are $a_c^2$ times those of the labelled corpus, whatever the
labels are, and

.. math:: \hat a_c^2 = \frac{\sum_{mkj} T_{mkj} \mathrm{Cov}_c(s_{mj}, s_{kj})}
          {\sum_{mkj} T_{mkj} \mathrm{Cov}_E(s_{mj}, s_{kj})},
          \qquad T_{mkj} = A_{mj} A_{kj},

over pairs of modalities of different sensors and emotions j, each counting for as much
as its scores carry of its label, $A_{mj} = \mathrm{Cov}_E(s_{mj}, e_j)$. Traits
likewise, relative to the corpus with trait labels. What raters add to labels, and what
scores have in common beside them, is in both sums. Cues of traits in emotion scores are
neglected; they count by the square of what leaks.

The estimator from three sources divides scores by such factors, modality by modality
(`sslmepr.association.domain_scales`). Those of a whole corpus, with an interval, are
shown beside it: they tell how far it has to correct.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import norm

from sslmepr.association.cross_source import crossed_pairs
from sslmepr.association.labelled_moments import (
    LabelledMoments,
    StandardisedMoments,
    emotion_moments,
)
from sslmepr.association.prediction_powered import by_speaker
from sslmepr.association.scores import Scores, centred, of_unit_variance
from sslmepr.labels import TASKS

STRENGTH_FILE = "cue_strength.csv"

COLUMNS = ["task", "corpus", "cue_strength", "low", "high", "n", "reason"]


def cue_strengths(
    scores: Sequence[Scores], corpora: Sequence[str], confidence: float
) -> pd.DataFrame:
    """How strongly each corpus shows what another one is labelled with.

    Parameters
    ----------
    scores : sequence of Scores
        Of the emotion corpus, the personality corpus, and further ones.
    corpora : sequence of str
        Their names.
    confidence : float
        Of the intervals, which are symmetric on the scale of logarithms.

    Returns
    -------
    DataFrame
        task (one of `sslmepr.labels.TASKS`), corpus (any but the one with its labels),
        cue_strength (1: as in that one), low, high, n (clips of both in which
        modalities of different sensors are seen), reason (why there is no estimate;
        else empty).

    Raises
    ------
    IdentificationError
        If a label does not vary.
    """
    known = of_unit_variance([centred(each) for each in scores])
    moments = emotion_moments(known[0]), StandardisedMoments(known[1])
    quantile, rows = norm.isf((1 - confidence) / 2), []
    for task, name in enumerate(TASKS):
        for place, corpus in enumerate(corpora):
            if place == task:
                continue
            pairs = _common([known[task], known[place]])
            row = {"task": name, "corpus": corpus, "n": 0, "reason": ""}
            rows.append(row)
            if not pairs:
                row["reason"] = "no two modalities of different sensors in both"
                continue
            parts = [_Agreement(known[n], task, pairs) for n in (task, place)]
            row["n"] = sum(each.count for each in parts)
            found = _log_strength(*parts, moments[task], task)
            if found is None:
                row["reason"] = "scores of the modalities have too little in common"
                continue
            log, error = found
            ends = np.exp(log + quantile * error * np.array([-1, 1]))
            row |= {"cue_strength": np.exp(log), "low": ends[0], "high": ends[1]}
    return pd.DataFrame(rows, columns=COLUMNS)


def _common(corpora: Sequence[Scores]) -> list[tuple[int, int]]:
    """Unordered pairs of modalities of different sensors that all corpora have."""
    every = [set(crossed_pairs([each], each.sensors)) for each in corpora]
    return sorted(pair for pair in set.intersection(*every) if pair[0] < pair[1])


class _Agreement:
    """Covariances of the scores of a target from two modalities, in one corpus.

    Attributes
    ----------
    mean : (pair, target) ndarray
    each : (clip, pair, target) ndarray
        Products of the scores of clips, with `mean` as their mean.
    count : int
        Clips that have both modalities of some pair.
    """

    def __init__(self, scores: Scores, task: int, pairs: Sequence[tuple[int, int]]):
        self.scores, self.pairs = scores, pairs
        both = np.stack([scores.present[:, pair].all(1) for pair in pairs], 1)
        first, second = np.transpose(pairs)
        values = scores[task]
        weights = (both / both.mean(0))[..., None]
        self.each = values[:, first] * values[:, second] * weights
        self.mean, self.count = self.each.mean(0), int(both.any(1).sum())

    def carried(self, weights: np.ndarray) -> tuple[float, np.ndarray]:
        """Weighted sum of the covariances, and what each clip adds to its logarithm."""
        total = (weights * self.mean).sum()
        each = (weights * (self.each - self.mean)).sum((1, 2))
        return total, each / total / len(each)


def _log_strength(
    there: _Agreement, here: _Agreement, moments: LabelledMoments, task
) -> tuple[float, float] | None:
    """Logarithm of the strength and its standard error; None without agreement."""
    covariances = (moments.emotions, moments.traits)[task]
    label = np.diagonal(covariances, axis1=1, axis2=2)  # (modality, target)
    first, second = np.transpose(there.pairs)
    weights = label[first] * label[second]
    (labelled, of_labelled), (other, of_other) = (
        each.carried(weights) for each in (there, here)
    )
    if min(labelled, other) <= 0:
        return None
    # What the weights do, which come from the labelled corpus.
    gap = here.mean / other - there.mean / labelled
    slope = np.zeros_like(label)
    np.add.at(slope, first, label[second] * gap)
    np.add.at(slope, second, label[first] * gap)
    size = label.shape[1]
    effect = [np.zeros((1, *each.shape)) for each in (moments.emotions, moments.traits)]
    effect[task][0][:, np.arange(size), np.arange(size)] = slope
    by_weights = moments.influence(*effect, np.zeros((1, size, size)))[:, 0]
    parts = (
        by_speaker(there.scores, by_weights / len(by_weights) - of_labelled),
        by_speaker(here.scores, of_other),
    )
    error = np.sqrt(sum((each**2).sum() for each in parts))
    return float(np.log(other / labelled) / 2), float(error / 2)
