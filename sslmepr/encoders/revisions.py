"""Which weights an encoder really holds, for feature files to record."""

import hashlib
from pathlib import Path

from huggingface_hub import try_to_load_from_cache


def folder_revision(source: str, file: str) -> str:
    """Revision of a model in a local folder or in the hub's cache.

    Parameters
    ----------
    source : str
        Folder, or hub repository that has been downloaded.
    file : str
        Name of its weights.

    Returns
    -------
    str
        12 digits: of the weights' sha256 for a folder, of the commit for the hub.
    """
    path = Path(source) / file
    if path.is_file():
        with path.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()[:12]
    cached = try_to_load_from_cache(source, file)
    # .../models--owner--name/snapshots/<commit>/<file>
    return Path(cached).parent.name[:12] if isinstance(cached, str) else "unknown"
