"""Worlds of one's own: plant associations, draw people, and see what is found.

The analysis is that of the trial of power (`sslmepr.trials.power`); only the planted
associations are the reader's.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sslmepr.association.grid import CELL, tidy_matrix
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params import Params
from sslmepr.simulation.raters import rated_association
from sslmepr.simulation.world import make_world
from sslmepr.trials.drawn import draw_study
from sslmepr.trials.params import Condition
from sslmepr.trials.power import OFFSET, analyses

FEATURES = 24
"""Of every modality, as in the trial of power."""

COLUMNS = ["source", "world", *CELL, "planted", "rated", "r", "low", "high"]
COLUMNS += ["significant", "verdict"]


def try_world(
    params: Params,
    planted: Mapping[str, Mapping[str, float]],
    condition: Condition | None = None,
    worlds: int = 1,
    seed: int = 0,
) -> pd.DataFrame:
    """Draw the corpora of a world, or of several of a kind, and analyse them.

    Parameters
    ----------
    params : Params
        Sections ``simulation`` and ``association``.
    planted : mapping
        Emotion to trait to their correlation in people; those not listed are 0.
    condition : Condition, optional
        Clips, people, knobs and raters; by default 480 clips of as many people, whose
        labels are the truth. Its strengths are not used.
    worlds : int
        Each has other people.
    seed : int
        Of the first world; the next has the next.

    Returns
    -------
    DataFrame
        source, world (the seed), emotion, trait, planted, rated (the association of
        the labels, halo and noise of raters included), r, low, high, significant and
        verdict, which disjoint modalities do not have.

    Raises
    ------
    WorldError
        If an emotion or a trait is unknown, or no population can have these
        correlations.
    """
    kind = (params, planted, condition or Condition())
    return pd.concat(
        [_one_world(*kind, seed + number) for number in range(worlds)],
        ignore_index=True,
    )


def _one_world(params: Params, planted, condition: Condition, seed: int):
    world = make_world("exercise", {"exercise": dict(planted)})
    drawn = params.simulation.model_copy(
        update={"knobs": condition.knobs, "raters": condition.raters}
    )
    sizes = (condition.clips, condition.clips_per_speaker, FEATURES, OFFSET, seed)
    study = draw_study(drawn, world, *sizes, moving=False).standardised()
    truths = {"planted": world.association}
    truths["rated"] = rated_association(world, condition.raters)
    table = pd.DataFrame({"world": [seed]})
    for name, values in truths.items():
        matrix = pd.DataFrame(values, list(SCORED_EMOTIONS), list(TRAITS))
        cells = tidy_matrix(matrix, name)
        table = table.merge(cells, "cross" if name == "planted" else "left")
    own = params.model_copy(update={"seed": seed})
    parts = [
        table.merge(found.assign(source=source), on=CELL, validate="1:1")
        for source, found in analyses(own, study, condition).items()
    ]
    found = pd.concat(parts, ignore_index=True)
    return found.reindex(columns=COLUMNS).replace({"verdict": {np.nan: None}})
