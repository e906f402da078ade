"""The real server in a process of its own, spoken to over HTTP."""

import http.client
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

pytest.importorskip("gradio", reason="the app needs Gradio (extra `app`)")
from app_server import AppServer  # noqa: E402

from sslmepr import params as parameters  # noqa: E402
from sslmepr.__main__ import main  # noqa: E402
from sslmepr.app import guard, serve  # noqa: E402

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(project, tmp_path_factory):
    made = AppServer(project, tmp_path_factory.mktemp("tmp"))
    yield made.wait()
    made.end()


def test_one_line_says_where_and_only_this_machine_is_served(server):
    (line,) = server.said().splitlines()
    assert line == f"sslmepr: the app is at {server.address}/ (Ctrl-C ends it)"
    with socket.socket() as other:
        other.settimeout(5)
        others = [
            each[4][0]
            for each in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
            if not each[4][0].startswith("127.")
        ]
        for address in others[:1]:
            assert other.connect_ex((address, server.port)) != 0
    assert stat.S_IMODE(server.folder().stat().st_mode) == 0o700


def test_the_page_names_no_other_address_that_is_fetched(server):
    page = server.client.get("/")
    assert page.status_code == 200
    assert "means nothing" in page.text  # the notice
    fetched = re.findall(
        r"<(?:script|link|img)[^>]+(?:src|href)=\"([^\"]+)\"", page.text
    )
    assert fetched and all("//" not in each for each in fetched)
    config = server.client.get("/config").json()
    assert config["analytics_enabled"] is False
    assert config.get("space_id") is None
    assert str(server.folder()) not in page.text


def test_headers_bound_what_the_page_may_do(server):
    pages = [server.client.get("/") for _ in range(2)]
    for name, value in guard.HEADERS.items():
        assert pages[0].headers[name] == value
    policies = [page.headers["content-security-policy"] for page in pages]
    rules = dict(each.split(" ", 1) for each in policies[0].split("; "))
    assert rules["default-src"] == "'self'"
    assert rules["connect-src"] == "'self' blob:"  # which is the page's own
    assert rules["frame-ancestors"] == rules["object-src"] == "'none'"
    assert "unsafe" not in rules["script-src"] and "*" not in policies[0]
    assert "http" not in policies[0]
    nonces = [re.search(r"'nonce-([\w-]+)'", each)[1] for each in policies]
    assert nonces[0] != nonces[1]
    scripts = re.findall(r"<script[^>]*", pages[0].text)
    assert scripts and all(f'nonce="{nonces[0]}"' in each for each in scripts)
    assert "access-control-allow-origin" not in pages[0].headers


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1", "localhost:1", "127.0.0.1.evil.example", ""]
)
def test_other_hosts_are_not_answered(server, host):
    """A name of somebody else's that resolves to this machine (DNS rebinding)."""
    for method, path in (("GET", "/"), ("POST", guard.UPLOAD), ("GET", "/config")):
        answer = server.client.request(method, path, headers={"Host": host})
        assert answer.status_code in (400, 421)
        assert "SSL" not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_other_pages_change_and_read_nothing(server, headers):
    before = set(server.files())
    files = {"files": ("a.mp4", b"x")}
    for path in (guard.UPLOAD, "/gradio_api/queue/join", "/gradio_api/cancel"):
        answer = server.client.post(path, files=files, headers=headers)
        assert answer.status_code == 403
    assert server.client.get("/config", headers=headers).status_code == 403
    assert set(server.files()) == before


def test_a_link_from_another_page_opens_this_one(server):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert server.client.get("/", headers=headers).status_code == 200
    assert server.client.get("/config", headers=headers).status_code == 403
    own = {"Origin": server.address, "Sec-Fetch-Site": "same-origin"}
    assert server.client.get("/config", headers=own).status_code == 200


@pytest.mark.parametrize(
    "method, path",
    [
        ("GET", "/docs"),
        ("GET", "/openapi.json"),
        ("GET", "/gradio_api/info"),
        ("GET", "/gradio_api/openapi.json"),
        ("GET", "/gradio_api/deep_link?session_hash=a"),
        ("GET", "/gradio_api/runs"),
        ("GET", "/gradio_api/proxy=http://example.org"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", "/gradio_api/vibe-code"),
        ("GET", "/gradio_api/mcp/"),
        ("GET", "/login"),
        ("GET", "/gradio_api/stream/a/b/c/playlist.m3u8"),
        ("POST", "/gradio_api/run/ask"),
        ("POST", "/gradio_api/call/ask"),
        ("POST", "/gradio_api/api/ask"),
        ("POST", "/gradio_api/vibe-edit"),
        ("POST", "/gradio_api/component_server"),
        ("POST", "/gradio_api/process_recording"),
        ("POST", "/gradio_api/run-history/connect"),
        ("POST", "/login"),
    ],
)
def test_routes_that_the_page_does_not_need_are_shut(server, method, path):
    assert server.client.request(method, path, json={}).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_other_methods_are_shut(server, method):
    assert server.client.request(method, "/").status_code == 405


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../../etc/passwd", "http://127.0.0.1:1/", "file:///etc/passwd"],
)
def test_no_other_file_is_given_out(server, path):
    answer = server.client.get(f"/gradio_api/file={path}")
    assert answer.status_code in (400, 403, 404) and "root:" not in answer.text
    params = server.client.get(f"/gradio_api/file={ROOT / 'params.yaml'}")
    assert params.status_code == 403


@pytest.mark.parametrize(
    "path, length, status",
    [
        ("/gradio_api/queue/join", str(guard.MOST_MESSAGE_BYTES + 1), 413),
        (guard.UPLOAD, str(guard.MOST_BYTES + 2**20), 413),
        (guard.UPLOAD, None, 411),
        (guard.UPLOAD, "-1", 400),
    ],
)
def test_requests_are_of_bounded_length(server, path, length, status):
    """Refused by what they announce, before anything of it is read."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", path)
    if length is None:
        connection.putheader("Transfer-Encoding", "chunked")
    else:
        connection.putheader("Content-Length", length)
    connection.endheaders()
    assert connection.getresponse().status == status
    connection.close()


def status_of(outputs):
    text = [each["data"][0] for each in outputs if each.get("data")]
    return [each for each in text if isinstance(each, str)]


@pytest.fixture(scope="module")
def analysed(server, clips):
    """What an analysis answers, and to whom server and worker connect meanwhile."""
    path = server.upload(clips / "<img src=x onerror=alert(1)>.mp4")
    process, found = psutil.Process(server.process.pid), set()
    with ThreadPoolExecutor() as pool:
        asking = pool.submit(server.ask, path, words="<b>so</b> it is")
        while not asking.done():
            with suppress(psutil.Error):  # one that has just ended
                for each in (process, *process.children(recursive=True)):
                    found |= {at.raddr.ip for at in each.net_connections() if at.raddr}
            time.sleep(0.1)
    return asking.result(), found


def test_server_and_worker_connect_to_nobody_else(analysed):
    _, found = analysed
    assert found == {"127.0.0.1"}  # who asks is seen


def test_a_recording_is_analysed_and_forgotten(server, analysed, clips):
    outputs, _ = analysed
    assert status_of(outputs)[-1].startswith("<p>Done in ")
    page = outputs[-1]["data"][2]["value"]
    assert "Emotions and apparent traits" in page and "alert(1)" not in page
    assert "&lt;b&gt;so&lt;/b&gt;" in page and "<b>so" not in page
    saved = server.event("save", [False], "page1")[-1]["data"]
    names = [each["value"]["orig_name"].split("-")[0] for each in saved[:5]]
    assert names == ["report", "scores", "scores", "scores", "attributions"]
    assert saved[5]["visible"] is False  # there were no windows
    report = server.client.get(f"/gradio_api/file={saved[0]['value']['path']}")
    assert report.status_code == 200 and "data:image/png" not in report.text
    assert "attachment" in report.headers["content-disposition"]
    whole = server.event("save", [True], "page1")[-1]["data"][0]["value"]["path"]
    assert "data:image/png" in server.client.get(f"/gradio_api/file={whole}").text
    # nobody else's page gets it
    assert "path" not in str(server.event("save", [False], "page2")[-1]["data"])
    server.event("empty", ["video file or camera"], "page1")
    assert server.files() == []
    assert "alert" not in server.said() and str(clips) not in server.said()


@pytest.mark.parametrize(
    "name, changes, message",
    [
        (None, {}, "There is no recording yet"),
        ("é 1.mp4", {"consent": False}, "agreed to this analysis"),
        ("notes.mp4", {}, "not a recording"),
        ("broken.mp4", {}, "cannot be decoded"),
        ("é 1.mp4", {"start": "2", "end": "1"}, "segment is empty"),
        ("é 1.mp4", {"start": "50"}, "earlier start"),
    ],
)
def test_what_goes_wrong_is_one_sentence(server, clips, name, changes, message):
    path = None if name is None else server.upload(clips / name)
    text = status_of(server.ask(path, session="wrong", **changes))[-1]
    assert message in text and text.count("<p>") == 1
    assert "Traceback" not in text and str(server.temporary) not in text
    assert "Traceback" not in server.said()
    server.event("empty", ["video file or camera"], "wrong")


def test_a_file_from_elsewhere_is_not_taken(server, clips):
    for changes in ({}, {"source": "drawn example"}, {"variant": "../.."}):
        outputs = server.ask(clips / "é 1.mp4", session="sly", **changes)
        assert not any("Done" in text for text in status_of(outputs))
    assert str(clips) not in server.said()


def test_models_are_needed(project, tmp_path, capsys, monkeypatch):
    for name in ("params.yaml", "studies.yaml"):
        (tmp_path / name).write_bytes((project / name).read_bytes())
    monkeypatch.chdir(tmp_path)
    assert main(["app"]) == 1
    said = capsys.readouterr().err
    assert "no trained model of study simulated; `make repro` makes them" in said
    monkeypatch.chdir(project)
    assert main(["app", "--variant", "gradnorm"]) == 1
    assert "gradnorm: no trained model of it; there are multitask" in (
        capsys.readouterr().err
    )


def test_a_port_that_is_taken_is_told(project, server, capsys, monkeypatch):
    monkeypatch.chdir(project)
    for port in (server.port, 70_000):
        assert main(["app", "--port", str(port)]) == 1
        assert f"port {port} is taken" in capsys.readouterr().err


@pytest.mark.parametrize("limit", ["0", "-1", "nan", "inf"])
def test_a_limit_is_a_number_of_seconds(project, capsys, monkeypatch, limit):
    monkeypatch.chdir(project)
    assert main(["app", "--limit", limit]) == 1
    assert "--limit must be a number of seconds" in capsys.readouterr().err


def test_without_gradio_the_extra_is_named(project, capsys, monkeypatch):
    monkeypatch.chdir(project)
    monkeypatch.setattr(serve, "find_spec", lambda _: None)
    assert main(["app"]) == 1
    assert "pip install -c constraints.txt -e '.[app]'" in capsys.readouterr().err


def test_variables_of_gradio_are_dropped(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "environ", {"GRADIO_SHARE": "True", "HOME": "x"})
    monkeypatch.setattr(tempfile, "tempdir", None)
    serve._environment(tmp_path)
    assert "GRADIO_SHARE" not in os.environ and os.environ["HOME"] == "x"
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"


def test_folders_of_killed_servers_are_removed(tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
    ).stdout.strip()
    names = {f"{serve.PREFIX}{ended}-x": False, f"{serve.PREFIX}{os.getpid()}-x": True}
    names |= {f"{serve.PREFIX}mine-x": True, "other": True}
    for name in names:
        (tmp_path / name).mkdir()
    serve.remove_left_behind(tmp_path)
    assert {name: (tmp_path / name).exists() for name in names} == names


def test_variants_that_are_there(project):
    settings = parameters.load(project / "params.yaml")
    folder = project / "runs" / "simulated"
    assert serve.trained_variants(settings, folder) == ["multitask"]


def test_the_end_leaves_nothing(server, clips):
    """Last of all: the terminal closes while a recording lies there."""
    server.upload(clips / "mute.mp4")
    assert server.files()
    assert server.end(signal.SIGHUP) == 130
    assert [p.name for p in server.temporary.iterdir()] == ["log"]
    assert len(server.said().splitlines()) == 1
