"""How long a reader of the app's page waits, and how much memory that takes.

``python benchmarks/app.py`` needs what `make repro` leaves, and Chromium. It presses
Run as a reader does and waits until the page shows what is asked for, then updates
``results/benchmarks.csv``.
"""

import tempfile
import time
from pathlib import Path

import psutil
import table
from app_browser import app, choose, chromium, drawn_clips, one_after_another, opened
from timing import busy_seconds

NAME = "app"
SECONDS, HEIGHT = 10, 720
RUNS, LATER_RUNS = 5, 15
WHAT = f"a recording of {SECONDS} s in {HEIGHT}p"
PARTS = {  # heading that appears, and within how many seconds of pressing Run
    "first result": ("scores-title", "≤ 6"),
    "explanation": ("modalities-title", "≤ 10"),
    "timeline": ("timeline-title", "≤ 20"),
}
WHOLE = "whole result"


def memory_gib(process: psutil.Process) -> float:
    """Of the server and of its worker, as proportional set."""
    every = [process, *process.children(recursive=True)]
    return sum(each.memory_full_info().pss for each in every) / 2**30


def others_seconds() -> float:
    """Processor seconds so far of all programs but this one and what it started."""
    machine, own = busy_seconds()
    for each in psutil.Process().children(recursive=True):
        times = each.cpu_times()
        own += times.user + times.system
    return machine - own


def analyse(page) -> dict[str, float]:
    """Seconds until each part of the result stands on the page."""
    page.get_by_role("button", name="Clear all", exact=True).click()
    page.get_by_text("nothing is kept").first.wait_for()
    choose(page, RECORDING)
    button = page.get_by_role("button", name="Run", exact=True)
    button.click(trial=True)  # waits until it can be pressed
    begin, seconds = time.perf_counter(), {}
    button.click()
    for name, (heading, _) in PARTS.items():
        page.locator(f"#{heading}").wait_for()
        seconds[name] = time.perf_counter() - begin
    page.get_by_text("Done in").wait_for()
    seconds[WHOLE] = time.perf_counter() - begin
    return seconds


def main() -> None:
    with app() as (address, process, ready), chromium() as browser:
        begin = time.perf_counter()
        page = opened(browser, address)
        ready += time.perf_counter() - begin
        analyse(page)  # loads what is loaded once
        server = psutil.Process(process.pid)
        times, memory = [], []
        begin, before = time.perf_counter(), others_seconds()
        for _ in range(RUNS + LATER_RUNS):
            times.append(analyse(page))
            memory.append(memory_gib(server))
        others = (others_seconds() - before) / (time.perf_counter() - begin)
    what = "command to a page that can be used"
    rows = [table.row(NAME, what, [ready], "seconds", "≤ 10")]
    for name, (_, bound) in (PARTS | {WHOLE: ("", "≤ 20")}).items():
        values = [each[name] for each in times]
        rows.append(table.row(NAME, f"{name}, {WHAT}", values, "seconds", bound))
    rows.append(table.row(NAME, "server and worker", memory, "GiB", "≤ 4"))
    grown = sum(memory[-RUNS:]) / sum(memory[:RUNS])
    what = f"memory of the last {RUNS} of {len(memory)} runs against the first {RUNS}"
    rows.append(table.row(NAME, what, [grown], "times as much", "≤ 1.1"))
    what = "other programs meanwhile, while the app was used"
    rows.append(table.row(NAME, what, [others], "processors busy", "≤ 0.1"))
    table.merge(rows)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        RECORDING = Path(folder, "drawn.mp4")
        one_after_another(drawn_clips(4), RECORDING, SECONDS, HEIGHT)
        main()
