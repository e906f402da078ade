"""Drawn people: their truth, and films for tests that need faces and voices."""

from pathlib import Path

import pandas as pd
from plain import plain

from sslmepr.corpora.schema import read_clips
from sslmepr.params import Params
from sslmepr.simulation.corpus import _truth_table, build_simulated
from sslmepr.simulation.draw import draw_corpus


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


def draw_into(folder, params):
    """The held-out corpus drawn, not rendered; its truth is written into `folder`."""
    name = params.roles.held_out
    draw = draw_corpus(name, params.corpus[name], params)
    ids = pd.DataFrame({"clip_id": [f"c{n}" for n in range(len(draw.domains))]})
    truth = _truth_table(draw, ids)
    truth.to_parquet(folder / "truth.parquet")
    return name, draw, truth, folder
