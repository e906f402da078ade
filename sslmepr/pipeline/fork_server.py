"""A process that has imported the libraries, and runs each stage in a fork of itself.

A stage takes seconds to import torch, pandas and matplotlib, and often less to do its
work. While ``sslmepr repro`` runs, a fork server waits at a Unix socket. DVC starts
``python -m sslmepr run`` for each stage as ever, and that hands its arguments, working
directory, environment and standard streams to the server and waits for the exit status.
Without a server, the stage runs in the process that DVC has started.

The server only imports libraries: when it forks, torch has computed nothing, and no
thread of Python or OpenMP has been started.
"""

import contextlib
import importlib
import json
import os
import runpy
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

SOCKET = "SSLMEPR_FORK_SERVER"
"""Environment variable that holds the path of the server's socket."""

LIBRARIES = (
    "ipykernel.kernelapp",
    "papermill",
    "torch._dynamo",  # which every optimiser imports
    "safetensors.torch",
    "pandas",
    "pandera.pandas",
    "pyarrow.parquet",
    "pydantic",
    "ruamel.yaml",
    "scipy.stats",
    "seaborn",
)
"""What stages import. One that is missing here is imported by each stage."""


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Have a fork server, of which programs started from here know; on Linux alone."""
    if sys.platform != "linux":  # elsewhere, libraries may not survive a fork
        yield
        return
    with tempfile.TemporaryDirectory(prefix="sslmepr-") as folder:
        path = Path(folder, "socket")
        words = [path, str(os.getpid()), *LIBRARIES]
        # The runner of notebooks sets it too late for a torch that is imported here.
        environment = {"OMP_NUM_THREADS": "1"} | os.environ
        server = subprocess.Popen(
            [sys.executable, "-m", __name__, *words], env=environment
        )
        os.environ[SOCKET] = str(path)
        try:
            yield
        finally:
            del os.environ[SOCKET]
            server.terminate()
            server.wait()


def ask(arguments: list[str]) -> int | None:
    """Have the fork server run ``sslmepr`` with `arguments`.

    Returns
    -------
    int or None
        Exit status; None if there is no server.
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.environ[SOCKET])
        except (KeyError, OSError):
            return None
        # An interrupt from the terminal reaches the fork, which ends in order.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        call = json.dumps([arguments, os.getcwd(), dict(os.environ)])
        socket.send_fds(connection, [b"\0"], [0, 1, 2])
        connection.sendall(f"{call}\n".encode())
        # Nothing comes if the fork was killed.
        return int(connection.makefile().read() or 1)


class _Stage(socketserver.StreamRequestHandler):
    """Runs in a fork, which takes the place of the program that asked for it."""

    def handle(self):
        self.server.socket.close()
        _, streams, *_ = socket.recv_fds(self.request, 1, 3)
        arguments, folder, environment = json.loads(self.rfile.readline())
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        del environment[SOCKET]
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        Thread(target=self._end_with_client, daemon=True).start()
        sys.argv[1:] = arguments
        try:
            runpy.run_module("sslmepr", run_name="__main__")
        except SystemExit as ended:
            sys.stdout.flush()
            self.wfile.write(str(ended.code).encode())

    def _end_with_client(self):
        self.request.recv(1)
        os._exit(1)


class _Server(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    request_queue_size = 64  # may wait while the libraries are imported
    parent: int  # the process with which it ends

    def service_actions(self):
        super().service_actions()
        if os.getppid() != self.parent:
            os._exit(1)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # As in a kernel, which sets it too late for a matplotlib that is imported here.
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    _, path, parent, *libraries = sys.argv
    with _Server(path, _Stage) as server:
        server.parent = int(parent)
        for library in libraries:
            importlib.import_module(library)
        server.serve_forever()
