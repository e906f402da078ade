import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from dvc.fs import LocalFileSystem
from dvc.rwlock import RWLockFileCorruptedError, rwlock

from sslmepr import params
from sslmepr.pipeline import fork_server, parallel, reproduce
from sslmepr.pipeline.reproduce import (
    COPY,
    IN_USE,
    LOCK,
    ReproError,
    absent_corpora,
    mend_in_use,
    mend_lock,
    targets,
)

ROOT = Path(__file__).parents[2]


def stage(number):
    """What DVC locks of a stage."""
    return {
        "cmd": f"run {number}",
        "deps": [{"path": "in", "hash": "md5", "md5": f"{number:032x}", "size": 1}],
        "params": {"params.yaml": {"seed": number, "other": None}},
        "outs": [
            {"path": f"out-{number}-{i}", "hash": "md5", "md5": "0" * 32, "size": 12}
            for i in range(2)
        ],
    }


def text_of(*numbers):
    stages = {f"stage@{number}": stage(number) for number in numbers}
    return yaml.safe_dump({"schema": "2.0", "stages": stages}, sort_keys=False)


WHOLE = text_of(1, 2, 3)
LENGTHS = sorted(
    {
        0,
        1,
        *range(0, len(WHOLE), 37),
        *(i + 1 for i, letter in enumerate(WHOLE[:-1]) if letter == "\n"),
    }
)


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.setattr(fork_server, "LIBRARIES", ())
    return tmp_path


def git(*words):
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    subprocess.run(["git", *identity, *words], check=True, capture_output=True)


@pytest.mark.parametrize("length", LENGTHS)
def test_a_lock_file_that_was_cut_is_put_back(capsys, length):
    LOCK.write_text(WHOLE)
    mend_lock()
    LOCK.write_text(WHOLE[:length])
    mend_lock()
    assert LOCK.read_text() == COPY.read_text() == WHOLE
    assert capsys.readouterr().out.count("put back from its copy") == 1


@pytest.mark.parametrize("length", LENGTHS)
def test_one_that_was_cut_while_a_stage_was_added_loses_no_other(length):
    LOCK.write_text(WHOLE)
    mend_lock()
    grown = text_of(1, 2, 3, 4)
    LOCK.write_text(grown[: len(grown) - length])
    mend_lock()
    stages = yaml.safe_load(LOCK.read_text())["stages"]
    assert {f"stage@{i}": stage(i) for i in (1, 2, 3)}.items() <= stages.items()


def test_a_lock_file_that_grew_or_changed_is_copied(capsys):
    for text in (WHOLE, text_of(1, 2, 3, 4), text_of(4, 1, 2, 3).replace("'2'", "'3'")):
        LOCK.write_text(text)
        mend_lock()
        assert LOCK.read_text() == COPY.read_text() == text
    assert capsys.readouterr().out == ""


def test_one_that_was_cut_before_there_is_a_copy_is_refused():
    LOCK.write_text("")
    with pytest.raises(ReproError, match="no copy. `git checkout dvc.lock`"):
        mend_lock()
    assert LOCK.read_text() == ""


def test_stages_lost_in_another_way_are_refused_with_both_commands():
    LOCK.write_text(WHOLE)
    mend_lock()
    LOCK.write_text(text_of(1, 3))  # cut after 1, then DVC itself added 3
    with pytest.raises(ReproError, match="lacks 1 stages .*stage@2") as caught:
        mend_lock()
    assert f"`cp {COPY} {LOCK}`" in str(caught.value)
    COPY.unlink()
    mend_lock()
    assert COPY.read_text() == text_of(1, 3)


def test_what_dvc_finished_is_taken_as_it_is():
    LOCK.write_text(WHOLE)
    mend_lock()
    LOCK.write_text(text_of(1, 2))
    mend_lock(finished=True)
    assert COPY.read_text() == text_of(1, 2)


def test_a_committed_or_removed_lock_file_is_left_alone(capsys):
    git("init")
    LOCK.write_text(text_of(1))
    git("add", str(LOCK))
    git("commit", "-m", "one stage")
    LOCK.write_text(WHOLE)
    mend_lock()
    git("checkout", str(LOCK))
    mend_lock()
    assert LOCK.read_text() == COPY.read_text() == text_of(1)
    LOCK.unlink()
    mend_lock()
    assert not LOCK.exists() and not COPY.exists()
    assert capsys.readouterr().out == ""


def test_a_full_disk_keeps_the_copy(monkeypatch):
    LOCK.write_text(WHOLE)
    mend_lock()
    LOCK.write_text("")

    def full(*paths):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("shutil.copyfile", full)
        with pytest.raises(ReproError, match="No space left on device.*free some"):
            mend_lock()
    assert COPY.read_text() == WHOLE
    mend_lock()
    assert LOCK.read_text() == WHOLE


def test_the_copy_is_renewed_while_dvc_runs(monkeypatch):
    """DVC writes a stage, then is killed in the middle of writing the next."""
    LOCK.write_text(text_of(1))
    mend_lock()
    Path("dvc.py").write_text(
        "import time, pathlib, os, signal\n"
        f"lock = pathlib.Path({str(LOCK)!r})\n"
        f"lock.write_text({text_of(1, 2)!r})\n"
        f"copy = pathlib.Path({str(COPY)!r})\n"
        "while copy.read_text() != lock.read_text(): time.sleep(0.05)\n"
        f"lock.write_text({text_of(1)!r})\n"
        "time.sleep(0.5)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    monkeypatch.setattr(reproduce, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(parallel, "stale_stages", lambda _: {"a": set(), "b": {"a"}})
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    assert reproduce._run([], 1) != 0
    mend_lock()
    assert LOCK.read_text() == text_of(1, 2)


def test_an_interrupted_dvc_is_waited_for(monkeypatch):
    Path("dvc.py").write_text(
        "import time, pathlib\ntime.sleep(0.5)\npathlib.Path('finished').touch()\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.getcwd())
    waited = []
    wait = subprocess.Popen.wait

    def interrupted(self, *rest, **options):
        waited.append(self)
        if len(waited) == 1:
            raise KeyboardInterrupt
        return wait(self, *rest, **options)

    monkeypatch.setattr(subprocess.Popen, "wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        parallel.call(["repro"])
    assert Path("finished").exists()


def in_use():
    """What DVC does before it runs a stage."""
    return rwlock(str(IN_USE.parent), LocalFileSystem(), "run", [], [], False)


@pytest.mark.parametrize("content", [b"", b'{"data/a": {"wri', b"\xff\xfe{}"])
def test_a_list_of_files_in_use_that_was_cut_is_removed(monkeypatch, capsys, content):
    monkeypatch.setattr(reproduce, "WATCH_SECONDS", 0.0)
    IN_USE.parent.mkdir(parents=True)
    IN_USE.write_bytes(content)
    with pytest.raises((RWLockFileCorruptedError, UnicodeDecodeError)), in_use():
        pass  # DVC would not start
    mend_in_use()
    assert not IN_USE.exists()
    assert str(IN_USE) in capsys.readouterr().out
    with in_use():
        pass


def test_a_whole_list_of_files_in_use_is_left_alone(monkeypatch, capsys):
    mend_in_use()
    IN_USE.parent.mkdir(parents=True)
    IN_USE.write_text('{"data/a": {"write": {"pid": 7, "cmd": "dvc"}}}')
    mend_in_use()
    assert IN_USE.exists()
    # One that another DVC is writing is whole when it is read again.
    IN_USE.write_text("")
    monkeypatch.setattr(
        reproduce.time, "sleep", lambda seconds: IN_USE.write_text("{}")
    )
    mend_in_use()
    assert IN_USE.read_text() == "{}" and not capsys.readouterr().out


def test_a_folder_without_git_is_told_to_dvc_and_taken_back(capsys):
    (Path(".dvc")).mkdir()
    Path(".dvc", "config.local").write_text("[core]\n    analytics = false\n")
    for _ in range(2):
        reproduce.without_git()
    found = subprocess.run(
        [sys.executable, "-m", "dvc", "config", "core.no_scm"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout == "true\n"
    assert capsys.readouterr().out.count("no git repository here") == 1
    git("init")
    reproduce.without_git()
    assert "no_scm" not in Path(".dvc", "config.local").read_text()
    assert "analytics = false" in Path(".dvc", "config.local").read_text()


def test_targets_are_all_stages_or_those_that_need_no_truth(settings):
    assert targets(settings) == targets(settings.for_study("trials")) == ["dvc.yaml"]
    assert targets(settings.for_study("real")) == ["book"]


def test_the_book_is_named_only_where_it_was_made(settings, monkeypatch, capsys):
    asked, status = [], 0

    def pretend(stages, jobs):
        asked.append((stages, jobs))
        return status

    monkeypatch.setattr(reproduce, "_run", pretend)
    monkeypatch.setattr(reproduce, "without_git", lambda: None)
    study = settings
    monkeypatch.setattr(params, "load", lambda: study)
    reproduce.reproduce()
    assert capsys.readouterr().out.endswith(f"The book: {Path.cwd()}/site/index.html\n")
    reproduce.reproduce(["evaluate"])
    shown = capsys.readouterr().out
    assert "The book" not in shown
    assert shown.endswith(f"The tables: {Path.cwd()}/results/simulated\n")
    assert asked == [(["dvc.yaml"], 2), (["evaluate"], 2)]
    status = 255
    with pytest.raises(ReproError, match="DVC did not finish"):
        reproduce.reproduce()
    assert "The book" not in capsys.readouterr().out


def test_an_optional_corpus_that_is_absent_is_named(settings, monkeypatch, folder):
    monkeypatch.setenv("SSLMEPR_DATA", str(folder / "corpora"))
    real = settings.for_study("real")
    (sentence,) = absent_corpora(real)
    assert sentence.startswith(
        f"corpus people_heard: no folder {folder}/corpora/../media;"
    )
    (folder / "corpora").mkdir()
    (folder / "media").mkdir()
    assert absent_corpora(real) == absent_corpora(settings) == []
