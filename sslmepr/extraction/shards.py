"""Shards: chunks of an extraction, first as jobs, then finished as one file each.

A shard is written whole or not at all, and is named after everything that its content
depends on. An interrupted extraction therefore resumes where it stopped, and never
reuses features of other settings, clips or media.
"""

import hashlib
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from sslmepr.params.corpora import Extract

FORMAT = 3
"""Version of the shard format; increase it when the meaning of a shard changes."""


@dataclass(frozen=True)
class Job:
    """One chunk: its clips as dictionaries of the clip table, and where to write."""

    clips: tuple[dict, ...]
    media_root: Path
    extract: Extract
    device: str
    shard: Path


@dataclass
class Chunk:
    """Features and findings of some clips.

    Attributes
    ----------
    sequences : dict of str to list of (str, (step, feature) np.ndarray)
        Modality to clip ids and sequences.
    rates : dict of str to dict of str to float
        Modality to clip id to steps per second.
    encoders : dict of str to [name, revision]
        Modality to the encoder that made its sequences.
    missing : list of [clip_id, modality, reason]
    unexpected : list of [clip_id, modality, error and line, traceback]
        Those of the missing that failed with an unforeseen error.
    transcripts : list of [clip_id, transcript, source, language]
        The language of a given transcript is None.
    regions : dict of str to list
        Columns of the table of regions.
    """

    sequences: dict[str, list] = field(default_factory=dict)
    rates: dict[str, dict] = field(default_factory=dict)
    encoders: dict[str, list] = field(default_factory=dict)
    missing: list = field(default_factory=list)
    unexpected: list = field(default_factory=list)
    transcripts: list = field(default_factory=list)
    regions: dict[str, list] = field(default_factory=dict)


FINDINGS = ("rates", "encoders", "missing", "unexpected", "transcripts", "regions")


def shard_key(settings: dict, clips: list[dict], media_root: Path) -> str:
    """Name of a shard, which changes with everything that its features depend on.

    Parameters
    ----------
    settings : dict
        Settings and encoders of the extraction, ready for JSON.
    clips : list of dict
        Rows of the clip table.
    media_root : Path
        Folder that the column ``media`` is relative to; size and modification time of
        the files enter the name.

    Returns
    -------
    str
        20 hexadecimal digits.
    """
    files = []
    for clip in clips:
        path = media_root / clip["media"] if clip["media"] else None
        if path is not None and path.is_file():
            state = path.stat()
            files.append([state.st_size, state.st_mtime_ns])
        else:
            files.append(None)
    described = json.dumps([FORMAT, settings, clips, files], sort_keys=True)
    return hashlib.sha256(described.encode()).hexdigest()[:20]


def write_shard(chunk: Chunk, path: Path) -> None:
    """Write a shard under a temporary name and rename it, so that it is never partial.

    Parameters
    ----------
    chunk : Chunk
    path : Path
        The shard; its folder is made if need be.
    """
    tensors, clip_ids = {}, {}
    for modality, sequences in chunk.sequences.items():
        if sequences:
            clip_ids[modality] = [clip_id for clip_id, _ in sequences]
            arrays = [np.asarray(values, np.float32) for _, values in sequences]
            tensors[modality] = np.concatenate(arrays)
            lengths = [len(array) for array in arrays]
            tensors[f"{modality}.lengths"] = np.array(lengths, np.int64)
    findings = {name: getattr(chunk, name) for name in FINDINGS}
    metadata = {"findings": json.dumps(findings), "clip_ids": json.dumps(clip_ids)}
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.tmp")
    save_file(tensors, part, metadata)
    os.replace(part, path)


def read_findings(path: Path) -> Chunk:
    """A shard without its sequences."""
    with safe_open(path, "numpy") as file:
        return Chunk(**json.loads(file.metadata()["findings"]))


def read_sequences(path: Path, modality: str):
    """Yield the sequences of one modality of a shard, in the order of its clips.

    Parameters
    ----------
    path : Path
    modality : str

    Yields
    ------
    (str, (step, feature) float32 ndarray)
        Clip id and its sequence.
    """
    with safe_open(path, "numpy") as file:
        clip_ids = json.loads(file.metadata()["clip_ids"]).get(modality)
        if clip_ids is None:
            return
        values = file.get_tensor(modality)
        ends = np.cumsum(file.get_tensor(f"{modality}.lengths"))
    yield from zip(clip_ids, np.split(values, ends[:-1]), strict=True)
