"""`sslmepr app` as a process, for tests that speak to it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from sslmepr.app import serve

ROOT = Path(__file__).parents[1]
SECONDS = 600
"""However busy the machine is that runs the tests; what takes longer has failed."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class AppServer:
    """`sslmepr app` in the folder of a project, with a folder for temporary files."""

    def __init__(self, project, temporary):
        self.port, self.temporary = free_port(), temporary
        environment = os.environ | {
            "PYTHONPATH": str(ROOT),
            "TMPDIR": str(temporary),
            # What must not reach Gradio.
            "GRADIO_SHARE": "True",
            "GRADIO_SERVER_NAME": "0.0.0.0",
            "GRADIO_ALLOWED_PATHS": "/",
            "GRADIO_MCP_SERVER": "True",
            "GRADIO_VIBE_MODE": "1",
        }
        self.log = (temporary / "log").open("w+b")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sslmepr", "app", "--port", str(self.port)]
            + ["--limit", str(SECONDS)],
            cwd=project,
            env=environment,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            # As in a terminal, also where the tests themselves run under nohup.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL),
        )
        self.address = f"http://127.0.0.1:{self.port}"
        self.client = httpx.Client(
            base_url=self.address, timeout=SECONDS, trust_env=False
        )

    def said(self):
        return Path(self.log.name).read_text()

    def wait(self):
        end = time.monotonic() + SECONDS
        while "the app is at" not in self.said():
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.1)
        return self

    def folder(self):
        (found,) = self.temporary.glob(f"{serve.PREFIX}*")
        return found

    def files(self):
        return [p for p in self.folder().rglob("*") if p.is_file()]

    def upload(self, path):
        with path.open("rb") as file:
            answer = self.client.post(
                "/gradio_api/upload", files={"files": (path.name, file)}
            )
        assert answer.status_code == 200
        return answer.json()[0]

    def event(self, named, values, session):
        """What an event of the page answers: its outputs, one after another."""
        config = self.client.get("/config").json()
        (number,) = (
            place
            for place, each in enumerate(config["dependencies"])
            if each["api_name"] == named
        )
        asked = {"data": values, "fn_index": number, "session_hash": session}
        joined = self.client.post("/gradio_api/queue/join", json=asked)
        assert joined.status_code == 200, joined.text
        outputs = []
        where = f"/gradio_api/queue/data?session_hash={session}"
        with self.client.stream("GET", where) as stream:
            for line in stream.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] in ("process_generating", "process_completed"):
                    outputs.append(message["output"])
                if message["msg"] == "process_completed":
                    return outputs
        raise AssertionError("the event did not end")

    def ask(self, path, session="page1", consent=True, **changes):
        """Run an analysis of an uploaded recording; the texts of the status line."""
        video = None
        if path is not None:
            video = {
                "path": str(path),
                "orig_name": "x.mp4",
                "meta": {"_type": "gradio.FileData"},
            }
        given = {"source": "video file or camera", "example": None, "video": video}
        given |= {"sound": None, "several": None}
        given |= {"start": "", "end": "", "words": "said so", "consent": consent}
        given |= {"variant": "multitask", "wanted": [], "timeline": False}
        return self.event("ask", [*(given | changes).values()], session)

    def end(self, how=signal.SIGINT):
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(SECONDS)
