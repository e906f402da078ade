"""Intervals and sets of every target are those of its own labels and predictions."""

import math

import numpy as np
import pytest

from sslmepr.evaluation.person_intervals import (
    emotion_bounds,
    half_widths,
    people_with,
)
from sslmepr.labels import TARGETS
from sslmepr.statistics.conformal import PresenceBounds
from sslmepr.training.calibration import Calibration, CalibrationClips


def some(people=40):
    rng = np.random.default_rng(2)
    tasks = {}
    for task, targets in TARGETS.items():
        shape = people, len(targets)
        true = (rng.random(shape) < 0.5).astype(float).tolist()
        predicted = rng.random(shape).tolist()
        speakers = list(range(people))
        tasks[task] = CalibrationClips("c", "dev", speakers, true, predicted)
    return Calibration(tasks, {"0": "f00"})


def test_half_widths_and_bounds_are_those_of_every_target():
    found = some()
    clips = found.tasks["personality"]
    residuals = np.sort(abs(np.subtract(clips.true, clips.predicted)), axis=0)
    assert half_widths(found, 0.8) == pytest.approx(residuals[32])  # 41 * 0.8 up to 33
    assert np.isinf(half_widths(found, 0.98)).all()
    clips = found.tasks["emotion"]
    true, chance = np.array(clips.true)[:, 3], np.array(clips.predicted)[:, 3]
    shown, not_shown = (np.sort(chance[true == each]) for each in (1, 0))
    counts = {label: people_with(found, "fear", label) for label in (True, False)}
    assert counts == {True: len(shown), False: len(not_shown)}
    ranks = {label: math.ceil((n + 1) * 0.75) for label, n in counts.items()}
    expected = PresenceBounds(not_shown[ranks[False] - 1], shown[-ranks[True]])
    assert emotion_bounds(found, 0.75)[2] == expected
    assert len(emotion_bounds(found, 0.75)) == 6


def test_without_a_calibration_nothing_is_bounded():
    nothing = Calibration({}, {})
    assert half_widths(nothing, 0.5).tolist() == [math.inf] * 5
    assert set(emotion_bounds(nothing, 0.5)) == {PresenceBounds(math.inf, -math.inf)}
    assert people_with(nothing, "fear", True) == 0
