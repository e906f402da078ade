"""Stale stages that do not need each other run at the same time.

``dvc repro`` runs one stage after another, on one core. The cells of a matrix, and most
chapters, need nothing of each other. Here each stale stage has a ``dvc repro
--single-item`` of its own, which begins as soon as a processor is free and what the
stage needs is made: DVC's locks allow it, and ``dvc.lock`` stays its own.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import networkx as nx
from dvc.repo import Repo

from sslmepr.pipeline import fork_server

ALONE = re.compile(r"(corpus|extract)@|book$|notebooks/trials/")
"""Addresses of stages that use all cores by themselves."""

SILENCED = re.compile(
    r"\s*$|.*%\||Updating lock file|Data and pipelines are up to date|Use `dvc push`"
    r"|To (track the changes|enable auto staging)|\s+(git add|dvc config) "
)
"""What each of many DVCs would say again, and bars, which would mingle."""


def stale_stages(targets: list[str]) -> dict[str, set[str]]:
    """Stages that are out of date, or may become so.

    Parameters
    ----------
    targets : list of str
        Names of DVC; empty for all stages.

    Returns
    -------
    dict of str to set of str
        Addresses, and which of the others each needs. Those that the longest chain
        waits for come first, so a stage comes after what it needs. Empty if all is up
        to date.
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
        found = graph.subgraph(stale)
        waiting = {  # how long the chain is that waits for a stage
            stage: length
            for length, generation in enumerate(nx.topological_generations(found))
            for stage in generation
        }
        first = sorted(stale, key=lambda stage: (-waiting[stage], stage.addressing))
        return {
            stage.addressing: {needed.addressing for needed in found[stage]}
            for stage in first
        }


def run_stages(stages: Mapping[str, set[str]], jobs: int) -> int:
    """Run what `stale_stages` found, until a stage fails.

    Parameters
    ----------
    stages : mapping of str to set of str
        In the order in which they begin if they can; what is not stale after all is
        skipped by DVC.
    jobs : int
        How many at once; those of `ALONE` one after another, and nothing beside them.

    Returns
    -------
    int
        Exit status of a DVC that failed, or 0. Those beside it have come to their end.
    """
    if not stages:
        return 0
    left = dict(stages)  # neither made nor begun
    running: dict[Future[int], str] = {}
    # After a failure or an interrupt, the pool is left when what is running has ended.
    with fork_server.running(), ThreadPoolExecutor(jobs) as pool:
        while left or running:
            unmade = left.keys() | set(running.values())
            ready = [name for name in left if unmade.isdisjoint(stages[name])]
            alone = [name for name in ready if ALONE.match(name)]
            if not running and (alone or jobs == 1 or len(ready) == 1):
                begun = alone or ready
                if status := call(["repro", "--single-item", *begun]):
                    return status
            else:
                begun = [] if alone else ready[: jobs - len(running)]
                for name in begun:
                    running[pool.submit(_run_beside_others, name)] = name
                for ended in wait(running, return_when=FIRST_COMPLETED).done:
                    del running[ended]
                    if status := ended.result():
                        return status
            for name in begun:
                del left[name]
    return 0


def call(words: list[str]) -> int:
    """Run DVC to its end; an interrupt reaches it, too, and it is then waited for."""
    process = subprocess.Popen([sys.executable, "-m", "dvc", *words])
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.wait()
        raise


def _run_beside_others(stage: str) -> int:
    """Run one stage, of which whole lines are printed; returns DVC's exit status."""
    command = [sys.executable, "-m", "dvc", "--wait-for-lock", "repro", "--single-item"]
    with subprocess.Popen(
        [*command, stage],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        for line in process.stdout or ():
            last = line.rstrip("\n").rpartition("\r")[2]
            if not SILENCED.match(last):
                print(last, flush=True)
    return process.returncode
