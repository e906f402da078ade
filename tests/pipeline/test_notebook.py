import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from living import PATIENCE_SECONDS, await_end

from sslmepr.pipeline import notebook


@pytest.fixture
def source(tmp_path):
    """A function that writes a notebook of a title, parameters and one code cell."""

    def write(code):
        cells = [
            nbformat.v4.new_markdown_cell("# Stage of {corpus}"),
            nbformat.v4.new_code_cell(
                "corpus = 'none'\nflag = False", metadata={"tags": ["parameters"]}
            ),
            nbformat.v4.new_code_cell(code),
        ]
        path = tmp_path / "stage.ipynb"
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        content = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(content, path)
        return path

    return write


def run(source, tmp_path, name="out.ipynb", **parameters):
    target = tmp_path / "runs" / name
    notebook.run(source, target, parameters, logs=tmp_path / "logs")
    return target


def test_same_input_gives_same_bytes(source, tmp_path):
    path = source(
        "import sys\nprint('pro' 'gress', file=sys.stderr)\nprint(object())\nobject()"
    )
    first = run(path, tmp_path, "first.ipynb", corpus="x").read_bytes()
    assert first == run(path, tmp_path, "second.ipynb", corpus="x").read_bytes()
    assert b"0x" not in first
    assert b"progress" not in first


def test_parameters_keep_their_type_and_fill_the_title(source, tmp_path):
    path = source("print(corpus, flag is True)")
    executed = nbformat.read(
        run(path, tmp_path, corpus="emotion", flag=True), as_version=4
    )
    assert executed.cells[0].source == "# Stage of emotion"
    assert executed.cells[-1].outputs[0].text == "emotion True\n"


def test_unknown_parameter_is_an_error(source, tmp_path):
    with pytest.raises(notebook.NotebookError, match="no parameter corpse; known: co"):
        run(source("1"), tmp_path, corpse="x")


def test_missing_notebook_is_named(tmp_path):
    with pytest.raises(notebook.NotebookError, match="absent.ipynb: no such notebook"):
        run(tmp_path / "absent.ipynb", tmp_path)


def test_failing_cell_is_named_and_leaves_no_output(source, tmp_path):
    path = source("raise ValueError('clip 7 has no face')")
    with pytest.raises(notebook.NotebookError, match="ValueError: clip 7 has no face"):
        run(path, tmp_path)
    assert not (tmp_path / "runs" / "out.ipynb").exists()
    assert (tmp_path / "logs" / "out.ipynb").exists()


def test_the_kernel_is_this_interpreter(source, tmp_path, monkeypatch):
    """Whatever another environment has installed as the kernel of this name."""
    spec = {"argv": ["/bin/false"], "display_name": "other", "language": "python"}
    folder = tmp_path / "jupyter" / "kernels" / "python3"
    folder.mkdir(parents=True)
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    executed = nbformat.read(
        run(source("import sys\nprint(sys.executable)"), tmp_path), as_version=4
    )
    assert executed.cells[-1].outputs[0].text == f"{sys.executable}\n"


def test_no_temporary_file_is_left(source, tmp_path, monkeypatch):
    """The kernel is killed, so nothing in it tidies up; a dollar is no variable."""
    temporary = tmp_path / "a $HOME"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    code = "import tempfile\nprint(tempfile.mkdtemp(), tempfile.mkstemp()[1])"
    executed = nbformat.read(run(source(code), tmp_path), as_version=4)
    first, second = (
        executed.cells[-1].outputs[0].text.split(f"{temporary}/sslmepr-")[1:]
    )
    assert first.split("/")[0] == second.split("/")[0]
    assert not list(temporary.iterdir())


def test_the_kernel_ends_with_the_program(source, tmp_path):
    path = source(
        "import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path / 'part')!r}).write_text(str(os.getpid()))\n"
        f"os.replace({str(tmp_path / 'part')!r}, {str(tmp_path / 'pid')!r})\n"
        "time.sleep(600)"
    )
    program = (
        "from pathlib import Path; from sslmepr.pipeline import notebook; "
        f"notebook.run(Path({str(path)!r}), Path('out.ipynb'), {{}})"
    )
    root = Path(__file__).resolve().parents[2]
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(root), "TMPDIR": str(tmp_path)},
    )
    ends = time.monotonic() + PATIENCE_SECONDS
    while not (tmp_path / "pid").exists() and time.monotonic() < ends:
        time.sleep(0.1)
    kernel = psutil.Process(int((tmp_path / "pid").read_text()))
    parent.kill()
    parent.wait()
    await_end([kernel])
