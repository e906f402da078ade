"""Which weights an encoder really holds, for feature files to record."""

import hashlib
from pathlib import Path


def file_revision(path: Path) -> str:
    """The first 12 digits of a file's sha256: the same from the hub and from a folder.

    Parameters
    ----------
    path : Path
        The weights that were loaded.
    """
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()[:12]
