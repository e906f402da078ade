"""Search of the settings of stage 3: what does best on dev, never on test.

Settings are proposed by Optuna's tree-structured Parzen estimator. A trial trains the
model with every seed, one after the other, and is given up as soon as its dev score
falls behind the median of earlier trials at the same epoch.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import BaseTrial

from sslmepr.device import choose_device
from sslmepr.files import atomic
from sslmepr.params import Choices, CoTraining, Params, Range, Search, get_path
from sslmepr.training.clips import read_study_clips
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.fusion_training import fit_predict_projector, train_variant
from sslmepr.training.loop import TrainingError

STARTUP_TRIALS = 5
"""Trials that are drawn at random and never given up, before anything is known."""

WARM_UP_EPOCHS = 2
"""Epochs of a trial's first seed before which it is not given up."""

DIGITS = 4
"""Significant digits of a proposed setting; more would not be told apart."""


OUTCOME = ("trial", "state", "dev_score", "epochs")
"""Columns of a table of trials before those of the settings."""


def search_fusion(
    params: Params,
    name: str,
    study_folder: str | Path,
    run_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> pd.DataFrame:
    """Try the settings of ``params.search[name]`` on the full fusion model.

    The first trial has the settings that `params` come with.

    Returns
    -------
    DataFrame
        As of `trials_table`. Optuna's own record is ``journal.log`` in `run_folder`.
    """
    clips = read_study_clips(params, data_folder)
    device = choose_device(params.compute.device)
    data = FusionClips.read(clips, params.modalities, study_folder, device)
    settings = params.variant["multitask"]
    rows = np.flatnonzero(data.present.any(1).numpy())

    @lru_cache(1)  # all seeds of a trial start from the same
    def projectors(co_training: CoTraining):
        fusion = params.fusion.model_copy(update={"co_training": co_training})
        chosen = params.model_copy(update={"fusion": fusion})
        return {
            task: fit_predict_projector(chosen, settings, data, task, rows)[0]
            for task in settings.tasks
        }

    def train(chosen: Params, seed: int, on_score: Callable[[float], None]) -> float:
        start = projectors(chosen.fusion.co_training)
        history = train_variant(
            chosen, settings, data, start, seed, "", False, on_score
        )[1]
        return float(history["dev_score"].max())

    Path(run_folder).mkdir(parents=True, exist_ok=True)
    journal = Path(run_folder, "journal.log")
    journal.unlink(missing_ok=True)
    storage = JournalStorage(JournalFileBackend(str(journal)))
    return search(params, name, train, storage, progress)


def search(
    params: Params,
    name: str,
    train: Callable[[Params, int, Callable[[float], None]], float],
    storage: optuna.storages.BaseStorage | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Try the settings of ``params.search[name]``.

    Parameters
    ----------
    params : Params
        Its seed decides what is tried, ``fusion.seeds`` what each trial trains.
    name : str
    train : callable
        (parameters, seed, on_score) to the best dev score of a training that calls
        on_score with that of every epoch.
    storage : optuna storage, optional
        In memory if absent.
    progress : bool

    Returns
    -------
    DataFrame
        As of `trials_table`.
    """
    section = params.search[name]
    # What Optuna says of every trial stands in the table.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        study_name=name,
        storage=storage,
        sampler=optuna.samplers.TPESampler(
            n_startup_trials=STARTUP_TRIALS, seed=params.seed
        ),
        pruner=optuna.pruners.MedianPruner(
            n_startup_trials=STARTUP_TRIALS, n_warmup_steps=WARM_UP_EPOCHS
        ),
    )
    tree = params.model_dump()
    study.enqueue_trial({key: get_path(tree, key) for key in section.dimensions()})

    def objective(trial: optuna.Trial) -> float:
        chosen = params.changed(suggest(trial, section), f"search.{name}")
        return _train_seeds(trial, chosen, train)

    study.optimize(
        objective, section.trials, catch=(TrainingError,), show_progress_bar=progress
    )
    return trials_table(study, section)


def _train_seeds(trial: optuna.Trial, params: Params, train: Callable) -> float:
    """Mean over seeds of the best dev score, given up where the trial lags behind."""
    finished, step = [], 0

    def on_score(value: float) -> None:
        nonlocal step
        trial.report((sum(finished) + value) / (len(finished) + 1), step)
        step += 1
        if trial.should_prune():
            raise optuna.TrialPruned

    for seed in params.fusion.seeds:
        finished.append(train(params, seed, on_score))
    return sum(finished) / len(finished)


def suggest(trial: BaseTrial, section: Search) -> dict[str, float | int | str]:
    """Settings that a trial proposes: parameter, with dots, to value."""
    return {key: _one(trial, key, each) for key, each in section.dimensions().items()}


def _one(trial: BaseTrial, key: str, dimension: Range | Choices):
    if isinstance(dimension, Choices):
        return trial.suggest_categorical(key, dimension.choices)
    low, high, log = dimension.low, dimension.high, dimension.log
    if isinstance(low, int) and isinstance(high, int):
        return trial.suggest_int(key, low, high, log=log)
    return _rounded(trial.suggest_float(key, low, high, log=log))


def _rounded(value):
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def trials_table(study: optuna.Study, section: Search) -> pd.DataFrame:
    """What was tried, in order.

    Returns
    -------
    DataFrame
        trial (from 0), state (``complete``, ``pruned`` or ``fail``, for a loss that was
        not finite), dev_score (of a pruned trial, the last it reached), epochs (over
        all seeds), and a column for each parameter that was searched.
    """
    rows = [
        {
            "trial": trial.number,
            "state": trial.state.name.lower(),
            "dev_score": trial.value,
            "epochs": len(trial.intermediate_values),
            **{key: _rounded(trial.params[key]) for key in section.dimensions()},
        }
        for trial in study.trials
    ]
    return pd.DataFrame(rows)


def best_settings(trials: pd.DataFrame) -> dict[str, float | int | str]:
    """Settings of the complete trial with the highest dev score, first of equals."""
    complete = trials[trials["state"] == "complete"]
    best = complete["dev_score"].idxmax()
    # Column by column, so that whole numbers stay whole.
    found = {key: trials[key].tolist() for key in trials.columns[len(OUTCOME) :]}
    return {key: values[trials.index.get_loc(best)] for key, values in found.items()}


def write_settings(settings: dict, path: str | Path) -> None:
    """Settings as an entry of ``studies.yaml`` lists them."""
    with atomic(path) as part:
        part.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
