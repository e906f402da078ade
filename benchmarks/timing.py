"""Timing things in turn, and how busy other programs were meanwhile."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psutil
import table

TURN = 0.1  # seconds that a turn lasts at least, with as many calls as it takes


def seconds(run: Callable[[], None]) -> float:
    """Seconds per call, over one turn."""
    start, calls = time.perf_counter(), 0
    while (spent := time.perf_counter() - start) < TURN or not calls:
        run()
        calls += 1
    return spent / calls


def in_turn(runs: dict[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Seconds per call of each, in each round.

    Whatever else the machine does falls on all alike, and a ratio can be taken within
    its round.
    """
    times = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            times[name].append(seconds(run))
    return times


def times_as_fast(ours: list[float], other: list[float]) -> list[float]:
    """How many times as fast as another ours was, in each round."""
    return [theirs / mine for theirs, mine in zip(other, ours, strict=True)]


def busy_seconds() -> tuple[float, float]:
    """Processor seconds so far, of the whole machine and of this process."""
    machine, own = psutil.cpu_times(), psutil.Process().cpu_times()
    idle = machine.idle + getattr(machine, "iowait", 0)
    return sum(machine[:8]) - idle, own.user + own.system


@contextmanager
def others_busy(rows: list[dict], name: str, what: str) -> Iterator[None]:
    """Add a row that says how many processors other programs took meanwhile."""
    start, before = time.perf_counter(), busy_seconds()
    yield
    machine, own = (b - a for a, b in zip(before, busy_seconds(), strict=True))
    others = (machine - own) / (time.perf_counter() - start)
    what = f"other programs meanwhile, {what}"
    rows.append(table.row(name, what, [others], "processors busy", "≤ 0.1"))
