"""What a confirmation freezes, and the seed that follows from it.

A result confirms something only if whatever led to it was fixed before its data were
drawn. Everything that a confirmation is computed by is therefore named here, and the
hash of its content decides the seed: nobody can choose people or worlds without
changing the code, and a change of the code leads to others, whose attempt is counted.
"""

import json
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from sslmepr.params import Params

CODE = Path("sslmepr")

SHOWS = ("__main__.py", "predict.py", "app", "explanation", "pipeline", "report")
"""What of the code only starts, serves or shows; no number is computed by it."""

FILES = (
    Path("book", "preregistration.yaml"),
    Path("book", "confirmation.yaml"),
    Path("constraints.txt"),
)

SETTINGS = (Path("params.yaml"), Path("studies.yaml"))
"""Of these files the parts that count enter (`settings_of`), not their comments."""

SEED_DIGITS = 8
"""Hexadecimal digits of the hash that are the seed: numbers below 2 to the 32."""


class FrozenError(RuntimeError):
    """What a confirmation freezes is not as the last commit has it."""


def frozen_study(params: Params) -> Params:
    """Parameters of the study that is confirmed: the first one of ``studies.yaml``."""
    return params.for_study(next(iter(params.studies)))


def settings_of(study: Params) -> dict:
    """The parameters that a confirmation depends on.

    Parameters
    ----------
    study : Params
        As of `frozen_study`.

    Returns
    -------
    dict
        Nested. What is computed where, and what chapters show, is not among them.
    """
    tree = study.model_dump(
        mode="json",
        include={"seed", "modalities", "roles", "extract", "simulation", "association"}
        | {"unimodal", "crosstask", "fusion"},
    )
    tree["evaluate"] = study.evaluate.model_dump(include={"resamples", "confidence"})
    tree["variant"] = study.variant["multitask"].model_dump(mode="json")
    tree["corpus"] = {
        role: study.corpus[name].model_dump(mode="json")
        for role, name in study.roles.model_dump().items()
    }
    return tree


def frozen_files(root: str | Path = ".") -> Iterator[Path]:
    """Files whose content counts, relative to `root`, in the order of their names.

    Parameters
    ----------
    root : path
        The repository.
    """
    root = Path(root)
    code = [path.relative_to(root) for path in (root / CODE).rglob("*.py")]
    chosen = [path for path in code if path.relative_to(CODE).parts[0] not in SHOWS]
    yield from sorted([*chosen, *FILES], key=Path.as_posix)


def fingerprint(params: Params, root: str | Path = ".") -> str:
    """Hash (SHA-256) of all that a confirmation is computed by, in hexadecimal digits.

    Parameters
    ----------
    params : Params
        Of any study.
    root : path
        The repository.

    Raises
    ------
    FileNotFoundError
        If one of `FILES` is absent.
    """
    digest = sha256()
    for path in frozen_files(root):
        content = Path(root, path).read_bytes()
        digest.update(f"{path.as_posix()} {sha256(content).hexdigest()}\n".encode())
    settings = json.dumps(settings_of(frozen_study(params)), sort_keys=True)
    digest.update(settings.encode())
    return digest.hexdigest()


def seed_of(digest: str) -> int:
    """The seed that a fingerprint decides."""
    return int(digest[:SEED_DIGITS], 16)


def require_committed(root: str | Path = ".") -> str:
    """Refuse files that differ from the last commit; returns that commit.

    Parameters
    ----------
    root : path
        The repository.

    Returns
    -------
    str
        Its first twelve digits.

    Raises
    ------
    FrozenError
        If there is no git repository, or naming the files that are changed or new.
    """
    named = [CODE, *FILES, *SETTINGS]
    without = [f":(exclude){(CODE / name).as_posix()}" for name in SHOWS]
    paths = [path.as_posix() for path in named]
    changed = git(root, "status", "--porcelain", "--", *paths, *without).splitlines()
    if changed:
        listed = "\n".join(f"  {line}" for line in changed)
        raise FrozenError(
            "a confirmation is of code that is committed, so that what was confirmed "
            f"can be found again; commit or undo first:\n{listed}"
        )
    return git(root, "rev-parse", "HEAD").strip()[:12]


def git(root: str | Path, *words: str) -> str:
    """What git prints.

    Raises
    ------
    FrozenError
        With git's complaint, or if there is no git.
    """
    try:
        done = subprocess.run(
            ["git", *words], cwd=root, capture_output=True, text=True, check=True
        )
    except FileNotFoundError:
        raise FrozenError("a confirmation needs git, which is not there") from None
    except subprocess.CalledProcessError as error:
        raise FrozenError(f"git {words[0]}: {error.stderr.strip()}") from None
    return done.stdout
