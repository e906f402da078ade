"""The real ``dvc.yaml``, at the size of ``study: tiny``, in a clone of its own."""

import contextlib
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pandas as pd
import pytest
import yaml
from bs4 import BeautifulSoup
from built_site import complaints
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from tiny_trials import TRIALS

from sslmepr import project
from sslmepr.report import words

ROOT = Path(__file__).parents[1]

RUNNER = (
    "sslmepr/__init__.py",  # holds the version
    "sslmepr/__main__.py",
    "sslmepr/pipeline/fork_server.py",
    "sslmepr/pipeline/notebook.py",
    "sslmepr/pipeline/studies.py",
    "sslmepr/params",  # loaded whole; test_pipeline.py says what of it a stage needs
)
"""Executes a notebook, and has no part in what comes out."""

SHOWN = (
    "corpus",
    "extract",
    "unimodal",
    "crosstask",
    "stacking",
    "fusion",
    "replicate",
    "evaluate_replicate",
    "folds",
    "blocks",
    "collapse",
    "curves",
    "doses",
    "observers",
    "power",
    "search",
    "timing",
)
"""Stages whose notebook draws figures of what was computed; what draws them
(`DRAWING`) is no dependency, since another colour must not train anew."""

DRAWING = (
    "sslmepr/report",
    "sslmepr/association",
    "sslmepr/evaluation",
    "sslmepr/statistics/cluster_bootstrap.py",
    "sslmepr/statistics/verdicts.py",
)

TRIED = "notebooks/trials/dvc.yaml"

LEARNING = ("unimodal", "crosstask", "stacking", "fusion", "replicate", "search")

NO_RESULT = {"compute"}
"""Sections that say where to compute and not what."""

ELSEWHERE = {
    "replicate": {"roles", "variants"},  # those of its entry in `replicates`
    "evaluate_replicate": {"roles", "variants"},
    "trials": {"studies"},  # those of the study `trials`, in studies.yaml
    "book": {"studies"},  # those of the study that is confirmed
} | dict.fromkeys(TRIALS, {"simulation", "fusion"})  # that they exist is checked
"""Sections that a stage reads, but not from ``params.yaml`` as it is."""

pytestmark = pytest.mark.end_to_end


def environment(folder):
    """In which a command finds this interpreter's programs and the folder's library."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # Above a temporary folder lies nobody's repository.
    return os.environ | {
        "GIT_CEILING_DIRECTORIES": str(folder.parent),
        "PATH": path,
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT / 'tests' / 'audit'}",
        "AUDIT_FOLDER": str(audit_folder(folder)),
    }


def call(folder, *words):
    """Run a command; returns what it printed."""
    done = subprocess.run(
        words, cwd=folder, env=environment(folder), capture_output=True, text=True
    )
    assert done.returncode == 0, f"{words}\n{done.stdout[-8000:]}{done.stderr[-8000:]}"
    return done.stdout + done.stderr


def audit_folder(folder):
    """Where what stages of a clone read is written down (`tests/audit`)."""
    target = folder.with_name(f"{folder.name}-audit")
    target.mkdir(exist_ok=True)
    return target


def written(folder, *parts):
    """Every file below folders of a clone, byte for byte."""
    return {
        path.relative_to(folder): path.read_bytes()
        for part in parts
        for path in sorted((folder / part).rglob("*"))
        if path.is_file()
    }


def locked(folder):
    """What DVC noted of each stage, but for hash and size of Optuna's journal."""
    stages = {}
    for name in ("dvc.lock", TRIED.replace("yaml", "lock")):
        text = (folder / name).read_text()
        stages |= yaml.load(text, yaml.CSafeLoader)["stages"]
    for stage in stages.values():
        for out in stage["outs"]:
            if out["path"].startswith("runs/tiny/search/"):
                del out["md5"], out["size"]
    return stages


def copy(folder):
    """A repository with the files of this one, but for what lock files tell."""
    for name in call(ROOT, "git", "ls-files", "-co", "--exclude-standard").splitlines():
        if (ROOT / name).is_file() and Path(name).name != "dvc.lock":
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / TRIED).with_name("params.yaml").write_text(yaml.safe_dump(TRIALS))
    none = yaml.safe_dump({"schema": "2.0", "stages": {}})
    (folder / TRIED).with_name("dvc.lock").write_text(none)  # a chapter reads it
    git = ("git", "-c", "user.name=test", "-c", "user.email=test@example.org")
    call(folder, "git", "init", "--quiet")
    call(folder, "git", "add", "--all")
    call(folder, *git, "commit", "--quiet", "--message", "clone")


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """A repository with the files of this one, the tiny study run in it once."""
    folder = tmp_path_factory.mktemp("clone")
    copy(folder)
    said = call(folder, "sslmepr", "repro", "tiny")
    assert "No file hash info" not in said
    assert f"The book: {folder}/site/index.html" in said
    assert "notebooks/trials/" not in said
    assert "up to date" in call(folder, "dvc", "status", "dvc.yaml")
    call(folder, "sslmepr", "repro", "--only", TRIED)
    call(folder, "sslmepr", "repro", "tiny")  # a chapter tells on which code trials ran
    return folder


def test_the_book_is_built_from_the_results(clone):
    assert (clone / "site" / "index.html").exists()
    summary = json.loads((clone / "results/tiny/evaluate/summary.json").read_text())
    assert 0 <= summary["held_out"]["fusion"]["multitask"]["mWACC"]["estimate"] <= 1


def test_nothing_of_the_book_is_too_heavy_or_leads_nowhere(clone):
    assert complaints(clone / "site") == []


def test_readers_find_and_can_read_every_chapter(clone):
    import site_in_browser

    # All of them are read where the book of the repository is built (test_site.py).
    names = ("association", "confirmation", "evaluate", "exercises", "explorer")
    names += ("gallery", "overview", "tour", "your-own-data")
    site_in_browser.require_readable(clone / "site", names, right=16)


def test_tables_of_chapters_have_no_internal_names(clone):
    internal = {name for name in words.WORDS.keys() | words.PLAIN if "_" in name}
    for page in (clone / "site" / "chapters").glob("*.html"):
        text = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
        heads = [head.text for head in text.select("table.dataframe th")]
        cells = {cell.text for cell in text.select("table.dataframe td")}
        assert [head for head in heads if "_" in head] == [], page
        assert cells & internal == set(), page


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
    before = written(clone, "results/tiny")
    assert before
    assert "Running stage" not in call(clone, "sslmepr", "repro", "tiny")
    assert "up to date" in call(clone, "dvc", "status")
    again = (
        "unimodal",
        "crosstask",
        "stacking",
        "fusion",
        f"{TRIED}:search",
        "evaluate",
        "association",
        "ablation",
    )
    call(clone, "dvc", "repro", "--force", "--single-item", *again)
    assert written(clone, "results/tiny") == before
    call(clone, "sslmepr", "repro", "tiny")  # the trial's journal, so its lock, is new
    assert written(clone, "results/tiny") == before


def kill(process):
    """Kill a process and all that it has started, and wait until they are gone.

    DVC takes a file for busy as long as the process that had it is still known.
    """
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    with contextlib.suppress(ProcessLookupError):
        while True:
            os.killpg(process.pid, 0)
            time.sleep(0.05)


def test_kills_at_random_moments_change_nothing(clone, tmp_path_factory, pytestconfig):
    """In an unpacked archive, which is no git repository."""
    if not pytestconfig.getoption("kills"):
        pytest.skip("kills take minutes: `pytest tests/test_end_to_end.py --kills 20`")
    folder = tmp_path_factory.mktemp("killed")
    call(clone, "git", "archive", "--output", folder / "clone.tar", "HEAD")
    shutil.unpack_archive(folder / "clone.tar", folder)
    moments = random.Random(pytestconfig.getoption("kills"))
    for _ in range(pytestconfig.getoption("kills")):
        process = subprocess.Popen(
            ("sslmepr", "repro", "tiny"),
            cwd=folder,
            env=environment(folder),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        time.sleep(moments.uniform(3, 40))
        kill(process)
    said = call(folder, "sslmepr", "repro", "tiny")
    assert f"The book: {folder}/site/index.html" in said
    call(folder, "sslmepr", "repro", "--only", TRIED)
    assert locked(folder) == locked(clone)
    found, expected = (
        written(each, "results/tiny", "runs/tiny", "data") for each in (folder, clone)
    )
    assert found.keys() == expected.keys()
    # Optuna's journal holds the time and a random name of the process.
    assert {path for path in found if found[path] != expected[path]} <= {
        Path("runs/tiny/search/fusion/journal.log")
    }


def test_dvc_knows_whatever_a_stage_reads(clone):
    """Files and parameters that a notebook read are among ``deps`` and ``params``."""
    stages, unknown = locked(clone), []
    for name, stage in stages.items():
        words = stage["cmd"].split()
        out = words[words.index("--out") + 1] if "--out" in words else "book"
        log = audit_folder(clone) / hashlib.md5(out.encode()).hexdigest()
        lines = log.read_text().splitlines()
        kind = name.partition("@")[0]
        paths = [each["path"] for each in (*stage["deps"], *stage["outs"])]
        paths += RUNNER + ("params.yaml", "studies.yaml", "dvc.yaml", "build")
        paths += ("notebooks/trials/params.yaml",) if kind in TRIALS else ()
        paths += DRAWING if kind in SHOWN else ()
        # Its own output in study `real`, for which results/real/evaluate stands.
        own = kind in ("association", "ablation")
        paths += (f"results/real/{kind}",) if own else ()
        # Cells that a trial has finished, which it takes up again.
        paths += (f"runs/tiny/{kind}",) if kind in ("curves", "doses") else ()
        known = {
            key.partition(".")[0]
            for keys in stage.get("params", {}).values()
            for key in keys
        } | NO_RESULT
        known |= ELSEWHERE.get(kind, set())
        for what in (line.removeprefix("file ") for line in lines):
            # Compiled modules stand for their source.
            path = re.sub(r"__pycache__/(\w+)\..*", r"\1.py", what)
            if what.startswith("section "):
                section = what.removeprefix("section ")
                unknown += [(name, section)] if section not in known else []
            elif Path(path).name == "__init__.py":
                continue  # says what a room is for; what it exports lies beside it
            elif (clone / path).is_file() and (clone / path).stat().st_size:
                if not any(Path(path).is_relative_to(each) for each in paths):
                    unknown.append((name, path))
    assert not unknown


@pytest.mark.parametrize(
    "changed",
    [
        "params/analysis.py",
        "evaluation/scores.py",
        "evaluation/metrics.py",
        "association/correlation.py",
        "explanation/cases.py",
        "report/tables.py",
        "statistics/cluster_bootstrap.py",
        "trials/drawn.py",
    ],
)
def test_what_measures_explains_or_shows_is_no_reason_to_train(clone, changed):
    path = clone / "sslmepr" / changed
    before = path.read_bytes()
    path.write_bytes(before + b"# Another line.\n")
    try:
        status = json.loads(call(clone, "dvc", "status", "--json"))
    finally:
        path.write_bytes(before)
    stages = {name.partition("@")[0] for name in status if TRIED not in name}
    assert "book" in stages
    assert not stages & {*LEARNING, "corpus", "extract"}


def run_by_hand(clone, name, parameters=""):
    """Run a notebook as JupyterLab does, with lines added to its parameters."""
    notebooks = clone / "notebooks"
    notebook = nbformat.read(notebooks / f"{name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source += f"\n{parameters}"
    place = {"metadata": {"path": str(notebooks)}}
    NotebookClient(notebook, kernel_name="python3", resources=place).execute()
    return notebook


@pytest.fixture
def by_hand(clone, monkeypatch):
    monkeypatch.delenv(project.STAGE, raising=False)
    monkeypatch.setenv("PYTHONPATH", str(clone))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.parametrize("name", ["association", "attention"])
def test_a_notebook_runs_where_it_lies(clone, name, by_hand):
    """As JupyterLab runs it: from the notebook's own folder, and by no stage."""
    before = written(clone, "results/tiny")
    notebook = run_by_hand(clone, name)
    folder = clone / project.BY_HAND / "results" / "tiny" / name
    told = [
        output.text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stdout"
    ]
    assert str(clone / project.BY_HAND) in told[0]
    assert written(clone, "results/tiny") == before
    assert "up to date" in call(clone, "dvc", "status")
    for path in folder.iterdir():
        assert path.read_bytes() == before[Path("results/tiny", name, path.name)]
    assert len(list(folder.iterdir())) > 0


def test_associations_that_are_asked_for_are_shown_alone(clone, by_hand):
    """Files have all of them, with verdicts by the smallest effect that was chosen."""
    asked = 'emotions = ["happiness"]; traits = ["openness"]; smallest_effect = 0.99'
    notebook = run_by_hand(clone, "association", f'{asked}; levels = ["clip"]')
    shown = " ".join(
        BeautifulSoup(output.data["text/html"], "html.parser").text
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "text/html" in output.get("data", {})
    )
    assert "Happiness" in shown and "Surprise" not in shown and "Between" not in shown
    folder = Path("results/tiny/association")
    mine = pd.read_csv(clone / project.BY_HAND / folder / "cross_source.csv")
    recorded = pd.read_csv(clone / folder / "cross_source.csv")
    pd.testing.assert_series_equal(mine["r"], recorded["r"])
    for wrong, message in {
        'emotions = ["joy"]': "emotions: 'joy' is none of anger",
        'variant = "best"': "variant: there is no fusion model 'best'",
    }.items():
        with pytest.raises(CellExecutionError, match=message):
            run_by_hand(clone, "association", wrong)
