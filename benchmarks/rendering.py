"""What a simulated clip costs to render, altogether and part by part.

``python benchmarks/rendering.py`` renders clips of every simulated corpus of the study,
on one thread, and updates ``results/benchmarks.csv``. Counted is the time that the
processor spends, so that other programs matter little; the first clip, which loads what
all need, is not counted.
"""

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import cv2
import table

from sslmepr import params as parameters
from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.simulation import plan
from sslmepr.simulation.draw import draw_corpus

CLIPS = 12
"""Of each corpus, at equal distances, so that persons and domains differ."""

PARTS = {
    "speech": (plan.voice, "speak"),
    "frames": (plan.picture, "render_frames"),
    "file, encoded and written": (plan, "write_clip"),
}


def chosen(params: Params) -> list[plan.ClipPlan]:
    """Clips of every simulated corpus of the study."""
    plans = []
    for name in params.corpora:
        corpus = params.corpus[name]
        if isinstance(corpus, SimulatedCorpus):
            every = plan.plan_clips(name, draw_corpus(name, corpus, params), params)
            plans += every[:: -(-len(every) // CLIPS)]
    return plans


def measured(clip: plan.ClipPlan, params: Params, folder: Path) -> dict[str, float]:
    """Processor seconds of a clip and of its parts, and how many frames it has."""
    spent = {}

    def timed(part, call):
        def run(*given):
            start = time.process_time()
            result = call(*given)
            spent[part] = time.process_time() - start
            if part == "frames":
                spent["count"] = len(result)
            return result

        return run

    with ExitStack() as stack:
        for part, (owner, name) in PARTS.items():
            call = timed(part, getattr(owner, name))
            stack.enter_context(patch.object(owner, name, call))
        start = time.process_time()
        plan.render_clip(clip, params.simulation, folder / "clip.mp4")
        return spent | {"all": time.process_time() - start}


def main() -> None:
    """Measure and merge into the table."""
    cv2.setNumThreads(1)
    params = parameters.load()
    with tempfile.TemporaryDirectory() as folder:
        plans = chosen(params)
        found = [measured(clip, params, Path(folder)) for clip in plans[:1] + plans][1:]
    what, unit = "rendering of a simulated clip", "processor seconds"
    seconds = [each["all"] for each in found]
    rows = [table.row("rendering", what, seconds, unit, "≤ 0.15", 3)]
    for part in PARTS:
        seconds = [each[part] for each in found]
        rows.append(table.row("rendering", f"{what}: {part}", seconds, unit, digits=3))
    per_frame = [1000 * each["all"] / each["count"] for each in found]
    label, unit = "rendering of a frame, its share of speech and file included", "ms"
    rows.append(table.row("rendering", label, per_frame, unit, digits=2))
    table.merge(rows)


if __name__ == "__main__":
    main()
