"""The clips of a study as training sees them: one table over all corpora.

To prevent leakage, labels of test splits and all labels of the held-out corpus are
replaced by NaN here, so no training stage can read them. Only
`sslmepr.evaluation.true_labels` reads them, and only evaluation may import it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.corpora.schema import part_of, read_clips
from sslmepr.labels import TARGET_COLUMNS, TASKS
from sslmepr.params import Params


def study_corpora(params: Params) -> list[str]:
    """Names of the corpora of a study without repetitions, training corpora first."""
    roles = params.roles
    return list(dict.fromkeys([roles.emotion, roles.personality, roles.held_out]))


@dataclass(frozen=True)
class StudyClips:
    """All clips of a study's corpora, in one order.

    Attributes
    ----------
    table : DataFrame
        One row per clip: corpus, part (member of a union of corpora; otherwise the
        corpus), clip_id, speaker_id, split, group (clips whose features are
        standardised together: the corpus, or a speaker of it) and, optionally,
        text_only (`text_only`); the index is 0, 1, ...
    labels : dict
        Task to a (clip, target) float32 array, NaN where there is no label.
    corpora : list of str
        Training corpora first.
    """

    table: pd.DataFrame
    labels: dict[str, np.ndarray]
    corpora: list[str]

    def rows(self, corpus: str, split: str | None = None) -> np.ndarray:
        """Positions of a corpus's clips.

        Parameters
        ----------
        corpus : str
        split : {"train", "dev", "test"}, optional
            All splits if not given.

        Returns
        -------
        (clip,) int array
        """
        chosen = (self.table["corpus"] == corpus).to_numpy()
        if split is not None:
            chosen = chosen & (self.table["split"] == split).to_numpy()
        return np.flatnonzero(chosen)

    @property
    def text_only(self) -> np.ndarray:
        """Clips added for models of text to learn from: (clip,) bool.

        Fusion does not learn from them: they show nothing of how modalities go
        together, and would outnumber the clips that do. Nor do base rates of labels,
        which are those of the clips that all models share.
        """
        if "text_only" in self.table:
            return self.table["text_only"].to_numpy()
        return np.zeros(len(self.table), bool)

    def labelled(self, task: str) -> np.ndarray:
        """Whether each clip has all labels of a task: (clip,) bool."""
        return ~np.isnan(self.labels[task]).any(axis=1)

    def training_labels(self, corpus: str, task: str) -> np.ndarray:
        """Labels of a corpus's labelled training clips that are not `text_only`.

        Parameters
        ----------
        corpus : str
        task : {"emotion", "personality"}

        Returns
        -------
        (clip, target) array
        """
        rows = self.rows(corpus, "train")
        true = self.labels[task][rows[~self.text_only[rows]]]
        return true[~np.isnan(true).any(axis=1)]

    def corpus_index(self) -> np.ndarray:
        """Position in `corpora` of each clip's corpus: (clip,) int."""
        return self.table["corpus"].map(self.corpora.index).to_numpy()


def read_study_clips(params: Params, data_folder: str | Path) -> StudyClips:
    """Read the clips of a study's corpora, with only the labels that training may use.

    Parameters
    ----------
    params : Params
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet``.

    Returns
    -------
    StudyClips
        Labels of a task are NaN outside the corpus of its role and in test splits.

    Raises
    ------
    CorpusError
        If a corpus has no clip table, or one that breaks its schema.
    """
    corpora = study_corpora(params)
    tables = []
    for name in corpora:
        table = read_clips(Path(data_folder, name, "corpus")).assign(corpus=name)
        tables.append(_prepared(table, name, params.corpus[name]))
    table = pd.concat(tables, ignore_index=True)
    labels = labels_of(table)
    for task in TASKS:
        corpus = getattr(params.roles, task)
        usable = (table["corpus"] == corpus) & (table["split"] != "test")
        labels[task][~usable.to_numpy()] = np.nan
    columns = ["corpus", "part", "clip_id", "speaker_id", "split", "group", "text_only"]
    return StudyClips(table[columns], labels, corpora)


def labels_of(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Task to the labels (clip, target) of a clip table; NaN where not annotated."""
    return {
        task: table[list(TARGET_COLUMNS[task])].to_numpy(np.float32, copy=True)
        for task in TASKS
    }


def _prepared(table: pd.DataFrame, name: str, corpus) -> pd.DataFrame:
    union = corpus.source == "union"
    table["part"] = part_of(table["clip_id"]) if union else name
    by_speaker = {
        part: getattr(section, "standardise", "corpus") == "speaker"
        for part, section in (corpus.parts if union else {name: corpus}).items()
    }
    own = table["part"].map(by_speaker)
    table["group"] = (name + "/" + table["speaker_id"]).where(own, name)
    without = table["media"].isna()
    added = getattr(corpus, "text_only", 0) > 0 and not without.all()
    table["text_only"] = without & added
    return table
