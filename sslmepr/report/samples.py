"""Sample clips for display, with frames and video players."""

import base64
import html
import itertools
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.corpora.schema import words_of
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS, TRAITS
from sslmepr.media.errors import MediaError
from sslmepr.media.video import sample_frames
from sslmepr.report.figures.clips import contact_sheet

SHOWABLE = ("simulated", "folder", "table")
"""Sources whose recordings may be shown: rendered ones, and the user's own."""

LABEL_COLUMNS = 26
"""Characters per caption line; wider text would make the frames smaller."""


def read_pictures(clip: pd.Series, folder: str | Path, count: int):
    """Sample frames of a clip; None if it has no video.

    Parameters
    ----------
    clip : Series
        A row of a clip table.
    folder : path
        That `media` is relative to.
    count : int

    Returns
    -------
    sslmepr.media.video.SampledFrames or None
    """
    if pd.isna(clip["media"]):
        return None
    try:
        return sample_frames(
            Path(folder, clip["media"]),
            count,
            clip["start_seconds"],
            clip["end_seconds"],
        )
    except MediaError:
        return None


def pictured_clips(
    clips: pd.DataFrame, folder: str | Path, count: int, seed: int
) -> pd.DataFrame:
    """The first `count` clips of `sample_clips` that have video.

    Parameters
    ----------
    clips : DataFrame
        A clip table.
    folder : path
        That `media` is relative to.
    count : int
        Number of clips; fewer if there are not so many.
    seed : int
    """
    order = sample_clips(clips, len(clips), seed)
    seen = (
        place
        for place, (_, clip) in enumerate(order.iterrows())
        if read_pictures(clip, folder, 1) is not None
    )
    return order.iloc[list(itertools.islice(seen, count))]


def sample_clips(clips: pd.DataFrame, count: int, seed: int) -> pd.DataFrame:
    """Draw clips at random, balanced over their strongest emotion.

    Parameters
    ----------
    clips : DataFrame
        A clip table with emotions.
    count : int
        Number of clips; fewer if there are not so many.
    """
    shuffled = clips.sample(frac=1, random_state=seed)
    strongest = shuffled[list(EMOTION_COLUMNS)].to_numpy().argmax(axis=1)
    # The n-th clip of every emotion comes before the (n + 1)-th of any.
    turn = pd.Series(strongest, index=shuffled.index).groupby(strongest).cumcount()
    return shuffled.iloc[np.argsort(turn.to_numpy(), kind="stable")][:count]


def caption(clip: pd.Series) -> str:
    """Emotions that are present (else the clip id) and the two most extreme traits."""
    emotions = [
        f"{name} {clip[column]:.2f}"
        for name, column in zip(EMOTIONS, EMOTION_COLUMNS, strict=True)
        if clip[column] > 0
    ]
    lines = [", ".join(emotions) or clip["clip_id"]]
    traits = clip[list(TRAIT_COLUMNS)].astype(float)
    if traits.notna().all():
        far = (traits - 0.5).abs().to_numpy().argsort(kind="stable")[::-1][:2]
        shown = [f"{TRAITS[at].replace('_', ' ')} {traits.iloc[at]:.2f}" for at in far]
        lines.append("; ".join(shown))
    return "\n".join(lines)


def sample_sheet(clips: pd.DataFrame, folder: str | Path, alt: str) -> None:
    """Show the middle frame of each clip with its caption.

    Parameters
    ----------
    clips : DataFrame
        From `pictured_clips`.
    folder : path
        That `media` is relative to.
    alt : str
        What the figure shows.
    """
    images = [read_pictures(clip, folder, 1).images[0] for _, clip in clips.iterrows()]
    captions = [caption(clip).split("\n") for _, clip in clips.iterrows()]
    labels = [
        "\n".join(textwrap.fill(line, LABEL_COLUMNS) for line in lines)
        for lines in captions
    ]
    contact_sheet(images, labels, alt=alt)


class Players:
    """Video players with embedded data, which work offline."""

    def __init__(self, content: str):
        self._content = content

    def _repr_html_(self) -> str:
        return self._content

    def __repr__(self) -> str:
        return "Video players"


def video_players(clips: pd.DataFrame, folder: str | Path) -> Players:
    """One video player per clip, with its transcript and caption."""
    parts = []
    for _, clip in clips.iterrows():
        data = base64.b64encode(Path(folder, clip["media"]).read_bytes()).decode()
        words = html.escape(words_of(clip) or "no words")
        parts.append(
            '<figure style="margin:0;flex:1 1 220px;max-width:320px">'
            '<video controls preload="metadata" style="width:100%" '
            f'src="data:video/mp4;base64,{data}"></video>'
            f"<figcaption>“{words}”<br>{html.escape(caption(clip))}</figcaption></figure>"
        )
    row = "".join(parts)
    return Players(f'<div style="display:flex;flex-wrap:wrap;gap:1em">{row}</div>')
