"""What the models were given of a recording: frames, sound and words."""

import base64
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from sslmepr.app.elements import Section, drawn, key, paragraph, scrolling, section
from sslmepr.app.figures import LINES, box_colours, outlined
from sslmepr.media.audio import SAMPLE_RATE_HZ, read_waveform
from sslmepr.media.errors import MediaError
from sslmepr.media.video import sample_frames
from sslmepr.report import figures
from sslmepr.report.tables import Table

PANEL_PX = 400
"""Width of frames in the overview, at least."""

QUALITY = 85
"""Of the JPEG pictures of single frames."""


@dataclass(frozen=True)
class Seen:
    """What the models were given to see and hear.

    Attributes
    ----------
    images : (frame, height, width, channel) uint8 ndarray or None
        Frames with boxes around face and body.
    seconds : (frame,) ndarray
    waveform : (sample,) ndarray or None
    provenance : DataFrame
        frame, seconds, and how each region was found.
    """

    images: np.ndarray | None
    seconds: np.ndarray
    waveform: np.ndarray | None
    provenance: pd.DataFrame

    @classmethod
    def read(cls, path: Path, work: Path, frames: int, start, end) -> "Seen":
        """Read the frames that extraction sampled, and the sound.

        Parameters
        ----------
        path : Path
            Of the recording.
        work : Path
            Holds ``features/regions.parquet``.
        frames : int
            As many as extraction samples.
        start, end : float or None
            Of the segment.
        """
        regions = pd.read_parquet(work / "features" / "regions.parquet")
        images, seconds, waveform = None, np.zeros(0), None
        try:
            sampled = sample_frames(path, frames, start, end)
            images = outlined(sampled.images, regions)
            seconds = sampled.seconds
        except MediaError:
            pass  # it has no pictures, which the row says
        try:
            waveform = read_waveform(path, start, end)
        except MediaError:
            pass
        wide = regions.pivot(index="frame", columns="modality", values="provenance")
        wide.insert(0, "seconds", regions.groupby("frame")["seconds"].first())
        return cls(images, seconds, waveform, wide.rename_axis(columns=None))


def _enlargeable(images: np.ndarray, seconds: np.ndarray) -> str:
    """Frames that a click or Enter makes large, and another one small again."""
    parts = []
    for number, (image, second) in enumerate(zip(images, seconds, strict=True), 1):
        words = f"Frame {number} of {len(images)}, at {second:.1f} s"
        _, content = cv2.imencode(
            ".jpg",
            cv2.cvtColor(image, cv2.COLOR_RGB2BGR),
            [cv2.IMWRITE_JPEG_QUALITY, QUALITY],
        )
        address = f"data:image/jpeg;base64,{base64.b64encode(content).decode()}"
        parts.append(
            f'<details><summary><img src="{address}" alt="{words}: enlarge or reduce">'
            "</summary></details>"
        )
    return f'<div class="enlargeable">{"".join(parts)}</div>'


def seen_sections(row: pd.Series, seen: Seen) -> list[Section]:
    """Frames, sound and words as the models had them.

    Parameters
    ----------
    row : Series
        Of the table of `sslmepr.predict.predict`.
    seen : Seen
    """
    parts, found = [], []
    if seen.images is not None:
        coarse = max(1, seen.images.shape[2] // PANEL_PX)  # large ones stand below
        boxes = {
            f"{name} ({LINES[name]})": f"background:{colour}"
            for name, colour in box_colours().items()
        }
        parts = [
            drawn(
                figures.contact_sheet,
                seen.images[:, ::coarse, ::coarse],
                [f"{second:.1f} s" for second in seen.seconds],
                alt=f"{len(seen.images)} frames that the models saw, with boxes around "
                "face and body as they were found",
            ),
            key("Boxes", boxes),
            _enlargeable(seen.images, seen.seconds),
        ]
    if len(seen.provenance):
        table = seen.provenance.reset_index(drop=True)
        caption = "How each region was found, frame by frame"
        note = "a person region or the full frame stands in where no face was detected"
        found.append(scrolling(Table(table, caption, note)))
    if seen.waveform is not None and len(seen.waveform):
        marks = "Dotted lines: when the frames were taken." * bool(len(seen.seconds))
        found.append(
            drawn(
                figures.sound,
                seen.waveform,
                SAMPLE_RATE_HZ,
                seen.seconds,
                alt="The waveform of the sound, "
                f"{len(seen.waveform) / SAMPLE_RATE_HZ:.1f} seconds",
                caption=marks,
            )
        )
    else:
        found.append(paragraph("No sound."))
    words = row["transcript"]
    if pd.notna(words) and words:
        source = "as given" if row["text"] == "given" else "as speech recognition heard"
        found.append(f"<h3>What is said ({source})</h3>{paragraph(words)}")
    else:
        found.append(paragraph("No words."))
    first = []
    if parts:
        first = [section("frames", "Frames", *parts, people=True)]
    elif seen.waveform is not None:
        only = "There are no pictures: only the sound was analysed."
        found.insert(0, paragraph(only))
    return [*first, section("found", "What was found", *found)]
