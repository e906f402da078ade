"""Calibration of a study's models: their predictions of dev clips as if these were new.

Dev clips are the only labelled ones that no parameter was fitted to and that training
may read. They did choose some things: the epoch of stage 2, penalties, and the share of
each network's corrections that is kept (`sslmepr.training.corrections`), so residuals
on dev are a little smaller than on other people. In the simulations of the tests, a
choice of penalties costs a point of coverage at 80 %, one among thirty models that
differ by chance four or five, and both less at 95 %. `sslmepr.evaluation.coverage`
measures it on test.

The file ``calibration.json`` lies beside the models of a fusion variant and names them
by digest. It holds what `sslmepr.evaluation.person_intervals` needs for any confidence:
labels and predictions, without names of clips or speakers.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.files import atomic
from sslmepr.labels import TARGETS
from sslmepr.params import Params
from sslmepr.training.checkpoints import CheckpointError, code_revision, remedy
from sslmepr.training.clips import StudyClips
from sslmepr.training.new_clips import StudyModels

FILE = "calibration.json"
SPLIT = "dev"


@dataclass(frozen=True)
class CalibrationClips:
    """Labelled clips of one task, predicted as if they were new.

    Attributes
    ----------
    corpus : str
    split : str
    speakers : list of int
        Speaker of each clip, numbered from 0.
    true, predicted : list of list of float
        (clip, target): labels, and the mean over seeds of the predictions.
    """

    corpus: str
    split: str
    speakers: list[int]
    true: list[list[float]]
    predicted: list[list[float]]

    @property
    def people(self) -> int:
        """Number of speakers."""
        return len(set(self.speakers))


@dataclass(frozen=True)
class Calibration:
    """Calibration of all seeds of a fusion variant.

    Attributes
    ----------
    tasks : dict of str to CalibrationClips
        By task; a task without labelled dev clips has none.
    models : dict of str to str
        Seed to the digest of its checkpoint.
    """

    tasks: dict[str, CalibrationClips]
    models: dict[str, str]

    def columns(self, task: str) -> list[tuple[np.ndarray, np.ndarray, np.ndarray]]:
        """Labels, predictions and speakers of each target, in order: (clip,) each."""
        nothing = CalibrationClips("", SPLIT, [], [], [])
        clips, shape = self.tasks.get(task, nothing), (-1, len(TARGETS[task]))
        true, predicted = (
            np.array(each, float).reshape(shape).T
            for each in (clips.true, clips.predicted)
        )
        speakers = np.array(clips.speakers, int)
        return [(*each, speakers) for each in zip(true, predicted, strict=True)]


def calibrate(
    params: Params, clips: StudyClips, models: StudyModels, data_folder: str | Path
) -> Calibration:
    """Calibrate the models of a study on its labelled dev clips.

    Parameters
    ----------
    params : Params
        ``roles`` names the corpus that is labelled for each task.
    clips : StudyClips
    models : StudyModels
    data_folder : path
        Holds ``<corpus>/features``.

    Returns
    -------
    Calibration

    Raises
    ------
    FeatureError
        As `StudyModels.predict`.
    """
    tasks = {}
    for task in models.tasks:
        corpus = getattr(params.roles, task)
        rows = clips.rows(corpus, SPLIT)
        rows = rows[clips.labelled(task)[rows]]
        predicted = predict_as_new(models, clips, rows, data_folder)[task]
        known = ~np.isnan(predicted).any(1)
        if not known.any():
            continue
        names = clips.table["speaker_id"].iloc[rows[known]]
        speakers, _ = pd.factorize(names, sort=True)
        tasks[task] = CalibrationClips(
            corpus,
            SPLIT,
            speakers.tolist(),
            clips.labels[task][rows[known]].astype(float).tolist(),
            predicted[known].tolist(),
        )
    return Calibration(tasks, models.digests)


def predict_as_new(
    models: StudyModels, clips: StudyClips, rows: np.ndarray, data_folder: str | Path
) -> dict[str, np.ndarray]:
    """Predict clips of a study as `sslmepr.predict` predicts recordings.

    Parameters
    ----------
    models : StudyModels
    clips : StudyClips
    rows : (clip,) int array
    data_folder : path
        Holds ``<corpus>/features``.

    Returns
    -------
    dict of str to (clip, target) array
        By task: the mean over seeds, in the order of `rows`; NaN for a clip without any
        modality.
    """
    corpora = clips.table["corpus"].to_numpy()[rows]
    ids = clips.table["clip_id"].to_numpy()[rows]
    answers = {
        task: np.full((len(rows), len(TARGETS[task])), np.nan) for task in models.tasks
    }
    for corpus in dict.fromkeys(corpora):
        mine = corpora == corpus
        features = Path(data_folder, corpus, "features")
        for task, values in models.predict(ids[mine].tolist(), features).items():
            answers[task][mine] = values.mean(0)
    return answers


def write_calibration(calibration: Calibration, folder: str | Path) -> None:
    """Write ``calibration.json`` into the run folder of a fusion variant."""
    content = {
        "code_revision": code_revision(),
        "models": calibration.models,
        "targets": {task: list(TARGETS[task]) for task in calibration.tasks},
        "tasks": {task: asdict(each) for task, each in calibration.tasks.items()},
    }
    with atomic(Path(folder, FILE)) as part:
        part.write_text(json.dumps(content) + "\n", encoding="utf-8")


def read_calibration(folder: str | Path, models: dict[str, str]) -> Calibration:
    """Read the calibration of the models in a folder.

    Parameters
    ----------
    folder : path
        Run folder of a fusion variant.
    models : dict of str to str
        Digests of the models that it has to be of (`StudyModels.digests`).

    Returns
    -------
    Calibration

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of other models or of other targets. The
        message names the command that makes it anew.
    """
    path = Path(folder, FILE)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        tasks = {
            task: _checked(task, content["targets"][task], CalibrationClips(**each))
            for task, each in content["tasks"].items()
        }
        of = dict(content["models"])
    except FileNotFoundError:
        raise CheckpointError(
            f"{path}: is missing, so nothing is known of how far predictions are from "
            f"labels; {remedy(folder)}"
        ) from None
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise CheckpointError(
            f"{path}: not readable as a calibration: {error!r}; {remedy(folder)}"
        ) from None
    if of != models:
        raise CheckpointError(
            f"{path}: is the calibration of other models than lie beside it; "
            f"{remedy(folder)}"
        )
    return Calibration(tasks, of)


def _checked(
    task: str, targets: Sequence[str], clips: CalibrationClips
) -> CalibrationClips:
    """`clips`, if they have numbers for every target of this version."""
    if list(targets) != list(TARGETS[task]):
        raise ValueError(f"targets of {task} are {', '.join(targets)}")
    shape = (len(clips.speakers), len(targets))
    for name in ("true", "predicted"):
        values = np.array(getattr(clips, name), float)
        if values.shape != shape or not np.isfinite(values).all():
            raise ValueError(f"{name} of {task} must be {shape} finite numbers")
    return clips
