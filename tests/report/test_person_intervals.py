"""Sentences and tables on intervals and sets for one person."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.evaluation.coverage import COLUMNS
from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.report.person_intervals import kept, people_of, promises, table
from sslmepr.training.calibration import Calibration, CalibrationClips


def calibration(emotion=None, personality=None):
    """Some people, each with two clips; the second half of the emotions is neutral."""
    tasks = {}
    for task, people in (("emotion", emotion), ("personality", personality)):
        if people:
            shape = (2 * people, len(EMOTIONS if task == "emotion" else TRAITS))
            true = np.zeros(shape)
            true[: people // 2, 1] = 1
            speakers = [*range(people), *range(people)]
            guess = np.full(shape, 0.3)
            tasks[task] = CalibrationClips(
                f"rated_{task}", "dev", speakers, true.tolist(), guess.tolist()
            )
    return Calibration(tasks, {})


def test_promises_name_people_and_level():
    both = calibration(emotion=20, personality=30)
    assert people_of(both) == (
        "20 people of rated_emotion (dev); 30 people of rated_personality (dev)"
    )
    sets, rare, interval, chosen = promises(both, 0.9)
    assert chosen.startswith("The people of dev also chose settings of the models")
    start = (
        "Sets of emotions (columns ending in _set): of new people like the 20 people"
    )
    assert sets.startswith(f"{start} of rated_emotion (dev), with a clip each, a set h")
    assert "at least 90 % of those with an emotion and 90 % of those without" in sets
    assert rare == (
        "Where fewer than 9 people show an emotion, a set never says 'absent' alone; "
        "so with disgust (0), fear (0), happiness (0), sadness (0), surprise (0), in "
        "brackets how many do."
    )
    assert "30 people" in interval and "at least 90 % get a score" in interval
    assert interval.endswith(
        "nothing is promised for other people, nor for any one of these."
    )


def test_too_few_people_are_told():
    assert promises(calibration(personality=18), 0.95)[:1] == [
        "No interval of a trait holds at 95 %: 19 people are needed, and there are the "
        "18 people of rated_personality (dev)."
    ]
    assert promises(calibration(), 0.95) == []
    assert people_of(calibration()) == ""


def coverage(width=0.2, measured=True):
    rows = [
        ("personality", "dev", "personality", metric, trait, 0.95, value)
        + (np.nan, np.nan, "none", 60, 30, 1)
        for metric, value in (("half_width", width), ("guess_half_width", 0.25))
        for trait in TRAITS
    ]
    if measured:
        rows += [
            ("personality", "test", "personality", "coverage", target, 0.95)
            + (0.9, 0.8, 0.96, "wilson", 50, 25, 1)
            for target in (*TRAITS, "all of them")
        ]
        rows.append(
            ("emotion", "test", "emotion", "undecided", "anger", 0.95)
            + (0.5, 0.4, 0.6, "wilson", 50, 25, 1)
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def test_what_was_kept_in_a_sentence():
    assert kept(coverage(), 0.95) == [
        "**Interval for one person**: a trait's score lies within ±0.20 of the "
        "prediction (mean over traits; around a guess it would take ±0.25), for 90 % "
        "[80, 96] of 25 people (*rated for traits*, test); 95 % are promised."
    ]
    (without,) = kept(coverage(measured=False), 0.95)
    assert without.endswith(
        "Whether it does is not measured: no clip outside dev has labels."
    )
    assert kept(coverage(np.inf, False), 0.95) == [
        "**Interval for one person**: none at 95 %, for which 19 people of dev are "
        "needed, and there are 30."
    ]
    assert kept(coverage(), 0.8) == []


def test_a_tab_for_each_level_and_split():
    shown = table(coverage(), "personality")._repr_html_()
    for text in (
        "95 %: rated for traits, dev",
        "95 %: rated for traits, test",
        "Half width around the training mean",
        "All of them",
        "0.900 ",
    ):
        assert text in shown
    shown = table(coverage(), "emotion")._repr_html_()
    assert "Undecided" in shown and "rated for emotions, test" in shown
    message = table(coverage(measured=False), "emotion")
    assert repr(message) == "Not measured: no clip outside dev has labels."


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_no_internal_name_is_shown(task):
    assert (
        "_"
        not in pd.Series(table(coverage(), task)._repr_html_().split("<table")[1])
        .str.replace(r'class="[^"]*"|<[^>]*>', "", regex=True)
        .iloc[0]
    )
