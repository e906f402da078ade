import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from sslmepr.files import MARK, atomic, own_folder

# A table that grows beyond what the file system (here the process) allows.
FULL_DISK = """
import resource, sys
import pandas as pd
from sslmepr.files import atomic
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
with atomic(sys.argv[1]) as part:
    pd.DataFrame({"x": range(100_000)}).to_csv(part)
"""
KILLED = """
import os, sys
from sslmepr.files import atomic
with atomic(sys.argv[1]) as part:
    part.write_text("half")
    os._exit(9)
"""


def run(code: str, path: Path):
    return subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True
    )


@pytest.mark.parametrize("before", [None, "old"])
def test_a_file_appears_whole_and_alone(tmp_path, before):
    path = tmp_path / "é.csv"
    if before:
        path.write_text(before)
    with atomic(path) as part:
        assert part.parent == tmp_path and part.suffix == ".csv"
        part.write_text("new")
        assert (path.read_text() if path.exists() else None) == before
    assert path.read_text() == "new" and os.listdir(tmp_path) == ["é.csv"]


def test_others_may_read_it_as_any_new_file(tmp_path):
    plain, path = tmp_path / "plain", tmp_path / "a.safetensors"
    plain.touch()
    with atomic(path) as part:
        save_file({"x": np.zeros(2)}, part)
        part.chmod(0o600)
    assert path.stat().st_mode == plain.stat().st_mode


def test_it_may_wait_in_another_folder(tmp_path):
    (tmp_path / "work").mkdir()
    with atomic(tmp_path / "x", tmp_path / "work") as part:
        assert part.parent == tmp_path / "work"
        part.write_text("new")
    assert (tmp_path / "x").read_text() == "new"
    assert not list((tmp_path / "work").iterdir())


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="full"), atomic(path) as part:
        part.write_text("half")
        raise OSError("full")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["x.csv"]
    with pytest.raises(FileNotFoundError), atomic(path):
        pass  # nothing was written
    assert path.read_text() == "old"


def test_a_full_disk_leaves_what_was_there(tmp_path):
    pytest.importorskip("resource")
    path = tmp_path / "x.csv"
    done = run(FULL_DISK, path)
    assert done.returncode == 1 and "File too large" in done.stderr
    assert not list(tmp_path.iterdir())
    path.write_text("old")
    assert run(FULL_DISK, path).returncode == 1
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["x.csv"]


def test_a_kill_leaves_what_was_there(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("old")
    assert run(KILLED, path).returncode == 9
    assert path.read_text() == "old"
    with atomic(path) as part:
        part.write_text("new")
    assert path.read_text() == "new"


def test_a_folder_of_ours_is_known_again(tmp_path):
    own_folder(tmp_path / "a" / "b")
    assert os.listdir(tmp_path / "a" / "b") == [MARK]
    own_folder(tmp_path / "a" / "b")


@pytest.mark.parametrize("kind", ["full", "empty", "file", "link"])
def test_what_is_not_ours_is_refused_and_kept(tmp_path, kind):
    path = tmp_path / "mine"
    if kind == "file":
        path.write_text("x")
    elif kind == "link":
        own_folder(tmp_path / "elsewhere")
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
        if kind == "full":
            (path / "notes.txt").write_text("x")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(FileExistsError, match="mine: is in the way.*move it away"):
        own_folder(path)
    assert sorted(tmp_path.rglob("*")) == before
