"""Peak memory of feeding a corpus of drawn features to training, for one epoch.

``python benchmarks/loading.py CLIPS`` prints MiB. Counted is anonymous memory: pages of
the memory-mapped features belong to the file, and are given back when others need them.
"""

import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr import params
from sslmepr.corpora.schema import COLUMNS, write_clips
from sslmepr.features import write_store
from sslmepr.labels import TARGET_COLUMNS
from sslmepr.training.batches import ModalityClips, bucketed
from sslmepr.training.clips import read_study_clips, study_corpora

STEPS, FEATURES = 75, 128  # 15 seconds of speech, by a narrow encoder


def write_corpus(folder: Path, name: str, clips: int) -> None:
    """A corpus with labels of both tasks and audio features of noise."""
    table = pd.DataFrame({"clip_id": [f"{name}-{n}" for n in range(clips)]})
    table["speaker_id"] = table["clip_id"]
    table = table.assign(split="train").reindex(columns=list(COLUMNS))
    for columns in TARGET_COLUMNS.values():
        table[list(columns)] = 0.5
    write_clips(table, folder / name / "corpus")
    values = np.random.default_rng(0).normal(size=(STEPS, FEATURES))
    values = values.astype(np.float16)
    sequences = ((clip_id, values) for clip_id in table["clip_id"])
    write_store(folder / name / "features", "audio", sequences, "noise", "0")


class Peak(threading.Thread):
    """Watches how much memory of this process no file backs."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.mib = 0.0

    def run(self) -> None:
        while True:
            lines = Path("/proc/self/status").read_text().splitlines()
            kib = next(line.split()[1] for line in lines if line.startswith("RssAnon"))
            self.mib = max(self.mib, int(kib) / 1024)
            time.sleep(0.01)


def main(clips: int) -> None:
    settings = params.load()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        sizes = dict.fromkeys(study_corpora(settings), 8)
        sizes[settings.roles.emotion] = clips
        for corpus, size in sizes.items():
            write_corpus(folder, corpus, size)
        peak = Peak()
        peak.start()
        data = ModalityClips(read_study_clips(settings, folder), "audio", folder)
        rows = data.labelled_rows(settings.roles.emotion, "emotion", "train")
        rng = np.random.default_rng(0)
        for chosen in bucketed(rows, data.lengths, settings.unimodal.batch, rng):
            data.batch(chosen)
    print(round(peak.mib, 1))


if __name__ == "__main__":
    main(int(sys.argv[1]))
