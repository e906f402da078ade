"""Pictures of the app's page for the book and the README, of drawn people alone.

``python benchmarks/app_pictures.py`` needs what `make repro` leaves, and Chromium. It
analyses two drawn examples and a longer recording of drawn clips, one after another,
and writes ``book/pictures/app-<what>-<mode>.png``.
"""

import io
import tempfile
from pathlib import Path

from app_browser import app, choose, chromium, drawn_clips, one_after_another, opened
from PIL import Image

FOLDER = Path("book/pictures")
MODES = ("light", "dark")
WIDTH, SCALE = 820, 1.5
COLOURS = 128
SECONDS, HEIGHT = 12, 360
PARTS = {  # picture to the sections that it shows
    "scores": ("summary", "scores"),
    "comparison": ("comparison",),
    "rests": ("modalities",),
    "timeline": ("timeline",),
}


def run(page) -> None:
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Done in").wait_for()


def write(page, name: str, mode: str) -> None:
    """Write the sections of a picture, in few colours, so that the file is small."""
    boxes = [
        page.locator(f"section[aria-labelledby={part}-title]").bounding_box()
        for part in PARTS[name]
    ]
    left, top = min(b["x"] for b in boxes), min(b["y"] for b in boxes)
    right = max(b["x"] + b["width"] for b in boxes)
    bottom = max(b["y"] + b["height"] for b in boxes)
    clip = {"x": left - 12, "y": top - 12}
    clip |= {"width": right - left + 24, "height": bottom - top + 24}
    taken = page.screenshot(full_page=True, clip=clip)
    image = Image.open(io.BytesIO(taken)).convert("RGB").quantize(COLOURS, dither=0)
    image.save(FOLDER / f"app-{name}-{mode}.png", optimize=True)


def show(page, *names: str) -> None:
    for mode in MODES:
        dark = str(mode == "dark").lower()
        page.evaluate(f"document.body.classList.toggle('dark', {dark})")
        page.evaluate("window.scrollTo(0, 0)")
        for name in names:
            write(page, name, mode)
    page.evaluate("document.body.classList.remove('dark')")


def main(recording: Path) -> None:
    FOLDER.mkdir(exist_ok=True)
    with app() as (address, _, _), chromium() as browser:
        size = {"width": WIDTH, "height": 900}
        page = opened(browser, address, viewport=size, device_scale_factor=SCALE)
        run(page)
        show(page, "scores", "rests")
        page.get_by_role("button", name="Keep as A").click()
        page.get_by_text("Kept as A").wait_for()
        page.get_by_role("radio", name="Drawn person 2").check()
        page.locator(".old .result").wait_for()
        run(page)
        show(page, "comparison")
        choose(page, recording)
        run(page)
        show(page, "timeline")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        drawn = Path(folder, "drawn.mp4")
        one_after_another(drawn_clips(4), drawn, SECONDS, HEIGHT)
        main(drawn)
