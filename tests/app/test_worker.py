import errno
import threading

import app_jobs
import psutil
import pytest

from sslmepr.app.intake import AppError, Cancelled
from sslmepr.app.worker import Unexpected, Worker, _told


@pytest.fixture(scope="module")
def worker():
    made = Worker(app_jobs.make, most_seconds=60)
    yield made
    made.close()


def last(worker, **question):
    return list(worker.ask(question))[-1]


def test_one_process_answers_question_after_question(worker):
    events = list(worker.ask({"do": "add", "a": 1, "b": 2}))
    assert [each.content for each in events if each.kind == "step"] == [
        [1, "adding", None]
    ]
    assert events[-1].kind == "done" and events[-1].content["sum"] == 3
    again = last(worker, do="add", a=3, b=4).content
    assert again["sum"] == 7 and again["process"] == events[-1].content["process"]


def test_a_refusal_is_told_and_keeps_the_process(worker):
    process = worker.process_id or last(worker, do="add", a=1, b=1).content["process"]
    with pytest.raises(AppError, match="^No.$"):
        last(worker, do="refuse")
    assert worker.process_id == process


def test_an_unforeseen_error_names_its_place_alone(worker):
    with pytest.raises(Unexpected) as caught:
        last(worker, do="fail")
    message = str(caught.value)
    assert message.startswith("ValueError at app_jobs.py:") and "secret" not in message
    assert last(worker, do="add", a=1, b=1).content["sum"] == 2


def test_a_process_that_dies_is_replaced(worker):
    with pytest.raises(AppError, match="ended before its time"):
        last(worker, do="die")
    assert last(worker, do="add", a=1, b=1).content["sum"] == 2


def test_time_is_bounded_and_the_process_killed(worker, monkeypatch):
    first = last(worker, do="add", a=1, b=1).content["process"]
    monkeypatch.setattr(worker, "most_seconds", 0.3)
    with pytest.raises(AppError, match="took longer"):
        last(worker, do="sleep")
    assert not psutil.pid_exists(first)


def test_memory_is_bounded(worker, monkeypatch):
    first = last(worker, do="add", a=1, b=1).content["process"]
    held = psutil.Process(first).memory_info().rss
    monkeypatch.setattr(worker, "most_bytes", held + 2**26)
    with pytest.raises(AppError, match="too much memory"):
        last(worker, do="grow")
    assert not psutil.pid_exists(first)


@pytest.mark.parametrize("how", ["stop", "give up"])
def test_cancelling_kills_the_process(worker, how):
    first = last(worker, do="add", a=1, b=1).content["process"]
    asking = worker.ask({"do": "sleep"})
    next(asking)
    if how == "stop":
        worker.stop()
        with pytest.raises(AppError, match="Cancelled"):
            list(asking)
    else:
        asking.close()
    assert not psutil.pid_exists(first)
    assert worker.process_id is not None  # warm for the next


def test_cancelling_is_told_whatever_the_one_who_asks_is_at(worker, monkeypatch):
    """Between two looks at the pipe, and while it is being written to."""
    last(worker, do="add", a=1, b=1)
    asking = worker.ask({"do": "sleep"})
    next(asking)
    stopping = threading.Thread(target=worker.stop)
    stopping.start()
    with pytest.raises(Cancelled):
        list(asking)
    stopping.join()
    last(worker, do="add", a=1, b=1)

    def broken(pipe, question):
        worker.stop()
        raise BrokenPipeError

    with monkeypatch.context() as patch:
        patch.setattr("sslmepr.app.worker._send", broken)
        with pytest.raises(Cancelled):
            last(worker, do="add", a=1, b=1)


def test_a_pipe_that_breaks_is_no_full_disk(worker, monkeypatch):
    last(worker, do="add", a=1, b=1)
    worker._process.kill()
    worker._process.join()
    monkeypatch.setattr(Worker, "process_id", 1)  # as if it had not ended yet
    with pytest.raises(AppError, match="ended before its time"):
        last(worker, do="add", a=1, b=1)


def test_a_full_disk_is_told_as_such():
    full = OSError(errno.ENOSPC, "No space left on device", "/secret/place")
    assert _told(full) == ("refused", "The disk is full: make room and try again.")


def test_the_process_writes_nothing_to_the_terminal(worker, capfd):
    asking = worker.ask({"do": "sleep"})
    assert next(asking).kind in ("starting", "running")
    for _ in range(3):
        next(asking)
    asking.close()
    assert capfd.readouterr() == ("", "")


def test_what_cannot_start_says_why():
    worker = Worker(app_jobs.make, (True,))
    with pytest.raises(AppError, match="There are no models"):
        last(worker, do="add", a=1, b=1)
    worker.close()
    with pytest.raises(AppError, match="closing"):
        last(worker, do="add", a=1, b=1)
