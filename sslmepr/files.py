"""Final files are whole or absent, and only what is ours is ever deleted."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = ".made-by-sslmepr"
"""Name of the file that says that a folder, or what it lists of one, is ours."""


@contextmanager
def atomic(path: str | Path, folder: str | Path | None = None) -> Iterator[Path]:
    """Have a file written under another name; it takes its own once it is whole.

    Whatever goes wrong, a full disk or a kill, `path` is as it was before. Whoever may
    read any new file may read it.

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
