"""One process that analyses recordings, and that can be killed at any time.

Strangers' files are decoded in it, so it may crash, hang or grow: the server then ends
it and starts another. Messages are JSON, so that nothing that happens in it can run
code in the server.
"""

import errno
import json
import multiprocessing
import os
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import psutil

from sslmepr.app.intake import AppError, Cancelled
from sslmepr.processes import end_with_parent

MOST_SECONDS = 120.0
"""Longest time of one analysis."""

MOST_START_SECONDS = 900.0
"""Longest time in which the process loads its models."""

MOST_BYTES = 4 * 2**30
"""Largest resident memory of the process."""

FULL = (errno.ENOSPC, errno.EDQUOT)
"""Of errors: there is no room left on the disk."""

TICK_SECONDS = 0.1
"""How often time, memory and cancellation are looked at."""


class Event(NamedTuple):
    """Something that a caller may want to show.

    Attributes
    ----------
    kind : {"starting", "running", "step", "done"}
    content : object
        What is told of a step; the answer.
    seconds : float
        Since the question.
    """

    kind: str
    content: object
    seconds: float


class Unexpected(RuntimeError):
    """An error that nobody foresaw; its message names the place in the code alone."""


class Worker:
    """Answers one question at a time in another process, which stays warm.

    Parameters
    ----------
    make : callable
        Called in the process with `arguments`; returns a function that takes a question
        (a dict of JSON values) and ``tell``, whose arguments are the content of an
        event ``step``, and returns a JSON value.
        An `AppError` that either raises reaches the caller with its sentence, others as
        `Unexpected`.
    arguments : tuple
    most_seconds, most_bytes : float
        Of one answer, and of the process.
    """

    def __init__(
        self,
        make: Callable,
        arguments: tuple = (),
        most_seconds: float = MOST_SECONDS,
        most_bytes: float = MOST_BYTES,
    ):
        self._make, self._arguments = make, arguments
        self.most_seconds, self.most_bytes = most_seconds, most_bytes
        self._turn, self._change = threading.Lock(), threading.RLock()
        self._process = self._pipe = None
        self._ready, self._closed = False, False

    @property
    def process_id(self) -> int | None:
        """Of the process, while it lives."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def start(self) -> None:
        """Start the process, which then loads what it needs, unless it is there."""
        with self._change:
            if self.process_id is not None or self._closed:
                return
            # Not forked: threads of the server may hold locks.
            context = multiprocessing.get_context("spawn")
            self._pipe, other = context.Pipe()
            self._process = context.Process(
                target=_serve, args=(other, self._make, self._arguments), daemon=True
            )
            self._process.start()
            other.close()
            self._ready = False

    def stop(self) -> None:
        """End the process at once; the next question starts another."""
        with self._change:
            # Forgotten first, so that one who asks knows why it ended. The pipe closes
            # when nobody holds it: closed under one who reads, it may raise anything.
            process, self._process, self._pipe = self._process, None, None
            if process is not None:
                process.kill()
                process.join()

    def close(self) -> None:
        """End the process for good."""
        with self._change:
            self._closed = True
            self.stop()

    def ask(self, question: dict) -> Iterator[Event]:
        """Yield what happens, last of all ``done`` with the answer.

        A caller that gives up the iterator, or :meth:`stop` in another thread, ends the
        process.

        Raises
        ------
        AppError
            If the answer takes too long or too much memory, the process dies, or the
            question has no answer.
        Unexpected
            If the program failed.
        """
        with self._turn, self._ended_if_unfinished() as finished:
            begin = time.monotonic()
            with self._change:
                self.start()
                process, pipe = self._process, self._pipe
            if process is None:
                raise AppError("The app is closing.")
            if self._ready:
                self._tell(process, pipe, question)
            while True:
                message = self._message(process, pipe)
                seconds = time.monotonic() - begin
                if message is None:
                    kind = "running" if self._ready else "starting"
                    yield Event(kind, None, seconds)
                elif message[0] == "ready":
                    self._ready = True
                    self._tell(process, pipe, question)
                    begin = time.monotonic()  # loading models is no part of an answer
                elif message[0] == "refused":
                    finished.append(self._ready)
                    raise AppError(message[1])
                elif message[0] == "failed":
                    raise Unexpected(message[1])
                else:
                    if message[0] == "done":
                        finished.append(True)
                    yield Event(message[0], message[1], seconds)
                    if message[0] == "done":
                        return
                self._check(process, seconds)

    @contextmanager
    def _ended_if_unfinished(self) -> Iterator[list]:
        """A list; unless something true is put into it, the process ends."""
        finished: list = []
        try:
            yield finished
        finally:
            if not any(finished):
                self.stop()
                self.start()

    def _message(self, process, pipe) -> list | None:
        with self._told_if_ended(process):
            if pipe.poll(TICK_SECONDS):
                return json.loads(pipe.recv_bytes())
        return None

    def _tell(self, process, pipe, question: dict) -> None:
        with self._told_if_ended(process):
            _send(pipe, question)

    @contextmanager
    def _told_if_ended(self, process) -> Iterator[None]:
        """A pipe that breaks, as why the process at its other end has ended."""
        try:
            yield
        except (EOFError, OSError):
            if process is not self._process:
                raise Cancelled("Cancelled.") from None
            raise AppError(
                "The analysis ended before its time, perhaps for want of memory: try a "
                "shorter segment."
            ) from None

    def _check(self, process, seconds: float) -> None:
        if not self._ready and seconds > MOST_START_SECONDS:
            raise AppError("The models could not be loaded in time: try again.")
        if self._ready and seconds > self.most_seconds:
            raise AppError(
                f"The analysis took longer than {self.most_seconds:.0f} seconds and "
                "was ended: try a shorter segment."
            )
        try:
            held = psutil.Process(process.pid).memory_info().rss
        except psutil.Error:
            return  # it has ended, which the next message tells
        if held > self.most_bytes:
            raise AppError(
                "The analysis needed too much memory and was ended: try a shorter "
                "segment or a smaller picture."
            )


def _send(pipe, message) -> None:
    pipe.send_bytes(json.dumps(message).encode())


def _serve(pipe, make: Callable, arguments: tuple) -> None:
    """What the process does."""
    end_with_parent()
    _be_silent()
    try:
        answer = make(*arguments)
    except Exception as error:
        _send(pipe, _told(error))
        return
    _send(pipe, ("ready", None))
    while True:
        try:
            question = json.loads(pipe.recv_bytes())
        except EOFError:
            return
        try:
            found = answer(question, lambda *step: _send(pipe, ("step", step)))
            _send(pipe, ("done", found))
        except Exception as error:
            _send(pipe, _told(error))


def _be_silent() -> None:
    """Libraries write paths of files, and decoders their metadata, to the terminal."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)


def _told(error: Exception) -> tuple[str, str]:
    """A message about an error. Messages of unforeseen ones may hold anything."""
    if isinstance(error, AppError):
        return "refused", str(error)
    if isinstance(error, OSError) and error.errno in FULL:
        return "refused", "The disk is full: make room and try again."
    return "failed", place_of(error)


def place_of(error: Exception) -> str:
    """Kind of an error and line of the code that raised it, without its message."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{os.path.basename(frame.filename)}:{frame.lineno}"
    return f"{type(error).__name__} at {place}"
