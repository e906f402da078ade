"""A project with tiny drawn models of three modalities, and recordings of noise."""

import shutil
import struct
from pathlib import Path

import pytest
from app_models import draw_models
from recordings import write_video

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def project(tmp_path_factory):
    """A repository's folder after `make repro`, without its corpora."""
    folder = tmp_path_factory.mktemp("project")
    text = (ROOT / "params.yaml").read_text(encoding="utf-8")
    for old, new in {
        "  frames: 8 ": "  frames: 2 ",
        "  device: auto ": "  device: cpu ",
        "  workers: 2 ": "  workers: 1 ",
        "  steps: 32 ": "  steps: 8 ",
    }.items():
        assert old in text
        text = text.replace(old, new)
    (folder / "params.yaml").write_text(text, encoding="utf-8")
    shutil.copy(ROOT / "studies.yaml", folder)
    draw_models(folder / "runs" / "simulated")
    return folder


@pytest.fixture
def undrawn(monkeypatch):
    """Figures in words alone: drawing them takes most of the time of an answer."""
    monkeypatch.setattr(
        "sslmepr.app.elements._drawing", lambda show, given, alt, *_: f"<p>{alt}</p>"
    )


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Recordings of noise, one with a name that is markup, and files that are none."""
    folder = tmp_path_factory.mktemp("clips")
    write_video(folder / "é 1.mp4")
    write_video(folder / "mute.mp4", with_sound=False)
    write_video(folder / "<img src=x onerror=alert(1)>.mp4")
    (folder / "broken.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(99))
    (folder / "bare.mp4").write_bytes(_without_streams())
    write_video(folder / "nobody.mp4", with_sound=False, with_face=False)
    (folder / "notes.mp4").write_text("ffconcat version 1.0\nfile mute.mp4\n")
    return folder


def _without_streams():
    """An MP4 whose header is whole, and which has neither pictures nor sound."""
    times = struct.pack(">IIII", 0, 0, 1000, 1000)
    header = struct.pack(">I4sI", 108, b"mvhd", 0) + times + bytes(80)
    kind = struct.pack(">I4s4sI", 16, b"ftyp", b"isom", 512)
    return kind + struct.pack(">I4s", 116, b"moov") + header
