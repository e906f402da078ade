"""Checkpoints as safetensors weights and a JSON description, without pickle.

The two files are all that is needed to rebuild a model. The description holds a hash of
itself and of the weights. The hash reveals damaged files and files of different runs,
and later stages record it for the models that they were trained on.
"""

import dataclasses
import functools
import hashlib
import json
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save

from sslmepr import __version__, models, training
from sslmepr.files import atomic
from sslmepr.labels import TARGETS
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.models.published import PublishedFusion
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel
from sslmepr.training.batches import Standardisation

Network = UnimodalModel | CrosstaskModel | FusionModel

CLASSES: dict[str, tuple[type[Network], type]] = {
    "UnimodalModel": (UnimodalModel, UnimodalConfig),
    "CrosstaskModel": (CrosstaskModel, CrosstaskConfig),
    "FusionModel": (FusionModel, FusionConfig),
    "PublishedFusion": (PublishedFusion, FusionConfig),
}

_STATISTICS = "statistics"


_UNFIT = (
    SafetensorError,
    AttributeError,
    TypeError,
    KeyError,
    ValueError,
    RuntimeError,
)


class CheckpointError(ValueError):
    """A checkpoint cannot be read, or does not fit the data or other checkpoints."""


@dataclass(frozen=True)
class Checkpoint:
    """A trained model and everything needed to apply it.

    Attributes
    ----------
    model : Module
        In evaluation mode, on the CPU.
    statistics : dict
        Name of an input and corpus, ``<corpus>`` or ``<modality>/<corpus>``, to the
        `Standardisation` of its features.
    metrics : dict
        Scores on dev and decision thresholds.
    code_revision : str
        From `code_revision`.
    made_by : (str, str) or None
        Encoder and revision of the features it was trained on; None for a model whose
        input is not features.
    trained_on : dict of str to str
        Run folder (relative to the study's folder) of each model of an earlier stage
        whose outputs it was trained on, to the `digest` of that model.
    seeds : tuple of int
        All seeds of the same run, this one included; empty if there is only one.
    digest : str
        SHA-256 of description and weights.
    """

    model: Network
    statistics: dict[str, Standardisation]
    metrics: dict
    code_revision: str
    made_by: tuple[str, str] | None
    trained_on: dict[str, str]
    seeds: tuple[int, ...]
    digest: str


def save_checkpoint(
    model: Network,
    stem: str | Path,
    statistics: dict[str, Standardisation] | None = None,
    metrics: dict | None = None,
    made_by: tuple[str, str] | None = None,
    trained_on: dict[str, str] | None = None,
    seeds: Sequence[int] = (),
) -> str:
    """Write ``<stem>.safetensors`` and ``<stem>.json``.

    Parameters
    ----------
    model : Module
        One of `CLASSES`, with its config at ``model.config``.
    stem : path
        Path without suffix; its folder is created if missing.
    statistics, metrics : dict, optional
        As in `Checkpoint`; `metrics` must be serialisable as JSON.
    made_by : (str, str), optional
    trained_on : dict, optional
    seeds : sequence of int
        As in `Checkpoint`.

    Returns
    -------
    str
        The checkpoint's digest.
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
    weights = save(tensors)
    description = {
        "class": type(model).__name__,
        "config": dataclasses.asdict(model.config),
        "labels": {task: list(names) for task, names in TARGETS.items()},
        "code_revision": code_revision(),
        "made_by": made_by,
        "trained_on": trained_on or {},
        "seeds": list(seeds),
        "metrics": metrics or {},
    }
    digest = _digest(description, weights)
    with atomic(_with_suffix(stem, ".safetensors")) as part:
        part.write_bytes(weights)
    text = json.dumps(description | {"sha256": digest}, indent=2) + "\n"
    with atomic(_with_suffix(stem, ".json")) as part:
        part.write_text(text, encoding="utf-8")
    return digest


def _digest(description: dict, weights: bytes) -> str:
    """SHA-256 of the description without its hash, followed by the weights."""
    described = {key: item for key, item in description.items() if key != "sha256"}
    text = json.dumps(described, sort_keys=True)
    return hashlib.sha256(text.encode() + weights).hexdigest()


def _with_suffix(stem: Path, suffix: str) -> Path:
    return stem.with_name(stem.name + suffix)


def load_checkpoint(stem: str | Path) -> Checkpoint:
    """Rebuild a model from the files of `save_checkpoint`.

    Parameters
    ----------
    stem : path
        Path without suffix.

    Returns
    -------
    Checkpoint

    Raises
    ------
    CheckpointError
        If a file is missing or damaged, the two files are of different runs, the class
        is unknown, configuration or weights do not fit it, or the labels differ from
        those of this version in name or order. The message names the command that
        trains the model again.
    """
    stem = Path(stem)
    try:
        return _load(stem)
    except CheckpointError as error:
        raise CheckpointError(f"{error}; {remedy(stem.parent)}") from None


def remedy(folder: str | Path) -> str:
    """Instruction, for error messages, that trains the models in a folder again.

    Parameters
    ----------
    folder : path
        Run folder of a training stage.
    """
    parts = ["", "", "", *Path(folder).absolute().parts]
    above, study, stage, cell = parts[-4:]
    if stage not in ("unimodal", "crosstask", "fusion"):
        return "train it again"
    if above == "replicate":
        stage, cell = above, study
    return f"`dvc repro {stage}@{cell}` makes it anew"


def _load(stem: Path) -> Checkpoint:
    description = _read_description(_with_suffix(stem, ".json"))
    path = _with_suffix(stem, ".safetensors")
    try:
        weights = path.read_bytes()
    except OSError as error:
        raise CheckpointError(f"{path}: not readable: {error}") from None
    if "sha256" not in description:
        raise CheckpointError(f"{stem}.json: was written by an earlier version")
    if description["sha256"] != _digest(description, weights):
        raise CheckpointError(
            f"{path}: damaged, or not of the training that {stem.name}.json is of"
        )
    try:
        tensors = load(weights)
        model_class, config_class = CLASSES[description["class"]]
        model = model_class(_rebuild(config_class, description["config"]))
        model.load_state_dict(
            {
                name: value
                for name, value in tensors.items()
                if not name.startswith(f"{_STATISTICS}/")
            }
        )
        return Checkpoint(
            model.eval(),
            _statistics(tensors),
            dict(description["metrics"]),
            description["code_revision"],
            tuple(description["made_by"]) if description["made_by"] else None,
            dict(description["trained_on"]),
            tuple(description["seeds"]),
            description["sha256"],
        )
    except _UNFIT as error:
        raise CheckpointError(
            f"{path}: does not fit a {description['class']}: {error}"
        ) from None


def _read_description(path: Path) -> dict:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise CheckpointError(f"{path}: not readable: {error}") from None
    if not isinstance(description, dict):
        raise CheckpointError(f"{path}: does not describe a model")
    name = description.get("class")
    if name not in list(CLASSES):
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


def load_seeds(folder: str | Path) -> dict[int, Checkpoint]:
    """Load the models of all seeds of one run of stage 3.

    Parameters
    ----------
    folder : path
        Run folder of a fusion variant.

    Returns
    -------
    dict of int to Checkpoint
        By seed.

    Raises
    ------
    CheckpointError
        As `load_checkpoint`, and if there is no model or the models are not exactly the
        seeds of one run.
    """
    folder = Path(folder)
    stems = sorted(path.with_suffix("") for path in folder.glob("seed-*.safetensors"))
    if not stems:
        raise CheckpointError(f"{folder}: no trained model; {remedy(folder)}")
    found = {stem.name: load_checkpoint(stem) for stem in stems}
    first = next(iter(found.values()))
    expected = [f"seed-{seed}" for seed in first.seeds]
    if set(found) != set(expected):
        raise CheckpointError(
            f"{folder}: holds {', '.join(found)}, where {', '.join(expected)} were "
            f"trained together; {remedy(folder)}"
        )
    for name, each in found.items():
        if (each.seeds, each.trained_on) != (first.seeds, first.trained_on):
            raise CheckpointError(
                f"{folder}: {name} and {stems[0].name} were not trained together; "
                f"{remedy(folder)}"
            )
    return {seed: found[f"seed-{seed}"] for seed in first.seeds}


def require_trained_on(
    checkpoint: Checkpoint, folder: str | Path, digests: dict[str, str]
) -> None:
    """Check that a model was trained on the current models of an earlier stage.

    Parameters
    ----------
    checkpoint : Checkpoint
    folder : path
        Its run folder, for the error message.
    digests : dict of str to str
        Run folder (relative to the study's folder) of each current model of the earlier
        stage, to its digest.

    Raises
    ------
    CheckpointError
        If it was trained on outputs of other models.
    """
    others = [
        name
        for name in sorted(digests | checkpoint.trained_on)
        if digests.get(name) != checkpoint.trained_on.get(name)
    ]
    if others:
        raise CheckpointError(
            f"{folder}: was trained on another model than lies in {', '.join(others)}; "
            f"{remedy(folder)}"
        )


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
    """Rebuild a config dataclass, with nested ones and tuples, from its JSON form."""
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

    A commit hash would change with every commit. With this hash, commits that share
    the code write identical checkpoints.
    """
    digest = hashlib.sha256()
    for package in (models, training):
        for path in sorted(Path(package.__path__[0]).glob("*.py")):
            digest.update(path.read_bytes())
    return f"{__version__}+{digest.hexdigest()[:12]}"
