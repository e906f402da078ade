"""Pools of processes: what they give, and that nothing of them outlives its parent."""

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from living import PATIENCE_SECONDS, await_end

from sslmepr.processes import each_result, process_pool

ROOT = Path(__file__).resolve().parents[1]
WAITING = """
import os, sys, time
from sslmepr.processes import process_pool

if __name__ == "__main__":
    pool = process_pool(2)
    for future in [pool.submit(os.getpid) for _ in range(8)]:
        future.result()
    print(*pool._processes, flush=True)
    {after}
"""


def script(tmp_path, after):
    """A program with a pool of two that prints the workers' ids."""
    path = tmp_path / "program.py"
    path.write_text(WAITING.format(after=after))
    return path


def start(path, **environment):
    return subprocess.Popen(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def descendants(process):
    return psutil.Process(process.pid).children(recursive=True)


@pytest.mark.parametrize(
    "after", ["time.sleep(600)", "list(pool.map(time.sleep, [600, 600]))"]
)
def test_workers_end_with_their_parent(tmp_path, after):
    """Waiting for work, or at it."""
    parent = start(script(tmp_path, after))
    workers = [int(word) for word in parent.stdout.readline().split()]
    everything = descendants(parent)
    assert len(workers) >= 1 and set(workers) <= {each.pid for each in everything}
    parent.kill()
    parent.wait()
    await_end(everything)


def test_nothing_is_left_after_a_normal_end(tmp_path):
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    shared = Path("/dev/shm")
    before = set(shared.iterdir()) if shared.is_dir() else set()
    parent = start(script(tmp_path, "pool.shutdown()"), TMPDIR=str(temporary))
    everything = descendants(parent)
    assert parent.wait(PATIENCE_SECONDS) == 0
    await_end(everything)
    assert not list(temporary.iterdir())
    mine = f"-{parent.pid}-"
    after = set(shared.iterdir()) if shared.is_dir() else set()
    assert not [path for path in after - before if mine in path.name]


def test_a_long_temporary_folder(tmp_path):
    """In one of more than 75 characters no socket can lie."""
    temporary = tmp_path / ("x" * 100)
    temporary.mkdir()
    path = script(tmp_path, "pool.shutdown()")
    parent = start(path, TMPDIR=str(temporary))
    assert parent.wait(PATIENCE_SECONDS) == 0
    assert parent.stdout.readline().split()


def scaled(value, factor):
    return value * factor


@pytest.mark.parametrize("workers", [1, 2])
def test_results_come_in_order(workers):
    calls = [(value, 3) for value in range(5)]
    assert list(each_result(scaled, calls, workers)) == [0, 3, 6, 9, 12]
    assert list(each_result(scaled, [], workers)) == []


def test_one_worker_is_this_process():
    assert list(each_result(os.getpid, [()], 4)) == [os.getpid()]


def test_every_worker_begins_as_asked(tmp_path):
    with process_pool(1, [], os.chdir, (str(tmp_path),)) as pool:
        assert pool.submit(os.getcwd).result() == str(tmp_path)
