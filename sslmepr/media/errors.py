"""The error that every failure to read a clip's media raises."""

from pathlib import Path


class MediaError(Exception):
    """A media file, or one of its streams, cannot be used.

    Attributes
    ----------
    path : Path
        The file.
    reason : str
        What is wrong with it, in words for ``missing.csv``.
    """

    def __init__(self, path: str | Path, reason: str):
        super().__init__(str(path), reason)
        self.path = Path(path)
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.path}: {self.reason}"
