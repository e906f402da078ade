"""What the analysis finds, and what it invents, in many worlds whose truth is known.

One corpus recovers one matrix, and whether its intervals and p-values mean what they
say cannot be seen from it. Studies drawn as features are cheap: each here is a world of
its own, with other people to learn from and other people to predict, put through the
regressions that every stage starts from and through the very analysis of the chapter on
validity. Beside it stands the naive reading, which takes what all modalities say of
emotions and what the same modalities say of traits.

Recovered correlations need not have the size of the planted ones: predictions are not
the latents themselves, and a regression reads an emotion also from cues of the traits
that go with it. What an analysis of so many clips recovers on average, the mean over
worlds, is called *expected* here; an interval can be right about that and yet never
hold the planted value.

How much is invented hangs on whether the features keep cues of emotions and of traits
apart. The fewer of them a modality has for its sources (controls and nuisances), the
more a cue of a trait is a cue of an emotion too; that lasts however many clips there
are, and no interval that comes from drawing people anew can know of it.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from statsmodels.stats.proportion import proportion_confint
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from sslmepr.analysis.disjoint import COLUMNS, Tables, divided_tables
from sslmepr.analysis.grid import CELL, tidy_matrix
from sslmepr.analysis.recovery import compare
from sslmepr.analysis.resampling import bootstrap_interval, resampled_sums
from sslmepr.analysis.sources import BOTH_PREDICTED, DISJOINT
from sslmepr.analysis.study import associate
from sslmepr.corpora.simulated.ideal_observer import agreement
from sslmepr.labels import MODALITIES, SCORED_EMOTIONS, TARGETS, TASKS, TRAITS
from sslmepr.learning.baselines import Linear
from sslmepr.params import Params, Power
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
    jobs = [delayed(_trial)(params, section, *key) for key in keys]
    parallel = Parallel(params.compute.workers, return_as="generator")
    bar = tqdm(total=len(jobs), desc="power", unit="world", disable=not progress)
    tables = []
    with bar:
        for table in parallel(jobs):
            tables.append(table)
            bar.update()
    return pd.concat(tables, ignore_index=True)


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
            table = compare(found, planted).drop(columns=["observer", "sign_agrees"])
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


def cell_means(cells: pd.DataFrame) -> pd.DataFrame:
    """Every cell over its worlds.

    Parameters
    ----------
    cells : DataFrame
        From `try_power`.

    Returns
    -------
    DataFrame
        source, strength, clips, clips_per_speaker, emotion, trait, planted, expected
        (mean recovered correlation), deviation (its standard deviation over worlds),
        significant (share of worlds), worlds (in which r is defined).
    """
    known = cells.dropna(subset="recovered")
    groups = known.groupby([*GROUP, *CELL], sort=False)
    table = groups.agg(
        planted=("planted", "first"),
        expected=("recovered", "mean"),
        deviation=("recovered", "std"),
        significant=("significant", "mean"),
        worlds=("world", "nunique"),
    )
    return table.reset_index()


def summarise(
    cells: pd.DataFrame, level: float, resamples: int, seed: int
) -> pd.DataFrame:
    """What worlds of one strength and size come to.

    Parameters
    ----------
    cells : DataFrame
        From `try_power`.
    level : float
        Of the intervals. They come from drawing worlds anew, because the cells of one
        world hang together; where all worlds have the same share of cells, and for
        ``any_invented``, they are Wilson's with worlds as units.
    resamples, seed : int

    Returns
    -------
    DataFrame
        source, strength, clips, clips_per_speaker, metric, estimate, low, high, worlds.
        Metrics: ``recovered`` (mean over planted cells, positive in the direction that
        was planted); ``slope`` of recovered on planted correlations through the origin;
        ``correlation`` of both over the cells of a world, mean over worlds; ``found``
        (share significant where something is planted: power); ``invented`` (share
        significant where nothing is); ``any_invented`` (share of worlds with such a
        cell); ``covers_planted`` and ``covers_expected`` (share of intervals that hold
        the planted value, and what the cell recovers on average over worlds). What the
        strength leaves undefined is absent.
    """
    known = _with_expected(cells.dropna(subset="recovered"))
    rows = [
        (*key, metric, *estimate)
        for key, group in known.groupby(GROUP, sort=False)
        for metric, sums in _sums(group)
        for estimate in _ratio(metric, sums, level, resamples, seed)
    ]
    columns = [*GROUP, "metric", "estimate", "low", "high", "worlds"]
    return pd.DataFrame(rows, columns=columns)


def _with_expected(cells: pd.DataFrame) -> pd.DataFrame:
    """With a column ``covers_expected``; missing where there is a single world."""
    r = cells["recovered"]
    cell = r.groupby([cells[name] for name in [*GROUP, *CELL]])
    mean, worlds = cell.transform("mean"), cell.transform("size")
    # A world deviates from a mean that it belongs to by less than from the true one.
    stretch = np.sqrt(worlds / (worlds - 1).where(worlds > 1))
    expected = r - stretch * (r - mean)
    held = expected.between(cells["low"], cells["high"]).astype("boolean")
    known = expected.notna() & cells["low"].notna()
    return cells.assign(covers_expected=held.where(known))


def _sums(group: pd.DataFrame) -> Iterator[tuple[str, np.ndarray]]:
    """Each metric as a ratio of two sums over worlds: (world, 2)."""
    planted, r = group["planted"], group["recovered"]
    there, called = planted != 0, group["significant"].astype(bool)
    covers = {
        "covers_planted": group["covered"],
        "covers_expected": group["covers_expected"],
    }
    parts = {
        "recovered": (r * np.sign(planted), there),
        "slope": (r * planted, planted**2),
        "found": (called & there, there),
        "invented": (called & ~there, ~there),
        **{name: (held.fillna(False), held.notna()) for name, held in covers.items()},
    }
    for name, (above, below) in parts.items():
        both = pd.DataFrame({"above": above, "below": below}).astype(float)
        yield name, both.groupby(group["world"]).sum().to_numpy()
    invented = (called & ~there).groupby(group["world"]).any()
    yield "any_invented", np.column_stack([invented, np.ones(len(invented))])
    agreements = [
        agreement(world["recovered"].to_numpy(), world["planted"].to_numpy())
        for _, world in group.groupby("world")
    ]
    defined = [value for value in agreements if value is not None]
    yield "correlation", np.column_stack([defined, np.ones(len(defined))])


def _ratio(
    metric: str, sums: np.ndarray, level: float, resamples: int, seed: int
) -> Iterator[tuple[float, float, float, int]]:
    """(estimate, low, high, worlds), or nothing where the metric is undefined."""
    sums = sums[sums[:, 1] > 0]
    worlds = len(sums)
    if worlds == 0:
        return
    estimate = sums[:, 0].sum() / sums[:, 1].sum()
    totals = resampled_sums(sums, resamples, seed)
    low, high = bootstrap_interval(totals[:, 0] / totals[:, 1], level, worlds)
    alike = np.ptp(sums[:, 0] / sums[:, 1]) == 0
    if metric == "any_invented" or (alike and estimate in (0, 1)):
        count = round(estimate * worlds)
        low, high = proportion_confint(count, worlds, 1 - level, method="wilson")
    yield float(estimate), float(low), float(high), worlds
