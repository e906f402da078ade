"""What the columns of each tool mean, and which of them a table of one's own has."""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from sslmepr.corpora.schema import CorpusError
from sslmepr.params.corpora import FeatureTable


@dataclass(frozen=True)
class Format:
    """Columns of the tables of one tool; each may be absent.

    Attributes
    ----------
    ids : tuple of str
        What may name the recording; the first that a table has does.
    times : tuple of str
        When a row was measured, likewise.
    counts_frames : bool
        Times are numbers of frames, not seconds.
    confidence, success : str or None
        How sure the tool is of a row, 0 to 1; whether it found anything, 1 or 0.
    person : str or None
        Whom a row is about, where several people may be seen at once.
    features : re.Pattern or None
        Columns that are features; None: all that are not `beside` and have no meaning.
    beside : tuple of str
        Columns that are no features.
    nameless : tuple of str
        Ids with which the tool says that it was told none.
    """

    ids: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    counts_frames: bool = False
    confidence: str | None = None
    success: str | None = None
    person: str | None = None
    features: re.Pattern | None = None
    beside: tuple[str, ...] = ()
    nameless: tuple[str, ...] = ()


OWN = Format(ids=("clip_id", "clip"), times=("seconds",))

FORMATS = {
    # Pixels of landmarks and the place of the head depend on the camera; action units,
    # gaze and rotation do not.
    "openface": Format(
        ids=("clip_id", "clip"),
        times=("timestamp",),
        confidence="confidence",
        success="success",
        person="face_id",
        features=re.compile(r"AU\d\d_[rc]|gaze_angle_[xy]|pose_R[xyz]"),
    ),
    # Its emotions are predictions of another model, whose errors would enter all that
    # is learned here; `columns` can name them.
    "pyfeat": Format(
        ids=("clip_id", "input"),
        times=("frame",),
        counts_frames=True,
        confidence="FaceScore",
        person="Identity",
        features=re.compile(r"AU\d\d|Pitch|Roll|Yaw|gaze_(pitch|yaw|angle)"),
    ),
    # The program writes name and frameTime, the Python package file, start and end.
    "opensmile": Format(
        ids=("clip_id", "file", "name"),
        times=("start", "frameTime"),
        beside=("end", "class"),
        nameless=("unknown",),
    ),
    "librosa": OWN,
    "table": OWN,
}
"""Tool to its columns. OpenFace: its wiki, *Output Format*; py-feat: columns of `Fex`;
openSMILE: cCsvSink of the program, `process_files` of the Python package."""


@dataclass(frozen=True)
class Plan:
    """The columns of one table by what they mean; None where it has no such column."""

    id: str | None
    time: str | None
    counts_frames: bool
    confidence: str | None
    success: str | None
    person: str | None
    features: tuple[str, ...]

    @property
    def others(self) -> list[str]:
        """Columns that are read and are no features."""
        named = (self.id, self.time, self.confidence, self.success, self.person)
        return [name for name in named if name is not None]


def plan_columns(path: Path, header: Sequence[str], table: FeatureTable) -> Plan:
    """Say what the columns of a table mean.

    Parameters
    ----------
    path : Path
        Of the table, for errors.
    header : sequence of str
    table : FeatureTable

    Raises
    ------
    CorpusError
        If a column that the parameters name is not there, two columns that are read
        have one name, or there are no features.
    """
    known = FORMATS[table.tool]
    header = [clean(name) for name in header]
    chosen = table.id_column, table.time_column, table.confidence_column
    ids, times, sure = (name and clean(name) for name in chosen)
    _require(path, header, [name for name in (ids, times, sure) if name])
    plan = Plan(
        id=ids or _first(header, known.ids),
        time=times or _first(header, known.times),
        counts_frames=known.counts_frames and times is None,
        confidence=sure or _first(header, (known.confidence,)),
        success=_first(header, (known.success,)),
        person=_first(header, (known.person,)),
        features=(),
    )
    taken = {*plan.others, *known.beside, *known.ids, *known.times}
    found = _features(path, header, table, known, taken)
    if not found:
        raise CorpusError(
            f"{path}: has no columns of features of {table.tool}; it has "
            f"{_listed(header)}"
        )
    twice = sorted({name for name in (*plan.others, *found) if header.count(name) > 1})
    if twice:
        raise CorpusError(f"{path}: two columns are called {', '.join(twice)}")
    return Plan(**{**vars(plan), "features": tuple(dict.fromkeys(found))})


def clean(name: str) -> str:
    """A column name without blanks around it, with composed accents."""
    return unicodedata.normalize("NFC", name).strip()


def _features(path, header, table, known, taken) -> list[str]:
    if table.columns is not None:
        found = []
        for pattern in map(clean, table.columns):
            named = [name for name in header if fnmatchcase(name, pattern)]
            _require(path, header, [] if named else [pattern])
            found += named
        return found
    if known.features is not None:
        return [name for name in header if known.features.fullmatch(name)]
    # Without a name: numbers of rows, as pandas writes them.
    numbered = re.compile(r"|Unnamed: 0|__index_level_\d+__")
    return [
        name for name in header if name not in taken and not numbered.fullmatch(name)
    ]


def _first(header: Sequence[str], names: Iterable[str | None]) -> str | None:
    return next((name for name in names if name in header), None)


def _require(path: Path, header: Sequence[str], names: Iterable[str]) -> None:
    missing = [name for name in names if name not in header]
    if missing:
        raise CorpusError(
            f"{path}: no column {', '.join(missing)}; it has {_listed(header)}"
        )


def _listed(header: Sequence[str], most: int = 12) -> str:
    named = [name for name in header if name]
    more = f" and {len(named) - most} more" if len(named) > most else ""
    return ", ".join(named[:most]) + more
