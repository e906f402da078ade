"""Model outputs for clips, passed to the next stage as one file per corpus."""

import json
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sslmepr.files import atomic
from sslmepr.training.batches import ModalityClips
from sslmepr.training.checkpoints import CheckpointError, remedy
from sslmepr.training.clips import StudyClips

PREDICT_BATCH = 256
"""Clips per forward pass; bounds memory."""


@torch.no_grad()
def predict_outputs(
    model: nn.Module,
    data: ModalityClips,
    rows: np.ndarray,
    names: Sequence[str],
    task: str | None = None,
) -> dict[str, np.ndarray]:
    """Outputs of a model for some clips of a modality, without gradients.

    Parameters
    ----------
    model : UnimodalModel or CrosstaskModel
        Is put into evaluation mode.
    data : ModalityClips
    rows : (clip,) int array
        At least one.
    names : sequence of str
        Fields of the model's output, each a (clip, ...) Tensor.
    task : str, optional
        Task whose offset logits the model takes, for `UnimodalModel`. By default it
        takes those of all tasks that have them, as a dictionary.

    Returns
    -------
    dict of str to (clip, ...) float32 array
        In the order of `rows`.
    """
    model.eval()
    # Clips of similar length share a batch, which saves padding.
    by_length = np.argsort(data.lengths[rows], kind="stable")
    outputs, begin = {}, 0
    for piece in data.pieces(rows[by_length], PREDICT_BATCH):
        batch = data.batch(piece)
        offset_logits = (
            (batch.offset_logits or None) if task is None else batch.offset_logits[task]
        )
        output = model(batch.values, batch.mask, offset_logits)
        places = by_length[begin : begin + len(piece)]
        begin += len(piece)
        for name in names:
            found = getattr(output, name).float().cpu().numpy()
            if name not in outputs:
                outputs[name] = np.empty((len(rows), *found.shape[1:]), np.float32)
            outputs[name][places] = found
    return outputs


def write_outputs(
    folder: str | Path, clips: StudyClips, rows, outputs: dict, model: str = ""
) -> None:
    """Write ``outputs-<corpus>.safetensors`` for every corpus of the study.

    A corpus without any clip in `rows` gets a file without clips.

    Parameters
    ----------
    folder : path
    clips : StudyClips
    rows : (clip,) int array
        Positions in the study's clips.
    outputs : dict of str to (clip, ...) array
        In the order of `rows`.
    model : str
        Digest of the checkpoint whose outputs they are.
    """
    for corpus in clips.corpora:
        mine = np.isin(rows, clips.rows(corpus))
        ids = clips.table["clip_id"].iloc[rows[mine]].tolist()
        tensors = {
            name: torch.from_numpy(np.ascontiguousarray(values[mine]))
            for name, values in outputs.items()
        }
        # A single metadata entry, because the order of several is not reproducible.
        told = {"clip_ids": ids, "model": model}
        metadata = {"told": json.dumps(told, ensure_ascii=False)}
        with atomic(_path(folder, corpus)) as part:
            save_file(tensors, part, metadata)


def _path(folder: str | Path, corpus: str) -> Path:
    return Path(folder, f"outputs-{corpus}.safetensors")


@contextmanager
def _opened(folder: str | Path, corpus: str):
    """The output file of a corpus and its decoded metadata.

    Raises
    ------
    CheckpointError
        If it is missing, damaged or of an earlier version.
    """
    path = _path(folder, corpus)
    try:
        with safe_open(path, framework="pt") as file:
            yield file, json.loads((file.metadata() or {})["told"])
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{path}: not readable as outputs of a model: {error}; {remedy(folder)}"
        ) from None


def read_outputs(folder: str | Path, corpus: str) -> tuple[list[str], dict]:
    """Read the outputs of a model for one corpus.

    Parameters
    ----------
    folder : path
        Run folder of a stage.
    corpus : str

    Returns
    -------
    clip_ids : list of str
    outputs : dict of str to (clip, ...) Tensor

    Raises
    ------
    CheckpointError
        If the file is missing, damaged or of an earlier version.
    """
    with _opened(folder, corpus) as (file, told):
        return told["clip_ids"], {name: file.get_tensor(name) for name in file.keys()}


def model_of_outputs(folder: str | Path, clips: StudyClips) -> str:
    """Digest of the checkpoint that made the outputs in a folder.

    Parameters
    ----------
    folder : path
        Run folder of a stage.
    clips : StudyClips

    Returns
    -------
    str

    Raises
    ------
    CheckpointError
        As `read_outputs`, and if the corpora have outputs of different checkpoints.
    """
    digests = set()
    for corpus in clips.corpora:
        with _opened(folder, corpus) as (_, told):
            digests.add(told["model"])
    if len(digests) > 1:
        raise CheckpointError(
            f"{folder}: holds outputs of several models; {remedy(folder)}"
        )
    return digests.pop()


def study_outputs(
    folder: str | Path, clips: StudyClips
) -> tuple[Tensor, dict[str, Tensor]]:
    """Read the outputs of a model for all corpora of a study.

    Parameters
    ----------
    folder : path
        Run folder of a stage.
    clips : StudyClips

    Returns
    -------
    rows : (clip,) int64 Tensor
        Positions in the study's clips.
    outputs : dict of str to (clip, ...) Tensor
        In the order of `rows`.

    Raises
    ------
    CheckpointError
        As `read_outputs`.
    """
    rows: list[int] = []
    parts = []
    for corpus in clips.corpora:
        ids, outputs = read_outputs(folder, corpus)
        mine = clips.rows(corpus)
        order = dict(zip(clips.table["clip_id"].iloc[mine], mine, strict=True))
        rows.extend(order[name] for name in ids)
        parts.append(outputs)
    joined = {name: torch.cat([part[name] for part in parts]) for name in parts[0]}
    return torch.tensor(rows, dtype=torch.int64), joined
