"""The feature store: sequences of one corpus and modality, end to end in one file.

``<modality>.safetensors`` holds ``values`` (step, feature) of all clips and
``offsets``, where each clip begins; ``<modality>.parquet`` says which clip is which.
The values are memory-mapped: opening a store reads none of them.
"""

import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

_DTYPES = {"F16": np.float16, "I64": np.int64}


class FeatureError(ValueError):
    """A feature file is absent, damaged or does not hold what is asked of it."""


class FeatureStore:
    """Sequences of one modality, opened by :meth:`open`.

    Attributes
    ----------
    values : (step, feature) float16 np.memmap
        The steps of all clips.
    offsets : (clip + 1,) int64 np.ndarray
        The steps of clip i are ``values[offsets[i]:offsets[i + 1]]``.
    clip_ids : list of str
    table : DataFrame
        One row per clip: ``clip_id, encoder, revision, steps`` and what else is known.
    encoder, revision : str
    feature_count : int
    """

    def __init__(self, path, values, offsets, table, metadata):
        self.path, self.values, self.offsets = path, values, offsets
        self.table = table
        self.clip_ids = table["clip_id"].tolist()
        self.encoder, self.revision = metadata["encoder"], metadata["revision"]
        self.feature_count = values.shape[1]
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
            If a file is absent or cut short, if the table lists other clips or names
            another encoder than the features do, or if that is not `made_by`.
        """
        path = Path(folder) / f"{modality}.safetensors"
        table_path = path.with_suffix(".parquet")
        for file in (path, table_path):
            if not file.is_file():
                raise FeatureError(f"{file}: there are no such features")
        tensors, metadata = _map_tensors(path)
        if set(tensors) != {"values", "offsets"}:
            raise FeatureError(f"{path}: holds {sorted(tensors)}, not a feature store")
        table = pd.read_parquet(table_path)
        offsets = np.array(tensors["offsets"])
        steps = np.diff(offsets)
        if not np.array_equal(steps, table["steps"].to_numpy()):
            raise FeatureError(
                f"{table_path}: does not list the {len(steps)} clips of {path.name}"
            )
        found = metadata["encoder"], metadata["revision"]
        expected = set(zip(table["encoder"], table["revision"], strict=True))
        if made_by is not None and len(table):
            expected.add(tuple(made_by))
        for other in expected - {found}:
            raise FeatureError(
                f"{path}: was made by {' '.join(found)}, where features of "
                f"{' '.join(other)} are expected; extract them again"
            )
        return cls(path, tensors["values"], offsets, table, metadata)

    def __len__(self) -> int:
        return len(self.clip_ids)

    def __contains__(self, clip_id: str) -> bool:
        return clip_id in self._rows

    def __getitem__(self, clip_id: str) -> np.ndarray:
        """The (step, feature) float32 sequence of a clip.

        Raises
        ------
        FeatureError
            If the store has no such clip.
        """
        if clip_id not in self._rows:
            raise FeatureError(f"{self.path}: has no clip {clip_id!r}")
        row = self._rows[clip_id]
        begin, end = self.offsets[row], self.offsets[row + 1]
        return np.asarray(self.values[begin:end], np.float32)


def write_store(
    folder: str | Path,
    modality: str,
    sequences: Iterable[tuple[str, np.ndarray]],
    encoder: str,
    revision: str,
    extra: pd.DataFrame | None = None,
    feature_count: int = 0,
) -> pd.DataFrame:
    """Write a store, holding one sequence in memory at a time.

    Parameters
    ----------
    sequences : iterable of (str, (step, feature) array)
        Clip id and its sequence.
    encoder, revision : str
        What made them.
    extra : DataFrame, optional
        Further columns of the table, by ``clip_id``.
    feature_count : int
        Width of a store without clips; otherwise the sequences tell.

    Returns
    -------
    DataFrame
        The table that was written beside the features.

    Raises
    ------
    FeatureError
        If a clip comes twice, has no steps or another width, or a value has no place
        in float16.
    """
    path = Path(folder) / f"{modality}.safetensors"
    path.parent.mkdir(parents=True, exist_ok=True)
    spool = path.with_suffix(".values.tmp")
    clip_ids, steps = [], []
    with spool.open("wb") as file:
        for clip_id, values in _checked(path, sequences):
            file.write(values.tobytes())
            feature_count = values.shape[1]
            clip_ids.append(clip_id)
            steps.append(len(values))
    offsets = np.concatenate([[0], np.cumsum(steps)]).astype(np.int64)
    metadata = {"encoder": encoder, "modality": modality, "revision": revision}
    _assemble(path, spool, offsets, feature_count, metadata)
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


def unfit(values: np.ndarray) -> str | None:
    """What keeps an array from being a sequence of a store, or None."""
    if values.ndim != 2 or not values.size:
        return f"shape {values.shape}, not (step, feature)"
    with np.errstate(over="ignore"):
        if not np.isfinite(values.astype(np.float16)).all():
            return "values that are no numbers or beyond float16"
    return None


def _checked(path, sequences) -> Iterator[tuple[str, np.ndarray]]:
    """The sequences as contiguous float16, each fit to be written."""
    seen, width = set(), None
    for clip_id, sequence in sequences:
        values = np.asarray(sequence)
        if clip_id in seen:
            raise FeatureError(f"{path}: clip {clip_id!r} comes twice")
        if problem := unfit(values):
            raise FeatureError(f"{path}: clip {clip_id!r} has {problem}")
        if width is not None and values.shape[1] != width:
            raise FeatureError(
                f"{path}: clip {clip_id!r} has {values.shape[1]} features, not {width}"
            )
        seen.add(clip_id)
        width = values.shape[1]
        yield clip_id, np.ascontiguousarray(values, np.float16)


def _assemble(path, spool, offsets, feature_count, metadata) -> None:
    """Header, offsets and values; the offsets first, so that both stay aligned."""
    begin, end = offsets.nbytes, offsets.nbytes + spool.stat().st_size
    header = {
        "__metadata__": metadata,
        "offsets": _entry("I64", offsets.shape, 0, begin),
        "values": _entry("F16", (int(offsets[-1]), feature_count), begin, end),
    }
    text = json.dumps(header, sort_keys=True).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file, spool.open("rb") as values:
        file.write(len(text).to_bytes(8, "little") + text + offsets.tobytes())
        shutil.copyfileobj(values, file, 2**20)


def _entry(dtype: str, shape, begin: int, end: int) -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def _map_tensors(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """Every tensor of a safetensors file as a memory map, and its metadata."""
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            start = 8 + int.from_bytes(file.read(8), "little")
            if not 8 < start <= size:
                raise ValueError
            header = json.loads(file.read(start - 8))
        metadata = header.pop("__metadata__", {})
        needed = start + max(entry["data_offsets"][1] for entry in header.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise FeatureError(f"{path}: is not a safetensors file") from None
    if size < needed:
        raise FeatureError(f"{path}: is cut short ({size} of {needed} bytes)")
    return {name: _map(path, start, entry) for name, entry in header.items()}, metadata


def _map(path: Path, start: int, entry: dict) -> np.ndarray:
    dtype, shape = _DTYPES[entry["dtype"]], tuple(entry["shape"])
    if 0 in shape:
        return np.zeros(shape, dtype)  # an empty file section cannot be mapped
    return np.memmap(path, dtype, "r", start + entry["data_offsets"][0], shape)
