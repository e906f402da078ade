"""Films of drawn people, for tests that need faces, voices and labels."""

from pathlib import Path

import pandas as pd

from sslmepr.corpora.build import build_corpus
from sslmepr.corpora.schema import read_clips
from sslmepr.params import Params


def render(folder: Path, settings: Params, count: int) -> pd.DataFrame:
    """So many clips, with all labels, and ``media`` relative to `folder`."""
    changes = {
        "compute.workers": 1,
        "corpus.joint.clips": count,
        "corpus.joint.persons": count,
    }
    build_corpus("joint", settings.changed(changes, "render"), folder)
    return read_clips(folder)
