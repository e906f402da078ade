"""What HTTP clients cannot send; the rest is tested on the real server."""

import asyncio

import pytest

from sslmepr.app.guard import UPLOAD, Guard, is_allowed


def answers(scope, room=1000):
    """Whether the application behind the guard is reached, and the status."""
    reached, sent = [], []

    async def app(scope, receive, send):
        reached.append(scope["type"])

    async def send(message):
        sent.append(message)

    guard = Guard(app, 7860, lambda size: size <= room)
    asyncio.run(guard(scope, None, send))
    return bool(reached), sent[0]["status"] if sent else None


def scope(*headers, method="GET", path="/"):
    encoded = [(name.encode(), value.encode()) for name, value in headers]
    return {"type": "http", "method": method, "path": path, "headers": encoded}


def test_its_own_page_gets_through():
    for host in ("127.0.0.1:7860", "localhost:7860"):
        assert answers(scope(("host", host))) == (True, None)


def test_two_hosts_are_none():
    hosts = [("host", "127.0.0.1:7860"), ("host", "evil.example")]
    assert answers(scope(*hosts)) == (False, 421)
    assert answers(scope(*reversed(hosts))) == (False, 421)
    assert answers(scope()) == (False, 421)


def test_one_foreign_origin_among_several_is_enough():
    own = ("host", "127.0.0.1:7860"), ("origin", "http://127.0.0.1:7860")
    post = {"method": "POST", "path": "/gradio_api/cancel"}
    length = ("content-length", "2")
    assert answers(scope(*own, length, **post)) == (True, None)
    foreign = ("origin", "http://evil.example")
    assert answers(scope(*own, foreign, length, **post)) == (False, 403)


def test_an_upload_needs_room_and_nothing_else_does():
    own, length = ("host", "localhost:7860"), ("content-length", "11")
    post = {"method": "POST", "path": UPLOAD}
    assert answers(scope(own, length, **post), room=11) == (True, None)
    assert answers(scope(own, length, **post), room=10) == (False, 507)
    post["path"] = "/gradio_api/cancel"
    assert answers(scope(own, length, **post), room=10) == (True, None)


def test_the_trimmer_is_empty():
    get = scope(("host", "localhost:7860"), path="/static/ffmpeg/ffmpeg-core.wasm")
    assert answers(get) == (False, 200)
    other = scope(("host", "evil.example"), path="/static/ffmpeg/ffmpeg-core.wasm")
    assert answers(other) == (False, 421)


def test_sockets_are_not_answered_and_the_start_of_the_server_is():
    socket = {"type": "websocket", "path": "/", "headers": [(b"host", b"localhost")]}
    assert answers(socket) == (False, None)
    assert answers({"type": "lifespan"}) == (True, None)


@pytest.mark.parametrize(
    "path", ["/gradio_api/heartbeat/../runs", "/gradio_api/upload/x", "//", "/assets"]
)
def test_routes_are_whole_paths(path):
    assert not is_allowed("GET", path)


def test_every_method_has_its_own_routes():
    assert is_allowed("GET", "/config") and not is_allowed("POST", "/config")
    assert is_allowed("POST", "/gradio_api/upload")
    assert not is_allowed("GET", "/gradio_api/upload")
