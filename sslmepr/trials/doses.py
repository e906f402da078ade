"""What a component of the fusion model is worth, by dose of the knob it is for.

Stage 3 is trained with and without the component on studies drawn as features
(`sslmepr.trials.drawn`), whose world has one knob or whose labels are scarce or unequal
(`sslmepr.trials.labelling.Labelling`). Both are held against late fusion, a
linear method, on new people, with all other settings those of the study. Parts of a
factor model (`sslmepr.models.factor_model`) are tried in the same way.

Scores of each study are kept in files, so that a trial that was ended goes on.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from tqdm.auto import tqdm

from sslmepr.labels import PARTS
from sslmepr.models.factor_model import Parts
from sslmepr.params import Params
from sslmepr.params.training import Variant
from sslmepr.processes import each_result
from sslmepr.simulation.world import make_world
from sslmepr.training.factor_choice import NOTHING, fit_factor_expert
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.trials.collapse import (
    ROLES,
    Arm,
    fusion_clips,
    mean_concordance,
    recall,
    train_on,
)
from sslmepr.trials.curve_arms import base_rates, factored, recalibrated, stacked
from sslmepr.trials.drawn import DrawnCorpus, draw_study, with_doses
from sslmepr.trials.kept import kept_table
from sslmepr.trials.labelling import imbalanced, scarce
from sslmepr.trials.params import FACTOR_PARTS, Doses
from sslmepr.trials.seeds import over_seeds

WITH, WITHOUT, LATE = "with", "without", "late fusion"


def try_doses(
    params: Params, section: Doses, folder: str | Path, progress: bool = True
) -> pd.DataFrame:
    """Train with and without each component, at every dose and seed.

    Parameters
    ----------
    params : Params
        Section ``fusion`` gives the model and schedule except the number of epochs.
    section : Doses
    folder : path
        Keeps the scores of each study (`sslmepr.trials.kept`).
    progress : bool
        Show a progress bar over studies.

    Returns
    -------
    DataFrame
        component, knob, offset, dose, seed, arm (`WITH`, `WITHOUT` or, where stage 3 is
        trained, `LATE`), metric (``mWACC`` and ``CCC``, on a corpus of new people),
        value.

    Raises
    ------
    WorldError
        If the section names a world that the simulation does not have.
    """
    cells = product(section.components.items(), section.doses, section.seeds)
    kept = Path(folder)
    calls = [(params, section, kept, *pair, dose, seed) for pair, dose, seed in cells]
    one_thread, workers = (torch.set_num_threads, (1,)), params.compute.workers
    found = each_result(_kept_cell, calls, workers, [__name__], *one_thread)
    bar = tqdm(found, total=len(calls), desc="doses", disable=not progress)
    return pd.concat(list(bar), ignore_index=True)


def _kept_cell(
    params: Params, section: Doses, folder: Path, *cell: str | float
) -> pd.DataFrame:
    """As `_cell`, from a file if there is one."""
    key = [
        params.seed,
        params.fusion.model_dump(exclude={"epochs", "patience", "seeds"}),
        with_doses(params.simulation).model_dump(),
        section.model_dump(exclude={"components", "doses", "seeds"}),
        *cell,
    ]
    return kept_table(folder, __name__, key, lambda: _cell(params, section, *cell))


def _cell(
    params: Params, section: Doses, component: str, knob: str, dose: float, seed: int
) -> pd.DataFrame:
    trained = params.simulation.split["train"]
    clips = round(section.clips / trained)
    labelling = {
        "scarcity": scarce(dose, trained),
        "imbalance": imbalanced(dose, clips),
    }.get(knob)
    doses = {} if labelling else {knob: dose}
    simulation = with_doses(params.simulation, offset=section.offset, **doses)
    fusion = params.fusion.model_copy(
        update={"epochs": section.epochs, "patience": None}
    )
    own = params.model_copy(
        update={"roles": ROLES, "fusion": fusion, "simulation": simulation}
    )
    study = draw_study(
        simulation,
        make_world(section.world, simulation.worlds),
        clips=clips,
        clips_per_speaker=1,
        features=section.features,
        offset=0.0,
        seed=seed,
        labelling=labelling,
        moving=False,
    ).standardised()
    data = fusion_clips(own, study, Arm(Variant()))  # is that of all variants
    learn = _factor_arms if component in FACTOR_PARTS else _fusion_arms
    arms = learn(own, data, component, seed)
    rows = []
    for arm, (predicted, thresholds) in arms.items():
        rows += [
            (arm, *score) for score in _scores(study.held_out, predicted, thresholds)
        ]
    table = pd.DataFrame(rows, columns=["arm", "metric", "value"])
    return table.assign(
        component=component, knob=knob, offset=section.offset, dose=dose, seed=seed
    )[["component", "knob", "offset", "dose", "seed", "arm", "metric", "value"]]


def _fusion_arms(params: Params, data: FusionClips, component: str, seed: int) -> dict:
    """Fusion models with and without a component, and late fusion."""
    # What the component is a part of is there in both, and its own parts in neither.
    base = [PARTS[component]] if component in PARTS else []
    parts = [part for part, whole in PARTS.items() if whole == component]
    variants = {WITHOUT: Variant(adding=base, without=[component, *parts])}
    variants[WITH] = Variant(adding=[*base, component], without=parts)
    arms = {name: train_on(params, data, Arm(v), seed) for name, v in variants.items()}
    return arms | {LATE: (stacked(params, data), base_rates(data))}


def _factor_arms(params: Params, data: FusionClips, component: str, _: int) -> dict:
    """Factor models with and without a part, whose trait scores are stretched.

    Without it all clips are alike, but for the part that is on trial; with it, dev
    chooses whether to have it. Clips without labels are on trial beside all parts.
    """
    if component == "factor_unlabelled":
        found = {
            name: fit_factor_expert(params, data, unlabelled=name == WITH)
            for name in (WITHOUT, WITH)
        }
    else:
        name = component.removeprefix("factor_")
        more = replace(NOTHING, **{name: getattr(Parts(), name)})
        tried = {WITHOUT: [NOTHING], WITH: [NOTHING, more]}
        found = {
            arm: fit_factor_expert(params, data, candidates=each)
            for arm, each in tried.items()
        }
    return {
        arm: recalibrated(params, data, factored(each, data))
        for arm, each in found.items()
    }


def _scores(
    unseen: DrawnCorpus, predicted: dict[str, np.ndarray], thresholds: np.ndarray
) -> Iterator[tuple[str, float]]:
    """Scores on the held-out corpus, whose clips are the last ones."""
    everyone = np.ones(len(unseen.clip_ids), bool)
    emotions = predicted["emotion"][-len(everyone) :, 1:]
    yield "mWACC", recall(unseen, everyone, emotions, thresholds)
    traits = predicted["personality"][-len(everyone) :]
    yield "CCC", mean_concordance(unseen.traits, traits)


def gains(runs: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Gain of having a component, and of the whole model over late fusion.

    Parameters
    ----------
    runs : DataFrame
        From `try_doses`.
    confidence : float
        Of Student's t intervals over seeds, each of which is a study of its own.

    Returns
    -------
    DataFrame
        component, knob, offset, dose, against (`WITHOUT` or `LATE`), metric, estimate
        (the score with the component less that of the other, on the same study), low,
        high, interval, n (seeds).
    """
    keys = ["component", "knob", "offset", "dose", "seed", "metric"]
    whole = runs[runs["arm"] == WITH].set_index(keys)["value"]
    others = runs[runs["arm"] != WITH].join(whole.rename("whole"), on=keys)
    others = others.assign(value=others["whole"] - others["value"])
    names = ["component", "knob", "offset", "dose", "arm", "metric"]
    return over_seeds(others, names, confidence).rename(columns={"arm": "against"})
