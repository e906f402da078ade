"""Trained models as safetensors and JSON: no pickle, and nothing else to be known."""

import dataclasses
import functools
import hashlib
import json
import typing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import nn

from sslmepr import __version__
from sslmepr.labels import TARGETS
from sslmepr.learning.batches import Standardisation
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.models.published import PublishedFusion
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel

CLASSES = {
    "UnimodalModel": (UnimodalModel, UnimodalConfig),
    "CrosstaskModel": (CrosstaskModel, CrosstaskConfig),
    "FusionModel": (FusionModel, FusionConfig),
    "PublishedFusion": (PublishedFusion, FusionConfig),
}

PACKAGE = Path(__file__).parents[1]
_STATISTICS = "statistics"


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or was made for something else."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and what it needs.

    Attributes
    ----------
    model : Module
        In evaluation mode, on the CPU.
    statistics : dict
        Name of an input and corpus, ``<corpus>`` or ``<modality>/<corpus>``, to the
        `Standardisation` of its features.
    metrics : dict
        Scores on dev and thresholds chosen there.
    code_revision : str
    made_by : (str, str) or None
        Encoder and revision of the features it was trained on; None for a model that
        reads none.
    """

    model: nn.Module
    statistics: dict[str, Standardisation]
    metrics: dict
    code_revision: str
    made_by: tuple[str, str] | None


def save_checkpoint(
    model: nn.Module,
    stem: str | Path,
    statistics: dict[str, Standardisation] | None = None,
    metrics: dict | None = None,
    made_by: tuple[str, str] | None = None,
) -> None:
    """Write ``<stem>.safetensors`` and ``<stem>.json``.

    Parameters
    ----------
    model : Module
        One of `CLASSES`, with its config at ``model.config``.
    stem : path
        Without suffix; the folder is made.
    statistics, metrics : dict, optional
        As in `Checkpoint`; `metrics` must be JSON-able.
    made_by : (str, str), optional
        As in `Checkpoint`.
    """
    stem = Path(stem)
    stem.parent.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: value.detach().cpu().contiguous()
        for name, value in model.state_dict().items()
    }
    for name, each in (statistics or {}).items():
        tensors[f"{_STATISTICS}/{name}/mean"] = torch.tensor(each.mean)
        tensors[f"{_STATISTICS}/{name}/deviation"] = torch.tensor(each.deviation)
    save_file(tensors, _with_suffix(stem, ".safetensors"))
    description = {
        "class": type(model).__name__,
        "config": dataclasses.asdict(model.config),
        "labels": {task: list(names) for task, names in TARGETS.items()},
        "code_revision": code_revision(),
        "made_by": made_by,
        "metrics": metrics or {},
    }
    text = json.dumps(description, indent=2) + "\n"
    _with_suffix(stem, ".json").write_text(text, encoding="utf-8")


def _with_suffix(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def load_checkpoint(stem: str | Path) -> Checkpoint:
    """Rebuild a model from what `save_checkpoint` wrote.

    Raises
    ------
    CheckpointError
        If a file is missing or unreadable, the class is unknown, the configuration or
        the weights do not fit it, or the labels differ in name or order from ours.
    """
    stem = Path(stem)
    description = _read_description(_with_suffix(stem, ".json"))
    path = _with_suffix(stem, ".safetensors")
    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: not readable: {error}") from None
    weights = {
        name: value
        for name, value in tensors.items()
        if not name.startswith(f"{_STATISTICS}/")
    }
    model_class, config_class = CLASSES[description["class"]]
    try:
        model = model_class(_rebuild(config_class, description["config"]))
        model.load_state_dict(weights)
    except (TypeError, KeyError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"{path}: does not fit a {description['class']}: {error}"
        ) from None
    return Checkpoint(
        model.eval(),
        _statistics(tensors),
        description.get("metrics", {}),
        description.get("code_revision"),
        tuple(description["made_by"]) if description.get("made_by") else None,
    )


def _read_description(path: Path) -> dict:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{path}: not readable: {error}") from None
    name = description.get("class")
    if name not in CLASSES:
        raise CheckpointError(
            f"{path}: unknown class {name!r}; known: {', '.join(CLASSES)}"
        )
    ours = {task: list(names) for task, names in TARGETS.items()}
    if description.get("labels") != ours:
        raise CheckpointError(
            f"{path}: was trained with labels {description.get('labels')}, "
            f"but here they are {ours}"
        )
    return description


def _statistics(tensors) -> dict[str, Standardisation]:
    names = [
        name.removeprefix(f"{_STATISTICS}/").removesuffix("/mean")
        for name in tensors
        if name.startswith(f"{_STATISTICS}/") and name.endswith("/mean")
    ]
    return {
        name: Standardisation(
            *(
                np.asarray(tensors[f"{_STATISTICS}/{name}/{part}"])
                for part in ("mean", "deviation")
            )
        )
        for name in names
    }


def _rebuild(config_class, tree: dict):
    """A config dataclass, nested ones and tuples included, from its JSON form."""
    hints = typing.get_type_hints(config_class)
    values = {}
    for name, value in tree.items():
        hint = hints.get(name)
        if dataclasses.is_dataclass(hint):
            value = _rebuild(hint, value)
        elif hint is tuple or typing.get_origin(hint) is tuple:
            value = tuple(value)
        values[name] = value
    return config_class(**values)


@functools.cache
def code_revision() -> str:
    """The package's version and a hash of the code that models and trains.

    A commit would name what nobody needs to know: two commits with the same code here
    write the same checkpoints, byte for byte.
    """
    digest = hashlib.sha256()
    for folder in ("models", "learning"):
        for path in sorted((PACKAGE / folder).glob("*.py")):
            digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"
