"""Cells of an evaluation (corpus, split, task) and the predictions of all models."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.labels import ANY, TARGETS, TASKS, Model, select
from sslmepr.params import Params
from sslmepr.statistics.cluster_bootstrap import Clusters
from sslmepr.training.clips import StudyClips

BASELINE = Model("baseline", ANY)
"""Constant predictor: base rates of emotions (so the majority class), mean traits."""


@dataclass(frozen=True)
class Cell:
    """Labelled clips over which metrics are computed.

    Attributes
    ----------
    corpus : str
        A corpus, or a part of a corpus that is a union.
    split : {"dev", "test", "all"}
    task : {"emotion", "personality"}
    rows : (clip,) ndarray of int
        Rows of the study's clip table.
    speakers : Clusters
        Bootstrap replicates of the speakers of these clips.
    """

    corpus: str
    split: str
    task: str
    rows: np.ndarray
    speakers: Clusters


def measured_cells(params: Params, clips: StudyClips) -> Iterator[Cell]:
    """Iterate over corpora, splits and tasks with labels.

    A training corpus has the splits dev and test, the held-out corpus only ``all``.
    """
    for task in TASKS:
        trained_on = getattr(params.roles, task)
        places = [(trained_on, "dev"), (trained_on, "test")]
        if params.roles.held_out != trained_on:
            places.append((params.roles.held_out, None))
        for corpus, split in places:
            rows = clips.rows(corpus, split)
            rows = rows[clips.labelled(task)[rows]]
            part = clips.table["part"].to_numpy()[rows]
            names = dict.fromkeys([corpus, *part])  # unique, in order
            for name in names if len(rows) else ():
                mine = rows[part == name] if name != corpus else rows
                speakers = Clusters(
                    clips.table["speaker_id"].iloc[mine],
                    params.evaluate.resamples,
                    params.seed,
                )
                yield Cell(name, split or "all", task, mine, speakers)


def training_mean(params, clips: StudyClips, task: str) -> np.ndarray:
    """Mean trait scores or base rates of the emotions over the training clips.

    Parameters
    ----------
    params : Params
    clips : StudyClips
    task : {"emotion", "personality"}

    Returns
    -------
    (target,) ndarray
    """
    true = clips.training_labels(getattr(params.roles, task), task)
    return (true > 0).mean(0) if task == "emotion" else true.mean(0)


def _cell_names(params: Params) -> list[tuple[str, str]]:
    """(stage, folder) of all models of the study."""
    return [
        *(
            ("unimodal", f"{modality}-{task}")
            for modality in params.modalities
            for task in TASKS
        ),
        *(("crosstask", modality) for modality in params.modalities),
        *(("stacking", task) for task in TASKS),
        *(("fusion", variant) for variant in params.variants),
    ]


def read_predictions(params: Params, folder: Path, clips: StudyClips) -> dict:
    """Read the predictions of all models of a study, and add `BASELINE`.

    Parameters
    ----------
    params : Params
    folder : Path
        Run folder of the study.
    clips : StudyClips

    Returns
    -------
    dict of (Model, task) to tuple
        Rows (clip,) of the clip table, and a dict of seed to predictions (clip,
        target).
    """
    position = pd.MultiIndex.from_frame(clips.table[["corpus", "clip_id"]])
    tables = [
        pd.read_parquet(folder / stage / name / "predictions.parquet")
        for stage, name in _cell_names(params)
    ]
    found = {}
    everyone = np.arange(len(clips.table))
    for task in TASKS:
        mean = training_mean(params, clips, task)
        values = np.tile(mean, (len(everyone), 1))
        found[BASELINE, task] = (everyone, {0: values})
        for table in tables:
            names = [*Model._fields]
            for model, group in select(table, task=task).groupby(names, sort=False):
                found[Model(*model), task] = _wide(group, task, position)
    return found


def _wide(table: pd.DataFrame, task: str, position) -> tuple[np.ndarray, dict]:
    targets = len(TARGETS[task])
    by_seed = {}
    for seed, group in table.groupby("seed"):
        # Rows are written clip by clip, targets in order.
        clip = group.iloc[::targets]
        rows = position.get_indexer(
            pd.MultiIndex.from_frame(clip[["corpus", "clip_id"]])
        )
        order = np.argsort(rows)
        values = group["predicted"].to_numpy().reshape(-1, targets)
        by_seed[int(seed)] = values[order]
    return rows[order], by_seed
