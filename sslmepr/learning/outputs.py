"""What a training stage hands to the next: arrays per clip, one file per corpus."""

import json
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from sslmepr.learning.clips import StudyClips


def write_outputs(folder: str | Path, clips: StudyClips, rows, outputs: dict) -> None:
    """Write ``outputs-<corpus>.safetensors`` for every corpus of the study.

    A corpus without any clip in `rows` has a file with no clips.

    Parameters
    ----------
    folder : path
    clips : StudyClips
    rows : (clip,) int array
    outputs : dict of str to (clip, ...) array
        In the order of `rows`.
    """
    for corpus in clips.corpora:
        mine = np.isin(rows, clips.rows(corpus))
        ids = clips.table["clip_id"].iloc[rows[mine]].tolist()
        tensors = {
            name: torch.from_numpy(np.ascontiguousarray(values[mine]))
            for name, values in outputs.items()
        }
        # One metadata entry: their order in the file is not defined.
        metadata = {"clip_ids": json.dumps(ids, ensure_ascii=False)}
        save_file(tensors, Path(folder, f"outputs-{corpus}.safetensors"), metadata)


def read_outputs(folder: str | Path, corpus: str) -> tuple[list[str], dict]:
    """Clip ids and outputs (name to (clip, ...) Tensor) of one corpus."""
    path = Path(folder, f"outputs-{corpus}.safetensors")
    with safe_open(path, framework="pt") as file:
        ids = json.loads(file.metadata()["clip_ids"])
        return ids, {name: file.get_tensor(name) for name in file.keys()}


def study_outputs(
    folder: str | Path, clips: StudyClips
) -> tuple[Tensor, dict[str, Tensor]]:
    """Rows of a study's clips, and the outputs of all corpora for them."""
    rows, parts = [], []
    for corpus in clips.corpora:
        ids, outputs = read_outputs(folder, corpus)
        mine = clips.rows(corpus)
        order = dict(zip(clips.table["clip_id"].iloc[mine], mine, strict=True))
        rows.extend(order[name] for name in ids)
        parts.append(outputs)
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return torch.tensor(rows, dtype=torch.int64), joined
