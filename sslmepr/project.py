"""Where a notebook runs, and where it writes.

A stage of the pipeline executes notebooks in the repository's folder, Jupyter in the
folder in which they lie. What somebody tries by hand must not pass for the pipeline's
result, so only a stage writes to the places that DVC and git watch.
"""

import os
from pathlib import Path

STAGE = "SSLMEPR_STAGE"
"""Environment variable in which a stage names itself to its notebook."""

BY_HAND = Path("runs", "by-hand")
"""Receives what notebooks write that no stage executes."""


class ProjectError(RuntimeError):
    """This is no place from which the repository can be found."""


def root(start: str | Path = ".") -> Path:
    """The repository's folder: the nearest one above `start` that has a ``dvc.yaml``.

    Raises
    ------
    ProjectError
        If neither `start` nor any folder above it has one.
    """
    start = Path(start).resolve()
    for folder in (start, *start.parents):
        if (folder / "dvc.yaml").is_file():
            return folder
    raise ProjectError(
        f"{start}: neither this folder nor one above it has a dvc.yaml; open the "
        "notebook in the repository, or go to the repository's folder first"
    )


def enter() -> None:
    """Make the repository's folder the working directory, as it is in a stage.

    By hand, it also prints where results will go.

    Raises
    ------
    ProjectError
        If the working directory is not inside the repository.
    """
    os.chdir(root())
    if STAGE not in os.environ:
        print(
            f"Opened by hand: what this notebook writes goes to {BY_HAND.resolve()}; "
            "results/, data/ and the rest of runs/ stay as the pipeline left them."
        )


def output(*parts: str | Path) -> Path:
    """Where to write what belongs at ``Path(*parts)`` in the repository.

    That place itself in a stage; below `BY_HAND`, in folders that exist, by hand.
    """
    if STAGE in os.environ:
        return Path(*parts)
    path = BY_HAND.joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
