"""Split conformal prediction for a new clip of a new person.

A model is fitted to the clips of some people and calibrated on those of others. If the
new person is exchangeable with the people of the calibration, and the new clip is drawn
at random among the clips of that person, then the interval or set covers the label with
at least the nominal confidence, whatever the model and the distribution, and for any
number of people. Coverage is an average: over people, clips and calibrations. It does
not hold for each person or kind of person.

Clips of one person are not exchangeable with those of another, so people are: every
speaker of the calibration has weight 1 / (n + 1), divided evenly among the clips of
that speaker, and the remaining 1 / (n + 1) lies at infinity (hierarchical conformal
prediction). With one clip per speaker this is the ceil((n + 1) confidence)-th smallest
of n residuals. Below `fewest_speakers`, no finite interval is valid.

Emotions are binary labels, so their sets hold one label or both. They are calibrated
for each label separately (label-conditional, or Mondrian, conformal prediction): a rare
emotion that is there is covered as often as one that is not.

References
----------
Dunn, R., Wasserman, L., & Ramdas, A. (2023). Distribution-free prediction sets for
two-layer hierarchical models. Journal of the American Statistical Association, 118,
2491-2502 (groups of observations; they draw one observation per group).

Lee, Y., Barber, R. F., & Willett, R. (2023). Distribution-free inference with
hierarchical data. arXiv:2306.06342 (the weights used here, and proof of coverage).

Vovk, V., Gammerman, A., & Shafer, G. (2005). Algorithmic learning in a random world.
Springer (label-conditional sets).
"""

import math
from typing import NamedTuple

import numpy as np

from sslmepr.statistics.cluster_bootstrap import cluster_index

ABSENT, PRESENT, EITHER = "absent", "present", "absent or present"

ROUNDING = 1e-9
"""Sums of weights that differ by less are taken for equal."""


class PresenceBounds(NamedTuple):
    """Thresholds of a prediction set for the presence of an emotion.

    Attributes
    ----------
    highest_absent : float
        Up to this probability the emotion may be absent; inf where too few speakers
        show what absence looks like.
    lowest_present : float
        From this probability on it may be present; -inf likewise.
    """

    highest_absent: float
    lowest_present: float


def fewest_speakers(confidence: float) -> int:
    """Smallest number of speakers with which a finite interval is valid.

    Parameters
    ----------
    confidence : float
        For example 0.95, for which it is 19.

    Returns
    -------
    int

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: {confidence} is not between 0 and 1")
    return math.ceil(confidence / (1 - confidence) - ROUNDING)


def speaker_weights(speakers) -> np.ndarray:
    """Weight of each clip such that all speakers weigh alike, 1 in total each.

    Parameters
    ----------
    speakers : (clip,) sequence of str

    Returns
    -------
    (clip,) ndarray

    Raises
    ------
    ValueError
        If a clip has no speaker.
    """
    index, count = cluster_index(speakers)
    return 1 / np.bincount(index, minlength=count)[index]


def upper_bound(scores, speakers, confidence: float) -> float:
    """Bound that the score of a new clip of a new speaker does not exceed.

    Parameters
    ----------
    scores : (clip,) array
        Of the calibration clips; NaN for a clip without label, which is left out.
    speakers : (clip,) sequence of str
    confidence : float
        Nominal coverage.

    Returns
    -------
    float
        The smallest score up to which the weights of the module's docstring sum to
        `confidence`; inf where they do not.

    Raises
    ------
    ValueError
        If `confidence` is not between 0 and 1, there are not as many speakers as
        scores, a score is infinite, or a clip has no speaker.
    """
    fewest = fewest_speakers(confidence)
    scores, speakers = np.asarray(scores, float), np.asarray(speakers, object)
    if scores.ndim != 1 or scores.shape != speakers.shape:
        raise ValueError(
            f"scores and speakers: one of each per clip is needed, but they have "
            f"shapes {scores.shape} and {speakers.shape}"
        )
    if np.isinf(scores).any():
        raise ValueError(f"scores: clip number {np.argmax(np.isinf(scores))} has inf")
    known = ~np.isnan(scores)
    scores, weights = scores[known], speaker_weights(speakers[known])
    count = round(weights.sum())
    if count < fewest:
        return math.inf
    order = np.argsort(scores, kind="stable")
    reached = np.cumsum(weights[order]) >= confidence * (count + 1) - ROUNDING
    return float(scores[order][np.argmax(reached)])


def half_width(true, predicted, speakers, confidence: float) -> float:
    """Half the width of the prediction interval of a score, around its prediction.

    Parameters
    ----------
    true : (clip,) array
        Labels of the calibration clips; NaN where there is none.
    predicted : (clip,) array
        Predictions of a model that was fitted to other speakers; NaN where there is
        none.
    speakers : (clip,) sequence of str
    confidence : float
        Nominal coverage.

    Returns
    -------
    float
        In the units of the score; inf with too few speakers.

    Raises
    ------
    ValueError
        As `upper_bound`.
    """
    residuals = np.abs(np.asarray(true, float) - np.asarray(predicted, float))
    return upper_bound(residuals, speakers, confidence)


def presence_bounds(true, predicted, speakers, confidence: float) -> PresenceBounds:
    """Thresholds of the prediction set of an emotion.

    Parameters
    ----------
    true : (clip,) array
        Labels of the calibration clips: present above 0; NaN where there is none.
    predicted : (clip,) array
        Probabilities of presence, as in `half_width`.
    speakers : (clip,) sequence of str
    confidence : float
        Nominal coverage, among clips with the emotion and among clips without it.

    Returns
    -------
    PresenceBounds

    Raises
    ------
    ValueError
        As `upper_bound`.
    """
    true, predicted = np.asarray(true, float), np.asarray(predicted, float)
    absent = np.where(true <= 0, predicted, np.nan)
    present = np.where(true > 0, -predicted, np.nan)
    return PresenceBounds(
        upper_bound(absent, speakers, confidence),
        -upper_bound(present, speakers, confidence),
    )


def presence_sets(predicted, bounds: PresenceBounds) -> np.ndarray:
    """Prediction sets of an emotion.

    Between the thresholds, where the classes overlap, both labels conform. Where the
    thresholds leave a gap instead, neither does, and the label of the nearer threshold
    is kept: coverage only gains.

    Parameters
    ----------
    predicted : (clip,) array
        Probabilities of presence; NaN where there is no prediction.
    bounds : PresenceBounds

    Returns
    -------
    (clip,) ndarray of str
        `ABSENT`, `PRESENT` or `EITHER`; empty where there is no prediction.
    """
    predicted = np.asarray(predicted, float)
    highest, lowest = bounds
    if highest < lowest:
        middle = (highest + lowest) / 2
        sets = np.where(predicted < middle, ABSENT, PRESENT)
    else:
        sets = np.where(predicted > highest, PRESENT, EITHER)
        sets = np.where(predicted < lowest, ABSENT, sets)
    return np.where(np.isnan(predicted), "", sets)
