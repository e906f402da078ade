import errno
import os
import stat

import pytest

from sslmepr.app import desk as module
from sslmepr.app.desk import MOST_AGE_SECONDS, Desk
from sslmepr.app.intake import AppError, Cancelled
from sslmepr.app.worker import Event, Unexpected

MP4 = b"\0\0\0\x18ftypisom" + bytes(100)
QUESTION = {"start": "", "end": "", "words": "", "variant": "multitask"}


class Pretended:
    """A worker that notes what it is asked."""

    most_seconds = 90.0

    def __init__(self, fails=None):
        self.asked, self.fails, self.stopped, self.steps = [], fails, 0, []

    def ask(self, question):
        self.asked.append(question)
        yield Event("running", None, 0.1)
        yield from (Event("step", each, 0.15) for each in self.steps)
        if self.fails:
            raise self.fails
        yield Event("done", {"sections": [], "files": {"scores.csv": "YQ=="}}, 0.2)

    def stop(self):
        self.stopped += 1


@pytest.fixture
def desk(tmp_path, settings):
    for name in ("uploads", "tmp"):
        (tmp_path / name).mkdir()
    made = Desk(tmp_path, settings, ["multitask"], tmp_path)
    made.worker = Pretended()
    return made


def upload(desk, place="abc", name="Some One.MP4"):
    """As Gradio does it: the folder is named after the content."""
    path = desk.uploads / place / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(MP4)
    return path


def files(desk):
    return sorted(p.name for p in desk.folder.rglob("*") if p.is_file())


def test_the_worker_sees_no_name_and_its_folder_goes(desk):
    path = upload(desk)
    asking = desk.ask("page", path, dict(QUESTION))
    next(asking)
    (question,) = desk.worker.asked
    assert question["path"].endswith("/recording.mp4")
    assert "Some One" not in str(question)
    (work,) = (desk.folder / "tmp").iterdir()
    assert stat.S_IMODE(work.stat().st_mode) == 0o700
    assert [each.kind for each in asking] == ["done"]
    assert not work.exists() and desk.session("page").result["sections"] == []


@pytest.mark.parametrize("error", [AppError("No."), Unexpected("E at x.py:1")])
def test_what_fails_leaves_no_folder(desk, capsys, error):
    desk.worker.fails = error
    with pytest.raises(AppError) as caught:
        list(desk.ask("page", upload(desk), dict(QUESTION)))
    assert list((desk.folder / "tmp").iterdir()) == []
    said = capsys.readouterr().out
    if isinstance(error, Unexpected):
        number = said.split()[2].rstrip(":")
        assert said == f"sslmepr: error {number}: E at x.py:1\n"
        assert number in str(caught.value) and "x.py" not in str(caught.value)
    else:
        assert said == "" and str(caught.value) == "No."


def test_what_is_asked_is_checked_again(desk):
    path = upload(desk)
    for changes, message in (
        ({"variant": "../x"}, "no such variant"),
        ({"start": "x"}, "must be a number"),
    ):
        with pytest.raises(AppError, match=message):
            list(desk.ask("page", path, QUESTION | changes))
    assert desk.worker.asked == []


def test_only_uploads_are_recordings(desk, tmp_path):
    assert desk.take("page", "video", [None]) == []
    outside = [tmp_path / "params.yaml", desk.uploads / ".." / "x", "/etc/passwd"]
    link = desk.uploads / "link"
    link.symlink_to("/etc")
    loose = desk.uploads / "loose.mp4"  # removed with its folder, it would take all
    loose.write_bytes(MP4)
    deep = upload(desk, "abc", "a").parent / "deep" / "b"
    deep.parent.mkdir()
    deep.write_bytes(MP4)
    inside = [desk.uploads, desk.uploads / "abc", loose, deep, desk.uploads / "x" / "y"]
    for path in [*outside, *inside, link / "passwd"]:
        with pytest.raises(AppError, match="no longer there"):
            desk.take("page", "video", [str(path)])


def test_the_folder_is_bounded(desk, monkeypatch):
    path = upload(desk)
    monkeypatch.setattr(module, "MOST_FOLDER_BYTES", len(MP4) - 1)
    with pytest.raises(AppError, match="no room left"):
        list(desk.ask("page", path, dict(QUESTION)))
    assert desk.has_room() is False
    monkeypatch.setattr(module, "MOST_FOLDER_BYTES", len(MP4) + 1)
    assert desk.has_room(1) and not desk.has_room(2)


def test_a_page_is_forgotten_and_others_are_not(desk):
    mine, shared = upload(desk), upload(desk, "def")
    for name, paths in {"one": (mine, shared), "two": (shared,)}.items():
        desk.take(name, "several", [str(path) for path in paths])
        list(desk.ask(name, shared, dict(QUESTION)))
    (report, scores) = desk.downloads(desk.session("one"), "<p>")
    copy = desk.uploads / "copy" / report.name  # Gradio's, when it gives a file out
    copy.parent.mkdir()
    copy.write_bytes(report.read_bytes())
    assert report.read_text() == "<p>" and scores.read_bytes() == b"a"
    desk.forget("one")
    assert files(desk) == ["Some One.MP4"] and shared.exists()
    desk.forget("two")
    assert files(desk) == [] and desk.sessions == {}
    desk.forget("two")


def test_what_a_page_shows_no_more_is_removed(desk):
    first, second, shared = (upload(desk, name) for name in ("a", "b", "c"))
    desk.take("two", "video", [str(shared)])
    for field, shown, left in (
        ("several", [first, shared], [first, second, shared]),
        ("several", [shared, second], [second, shared]),  # the first one was replaced
        ("sound", [second], [second, shared]),
        ("several", [], [second, shared]),  # shown elsewhere
        ("sound", [None], [shared]),
    ):
        desk.take("one", field, [each and str(each) for each in shown])
        assert [each for each in (first, second, shared) if each.exists()] == left


STEPS = ["checking", "reading", "explaining", "reading windows"]
FOUND = {"sections": [["scores", "<h2>x</h2>", False]], "files": {"scores.csv": "YQ=="}}


@pytest.mark.parametrize("error", [AppError("Too long."), Unexpected("E at x.py:1")])
def test_scores_outlive_what_comes_after_them(desk, error):
    desk.worker.steps = [[1, STEPS, None], [2, STEPS, None], [3, STEPS, FOUND]]
    desk.worker.fails = error
    *_, last = desk.ask("page", upload(desk), dict(QUESTION))
    answer = desk.session("page").result
    assert last == Event("done", answer, 0.15)
    said = "The scores are whole and can be saved; what is not there is explaining and "
    assert answer["ended"].endswith(f"{said}reading windows.")
    assert [each[0] for each in answer["sections"]] == ["ended", "scores"]
    assert answer["ended"] in answer["sections"][0][1]
    (_, scores) = desk.downloads(desk.session("page"), "<p>")
    assert scores.read_bytes() == b"a"
    assert desk.worker.asked[0]["most_seconds"] == 90


@pytest.mark.parametrize("error", [AppError("No."), Cancelled("Cancelled.")])
def test_what_ends_before_its_scores_or_by_the_page_leaves_the_older_result(
    desk, error
):
    desk.session("page").result = older = dict(FOUND)
    cancelled = isinstance(error, Cancelled)
    desk.worker.steps = [[2, STEPS, FOUND if cancelled else None]]
    desk.worker.fails = error
    with pytest.raises(AppError, match=str(error)):
        list(desk.ask("page", upload(desk), dict(QUESTION)))
    assert desk.session("page").result is older


@pytest.mark.parametrize("ended_by", ["cancel", "forget"])
def test_an_answer_that_comes_too_late_is_no_result(desk, ended_by):
    """The page has said that it is cancelled, or empty, and shows what it had."""
    session = desk.session("page")
    session.result, session.asked = FOUND, object()
    desk.worker.steps = [[1, STEPS, None]]

    asking = desk.ask("page", upload(desk), dict(QUESTION))
    assert [next(asking).kind for _ in range(2)] == ["running", "step"]
    getattr(desk, ended_by)("page")
    with pytest.raises(Cancelled):
        list(asking)
    assert session.result is FOUND and desk.session("page").asked is None
    rows, asked = [{"name": "a", "failed": "No."}], object()
    with pytest.raises(Cancelled):
        desk.ask_joined("page", rows, "multitask", asked)
    assert desk.session("page").result is (FOUND if ended_by == "cancel" else None)


def test_a_page_that_was_forgotten_meanwhile_gets_no_files(desk):
    session = desk.session("page")
    session.result = FOUND
    desk.forget("page")
    desk.session("page")  # it is still open
    assert desk.downloads(session, "<p>") == [] and files(desk) == []


def test_old_pages_are_forgotten(desk):
    desk.take("page", "video", [str(upload(desk))])
    used = desk.session("page").used
    desk.forget_old(used + MOST_AGE_SECONDS - 1)
    assert files(desk)
    desk.forget_old(used + MOST_AGE_SECONDS + 1)
    assert files(desk) == []


def test_analyses_wait_for_each_other_and_not_without_end(desk, monkeypatch):
    monkeypatch.setattr(module, "TICK_SECONDS", 0)
    path = upload(desk)
    first = desk.ask("one", path, dict(QUESTION))
    next(first)
    waiting = [desk.ask(name, path, dict(QUESTION)) for name in "abcd"]
    assert [next(each)[:2] for each in waiting] == [
        ("waiting", before) for before in (1, 2, 3, 4)
    ]
    with pytest.raises(AppError, match="4 analyses are waiting already"):
        next(desk.ask("e", path, dict(QUESTION)))
    assert len(desk.worker.asked) == 1
    assert desk.cancel("b") and desk.worker.stopped == 0  # it did not run
    with pytest.raises(Cancelled):
        next(waiting[1])
    assert next(waiting[3])[:2] == ("waiting", 3)
    waiting[0].close()  # as when a page has gone
    list(first)
    assert next(waiting[2]).kind == "running" and next(waiting[3]).content == 1
    for each in waiting[2:]:
        each.close()
    assert [p.name for p in (desk.folder / "tmp").iterdir()] == []


def test_a_table_is_called_as_its_recording(desk):
    table = desk.uploads / "t" / "any name.CSV"
    table.parent.mkdir()
    table.write_text("a\n1\n")
    asked = QUESTION | {"tables": {"face": str(table)}}
    asking = desk.ask("page", upload(desk), asked)
    next(asking)
    (question,) = desk.worker.asked
    assert question["path"].endswith("/Some One.mp4")
    assert question["tables"]["face"].endswith("/face/Some One.csv")
    list(asking)
    assert files(desk) == ["Some One.MP4", "any name.CSV"]


def test_uploads_that_broke_off_are_removed(desk):
    old, new = desk.uploads / "tmpabc", desk.uploads / "tmpdef"
    for path in (old, new):
        path.write_bytes(MP4)
    os.utime(old, (0, 0))
    whole = upload(desk, "tmp")
    os.utime(whole.parent, (0, 0))
    desk.forget_old()
    assert not old.exists() and new.exists() and whole.exists()


def test_a_page_cancels_its_own_analysis_alone(desk):
    asking = desk.ask("one", upload(desk), dict(QUESTION))
    next(asking)
    assert not desk.cancel("two") and desk.worker.stopped == 0
    assert desk.cancel("one") and desk.worker.stopped == 1
    asking.close()
    assert not desk.cancel("one")


@pytest.mark.parametrize(
    "name, suffix",
    [
        ("a.MP4", ".mp4"),
        ("a.mp4 onerror=x", ""),
        ("a", ""),
        ("a.é", ""),
        ("a.b/..", ""),
    ],
)
def test_suffixes_are_plain(tmp_path, name, suffix):
    assert module._suffix(tmp_path / name) == suffix


def test_a_full_disk_is_told(desk, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "/secret/place")

    monkeypatch.setattr(module.shutil, "copyfile", full)
    with pytest.raises(AppError, match="^The disk is full or not writable: make room"):
        list(desk.ask("page", upload(desk), dict(QUESTION)))
    assert list((desk.folder / "tmp").iterdir()) == []
