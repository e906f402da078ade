"""Pictures of the app's page for the book, of drawn people alone.

``python benchmarks/app_pictures.py`` needs what `make repro` leaves, and Chromium. It
analyses two drawn examples and a longer recording of drawn clips, one after another,
and writes ``book/pictures/app-<what>-<mode>.png``.
"""

import io
import tempfile
from pathlib import Path

from app_browser import app, choose, chromium, drawn_clips, one_after_another, opened
from PIL import Image
from playwright.sync_api import TimeoutError

FOLDER = Path("book/pictures")
MODES = ("light", "dark")
WIDTH, PHONE, SCALE = 920, 360, 1.4
COLOURS = 128
SECONDS, HEIGHT = 12, 360
WAIT_MS = 600_000
"""Longest wait for anything, so that a page that fails ends the command."""

LOADED = """Promise.race([new Promise(done => setTimeout(done, 30_000)), Promise.all(
[...document.querySelectorAll('video')].filter(each => each.readyState < 1)
.map(each => new Promise(done => each.addEventListener('loadedmetadata', done))))])"""
"""Players have the size of their recording; the policy allows no polling."""

PARTS = {  # picture to the sections that it shows
    "scores": ("summary", "scores"),
    "frames": ("frames",),
    "comparison": ("comparison",),
    "halves": ("halves",),
    "timeline": ("timeline",),
}


def run(page) -> None:
    """Press Run and wait for the whole result; without one, say what the page says."""
    page.get_by_role("button", name="Run", exact=True).click()
    try:
        page.get_by_text("Done in").wait_for()
    except TimeoutError:
        said = page.locator("#status").inner_text()
        raise SystemExit(f"no result within {WAIT_MS / 1000:g} s: {said}") from None


def sections(page, name: str) -> list:
    return [
        page.locator(f"section[aria-labelledby={part}-title]") for part in PARTS[name]
    ]


def write(page, shown: list, name: str) -> None:
    """Write what is shown, in few colours, so that the file is small."""
    boxes = [each.bounding_box() for each in shown]
    left, top = min(b["x"] for b in boxes), min(b["y"] for b in boxes)
    right = max(b["x"] + b["width"] for b in boxes)
    bottom = max(b["y"] + b["height"] for b in boxes)
    clip = {"x": max(0, left - 12), "y": max(0, top - 12)}
    clip |= {"width": right - clip["x"] + 12, "height": bottom - clip["y"] + 12}
    taken = page.screenshot(full_page=True, clip=clip)
    image = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS, dither=0)
    image.save(FOLDER / f"app-{name}.png", optimize=True)


def show(page, **parts: list) -> None:
    """Write pictures of parts of the page, light and dark."""
    page.evaluate(LOADED)
    page.wait_for_timeout(3000)  # the player says that it has loaded, and fades
    for mode in MODES:
        dark = str(mode == "dark").lower()
        page.evaluate(f"document.body.classList.toggle('dark', {dark})")
        page.evaluate(
            "Promise.all(document.getAnimations().map(each => each.finished))"
        )
        page.evaluate("window.scrollTo(0, 0)")
        for name, shown in parts.items():
            write(page, shown, f"{name}-{mode}")
    page.evaluate("document.body.classList.remove('dark')")


def show_sections(page, *names: str) -> None:
    show(page, **{name: sections(page, name) for name in names})


def main(recording: Path) -> None:
    FOLDER.mkdir(exist_ok=True)
    with app() as (address, _, _), chromium() as browser:
        size = {"width": WIDTH, "height": 900}
        page = opened(browser, address, viewport=size, device_scale_factor=SCALE)
        page.set_default_timeout(WAIT_MS)
        start = [page.get_by_role("heading", level=1), page.locator("#status")]
        show(page, start=start)
        run(page)
        show_sections(page, "scores", "frames", "halves")
        page.set_viewport_size({"width": PHONE, "height": 900})
        show(page, phone=sections(page, "scores"))
        page.set_viewport_size(size)
        page.get_by_role("button", name="Keep as A").click()
        page.get_by_text("Kept as A").wait_for()
        page.get_by_role("radio", name="Drawn person 2").check()
        page.locator(".old .result").wait_for()
        run(page)
        show_sections(page, "comparison")
        choose(page, recording)
        run(page)
        show_sections(page, "timeline")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder, "drawn.mp4")
        one_after_another(drawn_clips(4), drawn, SECONDS, HEIGHT)
        main(drawn)
