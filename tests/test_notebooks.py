"""Rules for the notebook sources."""

import ast
from pathlib import Path

import nbformat
import pandas as pd
import pytest

from sslmepr.report.choice import choose, with_effect

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
TRAINING = {
    "corpus",
    "extract",
    "unimodal",
    "crosstask",
    "fusion",
    "replicate",
    "folds",
}


def code_cells(path):
    cells = nbformat.read(path, as_version=4).cells
    return [cell for cell in cells if cell.cell_type == "code"]


def test_there_are_notebooks():
    assert {path.stem for path in NOTEBOOKS} >= TRAINING


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_sources_carry_no_outputs(path):
    for cell in code_cells(path):
        assert not cell.outputs
        assert cell.execution_count is None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebooks_call_the_library_and_define_nothing(path):
    for cell in code_cells(path):
        names = {type(node).__name__ for node in ast.walk(ast.parse(cell.source))}
        assert not names & {"FunctionDef", "ClassDef", "While"}, cell.source
        assert len(cell.source.splitlines()) <= 20, cell.source


def test_associations_are_all_shown_by_default(settings):
    """What the chapter's parameters are checked with takes them as they are."""
    (cell,) = (
        cell
        for cell in code_cells(ROOT / "notebooks" / "association.ipynb")
        if "parameters" in cell.metadata.get("tags", [])
    )
    given = {}
    exec(cell.source, given)
    names = ("emotions", "traits", "corpora", "levels")
    clips = pd.DataFrame({"corpus": ["joint"], "part": ["joint"]})
    chosen = choose(settings, clips, **{name: given[name] for name in names})
    assert chosen == choose(settings, clips)
    assert with_effect(settings, given["smallest_effect"]) is settings
    assert given["variant"] in settings.variants


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_first_cell_is_a_title(path):
    first = nbformat.read(path, as_version=4).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
