"""Stale stages that do not need each other run at the same time.

``dvc repro`` runs one stage after another, on one core. The cells of a matrix, and most
chapters, need nothing of each other. Here the stale stages are put into generations,
each of which needs earlier ones alone, and a generation is divided among several
``dvc repro --single-item``: DVC's locks allow it, and ``dvc.lock`` stays its own.
"""

import re
import subprocess
import sys
from collections.abc import Iterable
from threading import Thread

import networkx as nx
from dvc.repo import Repo

from sslmepr.pipeline import fork_server

ALONE = re.compile(r"(corpus|extract)@|book$|notebooks/trials/")
"""Addresses of stages that use all cores by themselves."""


def stale_generations(targets: list[str]) -> list[list[str]]:
    """Stages that are out of date, or may become so, in the order of the pipeline.

    Parameters
    ----------
    targets : list of str
        Names of DVC; empty for all stages.

    Returns
    -------
    list of list of str
        Each list needs only what earlier ones make. Empty if all is up to date.
    """
    with Repo() as repo:
        graph = repo.index.graph
        if targets:
            wanted = {
                stage
                for target in targets
                for stage in repo.stage.collect(target, with_deps=True)
            }
            graph = graph.subgraph(wanted)
        changed = set(repo.status(targets or None, with_deps=bool(targets)))
        stale = {stage for stage in graph if stage.addressing in changed}
        # An edge leads from a stage to what it needs.
        stale.update(*(nx.ancestors(graph, stage) for stage in list(stale)))
        generations = nx.topological_generations(graph.subgraph(stale).reverse())
        return [sorted(stage.addressing for stage in each) for each in generations]


def run_generations(generations: list[list[str]], jobs: int) -> int:
    """Run what `stale_generations` found, until a stage fails; DVC's exit status."""
    if not generations:
        return 0
    with fork_server.running():
        for generation in generations:
            if status := run_generation(generation, jobs):
                return status
    return 0


def run_generation(stages: list[str], jobs: int) -> int:
    """Run stages that do not need each other; what is not stale is skipped by DVC.

    Parameters
    ----------
    stages : list of str
    jobs : int
        How many at once; those of `ALONE` one after another.

    Returns
    -------
    int
        Exit status of a DVC that failed, or 0. The others have come to their end.
    """
    alone = [name for name in stages if ALONE.match(name)]
    others = [name for name in stages if name not in alone]
    status = call(["repro", "--single-item", *alone]) if alone else 0
    if status or not others:
        return status
    # Neighbours in the alphabet are cells of one stage, which take equally long.
    return _side_by_side(
        [others[start::jobs] for start in range(min(jobs, len(others)))]
    )


def call(words: list[str]) -> int:
    """Run DVC to its end; an interrupt reaches it, too, and it is then waited for."""
    process = subprocess.Popen([sys.executable, "-m", "dvc", *words])
    return _wait([process])


def _side_by_side(shares: list[list[str]]) -> int:
    if len(shares) == 1:
        return call(["repro", "--single-item", *shares[0]])
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item"]
    processes = [
        subprocess.Popen(
            [*command, *share],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        for share in shares
    ]
    printers = [Thread(target=_print, args=(each.stdout,)) for each in processes]
    for printer in printers:
        printer.start()
    status = _wait(processes)
    for printer in printers:
        printer.join()
    return status


def _print(lines: Iterable[str]) -> None:
    """What several processes write, line by line, without bars that would mingle."""
    for line in lines:
        last = line.rstrip("\n").rpartition("\r")[2]
        if last.strip() and "%|" not in last and "Updating lock file" not in last:
            print(last, flush=True)


def _wait(processes: list[subprocess.Popen]) -> int:
    try:
        return max((process.wait() for process in processes), key=abs)
    except KeyboardInterrupt:
        for process in processes:
            process.wait()
        raise
