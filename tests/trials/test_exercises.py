import numpy as np
import pandas as pd
import pytest

from sslmepr.association.grid import CELLS
from sslmepr.association.sources import CROSS, DISJOINT
from sslmepr.params.simulation import Knobs, Raters
from sslmepr.simulation.world import WorldError
from sslmepr.trials.exercises import COLUMNS, try_world
from sslmepr.trials.params import Condition, Power
from sslmepr.trials.power import draw_condition, from_three_sources

PLANTED = {"surprise": {"openness": 0.3}}
SMALL = Condition(clips=100, disjoint=True)


@pytest.fixture(scope="module")
def small(settings):
    association = settings.association.model_copy(update={"resamples": 50})
    return settings.model_copy(update={"association": association})


@pytest.fixture(scope="module")
def found(small):
    return try_world(small, PLANTED, SMALL, seed=3)


def test_every_source_has_all_pairs_and_what_is_planted(found):
    assert list(found) == COLUMNS
    assert found["source"].value_counts().to_dict() == {CROSS: 30, DISJOINT: 30}
    assert (found["world"] == 3).all()
    for _, rows in found.groupby("source"):
        assert list(zip(rows["emotion"], rows["trait"], strict=True)) == CELLS
        planted = rows.set_index(["emotion", "trait"])["planted"]
        assert planted["surprise", "openness"] == 0.3
        assert (planted.drop(("surprise", "openness")) == 0).all()
    # Labels are the truth where no raters are named.
    assert (found["rated"] == found["planted"]).all()
    assert found.loc[found["source"] == CROSS, "verdict"].notna().all()
    assert found.loc[found["source"] == DISJOINT, "verdict"].isna().all()


def test_an_empty_world_is_that_of_the_trial_of_power(small):
    """There, a world without associations is drawn in the same way."""
    chosen = SMALL.model_copy(update={"disjoint": False})
    section = Power(
        world="planted",
        features=24,
        null_worlds=1,
        worlds=1,
        conditions={"plain": chosen},
    )
    drawn = draw_condition(small, section, chosen, 0.0, 5)
    expected = from_three_sources(small.model_copy(update={"seed": 5}), drawn)
    got = try_world(small, {}, chosen, seed=5)
    np.testing.assert_array_equal(got["r"], expected["r"])
    assert list(got["verdict"]) == list(expected["verdict"])


def test_the_same_seed_draws_the_same_people(small, found):
    pd.testing.assert_frame_equal(try_world(small, PLANTED, SMALL, seed=3), found)
    both = try_world(small, PLANTED, SMALL, worlds=2, seed=2)
    assert list(both["world"].unique()) == [2, 3]
    first, second = (rows for _, rows in both.groupby("world"))
    pd.testing.assert_frame_equal(second.reset_index(drop=True), found)
    assert not np.isclose(first["r"], found["r"]).any()


def test_raters_change_what_labels_can_show(small):
    liking = Condition(clips=100, raters=Raters(count=5, halo=0.3, noise_sd=0.5))
    found = try_world(small, PLANTED, liking).set_index(["emotion", "trait"])
    assert found.loc[("happiness", "openness"), "planted"] == 0
    assert found.loc[("happiness", "openness"), "rated"] > 0.05
    rich = Condition(clips=100, knobs=Knobs(missing=0.2))
    assert try_world(small, {}, rich)["r"].notna().all()


def test_what_no_population_can_have_is_refused(small):
    with pytest.raises(WorldError, match="surprse"):
        try_world(small, {"surprse": {"openness": 0.3}}, SMALL)
    impossible = {"surprise": dict.fromkeys(["openness", "extraversion"], 0.95)}
    with pytest.raises(WorldError, match="too strong"):
        try_world(small, impossible, SMALL)
