"""The real ``dvc.yaml``, at the size of ``study: tiny``, in a clone of its own."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from nbclient import NotebookClient

from sslmepr import project

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.end_to_end


def call(folder, *words):
    """Run a command with this interpreter's programs; returns what it printed."""
    scripts = Path(sys.executable).parent
    path = f"{scripts}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        words,
        cwd=folder,
        env=os.environ | {"PATH": path, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout[-8000:]}{done.stderr[-8000:]}"
    return done.stdout


def written(folder):
    """Every metric and table of the study, byte for byte."""
    results = folder / "results" / "tiny"
    return {
        path.relative_to(results): path.read_bytes()
        for path in sorted(results.rglob("*"))
        if path.is_file()
    }


def copy(folder):
    """A repository with the files of this one, but for the lock file."""
    for name in call(ROOT, "git", "ls-files", "-co", "--exclude-standard").splitlines():
        if (ROOT / name).is_file() and name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@example.org")
    call(folder, "git", "init", "--quiet")
    call(folder, "git", "add", "--all")
    call(folder, *git, "commit", "--quiet", "--message", "clone")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A repository with the files of this one, the tiny study run in it once."""
    folder = tmp_path_factory.mktemp("clone")
    copy(folder)
    options = call(folder, "sslmepr", "study", "tiny").split()
    call(folder, "dvc", "exp", "run", *options)
    return folder


def test_the_book_is_built_from_the_results(clone):
    assert (clone / "site" / "index.html").exists()
    summary = json.loads((clone / "results/tiny/evaluate/summary.json").read_text())
    assert 0 <= summary["held_out"]["multitask"]["mWACC"]["estimate"] <= 1


def test_every_clip_was_extracted_or_is_recorded_as_missing(clone):
    for corpus in ("tiny_emotion", "tiny_personality", "tiny_joint"):
        folder = clone / "data" / corpus
        clips = pd.read_parquet(folder / "corpus" / "clips.parquet")
        missing = pd.read_csv(folder / "features" / "missing.csv")
        for modality in ("face", "text"):
            found = pd.read_parquet(folder / "features" / f"{modality}.parquet")
            lost = missing.loc[missing.modality == modality, "clip_id"]
            assert set(found.clip_id) | set(lost) == set(clips.clip_id)


def test_a_second_run_does_nothing_and_a_forced_one_changes_nothing(clone):
    before = written(clone)
    assert before
    assert "Running stage" not in call(clone, "dvc", "repro")
    assert "up to date" in call(clone, "dvc", "status")
    again = (
        "unimodal",
        "crosstask",
        "fusion",
        "search",
        "evaluate",
        "association",
        "ablation",
    )
    call(clone, "dvc", "repro", "--force", "--single-item", *again)
    assert written(clone) == before


@pytest.mark.parametrize("name", ["association", "attention"])
def test_a_notebook_runs_where_it_lies(clone, name, monkeypatch):
    """As JupyterLab runs it: from the notebook's own folder, and by no stage."""
    before = written(clone)
    monkeypatch.delenv(project.STAGE, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(clone))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    notebooks = clone / "notebooks"
    notebook = nbformat.read(notebooks / f"{name}.ipynb", as_version=4)
    place = {"metadata": {"path": str(notebooks)}}
    NotebookClient(notebook, kernel_name="python3", resources=place).execute()
    by_hand = project.BY_HAND / "results" / "tiny" / name
    told = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stdout"
    ]
    assert str(clone / project.BY_HAND) in told[0]
    assert written(clone) == before
    assert "up to date" in call(clone, "dvc", "status")
    for path in (clone / by_hand).iterdir():
        assert path.read_bytes() == before[Path(name, path.name)]
    assert len(list((clone / by_hand).iterdir())) > 0
