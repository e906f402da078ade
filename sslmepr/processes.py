"""Process pools whose workers end with their parent process."""

import multiprocessing
import os
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from threading import Thread

SOCKET_PATH_BYTES = 103
"""Longest name of a Unix socket that Linux and macOS both take."""

_SOCKET_NAME_BYTES = len("/pymp-xxxxxxxx/listener-xxxxxxxx")


def process_pool(
    workers: int,
    preload: Sequence[str] = (),
    initializer: Callable[..., None] | None = None,
    initargs: tuple = (),
) -> ProcessPoolExecutor:
    """A pool that neither forks a process with threads nor outlives its parent.

    Parameters
    ----------
    workers : int
        Most processes at once.
    preload : sequence of str
        Modules that all workers import, together where the system allows it.
    initializer : callable, optional
        What each worker runs first, with `initargs`.
    """
    return ProcessPoolExecutor(
        workers,
        mp_context=_context(preload),
        initializer=_begin,
        initargs=(initializer, initargs),
    )


def each_result(
    function: Callable,
    calls: Sequence[tuple],
    workers: int,
    preload: Sequence[str] = (),
    initializer: Callable[..., None] | None = None,
    initargs: tuple = (),
) -> Iterator:
    """Yield the results of calls in their order, computed in a pool.

    Parameters
    ----------
    function : callable
    calls : sequence of tuple
        Positional arguments of each call.
    workers : int
        Most processes at once; with one and without an initializer, the calls run in
        this process.
    preload, initializer, initargs
        As in `process_pool`.
    """
    if min(workers, len(calls)) <= 1 and initializer is None:
        yield from (function(*arguments) for arguments in calls)
        return
    workers = min(workers, len(calls))
    with process_pool(workers, preload, initializer, initargs) as pool:
        yield from pool.map(function, *zip(*calls, strict=True))


def end_with_parent() -> None:
    """End this process of `multiprocessing` once the one that started it is gone.

    A worker waits for work from a queue whose other end it holds itself, so it would
    never notice that nobody fills the queue any more.
    """
    parent = multiprocessing.parent_process()

    def watch():
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


def _begin(initializer, initargs) -> None:
    end_with_parent()
    if initializer is not None:
        initializer(*initargs)


def _context(preload):
    """How processes start.

    Forked from a server that has only imported: a fork of a process in which torch has
    run may hang, and importing takes a new process longer than some corpora. The server
    listens at a socket in the temporary folder, whose path may be too long for one.
    """
    room = SOCKET_PATH_BYTES - _SOCKET_NAME_BYTES
    short = len(os.fsencode(tempfile.gettempdir())) <= room
    if not short or "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(preload))
    return context
