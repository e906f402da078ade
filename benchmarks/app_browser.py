"""The app with the models of the study, in a real browser."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import cv2
import numpy as np
from playwright.sync_api import Browser, Page, sync_playwright

RATE_HZ, SOUND_HZ, PART = 25, 16_000, 1024
WAIT_MS = 600_000
OPTIONS = ("--no-sandbox", "--disable-quic", "--disable-background-networking")
OPTIONS += ("--disable-component-update", "--disable-sync", "--no-first-run")


@contextmanager
def app() -> Iterator[tuple[str, subprocess.Popen, float]]:
    """`sslmepr app` in this folder: its address, its process, seconds to its page."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    begin = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "sslmepr", "app", "--port", str(port)]
        + ["--limit", "600"],
        stdout=subprocess.PIPE,
    )
    try:
        assert process.stdout is not None
        if not process.stdout.readline():
            raise SystemExit("the app did not start: are there models?")
        yield f"http://127.0.0.1:{port}/", process, time.perf_counter() - begin
    finally:
        process.send_signal(signal.SIGINT)
        process.wait()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, or another that is installed by that name."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise SystemExit("there is no Chromium; on Debian, apt-get install chromium")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=list(OPTIONS))
        yield browser
        browser.close()


def opened(browser: Browser, address: str, **context) -> Page:
    """The page in a profile of its own, ready to be used."""
    page = browser.new_context(**context).new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(address)
    page.get_by_text("press Run").wait_for()
    return page


def choose(page: Page, recording: Path) -> None:
    """Choose a recording of one's own, and consent for the drawn people in it."""
    page.get_by_role("radio", name="video file or camera").check()
    page.locator("input[data-testid=file-upload]").set_input_files(str(recording))
    # an upload takes consent back, so that this comes after it
    page.get_by_text("Tick that the people in it agreed").wait_for()
    page.get_by_role("checkbox", name="agreed to this analysis").check()


def one_after_another(clips: list[Path], out: Path, seconds: float, height: int):
    """Write drawn clips as one recording of pictures that are 16 to 9.

    Parameters
    ----------
    clips : list of Path
        Taken again from the first, until the recording is long enough.
    out : Path
        MP4 (H.264 and AAC).
    seconds : float
    height : int
        Of the pictures, in pixels.
    """
    pictures: list[np.ndarray] = []
    sound: list[np.ndarray] = []
    while len(pictures) < seconds * RATE_HZ:
        for path in clips:
            pictures += _pictures(path, height)
            # as long as its pictures, so that both stay together
            wanted = SOUND_HZ * len(pictures) // RATE_HZ - sum(map(len, sound))
            heard = _sound(path)[:wanted]
            sound.append(np.pad(heard, (0, wanted - len(heard))))
    count = round(seconds * RATE_HZ)
    _write(out, pictures[:count], np.concatenate(sound)[: round(seconds * SOUND_HZ)])


def _pictures(path: Path, height: int) -> list[np.ndarray]:
    """All pictures of a clip at `RATE_HZ`, on a wide grey ground."""
    found = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        shown = [
            (f.time, f.to_ndarray(format="rgb24")) for f in container.decode(stream)
        ]
    times = np.array([second for second, _ in shown]) - shown[0][0]
    for second in np.arange(0, times[-1], 1 / RATE_HZ):
        image = shown[np.searchsorted(times, second, "right") - 1][1]
        width = round(image.shape[1] * height / image.shape[0])
        ground = np.full((height, height * 16 // 9, 3), 128, np.uint8)
        left = (ground.shape[1] - width) // 2
        ground[:, left : left + width] = cv2.resize(image, (width, height))
        found.append(ground)
    return found


def _sound(path: Path) -> np.ndarray:
    resampler = av.AudioResampler("fltp", "mono", SOUND_HZ)
    parts = []
    with av.open(str(path)) as container:
        for frame in container.decode(audio=0):
            parts += [each.to_ndarray()[0] for each in resampler.resample(frame)]
    return np.concatenate(parts)


def _write(out: Path, pictures: list[np.ndarray], sound: np.ndarray) -> None:
    with av.open(str(out), "w") as file:
        video = file.add_stream("libx264", rate=RATE_HZ)
        video.height, video.width, _ = pictures[0].shape
        video.pix_fmt = "yuv420p"
        audio = file.add_stream("aac", rate=SOUND_HZ, layout="mono")
        for image in pictures:
            file.mux(video.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        file.mux(video.encode())
        for begin in range(0, len(sound) // PART * PART, PART):
            part = np.ascontiguousarray(sound[None, begin : begin + PART], np.float32)
            frame = av.AudioFrame.from_ndarray(part, format="fltp", layout="mono")
            frame.sample_rate, frame.pts = SOUND_HZ, begin
            file.mux(audio.encode(frame))
        file.mux(audio.encode())


def drawn_clips(count: int) -> list[Path]:
    """The clips that the app has as examples, as far as there are so many."""
    from sslmepr import params
    from sslmepr.app.examples import examples

    found = [each.path for each in examples(params.load(), Path("data"))]
    if not found:
        raise SystemExit(f"{os.getcwd()}: no drawn corpus; `make repro` makes it")
    return found[:count]
