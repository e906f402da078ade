"""Drawn clips of the held-out corpus, for a first try."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import CorpusError, read_clips
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS, TRAITS
from sslmepr.params import Params
from sslmepr.report.samples import pictured_clips, video_players

MOST = 4


@dataclass(frozen=True)
class Example:
    """A clip whose truth is known.

    Attributes
    ----------
    name : str
    path : Path
    true : dict of str to float
        Target to its value.
    player : str
        HTML with the clip in it.
    """

    name: str
    path: Path
    true: dict[str, float]
    player: str


def examples(params: Params, data_folder: Path) -> list[Example]:
    """Clips of the held-out corpus that anyone may see: those of drawn people.

    Returns
    -------
    list of Example
        Empty if the corpus is not drawn, or not at hand.
    """
    corpus = params.roles.held_out
    folder = data_folder / corpus / "corpus"
    if params.corpus[corpus].source != "simulated":
        return []
    try:
        clips = read_clips(folder)
    except CorpusError:
        return []
    media = params.media_root(corpus, folder)
    chosen = pictured_clips(clips, media, MOST, params.seed)
    return [
        _example(number, row, chosen, media)
        for number, (_, row) in enumerate(chosen.iterrows(), 1)
    ]


def _example(number: int, clip: pd.Series, chosen: pd.DataFrame, media: Path):
    columns = (*EMOTION_COLUMNS, *TRAIT_COLUMNS)
    true = {
        name: float(clip[column])
        for name, column in zip((*EMOTIONS, *TRAITS), columns, strict=True)
        if pd.notna(clip[column])
    }
    strongest = max(EMOTIONS, key=lambda name: true.get(name, 0.0))
    name = f"Drawn person {number}, who shows {strongest}"
    player = video_players(chosen.loc[[clip.name]].assign(shown=name), media, "shown")
    return Example(name, Path(media, clip["media"]), true, player._repr_html_())
