"""A study written into ``params.yaml``: only what differs is replaced, in its place.

A study is a difference from the default study, which is the first of ``studies.yaml``
and lists the default of whatever another study sets. What ``params.yaml`` holds now
does not matter, so studies do not stack on one another.
"""

import copy
import os
from pathlib import Path
from typing import Any

import yaml

from sslmepr import params
from sslmepr.params import Params, ParamsError


def apply_study(
    name: str, path: str | Path = "params.yaml", reset: bool = False
) -> list[str]:
    """Turn a parameters file into that of study `name`.

    Comments, alignment and keys that no study sets stay as they are. A user's edit is a
    value that is neither the default nor that of the study in the file; it is kept if
    `name` does not set the key, and refused otherwise.

    Parameters
    ----------
    name : str
        A study of ``studies.yaml`` beside the file.
    path : path
    reset : bool
        Discard such edits of all keys that studies set.

    Returns
    -------
    list of str
        A sentence for each edit that was kept.

    Raises
    ------
    ParamsError
        If there is no such study, if it sets something whose default the first study
        does not list, or naming an edit that it would overwrite.
    """
    path = Path(path)
    before = params.load(path)
    after = before.for_study(name)  # refuses a name that is not known
    defaults = before.studies[next(iter(before.studies))]
    chosen = before.studies[name]
    for study in {name, before.study}:
        _require_defaults(study, before)
    text = path.read_bytes().decode("utf-8")
    wanted = _changed_tree(yaml.safe_load(text), before.study_changes(name))
    now = before.model_dump()
    of_default = before.changed(defaults, "studies").model_dump()
    of_current = before.for_study(before.study).model_dump()
    of_chosen = after.model_dump()
    kept = []
    for key in defaults:
        value = params.get_path(now, key)
        default, current = (
            params.get_path(of_default, key),
            params.get_path(of_current, key),
        )
        target = params.get_path(of_chosen, key)
        if value == target:
            continue
        if not reset and value not in (default, current):
            if any(_within(each, key) for each in chosen):
                raise ParamsError(
                    f"{path}: {key} is {_flow(value)}, an edit of yours (default: "
                    f"{_flow(default)}); study {name} sets it to {_flow(target)}. "
                    f"To run with the edit, name no study; to give it up, add --reset "
                    "(make: RESET=1); to keep both, make it a study of its own in "
                    "studies.yaml"
                )
            kept.append(f"{path}: {key}: {_flow(value)} is an edit of yours and stays")
            continue
        text = set_value(text, key, params.get_path(wanted, key), str(path))
    _write(path, text)
    return kept


def set_parameters(changes: dict[str, Any], path: str | Path = "params.yaml") -> None:
    """Replace values in a parameters file; everything else stays as it is.

    Parameters
    ----------
    changes : dict of str to Any
        Dotted path to its new value.
    path : path
        The parameters file.

    Raises
    ------
    ParamsError
        If a key names no parameter, or a value does not fit.
    """
    path = Path(path)
    params.load(path).changed(changes, str(path))
    text = path.read_bytes().decode("utf-8")
    for key, value in changes.items():
        text = set_value(text, key, value, str(path))
    _write(path, text)


def set_value(text: str, dotted: str, value: Any, where: str) -> str:
    """A YAML text with one value replaced, written on one line.

    Parameters
    ----------
    text : str
        YAML.
    dotted : str
        Path to the value.
    value : Any
        Its replacement.
    where : str
        Name of the file, for the error message.

    Raises
    ------
    ParamsError
        If the text has no such key; it names `where`.
    """
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    for part in dotted.split("."):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = [pair for pair in pairs if pair[0].value == part]
        if not found:
            raise ParamsError(
                f"{where}: {dotted!r} is not written there, so it cannot be set; "
                "write it there with its default first"
            )
        key, node = found[-1]
    start = text.index(":", key.end_mark.index) + 1
    end = start + len(text[start : _end(node)].rstrip())
    return f"{text[:start]} {_flow(value)}{text[max(start, end) :]}"


def _end(node: yaml.Node) -> int:
    """Where a node's own text ends; PyYAML counts what follows a block to it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[-1] if isinstance(last, tuple) else last)
    return node.end_mark.index


def _flow(value: Any) -> str:
    text = yaml.safe_dump(
        value,
        default_flow_style=True,
        sort_keys=False,
        allow_unicode=True,
        width=float("inf"),
    )
    return text.removesuffix("...\n").strip()


def _within(key: str, section: str) -> bool:
    return key == section or key.startswith(f"{section}.")


def _require_defaults(study: str, settings: Params) -> None:
    """Refuse a study that sets a key whose default the first study does not list."""
    first = next(iter(settings.studies))
    for key in settings.studies[study]:
        if not any(_within(key, known) for known in settings.studies[first]):
            value = _flow(params.get_path(settings.model_dump(), key))
            raise ParamsError(
                f"studies.yaml: study {study} sets {key}, and study {first} does not "
                f"list its default, so no other study could take it back. Add a line "
                f"to {first} (its value in params.yaml is now {value}): "
                f"{key}: <default>"
            )


def _changed_tree(tree: dict, values: dict[str, Any]) -> dict:
    tree = copy.deepcopy(tree)
    for key, value in values.items():
        *parents, last = key.split(".")
        section = tree
        for part in parents:
            section = section.setdefault(part, {})
        section[last] = copy.deepcopy(value)
    return tree


def _write(path: Path, text: str) -> None:
    """Replace a file atomically, unless it has this content already."""
    if path.read_bytes() == text.encode():
        return
    beside = path.with_name(f".{path.name}.new")
    beside.write_bytes(text.encode())
    os.replace(beside, path)
