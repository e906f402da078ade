"""``sslmepr repro``: apply a study, guard ``dvc.lock``, and let DVC run what is stale.

DVC rewrites ``dvc.lock`` in place after each stage. A kill or a full disk at that
moment leaves a truncated file, which may even be valid YAML. A copy beside DVC's
temporary files is therefore renewed whenever the file is whole, and put back when it is
not. A stage that was finished but is missing from the copy runs once more.

Its list of files in use is rewritten in place as well. One that was cut says nothing
that still holds after a kill, and is removed.
"""

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import yaml
from configobj import ConfigObj
from dvc.schema import COMPILED_LOCKFILE_SCHEMA
from voluptuous import Invalid

from sslmepr import params
from sslmepr.params import Params
from sslmepr.pipeline import parallel
from sslmepr.pipeline.tables import note_tables

LOCK = Path("dvc.lock")
COPY = Path(".dvc", "tmp", "dvc.lock.whole")
IN_USE = Path(".dvc", "tmp", "rwlock")
CONFIG = Path(".dvc", "config.local")
WATCH_SECONDS = 1.0  # DVC writes the whole file in less


class ReproError(RuntimeError):
    """The pipeline did not run to its end."""


def targets(study: Params) -> list[str]:
    """Targets for DVC: all but the trials, or those that a study's book needs."""
    # The others compare with planted correlations, which only simulated corpora have.
    return ["dvc.yaml" if study.truth_known else "book"]


def absent_corpora(study: Params) -> list[str]:
    """A sentence for each optional corpus of a study that is not there."""
    found = []
    for name in study.corpora:
        optional = getattr(study.corpus[name], "optional", False)
        if optional and not (folder := study.data_path(name)).is_dir():
            found.append(
                f"corpus {name}: no folder {folder}; it is optional, and left out"
            )
    return found


def reproduce(stages: list[str] | None = None) -> None:
    """Bring a study, or some stages of it, up to date; prints where the book is.

    Parameters
    ----------
    stages : list of str, optional
        Names of DVC; if absent, `targets` of the study that ``params.yaml`` holds.

    Raises
    ------
    ParamsError
        If ``params.yaml`` is not in order.
    ReproError
        If ``dvc.lock`` is cut and cannot be put back, or if DVC fails.
    """
    study = params.load()
    stages = stages or targets(study)
    for sentence in absent_corpora(study) + note_tables(study):
        print(f"sslmepr: {sentence}")
    without_git()
    mend_lock()
    mend_in_use()
    status = _run(stages, study.compute.workers)
    mend_lock(finished=status == 0)
    if status:
        raise ReproError("DVC did not finish, see above; the same command goes on")
    if {"book", "dvc.yaml"} & set(stages):
        print(f"The book: {Path('site', 'index.html').resolve()}")
    else:
        print(f"The tables: {Path('results', study.study).resolve()}")


def without_git() -> None:
    """Tell DVC whether there is a git repository, which an unpacked ZIP is not."""
    here = Path.cwd()
    git = any((folder / ".git").exists() for folder in (here, *here.parents))
    config = ConfigObj(str(CONFIG))
    core = config.setdefault("core", {})
    if git == ("no_scm" in core):
        if git:
            del core["no_scm"]
        else:
            core["no_scm"] = "true"
            print(f"sslmepr: no git repository here; noted for DVC in {CONFIG}")
        CONFIG.parent.mkdir(exist_ok=True)
        config.write()


def mend_lock(finished: bool = False) -> None:
    """Renew the copy of a whole ``dvc.lock``, or put it back in place of a cut one.

    A file that is absent is left so: whoever removes it wants everything made anew.

    Parameters
    ----------
    finished : bool
        DVC has just ended without an error, so the file is whole.

    Raises
    ------
    ReproError
        If it is cut and there is no copy, if it lacks stages in another way than by
        being cut, or if the disk is full.
    """
    if not LOCK.exists():
        COPY.unlink(missing_ok=True)
        return
    found, kept = _stages(LOCK), _stages(COPY)
    if found is None and kept is None:
        raise ReproError(
            f"{LOCK} is cut and there is no copy. `git checkout {LOCK}` takes the last "
            f"that was committed; `rm {LOCK}` makes everything anew"
        )
    if found is not None:
        lost = _lost(found, kept or {})
        if finished or not lost or _is_committed():
            _replace(LOCK, COPY)
            return
        if list(found) != list(kept)[: len(found)]:
            raise ReproError(
                f"{LOCK} lacks {len(lost)} stages that it had after the last run, "
                f"{lost[0]} among them. `cp {COPY} {LOCK}` takes them back; "
                f"`rm {COPY}` lets {LOCK} be as it is"
            )
    _replace(COPY, LOCK)
    print(
        f"sslmepr: {LOCK} was cut while DVC wrote it and is put back from its copy; "
        "what finished after the copy runs again"
    )


def mend_in_use() -> None:
    """Remove DVC's list of files in use if it was cut, since DVC would not start.

    A DVC that runs beside this one may be writing it, so it is read a second time.
    """
    if _is_json(IN_USE):
        return
    time.sleep(WATCH_SECONDS)
    if not _is_json(IN_USE):
        IN_USE.unlink(missing_ok=True)
        print(f"sslmepr: {IN_USE} was cut while DVC wrote it and is removed")


def _is_json(path: Path) -> bool:
    """Whether a file is whole or absent."""
    try:
        json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return True
    except ValueError:  # of JSON or of the encoding
        return False
    return True


def _stages(path: Path) -> dict | None:
    """Stages of a lock file, or None if it ends where none can or does not exist."""
    try:
        text = path.read_text(encoding="utf-8")
        if not text.endswith("\n"):
            return None
        tree = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        return COMPILED_LOCKFILE_SCHEMA(tree).get("stages", {})
    except (OSError, UnicodeDecodeError, yaml.YAMLError, Invalid):
        return None


def _lost(found: dict, kept: dict) -> list[str]:
    """Stages of `kept` that `found` lacks or has only in part."""
    lost = [name for name in kept if name not in found]
    last = next(reversed(found), None)
    if last in kept and found[last] != kept[last] and _begins(kept[last], found[last]):
        lost.append(last)
    return lost


def _begins(whole, part) -> bool:
    """Whether `part` is what is left of `whole` when its text is cut."""
    if isinstance(whole, dict) and isinstance(part, dict):
        whole, part = list(whole.items()), list(part.items())
    if isinstance(whole, list | tuple) and isinstance(part, list | tuple):
        size = len(part)
        return size <= len(whole) and (
            size == 0
            or list(part[:-1]) == list(whole[: size - 1])
            and _begins(whole[size - 1], part[-1])
        )
    return part == whole


def _is_committed() -> bool:
    """Whether the lock file is the one of the last commit, which is whole."""
    shown = subprocess.run(["git", "show", f"HEAD:./{LOCK}"], capture_output=True)
    return shown.returncode == 0 and shown.stdout == LOCK.read_bytes()


def _replace(source: Path, target: Path) -> None:
    """Make `target` a copy of `source`, in one step."""
    beside = target.with_name(f".{target.name}.new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, beside)
        os.replace(beside, target)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise ReproError(
            f"{target} cannot be written ({error.strerror}); free some space and run "
            "the same command again"
        ) from None


def _run(stages: list[str], jobs: int) -> int:
    """Run what is stale, renewing the copy of the lock file; returns DVC's status."""
    # Stages call plain `python`, which has to be this one.
    here = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([here, os.environ.get("PATH", "")])
    done = threading.Event()
    watcher = threading.Thread(target=_watch, args=(done,), daemon=True)
    watcher.start()
    try:
        return parallel.run_stages(parallel.stale_stages(stages), jobs)
    finally:
        done.set()
        watcher.join()


def _watch(done: threading.Event) -> None:
    """Renew the copy each time that the lock file has changed and come to rest."""
    before = resting = _state(LOCK)
    while not done.wait(WATCH_SECONDS):
        now = _state(LOCK)
        if now is not None and now == before and now != resting:
            found = _stages(LOCK)
            if found is not None and not _lost(found, _stages(COPY) or {}):
                try:
                    _replace(LOCK, COPY)
                except ReproError:
                    return  # a full disk; the older copy is kept
                resting = now
        before = now


def _state(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except FileNotFoundError:
        return None
    return found.st_mtime_ns, found.st_size
