"""Whether processes that tests have started still live."""

import time

import psutil

PATIENCE_SECONDS = 60


def await_end(processes):
    """Wait until none lives; where nobody collects the dead, they count as dead."""
    ends = time.monotonic() + PATIENCE_SECONDS
    left = processes
    while left and time.monotonic() < ends:
        left = [each for each in left if is_alive(each)]
        time.sleep(0.1)
    for each in left:
        each.kill()
    assert not left


def is_alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
