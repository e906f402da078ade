"""Runs a parameterised notebook as a pipeline stage and makes its record reproducible.

papermill executes; this module adds what a DVC stage needs: parameters with their YAML
types, an error for a parameter that the notebook does not have, a title that names the
parameters, and a record without clock times, process ids or addresses, so that the same
inputs give the same bytes.
"""

import asyncio
import logging
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Any, NoReturn

import nbformat
import papermill
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelspec import get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.provisioning import LocalProvisioner
from papermill.exceptions import PapermillExecutionError

from sslmepr import project

ADDRESS = re.compile(r" at 0x[0-9a-f]+")


class NotebookError(RuntimeError):
    """A notebook could not be run to its end."""


def run(
    source: Path, target: Path, parameters: dict[str, Any], logs: Path = Path("logs")
) -> None:
    """Execute notebook `source` and write its record to `target`.

    Parameters
    ----------
    source : Path
        A notebook without outputs whose cell tagged ``parameters`` gives the defaults.
    target : Path
        The executed notebook. It appears only if every cell succeeded.
    parameters : dict
        Values for the ``parameters`` cell.
    logs : Path
        Folder that keeps the record of a failed run.

    Raises
    ------
    NotebookError
        If the notebook does not exist, does not know a parameter, or a cell fails; the
        message names the notebook, the failing cell and where the record lies.
    """
    if not source.exists():
        raise NotebookError(f"{source}: no such notebook")
    known = papermill.inspect_notebook(str(source))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise NotebookError(
            f"{source}: no parameter {', '.join(unknown)}; known: {', '.join(known)}"
        )
    logs.mkdir(exist_ok=True)
    os.environ[project.STAGE] = source.stem
    record = logs / target.name
    # The kernel is killed in the end; what it leaves in here goes with the folder.
    with tempfile.TemporaryDirectory(
        prefix="sslmepr-", ignore_cleanup_errors=True
    ) as scratch:
        _execute(source, record, parameters, Path(scratch))
    notebook = nbformat.read(record, as_version=4)
    make_reproducible(notebook, parameters)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, target)
    record.unlink()


class _ForkedKernel(LocalProvisioner):
    """A kernel that is a fork of this process and need not import what it has.

    One that is found by its name might be another environment's.
    """

    async def launch_kernel(self, cmd, env, **_):
        self.pid = self.pgid = os.fork()
        if not self.pid:
            _serve(self.parent.connection_file, env)
        self.process = self  # has the methods of a `subprocess.Popen` that are needed
        return self.connection_info

    async def poll(self):
        if self.process and os.waitpid(self.pid, os.WNOHANG)[0]:
            self.process = None
        return None if self.process else 0

    async def wait(self):
        while await self.poll() is None:
            await asyncio.sleep(0.02)


def _serve(connection_file: str, environment: dict[str, str]) -> NoReturn:
    """Be a kernel, in a process that has just been forked."""
    try:
        os.setsid()  # so that what it starts is killed with it
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.environ.update(environment)
        tempfile.tempdir = None  # read from the environment again
        asyncio.set_event_loop(asyncio.new_event_loop())
        IPKernelApp.launch_instance(
            ["-f", connection_file],
            parent_handle=os.getppid(),  # with which it ends
            log_level=logging.ERROR,
        )
    finally:
        os._exit(1)


def _kernel_manager(scratch: Path) -> type[AsyncKernelManager]:
    """What starts a kernel of this interpreter that keeps its files in `scratch`."""
    places = ("IPYTHONDIR", "TMPDIR", "TEMP", "TMP", "JOBLIB_TEMP_FOLDER")
    # a dollar would begin the name of a variable
    env = dict.fromkeys(places, str(scratch).replace("$", "$$"))
    spec = KernelSpec(**get_kernel_dict(), env=env)

    class Manager(AsyncKernelManager):
        kernel_spec = spec

        def __init__(self, **options):
            super().__init__(**options)
            if sys.platform == "linux":  # elsewhere, libraries may not survive a fork
                self.provisioner = _ForkedKernel(kernel_spec=spec, parent=self)

    return Manager


def _execute(source: Path, record: Path, parameters: dict, scratch: Path) -> None:
    # Sums then come out the same on any number of cores, and models of this size train
    # no slower: handing pieces to threads costs what they save.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    try:
        papermill.execute_notebook(
            str(source),
            str(record),
            parameters=parameters,
            kernel_name="python3",
            kernel_manager_class=_kernel_manager(scratch),
            progress_bar=False,
            stderr_file=sys.stderr,
            # Everything is written by now; an interpreter that holds torch takes
            # seconds to tidy up before it ends.
            shutdown_kernel="immediate",
        )
    except PapermillExecutionError as error:
        raise NotebookError(
            f"{source}: cell {error.exec_count} failed with "
            f"{error.ename}: {error.evalue}\n{''.join(error.traceback[-1:])}\n"
            f"the whole record: {record}"
        ) from None


def make_reproducible(notebook: nbformat.NotebookNode, parameters: dict) -> None:
    """Remove from an executed notebook, in place, what differs from run to run.

    Clock times, paths and memory addresses are removed, and so is the error stream,
    which holds progress bars. The parameter cells are tagged for the book.

    Parameters
    ----------
    notebook : NotebookNode
    parameters : dict
        Values for the ``{name}`` placeholders of the first cell.
    """
    notebook.metadata.pop("papermill", None)
    notebook.metadata.kernelspec = {
        "display_name": "Python 3",
        "language": "python",
        "name": "python3",
    }
    for position, cell in enumerate(notebook.cells):
        cell.metadata.pop("papermill", None)
        cell.metadata.pop("execution", None)
        tags = cell.metadata.get("tags", [])
        if "injected-parameters" in tags:
            cell.id = "injected-parameters"
        if position == 0:
            cell.source = _fill(cell.source, parameters)
        if cell.cell_type == "code":
            cell.outputs = [
                _without_addresses(output)
                for output in cell.outputs
                if output.get("name") != "stderr"
            ]


def _fill(text: str, parameters: dict) -> str:
    for name, value in parameters.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _without_addresses(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    if "text" in output:
        output.text = ADDRESS.sub("", output.text)
    for kind, content in output.get("data", {}).items():
        if kind.startswith("text/") and isinstance(content, str):
            output.data[kind] = ADDRESS.sub("", content)
    return output
