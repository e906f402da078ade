"""Films of drawn people, for tests that need faces, voices and labels."""

from pathlib import Path

import pandas as pd
from plain import plain

from sslmepr.corpora.schema import read_clips
from sslmepr.params import Params
from sslmepr.simulation.corpus import build_simulated


def render(folder: Path, settings: Params, count: int) -> pd.DataFrame:
    """So many clips, with all labels, and ``media`` relative to `folder`.

    Of the plain world, in which every channel of every clip is there.
    """
    changes = {
        "compute.workers": 1,
        "corpus.joint.clips": count,
        "corpus.joint.persons": count,
    }
    settings = plain(settings).changed(changes, "render")
    build_simulated("joint", settings, folder, progress=False)
    return read_clips(folder)
