"""Results that were computed elsewhere and travel with the project."""

import hashlib
import json
import platform
from datetime import date
from importlib.metadata import version
from pathlib import Path

PROVENANCE = "provenance.json"


def file_hashes(folder: Path, names: list[str]) -> dict[str, str]:
    """File name to the first 16 digits of its sha256.

    Raises
    ------
    FileNotFoundError
        If one of them does not exist.
    """
    hashes = {}
    for name in names:
        with (folder / name).open("rb") as file:
            hashes[name] = hashlib.file_digest(file, "sha256").hexdigest()[:16]
    return hashes


def record_provenance(
    folder: Path, data: dict[str, dict[str, str]], code_revision: str, day: date
) -> None:
    """Write beside recorded results what they were computed from and with.

    Parameters
    ----------
    folder : Path
        Of the results.
    data : dict
        Corpus to the hashes of its files.
    code_revision : str
    day : date
        When they were computed.
    """
    content = {
        "computed on": day.isoformat(),
        "code revision": code_revision,
        "data (sha256)": data,
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("torch", "transformers", "pandas")},
        },
    }
    text = json.dumps(content, indent=2) + "\n"
    (folder / PROVENANCE).write_text(text, encoding="utf-8")


def provenance(folder: Path) -> dict:
    """What `record_provenance` wrote."""
    return json.loads((folder / PROVENANCE).read_text(encoding="utf-8"))
