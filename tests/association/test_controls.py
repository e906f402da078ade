"""Which cells survive which control."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.association.controls import (
    APART,
    FULL,
    SEPARATE,
    control_table,
    survivors,
    with_survival,
)
from sslmepr.association.grid import tidy_matrix
from sslmepr.association.sources import BOTH_PREDICTED, DISJOINT
from sslmepr.association.study_associations import (
    Evaluated,
    associate,
    association_tables,
)
from sslmepr.labels import SCORED_EMOTIONS, TARGETS, TRAITS

CLIPS = 120


def told(tasks, values, **model):
    """Predictions (clip, 12) of one model, emotions before traits."""
    targets = [target for targets in TARGETS.values() for target in targets]
    table = pd.DataFrame(values, columns=targets).rename_axis("clip_id")
    table = table.rename(index="c{}".format)[[t for k in tasks for t in TARGETS[k]]]
    table = table.melt(var_name="target", value_name="predicted", ignore_index=False)
    names = {"corpus": "tiny_joint", "split": "test", "seed": 0}
    return table.reset_index().assign(true=np.nan, **names, **model)


@pytest.fixture
def speakers():
    return pd.Series([f"s{n}" for n in range(CLIPS)], [f"c{n}" for n in range(CLIPS)])


def study(rng):
    """A network that shares an error between anger and openness alone.

    Happiness and extraversion are related in truth, which every model sees.
    """
    truth = rng.standard_normal((CLIPS, 1))
    draws = {}
    for name in ("multitask", "apart", "face", "text"):
        values = 0.3 * rng.standard_normal((CLIPS, 12))
        values[:, [4, 9]] += truth
        draws[name] = values
    draws["multitask"][:, [1, 7]] += rng.standard_normal((CLIPS, 1))
    both = ("emotion", "personality")
    fusion = {"stage": "fusion", "modality": "fused"}
    chances = {name: 1 / (1 + np.exp(-values)) for name, values in draws.items()}
    return pd.concat(
        [
            told(both, chances["multitask"], **fusion, variant="multitask"),
            told(("emotion",), chances["apart"], **fusion, variant="emotion_only"),
            told(
                ("personality",),
                chances["multitask"],
                **fusion,
                variant="personality_only",
            ),
            *(
                told(both, chances[name], stage="crosstask", modality=name)
                for name in ("face", "text")
            ),
        ],
        ignore_index=True,
    )


NO_REFITS = pd.DataFrame(
    columns=["modality", "corpus", "clip_id", "refit", *SCORED_EMOTIONS, *TRAITS]
)
TRUE, INVENTED = ("happiness", "extraversion"), ("anger", "openness")


def full_and_apart(tiny, evaluated, speakers):
    found = {}
    for source in (BOTH_PREDICTED, DISJOINT):
        tables = association_tables(
            evaluated, speakers, "multitask", "tiny_joint", source
        )
        if tables is not None:
            found[source] = associate(tables, source, tiny, levels=("clip",))
    return found


def test_each_control_takes_away_what_it_is_for(tiny, speakers):
    evaluated = Evaluated(study(np.random.default_rng(0)), NO_REFITS)
    found = full_and_apart(tiny, evaluated, speakers)
    table = control_table(tiny, evaluated, speakers, found)
    table = table.set_index(["emotion", "trait", "control"])
    for control in (FULL, SEPARATE, APART):
        assert table.loc[(*TRUE, control), "survives"], control
    assert table.loc[(*INVENTED, FULL), "survives"]
    for control in (SEPARATE, APART):
        assert not table.loc[(*INVENTED, control), "survives"], control
    assert len(table) == 3 * 30


def test_a_control_without_its_models_is_left_out(tiny, speakers):
    predictions = study(np.random.default_rng(1))
    predictions = predictions[predictions["variant"] == "multitask"]
    evaluated = Evaluated(predictions, NO_REFITS)
    found = full_and_apart(tiny, evaluated, speakers)
    assert list(found) == [BOTH_PREDICTED]
    table = control_table(tiny, evaluated, speakers, found)
    assert set(table["control"]) == {FULL}


def rows(control, r, significant):
    cells = tidy_matrix({}, "r").iloc[: len(r)]
    return cells.assign(control=control, r=r, significant=significant)


def test_survival_needs_significance_in_both_and_one_sign():
    full = rows(FULL, [0.3, 0.3, -0.3, 0.1], [True, True, True, False])
    other = rows(APART, [0.2, -0.2, -0.1, 0.4], [True, True, False, True])
    table = with_survival(pd.concat([other, full], ignore_index=True))
    survives = table.groupby("control")["survives"].agg(list)
    assert survives[APART] == [True, False, False, False]
    assert survives[FULL] == [True, True, True, False]


def test_an_undefined_cell_does_not_survive():
    table = with_survival(rows(FULL, [np.nan, 0.2], [False, True]))
    assert list(table["survives"]) == [False, True]


def test_what_cannot_be_judged_is_an_error():
    with pytest.raises(ValueError, match="no rows of 'full model'"):
        with_survival(rows(APART, [0.1], [True]))
    with pytest.raises(ValueError, match="a cell is duplicated"):
        with_survival(pd.concat([rows(FULL, [0.1], [True])] * 2))


def test_survivors_are_counted_by_what_was_planted():
    full = rows(FULL, [0.3, -0.3, 0.3, 0.1], [True, True, True, False])
    other = rows(APART, [0.2, -0.2, 0.1, 0.4], [True, True, False, True])
    planted = rows("", [0.5, 0.5, 0.0, 0.0], True)[["emotion", "trait"]].assign(
        planted=[0.5, 0.5, 0.0, 0.0]
    )
    table = with_survival(pd.concat([full, other], ignore_index=True))
    counts = survivors(table, planted).set_index("control")
    assert list(counts.index) == [FULL, APART, "all of them"]
    assert list(counts["survives_planted"]) == [2, 2, 2]
    assert list(counts["wrong_sign"]) == [1, 1, 1]
    assert list(counts["survives_not_planted"]) == [1, 0, 0]
    assert (counts["of_planted"] == 2).all() and (counts["of_not_planted"] == 2).all()
