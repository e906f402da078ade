"""How long the compendium's commands take, and how much memory they hold.

``python benchmarks/whole_house.py [NAME ...]`` runs the named measurements and updates
``results/benchmarks.csv``. By default it runs all but ``repro`` and ``real``, each of
which needs a new clone; ``real``, ``transcripts`` and ``speech`` need published
corpora.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import psutil
import table

from sslmepr.report.costs import DISK


class Peak(threading.Thread):
    """Watches the memory of a process and all that it starts, as proportional set."""

    def __init__(self, process: psutil.Process) -> None:
        super().__init__(daemon=True)
        self.process = process
        self.peak_bytes = 0

    def run(self) -> None:
        while self.process.is_running():
            total = 0
            try:
                for each in [self.process, *self.process.children(recursive=True)]:
                    total += each.memory_full_info().pss
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                pass  # a process ended between being listed and being asked
            self.peak_bytes = max(self.peak_bytes, total)
            time.sleep(3)  # asking costs the measured process time too


def measure(words: list[str]) -> tuple[float, float]:
    """Wall seconds and peak GiB of one command, which must succeed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    start = time.perf_counter()
    process = subprocess.Popen(
        words, env=os.environ | {"PATH": path}, stdout=subprocess.DEVNULL
    )
    peak = Peak(psutil.Process(process.pid))
    peak.start()
    if process.wait() != 0:
        raise SystemExit(f"{' '.join(words)} failed")
    return time.perf_counter() - start, peak.peak_bytes / 2**30


def rows(name: str, what: str, words: list[str], runs: int, bounds: dict) -> list[dict]:
    """One row for the seconds and one for the memory of a command."""
    seconds, memory = zip(*(measure(words) for _ in range(runs)), strict=True)
    return [
        table.row(name, what, values, unit, bounds.get(unit))
        for unit, values in (("seconds", seconds), ("GiB", memory))
    ]


def require_new_clone(name: str) -> None:
    if Path("data").exists():
        raise SystemExit(f"{name} is measured in a new clone, after make .venv")


def repro() -> list[dict]:
    """The README's first command, after installation, where nothing has run yet."""
    require_new_clone("repro")
    what = "make repro in a new clone, without installation"
    bounds = {"seconds": "≤ 720", "GiB": "≤ 4"}
    found = rows("repro", what, ["make", "repro"], 1, bounds)
    # DVC's cache holds the same blocks again, as links where the file system has them.
    counted = subprocess.run(["du", "-sk", "."], check=True, capture_output=True)
    size = 1024 * int(counted.stdout.split()[0]) / 1e9
    what = "the folder after make repro, environment included"
    return [*found, table.row("repro", what, [size], DISK)]


def real() -> list[dict]:
    """Everything from published files to their chapter, where nothing has run yet."""
    require_new_clone("real")
    words = ["make", "repro", "STUDY=real"]
    bounds = {"seconds": "≤ 2700", "GiB": "≤ 6"}
    return rows("real", "the whole study of published corpora", words, 1, bounds)


def nothing_to_do() -> list[dict]:
    what = "dvc repro when nothing has changed"
    return rows("nothing_to_do", what, ["dvc", "repro"], 5, {"seconds": "≤ 5"})


def book() -> list[dict]:
    words = ["sslmepr", "book"]
    return rows(
        "book", "assembling and building the book", words, 3, {"seconds": "≤ 30"}
    )


def tests() -> list[dict]:
    return rows(
        "tests", "the whole test suite", ["make", "test"], 1, {"seconds": "≤ 600"}
    )


def extraction() -> list[dict]:
    """Extraction of the ``joint`` corpus, into a folder that is thrown away."""
    folder = Path(tempfile.mkdtemp())
    code = (
        "from pathlib import Path; from sslmepr import params; "
        "from sslmepr.extraction import extract_corpus; "
        "source = Path('data/joint/corpus'); "
        f"extract_corpus('joint', params.load(), source, source, Path({str(folder)!r}))"
    )
    what = "extraction of the joint corpus, all five modalities"
    found = rows("extraction", what, ["python", "-c", code], 1, {})
    shutil.rmtree(folder)
    clips = len(pd.read_parquet("data/joint/corpus/clips.parquet"))
    speed = {key: round(clips / found[0][key], 2) for key in ("value", "low", "high")}
    return [*found, found[0] | speed | {"unit": "clips per second"}]


def transcripts() -> list[dict]:
    """10,000 texts of published corpora: FIv2's, then MELD's."""
    folder = Path(tempfile.mkdtemp())
    code = f"""
from pathlib import Path
import pandas as pd
from sslmepr import params
from sslmepr.corpora.build import READERS
from sslmepr.corpora.schema import validate, write_clips
from sslmepr.extraction import extract_corpus
settings, folder = params.load(), Path({str(folder)!r})
tables = [READERS[name](settings.data_path(name)) for name in ("fiv2", "meld")]
for table in tables:
    table.attrs = {{}}
clips = pd.concat(tables, ignore_index=True).head(10_000).assign(media=None)
write_clips(validate(clips, "texts", allow_shared_speakers=True), folder)
extract_corpus("texts", settings, folder, folder, folder / "features")
"""
    what = "10,000 transcripts of FIv2 and MELD, embedded"
    found = rows("transcripts", what, ["python", "-c", code], 1, {"seconds": "≤ 120"})
    shutil.rmtree(folder)
    return found


def speech() -> list[dict]:
    """All recordings of RAVDESS that are there."""
    folder = Path(tempfile.mkdtemp())
    code = f"""
from pathlib import Path
from sslmepr import params
from sslmepr.corpora.build import READERS
from sslmepr.corpora.schema import write_clips
from sslmepr.extraction import extract_corpus
from sslmepr.params.corpora import PublishedCorpus
settings, folder = params.load(), Path({str(folder)!r})
only = PublishedCorpus(source="ravdess", path="ravdess", modalities=["audio"])
corpora = settings.corpus | dict(ravdess=only)
settings = settings.model_copy(update=dict(corpus=corpora))
write_clips(READERS["ravdess"](settings.data_path("ravdess")), folder)
root = settings.data_path("ravdess")
extract_corpus("ravdess", settings, folder, root, folder / "features")
"""
    what = "speech of RAVDESS, decoded and encoded"
    found = rows("speech", what, ["python", "-c", code], 1, {})
    audio = pd.read_parquet(folder / "features" / "audio.parquet")
    spoken = (audio["steps"] / audio["steps_per_second"]).sum()
    shutil.rmtree(folder)
    share = {key: round(found[0][key] / spoken, 4) for key in ("value", "low", "high")}
    unit = {"unit": "seconds per second", "bound": "≤ 0.02"}
    return [*found, found[0] | share | unit]


def loading() -> list[dict]:
    """Memory of feeding a corpus to training, and again with four times the clips."""
    few, many = 8000, 32000
    found = []
    for clips in (few, many):
        words = [sys.executable, "benchmarks/loading.py", str(clips)]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
        found.append(float(done.stdout))
    rows = [
        table.row("loading", f"an epoch of batches of {clips} clips", [mib], "MiB")
        for clips, mib in zip((few, many), found, strict=True)
    ]
    what = f"memory for {many} clips against {few}"
    share, unit = found[1] / found[0], "times as much"
    return [*rows, table.row("loading", what, [share], unit, "≤ 1.1")]


MEASUREMENTS: dict[str, Callable[[], list[dict]]] = {
    "repro": repro,
    "real": real,
    "nothing_to_do": nothing_to_do,
    "book": book,
    "extraction": extraction,
    "tests": tests,
    "transcripts": transcripts,
    "speech": speech,
    "loading": loading,
}

IN_NEW_CLONES = ("repro", "real")


def main(names: list[str]) -> None:
    """Run the named measurements and merge them into the table."""
    for name in names or [each for each in MEASUREMENTS if each not in IN_NEW_CLONES]:
        print(f"measuring {name}", flush=True)
        table.merge(MEASUREMENTS[name]())


if __name__ == "__main__":
    main(sys.argv[1:])
