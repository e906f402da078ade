"""Error rates, coverage and power of the association analysis by simulation.

Calibration of intervals and p-values cannot be judged from a single corpus. Here, many
studies with known associations are simulated as features. Each is a separate world with
its own people in the two labelled corpora and in the one without labels, and goes
through the analysis of the chapter on associations: cross-fitted probes, and the
estimator from three sources (`sslmepr.association.cross_source`). Beside it may stand
the correlation of predictions from disjoint modalities, which does not correct for the
cues that emotions and traits share; and, where some clips of the third corpus carry
both labels, estimates with their help (`sslmepr.association.prediction_powered`).

What is planted is the association of the *labels*: with raters, halo is part of it
(`sslmepr.simulation.raters.rated_association`).
"""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from sslmepr.association.correlation import association
from sslmepr.association.cross_source import CrossSource, Reliability, cross_source
from sslmepr.association.cross_table import cell_table
from sslmepr.association.disjoint_modalities import divided_tables
from sslmepr.association.grid import CELL, tidy_matrix
from sslmepr.association.label_noise import reliability_of
from sslmepr.association.prediction_powered import combined, prediction_powered
from sslmepr.association.probe_scores import UNSCORED, scores_of
from sslmepr.association.recovery import compare
from sslmepr.association.scores import Scores
from sslmepr.association.sources import BRIDGED, COMBINED, CROSS, DISJOINT, UNSCALED
from sslmepr.labels import (
    MODALITIES,
    SCORED_EMOTIONS,
    TARGETS,
    TASKS,
    TRAITS,
    VISUAL_MODALITIES,
)
from sslmepr.params import Params
from sslmepr.params.simulation import ChannelStrength, Simulation
from sslmepr.processes import each_result
from sslmepr.simulation.raters import rated_association
from sslmepr.training.probes import Linear
from sslmepr.trials.drawn import (
    ROLES,
    DrawnCorpus,
    DrawnStudy,
    draw_study,
    signed_world,
)
from sslmepr.trials.params import Condition, Cues, Power

GROUP = ["source", "condition", "strength"]

OFFSET = 0.0
"""Offset between the corpora; standardising each separately would remove any."""


def try_power(params: Params, section: Power, progress: bool = True) -> pd.DataFrame:
    """Simulate and analyse all worlds of `section`.

    Parameters
    ----------
    params : Params
        Section ``association`` configures the analysis.
    section : Power
    progress : bool
        Show a progress bar over worlds.

    Returns
    -------
    DataFrame
        source, condition, strength, world, emotion, trait, planted (association of the
        labels), recovered, low, high, error (standard error), p_family (corrected by
        the largest \\|t\\|), significant (after the correction of the study), covered
        (whether the interval contains the planted value). Error and p_family are
        missing for disjoint modalities.

    Raises
    ------
    WorldError
        If the correlation matrix for one of the strengths is not positive definite.
    """
    keys = [
        (name, strength, world)
        for name, condition in section.conditions.items()
        for strength in condition.strengths
        for world in range(section.worlds if strength else section.null_worlds)
    ]
    jobs = [(params, section, *key) for key in keys]
    tables = each_result(_trial, jobs, params.compute.workers, [__name__])
    bar = tqdm(
        tables, total=len(jobs), desc="power", unit="world", disable=not progress
    )
    return pd.concat(list(bar), ignore_index=True)


def _trial(
    params: Params, section: Power, name: str, strength: float, number: int
) -> pd.DataFrame:
    """The analyses of one world."""
    condition = section.conditions[name]
    place = list(section.conditions).index(name)
    key = [params.seed, place, round(1e6 * strength), number]
    seed = int(np.random.SeedSequence(key).generate_state(1)[0])
    world = signed_world(params.simulation, section.world, strength)
    study = draw_condition(params, section, condition, strength, seed)
    truth = rated_association(world, condition.raters)
    matrix = pd.DataFrame(truth, list(SCORED_EMOTIONS), list(TRAITS))
    planted = tidy_matrix(matrix, "planted")
    own = params.model_copy(update={"seed": seed})
    parts = []
    known = None
    if condition.raters and condition.known_reliability:
        known = reliability_of(world, condition.raters)
    for source, found in analyses(own, study, condition, known).items():
        table = compare(found, planted).merge(found[[*CELL, "error", "p_family"]])
        parts.append(table.assign(source=source))
    table = pd.concat(parts, ignore_index=True).assign(
        condition=name, strength=strength, world=number
    )
    return table[
        [*GROUP, "world", *CELL, "planted", "recovered", "low", "high", "error"]
        + ["p_family", "significant", "covered"]
    ]


def draw_condition(
    params: Params, section: Power, condition: Condition, strength: float, seed: int
) -> DrawnStudy:
    """A study of this condition, each of its corpora standardised.

    Parameters
    ----------
    params : Params
    section : Power
    condition : Condition
    strength : float
        Absolute value of the planted correlations.
    seed : int
    """
    own = params.simulation.model_copy(
        update={"knobs": condition.knobs, "raters": condition.raters}
    )
    world = signed_world(params.simulation, section.world, strength)

    def draw(cues: Cues) -> DrawnStudy:
        return draw_study(
            _showing(own, cues),
            world,
            condition.clips,
            condition.clips_per_speaker,
            section.features,
            OFFSET,
            seed,
        )

    # Of the same seed: the same people, looks and feature maps, whatever they show.
    study = draw(Cues())
    shown = {role: draw(cues)[role] for role, cues in condition.cues.items()}
    study = replace(study, **shown)
    return _in_one_picture(study, condition.one_picture, seed).standardised()


def _showing(simulation: Simulation, cues: Cues) -> Simulation:
    """The simulation with channels of other strengths."""
    channels = {
        name: ChannelStrength(
            emotion=cues.emotion * each.emotion, trait=cues.trait * each.trait
        )
        for name, each in simulation.channels.items()
    }
    return simulation.model_copy(update={"channels": channels})


def _in_one_picture(study: DrawnStudy, dose: float, seed: int) -> DrawnStudy:
    """The study with face, body and scene as crops that show parts of each other."""
    if not dose:
        return study
    rng = np.random.default_rng([seed, len(ROLES)])
    size = study.emotion.features[VISUAL_MODALITIES[0]].shape[1]
    shown = {
        pair: dose / np.sqrt(size) * rng.standard_normal((size, size))
        for pair in permutations(VISUAL_MODALITIES, 2)
    }
    corpora = {}
    for role in ROLES:
        features = dict(study[role].features)
        for (name, other), parts in shown.items():
            features[name] = features[name] + study[role].features[other] @ parts
        corpora[role] = replace(study[role], features=features)
    return replace(study, **corpora)


def analyses(
    params: Params,
    study: DrawnStudy,
    condition: Condition,
    known: Reliability | None = None,
) -> dict[str, pd.DataFrame]:
    """Source to the table of its analysis of a study.

    Parameters
    ----------
    params : Params
        With the seed of the analysis.
    study : DrawnStudy
    condition : Condition
        Says which analyses stand beside that from three sources.
    known : Reliability, optional
        Of the labels, as the analysis from three sources is told.
    """
    # One thread, so that sums do not depend on the number of cores or processes.
    with threadpool_limits(1):
        if condition.bridge:
            found = from_bridge(params, study, condition.bridge)
        else:
            found = {CROSS: from_three_sources(params, study, known)}
        if condition.unscaled:
            scores = probe_scores(study)
            without = cross_source(*scores[:2], scores[2:], scaled=False)
            found[UNSCALED] = _table(without, params)
        if condition.disjoint:
            found[DISJOINT] = from_disjoint_modalities(params, study)
    return found


def from_three_sources(
    params: Params, study: DrawnStudy, known: Reliability | None = None
) -> pd.DataFrame:
    """The table of associations as the chapter on associations makes it.

    Parameters
    ----------
    params : Params
    study : DrawnStudy
        Of the corpus with both labels, none is used.
    known : Reliability, optional
        Of the labels.

    Returns
    -------
    DataFrame
        As `sslmepr.association.cross_table.cell_table`, with the column ``error``.
    """
    scores = probe_scores(study)
    found = cross_source(*scores[:2], scores[2:], reliability=known)
    return _table(found, params)


def from_bridge(
    params: Params, study: DrawnStudy, clips: int
) -> dict[str, pd.DataFrame]:
    """Tables from three sources, from clips with both labels, and from both combined.

    Parameters
    ----------
    params : Params
    study : DrawnStudy
    clips : int
        The first of the third corpus, whose labels are used.

    Returns
    -------
    dict
        `CROSS`, `BRIDGED` and `COMBINED` to what `from_three_sources` returns.
    """
    scores, unseen = probe_scores(study), study.held_out
    labels = np.hstack([unseen.emotions[:, UNSCORED:], unseen.traits])
    labels[clips:] = np.nan
    first = cross_source(*scores[:2], scores[2:])
    second = prediction_powered(scores, labels)
    found = {CROSS: first, BRIDGED: second, COMBINED: combined(first, second)}
    return {source: _table(each, params) for source, each in found.items()}


def probe_scores(study: DrawnStudy) -> list[Scores]:
    """Scores of cross-fitted probes, by corpus.

    Parameters
    ----------
    study : DrawnStudy
        Of the corpus with both labels, none is used.
    """
    corpora = [study[role] for role in ROLES]
    return scores_of(
        {name: [each.features[name] for each in corpora] for name in MODALITIES},
        [np.stack([each.present[name] for name in MODALITIES], 1) for each in corpora],
        [study.emotion.emotions[:, UNSCORED:] > 0, study.personality.traits],
        [each.speaker_ids for each in corpora],
    )


def _table(found: CrossSource, params: Params) -> pd.DataFrame:
    table = cell_table(found, params.association, params.seed)
    return table.assign(error=found.error.ravel())


def from_disjoint_modalities(params: Params, study: DrawnStudy) -> pd.DataFrame:
    """Correlations of predictions from disjoint modalities, on the third corpus.

    Without the error of the training sample, which needs refits, intervals are those of
    the sampling of people alone.

    Parameters
    ----------
    params : Params
    study : DrawnStudy

    Returns
    -------
    DataFrame
        As `sslmepr.association.correlation.association`, with the columns ``error``
        and ``p_family``, which are missing.
    """
    unseen, settings = study.held_out, params.association
    logits = np.concatenate(
        [
            np.stack([_probe_logits(study[task], task, unseen, m) for m in MODALITIES])
            for task in TASKS
        ],
        -1,
    )
    tables = divided_tables(logits, [], unseen.clip_ids, unseen.speaker_ids)
    found = association(
        tables.table,
        DISJOINT,
        settings.resamples,
        settings.confidence,
        settings.correction,
        settings.alpha,
        params.seed,
        levels=("clip",),
    )
    return found.assign(error=np.nan, p_family=np.nan)


def _probe_logits(
    source: DrawnCorpus, task: str, unseen: DrawnCorpus, modality: str
) -> np.ndarray:
    """Logits for `unseen` by a probe fitted to `source`: (clip, target)."""
    true = source.emotions if task == "emotion" else source.traits
    features = source.features[modality]
    train, dev = (
        (source.split == split) & source.present[modality] for split in ("train", "dev")
    )
    model = Linear(task, features[train], true[train], features[dev], true[dev])
    weights, bias = model.probe()
    logits = unseen.features[modality] @ weights.T + bias
    scored = len(TARGETS[task]) - len(SCORED_EMOTIONS if task == "emotion" else TRAITS)
    return np.where(unseen.present[modality][:, None], logits, 0.0)[:, scored:]
