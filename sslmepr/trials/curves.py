"""Learning curves in a world with knobs, between linear fusion and ideal observers.

Several ways of learning (`sslmepr.trials.curve_arms`) are trained on more and more
clips of the same studies, drawn as features, and scored on the same new people. What
can be reached is bounded: an ideal observer knows the world, and sees the controls or
what pooled features keep of them (`sslmepr.trials.drawn_observer`). A linear model that
has learned from very many clips is where a network has to begin to be worth anything.
**Covered** is the share of the way from the latter to the former.

Scores of each size are kept in files, so that a trial that was ended goes on.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from threadpoolctl import threadpool_limits
from tqdm.auto import tqdm

from sslmepr.labels import SPLITS, TASKS
from sslmepr.params import Params
from sslmepr.params.training import Variant
from sslmepr.processes import each_result
from sslmepr.simulation.world import World, make_world
from sslmepr.statistics.metrics import area_under_curve
from sslmepr.training.probes import Linear
from sslmepr.trials.collapse import (
    ROLES,
    Arm,
    fusion_clips,
    mean_concordance,
    recall,
)
from sslmepr.trials.curve_arms import ARMS, FACTOR, WHOLE, Predicted, stretched
from sslmepr.trials.drawn import DrawnCorpus, DrawnStudy, draw_study, with_doses
from sslmepr.trials.drawn_observer import observe_controls, observe_features
from sslmepr.trials.kept import kept_table
from sslmepr.trials.labelling import LABELLED, Labelling
from sslmepr.trials.params import Curves
from sslmepr.trials.seeds import over_seeds

LIMIT = "linear model, very many clips"
FULL, OF_FEATURES = "observer of controls", "observer of features"
BOUNDS = (LIMIT, OF_FEATURES, FULL)
LEADING = (WHOLE, FACTOR)
"""Arms whose gains over the others are told."""


def try_curves(
    params: Params, section: Curves, folder: str | Path, progress: bool = True
) -> pd.DataFrame:
    """Train and score all arms of `section` at all sizes and seeds.

    Parameters
    ----------
    params : Params
        Section ``fusion`` gives the model and schedule except the number of epochs.
    section : Curves
    folder : path
        Keeps the scores of each size (`sslmepr.trials.kept`).
    progress : bool
        Show a progress bar over seeds.

    Returns
    -------
    DataFrame
        clips, seed, arm, metric (``mWACC``, ``AUC``, ``CCC``), value. The `BOUNDS` are
        the same at all sizes.

    Raises
    ------
    WorldError
        If the section names a world that the simulation does not have.
    """
    calls = [(params, section, Path(folder), seed) for seed in section.seeds]
    one_thread, workers = (torch.set_num_threads, (1,)), params.compute.workers
    found = each_result(_study, calls, workers, [__name__], *one_thread)
    bar = tqdm(found, total=len(calls), desc="curves", disable=not progress)
    return pd.concat(list(bar), ignore_index=True)


def _study(params: Params, section: Curves, folder: Path, seed: int) -> pd.DataFrame:
    """All sizes and arms of one study."""
    doses = section.knobs.model_dump(exclude_defaults=True)
    simulation = with_doses(params.simulation, **doses)
    changes = {"epochs": section.epochs, "patience": None}
    fusion = params.fusion.model_copy(update=changes)
    own = params.model_copy(
        update={"roles": ROLES, "fusion": fusion, "simulation": simulation}
    )
    world = make_world(section.world, simulation.worlds)
    of_fusion = fusion.model_dump(exclude={"seeds"})
    key = [of_fusion, simulation.model_dump(), params.seed]
    key += [section.model_dump(include={"world", "features", "held_out", "reference"})]
    drawn = []

    def study() -> DrawnStudy:
        if not drawn:
            drawn.append(_draw(own, section, world, seed))
        return drawn[0]

    def bounds():
        with threadpool_limits(1):
            return dict(_bounds(own, world, study()))

    limits = _kept(folder, [*key, seed, "bounds"], study, bounds)
    tables = []
    for clips in section.clips:
        tables += [limits.assign(clips=clips)]
        smaller = []

        def data(clips=clips, smaller=smaller):
            if not smaller:
                part = fewer(study(), clips / section.reference).standardised()
                smaller.append(fusion_clips(own, part, Arm(Variant())))
            return smaller[0]

        for name in section.arms:

            def learn(name=name, data=data):
                return dict(ARMS[name](own, data(), seed))

            found = _kept(folder, [*key, seed, clips, name], study, learn)
            tables.append(found.assign(clips=clips))
    return pd.concat(tables, ignore_index=True).assign(seed=seed)[
        ["clips", "seed", "arm", "metric", "value"]
    ]


def _draw(params: Params, section: Curves, world: World, seed: int) -> DrawnStudy:
    """The study at its largest, with features as they are."""
    simulation = params.simulation
    count = round(section.reference / simulation.split["train"])
    return draw_study(
        simulation,
        world,
        clips=section.held_out,
        clips_per_speaker=1,
        features=section.features,
        offset=0.0,
        seed=seed,
        labelling=Labelling(dict.fromkeys(LABELLED, count)),
        moving=False,
    )


def fewer(study: DrawnStudy, share: float) -> DrawnStudy:
    """A study with a share of the training and dev clips, and none of their test clips.

    The first ones, so that smaller studies are parts of larger ones. New people stay.
    """
    corpora = {"held_out": study.held_out}
    for role in LABELLED:
        corpus = study[role]
        parts = [np.flatnonzero(corpus.split == name) for name in SPLITS[:2]]
        kept = [part[: round(share * len(part))] for part in parts]
        corpora[role] = corpus.at(np.concatenate(kept))
    return DrawnStudy(**corpora, maps=study.maps)


def _kept(
    folder: Path,
    key: list,
    study: Callable[[], DrawnStudy],
    predict: Callable[[], dict[str, Predicted]],
) -> pd.DataFrame:
    """Scores on new people, from a file if there is one for this key."""

    def scored():
        rows = [
            (arm, *score)
            for arm, predicted in predict().items()
            for score in _scores(study().held_out, predicted)
        ]
        return pd.DataFrame(rows, columns=["arm", "metric", "value"])

    return kept_table(folder, __name__, key, scored)


def _bounds(
    params: Params, world: World, study: DrawnStudy
) -> Iterator[tuple[str, Predicted]]:
    """What a linear model learns from all clips, and what observers know."""
    simulation, last = params.simulation, "held_out"
    yield LIMIT, _linear_limit(study)
    full = observe_controls(simulation, world, study.held_out, last)
    yield FULL, Predicted(*full.predictions(simulation))
    kept = observe_features(simulation, world, study, last)
    yield OF_FEATURES, Predicted(*kept.predictions(simulation))


def _linear_limit(study: DrawnStudy) -> Predicted:
    """Regressions on the features of all modalities, and on which a clip has."""
    study = study.standardised()
    new = _joined(study.held_out)
    targets, thresholds = {}, np.zeros(0)
    for task in TASKS:
        corpus = study[task]
        features = _joined(corpus)
        true = corpus.emotions if task == "emotion" else corpus.traits
        train, dev = (corpus.split == name for name in SPLITS[:2])
        model = Linear(task, features[train], true[train], features[dev], true[dev])
        targets[task] = model.predict(new)
        if task == "emotion":
            thresholds = (true[train, 1:] > 0).mean(0)
        else:
            known = model.predict(features[dev])
            targets[task] = stretched(targets[task], known, true[dev])
    return Predicted(targets, thresholds)


def _joined(corpus: DrawnCorpus) -> np.ndarray:
    """(clip, feature)"""
    present = np.column_stack([*corpus.present.values()])
    return np.hstack([*corpus.features.values(), present.astype(np.float32)])


def _scores(unseen: DrawnCorpus, predicted: Predicted) -> Iterator[tuple[str, float]]:
    """Scores on the held-out corpus, whose clips are the last ones."""
    everyone = np.ones(len(unseen.clip_ids), bool)
    emotions = predicted.targets["emotion"][-len(everyone) :, 1:]
    yield "mWACC", recall(unseen, everyone, emotions, predicted.thresholds)
    areas = area_under_curve(unseen.emotions[:, 1:] > 0, emotions)
    yield "AUC", float(np.nanmean(areas))
    traits = predicted.targets["personality"][-len(everyone) :]
    yield "CCC", mean_concordance(unseen.traits, traits)


def covered(runs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Share of the way from the linear limit to each observer.

    Parameters
    ----------
    runs : DataFrame
        From `try_curves`.
    confidence : float
        Of Student's t intervals over seeds, each of which is a study of its own.

    Returns
    -------
    DataFrame
        clips, arm, observer (`OF_FEATURES` or `FULL`), metric, estimate (the mean over
        studies of the share; below 0 where the linear limit is ahead), low, high,
        interval, n (seeds).
    """
    keys = ["clips", "seed", "metric"]
    start = runs[runs["arm"] == LIMIT].set_index(keys)["value"].rename("start")
    arms = runs[~runs["arm"].isin(BOUNDS)].join(start, on=keys)
    tables = []
    for observer in (OF_FEATURES, FULL):
        end = runs[runs["arm"] == observer].set_index(keys)["value"].rename("end")
        both = arms.join(end, on=keys)
        share = (both["value"] - both["start"]) / (both["end"] - both["start"])
        tables.append(both.assign(value=share, observer=observer))
    names = ["clips", "arm", "observer", "metric"]
    return over_seeds(pd.concat(tables, ignore_index=True), names, confidence)


def ahead(runs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Gain of the whole method and of the factor model over every other arm.

    Parameters
    ----------
    runs : DataFrame
        From `try_curves`.
    confidence : float
        As for `covered`.

    Returns
    -------
    DataFrame
        clips, arm (one of `LEADING`), against (another arm), metric, estimate (on the
        same studies), low, high, interval, n (seeds); empty where none of `LEADING` is
        among the arms.
    """
    keys, tables = ["clips", "seed", "metric"], []
    for arm in LEADING:
        mine = runs[runs["arm"] == arm].set_index(keys)["value"].rename("mine")
        others = runs[~runs["arm"].isin([arm, *BOUNDS])].join(mine, on=keys)
        others = others.dropna(subset="mine").rename(columns={"arm": "against"})
        gained = others["mine"] - others["value"]
        tables.append(others.assign(arm=arm, value=gained))
    names = ["clips", "arm", "against", "metric"]
    return over_seeds(pd.concat(tables, ignore_index=True), names, confidence)
