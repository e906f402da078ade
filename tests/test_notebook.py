import nbformat
import pytest

from sslmepr import notebook


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
