"""A study's clips with the labels of test splits and of the held-out corpus.

Chapters that describe a corpus read its clip table; models meet these labels only here.
``.importlinter`` says who may import it: `sslmepr.evaluation.evaluate`, for the stages
``evaluate`` and ``evaluate_replicate``, and `sslmepr.evaluation.speaker_folds`. Nothing
that trains or chooses for another stage may.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import read_clips
from sslmepr.params import Params
from sslmepr.training.clips import StudyClips, labels_of, read_study_clips


def read_true_clips(params: Params, data_folder: str | Path) -> StudyClips:
    """The clips of a study's corpora with every label that there is.

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
    clips = read_study_clips(params, data_folder)
    tables = [read_clips(Path(data_folder, name, "corpus")) for name in clips.corpora]
    return replace(clips, labels=labels_of(pd.concat(tables, ignore_index=True)))
