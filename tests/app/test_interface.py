"""What the page's buttons do, with a worker that only notes what it is asked."""

from types import SimpleNamespace

import pytest

gr = pytest.importorskip("gradio", reason="the app needs Gradio (extra `app`)")

from sslmepr.app.desk import Desk  # noqa: E402
from sslmepr.app.intake import AppError  # noqa: E402
from sslmepr.app.interface import EXAMPLE, VIDEO, _Page, _told, build  # noqa: E402
from sslmepr.app.worker import Event  # noqa: E402

REQUEST = SimpleNamespace(session_hash="page")
HEARD = "as heard\nof somebody"


class Pretended:
    """A worker that hears the same in every recording, unless words are given."""

    most_seconds = 90.0

    def __init__(self):
        self.given = []

    def ask(self, question):
        self.given.append(question["words"])
        answer = {"sections": [], "files": {}, "incomplete": False}
        answer["transcript"] = question["words"] or HEARD
        yield Event("running", None, 0.1)
        yield Event("done", answer, 0.1)

    def stop(self):
        """Too late: the answer is on its way."""


@pytest.fixture
def page(tmp_path, settings):
    for name in ("uploads", "tmp"):
        (tmp_path / name).mkdir()
    desk = Desk(tmp_path, settings, ["multitask"], tmp_path)
    desk.worker = Pretended()
    with gr.Blocks():
        return _Page(desk)


@pytest.fixture
def video(page):
    path = page.desk.uploads / "abc" / "a.mp4"
    path.parent.mkdir()
    path.write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    return path


def run(page, video, words="", **changes):
    """Press Run; what then stands in the field of words."""
    *_, last = asking(page, video, words, **changes)
    return last[3]


def asking(page, video, words="", **changes):
    given = {"source": VIDEO, "example": None, "video": str(video), "sound": None}
    given |= {"several": None, "start": "", "end": "", "words": words}
    given |= {"consent": True, "variant": "multitask", "wanted": [], "timeline": False}
    return page._ask(*(given | changes).values(), REQUEST)


def test_words_that_the_app_has_heard_are_not_given_words(page, video):
    filled = run(page, video)
    assert filled == HEARD
    assert run(page, video, filled) == HEARD
    assert run(page, video, f" {filled}\n") == HEARD
    assert run(page, video, "as typed") == "as typed"
    # ... and stay given words when they are run again
    run(page, video, "as typed")
    assert page.desk.worker.given == ["", "", "", "as typed", "as typed"]


def test_words_go_with_the_recording_that_they_are_of(page, video):
    *_, words, _ = page._choose(EXAMPLE, REQUEST)
    assert words["value"] == "" and words["visible"]
    assert page._choose_example("any", REQUEST)[2] == ""
    for shown in (str(video), None):
        assert page._taker(VIDEO)(shown, VIDEO, REQUEST)[1] == ""
    words, said = page._cut("as heard")
    assert words == "" and "cleared" in said


def test_tables_that_were_never_read_go_with_the_page(page, video):
    page._taker_of_table("face")(str(video), REQUEST)
    page.desk.forget("page")
    assert not video.exists()


def test_another_source_empties_the_fields_and_removes_their_files(page, video):
    agreed, _, run_, said, _ = page._taker(VIDEO)(str(video), VIDEO, REQUEST)
    assert agreed is False and not run_["interactive"] and "Tick that" in said
    run(page, video)
    assert video.exists()  # it is shown, and Run can be pressed again
    updates = page._choose(EXAMPLE, REQUEST)
    assert not video.exists()
    assert [each["value"] for each in updates[2:5]] == [None] * 3
    # Gradio then tells of the empty field, which must not take Run from the example.
    assert page._taker(VIDEO)(None, EXAMPLE, REQUEST) == [gr.skip()] * 5


@pytest.mark.parametrize("emptied_by", ["_empty", "_choose"])
def test_a_field_that_a_button_emptied_says_nothing_over_it(page, video, emptied_by):
    """Its change reaches the server after the button's own sentence stands there."""
    take = page._taker(VIDEO)
    assert "agreed" in take(str(video), VIDEO, REQUEST)[3]
    getattr(page, emptied_by)(VIDEO, REQUEST)
    assert take(None, VIDEO, REQUEST) == [gr.skip()] * 5


def test_events_are_answered_in_their_order_and_the_last_one_is(page):
    """Else a late answer to an earlier one would stand over what was chosen since."""
    every = build(page.desk).fns.values()
    made = {each.api_name: each for each in every if each.fn is not None}
    assert made.pop("ask").concurrency_id != "page"
    del made["_leave"]  # to nobody
    assert len(made) > 15
    for name, each in made.items():
        assert (each.concurrency_id, each.concurrency_limit) == ("page", 1), name
        assert each.trigger_mode == "always_last", name


@pytest.mark.parametrize("how", ["_stop", "_empty"])
def test_an_analysis_that_was_ended_says_nothing_over_it(page, video, how):
    run(page, video)
    session, before = page.desk.session("page"), page.desk.session("page").result
    events = asking(page, video)
    assert "begins" in next(events)[0] and next(events)[1]
    given = (VIDEO, REQUEST) if how == "_empty" else (REQUEST,)
    said = getattr(page, how)(*given)
    assert any("Cancelled." in str(each) or "Cleared:" in str(each) for each in said)
    assert list(events) == []
    assert session.result is before and session.asked is None
    if how == "_empty":
        again = page.desk.session("page")
        assert (again.result, again.filled, again.uploads) == (None, "", {})


def test_files_that_are_written_late_stay_hidden_and_do_not_outlive_the_page(
    page, video, monkeypatch
):
    run(page, video)
    assert page._save(False, REQUEST)[-1] == gr.update(visible=True)
    events = asking(page, video)
    next(events)  # another analysis, which says what can be saved
    assert page._save(False, REQUEST)[-1] == gr.skip()
    events.close()

    def cleared(*_):
        page._empty(VIDEO, REQUEST)
        return "<p>"

    monkeypatch.setattr("sslmepr.app.answers.report.report", cleared)
    assert page._save(True, REQUEST) == [gr.skip()] * 8
    assert [p for p in page.desk.folder.rglob("*") if p.is_file()] == []


def test_a_fault_of_the_server_has_a_number_on_the_page_and_in_the_terminal(
    page, video, capsys
):
    def fail(*_):
        raise ValueError("/secret/place")

    with pytest.raises(gr.Error) as caught:
        _told(fail)()
    page._own = fail
    *_, last = page._ask(VIDEO, *[None] * 11, REQUEST)
    printed = capsys.readouterr().out.splitlines()
    for said, line in zip((str(caught.value), last[0]), printed, strict=True):
        number = line.split()[2].rstrip(":")
        assert line.startswith(f"sslmepr: error {number}: ValueError at test_interface")
        assert f"error {number}" in said and "secret" not in said + line


def test_what_is_refused_is_told_in_its_own_words(capsys):
    def refuse():
        raise AppError("No.")

    with pytest.raises(gr.Error, match="No."):
        _told(refuse)()
    assert capsys.readouterr().out == ""
