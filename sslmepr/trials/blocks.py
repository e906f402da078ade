"""Gain from temporal modelling in stage 1, by kind of sequence block.

In the published block, no information passes between steps. Each kind is trained with
the same seeds on every modality and task of a study, and on a simulated task in which
only the order of steps is informative (`sslmepr.trials.order`). Scores are on dev,
which also selects the epoch, so they are optimistic; no test label is read.
"""

from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import torch
from tqdm import tqdm

from sslmepr.labels import TASKS
from sslmepr.params import Params
from sslmepr.processes import each_result
from sslmepr.training.unimodal import train_unimodal
from sslmepr.trials.order import draw_order, train_order
from sslmepr.trials.params import Blocks
from sslmepr.trials.seeds import over_seeds

LINEAR = "linear"
"""The linear probe on mean-pooled features that every block starts from."""

PUBLISHED = "state_free"

DRAWN, ORDER = "drawn sequences", "order"
MEAN = "mean over modalities"


def try_blocks(
    params: Params,
    section: Blocks,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> pd.DataFrame:
    """Train every kind of block of `section` with all of its seeds.

    Parameters
    ----------
    params : Params
        Section ``unimodal`` gives the other settings of model and schedule.
    section : Blocks
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet`` and ``<corpus>/features``.
    progress : bool
        Show a progress bar over runs.

    Returns
    -------
    DataFrame
        what (a modality, or `DRAWN`), task (``emotion``, ``personality`` or `ORDER`),
        block (a kind, or `LINEAR`), seed, value (dev score of the trained model, for
        `ORDER` the area under the curve; missing where no labelled clip has the
        modality).
    """
    tasks = [*product(params.modalities, TASKS), (DRAWN, ORDER)]
    cells = [
        (*task, kind, seed)
        for task in tasks
        for seed in section.seeds
        for kind in section.kinds
    ]
    # One thread per process; results do not depend on other cells.
    calls = [(params, section, data_folder, *cell) for cell in cells]
    one_thread, workers = (torch.set_num_threads, (1,)), params.compute.workers
    found = each_result(_cell, calls, workers, [__name__], *one_thread)
    scores = list(tqdm(found, total=len(cells), desc="blocks", disable=not progress))
    columns = ["what", "task", "block", "seed", "value"]
    return pd.DataFrame(_rows(cells, scores), columns=columns)


def _rows(cells: list[tuple], scores: list[tuple]) -> Iterator[tuple]:
    """Rows of the table, with the linear probe, which all kinds share, once."""
    known = set()
    for (what, task, kind, seed), (start, best) in zip(cells, scores, strict=True):
        if (what, task, seed) not in known:
            known.add((what, task, seed))
            yield what, task, LINEAR, seed, start
        yield what, task, kind, seed, best


def _cell(
    params: Params,
    section: Blocks,
    data_folder: str | Path,
    what: str,
    task: str,
    kind: str,
    seed: int,
) -> tuple[float, float]:
    """Dev score of the linear model and of the trained one."""
    if task == ORDER:
        drawn = draw_order(section.sequences, section.steps, seed)
        _, scores = train_order(params, kind, drawn, seed)
        return scores[0], scores[-1]
    blocks = dict.fromkeys(params.modalities, kind)
    changes = {"blocks": blocks, "refits": 0}
    unimodal = params.unimodal.model_copy(update=changes)
    own = params.model_copy(update={"unimodal": unimodal, "seed": seed})
    with TemporaryDirectory() as folder:
        result = train_unimodal(own, what, task, folder, data_folder, progress=False)
    end = result["dev_score"]
    return result["linear_dev_score"], float("nan") if end is None else end


def summarise(runs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Means over seeds of scores and of paired differences between blocks.

    Parameters
    ----------
    runs : DataFrame
        From :func:`try_blocks`.
    confidence : float
        Confidence level of Student's t intervals over seeds.

    Returns
    -------
    DataFrame
        what (also `MEAN`, of each of the study's tasks), task, block, metric, estimate,
        low, high, interval (its kind), n (seeds). Metrics: ``dev_score``;
        ``over_linear``, the gain over the linear probe; ``over_state_free``, the gain
        over the published block.
    """
    studied = runs[runs["task"] != ORDER]
    means = studied.groupby(["task", "block", "seed"], sort=False)["value"].mean()
    scores = pd.concat([runs, means.reset_index().assign(what=MEAN)], ignore_index=True)
    cell = ["what", "task", "seed"]
    tables = [scores.assign(metric="dev_score")]
    for reference in (LINEAR, PUBLISHED):
        start = scores[scores["block"] == reference].set_index(cell)["value"]
        others = scores[~scores["block"].isin([LINEAR, reference])]
        paired = others.join(start.rename("start"), on=cell, how="inner")
        value = paired["value"] - paired["start"]
        tables.append(paired.assign(value=value, metric=f"over_{reference}"))
    names = ["what", "task", "block", "metric"]
    return over_seeds(pd.concat(tables, ignore_index=True), names, confidence)
