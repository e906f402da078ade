"""What the analysis finds, and what it invents, in many worlds whose truth is known.

One corpus recovers one matrix, and whether its intervals and p-values mean what they
say cannot be seen from it. Studies drawn as features are cheap: each here is a world of
its own, with other people to learn from and other people to predict, put through the
regressions that every stage starts from and through the very analysis of the chapter on
validity. Beside it stands the naive reading, which takes what all modalities say of
emotions and what the same modalities say of traits.

How much is invented hangs on whether the features keep cues of emotions and of traits
apart. The fewer of them a modality has for its sources (controls and nuisances), the
more a cue of a trait is a cue of an emotion too; that lasts however many clips there
are, and no interval that comes from drawing people anew can know of it.
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
from sslmepr.association.study import associate
from sslmepr.labels import MODALITIES, SCORED_EMOTIONS, TARGETS, TASKS, TRAITS
from sslmepr.params import Params, Power
from sslmepr.processes import each_result
from sslmepr.training.baselines import Linear
from sslmepr.trials.drawn import DrawnCorpus, DrawnStudy, draw_study, signed_world

SETTING = ["strength", "clips", "clips_per_speaker"]
GROUP = ["source", *SETTING]

OFFSET = 0.0
"""Between the corpora of a study: standardising each by itself would remove it."""


def try_power(params: Params, name: str, progress: bool = True) -> pd.DataFrame:
    """Analyse all worlds of ``params.power[name]``.

    Every strength is tried with the first number of clips and of clips per speaker,
    and with the other numbers of one while the other keeps its first. No two worlds
    share anything that is drawn.

    Parameters
    ----------
    params : Params
        Its sections ``association`` and ``unimodal.refits`` say how to analyse.
    name : str
    progress : bool

    Returns
    -------
    DataFrame
        source, strength, clips, clips_per_speaker, world, emotion, trait, planted,
        recovered, low, high, p_corrected, significant, covered (the interval holds the
        planted value; missing where r is undefined).

    Raises
    ------
    WorldError
        If no population can have correlations as strong as one of the strengths.
    """
    section = params.power[name]
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
    """(clips, clips per speaker): the first of both, then one varied at a time."""
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
    """Both readings of one world."""
    key = [params.seed, round(1e6 * strength), clips, clips_per_speaker, number]
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    world = signed_world(params.simulation, section.world, strength)
    study = draw_study(
        params.simulation,
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
    # Sums come out the same on any number of cores and of processes.
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
    """Source to what ``association`` takes, on the held-out corpus."""
    unseen = study.held_out
    evidence = {
        task: [
            _evidence(params, study[task], task, unseen, modality)
            for modality in MODALITIES
        ]
        for task in TASKS
    }  # each (1 + refit, clip, target)
    logits = np.concatenate([np.stack(evidence[task], 1) for task in TASKS], axis=-1)
    names = unseen.clip_ids, unseen.speaker_ids
    together = pd.DataFrame(logits[0].sum(0), columns=COLUMNS)
    together.insert(0, "clip_id", names[0])
    together.insert(1, "speaker_id", names[1])
    return {
        DISJOINT: divided_tables(logits[0], logits[1:], *names),
        BOTH_PREDICTED: Tables(together, []),
    }


def _evidence(
    params: Params, taught: DrawnCorpus, task: str, unseen: DrawnCorpus, modality: str
) -> np.ndarray:
    """Logits of unseen clips by a regression, then by its refits.

    (1 + refit, clip, target); neutral, which is not scored, is left out.
    """
    true = taught.emotions if task == "emotion" else taught.traits
    train, dev = (taught.split == split for split in ("train", "dev"))
    features = taught.features[modality]
    model = Linear(task, features[train], true[train], features[dev], true[dev])
    refits = params.unimodal.refits
    probes = [model.probe()]
    probes += model.refitted(taught.speaker_ids[train], refits, params.seed)
    scored = len(TARGETS[task]) - len(SCORED_EMOTIONS if task == "emotion" else TRAITS)
    logits = [unseen.features[modality] @ weights.T + bias for weights, bias in probes]
    return np.stack(logits)[..., scored:]
