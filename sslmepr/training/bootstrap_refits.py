"""Logits of linear probes refitted to bootstrap samples of the training speakers.

Chance correlations in a few hundred training clips become part of every predictor
fitted to them. Two such predictors can then correlate on new clips, and resampling the
new clips cannot detect it: the training sample has to be resampled. This is cheap for
the regressions that every stage starts from, so it is done for these only.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.files import atomic
from sslmepr.labels import TARGETS, TASKS
from sslmepr.training.clips import StudyClips

REFITS_FILE = "refits.parquet"
CLIP = ["corpus", "clip_id"]


def write_refits(folder: str | Path, clips: StudyClips, rows, task: str, logits):
    """Write ``refits.parquet`` of a modality and task.

    Parameters
    ----------
    folder : path
    clips : StudyClips
    rows : (clip,) int array
        Positions of the clips in the study.
    task : {"emotion", "personality"}
    logits : (refit, clip, target) array
        In the order of `rows`.
    """
    refits, count, targets = logits.shape
    table = clips.table.iloc[np.tile(rows, refits)][CLIP].reset_index(drop=True)
    table["refit"] = np.repeat(np.arange(refits), count)
    table[list(TARGETS[task])] = logits.reshape(-1, targets)
    with atomic(Path(folder, REFITS_FILE)) as part:
        table.to_parquet(part, index=False)


def read_refits(study_folder: str | Path, modalities) -> pd.DataFrame:
    """Logits of all refits of a study.

    Parameters
    ----------
    study_folder : path
        Holds ``unimodal/<modality>-<task>``.
    modalities : list of str

    Returns
    -------
    DataFrame
        modality, corpus, clip_id, refit (from 0) and a column of logits for each
        target of both tasks.
    """
    parts = []
    for modality in modalities:
        emotion, personality = (
            pd.read_parquet(
                Path(study_folder, "unimodal", f"{modality}-{task}", REFITS_FILE)
            ).set_index([*CLIP, "refit"])
            for task in TASKS
        )
        part = emotion.join(personality, how="inner").reset_index()
        part.insert(0, "modality", modality)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
