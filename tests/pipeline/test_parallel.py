"""Generations of a small pipeline, and what runs at the same time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sslmepr.pipeline import fork_server
from sslmepr.pipeline.parallel import (
    run_generation,
    run_generations,
    stale_generations,
)

# Both cells wait for each other, so they end only if they run at the same time.
WAIT = "for i in $(seq 3000); do [ -e met-{1} ] && break; sleep 0.1; done"
MEET = f"touch met-{{0}}; {WAIT}"


def stage(cmd, out, *deps):
    return {"cmd": cmd, "deps": list(deps), "outs": [out]}


@pytest.fixture
def project(tmp_path, monkeypatch):
    """source -> cell@a, cell@b -> chapter; and lonely, which nobody needs."""
    monkeypatch.chdir(tmp_path)
    Path("raw").write_text("1")
    cells = {
        name: f"{MEET.format(name, other)}; [ -e met-{other} ] && cp source {name}"
        for name, other in (("a", "b"), ("b", "a"))
    }
    stages = {
        "source": stage("cp raw source", "source", "raw"),
        "cell": {
            "foreach": cells,
            "do": stage("${item}", "${key}", "source"),
        },
        "chapter": stage("cat a b > chapter", "chapter", "a", "b"),
        "lonely": stage("touch lonely", "lonely"),
    }
    Path("dvc.yaml").write_text(yaml.safe_dump({"stages": stages}))
    dvc = [sys.executable, "-m", "dvc"]
    subprocess.run([*dvc, "init", "--no-scm", "-q"], check=True)
    return dvc


def test_stages_run_after_what_they_need_and_beside_what_they_do_not(project, capfd):
    assert stale_generations(["chapter"]) == [
        ["source"],
        ["cell@a", "cell@b"],
        ["chapter"],
    ]
    assert stale_generations(["cell"])[1:] == [["cell@a", "cell@b"]]
    first = stale_generations([])
    assert first == [["lonely", "source"], ["cell@a", "cell@b"], ["chapter"]]
    for generation in first:
        assert run_generation(generation, 2) == 0
    assert Path("chapter").read_text() == "11"
    said = capfd.readouterr().out
    assert "Running stage 'cell@a'" in said and "Running stage 'cell@b'" in said
    assert stale_generations([]) == stale_generations(["chapter"]) == []
    # As `dvc repro` sees it, too.
    asked = subprocess.run([*project, "status", "-q"])
    assert asked.returncode == 0
    Path("a").unlink()
    assert stale_generations(["lonely"]) == []
    assert stale_generations([]) == [["cell@a"], ["chapter"]]


def test_a_stage_that_fails_is_told_and_the_others_end(project, capfd):
    Path("raw").unlink()
    assert run_generation(["source"], 1) != 0
    Path("raw").write_text("2")
    assert run_generation(["source"], 1) == 0
    stages = yaml.safe_load(Path("dvc.yaml").read_text())
    stages["stages"]["cell"]["foreach"] = {"a": "no-such-program", "b": "cp source b"}
    Path("dvc.yaml").write_text(yaml.safe_dump(stages))
    assert run_generation(["cell@a", "cell@b"], 2) != 0
    assert "failed to reproduce 'cell@a'" in capfd.readouterr().out
    assert Path("b").read_text() == "2" and not Path("a").exists()


def test_stages_know_of_a_fork_server_until_one_fails(project, monkeypatch):
    monkeypatch.setattr(fork_server, "LIBRARIES", ())
    stages = yaml.safe_load(Path("dvc.yaml").read_text())
    stages["stages"]["lonely"]["cmd"] = f"printenv {fork_server.SOCKET} > lonely"
    Path("dvc.yaml").write_text(yaml.safe_dump(stages))
    Path("raw").unlink()
    assert run_generations([["lonely"], ["source"], ["chapter"]], 1) != 0
    assert Path("lonely").read_text().endswith("/socket\n")
    assert fork_server.SOCKET not in os.environ
    assert run_generations([], 1) == 0
