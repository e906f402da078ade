"""What the training stages know of a study's clips: one table over its corpora.

Test labels, and every label of the corpus that is only predicted, are hidden here, so
that no training stage can read them by mistake. They are read in one place
(`sslmepr.evaluation.true_labels`), which only what measures may import.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.corpora.schema import part_of, read_clips
from sslmepr.labels import TARGET_COLUMNS, TASKS
from sslmepr.params import Params


def study_corpora(params: Params) -> list[str]:
    """The corpora of a study, training corpora first, each once."""
    roles = params.roles
    return list(dict.fromkeys([roles.emotion, roles.personality, roles.held_out]))


@dataclass(frozen=True)
class StudyClips:
    """All clips of a study's corpora, in one order.

    Attributes
    ----------
    table : DataFrame
        One row per clip: corpus, part (of a union of corpora; else the corpus again),
        clip_id, speaker_id, split, group (whose features are standardised together:
        the corpus, or a speaker of it); the index is 0, 1, ...
    labels : dict
        Task to a (clip, target) float32 array, NaN where there is no label.
    corpora : list of str
    """

    table: pd.DataFrame
    labels: dict[str, np.ndarray]
    corpora: list[str]

    def rows(self, corpus: str, split: str | None = None) -> np.ndarray:
        """Positions of a corpus's clips, of one split or of all."""
        chosen = (self.table["corpus"] == corpus).to_numpy()
        if split is not None:
            chosen = chosen & (self.table["split"] == split).to_numpy()
        return np.flatnonzero(chosen)

    def labelled(self, task: str) -> np.ndarray:
        """Which clips have labels of a task: (clip,) bool."""
        return ~np.isnan(self.labels[task]).any(axis=1)

    def training_labels(self, corpus: str, task: str) -> np.ndarray:
        """Labels of a corpus's training clips that have some: (clip, target)."""
        true = self.labels[task][self.rows(corpus, "train")]
        return true[~np.isnan(true).any(axis=1)]

    def corpus_index(self) -> np.ndarray:
        """Position in `corpora` of each clip's corpus: (clip,) int."""
        return self.table["corpus"].map(self.corpora.index).to_numpy()


def read_study_clips(params: Params, data_folder: str | Path) -> StudyClips:
    """The clips of a study's corpora, without labels of test splits and held-out clips.

    Parameters
    ----------
    params : Params
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet``.

    Raises
    ------
    CorpusError
        If a corpus has no clip table, or one that breaks its schema.
    """
    corpora = study_corpora(params)
    tables = []
    for name in corpora:
        table = read_clips(Path(data_folder, name, "corpus")).assign(corpus=name)
        tables.append(_with_part_and_group(table, name, params.corpus[name]))
    table = pd.concat(tables, ignore_index=True)
    labels = labels_of(table)
    for task in TASKS:
        corpus = getattr(params.roles, task)
        taught = (table["corpus"] == corpus) & (table["split"] != "test")
        labels[task][~taught.to_numpy()] = np.nan
    columns = ["corpus", "part", "clip_id", "speaker_id", "split", "group"]
    return StudyClips(table[columns], labels, corpora)


def labels_of(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Task to the labels (clip, target) of a clip table, NaN where there are none."""
    return {
        task: table[list(TARGET_COLUMNS[task])].to_numpy(np.float32, copy=True)
        for task in TASKS
    }


def _with_part_and_group(table: pd.DataFrame, name: str, corpus) -> pd.DataFrame:
    union = corpus.source == "union"
    table["part"] = part_of(table["clip_id"]) if union else name
    by_speaker = {
        part: getattr(section, "standardise", "corpus") == "speaker"
        for part, section in (corpus.parts if union else {name: corpus}).items()
    }
    own = table["part"].map(by_speaker)
    table["group"] = (name + "/" + table["speaker_id"]).where(own, name)
    return table
