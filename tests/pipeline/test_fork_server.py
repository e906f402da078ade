"""The fork server, with a small library in place of those that take seconds."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from living import PATIENCE_SECONDS, await_end

from sslmepr.pipeline import fork_server

ROOT = Path(__file__).parents[2]
RUN = [sys.executable, "-m", "sslmepr", "run", "stage", "--out", "out.ipynb"]


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A function that writes a notebook of one cell, in a folder with a library."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT}{os.pathsep}{tmp_path}")
    monkeypatch.setattr(fork_server, "LIBRARIES", ("slow",))
    Path("slow.py").write_text("import os\nIMPORTED_BY = os.getpid()\n")
    Path("notebooks").mkdir()

    def write(code):
        cell = nbformat.v4.new_code_cell(code)
        notebook = nbformat.v4.new_notebook(cells=[cell])
        nbformat.write(notebook, Path("notebooks", "stage.ipynb"))

    return write


@pytest.fixture
def server(project):
    """The server's process."""
    with fork_server.running():
        (found,) = (
            child
            for child in psutil.Process().children()
            if "sslmepr.pipeline.fork_server" in child.cmdline()
        )
        await_file(os.environ[fork_server.SOCKET])
        yield found
    assert not found.is_running()


def await_file(path):
    ends = time.monotonic() + PATIENCE_SECONDS
    while not Path(path).exists() and time.monotonic() < ends:
        time.sleep(0.05)


def printed():
    return nbformat.read("out.ipynb", as_version=4).cells[-1].outputs[0].text


def test_a_stage_runs_in_a_fork_with_what_its_program_was_given(
    project, server, monkeypatch
):
    Path("folder").mkdir()
    Path("folder", "notebooks").symlink_to(Path("notebooks").resolve())
    project(
        "import os, slow\n"
        "print(slow.IMPORTED_BY, ascii(os.environ['WORD']), os.getcwd())"
    )
    # A name of a file, say, that is no valid UTF-8.
    environment = os.environ | {"WORD": "ä\udcff"}
    subprocess.run(RUN, check=True, cwd="folder", env=environment)
    monkeypatch.chdir("folder")
    assert printed() == f"{server.pid} '\\xe4\\udcff' {os.getcwd()}\n"


def test_what_fails_is_told_by_status_and_on_the_programs_own_streams(project, server):
    project("raise ValueError('clip 7 has no face')")
    done = subprocess.run(RUN, capture_output=True, text=True)
    assert done.returncode == 1
    assert "ValueError: clip 7 has no face" in done.stderr


def test_without_a_server_a_stage_runs_by_itself(project, monkeypatch):
    project("import slow\nprint('here')")
    for path in (None, "no/socket"):
        if path:
            monkeypatch.setenv(fork_server.SOCKET, path)
        subprocess.run(RUN, check=True)
        assert printed() == "here\n"
        Path("out.ipynb").unlink()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_nothing_is_left_of_a_stage_that_is_stopped(project, server, number):
    """An interrupt goes to all that a terminal has started, a kill to one program."""
    project("import pathlib, time\npathlib.Path('begun').touch()\ntime.sleep(600)")
    program = subprocess.Popen(RUN, stderr=subprocess.DEVNULL)
    await_file("begun")
    left = server.children(recursive=True)
    assert len(left) == 2  # papermill and the kernel
    if number == signal.SIGINT:
        left[0].send_signal(number)
    program.send_signal(number)
    assert program.wait(PATIENCE_SECONDS) != 0
    await_end(left)
    assert server.is_running()


def test_the_server_ends_with_the_program_that_started_it(project):
    program = (
        "import time\nfrom sslmepr.pipeline import fork_server\n"
        "with fork_server.running(): time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program])
    ends = time.monotonic() + PATIENCE_SECONDS
    while not (found := psutil.Process(parent.pid).children()):
        assert time.monotonic() < ends
    parent.kill()
    parent.wait()
    await_end(found)
