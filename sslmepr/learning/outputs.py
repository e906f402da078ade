"""What a model says of clips, and hands to the next stage: one file per corpus."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from sslmepr.learning.batches import ModalityClips, in_order
from sslmepr.learning.clips import StudyClips

PREDICT_BATCH = 256


@torch.no_grad()
def outputs_of(
    model: nn.Module,
    data: ModalityClips,
    rows: np.ndarray,
    names: Sequence[str],
    task: str | None = None,
) -> dict[str, np.ndarray]:
    """Outputs of a model for some clips of a modality.

    Parameters
    ----------
    model : UnimodalModel or CrosstaskModel
        Is put into evaluation mode; its output has the fields `names`, each a
        (clip, ...) Tensor.
    data : ModalityClips
    rows : (clip,) int array
        At least one.
    names : sequence of str
    task : str, optional
        Of whose linear probe the clips carry the logits that the model starts from; by
        default all that they carry.

    Returns
    -------
    dict of str to (clip, ...) float32 array
        In the order of `rows`.
    """
    model.eval()
    # Clips of like length share a batch, which saves padding.
    by_length = np.argsort(data.lengths[rows], kind="stable")
    parts = {name: [] for name in names}
    for places in in_order(by_length, PREDICT_BATCH):
        batch = data.batch(rows[places])
        probed = (batch.probed or None) if task is None else batch.probed[task]
        output = model(batch.values, batch.mask, probed)
        for name in names:
            parts[name].append(getattr(output, name).float().cpu())
    back = np.argsort(by_length, kind="stable")
    return {name: torch.cat(part).numpy()[back] for name, part in parts.items()}


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
