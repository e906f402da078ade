"""Every variant of the fusion model, trained side by side as DVC experiments.

DVC's queue runs an experiment in a folder of its own that shares the cache of this one.
What an experiment trained is therefore restored here, not trained again, by the next
``dvc repro``, as long as nothing that it depends on has changed.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from sslmepr.params import Params


class SweepError(RuntimeError):
    """Something in a sweep failed; whatever did not is kept."""


def dvc(*words: str, threads: int | None = None) -> tuple[int, str]:
    """Run DVC; its exit status, and what it prints if it is asked for names."""
    environment = dict(os.environ)
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *words],
        env=environment,
        text=True,
        stdout=subprocess.PIPE if "--name-only" in words else None,
    )
    return done.returncode, done.stdout or ""


def sweep(
    params: Params,
    jobs: int,
    call: Callable[..., tuple[int, str]] = dvc,
    results_folder: str | Path = "results",
) -> list[str]:
    """Train all variants that the study has the modalities for, then compare them.

    Stages 1 and 2, which all variants share, are brought up to date first.

    Parameters
    ----------
    params : Params
        What ``params.yaml`` holds.
    jobs : int
        Experiments at a time; each gets its share of the cores.
    call : callable
        Stands for `dvc`.
    results_folder : path

    Returns
    -------
    list of str
        The variants that were trained.

    Raises
    ------
    SweepError
        If what they share could not be made, or, after the others were compared, if
        a variant failed.
    """
    variants = params.possible_variants()
    _require(call("exp", "run", *_set(variants), "crosstask"), "stages 1, 2")
    names = {f"{params.study}-{variant}": variant for variant in variants}
    _, known = call("exp", "list", "--name-only")
    stale = [name for name in known.split() if name in names]
    if stale:
        _require(call("exp", "remove", *stale), "removing an earlier sweep")
    for name, variant in names.items():
        options = ["--queue", "--name", name, *_set([variant]), f"fusion@{variant}"]
        _require(call("exp", "run", *options), f"queueing {variant}")
    threads = max(1, (os.cpu_count() or 1) // jobs)
    call("exp", "run", "--run-all", "--jobs", str(jobs), threads=threads)
    # Restores what was trained. DVC removes the results of a stage before it runs it,
    # so those that lie there afterwards are of these parameters.
    call("repro", "--keep-going", "fusion")
    folder = Path(results_folder, params.study, "fusion")
    trained = [each for each in variants if (folder / f"{each}.json").exists()]
    simulated = params.corpus[params.roles.held_out].source == "simulated"
    chapter = "ablation" if simulated else "evaluate"
    _require(call("exp", "run", *_set(trained), chapter), chapter)
    failed = [each for each in variants if each not in trained]
    if failed:
        raise SweepError(f"variants that failed: {', '.join(failed)}")
    return trained


def _set(variants: list[str]) -> list[str]:
    return ["-S", f"variants=[{','.join(variants)}]"]


def _require(result: tuple[int, str], what: str) -> None:
    if result[0]:
        raise SweepError(f"{what}: failed, see above")
