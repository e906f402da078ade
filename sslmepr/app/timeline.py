"""A recording window by window: each is predicted as if it were a clip of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.app.elements import Section, drawn, paragraph, scrolling, section
from sslmepr.labels import EMOTION_COLUMNS, EMOTIONS, SCORED_EMOTIONS
from sslmepr.media.audio import SAMPLE_RATE_HZ
from sslmepr.predict import Predictor
from sslmepr.report import figures
from sslmepr.report.tables import MISSING, Table, number

WINDOW_SECONDS = 4.0
STEP_SECONDS = 2.0
SHORTEST_SECONDS = 6.0
"""With less, there are no two windows."""

TITLE = "Through the recording"

MEASURED = (
    "There are no windows where a modality comes from a table of another tool: it is "
    "read as a whole."
)
FAILED = (
    "The windows could not be read, for a reason that was not foreseen. The scores of "
    "the whole recording do not depend on them."
)


def window_starts(seconds: float) -> np.ndarray:
    """When the windows of a recording start, in seconds from its beginning.

    Parameters
    ----------
    seconds : float
        Its length. What is left at the end, less than a step, is in no window.

    Returns
    -------
    (window,) ndarray
        Empty if it is shorter than `SHORTEST_SECONDS`.
    """
    if seconds < SHORTEST_SECONDS:
        return np.zeros(0)
    # A length is read from a file, so it may be short by a rounding.
    count = int((seconds - WINDOW_SECONDS) / STEP_SECONDS + 1e-6) + 1
    return STEP_SECONDS * np.arange(count)


def read_windows(
    predictor: Predictor, recording: Path, work: Path, start: float, seconds: float
) -> pd.DataFrame:
    """Predict every window of a recording.

    Parameters
    ----------
    predictor : Predictor
    recording : Path
    work : Path
        An empty folder.
    start, seconds : float
        Of the segment: where in the recording it starts, and its length.

    Returns
    -------
    DataFrame
        start and end in seconds from the beginning of the recording, and the columns
        of `sslmepr.predict.predict`; a row per window. Empty if it is too short.
    """
    starts = start + window_starts(seconds)
    if not len(starts):
        return pd.DataFrame()
    links = []
    for place in range(len(starts)):  # a clip is known by its file
        link = work / f"window-{place:02}{recording.suffix}"
        link.symlink_to(recording.resolve())
        links.append(link)
    bounds = {"start_seconds": starts, "end_seconds": starts + WINDOW_SECONDS}
    table = predictor.read(links, work, bounds)
    table.insert(0, "start", starts)
    table.insert(1, "end", starts + WINDOW_SECONDS)
    return table


@dataclass(frozen=True)
class Timeline:
    """The windows of one recording.

    Attributes
    ----------
    seconds : float
        Length of the segment.
    windows : DataFrame
        Of :func:`read_windows`; empty if it is too short.
    whole : Series
        Row of the whole recording.
    modalities : list of str
        Those that the models use.
    thresholds : dict of str to float
        Emotion to the probability from which it counts as present.
    waveform : (sample,) ndarray or None
    """

    seconds: float
    windows: pd.DataFrame
    whole: pd.Series
    modalities: list[str]
    thresholds: Mapping[str, float]
    waveform: np.ndarray | None

    def lacking(self) -> list[list[str]]:
        """Of each window, the modalities that the recording has and it does not."""
        names = [name for name in self.modalities if _has(self.whole[name])]
        return [
            [name for name in names if not _has(row[name])]
            for _, row in self.windows.iterrows()
        ]

    def section(self) -> Section:
        """As a part of the result."""
        if self.windows.empty:
            short = (
                f"This recording is {self.seconds:.1f} seconds long. Below "
                f"{SHORTEST_SECONDS:g} seconds there is no course in time, which takes "
                f"two windows of {WINDOW_SECONDS:g} seconds."
            )
            return section("timeline", TITLE, paragraph(short))
        shown = self._shown()
        intro = (
            f"Each window of {WINDOW_SECONDS:g} seconds, one every {STEP_SECONDS:g}, "
            "is predicted as a clip of its own, with its own words, so that the scores "
            "of the whole are not their mean. Neighbours share half of what they show. "
            "There is a gap where a window lacks what the recording has elsewhere."
        )
        figure = drawn(
            figures.emotion_timeline,
            shown,
            self.thresholds,
            self.waveform,
            SAMPLE_RATE_HZ,
            alt=f"Six emotions in {len(shown)} windows: {self._described(shown)}",
        )
        table = scrolling(self._table(shown))
        return section("timeline", TITLE, paragraph(intro), figure, table)

    def _shown(self) -> pd.DataFrame:
        """start, end and the six emotions, NaN in gaps."""
        shown = self.windows[["start", "end"]].copy()
        gap = np.array([bool(each) for each in self.lacking()])
        for name, column in zip(EMOTIONS, EMOTION_COLUMNS, strict=True):
            if name in SCORED_EMOTIONS:
                shown[name] = self.windows[column].where(~gap)
        return shown

    def _described(self, shown: pd.DataFrame) -> str:
        parts = []
        for name in SCORED_EMOTIONS:
            known = shown[name].dropna()
            if len(known):
                span = f"{known.min():.2f} to {known.max():.2f}"
                parts.append(f"{name} {span}")
        return ", ".join(parts) or "none could be read whole"

    def _table(self, shown: pd.DataFrame) -> Table:
        table = pd.DataFrame(
            {"seconds": [f"{a:g} to {b:g}" for a, b in shown[["start", "end"]].values]}
        )
        for name in SCORED_EMOTIONS:
            table[name] = [number(each, 2) for each in shown[name]]
        table["lacking"] = [", ".join(each) or MISSING for each in self.lacking()]
        note = f"whatever is left at the end, below {STEP_SECONDS:g} s, is in no window"
        return Table(table, "Emotions in each window", note)


def unread(why: str) -> Section:
    """A part of the result that says why there are no windows."""
    return section("timeline", TITLE, paragraph(why))


def _has(value) -> bool:
    """Whether a modality of a row of predictions was there."""
    return isinstance(value, str) and bool(value)
