"""`sslmepr app`: a server for this machine alone, which leaves nothing behind."""

import os
import shutil
import signal
import socket
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from threading import Thread

import psutil

from sslmepr.app.worker import MOST_SECONDS
from sslmepr.params import Params

HOST = "127.0.0.1"
PREFIX = "sslmepr-app-"
"""Of the private folder, before the number of the process that it belongs to."""

INSTALL = "pip install -c constraints.txt -e '.[app]'"
SWEEP_SECONDS = 30
HEAD_START_SECONDS = 10
"""After which models are loaded although no page was opened. An open page has them
loaded at once, but not before it stands there: both would wait for the same processors
and the same disk.
"""

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, being ended, and a terminal that closes."""

PACKAGES = ("gradio", "cv2", "pyarrow", "scipy", "numpy", "pandas", "matplotlib", "av")
"""Most of what the server reads from the disk before its page stands there."""


class ServeError(RuntimeError):
    """The app cannot start."""


def trained_variants(params: Params, study_folder: Path) -> list[str]:
    """The fusion models of a study that are there, in the order of the study.

    Raises
    ------
    ServeError
        If there is none; the message names what makes them.
    """
    found = [
        name
        for name in params.variants
        if any((study_folder / "fusion" / name).glob("seed-*.safetensors"))
    ]
    if not found:
        raise ServeError(
            f"{study_folder}: no trained model of study {params.study}; `make repro` "
            "makes them"
        )
    return found


def serve(
    project: Path,
    params: Params,
    variant: str = "multitask",
    port: int = 7860,
    browser: bool = False,
    most_seconds: float = MOST_SECONDS,
) -> int:
    """Run the app until it is interrupted.

    Parameters
    ----------
    project : Path
        The repository's folder.
    params : Params
        Its parameters.
    variant : str
        The fusion model that is chosen at first.
    port : int
        Of this machine's own address.
    browser : bool
        Open a browser there.
    most_seconds : float
        That one analysis may take.

    Returns
    -------
    int
        130, the exit status of an interruption.

    Raises
    ------
    ServeError
        If Gradio is not installed, there is no such model, or the port is taken.
    """
    if find_spec("gradio") is None:
        raise ServeError(f"the app needs Gradio, which `{INSTALL}` installs")
    variants = trained_variants(params, project / "runs" / params.study)
    if variant not in variants:
        raise ServeError(
            f"{variant}: no trained model of it; there are {', '.join(variants)}"
        )
    _require_free(port)
    Thread(target=_read_ahead, daemon=True).start()
    # Being ended is as Ctrl-C, which a shell may have had ignored in the background.
    for each in ENDING:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:  # nohup
            signal.signal(each, signal.default_int_handler)
    try:
        with _private_folder() as folder:
            _environment(folder)
            names = [variant, *variants]
            with _quiet(), _desk(project, params, names, folder) as desk:
                desk.worker.most_seconds = most_seconds
                _run(desk, port, browser)
    except KeyboardInterrupt:
        pass
    return 130


def _desk(project: Path, params: Params, variants: list[str], folder: Path):
    from sslmepr.app.desk import Desk

    return Desk(project, params, list(dict.fromkeys(variants)), folder)


def _run(desk, port: int, browser: bool) -> None:
    from sslmepr.app.interface import build, launch_options

    page = build(desk)
    page.launch(server_port=port, **launch_options(desk, port))
    address = f"http://{HOST}:{port}/"
    print(f"sslmepr: the app is at {address} (Ctrl-C ends it)", flush=True)
    if browser:
        webbrowser.open(address)
    try:
        time.sleep(HEAD_START_SECONDS)
        desk.worker.start()
        while True:
            time.sleep(SWEEP_SECONDS)
            desk.forget_old()
    finally:
        page.close(verbose=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Drop what libraries and the worker would write to the terminal.

    Gradio prints the traceback of a request that it refuses, with the path in it, and
    decoders name the file. What users need to know stands on the page.
    """
    sys.stderr.flush()
    kept, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nothing)


def _read_ahead() -> None:
    """Have programs read from the disk all at once, while others are at work already.

    Imports read them piece by piece, and a disk that nobody has read yet answers each
    late.
    """
    if not hasattr(os, "posix_fadvise"):
        return
    found = [find_spec(name) for name in PACKAGES]
    folders = [
        Path(spec.submodule_search_locations[0])
        for spec in found
        if spec is not None and spec.submodule_search_locations
    ]
    folders += {lib for each in folders for lib in each.parent.glob("*.libs")}
    for place, _, names in chain.from_iterable(map(os.walk, folders)):
        for name in names:
            if name.endswith(".pyc") or ".so" in name:
                with open(os.path.join(place, name), "rb") as file:
                    os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_WILLNEED)


def _require_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except (OSError, OverflowError):
            raise ServeError(
                f"port {port} is taken or not allowed; choose another with --port"
            ) from None


@contextmanager
def _private_folder() -> Iterator[Path]:
    """A folder that only this user can read, removed at the end."""
    remove_left_behind(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-"))  # mode 0700
    try:
        yield folder
    finally:
        for each in ENDING:  # asked twice, it would leave half of it
            signal.signal(each, signal.SIG_IGN)
        shutil.rmtree(folder, ignore_errors=True)


def remove_left_behind(where: Path) -> None:
    """Remove the folders of servers of this user that were killed.

    Parameters
    ----------
    where : Path
        The system's folder of temporary files.
    """
    for path in where.glob(f"{PREFIX}*-*"):
        number = path.name.removeprefix(PREFIX).partition("-")[0]
        mine = not path.is_symlink() and path.stat().st_uid == os.getuid()
        if mine and number.isdecimal() and not psutil.pid_exists(int(number)):
            shutil.rmtree(path, ignore_errors=True)


def _environment(folder: Path) -> None:
    """Set what Gradio, its libraries and the worker read from the environment.

    Gradio's own variables win over empty arguments, and some open the server to the
    world or let others change its code.
    """
    for name in list(os.environ):
        if name.startswith("GRADIO_"):
            del os.environ[name]
    os.environ |= {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder / "uploads"),
        "HF_HUB_OFFLINE": "1",
        "ORT_DISABLE_TELEMETRY": "1",  # which ONNX Runtime would send
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "TMPDIR": str(folder / "tmp"),
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
    }
    for name in ("uploads", "tmp"):
        (folder / name).mkdir(mode=0o700)
    tempfile.tempdir = str(folder / "tmp")
