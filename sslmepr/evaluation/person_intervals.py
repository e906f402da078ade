"""Intervals of traits and sets of emotions for one person, from a calibration.

Apart from the calibration itself, so that no model is trained again when the rule
changes.
"""

import numpy as np

from sslmepr.labels import SCORED_EMOTIONS
from sslmepr.statistics.conformal import PresenceBounds, half_width, presence_bounds
from sslmepr.training.calibration import Calibration


def half_widths(calibration: Calibration, confidence: float) -> np.ndarray:
    """Half widths of the prediction intervals of traits.

    Parameters
    ----------
    calibration : Calibration
    confidence : float
        Nominal coverage.

    Returns
    -------
    (trait,) ndarray
        Infinite where there are fewer people than
        `sslmepr.statistics.conformal.fewest_speakers`.
    """
    columns = calibration.columns("personality")
    return np.array([half_width(*each, confidence) for each in columns])


def emotion_bounds(calibration: Calibration, confidence: float) -> list[PresenceBounds]:
    """Thresholds of the prediction sets of the six scored emotions, in order.

    Parameters
    ----------
    calibration : Calibration
    confidence : float
        Nominal coverage.
    """
    scored = calibration.columns("emotion")[-len(SCORED_EMOTIONS) :]
    return [presence_bounds(*each, confidence) for each in scored]


def people_with(calibration: Calibration, emotion: str, present: bool) -> int:
    """Number of people of whom a clip shows, or one does not show, an emotion.

    Parameters
    ----------
    calibration : Calibration
    emotion : str
        One of `SCORED_EMOTIONS`.
    present : bool
    """
    scored = calibration.columns("emotion")[-len(SCORED_EMOTIONS) :]
    true, _, speakers = scored[SCORED_EMOTIONS.index(emotion)]
    return len(set(speakers[(true > 0) == present]))
