"""From the tables of a modality to a sequence of features for each clip."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from sslmepr.corpora.feature_tables.files import Rows, read_rows
from sslmepr.corpora.feature_tables.formats import FORMATS
from sslmepr.corpora.feature_tables.names import ClipNames
from sslmepr.corpora.feature_tables.paths import (
    find_tables,
    id_of_file,
    require_digest,
)
from sslmepr.corpora.feature_tables.steps import Piece, Sequenced, sequence_of
from sslmepr.corpora.schema import CorpusError
from sslmepr.labels import QUALITY
from sslmepr.params.corpora import FeatureTable


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
    require_digest(root, table)
    pieces, unknown, columns = _assign(clips, paths, table, root)
    if unknown and not pieces:
        text, place = next(iter(unknown.items()))
        raise CorpusError(
            f"{root / table.path}: none of its {len(unknown)} ids is that of a clip; "
            f"the first is {text!r} ({place}), where clips are called "
            f"{clips[0]['clip_id']!r} and so on; id_pattern can cut out what both have"
        )
    named = (*columns, *QUALITY["table"])
    revision = table_revision(table.version, named)
    measured = Measured(table.tool, revision, named, unknown=unknown)
    for place, clip in enumerate(clips):
        if place not in pieces:
            measured.missing[clip["clip_id"]] = f"no rows in {table.path}"
            continue
        made = sequence_of(clip, pieces[place], table)
        kind = measured.missing if isinstance(made, str) else measured.sequences
        kind[clip["clip_id"]] = made
    return measured


def table_revision(version: str | None, columns: tuple[str, ...]) -> str:
    """What tells features of a tool from others: its version, and their names."""
    digest = hashlib.sha256(json.dumps(columns).encode()).hexdigest()[:8]
    return f"{version or 'unknown'}+{digest}"


def _assign(clips: Sequence[dict], paths: list[Path], table: FeatureTable, root: Path):
    """Rows of each clip by its place, places of unknown ids, names of the features."""
    pieces: dict[int, Piece] = {}
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
                called = ", ".join(
                    repr(clips[each]["clip_id"]) for each in found.places
                )
                raise CorpusError(
                    f"{path.parent / rows.place(chosen)}: {text!r} may be any of the "
                    f"clips {called}; write the whole clip_id"
                )
            if not found.places:
                unknown[text] = rows.place(chosen)
            for place in found.places:
                piece = Piece(rows, chosen, found.by_media, by_file)
                if place in pieces:
                    raise _twice(clips[place]["clip_id"], pieces[place], piece)
                pieces[place] = piece
    return pieces, unknown, columns


def _by_id(rows: Rows, table: FeatureTable, root: Path):
    """Ids of a table, the places of their rows, and whether the file's name is it."""
    file_id, ids = id_of_file(rows.path, root, table), rows.ids
    if ids is not None and not len(ids):
        raise CorpusError(f"{rows.path}: has no rows")
    # some tools write a word of their own where they were told no name
    if ids is None or set(ids) <= set(FORMATS[table.tool].nameless):
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


def _twice(clip_id: str, first: Piece, second: Piece) -> CorpusError:
    one, other = (
        each.rows.path.parent / each.rows.place(each.chosen) for each in (first, second)
    )
    return CorpusError(f"{one} and {other}: both are about clip {clip_id!r}")
