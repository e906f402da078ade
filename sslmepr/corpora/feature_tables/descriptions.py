"""What observers have described in words, read from tables or from MM-OCEAN's files.

A row is an observation: which clip, which channel, from when to when, and what was seen
or heard. Its sentences are the steps of a modality, in the order of time.
"""

import csv
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.corpora.feature_tables.formats import clean
from sslmepr.corpora.feature_tables.names import ClipNames
from sslmepr.corpora.feature_tables.paths import find_tables, require_digest
from sslmepr.corpora.mm_ocean import Observation, read_observations
from sslmepr.corpora.schema import CorpusError
from sslmepr.params.corpora import Described

_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"'”’)]))\s+(?=[\"'“‘(]?[A-Z0-9])")


class Sentence(NamedTuple):
    """A sentence about a clip, and the time that its observation is about.

    Attributes
    ----------
    start_seconds, end_seconds : float
        From the start of the clip.
    text : str
    """

    start_seconds: float
    end_seconds: float
    text: str


@dataclass
class Descriptions:
    """What was described of the clips of a corpus in one channel.

    Attributes
    ----------
    sentences : dict of str to list of Sentence
        By clip, in the order of the clips; each in the order of time.
    missing, unknown : dict of str to str
        As in `sslmepr.corpora.feature_tables.sequences.Measured`.
    """

    sentences: dict[str, list[Sentence]] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


def read_descriptions(
    clips: Sequence[dict], section: Described, root: Path
) -> Descriptions:
    """Read what is described of clips in one channel.

    Parameters
    ----------
    clips : sequence of dict
        ``clip_id`` and ``media`` of each, as the files call them.
    section : Described
    root : Path
        That ``section.path`` is relative to.

    Raises
    ------
    CorpusError
        If a file cannot be read or lacks a column, if an observation has no id, no text
        or no times, ends before it starts, or if two files are about one clip; if no
        observation is of the channel, or all ids are unknown. It names file and line.
    """
    require_digest(root, section)
    paths = find_tables(root, section)
    found = Descriptions()
    noted: dict[int, list[Observation]] = {}
    names, channels, owners = ClipNames(clips), set(), {}
    for path, text, notes in _read(paths, section):
        channels |= {each.channel for each in notes}
        places = names.find(text).places
        if len(places) > 1:
            called = ", ".join(repr(clips[place]["clip_id"]) for place in places)
            where = path.parent / (notes[0].place if notes else path.name)
            raise CorpusError(
                f"{where}: {text!r} may be any of the clips {called}; write the whole "
                "clip_id"
            )
        if not places:
            found.unknown[text] = notes[0].place if notes else path.name
            continue
        (place,) = places
        if owners.setdefault(place, path) != path:
            clip_id = clips[place]["clip_id"]
            raise CorpusError(
                f"{owners[place]} and {path}: both are about clip {clip_id!r}"
            )
        noted.setdefault(place, []).extend(notes)
    _require_known(clips, section, root, found, noted, channels)
    for place, clip in enumerate(clips):
        mine = [
            note
            for note in noted.get(place, [])
            if section.channel in (None, note.channel)
        ]
        if mine:
            found.sentences[clip["clip_id"]] = _sentences(mine)
        else:
            what = f"of {section.channel} " if section.channel else ""
            found.missing[clip["clip_id"]] = f"no description {what}in {section.path}"
    return found


def split_sentences(text: str) -> list[str]:
    """The sentences of a description, which end in a mark before a capital.

    >>> split_sentences("He smiles at 2.5 s. Then he nods.")
    ['He smiles at 2.5 s.', 'Then he nods.']
    """
    return [part for part in _SENTENCE_END.split(" ".join(text.split())) if part]


def _sentences(notes: list[Observation]) -> list[Sentence]:
    notes = sorted(notes, key=lambda note: (note.start_seconds, note.end_seconds))
    return [
        Sentence(note.start_seconds, note.end_seconds, text)
        for note in notes
        for text in split_sentences(note.text)
    ]


def _require_known(clips, section, root, found, noted, channels) -> None:
    """Refuse files that say nothing of these clips or of this channel."""
    where = root / section.path
    if found.unknown and not noted:
        text, place = next(iter(found.unknown.items()))
        raise CorpusError(
            f"{where}: none of its {len(found.unknown)} ids is that of a clip; the "
            f"first is {text!r} ({place}), where clips are called "
            f"{clips[0]['clip_id']!r} and so on"
        )
    if section.channel is not None and section.channel not in channels:
        known = ", ".join(sorted(channels)) or "none"
        raise CorpusError(
            f"{where}: has no channel {section.channel!r}; it has {known}"
        )


def _read(
    paths: Sequence[Path], section: Described
) -> Iterator[tuple[Path, str, list[Observation]]]:
    """File, name of the clip and observations of each clip in each file."""
    for path in paths:
        if path.suffix.lower() not in _READERS:
            raise CorpusError(f"{path}: must end in one of {', '.join(_READERS)}")
        for text, notes in _READERS[path.suffix.lower()](path, section):
            yield path, text, [_checked(path, note) for note in notes]


def _checked(path: Path, note: Observation) -> Observation:
    """An observation with a text and with times in seconds."""
    where = f"{path.parent / note.place}:"
    if not isinstance(note.text, str) or not note.text.strip():
        raise CorpusError(f"{where} has no description")
    if not isinstance(note.channel, str):
        raise CorpusError(f"{where} its channel is no text, but {note.channel!r}")
    times = []
    for name, value in (("start", note.start_seconds), ("end", note.end_seconds)):
        try:
            seconds = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            seconds = math.nan
        if not math.isfinite(seconds) or seconds < 0:
            raise CorpusError(f"{where} its {name} is no time in seconds: {value!r}")
        times.append(seconds)
    if times[1] < times[0]:
        raise CorpusError(f"{where} ends at {times[1]:g} s, before it starts")
    return Observation(note.channel, *times, note.text, note.place)


def _json(path: Path, section: Described) -> Iterator[tuple[str, list[Observation]]]:
    yield read_observations(path)


def _table(path: Path, section: Described) -> Iterator[tuple[str, list[Observation]]]:
    """Observations of each clip in a table, clips in the order of their first row."""
    by_clip: dict[str, list[Observation]] = {}
    columns = [
        section.id_column,
        section.channel_column,
        section.start_column,
        section.end_column,
        section.text_column,
    ]
    for place, cells in _ROWS[path.suffix.lower()](path, columns):
        clip_id, *parts = cells
        if not isinstance(clip_id, str) or not clean(clip_id):
            raise CorpusError(f"{path.parent / place}: has no id")
        by_clip.setdefault(clean(clip_id), []).append(Observation(*parts, place))
    yield from by_clip.items()


def _csv_rows(path: Path, columns: list[str]) -> Iterator[tuple[str, list]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            separator = ";" if _is_cut_by_semicolons(file.readline()) else ","
            file.seek(0)
            reader = csv.reader(file, delimiter=separator, strict=True)
            header = [clean(name) for name in next(reader, [])]
            places = _places(path, header, columns)
            for row in reader:
                if not any(row):
                    continue
                if len(row) != len(header):
                    raise CorpusError(
                        f"{path}: line {reader.line_num} has {len(row)} cells, the "
                        f"header has {len(header)}; is the file cut off?"
                    )
                cells = ["" if each is None else row[each] for each in places]
                yield f"{path.name}, line {reader.line_num}", cells
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CorpusError(f"{path}: not readable as CSV: {error}") from None


def _is_cut_by_semicolons(first: str) -> bool:
    return first.count(";") > first.count(",")


def _parquet_rows(path: Path, columns: list[str]) -> Iterator[tuple[str, list]]:
    try:
        table = pd.read_parquet(path)
    except Exception as error:  # of many kinds, by what is damaged
        raise CorpusError(f"{path}: not readable, it may be damaged: {error}") from None
    header = [clean(str(name)) for name in table.columns]
    places = _places(path, header, columns)
    for number, row in enumerate(table.itertuples(index=False), 1):
        cells = ["" if each is None else row[each] for each in places]
        yield f"{path.name}, row {number}", cells


def _places(path: Path, header: list[str], columns: list[str]) -> list[int | None]:
    """Where the columns are; None for the channel, which a table may lack."""
    found: list[int | None] = []
    for number, name in enumerate(columns):
        if header.count(name) > 1:
            raise CorpusError(f"{path}: two columns are called {name}")
        if name not in header and number != 1:
            listed = ", ".join(header[:12]) or "none"
            raise CorpusError(f"{path}: no column {name}; it has {listed}")
        found.append(header.index(name) if name in header else None)
    return found


_READERS = {".csv": _table, ".parquet": _table, ".json": _json}
_ROWS = {".csv": _csv_rows, ".parquet": _parquet_rows}
