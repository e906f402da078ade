"""What mixing over time is worth in stage 1, by kind of sequence block.

The block that the method was published with lets nothing pass from one step to another.
Each kind is trained here from the same seeds on every modality and task of a study,
and on one drawn task that nothing but the order of steps can tell
(`sslmepr.trials.order`). Dev measures what it has chosen; no test label is read.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import torch
from tqdm import tqdm

from sslmepr.labels import TASKS
from sslmepr.params import Blocks, Params
from sslmepr.processes import process_pool
from sslmepr.training.unimodal import train_unimodal
from sslmepr.trials.order import draw_order, train_order
from sslmepr.trials.seeds import over_seeds

LINEAR = "linear"
"""The regression on means over steps that every block starts from."""

PUBLISHED = "state_free"

DRAWN, ORDER = "drawn sequences", "order"
MEAN = "mean over modalities"


def try_blocks(
    params: Params, name: str, data_folder: str | Path = "data", progress: bool = True
) -> pd.DataFrame:
    """Train the kinds of block of ``params.blocks[name]`` from all of its seeds.

    Parameters
    ----------
    params : Params
        Its section ``unimodal`` says how to train.
    name : str
    data_folder : path
        Holds the study's corpora and features.
    progress : bool

    Returns
    -------
    DataFrame
        what (a modality, or `DRAWN`), task (``emotion``, ``personality`` or `ORDER`),
        block (a kind, or `LINEAR`), seed, value: the score of the best epoch on dev,
        for order the area under the curve. It is missing where no labelled clip has
        the modality.
    """
    section = params.blocks[name]
    tasks = [*product(params.modalities, TASKS), (DRAWN, ORDER)]
    cells = [
        (*task, kind, seed)
        for task in tasks
        for seed in section.seeds
        for kind in section.kinds
    ]
    # Each process has one core's work; results depend on no other cell.
    workers = params.compute.workers
    with process_pool(workers, [__name__], torch.set_num_threads, (1,)) as pool:
        train = partial(_cell, params, section, data_folder)
        found = pool.map(train, *zip(*cells, strict=True))
        bar = tqdm(found, total=len(cells), desc="blocks", disable=not progress)
        scores = list(bar)
    columns = ["what", "task", "block", "seed", "value"]
    return pd.DataFrame(_rows(cells, scores), columns=columns)


def _rows(cells: list[tuple], scores: list[tuple]) -> Iterator[tuple]:
    """Rows of the table; the regression, which all kinds start from, comes once."""
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
    """Dev score before training, and the best of all epochs."""
    if task == ORDER:
        drawn = draw_order(section.sequences, section.steps, seed)
        _, scores = train_order(params, kind, drawn, seed)
        return scores[0], scores.max()
    blocks = dict.fromkeys(params.modalities, kind)
    changes = {"blocks": blocks, "refits": 0}
    unimodal = params.unimodal.model_copy(update=changes)
    own = params.model_copy(update={"unimodal": unimodal, "seed": seed})
    with TemporaryDirectory() as folder:
        result = train_unimodal(own, what, task, folder, data_folder, progress=False)
    scores = pd.DataFrame(result["history"])["dev_score"]
    return scores[0], scores.max()


def summarise(runs: pd.DataFrame, level: float) -> pd.DataFrame:
    """Means over seeds of scores, and of differences from the same seed.

    Parameters
    ----------
    runs : DataFrame
        From :func:`try_blocks`.
    level : float
        Of the intervals, from Student's t over seeds.

    Returns
    -------
    DataFrame
        what (also `MEAN`, of each of the study's tasks), task, block, metric, estimate,
        low, high, interval (which kind), n (seeds). Metrics: ``dev_score``;
        ``over_linear``, what a kind adds to the regression it starts from;
        ``over_state_free``, what it adds to the published kind.
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
    return over_seeds(pd.concat(tables, ignore_index=True), names, level)
