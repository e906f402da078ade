from pathlib import Path

import pytest

from sslmepr.app.answers import (
    MOST_FILES,
    ask,
    ask_several,
    cancelled,
    files,
    refused,
    status,
)
from sslmepr.app.desk import Session
from sslmepr.app.intake import AppError, Cancelled
from sslmepr.app.worker import Event

ANSWER = {"sections": [["scores", "<h2>x</h2>", False]], "transcript": "so"}
ANSWER |= {"incomplete": False, "files": {}, "comparable": None}
QUESTION = {"words": ""}
STEPS = ["checking", "reading", "explaining"]


class Pretended:
    """A desk whose worker does as it is told, file by file."""

    def __init__(self, events=(), rows=()):
        self.events, self.rows, self.sessions = list(events), list(rows), {}
        self.asked = []

    def session(self, name):
        return self.sessions.setdefault(name, Session())

    def _next(self, queue):
        found = queue.pop(0)
        if isinstance(found, Exception):
            raise found
        return found

    def ask(self, page, path, question):
        while self.events:
            yield self._next(self.events)

    def ask_row(self, page, path, variant):
        self.asked.append(path.name)
        return self._next(self.rows)

    def ask_joined(self, page, rows, variant, asked):
        self.joined = rows
        return ANSWER


def test_steps_results_and_the_end_are_shown():
    desk = Pretended(
        [
            Event("waiting", 2, 0.1),
            Event("waiting", 1, 3.0),
            Event("starting", None, 0.1),
            Event("starting", None, 0.2),
            Event("step", [1, STEPS, None], 0.3),
            Event("step", [3, STEPS, ANSWER], 0.4),
            Event("running", None, 0.5),
            Event("done", ANSWER | {"incomplete": True}, 6.04),
        ]
    )
    shown = list(ask(desk, "page", Path("x"), QUESTION))
    assert [each.status for each in shown] == [
        status("2 analyses come first."),
        status("One analysis comes first."),
        status("The models are being loaded."),
        status("Step 1 of 3: checking."),
        status("Step 3 of 3: explaining."),
        status("Done in 6.0 seconds. Something was missing, see below."),
    ]
    assert [each.result is not None for each in shown[2:]] == [False] * 2 + [True] * 2
    # what is not whole cannot be saved
    assert [each.done for each in shown[2:]] == [None, None, False, True]
    assert [each.clock for each in shown] == ["", "", *[status("0 s")] * 3, ""]
    assert shown[-1].words == "so" and "<h2>x</h2>" in shown[-1].result


@pytest.mark.parametrize(("words", "filled"), [("", "so"), ("so", "")])
def test_what_was_heard_is_noted_and_what_was_given_is_not(words, filled):
    desk = Pretended([Event("done", ANSWER, 2.0)])
    list(ask(desk, "page", Path("x"), {"words": words}))
    assert desk.session("page").filled == filled


def test_no_line_break_of_a_name_reaches_markdown():
    """An empty line would end the HTML, and the rest be taken as Markdown."""
    assert status("a\n\n[b](c)\r\rd") == "<p>a [b](c) d</p>"
    desk = Pretended(rows=[{"row": "1"}])
    first, *_ = ask_several(desk, "page", [Path("a\r\n\n*b*.mp4")], "multitask")
    assert len(first.result.splitlines()) == 1


@pytest.mark.parametrize("old", [False, True])
def test_what_goes_wrong_leaves_the_older_result_and_says_so(old):
    desk = Pretended([AppError("No <b>.")])
    desk.session("page").result = ANSWER if old else None
    (shown,) = ask(desk, "page", Path("x"), QUESTION)
    assert (shown.result is not None) is shown.old is old and not shown.done
    assert "No &lt;b&gt;." in shown.status
    assert ("of the recording before" in shown.status) is old


def test_seconds_pass_without_anything_said():
    desk = Pretended([Event("running", None, 0.4), Event("running", None, 1.2)])
    desk.events += [Event("running", None, 1.3), Event("done", ANSWER, 2.0)]
    shown = list(ask(desk, "page", Path("x"), QUESTION))
    assert [each.clock for each in shown] == [status("0 s"), status("1 s"), ""]
    assert [each.status for each in shown[:-1]] == [None, None]


def test_what_ended_early_says_so_and_can_be_saved():
    ended = ANSWER | {"ended": "Too long. The scores are whole."}
    *_, shown = ask(Pretended([Event("done", ended, 9.0)]), "page", Path("x"), QUESTION)
    assert shown.status == status("Too long. The scores are whole.")
    assert shown.done and "<h2>x</h2>" in shown.result


def test_what_is_cancelled_halfway_gives_way_to_the_older_result():
    events = [Event("step", [3, STEPS, ANSWER | {"sections": []}], 0.4)]
    desk = Pretended([*events, Cancelled("Cancelled.")])
    desk.session("page").result = ANSWER
    *_, shown = ask(desk, "page", Path("x"), QUESTION)
    assert shown == cancelled(desk, "page") and "<h2>x</h2>" in shown.result


@pytest.mark.parametrize("old", [False, True])
def test_what_was_cancelled_gives_way_to_the_older_result(old):
    desk = Pretended()
    desk.session("page").result = ANSWER if old else None
    shown = cancelled(desk, "page")
    assert shown.status == status("Cancelled.")
    assert ("<h2>x</h2>" in shown.result) is shown.old is shown.done is old


def test_one_broken_recording_spoils_no_other():
    desk = Pretended(rows=[{"row": "1"}, {"failed": "No <b>."}, {"row": "3"}])
    paths = [Path(name) for name in ("a.mp4", "<i>.mp4", "c.mp4")]
    shown = list(ask_several(desk, "page", paths, "multitask"))
    assert desk.joined == [
        {"name": "a.mp4", "row": "1"},
        {"name": "<i>.mp4", "failed": "No <b>."},
        {"name": "c.mp4", "row": "3"},
    ]
    states = shown[2].result
    for state in ("a.mp4: read", "&lt;i&gt;.mp4: No &lt;b&gt;.", "c.mp4: being read"):
        assert f"<li>{state}</li>" in states
    assert "c.mp4: waiting" in shown[1].result
    assert shown[-1].status == status("Done: 2 of 3 recordings were read.")
    assert shown[-1].done


def test_cancelling_ends_all_of_them():
    desk = Pretended(rows=[{"row": "1"}, Cancelled("Cancelled."), {"row": "3"}])
    paths = [Path(name) for name in "abc"]
    with pytest.raises(Cancelled):
        list(ask_several(desk, "page", paths, "multitask"))
    assert desk.asked == ["a", "b"]


def test_the_older_result_outlives_several_that_are_cancelled():
    desk = Pretended(rows=[{"row": "1"}, Cancelled("Cancelled.")])
    desk.session("page").result = ANSWER
    with pytest.raises(Cancelled) as caught:
        list(ask_several(desk, "page", [Path("a"), Path("b")], "multitask"))
    shown = refused(desk, "page", caught.value)
    assert shown.status == status("Cancelled.") and shown.old and shown.done
    assert "<h2>x</h2>" in shown.result


def test_there_is_a_most_of_recordings():
    paths = [Path(str(number)) for number in range(MOST_FILES + 1)]
    desk = Pretended(rows=[{"row": "1"}] * len(paths))
    with pytest.raises(AppError, match="At most 20"):
        list(ask_several(desk, "page", paths, "multitask"))
    assert desk.asked == []
    assert list(ask_several(desk, "page", paths[1:], "multitask"))[-1].done


def test_without_a_result_there_is_nothing_to_save():
    assert files(Pretended(), "page", False) is None
