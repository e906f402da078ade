"""What linear probes of other training samples say of a clip.

Predictors that were learned from a few hundred clips keep whatever went together in
those clips by chance. Two of them may for that reason agree on every new clip, and no
resampling of the new clips can show it: the training sample has to be drawn anew. That
is cheap for the regression that every stage starts from, and it is done for that one.
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
    task : str
    logits : (refit, clip, target) array
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
        modality, corpus, clip_id, refit and a column for each target.
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
