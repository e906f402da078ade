"""Power, false-positive rate and coverage of the association analysis by simulation.

Calibration of intervals and p-values cannot be judged from a single corpus. Here, many
studies with known planted correlations are simulated as features. Each is a separate
world with its own people in training and in the held-out corpus, and goes through the
linear probes that every stage starts from and through the same analysis as the chapter
on validity. The analysis with disjoint modalities is compared with a naive one, in
which the same modalities predict emotions and traits.

The false-positive rate depends on how far features confound cues of emotions and
traits. The fewer features a modality has relative to its sources (controls and
nuisance factors), the stronger the confounding. More clips do not reduce it, and no
interval from resampling people accounts for it.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from sslmepr.association.disjoint_modalities import COLUMNS, Tables, divided_tables
from sslmepr.association.grid import CELL, tidy_matrix
from sslmepr.association.recovery import compare
from sslmepr.association.sources import BOTH_PREDICTED, DISJOINT
from sslmepr.association.study_associations import associate
from sslmepr.labels import MODALITIES, SCORED_EMOTIONS, TARGETS, TASKS, TRAITS
from sslmepr.params import Params
from sslmepr.processes import each_result
from sslmepr.training.probes import Linear
from sslmepr.trials.drawn import (
    DrawnCorpus,
    DrawnStudy,
    draw_study,
    signed_world,
    with_doses,
)
from sslmepr.trials.params import Power

SETTING = ["strength", "clips", "clips_per_speaker"]
GROUP = ["source", *SETTING]

OFFSET = 0.0
"""Offset between the corpora; standardising each separately would remove any."""


def try_power(params: Params, section: Power, progress: bool = True) -> pd.DataFrame:
    """Simulate and analyse all worlds of `section`.

    Every strength is combined with the first number of clips and the first number of
    clips per speaker, then with the other values of one while the other keeps its
    first. All worlds are independent.

    Parameters
    ----------
    params : Params
        Sections ``association`` and ``unimodal.refits`` configure the analysis.
    section : Power
    progress : bool
        Show a progress bar over worlds.

    Returns
    -------
    DataFrame
        source, strength, clips, clips_per_speaker, world, emotion, trait, planted,
        recovered, low, high, p_corrected, significant, covered (whether the interval
        contains the planted value; missing where r is undefined).

    Raises
    ------
    WorldError
        If the correlation matrix for one of the strengths is not positive definite.
    """
    keys = [
        (strength, *sizes, world)
        for strength in section.strengths
        for sizes in _sizes(section)
        for world in range(section.worlds)
    ]
    jobs = [(params, section, *key) for key in keys]
    tables = each_result(_trial, jobs, params.compute.workers, [__name__])
    bar = tqdm(
        tables, total=len(jobs), desc="power", unit="world", disable=not progress
    )
    return pd.concat(list(bar), ignore_index=True)


def _sizes(section: Power) -> Iterator[tuple[int, int]]:
    """Yield (clips, clips per speaker), varying one at a time from the first values."""
    clips, each = section.clips, section.clips_per_speaker
    yield clips[0], each[0]
    yield from ((count, each[0]) for count in clips[1:])
    yield from ((clips[0], count) for count in each[1:])


def _trial(
    params: Params,
    section: Power,
    strength: float,
    clips: int,
    clips_per_speaker: int,
    number: int,
) -> pd.DataFrame:
    """Both analyses (disjoint and naive) of one world."""
    key = [params.seed, round(1e6 * strength), clips, clips_per_speaker, number]
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    world = signed_world(params.simulation, section.world, strength)
    study = draw_study(
        with_doses(params.simulation),
        world,
        clips,
        clips_per_speaker,
        section.features,
        OFFSET,
        seed,
    )
    own = params.model_copy(update={"seed": seed})
    matrix = pd.DataFrame(world.association, list(SCORED_EMOTIONS), list(TRAITS))
    planted = tidy_matrix(matrix, "planted")
    parts = []
    # One thread, so that sums do not depend on the number of cores or processes.
    with threadpool_limits(1):
        for source, tables in _readings(own, study.standardised()).items():
            found = associate(tables, source, own, levels=("clip",))
            table = compare(found, planted)
            parts.append(table.assign(source=source))
    table = pd.concat(parts, ignore_index=True).assign(
        strength=strength,
        clips=clips,
        clips_per_speaker=clips_per_speaker,
        world=number,
    )
    return table[
        [*GROUP, "world", *CELL, "planted", "recovered", "low", "high"]
        + ["p_corrected", "significant", "covered"]
    ]


def _readings(params: Params, study: DrawnStudy) -> dict[str, Tables]:
    """Source to the tables that ``association`` takes, for the held-out corpus."""
    unseen = study.held_out
    by_modality = {
        task: [
            _probe_logits(params, study[task], task, unseen, modality)
            for modality in MODALITIES
        ]
        for task in TASKS
    }  # each (1 + refit, clip, target)
    logits = np.concatenate([np.stack(by_modality[task], 1) for task in TASKS], axis=-1)
    names = unseen.clip_ids, unseen.speaker_ids
    together = pd.DataFrame(logits[0].sum(0), columns=COLUMNS)
    together.insert(0, "clip_id", names[0])
    together.insert(1, "speaker_id", names[1])
    return {
        DISJOINT: divided_tables(logits[0], logits[1:], *names),
        BOTH_PREDICTED: Tables(together, []),
    }


def _probe_logits(
    params: Params, source: DrawnCorpus, task: str, unseen: DrawnCorpus, modality: str
) -> np.ndarray:
    """Logits for `unseen` by a probe fitted to `source`, and by its bootstrap refits.

    Returns
    -------
    (1 + refit, clip, target) array
        Without neutral, which is not scored.
    """
    true = source.emotions if task == "emotion" else source.traits
    train, dev = (source.split == split for split in ("train", "dev"))
    features = source.features[modality]
    model = Linear(task, features[train], true[train], features[dev], true[dev])
    refits = params.unimodal.refits
    probes = [model.probe()]
    probes += model.refitted(source.speaker_ids[train], refits, params.seed)
    scored = len(TARGETS[task]) - len(SCORED_EMOTIONS if task == "emotion" else TRAITS)
    logits = [unseen.features[modality] @ weights.T + bias for weights, bias in probes]
    return np.stack(logits)[..., scored:]
