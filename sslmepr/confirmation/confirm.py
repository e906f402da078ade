"""``make confirm``: one attempt, from the fingerprint of the code to its record."""

import shutil
from pathlib import Path

import pandas as pd

from sslmepr.association.preregistration import FILE as REGISTERED
from sslmepr.association.preregistration import read_preregistration
from sslmepr.confirmation import attempts, people
from sslmepr.confirmation.frozen import (
    FrozenError,
    fingerprint,
    frozen_study,
    require_committed,
    seed_of,
)
from sslmepr.confirmation.plan import FILE as PLAN
from sslmepr.confirmation.plan import ConfirmationPlan, judged, read_plan
from sslmepr.confirmation.worlds import draw_worlds
from sslmepr.params import Params
from sslmepr.training.new_clips import StudyModels
from sslmepr.trials.worlds import summarise

MODEL = "multitask"
"""The fused model that reads new people."""

KNOWN, FRESH = "known to development", "never seen before"
"""People of the study's held-out corpus, and of the new one."""


def confirm(params: Params, root: str | Path = ".", progress: bool = True) -> bool:
    """Make an attempt at confirmation, or repeat that of the same code.

    Parameters
    ----------
    params : Params
        Of any study; the first one of ``studies.yaml`` is confirmed, with the models
        and corpora in ``runs/<study>`` and ``data``.
    root : path
        The repository. New corpora wait in ``runs/confirm`` until all is done.
    progress : bool
        Show progress bars.

    Returns
    -------
    bool
        Whether the attempt is new. One that was there is computed again and counts
        nothing.

    Raises
    ------
    FrozenError
        If what is frozen is not committed, if the log has lost lines, or if the same
        code does not give the results that are on record.
    ParamsError, CheckpointError, CorpusError, FeatureError
        If a file of parameters, the study's models or its held-out corpus are missing
        or damaged; nothing has been entered then.
    """
    root = Path(root)
    study = frozen_study(params)
    plan = read_plan(root / PLAN)
    registered = read_preregistration(root / REGISTERED)
    revision = require_committed(root)
    attempts.require_grown(root=root)
    runs = root / "runs" / study.study
    models = StudyModels(runs, runs / "fusion" / MODEL, study.compute.device)
    known = people.recognition(models, study, root / "data")
    mark = fingerprint(params, root)
    folder, work = root / attempts.FOLDER, root / "runs" / "confirm"
    new = attempts.enter(folder, mark, revision)
    fresh = people.with_seed(study, seed_of(mark))
    worlds = count_worlds(fresh, plan, progress)
    data = work / mark[: attempts.HASH_DIGITS]
    people.meet(fresh, data, progress)
    seen = people.recognition(models, fresh, data)
    tables = {
        "endpoints": people.endpoints(fresh, registered, data),
        "worlds": worlds,
        "recognition": pd.concat(
            [known.assign(people=KNOWN), seen.assign(people=FRESH)], ignore_index=True
        ),
    }
    differ = attempts.keep(folder, mark, tables)
    shutil.rmtree(work)
    if differ:
        raise FrozenError(
            f"{', '.join(differ)}: not what attempt {mark[:12]} has on record, though "
            "the code is the same; processors and versions of packages can make such a "
            "difference. The record stays as it is"
        )
    return new


def count_worlds(
    params: Params, plan: ConfirmationPlan, progress: bool = True
) -> pd.DataFrame:
    """Draw worlds, summarise them and judge them by the bounds that were fixed.

    Parameters
    ----------
    params : Params
        With the seed of the attempt.
    plan : ConfirmationPlan
    progress : bool

    Returns
    -------
    DataFrame
        condition (a key of `sslmepr.confirmation.worlds.KINDS`), metric, estimate, low,
        high, interval, worlds, least, most, verdict.
    """
    settings = params.association
    cells = draw_worlds(params, plan, params.seed, progress)
    summary = summarise(
        cells, settings.alpha, settings.confidence, settings.resamples, params.seed
    )
    return judged(summary, plan).drop(columns=["source", "strength"])
