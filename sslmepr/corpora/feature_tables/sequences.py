"""From the tables of a modality to a sequence of features for each clip."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sslmepr.corpora.feature_tables.files import (
    Rows,
    digest_tables,
    find_tables,
    id_of_file,
    is_nameless,
    read_rows,
)
from sslmepr.corpora.feature_tables.names import ClipNames
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import QUALITY
from sslmepr.params.corpora import FeatureTable


class Sequenced(NamedTuple):
    """The features of one clip, and how they were obtained.

    Attributes
    ----------
    values : (step, feature) float32 array
        Behind the features stands the certainty: the mean, over the rows of the clip,
        of how sure the tool is; 0 for rows that are left out, 1 for others if the tool
        does not tell.
    steps_per_second : float
        NaN if it is not known.
    rows, kept : int
        In the tables, and those of them that were sure enough.
    certainty : float
    """

    values: np.ndarray
    steps_per_second: float
    rows: int
    kept: int
    certainty: float


@dataclass
class Measured:
    """What the tables of one modality say of the clips of a corpus.

    Attributes
    ----------
    encoder, revision : str
        The tool; its version and a digest of the names of the features.
    columns : tuple of str
        Names of all features, the certainty last.
    sequences : dict of str to Sequenced
        By clip, in the order of the clips.
    missing : dict of str to str
        Clip without features to the reason.
    unknown : dict of str to str
        Id that no clip has to its place.
    """

    encoder: str
    revision: str
    columns: tuple[str, ...]
    sequences: dict[str, Sequenced] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)


class _Piece(NamedTuple):
    """Rows of one table that are about one clip."""

    rows: Rows
    chosen: np.ndarray
    by_media: bool
    by_file: bool


def read_feature_tables(
    clips: Sequence[dict], table: FeatureTable, root: Path
) -> Measured:
    """Read a modality of clips from the tables of another tool.

    Rows are left out where a feature is empty or not a number, where the tool found
    nothing (``success``) and where it is not sure enough (`smallest_confidence`). If
    several people are seen at once, the rows of one are taken: of whom most are sure.

    Parameters
    ----------
    clips : sequence of dict
        ``clip_id``, ``media``, ``start_seconds`` and ``end_seconds`` (or None) of each,
        as the tables call them.
    table : FeatureTable
    root : Path
        That ``table.path`` is relative to.

    Raises
    ------
    CorpusError
        If a table cannot be read, has other columns than the first, has a row without
        an id, two rows for one moment of a clip, or if all its ids are unknown; if the
        tables are not those whose digest the parameters hold.
    """
    paths = find_tables(root, table)
    _require_digest(root, table)
    pieces: dict[int, _Piece] = {}
    unknown: dict[str, str] = {}
    names, columns = ClipNames(clips), None
    for path in paths:
        rows = read_rows(path, table)
        if columns is not None and rows.columns != columns:
            other = sorted({*rows.columns} ^ {*columns}) or ["another order of columns"]
            raise CorpusError(f"{path} and {paths[0]} differ in {', '.join(other[:5])}")
        columns = rows.columns
        for text, chosen, by_file in _by_id(rows, table, root):
            found = names.find(text)
            if found.ambiguous:
                called = ", ".join(repr(clips[place]["clip_id"]) for place in found[0])
                raise CorpusError(
                    f"{path.parent / rows.place(chosen)}: {text!r} may be any of the "
                    f"clips {called}; write the whole clip_id"
                )
            if not found.places:
                unknown[text] = rows.place(chosen)
            for place in found.places:
                piece = _Piece(rows, chosen, found.by_media, by_file)
                if place in pieces:
                    raise _twice(clips[place]["clip_id"], pieces[place], piece)
                pieces[place] = piece
    if unknown and not pieces:
        text, place = next(iter(unknown.items()))
        raise CorpusError(
            f"{root / table.path}: none of its {len(unknown)} ids is that of a clip; "
            f"the first is {text!r} ({place}), where clips are called "
            f"{clips[0]['clip_id']!r} and so on; id_pattern can cut out what both have"
        )
    named = (*columns, *QUALITY["table"])
    digest = hashlib.sha256(json.dumps(named).encode()).hexdigest()[:8]
    measured = Measured(
        table.tool, f"{table.version or 'unknown'}+{digest}", named, unknown=unknown
    )
    for place, clip in enumerate(clips):
        if place not in pieces:
            measured.missing[clip["clip_id"]] = f"no rows in {table.path}"
            continue
        made = _sequence(clip, pieces[place], table)
        kind = measured.missing if isinstance(made, str) else measured.sequences
        kind[clip["clip_id"]] = made
    return measured


def _require_digest(root: Path, table: FeatureTable) -> None:
    if table.sha256 is not None and digest_tables(root, table) != table.sha256:
        raise CorpusError(
            f"{root / table.path}: has changed since its sha256 was written into the "
            "parameters; run `sslmepr repro`, which writes the new one"
        )


def _by_id(rows: Rows, table: FeatureTable, root: Path):
    """Ids of a table, the places of their rows, and whether the file's name is it."""
    file_id, ids = id_of_file(rows.path, root, table), rows.ids
    if ids is not None and not len(ids):
        raise CorpusError(f"{rows.path}: has no rows")
    if ids is None or all(is_nameless(text, table) for text in set(ids)):
        text = _cut(file_id, table, f"{rows.path}: its name")
        yield text, np.arange(len(rows.lines)), True
        return
    empty = np.flatnonzero(ids == "")
    if len(empty):
        raise CorpusError(f"{rows.path.parent / rows.place(empty[:1])}: has no id")
    called, inverse = np.unique(ids.astype(str), return_inverse=True)
    order = np.argsort(inverse, kind="stable")
    ends = np.cumsum(np.bincount(inverse))
    parts = np.split(order, ends[:-1])
    for text, chosen in sorted(zip(called, parts, strict=True), key=lambda p: p[1][0]):
        where = f"{rows.path.parent / rows.place(chosen[:1])}: the id"
        yield _cut(str(text), table, where), chosen, False


def _cut(text: str, table: FeatureTable, where: str) -> str:
    """What a clip is called in an id."""
    if table.id_pattern is None:
        return text
    match = re.fullmatch(table.id_pattern, text)
    if match is None or not match[1]:
        raise CorpusError(
            f"{where} {text!r} does not match id_pattern {table.id_pattern!r}"
        )
    return match[1]


def _twice(clip_id: str, first: _Piece, second: _Piece) -> CorpusError:
    one, other = (
        each.rows.path.parent / each.rows.place(each.chosen) for each in (first, second)
    )
    return CorpusError(f"{one} and {other}: both are about clip {clip_id!r}")


def _sequence(clip: dict, piece: _Piece, table: FeatureTable) -> Sequenced | str:
    """The features of one clip, or the reason why it has none."""
    rows, chosen = piece.rows, piece.chosen
    if not len(chosen):
        return f"no rows in {rows.path.name}"
    times = _times(piece, table)
    if times is not None:
        order = np.argsort(times, kind="stable")
        chosen, times = chosen[order], times[order]
        chosen, times = _one_person(rows, chosen, times, table)
    _require_distinct(piece, chosen, times)
    chosen, times = _part_of_recording(clip, piece, chosen, times)
    if not len(chosen):
        return f"no rows between its start and end in {rows.place(piece.chosen)}"
    sure = _is_sure(rows, chosen, table)
    if not sure.any():
        return f"{_why_unsure(rows, chosen, table)} in {rows.place(chosen)}"
    values, rate = _steps(rows, chosen, times, sure, table)
    certainty = float(np.where(sure, _confidence(rows, chosen), 0.0).mean())
    values = np.column_stack([values, np.full(len(values), certainty, np.float32)])
    return Sequenced(values, rate, len(chosen), int(sure.sum()), certainty)


def _times(piece: _Piece, table: FeatureTable) -> np.ndarray | None:
    """When each row was measured; by its place, where only the rate is known."""
    if piece.rows.times is not None:
        return piece.rows.times[piece.chosen]
    if table.frames_per_second is not None:
        return np.arange(len(piece.chosen)) / table.frames_per_second
    return None


def _one_person(rows: Rows, chosen, times, table: FeatureTable):
    """Rows of the person of whom most are sure, if several are seen at once."""
    if rows.persons is None or (np.diff(times) > 0).all():
        return chosen, times
    people, inverse = np.unique(rows.persons[chosen].astype(str), return_inverse=True)
    sure = _is_sure(rows, chosen, table)
    seen = np.bincount(inverse, sure)
    certain = np.bincount(inverse, np.where(sure, _confidence(rows, chosen), 0))
    best = max(range(len(people)), key=lambda each: (seen[each], certain[each]))
    mine = inverse == best
    return chosen[mine], times[mine]


def _require_distinct(piece: _Piece, chosen, times) -> None:
    """Refuse rows that are about the same moment of one clip."""
    rows = piece.rows
    if times is None:
        if len(chosen) < 2 or piece.by_file:
            return
        raise CorpusError(
            f"{rows.path.parent / rows.place(chosen[:2])}: have the same id "
            f"{rows.ids[chosen[0]]!r}; if rows are steps, name a time_column"
        )
    same = np.flatnonzero(np.diff(times) == 0)
    if len(same):
        both = chosen[same[0] : same[0] + 2]
        raise CorpusError(
            f"{rows.path.parent / rows.place(both)}: are about the same moment "
            f"({times[same[0]]:g}); if several faces were seen, keep the rows of one"
        )


def _part_of_recording(clip: dict, piece: _Piece, chosen, times):
    """Rows between start and end of a clip whose table is of the whole recording."""
    start, end = clip["start_seconds"], clip["end_seconds"]
    if not piece.by_media or (start is None and end is None):
        return chosen, times
    if times is None or not piece.rows.in_seconds:
        raise CorpusError(
            f"{piece.rows.path}: clip {clip['clip_id']!r} is a part of its recording; "
            "name a time_column, or frames_per_second if it counts frames"
        )
    start = start or 0.0
    here = (times >= start) & (times < (np.inf if end is None else end))
    return chosen[here], times[here] - start


def _is_sure(rows: Rows, chosen, table: FeatureTable) -> np.ndarray:
    """Which rows are not left out."""
    sure = ~np.isnan(rows.values[chosen]).any(1)
    if rows.success is not None:
        sure &= rows.success[chosen] > 0
    if rows.confidence is not None:
        sure &= rows.confidence[chosen] >= table.smallest_confidence
    return sure


def _confidence(rows: Rows, chosen) -> np.ndarray:
    if rows.confidence is None:
        return np.ones(len(chosen))
    return np.nan_to_num(rows.confidence[chosen])


def _why_unsure(rows: Rows, chosen, table: FeatureTable) -> str:
    """Why no row of a clip is taken."""
    empty = np.isnan(rows.values[chosen])
    if empty.any(1).all():
        column = rows.columns[int(empty.sum(0).argmax())]
        return f"no number in column {column}"
    if rows.success is not None and not (rows.success[chosen] > 0).any():
        return f"{table.tool} found nothing"
    return f"{table.tool} is nowhere as sure as {table.smallest_confidence:g}"


def _steps(rows: Rows, chosen, times, sure, table: FeatureTable):
    """Steps of a sequence and their rate in Hz, NaN if it is not known."""
    values, in_seconds = rows.values[chosen], times is not None and rows.in_seconds
    rate = table.frames_per_second or np.nan
    if in_seconds and len(times) > 1:
        rate = 1 / float(np.median(np.diff(times)))
    if table.steps_per_second is None:
        return values[sure], rate
    if not in_seconds:
        raise CorpusError(
            f"{rows.path}: has no time in seconds, so that rows cannot be averaged to "
            f"{table.steps_per_second:g} steps per second; name a time_column, or "
            "frames_per_second"
        )
    bins = np.floor(times[sure] * table.steps_per_second + 1e-6).astype(int)
    starts = np.flatnonzero(np.diff(bins, prepend=bins[0] - 1))
    counts = np.diff(np.append(starts, len(bins)))
    sums = np.add.reduceat(values[sure].astype(np.float64), starts, axis=0)
    return (sums / counts[:, None]).astype(np.float32), table.steps_per_second
