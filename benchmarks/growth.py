"""How time and memory grow with the size of a corpus: 1, 4 and 16 times as large.

``python benchmarks/growth.py [STAGE ...]`` measures extraction of rendered clips,
training and evaluation on drawn features, and the analysis of drawn predictions, each
size in a process of its own, and updates ``results/benchmarks.csv``. Time should grow
as the corpus does, which is a slope of 1 between logarithms; memory should not grow.

Memory is what the process holds for itself: features that are mapped from their files
can be dropped by the system at any time, and do not count. The slope is that of what
the additional clips take: loading models and libraries takes as long for any corpus.
"""

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import table

from sslmepr import params as parameters
from sslmepr.association.correlation import association
from sslmepr.corpora.schema import COLUMNS, read_clips, write_clips
from sslmepr.evaluation.evaluate import evaluate_study
from sslmepr.extraction import extract_corpus
from sslmepr.features import write_store
from sslmepr.labels import EMOTION_COLUMNS, MODALITIES, TASKS, TRAIT_COLUMNS
from sslmepr.params import Params
from sslmepr.simulation.corpus import build_simulated
from sslmepr.simulation.world import make_world
from sslmepr.training.all_stages import train_study
from sslmepr.trials.drawn import DrawnCorpus, DrawnStudy, draw_study

TIMES = (1, 4, 16)
RENDERED, EXTRACTED = "tiny_joint", 6  # clips that are rendered, and then repeated
TRAINED, ANALYSED = 120, 2000  # clips of a corpus
STEPS, FEATURES, PER_SPEAKER = 8, 64, 2
SLOPE, MEMORY = "≤ 1.1", "≤ 1.25"
Steps = dict[str, Callable[[], object]]  # name to what is measured


class Peak(threading.Thread):
    """Watches what this process holds for itself, in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.process, self.bytes = psutil.Process(), 0

    def run(self) -> None:
        while True:
            held = self.process.memory_info()
            self.bytes = max(self.bytes, held.rss - held.shared)
            time.sleep(0.02)


def drawn(params: Params, clips: int) -> DrawnStudy:
    """A study of drawn features, `clips` in each corpus."""
    world = make_world("planted", params.simulation.worlds)
    simulation, speakers = params.simulation, PER_SPEAKER
    study = draw_study(simulation, world, clips, speakers, FEATURES, 0.5, seed=0)
    return study.standardised()


def write_corpus(folder: Path, corpus: DrawnCorpus, tasks: tuple[str, ...]) -> None:
    """Clip table and feature stores; a clip's features with noise at every step."""
    clips = pd.DataFrame({"clip_id": corpus.clip_ids, "speaker_id": corpus.speaker_ids})
    clips = clips.assign(split=corpus.split).reindex(columns=list(COLUMNS))
    for task, columns, labels in (
        ("emotion", EMOTION_COLUMNS, corpus.emotions),
        ("personality", TRAIT_COLUMNS, corpus.traits),
    ):
        clips[list(columns)] = labels if task in tasks else np.nan
    write_clips(clips, folder / "corpus")
    rng = np.random.default_rng(0)
    for modality in MODALITIES:
        rows = zip(corpus.clip_ids, corpus.features[modality], strict=True)
        sequences = (
            (name, (row + rng.standard_normal((STEPS, FEATURES))).astype(np.float32))
            for name, row in rows
        )
        write_store(folder / "features", modality, sequences, "drawn", "1", None)


def prepare_extraction(params: Params, folder: Path) -> None:
    """Clips that every size repeats under other names."""
    few = {"clips": EXTRACTED, "persons": EXTRACTED}
    corpus = params.corpus[RENDERED].model_copy(update=few)
    corpora = params.corpus | {RENDERED: corpus}
    build_simulated(RENDERED, params.model_copy(update={"corpus": corpora}), folder)


def prepare_training(params: Params, folder: Path) -> None:
    """The corpora of a study, of every size."""
    for times in TIMES:
        study = drawn(params, times * TRAINED)
        for role in ("emotion", "personality", "held_out"):
            tasks = TASKS if role == "held_out" else (role,)
            target = folder / str(times) / getattr(params.roles, role)
            write_corpus(target, study[role], tasks)


def prepare_analysis(params: Params, folder: Path) -> None:
    """Labels and what might be read of them."""
    for times in TIMES:
        corpus = drawn(params, times * ANALYSED).held_out
        values = {"clip_id": corpus.clip_ids, "speaker_id": corpus.speaker_ids}
        values |= dict(zip(EMOTION_COLUMNS, corpus.emotions.T, strict=True))
        values |= dict(zip(TRAIT_COLUMNS, corpus.traits.T, strict=True))
        pd.DataFrame(values).to_parquet(folder / f"{times}.parquet", index=False)


def extraction(params: Params, folder: Path, times: int) -> Steps:
    """Extraction of the rendered clips, each `times` times."""
    clips = read_clips(folder)
    parts = [
        clips.assign(
            clip_id=clips["clip_id"] + f"-{n}", speaker_id=clips["speaker_id"] + f"-{n}"
        )
        for n in range(times)
    ]
    target = folder / str(times)
    write_clips(pd.concat(parts, ignore_index=True), target)
    features = target / "features"
    return {
        "extraction": lambda: extract_corpus(RENDERED, params, target, folder, features)
    }


def training(params: Params, folder: Path, times: int) -> Steps:
    """Training, then evaluation of what was trained."""

    def smaller(section, **changes):
        return section.model_copy(update={"epochs": 2, "patience": 2, **changes})

    params = params.model_copy(
        update={
            "variants": ["multitask"],
            "unimodal": smaller(params.unimodal, refits=2),
            "crosstask": smaller(params.crosstask),
            "fusion": smaller(params.fusion, seeds=[0]),
            "evaluate": params.evaluate.model_copy(update={"resamples": 200}),
        }
    )
    data = folder / str(times)
    runs = data / "runs"
    return {
        "training": lambda: train_study(params, runs, data, progress=False),
        "evaluation": lambda: evaluate_study(params, runs, data),
    }


def analysis(params: Params, folder: Path, times: int) -> Steps:
    """One association table with intervals."""
    values = pd.read_parquet(folder / f"{times}.parquet")
    chosen = params.association.model_dump(exclude={"smallest_effect"})
    source = "predicted_x_predicted"
    return {"analysis": lambda: association(values, source, **chosen, seed=0)}


# Name to what is measured, how to prepare it, and the clips of the smallest size.
STAGES = {
    "extraction": (extraction, prepare_extraction, EXTRACTED),
    "training": (training, prepare_training, 3 * TRAINED),
    "analysis": (analysis, prepare_analysis, ANALYSED),
}


def measure_here(stage: str, folder: str, times: str) -> None:
    """Measure one size here; print processor seconds and MiB of each step."""
    params = parameters.load()
    alone = params.compute.model_copy(update={"workers": 1, "device": "cpu"})
    params = params.model_copy(update={"compute": alone})
    found, peak = {}, Peak()
    peak.start()
    for step, run in STAGES[stage][0](params, Path(folder), int(times)).items():
        peak.bytes = 0
        start = time.process_time()  # whatever else the machine does
        run()
        found[step] = time.process_time() - start, peak.bytes / 2**20
    print(json.dumps(found))


def measure(stage: str) -> list[dict]:
    """Time and memory of all sizes, the slope of one and the growth of the other."""
    _, prepare, clips = STAGES[stage]
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        prepare(parameters.load(), Path(folder))
        for times in TIMES:
            print(f"{stage}, {times} times", flush=True)
            words = [sys.executable, __file__, "--one", stage, folder, str(times)]
            environment = os.environ | {"OMP_NUM_THREADS": "1"}
            said = subprocess.run(
                words, env=environment, check=True, stdout=subprocess.PIPE, text=True
            )
            found[times] = json.loads(said.stdout.splitlines()[-1])
    return [
        row
        for step in found[1]
        for row in step_rows(step, clips, {n: each[step] for n, each in found.items()})
    ]


def step_rows(step: str, clips: int, found: dict[int, list[float]]) -> list[dict]:
    """Of (seconds, MiB) by how many times the clips."""
    rows, name = [], f"growth_{step}"
    for times, (seconds, memory) in found.items():
        what = f"{step} of {times * clips:,} clips"
        rows.append(table.row(name, what, [seconds], "processor seconds"))
        rows.append(table.row(name, what, [memory], "MiB", digits=0))
    one, few, many = TIMES
    more = (found[many][0] - found[few][0]) / (found[few][0] - found[one][0])
    slope = math.log(more) / math.log((many - few) / (few - one))
    what = f"time of {step} against clips, slope of logarithms"
    rows.append(table.row(name, what, [slope], "", SLOPE))
    growth = found[many][1] / found[one][1]
    what = f"memory of {step}, {many} times the clips"
    rows.append(table.row(name, what, [growth], "times the memory", MEMORY))
    return rows


def main(names: list[str]) -> None:
    """Measure the named stages and merge them into the table."""
    for name in names or STAGES:
        table.merge(measure(name))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        measure_here(*sys.argv[2:])
    else:
        main(sys.argv[1:])
