"""A study's clips with the labels of test splits and of the held-out corpus.

To prevent leakage, predictions meet these labels only here, and ``.importlinter``
restricts the importers: `sslmepr.evaluation.evaluate` (stages ``evaluate`` and
``evaluate_replicate``) and `sslmepr.evaluation.speaker_folds`. Modules that train or
select for another stage must not import it.
"""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import read_clips
from sslmepr.params import Params
from sslmepr.training.clips import StudyClips, labels_of, read_study_clips


def read_true_clips(params: Params, data_folder: str | Path) -> StudyClips:
    """Read the clips of a study's corpora with all labels, test labels included.

    Parameters
    ----------
    params : Params
    data_folder : path
        Contains ``<corpus>/corpus/clips.parquet``.

    Returns
    -------
    StudyClips

    Raises
    ------
    CorpusError
        If a clip table is missing or violates its schema.
    """
    clips = read_study_clips(params, data_folder)
    tables = [read_clips(Path(data_folder, name, "corpus")) for name in clips.corpora]
    return replace(clips, labels=labels_of(pd.concat(tables, ignore_index=True)))
