"""Tables that trials keep in files, so that a trial that was ended goes on.

A table is read again only if all that it was computed from is as it was: what the
caller names, and the code of the module that computed it, with every module of the
library that this one imports.
"""

import ast
import hashlib
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pandas as pd

import sslmepr
from sslmepr.files import atomic

LIBRARY = Path(sslmepr.__file__).parent

BY_VALUE = "params"
"""Package whose modules do not count: callers name parameters by their values."""


def kept_table(
    folder: str | Path, module: str, key: list, compute: Callable[[], pd.DataFrame]
) -> pd.DataFrame:
    """A table from its file, or computed and written there.

    Parameters
    ----------
    folder : path
        Where tables are kept; it is made if need be.
    module : str
        Name of the module that computes the table.
    key : list
        What the table depends on beside the code. Values that JSON does not know count
        by their text.
    compute : callable
        Gives the table, of columns that a CSV file can hold.

    Returns
    -------
    DataFrame
        As read from the file.
    """
    text = json.dumps([*key, digest_of_code(module)], sort_keys=True, default=str)
    path = Path(folder, f"{hashlib.sha256(text.encode()).hexdigest()[:20]}.csv")
    if not path.exists():
        table = compute()
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic(path) as part:
            table.to_csv(part, index=False)
    return pd.read_csv(path)


@cache
def digest_of_code(module: str) -> str:
    """SHA-256 of the sources of `code_of`, in hexadecimal digits."""
    whole = hashlib.sha256()
    for path in code_of(module):
        whole.update(path.read_bytes())
    return whole.hexdigest()


def code_of(module: str) -> list[Path]:
    """Sources of a module and of all modules of the library that it imports, sorted.

    Parameters
    ----------
    module : str
        Name of a module of the library, with dots.
    """
    found, waiting = set(), [module]
    while waiting:
        path = _source(waiting.pop())
        if path is not None and path not in found:
            found.add(path)
            waiting += _imported(path.read_text(encoding="utf-8"))
    return sorted(found)


def _source(name: str) -> Path | None:
    """File of a module that counts; None if there is none of that name."""
    path = LIBRARY.parent.joinpath(*name.split("."))
    inside = LIBRARY in (path, *path.parents)
    if not inside or (LIBRARY / BY_VALUE) in (path, *path.parents):
        return None
    candidates = path.with_suffix(".py"), path / "__init__.py"
    return next((each for each in candidates if each.is_file()), None)


def _imported(source: str) -> Iterator[str]:
    """Names that a source imports; those of a module's members among them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)
