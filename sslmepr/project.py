"""Where a notebook runs, and where it writes.

Pipeline stages execute notebooks in the repository's folder, Jupyter in the notebooks'
own folder. Results of a notebook that is run by hand must not be mistaken for those of
the pipeline, so only a stage writes to the places that DVC and git track.
"""

import os
from pathlib import Path

STAGE = "SSLMEPR_STAGE"
"""Environment variable that holds the name of the stage that runs a notebook."""

BY_HAND = Path("runs", "by-hand")
"""Output folder of notebooks that are run by hand."""


class ProjectError(RuntimeError):
    """The repository cannot be found from the working directory."""


def root(start: str | Path = ".") -> Path:
    """The repository's folder: the nearest one above `start` with a ``studies.yaml``.

    Raises
    ------
    ProjectError
        If neither `start` nor any folder above it has one.
    """
    start = Path(start).resolve()
    for folder in (start, *start.parents):
        if (folder / "studies.yaml").is_file():
            return folder
    raise ProjectError(
        f"{start}: neither this folder nor one above it has a studies.yaml; open the "
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
