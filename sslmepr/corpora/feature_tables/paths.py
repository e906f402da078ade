"""Which files hold the tables of a modality, and what their names and digests are."""

import glob
import hashlib
from pathlib import Path

from sslmepr.corpora.feature_tables.formats import clean
from sslmepr.corpora.schema import CorpusError
from sslmepr.params.corpora import Described, FeatureTable

SUFFIXES = (".csv", ".parquet")
"""Of tables."""

DESCRIBED_SUFFIXES = (*SUFFIXES, ".json")
"""Of what observers have described."""


def find_tables(root: Path, table: FeatureTable | Described) -> list[Path]:
    """The files of a modality, in order.

    Parameters
    ----------
    root : Path
        That ``table.path`` is relative to.
    table : FeatureTable or Described

    Raises
    ------
    CorpusError
        If there are none.
    """
    path = root / table.path
    described = isinstance(table, Described)
    suffixes = DESCRIBED_SUFFIXES if described else SUFFIXES
    if path.is_dir():
        found = [each for each in path.rglob("*") if _is_table(each, path, suffixes)]
        wanted = f"no {' or '.join(suffixes)} files in this folder"
    elif glob.has_magic(table.path) and not path.exists():
        named = root.glob(table.path)
        found = [each for each in named if _is_table(each, root, suffixes)]
        wanted = f"no {' or '.join(suffixes)} file has such a name"
    else:
        found, wanted = [path] if path.is_file() else [], "there is no such file"
    if not found:
        what = "descriptions" if described else f"tables of {table.tool}"
        raise CorpusError(f"{path}: {wanted}; {what} are expected here")
    return sorted(found)


def _is_table(path: Path, root: Path, suffixes: tuple[str, ...]) -> bool:
    hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
    return path.suffix.lower() in suffixes and path.is_file() and not hidden


def require_digest(root: Path, table: FeatureTable | Described) -> None:
    """Refuse files that are not those whose digest the parameters hold.

    Raises
    ------
    CorpusError
    """
    if table.sha256 is not None and digest_tables(root, table) != table.sha256:
        raise CorpusError(
            f"{root / table.path}: has changed since its sha256 was written into the "
            "parameters; run `sslmepr repro`, which writes the new one"
        )


def digest_tables(root: Path, table: FeatureTable | Described) -> str:
    """SHA-256 of all tables of a modality and of their names.

    Raises
    ------
    CorpusError
        As `find_tables`.
    """
    digest = hashlib.sha256()
    for path in find_tables(root, table):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"{path.relative_to(root).as_posix()} {content}\n".encode())
    return digest.hexdigest()


def id_of_file(path: Path, root: Path, table: FeatureTable) -> str:
    """What the name of a table says that it is about: its path without the suffix."""
    folder = root / table.path
    start = folder if folder.is_dir() else path.parent
    return clean(path.relative_to(start).with_suffix("").as_posix())
