"""The feature store: sequences of one corpus and modality, end to end in one file.

``<modality>.safetensors`` holds ``values`` (step, feature) of all clips and
``offsets``, where each clip begins; ``<modality>.parquet`` lists the clips in order.
The values are memory-mapped: opening a store reads none of them, so it notices damage
to anything but them.
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from safetensors import SafetensorError, safe_open

REMEDY = "extract the features again"

_VALUES = {"F16": np.float16, "F32": np.float32}
_OFFSETS = ("I64", 1)
_METADATA = {"clips", "encoder", "modality", "revision"}
_COLUMNS = {"clip_id", "encoder", "revision", "steps"}


class FeatureError(ValueError):
    """A feature file is absent, damaged or does not hold what is asked of it."""


class FeatureStore:
    """Sequences of one modality, opened by :meth:`open`.

    Attributes
    ----------
    values : (step, feature) float16 or float32 np.memmap
        The steps of all clips.
    offsets : (clip + 1,) int64 np.ndarray
        The steps of clip i are ``values[offsets[i]:offsets[i + 1]]``.
    clip_ids : list of str
    table : DataFrame
        One row per clip: ``clip_id, encoder, revision, steps`` and further columns.
    encoder, revision : str
    feature_count : int
    columns : tuple of str or None
        Names of the features, where another tool has measured them.
    """

    def __init__(self, path, values, offsets, table, metadata):
        self.path, self.values, self.offsets = path, values, offsets
        self.table = table
        self.clip_ids = table["clip_id"].tolist()
        self.encoder, self.revision = metadata["encoder"], metadata["revision"]
        self.feature_count = values.shape[1]
        columns = metadata.get("columns")
        self.columns = None if columns is None else tuple(json.loads(columns))
        self._rows = {clip_id: row for row, clip_id in enumerate(self.clip_ids)}

    @classmethod
    def open(
        cls,
        folder: str | Path,
        modality: str,
        made_by: tuple[str, str] | None = None,
    ) -> "FeatureStore":
        """Open the store of a modality.

        Parameters
        ----------
        folder : str or Path
        modality : str
        made_by : (str, str), optional
            Encoder and revision that the features must come from; those of a store
            without clips come from none.

        Raises
        ------
        FeatureError
            If a file is absent or damaged, if the table lists other clips or names
            another encoder than the features do, or if that is not `made_by`.
        """
        path = Path(folder) / f"{modality}.safetensors"
        table_path = path.with_suffix(".parquet")
        for file in (path, table_path):
            if not file.is_file():
                raise FeatureError(f"{file}: there are no such features; {REMEDY}")
        values, offsets, metadata = _map_store(path)
        if metadata["modality"] != modality:
            raise FeatureError(f"{path}: holds {metadata['modality']}; {REMEDY}")
        table, steps = _read_table(table_path), np.diff(offsets)
        listed = np.array_equal(steps, table["steps"].to_numpy())
        if not listed or _digest(table["clip_id"].tolist()) != metadata["clips"]:
            raise FeatureError(
                f"{table_path}: does not list the {len(steps)} clips of {path.name}; "
                f"{REMEDY}"
            )
        found = metadata["encoder"], metadata["revision"]
        expected = set(zip(table["encoder"], table["revision"], strict=True))
        if made_by is not None and len(table):
            expected.add(tuple(made_by))
        for other in expected - {found}:
            raise FeatureError(
                f"{path}: was made by {' '.join(found)}, where features of "
                f"{' '.join(map(str, other))} are expected; {REMEDY}"
            )
        return cls(path, values, offsets, table, metadata)

    def __len__(self) -> int:
        return len(self.clip_ids)

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._rows

    def __getitem__(self, clip_id: str) -> np.ndarray:
        """The (step, feature) float32 sequence of a clip.

        Raises
        ------
        FeatureError
            If the store has no such clip, or numbers that were never written.
        """
        if clip_id not in self._rows:
            raise FeatureError(f"{self.path}: has no clip {clip_id!r}")
        row = self._rows[clip_id]
        begin, end = self.offsets[row], self.offsets[row + 1]
        values = np.asarray(self.values[begin:end], np.float32)
        if not np.isfinite(values).all():
            raise FeatureError(f"{self.path}: clip {clip_id!r} is damaged; {REMEDY}")
        return values


def write_store(
    folder: str | Path,
    modality: str,
    sequences: Iterable[tuple[str, np.ndarray]],
    encoder: str,
    revision: str,
    extra: pd.DataFrame | None = None,
    feature_count: int = 0,
    columns: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Write a store, holding one sequence in memory at a time.

    Features of encoders are kept in float16. Those with names are in units of their
    own, which may leave its range or need more digits, and are kept in float32.

    Parameters
    ----------
    sequences : iterable of (str, (step, feature) array)
        Clip id and its sequence.
    encoder, revision : str
        What made them.
    extra : DataFrame, optional
        Further columns of the table, by ``clip_id``.
    feature_count : int
        Width of a store without clips; otherwise that of the sequences counts.
    columns : sequence of str, optional
        Names of the features.

    Returns
    -------
    DataFrame
        The table that was written beside the features.

    Raises
    ------
    FeatureError
        If a clip comes twice, has no steps or another width (also than `columns`), or
        a value has no place in the store.
    """
    kind = "F16" if columns is None else "F32"
    if columns is not None:
        feature_count = len(columns)
    path = Path(folder) / f"{modality}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    spool = path.with_suffix(".values.tmp")
    clip_ids, steps = [], []
    with spool.open("wb") as file:
        width = None if columns is None else len(columns)
        for clip_id, values in _checked(path, sequences, _VALUES[kind], width):
            file.write(values.tobytes())
            feature_count = values.shape[1]
            clip_ids.append(clip_id)
            steps.append(len(values))
    offsets = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
    metadata = {
        "clips": _digest(clip_ids),
        "encoder": encoder,
        "modality": modality,
        "revision": revision,
    }
    if columns is not None:
        metadata["columns"] = json.dumps(list(columns), ensure_ascii=False)
    _assemble(path, spool, offsets, feature_count, metadata, kind)
    spool.unlink()
    table = pd.DataFrame(
        {
            "clip_id": pd.Series(clip_ids, dtype="str"),
            "encoder": pd.Series([encoder] * len(clip_ids), dtype="str"),
            "revision": pd.Series([revision] * len(clip_ids), dtype="str"),
            "steps": np.diff(offsets),
        }
    )
    if extra is not None:
        table = table.merge(extra, on="clip_id", how="left", validate="one_to_one")
    table.to_parquet(path.with_suffix(".parquet"), index=False)
    return table


def unfit(values: np.ndarray, kind: type = np.float16) -> str | None:
    """Reason why an array cannot be a sequence of a store of some kind, or None."""
    if values.ndim != 2 or not values.size:
        return f"shape {values.shape}, not (step, feature)"
    with np.errstate(over="ignore"):
        if not np.isfinite(values.astype(kind)).all():
            return f"values that are no numbers or beyond {kind.__name__}"
    return None


def _checked(path, sequences, kind, width) -> Iterator[tuple[str, np.ndarray]]:
    """The sequences as contiguous arrays of a kind, each fit to be written."""
    seen = set()
    for clip_id, sequence in sequences:
        values = np.asarray(sequence)
        if clip_id in seen:
            raise FeatureError(f"{path}: clip {clip_id!r} comes twice")
        if problem := unfit(values, kind):
            raise FeatureError(f"{path}: clip {clip_id!r} has {problem}")
        if width is not None and values.shape[1] != width:
            raise FeatureError(
                f"{path}: clip {clip_id!r} has {values.shape[1]} features, not {width}"
            )
        seen.add(clip_id)
        width = values.shape[1]
        yield clip_id, np.ascontiguousarray(values, kind)


def _assemble(path, spool, offsets, feature_count, metadata, kind) -> None:
    """Header, offsets and values; the offsets first, so that both stay aligned."""
    begin, end = offsets.nbytes, offsets.nbytes + spool.stat().st_size
    header = {
        "__metadata__": metadata,
        "offsets": _entry("I64", offsets.shape, 0, begin),
        "values": _entry(kind, (int(offsets[-1]), feature_count), begin, end),
    }
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file, spool.open("rb") as values:
        file.write(len(text).to_bytes(8, "little") + text + offsets.tobytes())
        shutil.copyfileobj(values, file, 2**20)


def _entry(dtype: str, shape, begin: int, end: int) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def _digest(clip_ids: list[str]) -> str:
    """Tells a table with other clips, or the same in another order, by its ids."""
    listed = json.dumps(clip_ids, default=str)
    return hashlib.sha256(listed.encode()).hexdigest()[:16]


def _map_store(path: Path) -> tuple[np.ndarray, np.ndarray, dict[str, str]]:
    """Values as a memory map, offsets and metadata."""
    try:
        with safe_open(path, "numpy") as file:  # which checks sizes and places
            metadata = file.metadata() or {}
            slices = {name: file.get_slice(name) for name in file.keys()}
            found = {
                name: (each.get_dtype(), len(each.get_shape()))
                for name, each in slices.items()
            }
            kind = found.get("values", ("", 0))[0]
            expected = {"values": (kind, 2), "offsets": _OFFSETS}
            if (
                found != expected
                or kind not in _VALUES
                or not _METADATA <= set(metadata)
            ):
                raise FeatureError(f"{path}: is not a feature store; {REMEDY}")
            offsets = file.get_tensor("offsets")
            shape = tuple(slices["values"].get_shape())
    except (SafetensorError, OSError) as error:
        raise FeatureError(f"{path}: is damaged ({error}); {REMEDY}") from None
    increasing = len(offsets) and offsets[0] == 0 and (np.diff(offsets) > 0).all()
    if not increasing or offsets[-1] != shape[0]:
        raise FeatureError(f"{path}: its offsets are not those of clips; {REMEDY}")
    if 0 in shape:
        return np.zeros(shape, _VALUES[kind]), offsets, metadata  # cannot be mapped
    with path.open("rb") as file:
        header = int.from_bytes(file.read(8), "little")
        begin = json.loads(file.read(header))["values"]["data_offsets"][0]
    values = np.memmap(path, _VALUES[kind], "r", 8 + header + begin, shape)
    return values, offsets, metadata


def _read_table(path: Path) -> pd.DataFrame:
    try:
        pq.read_table(path).validate(full=True)  # text that is no UTF-8, say
        table = pd.read_parquet(path)
    except Exception as error:  # of many kinds, by what is damaged
        raise FeatureError(f"{path}: is damaged ({error}); {REMEDY}") from None
    if missing := sorted(_COLUMNS - set(table)):
        raise FeatureError(f"{path}: has no column {', '.join(missing)}; {REMEDY}")
    return table
