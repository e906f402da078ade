"""Many worlds like that of the study, drawn as features and analysed like it.

People and expressions are drawn with the study's own knobs, in corpora of its size
(without clips that are text alone), and go through the analysis of the chapter on
associations. In half of the worlds the study's associations are planted and its raters
label. In the others nothing is associated, and raters have no halo, which would
associate happiness with all traits in the labels.
"""

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from sslmepr.association.grid import CELL, tidy_matrix
from sslmepr.association.recovery import compare
from sslmepr.association.sources import CROSS
from sslmepr.confirmation.plan import ConfirmationPlan
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params import Params
from sslmepr.params.simulation import Simulation
from sslmepr.processes import each_result
from sslmepr.simulation.raters import rated_association, raters_in
from sslmepr.simulation.world import World, make_world
from sslmepr.trials.drawn import LABELLED, Labelling, draw_study
from sslmepr.trials.power import OFFSET, from_three_sources

PLANTED, UNRELATED = "planted", "unrelated"
KINDS = {PLANTED: 1.0, UNRELATED: 0.0}
"""Kind of world to the factor on the planted correlations."""


def draw_worlds(
    params: Params, plan: ConfirmationPlan, seed: int, progress: bool = True
) -> pd.DataFrame:
    """Draw and analyse all worlds of a confirmation.

    Parameters
    ----------
    params : Params
        Of the study; its corpora are simulated.
    plan : ConfirmationPlan
    seed : int
    progress : bool
        Show a progress bar over worlds.

    Returns
    -------
    DataFrame
        As of `sslmepr.trials.power.try_power`; condition is a key of `KINDS`, strength
        its value.
    """
    calls = [
        (params, plan, seed, kind, number)
        for kind in KINDS
        for number in range(plan.worlds)
    ]
    tables = each_result(_world, calls, params.compute.workers, [__name__])
    shown = tqdm(
        tables, total=len(calls), desc="worlds", unit="world", disable=not progress
    )
    return pd.concat(list(shown), ignore_index=True)


def kind_of_world(params: Params, kind: str) -> tuple[Simulation, World]:
    """The generator of worlds of a kind, and what is planted in them."""
    simulation = params.simulation
    world = make_world(params.corpus[params.roles.emotion].world, simulation.worlds)
    world = World(kind, KINDS[kind] * world.association)
    raters = raters_in(world, simulation.raters)
    return simulation.model_copy(update={"raters": raters}), world


def clips_per_person(params: Params) -> int:
    """Clips of each person of the labelled corpora, rounded; at least 1."""
    corpora = [params.corpus[getattr(params.roles, task)] for task in LABELLED]
    return max(1, round(np.mean([each.clips / each.persons for each in corpora])))


def _world(
    params: Params, plan: ConfirmationPlan, seed: int, kind: str, number: int
) -> pd.DataFrame:
    """The analysis of one world."""
    simulation, world = kind_of_world(params, kind)
    key = [seed, list(KINDS).index(kind), number]
    own = int(np.random.SeedSequence(key).generate_state(1)[0])
    roles = params.roles
    sizes = {task: params.corpus[getattr(roles, task)].clips for task in LABELLED}
    # One thread, so that sums do not depend on the number of cores or processes.
    with threadpool_limits(1):
        study = draw_study(
            simulation,
            world,
            params.corpus[roles.held_out].clips,
            clips_per_person(params),
            plan.features,
            OFFSET,
            own,
            Labelling(sizes),
        ).standardised()
        found = from_three_sources(params.model_copy(update={"seed": own}), study)
    truth = pd.DataFrame(
        rated_association(world, simulation.raters),
        list(SCORED_EMOTIONS),
        list(TRAITS),
    )
    table = compare(found, tidy_matrix(truth, "planted"))
    table = table.merge(found[[*CELL, "error", "p_family"]])
    return table.assign(
        source=CROSS, condition=kind, strength=KINDS[kind], world=number
    )
