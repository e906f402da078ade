"""What an ideal observer loses without one piece of knowledge, by dose of each knob.

In a world with knobs (`sslmepr.simulation.knobs`), the full observer knows all laws. A
nested observer lacks the knowledge of one knob: it takes the clip for one of a world
without it. Late fusion, a regression on the controls of all channels averaged over the
clip, is fitted to many clips of the world as it is, and so hedges against what it does
not know. What a part of a model could win by supplying the knowledge is the distance of
the better of the two from the full observer. Everything is measured on drawn controls,
without rendering.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from sslmepr.labels import TASKS
from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.params.simulation import Knobs
from sslmepr.processes import each_result
from sslmepr.report.observer_losses import FULL, LINEAR, MIXED, NESTED
from sslmepr.simulation.draw import Draw, draw_corpus
from sslmepr.simulation.ideal_observer import (
    Posterior,
    Seen,
    observe_clips,
    score_emotions,
    score_traits,
)
from sslmepr.simulation.world import EMOTION_PART, LATENTS, TRAIT_PART
from sslmepr.training.probes import Linear
from sslmepr.trials.params import Observers
from sslmepr.trials.seeds import over_seeds

METRICS = {"emotion": "mWACC", "personality": "CCC"}

CLIPS_PER_PERSON = 4
DEV_SHARE = 0.2
"""Of the clips that late fusion is fitted to, those that choose its penalty."""


def try_observers(
    params: Params, section: Observers, progress: bool = True
) -> pd.DataFrame:
    """Score full and nested observers, and late fusion, in worlds with knobs.

    Parameters
    ----------
    params : Params
        Section ``simulation`` gives channels, labels and number of moments of a clip.
    section : Observers
    progress : bool
        Show a progress bar over worlds.

    Returns
    -------
    DataFrame
        knob, dose, seed, observer (`FULL`, `LINEAR` or `NESTED` with a knob), metric,
        value. All knobs of ``section.mild`` together stand under the knob `MIXED`.

    Raises
    ------
    WorldError
        If the section names a world that the simulation does not have.
    """
    calls = [
        (params, section, *world, seed)
        for world in _worlds(section)
        for seed in section.seeds
    ]
    # The largest first, so that no processor waits for it at the end.
    calls.sort(key=lambda call: call[2] != MIXED)
    found = each_result(_cell, calls, params.compute.workers, [__name__])
    bar = tqdm(found, total=len(calls), desc="observers", disable=not progress)
    table = pd.concat(list(bar), ignore_index=True)
    return table.sort_values(["knob", "dose", "seed"], kind="stable", ignore_index=True)


def _worlds(section: Observers) -> Iterator[tuple[str, float, Knobs, list[str]]]:
    """Yield knob, dose, all doses of the world, and the knobs to be left unknown."""
    for knob in section.knobs:
        for dose in section.doses:
            yield knob, dose, Knobs(**{knob: dose}), [knob]
    known = [name for name in section.knobs if getattr(section.mild, name)]
    yield MIXED, 1.0, section.mild, known


def _cell(
    params: Params,
    section: Observers,
    knob: str,
    dose: float,
    knobs: Knobs,
    unknown: list[str],
    seed: int,
) -> pd.DataFrame:
    """All observers and late fusion in one world."""
    changes = {"knobs": knobs, "seed": seed}
    simulation = params.simulation.model_copy(update=changes)
    own = params.model_copy(update={"simulation": simulation})
    rows = []
    with threadpool_limits(1):
        unseen = _draw(own, section, "unseen", section.clips)
        for name in (FULL, *unknown):
            without = () if name == FULL else (name,)
            title = name if name == FULL else NESTED.format(name)
            posterior = _observe(own, unseen, without)
            rows += [(title, *score) for score in _scores(own, posterior, unseen)]
        seen = _draw(own, section, "seen", section.training)
        rows += [(LINEAR, *score) for score in _late_fusion(own, seen, unseen)]
    table = pd.DataFrame(rows, columns=["observer", "metric", "value"])
    return table.assign(knob=knob, dose=dose, seed=seed)[
        ["knob", "dose", "seed", "observer", "metric", "value"]
    ]


def _draw(params: Params, section: Observers, name: str, clips: int) -> Draw:
    corpus = SimulatedCorpus(
        source="simulated",
        world=section.world,
        domains=[next(iter(params.simulation.domains))],
        labels=list(TASKS),
        clips=clips,
        persons=max(clips // CLIPS_PER_PERSON, 1),
    )
    return draw_corpus(name, corpus, params)


def _observe(params: Params, draw: Draw, without: tuple[str, ...]) -> Posterior:
    simulation = params.simulation
    return observe_clips(
        draw.world,
        draw.channels,
        Seen(draw.controls, draw.circumstances, draw.domains),
        {name: each.emotion_scale for name, each in simulation.domains.items()},
        simulation.emotion_threshold,
        simulation.knobs,
        simulation.cue_frames,
        without,
    )


def _scores(
    params: Params, posterior: Posterior, draw: Draw
) -> Iterator[tuple[str, float | None]]:
    simulation = params.simulation
    emotions, traits = draw.latents[:, EMOTION_PART], draw.latents[:, TRAIT_PART]
    scores = score_emotions(posterior, emotions, simulation.emotion_threshold)
    scores |= score_traits(posterior, traits, simulation.trait_scale)
    for metric in METRICS.values():
        yield metric, scores[metric]


def _late_fusion(
    params: Params, seen: Draw, unseen: Draw
) -> Iterator[tuple[str, float | None]]:
    """Scores of a regression on all channels, by the rules of the observers."""
    features, others = _pooled(seen), _pooled(unseen)
    simulation = params.simulation
    present = seen.latents[:, EMOTION_PART] > simulation.emotion_threshold
    labels = {"emotion": present, "personality": seen.latents[:, TRAIT_PART]}
    dev = np.arange(len(features)) >= (1 - DEV_SHARE) * len(features)
    mean, size = np.zeros((2, len(unseen.latents), len(LATENTS)))
    decided = np.zeros((len(unseen.latents), EMOTION_PART.stop))
    for task, true in labels.items():
        # Traits are fitted on the scale of their labels, which `Linear` expects.
        scale = simulation.trait_scale if task == "personality" else 1
        fitted = 0.5 + scale * true if task == "personality" else true
        model = Linear(task, features[~dev], fitted[~dev], features[dev], fitted[dev])
        if task == "emotion":
            # Decided at the base rate of the training clips, as the observers do.
            decided = model.predict(others) >= true.mean(0)
            continue
        mean[:, TRAIT_PART] = (model.predict(others) - 0.5) / scale
        known = (model.predict(features[dev]) - 0.5) / scale
        size[:, TRAIT_PART] = known.std(0) / true[dev].std(0)
    even, zero = np.full(decided.shape, 0.5), np.zeros_like(mean)
    posterior = Posterior(*(decided.astype(float), mean, mean, mean, size, even, zero))
    yield from _scores(params, posterior, unseen)


def _pooled(draw: Draw) -> np.ndarray:
    """Controls averaged over the clip, and which channels it has: (clip, feature)."""
    absent = [draw.circumstances.absent[name] for name in draw.controls]
    means = [each.mean(1) for each in draw.controls.values()]
    return np.hstack([*means, np.column_stack(absent)])


def summarise_observers(runs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Means over seeds, and what each nested observer and late fusion lose.

    Parameters
    ----------
    runs : DataFrame
        From `try_observers`.
    confidence : float
        Of Student's t intervals over seeds, each of which is a world of its own.

    Returns
    -------
    DataFrame
        knob, dose, observer, metric, estimate, low, high, interval, n (seeds), loss
        (the full observer less this one, in the same worlds), loss_low, loss_high.
    """
    keys = ["knob", "dose", "metric"]
    full = runs[runs["observer"] == FULL].set_index([*keys, "seed"])["value"]
    runs = runs.join(full.rename("full"), on=[*keys, "seed"])
    groups = ["knob", "dose", "observer", "metric"]
    scores = over_seeds(runs, groups, confidence)
    runs = runs.assign(value=runs["full"] - runs["value"])
    lost = over_seeds(runs, groups, confidence)
    names = {"estimate": "loss", "low": "loss_low", "high": "loss_high"}
    return scores.assign(**{new: lost[old] for old, new in names.items()})
