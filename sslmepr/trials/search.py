"""Hyperparameter search for stage 3: maximises the dev score and never reads test.

Hyperparameters are proposed by Optuna's tree-structured Parzen estimator (TPE). A trial
trains the model with every seed in turn and is pruned as soon as its dev score falls
below the median of earlier trials at the same epoch.
"""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import optuna
import pandas as pd
import yaml
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import BaseTrial

from sslmepr.files import atomic
from sslmepr.params import Params, get_path
from sslmepr.params.training import CoTraining
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.fusion_training import train_variant
from sslmepr.training.loop import TrainingError
from sslmepr.training.stacking import fit_predict_projector
from sslmepr.trials.params import Choices, Range, Search

STARTUP_TRIALS = 5
"""First trials, sampled at random and never pruned."""

WARM_UP_EPOCHS = 2
"""Epochs of a trial's first seed during which it is not pruned."""

DIGITS = 4
"""Significant digits of a proposed value; further digits do not change the score."""


OUTCOME = ("trial", "state", "dev_score", "epochs")
"""First columns of a table of trials; those of the hyperparameters follow."""


def search_fusion(
    params: Params,
    section: Search,
    study_folder: str | Path,
    run_folder: str | Path,
    data_folder: str | Path = "data",
    progress: bool = True,
) -> pd.DataFrame:
    """Search the space of `section` with the full fusion model.

    The first trial uses the values in `params` themselves.

    Parameters
    ----------
    params : Params
        Sections ``fusion`` (all other settings and the seeds), ``roles``, ``seed`` and
        ``compute.device``.
    section : Search
    study_folder : path
        Holds ``crosstask/<modality>`` of every modality, written by stage 2.
    run_folder : path
        Receives Optuna's ``journal.log``; an earlier one is replaced.
    data_folder : path
        Holds ``<corpus>/corpus/clips.parquet``.
    progress : bool
        Show a progress bar over trials.

    Returns
    -------
    DataFrame
        As from `trials_table`.

    Raises
    ------
    CheckpointError
        If an output file of stage 2 is missing or damaged, or the files of a modality
        come from different runs.
    CorpusError
        If a corpus has no valid clip table.
    """
    data = FusionClips.of_study(params, params.modalities, study_folder, data_folder)
    settings = params.variant["multitask"]
    rows = data.predictable()

    @lru_cache(1)  # all seeds of a trial start from the same stacking regression
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
    return search(params, section, train, storage, progress)


def search(
    params: Params,
    section: Search,
    train: Callable[[Params, int, Callable[[float], None]], float],
    storage: optuna.storages.BaseStorage | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Search the space of `section` with any training function.

    Parameters
    ----------
    params : Params
        ``seed`` seeds the sampler; ``fusion.seeds`` are the seeds of each trial.
    section : Search
    train : callable
        (parameters, seed, on_score) to the best dev score of one training run, which
        calls on_score with the dev score of every epoch.
    storage : optuna storage, optional
        Kept in memory if not given.
    progress : bool
        Show a progress bar over trials.

    Returns
    -------
    DataFrame
        As from `trials_table`. A trial whose training loss is not finite is recorded
        as failed, and the search goes on.
    """
    # Optuna's log messages repeat what is in the table.
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(
        direction="maximize",
        study_name="search",
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
        chosen = params.changed(suggest(trial, section), "search")
        return _train_seeds(trial, chosen, train)

    study.optimize(
        objective, section.trials, catch=(TrainingError,), show_progress_bar=progress
    )
    return trials_table(study, section)


def _train_seeds(trial: optuna.Trial, params: Params, train: Callable) -> float:
    """Mean over seeds of the best dev score, unless the trial is pruned."""
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
    """Sample the hyperparameters of a trial.

    Parameters
    ----------
    trial : optuna trial
    section : Search

    Returns
    -------
    dict
        Dotted name of the parameter to its value.
    """
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
    """All trials of a search in order.

    Parameters
    ----------
    study : optuna.Study
    section : Search
        The search space; its parameters become columns.

    Returns
    -------
    DataFrame
        trial (from 0), state (``complete``, ``pruned``, or ``fail`` if the loss was not
        finite), dev_score (of a pruned trial, the last one reported), epochs (summed
        over seeds), and a column for each parameter that was searched.
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
    """Hyperparameters of the complete trial with the highest dev score.

    Parameters
    ----------
    trials : DataFrame
        From `trials_table`; the first of equal trials is taken.

    Returns
    -------
    dict
        Dotted name of the parameter to its value.
    """
    complete = trials[trials["state"] == "complete"]
    best = complete["dev_score"].idxmax()
    # Column by column: a row of mixed types would turn integers into floats.
    found = {key: trials[key].tolist() for key in trials.columns[len(OUTCOME) :]}
    return {key: values[trials.index.get_loc(best)] for key, values in found.items()}


def write_settings(settings: dict, path: str | Path) -> None:
    """Write hyperparameters in the form of an entry of ``studies.yaml``.

    Parameters
    ----------
    settings : dict
        From `best_settings`.
    path : path
    """
    with atomic(path) as part:
        part.write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
