"""Stale stages of a small pipeline, and what runs at the same time."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sslmepr.pipeline import fork_server
from sslmepr.pipeline.parallel import run_stages, stale_stages

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


@pytest.fixture(autouse=True)
def no_libraries(monkeypatch):
    monkeypatch.setattr(fork_server, "LIBRARIES", ())


def rewrite(**commands):
    """Give stages, or cells, other commands."""
    tree = yaml.safe_load(Path("dvc.yaml").read_text())
    for name, command in commands.items():
        if name in tree["stages"]:
            tree["stages"][name]["cmd"] = command
        else:
            tree["stages"]["cell"]["foreach"][name] = command
    Path("dvc.yaml").write_text(yaml.safe_dump(tree))


def test_stages_run_after_what_they_need_and_beside_what_they_do_not(project, capfd):
    cells = {"cell@a": {"source"}, "cell@b": {"source"}}
    needs = {"source": set()} | cells | {"chapter": set(cells)}
    assert stale_stages(["cell"]) == {"source": set()} | cells
    assert stale_stages(["chapter"]) == needs
    found = stale_stages([])
    # Those that the longest chain waits for come first.
    assert list(found) == ["source", *cells, "chapter", "lonely"]
    assert found == needs | {"lonely": set()}
    assert run_stages(found, 2) == 0
    assert Path("chapter").read_text() == "11"
    said = capfd.readouterr().out
    assert "Running stage 'cell@a'" in said and "Running stage 'cell@b'" in said
    assert stale_stages([]) == stale_stages(["chapter"]) == {}
    assert run_stages({}, 2) == 0
    # As `dvc repro` sees it, too.
    asked = subprocess.run([*project, "status", "-q"])
    assert asked.returncode == 0
    Path("a").unlink()
    assert stale_stages(["lonely"]) == {}
    assert stale_stages([]) == {"cell@a": set(), "chapter": {"cell@a"}}


def test_a_long_stage_keeps_none_waiting_that_does_not_need_it(project):
    """One that ends only when a chain of three has come to its end beside it."""
    rewrite(
        a="cp source a",
        b="cp source b",
        lonely=f"{WAIT.format(0, 'chapter')}; cp met-chapter lonely",
        chapter="cat a b > chapter; cp chapter met-chapter",
    )
    found = stale_stages([])
    first = {"lonely": found.pop("lonely")}
    assert run_stages(first | found, 2) == 0
    assert Path("lonely").read_text() == "11"


def test_nothing_runs_beside_a_stage_that_uses_all_cores(project, monkeypatch):
    monkeypatch.setattr("sslmepr.pipeline.parallel.ALONE", re.compile("lonely"))
    span = "date +%s%N > {0}; sleep 0.5; date +%s%N >> {0}"
    rewrite(**{name: span.format(name) for name in ("a", "b", "lonely", "chapter")})
    assert run_stages(stale_stages([]), 2) == 0
    times = {
        name: [int(each) for each in Path(name).read_text().split()]
        for name in ("a", "b", "lonely")
    }
    begin, end = times.pop("lonely")
    assert all(after <= begin or before >= end for before, after in times.values())


def test_a_stage_that_fails_is_told_and_one_beside_it_ends(project, capfd):
    Path("raw").unlink()
    assert run_stages({"source": set()}, 1) != 0
    Path("raw").write_text("2")
    assert run_stages({"source": set()}, 1) == 0
    rewrite(a="no-such-program", b="sleep 3; cp source b")
    assert run_stages(stale_stages(["chapter"]), 2) != 0
    assert "failed to reproduce 'cell@a'" in capfd.readouterr().out
    assert Path("b").read_text() == "2" and not Path("a").exists()
    assert list(stale_stages(["chapter"])) == ["cell@a", "chapter"]


def test_an_interrupt_waits_for_what_is_running_and_begins_nothing(
    project, monkeypatch
):
    def interrupted(*futures, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("sslmepr.pipeline.parallel.wait", interrupted)
    found = {"cell@a": set(), "cell@b": set(), "lonely": set()}
    assert run_stages({"source": set()}, 2) == 0
    with pytest.raises(KeyboardInterrupt):
        run_stages(found, 2)
    assert Path("a").exists() and Path("b").exists() and not Path("lonely").exists()
    assert stale_stages(["cell"]) == {}


def test_stages_know_of_a_fork_server_until_one_fails(project):
    rewrite(lonely=f"printenv {fork_server.SOCKET} > lonely")
    Path("raw").unlink()
    stages = {"lonely": set(), "source": {"lonely"}, "chapter": {"source"}}
    assert run_stages(stages, 1) != 0
    assert Path("lonely").read_text().endswith("/socket\n")
    assert fork_server.SOCKET not in os.environ
