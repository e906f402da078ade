"""What is frozen, and what follows from it."""

import json
import subprocess
import sys
from hashlib import sha256

import pytest
from frozen_repository import make_repository

from sslmepr.confirmation import frozen
from sslmepr.confirmation.frozen import (
    FILES,
    SHOWS,
    FrozenError,
    fingerprint,
    frozen_files,
    require_committed,
    seed_of,
    settings_of,
)


@pytest.fixture
def folder(tmp_path):
    make_repository(tmp_path)
    return tmp_path


def test_the_fingerprint_is_the_hash_of_files_and_settings(folder, settings):
    counted = ["sslmepr/inner/two.py", "sslmepr/one.py", *map(str, FILES)]
    lines = [
        f"{name} {sha256((folder / name).read_bytes()).hexdigest()}\n"
        for name in sorted(counted)
    ]
    tree = settings_of(settings.for_study("simulated"))
    text = "".join(lines) + json.dumps(tree, sort_keys=True)
    assert fingerprint(settings, folder) == sha256(text.encode()).hexdigest()
    assert [path.as_posix() for path in frozen_files(folder)] == sorted(counted)


@pytest.mark.parametrize("name", ["sslmepr/one.py", *map(str, FILES)])
def test_it_changes_with_every_file_that_counts(folder, settings, name):
    before = fingerprint(settings, folder)
    with (folder / name).open("a") as file:
        file.write("# more\n")
    assert fingerprint(settings, folder) != before


def test_it_changes_with_a_new_or_renamed_module(folder, settings):
    before = fingerprint(settings, folder)
    (folder / "sslmepr/one.py").rename(folder / "sslmepr/uno.py")
    renamed = fingerprint(settings, folder)
    (folder / "sslmepr/three.py").write_text("three = 3\n")
    assert len({before, renamed, fingerprint(settings, folder)}) == 3


def test_what_only_shows_is_not_part_of_it(folder, settings):
    before = fingerprint(settings, folder)
    for name in ("sslmepr/report/shown.py", "sslmepr/__main__.py"):
        (folder / name).write_text("other = 5\n")
    (folder / "README.md").write_text("# Read me\n")
    assert fingerprint(settings, folder) == before


@pytest.mark.parametrize(
    ("key", "value", "counts"),
    [
        ("simulation.seed", 1, True),
        ("simulation.emotion_threshold", 0.9, True),
        ("corpus.joint.clips", 301, True),
        ("association.alpha", 0.01, True),
        ("fusion.learning_rate", 0.5, True),
        ("evaluate.confidence", 0.9, True),
        ("corpus.tiny_joint.clips", 13, False),
        ("compute.workers", 7, False),
        ("evaluate.shown", "dev", False),
        ("attention.clips", 9, False),
    ],
)
def test_parameters_count_where_a_number_depends_on_them(
    folder, settings, key, value, counts
):
    changed = settings.changed({key: value}, "test")
    assert (fingerprint(changed, folder) != fingerprint(settings, folder)) == counts


def test_every_study_has_the_fingerprint_of_the_first(folder, settings):
    other = settings.for_study("real")
    assert fingerprint(other, folder) == fingerprint(settings, folder)


def test_an_absent_file_has_no_fingerprint(folder, settings):
    (folder / FILES[0]).unlink()
    with pytest.raises(FileNotFoundError, match=FILES[0].name):
        fingerprint(settings, folder)


def test_the_seed_is_the_beginning_of_the_hash():
    assert seed_of("0000000a" + "f" * 56) == 10
    assert seed_of("f" * 64) == 2**32 - 1


def test_nothing_that_only_shows_has_a_part_in_a_confirmation():
    """Whatever it imports is among the files whose content counts."""
    code = "import sys, sslmepr.confirmation.confirm; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = [name.split(".") for name in done.stdout.split()]
    mine = {parts[1] for parts in loaded if parts[0] == "sslmepr" and len(parts) > 1}
    assert {"association", "simulation", "trials"} <= mine
    assert not mine & {name.removesuffix(".py") for name in SHOWS}


def test_a_clean_tree_is_named_by_its_commit(tmp_path):
    commit = make_repository(tmp_path)
    assert require_committed(tmp_path) == commit[:12]


@pytest.mark.parametrize("name", ["sslmepr/one.py", "params.yaml", "studies.yaml"])
def test_a_change_that_is_not_committed_is_refused(folder, name):
    with (folder / name).open("a") as file:
        file.write("# more\n")
    with pytest.raises(FrozenError, match=f"(?s)commit or undo first.*{name}"):
        require_committed(folder)


def test_a_new_module_is_refused_and_other_changes_are_not(folder):
    (folder / "sslmepr/report/shown.py").write_text("other = 5\n")
    (folder / "README.md").write_text("# Read me\n")
    require_committed(folder)
    (folder / "sslmepr/three.py").write_text("three = 3\n")
    with pytest.raises(FrozenError, match=r"three\.py"):
        require_committed(folder)


def test_without_git_there_is_no_confirmation(tmp_path, monkeypatch):
    with pytest.raises(FrozenError, match="not a git repository"):
        frozen.git(tmp_path, "status")
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FrozenError, match="needs git"):
        frozen.git(tmp_path, "status")
