"""The rows of one clip in a table, as a sequence of steps."""

from typing import NamedTuple

import numpy as np

from sslmepr.corpora.feature_tables.files import Rows
from sslmepr.corpora.schema import CorpusError
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


class Piece(NamedTuple):
    """Rows of one table that are about one clip.

    Attributes
    ----------
    rows : Rows
    chosen : (row,) int array
        Places of its rows in the table.
    by_media : bool
        The table is of the recording, so that times count from its beginning.
    by_file : bool
        It is of one clip or recording, which its name says.
    """

    rows: Rows
    chosen: np.ndarray
    by_media: bool
    by_file: bool


def sequence_of(clip: dict, piece: Piece, table: FeatureTable) -> Sequenced | str:
    """The features of one clip, or the reason why it has none.

    Parameters
    ----------
    clip : dict
        ``clip_id``, ``start_seconds`` and ``end_seconds`` (or None).
    piece : Piece
        Its rows.
    table : FeatureTable

    Raises
    ------
    CorpusError
        If two rows are about one moment, or time is needed that is not known.
    """
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


def _times(piece: Piece, table: FeatureTable) -> np.ndarray | None:
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


def _require_distinct(piece: Piece, chosen, times) -> None:
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


def _part_of_recording(clip: dict, piece: Piece, chosen, times):
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
    if empty.all() and len(rows.columns) > 1:  # as where py-feat sees no face
        return f"{table.tool} measured nothing"
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
