"""What the analysis of associations finds, and what it invents, in many drawn worlds.

In each world every planted correlation is equally strong. The regressions that the
pipeline starts from learn emotions from one drawn corpus and traits from another, and
their predictions on a third are analysed as the chapter on validity does: from disjoint
modalities, with the error of learning. The shortcut, all modalities on both sides,
stands beside it.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats
from scipy.special import expit
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from sslmepr.analysis.correlation import DISJOINT, association
from sslmepr.analysis.disjoint import COLUMNS, disjoint_tables
from sslmepr.analysis.recovery import tidy_matrix
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TARGETS, TASKS, TRAITS
from sslmepr.learning.baselines import Linear
from sslmepr.params import Params, Power
from sslmepr.trials.drawn import DrawnStudy, draw_study, signed_world

SHORTCUT = "predicted_x_predicted"


class Design(NamedTuple):
    """How strong associations are, and how many clips of how many people there are."""

    strength: float
    clips: int
    clips_per_speaker: int


def designs(section: Power) -> list[Design]:
    """The base design at every strength, and those that differ from it in one thing."""
    clips, each = section.clips[0], section.clips_per_speaker[0]
    sizes = [(count, each) for count in section.clips]
    sizes += [(clips, count) for count in section.clips_per_speaker[1:]]
    return [Design(*both) for both in _flat(product(section.strengths, sizes))]


def _flat(pairs) -> Iterator[tuple]:
    for strength, size in pairs:
        yield (strength, *size)


def try_power(params: Params, name: str, progress: bool = True) -> pd.DataFrame:
    """Analyse all worlds of ``params.power[name]``.

    Parameters
    ----------
    params : Params
        Its section ``association`` says how to analyse; ``unimodal.refits`` how often
        the regressions are fitted to other training samples.
    name : str
    progress : bool

    Returns
    -------
    DataFrame
        strength, clips, clips_per_speaker, world, source, emotion, trait, planted, r,
        low, high, significant; a row per cell.
    """
    section = params.power[name]
    cells = list(product(designs(section), range(section.worlds)))
    with ProcessPoolExecutor(params.compute.workers) as pool:
        found = pool.map(partial(_world, params, section), *zip(*cells, strict=True))
        bar = tqdm(found, total=len(cells), desc="power", disable=not progress)
        return pd.concat(list(bar), ignore_index=True)


def _world(params: Params, section: Power, design: Design, number: int):
    """Both analyses of one world."""
    # Each process has one core's work.
    with threadpool_limits(1):
        world = signed_world(params.simulation, section.world, design.strength)
        # Another strength is another world, not the same people again.
        seed = [params.seed, number, round(1000 * design.strength), *design[1:]]
        study = draw_study(
            params.simulation,
            world,
            design.clips,
            design.clips_per_speaker,
            section.features,
            offset=0.0,
            seed=seed,
        )
        tables = [
            found.assign(source=source)
            for source, found in _analyses(params, study, number).items()
        ]
    signs = pd.DataFrame(world.association, list(SCORED_EMOTIONS), list(TRAITS))
    table = pd.concat(tables, ignore_index=True)
    table = table.merge(tidy_matrix(signs, "planted"), on=["emotion", "trait"])
    table = table.assign(**design._asdict(), world=number)
    columns = [*Design._fields, "world", "source", "emotion", "trait", "planted"]
    return table[[*columns, "r", "low", "high", "significant"]]


def _analyses(params: Params, study: DrawnStudy, number: int) -> dict:
    """Source to the associations found on the held-out corpus."""
    logits, refits = _learned(study, params.unimodal.refits, number)
    held_out = study.held_out
    settings = params.association
    analyse = partial(
        association,
        resamples=settings.resamples,
        level=settings.level,
        correction=settings.correction,
        alpha=settings.alpha,
        seed=number,
        levels=("clip",),
    )
    speakers = pd.Series(held_out.speaker_ids, held_out.clip_ids)
    predictions = pd.concat(
        [
            _predictions(modality, values, held_out.clip_ids)
            for modality, values in logits.items()
        ]
    )
    divided = disjoint_tables(predictions, refits, speakers)
    # Neutral is not correlated.
    everything = sum(logits.values())[:, 1:]
    together = pd.DataFrame(everything, columns=COLUMNS).assign(
        clip_id=held_out.clip_ids, speaker_id=held_out.speaker_ids
    )
    return {
        DISJOINT: analyse(divided.table, DISJOINT, refits=divided.refits),
        SHORTCUT: analyse(together, SHORTCUT),
    }


def _learned(study: DrawnStudy, refits: int, seed: int):
    """Logits on the held-out corpus: by modality, and a table of those of refits."""
    logits, tables = {}, []
    for modality, values in study.held_out.features.items():
        first, again = [], []
        for task in TASKS:
            corpus = study[task]
            known = {"emotion": corpus.emotions, "personality": corpus.traits}[task]
            features = corpus.features[modality]
            train, dev = (corpus.split == split for split in ("train", "dev"))
            model = Linear(
                task, features[train], known[train], features[dev], known[dev]
            )
            weights, bias = model.probe()
            first.append(values @ weights.T + bias)
            probes = model.refitted(corpus.speaker_ids[train], refits, seed)
            again.append([values @ weights.T + bias for weights, bias in probes])
        logits[modality] = np.hstack(first)
        for refit, parts in enumerate(zip(*again, strict=True)):
            table = pd.DataFrame(np.hstack(parts), columns=[*EMOTIONS, *TRAITS])
            keys = {"modality": modality, "refit": refit}
            tables.append(table.assign(clip_id=study.held_out.clip_ids, **keys))
    return logits, pd.concat(tables, ignore_index=True)


def _predictions(modality: str, logits: np.ndarray, clip_ids) -> pd.DataFrame:
    """As the evaluation would write them, of stage 2."""
    targets = [*TARGETS["emotion"], *TARGETS["personality"]]
    return pd.DataFrame(
        {
            "clip_id": np.repeat(clip_ids, len(targets)),
            "split": "test",
            "variant": f"{modality}-crosstask",
            "target": np.tile(targets, len(clip_ids)),
            "predicted": expit(logits).ravel(),
        }
    )


def summarise(cells: pd.DataFrame, level: float) -> pd.DataFrame:
    """What was found and invented, per source and design.

    Parameters
    ----------
    cells : DataFrame
        From `try_power`.
    level : float
        Of the intervals, from Student's t over worlds.

    Returns
    -------
    DataFrame
        source, strength, clips, clips_per_speaker, metric, estimate, low, high, n
        (worlds). Metrics: ``found``, share of the planted cells that are significant;
        ``invented``, share of the others that are; ``any invented``, share of worlds
        with one of those; ``slope`` of recovered on planted correlations and ``r``
        between them; ``covers planted``, share of intervals that hold the planted
        value; ``covers expected``, that hold the cell's mean over all worlds of the
        design, which is where an estimate from noisy channels should lie.
    """
    keys = ["source", *Design._fields]
    expected = cells.groupby([*keys, "emotion", "trait"])["r"].transform("mean")
    planted, r = cells["planted"], cells["r"]
    hit = cells["significant"].astype(float)
    measured = cells[[*keys, "world"]].assign(
        found=hit.where(planted != 0),
        invented=hit.where(planted == 0),
        covers_planted=planted.between(cells["low"], cells["high"]).astype(float),
        covers_expected=expected.between(cells["low"], cells["high"]).astype(float),
        r=r,
        planted=planted,
        product=r * planted,
        r_square=r**2,
        square=planted**2,
    )
    groups = measured.groupby([*keys, "world"], sort=False)
    worlds = groups[["found", "invented", "covers_planted", "covers_expected"]].mean()
    worlds["any_invented"] = groups["invented"].max()
    mean = groups[["r", "planted", "product", "r_square", "square"]].mean()
    worlds["slope"] = mean["product"] / mean["square"].where(mean["square"] > 0)
    spread = (mean["r_square"] - mean["r"] ** 2) * (
        mean["square"] - mean["planted"] ** 2
    )
    covariance = mean["product"] - mean["r"] * mean["planted"]
    worlds["r"] = covariance / np.sqrt(spread.where(spread > 1e-12))
    tidy = worlds.rename(columns=lambda name: name.replace("_", " "))
    tidy = tidy.rename_axis(columns="metric").stack(future_stack=True).dropna()
    table = tidy.groupby([*keys, "metric"], sort=False).agg(["mean", "std", "count"])
    quantile = stats.t.ppf((1 + level) / 2, table["count"].clip(lower=2) - 1)
    half = quantile * table["std"] / np.sqrt(table["count"])
    found = pd.DataFrame(
        {
            "estimate": table["mean"],
            "low": table["mean"] - half,
            "high": table["mean"] + half,
            "n": table["count"],
        }
    ).reset_index()
    shares = ~found["metric"].isin(["slope", "r"])
    found.loc[shares, ["low", "high"]] = found.loc[shares, ["low", "high"]].clip(0, 1)
    return found
