"""Sample clips for display, with frames and video players."""

import base64
import html
import io
import itertools
import textwrap
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from sslmepr.corpora.schema import words_of
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, TRAIT_COLUMNS, TRAITS
from sslmepr.media.errors import MediaError
from sslmepr.media.video import sample_frames
from sslmepr.report.figures.clips import contact_sheet
from sslmepr.report.words import plain

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
        shown = [f"{plain(TRAITS[at])} {traits.iloc[at]:.2f}" for at in far]
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


def video_players(
    clips: pd.DataFrame, folder: str | Path, label: str | None = None
) -> Players:
    """One video player per clip, with a frame to begin with, captions and labels.

    Parameters
    ----------
    clips : DataFrame
        Rows of a clip table that have video.
    folder : path
        That `media` is relative to.
    label : str, optional
        Column with the label of each, which is its name, too; by default emotions and
        traits are the labels.
    """
    parts = []
    for number, (_, clip) in enumerate(clips.iterrows(), 1):
        words = words_of(clip)
        said = html.escape(words or "no words")
        lines = caption(clip).split("\n") if label is None else [clip[label]]
        name = f"Sample clip {number}" if label is None else clip[label]
        labels = "<br>".join(map(html.escape, lines))
        poster = track = ""
        content = Path(folder, clip["media"]).read_bytes()
        pictures = read_pictures(clip, folder, 1)
        if pictures is not None:
            poster = (
                f' poster="{data_address("image/jpeg", _jpeg(pictures.images[0]))}"'
            )
        if words:
            address = data_address("text/vtt", captions(clip, words).encode())
            track = f'<track kind="captions" label="Words" src="{address}">'
        parts.append(
            '<figure style="margin:0;max-width:320px">'
            '<video controls preload="metadata" style="width:100%" '
            f'aria-label="{html.escape(name)}: {said}"{poster} '
            f'src="{data_address("video/mp4", content)}">'
            f'{track}</video><figcaption style="font:inherit;text-align:left">“{said}”'
            f"<br>{labels}</figcaption></figure>"
        )
    row = "".join(parts)
    columns = "repeat(auto-fit,minmax(200px,1fr))"
    return Players(
        f'<div style="display:grid;grid-template-columns:{columns};gap:1em">{row}</div>'
    )


def captions(clip: pd.Series, words: str) -> str:
    """WebVTT captions of a clip: all its words, from its start to its end.

    When each word is spoken is not known. An end that is not known is an hour after
    the start, so that the words stay until the video ends.

    Parameters
    ----------
    clip : Series
        start_seconds and end_seconds, NaN for those of the recording.
    words : str
    """
    start, end = clip["start_seconds"], clip["end_seconds"]
    start = 0.0 if pd.isna(start) else start
    end = start + 3600 if pd.isna(end) else end
    lines = html.escape(textwrap.fill(words, 40), quote=False)
    return f"WEBVTT\n\n{_clock(start)} --> {_clock(end)}\n{lines}\n"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds, 3), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours:02}:{minutes:02}:{seconds:06.3f}"


def _jpeg(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "JPEG", quality=80)
    return buffer.getvalue()


def data_address(kind: str, content: bytes) -> str:
    """Address that holds the content itself, which pages on a disk may load."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"
