"""What the page's buttons do, with a worker that only notes what it is asked."""

from types import SimpleNamespace

import pytest

gr = pytest.importorskip("gradio", reason="the app needs Gradio (extra `app`)")

from sslmepr.app.desk import Desk  # noqa: E402
from sslmepr.app.interface import EXAMPLE, VIDEO, _Page  # noqa: E402
from sslmepr.app.worker import Event  # noqa: E402

REQUEST = SimpleNamespace(session_hash="page")
HEARD = "as heard\nof somebody"


class Pretended:
    """A worker that hears the same in every recording, unless words are given."""

    def __init__(self):
        self.given = []

    def ask(self, question):
        self.given.append(question["words"])
        answer = {"sections": [], "files": {}, "incomplete": False}
        answer["transcript"] = question["words"] or HEARD
        yield Event("done", answer, 0.1)


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
    given = {"source": VIDEO, "example": None, "video": str(video), "sound": None}
    given |= {"several": None, "start": "", "end": "", "words": words}
    given |= {"consent": True, "variant": "multitask", "wanted": [], "timeline": False}
    *_, last = page._ask(*(given | changes).values(), REQUEST)
    return last[3]


def test_words_that_the_app_has_heard_are_not_given_words(page, video):
    filled = run(page, video)
    assert filled == HEARD
    assert run(page, video, filled) == HEARD
    assert run(page, video, f" {filled}\n") == HEARD
    assert run(page, video, "as typed") == "as typed"
    # ... and stay given words when they are run again
    run(page, video, "as typed")
    assert page.desk.worker.given == ["", "", "", "as typed", "as typed"]


def test_words_go_with_the_recording_that_they_are_of(page):
    *_, words = page._choose(EXAMPLE, REQUEST)
    assert words["value"] == "" and words["visible"]
    assert page._choose_example("any", REQUEST)[2] == ""
    assert page._take_another(None, REQUEST)[1] == ""
    words, said = page._cut("as heard")
    assert words == "" and "cleared" in said
