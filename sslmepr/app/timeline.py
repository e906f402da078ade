"""A recording window by window: each is predicted as if it were a clip of its own."""

import math
import time
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
from sslmepr.report.tables import MISSING, Table, interval

WINDOW_SECONDS = 4.0
STEP_SECONDS = 2.0
SHORTEST_SECONDS = 6.0
"""With less, there are no two windows."""

GROUP = 6
"""Windows that are read together; between groups, time may be up."""

BAND = ("least", "most")
"""Ends of the band over seeds; columns are called after the emotion and one of them."""

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
    predictor: Predictor,
    recording: Path,
    work: Path,
    start: float,
    seconds: float,
    until: float = math.inf,
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
    until : float
        Of the monotonic clock: no further windows are read from then on.

    Returns
    -------
    DataFrame
        start and end in seconds from the beginning of the recording, the columns of
        `sslmepr.predict.predict`, and with several seeds the lowest and highest
        probability that any says (``_least``, ``_most``); a row per window. Empty if
        the recording or the time is too short.
    """
    starts, tables = start + window_starts(seconds), []
    for first in range(0, len(starts), GROUP):
        if time.monotonic() > until:
            break
        folder = work / f"{first:02}"
        folder.mkdir()
        tables.append(
            _read_group(predictor, recording, folder, starts[first : first + GROUP])
        )
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def _read_group(
    predictor: Predictor, recording: Path, work: Path, starts: np.ndarray
) -> pd.DataFrame:
    links = []
    for place in range(len(starts)):  # a clip is known by its file
        link = work / f"window-{place:02}{recording.suffix}"
        link.symlink_to(recording.resolve())
        links.append(link)
    ends = starts + WINDOW_SECONDS
    table = predictor.read(links, work, {"start_seconds": starts, "end_seconds": ends})
    ids = table["clip"].tolist()
    said = predictor.models.predict(ids, work / "features")["emotion"]
    if len(said) > 1:
        for place, column in enumerate(EMOTION_COLUMNS):
            ends_of_band = said[..., place].min(0), said[..., place].max(0)
            for end, values in zip(BAND, ends_of_band, strict=True):
                table[f"{column}_{end}"] = values
    table.insert(0, "start", starts)
    table.insert(1, "end", ends)
    return table


@dataclass(frozen=True)
class Timeline:
    """The windows of one recording.

    Attributes
    ----------
    seconds : float
        Length of the segment.
    windows : DataFrame
        Of :func:`read_windows`; fewer than there are if time was up.
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
        expected = len(window_starts(self.seconds))
        if not expected:
            short = (
                f"This recording is {self.seconds:.1f} seconds long. Below "
                f"{SHORTEST_SECONDS:g} seconds there is no course in time, which takes "
                f"two windows of {WINDOW_SECONDS:g} seconds."
            )
            return section("timeline", TITLE, paragraph(short))
        late = (
            f"{len(self.windows)} of {expected} windows were read before the time that "
            "one analysis may take ran short: a shorter segment is read to its end."
        )
        late = paragraph(late) if len(self.windows) < expected else ""
        if self.windows.empty:
            return section("timeline", TITLE, late)
        shown = self._shown()
        intro = (
            f"Each window of {WINDOW_SECONDS:g} seconds, one every {STEP_SECONDS:g}, "
            "is predicted as a clip of its own, with its own words, so that the scores "
            "of the whole are not their mean. Neighbours share half of what they show. "
            "There is a gap where a window lacks what the recording has elsewhere."
        )
        if self._bands:
            intro += (
                " The band goes from the lowest to the highest of the models' seeds: "
                "what chance in the training does, which is no interval for the truth."
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
        return section("timeline", TITLE, late, paragraph(intro), figure, table)

    @property
    def _bands(self) -> bool:
        return f"{EMOTION_COLUMNS[0]}_{BAND[0]}" in self.windows

    def _shown(self) -> pd.DataFrame:
        """start, end and the six emotions, with their bands; NaN in gaps."""
        shown = self.windows[["start", "end"]].copy()
        gap = np.array([bool(each) for each in self.lacking()])
        ends = [f"_{end}" for end in BAND] if self._bands else []
        for name, column in zip(EMOTIONS, EMOTION_COLUMNS, strict=True):
            for end in ["", *ends] if name in SCORED_EMOTIONS else []:
                shown[name + end] = self.windows[column + end].where(~gap)
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
            columns = [name, *(f"{name}_{end}" for end in BAND)]
            bounds = shown.reindex(columns=columns).to_numpy()
            table[name] = [interval(*each, digits=2) for each in bounds]
        table["lacking"] = [", ".join(each) or MISSING for each in self.lacking()]
        note = f"whatever is left at the end, below {STEP_SECONDS:g} s, is in no window"
        if self._bands:
            note += "; in brackets: the lowest and the highest of the models' seeds"
        return Table(table, "Emotions in each window", note)


def unread(why: str) -> Section:
    """A part of the result that says why there are no windows."""
    return section("timeline", TITLE, paragraph(why))


def _has(value) -> bool:
    """Whether a modality of a row of predictions was there."""
    return isinstance(value, str) and bool(value)
