"""Atomic writes, and marks on the folders that sslmepr may delete."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = ".made-by-sslmepr"
"""File that marks a folder, or the files that it lists, as made by sslmepr."""


@contextmanager
def atomic(path: str | Path, folder: str | Path | None = None) -> Iterator[Path]:
    """Write a file under a temporary name and rename it once it is complete.

    If writing fails (full disk, kill), `path` is unchanged. The file gets the default
    permissions of new files.

    Parameters
    ----------
    path : path
        The final file; one that exists is replaced.
    folder : path, optional
        Where the unfinished file waits, on the same file system; by default beside
        `path`.

    Yields
    ------
    Path
        To write to, with the suffix of `path`.

    Raises
    ------
    OSError
        If the file cannot be written, brought to the disk or renamed.
    """
    path = Path(path)
    name = f".{path.stem}.{os.getpid()}{path.suffix}"
    part = (path.parent if folder is None else Path(folder)) / name
    try:
        part.touch()
        mode = part.stat().st_mode  # some writers let nobody else read their files
        part.unlink()
        yield part
        part.chmod(mode)
        with part.open("rb+") as file:
            os.fsync(file.fileno())  # a rename may reach the disk before its content
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def own_folder(path: str | Path) -> None:
    """Make a folder with a mark, or find the one that an earlier call has made.

    Raises
    ------
    FileExistsError
        If there is something else of that name.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True)
    except FileExistsError:
        if path.is_symlink() or not (path / MARK).is_file():
            raise FileExistsError(
                f"{path}: is in the way, and was not made by sslmepr; move it away"
            ) from None
    else:
        (path / MARK).touch()
