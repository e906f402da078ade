"""Coverage of prediction intervals and sets on people outside the calibration.

Clips are predicted as if they were new, as `sslmepr.predict` does, and coverage is what
conformal prediction promises: the mean over speakers of the share of their clips that
are covered. Test speakers are like those of dev, so coverage should be nominal; that
dev also chose some settings of the models would show here. Speakers of a held-out
corpus are not, and nothing is promised for them.

Wilson's interval has speakers as units. A share per speaker varies at most as much as a
yes or no does, so it is not too narrow where speakers have several clips, and unlike a
bootstrap it has a width where all are covered.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from sslmepr.evaluation.cells import Cell, training_mean
from sslmepr.evaluation.person_intervals import emotion_bounds, half_widths
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params import Params
from sslmepr.statistics.cluster_bootstrap import NONE
from sslmepr.statistics.conformal import (
    ABSENT,
    EITHER,
    PRESENT,
    presence_sets,
    speaker_weights,
)
from sslmepr.training.calibration import (
    Calibration,
    predict_as_new,
    read_calibration,
)
from sslmepr.training.clips import StudyClips
from sslmepr.training.new_clips import StudyModels

WILSON = "wilson"
LOWEST_LEVEL = 0.8
"""A second nominal coverage, which fewer people suffice for."""

ALL_TARGETS = "all of them"
COLUMNS = ["corpus", "split", "task", "metric", "target", "nominal"]
COLUMNS += ["estimate", "low", "high", "interval", "n", "n_speakers", "targets"]

Row = tuple[str, str, float, float, float, str, int, int, int]
"""The columns from metric on, without nominal."""


def levels(params: Params) -> list[float]:
    """Nominal coverages that are measured: `LOWEST_LEVEL` and that of the study."""
    return sorted({LOWEST_LEVEL, params.evaluate.confidence})


def person_coverage(
    params: Params,
    clips: StudyClips,
    cells: Sequence[Cell],
    variant: str,
    study_folder: str | Path,
    data_folder: str | Path,
) -> tuple[Calibration, pd.DataFrame]:
    """Measure coverage of the intervals and sets of a fusion variant.

    Parameters
    ----------
    params : Params
        Sections ``evaluate`` and ``compute``.
    clips : StudyClips
        With all labels.
    cells : sequence of Cell
        Where to measure. Cells of dev, which calibrates, are left out.
    variant : str
    study_folder, data_folder : path
        As in `sslmepr.evaluation.evaluate.evaluate_study`; corpora have features.

    Returns
    -------
    calibration : Calibration
    table : DataFrame
        corpus, split, task, metric, target, nominal, estimate, low, high, interval
        (`WILSON` or none), n (clips), n_speakers, targets (number of targets in the
        estimate). Metrics of traits are ``half_width`` of the calibration (split dev),
        ``guess_half_width`` of an interval around the training mean instead of the
        prediction, ``coverage`` and ``interval_width`` (mean, of what lies within 0 to
        1); of emotions ``coverage_present`` and ``coverage_absent``, among clips with
        and without the emotion, and ``undecided``, the share of sets that hold both.
        Coverage of `ALL_TARGETS` is the mean over targets. Where the calibration has
        too few people, widths are infinite, and nothing is measured.

    Raises
    ------
    CheckpointError, FeatureError
        If models, calibration or features are missing, damaged or do not belong
        together.
    """
    folder = Path(study_folder, "fusion", variant)
    models = StudyModels(study_folder, folder, params.compute.device)
    calibration = read_calibration(folder, models.digests)
    measured = [c for c in cells if c.split != "dev" and c.task in models.tasks]
    everyone = np.unique([row for cell in measured for row in cell.rows]).astype(int)
    predicted = predict_as_new(models, clips, everyone, data_folder)
    guess, rows = training_mean(params, clips, "personality"), []
    for nominal in levels(params):
        rows += _calibrated(calibration, guess, nominal)
        for cell in measured:
            values = predicted[cell.task][np.searchsorted(everyone, cell.rows)]
            known = ~np.isnan(values).any(1)
            found = cell.rows[known]
            given = (
                clips.labels[cell.task][found],
                values[known],
                clips.table["speaker_id"].to_numpy()[found],
            )
            measure = _traits if cell.task == "personality" else _emotions
            for row in measure(*given, calibration, nominal, params):
                where = (cell.corpus, cell.split, cell.task)
                rows.append((*where, *row[:2], nominal, *row[2:]))
    return calibration, pd.DataFrame(rows, columns=COLUMNS)


def _calibrated(
    calibration: Calibration, guess: np.ndarray, nominal: float
) -> Iterator[tuple]:
    """Rows of half widths, around predictions and around the training mean."""
    if "personality" not in calibration.tasks:
        return
    clips = calibration.tasks["personality"]
    guessed = replace(clips, predicted=[guess.tolist()] * len(clips.true))
    count = (NONE, len(clips.speakers), clips.people, 1)
    for metric, each in (("half_width", clips), ("guess_half_width", guessed)):
        own = half_widths(Calibration({"personality": each}, {}), nominal)
        where = clips.corpus, clips.split, "personality", metric
        for name, width in zip(TRAITS, own, strict=True):
            yield (*where, name, nominal, width, np.nan, np.nan, *count)


def _traits(
    true, predicted, speakers, calibration: Calibration, nominal: float, params: Params
) -> Iterator[Row]:
    widths = half_widths(calibration, nominal)
    if len(true) == 0 or not np.isfinite(widths).all():
        return
    covered = np.abs(true - predicted) <= widths
    width = np.minimum(predicted + widths, 1) - np.maximum(predicted - widths, 0)
    for place, name in enumerate(TRAITS):
        yield _share("coverage", name, covered[:, place], speakers, params)
        mean = np.average(width[:, place], weights=speaker_weights(speakers))
        people = len(set(speakers))
        ends = (np.nan, np.nan, NONE)
        yield ("interval_width", name, float(mean), *ends, len(width), people, 1)
    row = _share("coverage", ALL_TARGETS, covered.mean(1), speakers, params)
    yield (*row[:-1], len(TRAITS))


def _emotions(
    true, predicted, speakers, calibration: Calibration, nominal: float, params: Params
) -> Iterator[Row]:
    every = zip(SCORED_EMOTIONS, emotion_bounds(calibration, nominal), strict=True)
    for place, (name, bounds) in enumerate(every, 1):
        sets = presence_sets(predicted[:, place], bounds)
        present = true[:, place] > 0
        for metric, label, clips in (
            ("coverage_present", PRESENT, present),
            ("coverage_absent", ABSENT, ~present),
        ):
            covered = np.isin(sets[clips], (label, EITHER))
            if clips.any():
                yield _share(metric, name, covered, speakers[clips], params)
        if len(sets):
            yield _share("undecided", name, sets == EITHER, speakers, params)


def _share(metric: str, target: str, shares, speakers, params: Params) -> Row:
    """Mean over speakers of the mean over their clips, with Wilson's interval."""
    people = len(set(speakers))
    mean = float(np.average(shares, weights=speaker_weights(speakers)))
    low, high = proportion_confint(
        mean * people, people, 1 - params.evaluate.confidence, method=WILSON
    )
    return metric, target, mean, low, high, WILSON, len(shares), people, 1
