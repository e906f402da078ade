"""What sections are made of, and how a parameters file is read as DVC reads it."""

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

from sslmepr.labels import MODALITIES, TASKS

Modality = Literal[MODALITIES]
Task = Literal[TASKS]
Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
ProperShare = Annotated[float, Field(gt=0, lt=1)]
"""Strictly between 0 and 1, as a confidence level must be."""
Rate = Annotated[float, Field(gt=0)]


def _fit_for_paths(name: str) -> str:
    """A name that can stand in a path, in a command and as a value in YAML."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", name):
        raise ValueError(
            f"{name!r} becomes a part of paths and commands; a name has only letters "
            "from a to z, digits, _ and -, and does not begin with -"
        )
    if not isinstance(yaml.safe_load(name), str):
        raise ValueError(f"{name!r} is no name, since YAML reads it as a value")
    return name


def project_root() -> Path:
    """The folder that relative paths in ``params.yaml`` are relative to.

    It is the working directory, except in an experiment that DVC runs in a copy of the
    repository below ``.dvc/tmp/exps``: there it is the repository.
    """
    for folder in Path.cwd().parents:
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2]
    return Path()


def _from_root(folder: str) -> str:
    root = project_root()
    return folder if root == Path() else str(root / folder)


Name = Annotated[str, AfterValidator(_fit_for_paths)]
Folder = Annotated[str, AfterValidator(_from_root)]


MOST_LEVELS = 20
"""Levels of a parameters file; it needs six."""


class ParamsError(ValueError):
    """A parameters file is unreadable or holds something unexpected."""


def require_known(names, known, what: str, where: str = "") -> None:
    """Refuse names that are not among those that `where` may refer to."""
    for name in names:
        if name not in known:
            place = f"{where}: " if where else ""
            raise ParamsError(
                f"{place}there is no {what} {name!r}; known: {', '.join(known)}"
            )


class Section(BaseModel):
    """A section of ``params.yaml``: frozen, strict about types, closed to new keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


def get_path(tree: dict, dotted: str, where: str = "params") -> Any:
    """Value of a nested dictionary of parameters at a dotted path.

    Parameters
    ----------
    tree : dict
        Nested parameters.
    dotted : str
        Keys from the outermost in, such as ``fusion.learning_rate``.
    where : str
        Origin of the path, for the error message.

    Raises
    ------
    ParamsError
        If there is no such key.
    """
    for key in dotted.split("."):
        if not isinstance(tree, dict) or key not in tree:
            raise ParamsError(f"{where}: there is no parameter {dotted!r}")
        tree = tree[key]
    return tree


def read(path: Path) -> dict:
    """What a parameters file holds.

    Raises
    ------
    ParamsError
        If it is absent, is not YAML, repeats a key, or uses tags or anchors.
    """
    try:
        text = path.read_text(encoding="utf-8")
        reader = YAML(typ="safe")  # as DVC reads it; a key given twice is an error
        _require_plain(reader.parse(text), path)
        tree = reader.load(text)
    except FileNotFoundError:
        raise ParamsError(f"{path}: no such file") from None
    except ParamsError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise ParamsError(
            f"{path}{place}: not readable as YAML: {error.problem}; correct it"
        ) from None
    except (OSError, YAMLError, ValueError) as error:
        raise ParamsError(
            f"{path}: not readable as YAML: {error}; correct it"
        ) from None
    if not isinstance(tree, dict):
        raise ParamsError(f"{path}: holds no parameters")
    return tree


def _require_plain(events, path: Path) -> None:
    """Refuse tags, which construct other objects than the text suggests, and anchors,
    with which ten lines can stand for more values than fit into memory."""
    depth = 0
    for event in events:
        place = f"{path}, line {event.start_mark.line + 1}"
        if getattr(event, "tag", None):
            raise ParamsError(f"{place}: remove the tag {event.tag}")
        if getattr(event, "anchor", None):
            raise ParamsError(
                f"{place}: write the value out in place of the anchor {event.anchor}"
            )
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > MOST_LEVELS:
            raise ParamsError(f"{place}: more than {MOST_LEVELS} levels; correct it")
