"""Ideal observers with and without knowledge of a knob, and late fusion."""

import numpy as np
import pandas as pd
import pytest
import tiny_trials
from plain import plain
from scipy import stats

from sslmepr import params as parameters
from sslmepr.trials import observers
from sslmepr.trials.params import parse_trials

SETTINGS = parameters.load()


def seeded(settings, seed):
    simulation = settings.simulation.model_copy(update={"seed": seed})
    return settings.model_copy(update={"simulation": simulation})


def section(**changes):
    found = parse_trials(tiny_trials.TRIALS, SETTINGS, "tiny").observers["drawn"]
    return found.model_copy(update=changes)


@pytest.fixture(scope="module")
def runs():
    return observers.try_observers(SETTINGS, section(), progress=False)


def test_every_world_has_its_observers(runs):
    found = runs.groupby(["knob", "dose"])["observer"].unique().map(set).to_dict()
    alone = {
        (knob, dose): {"full observer", f"without {knob}", "late fusion"}
        for knob in ("reliability", "burst")
        for dose in (0.0, 1.0)
    }
    # Only knobs that are varied are left unknown.
    mild = {"full observer", "without reliability", "late fusion"}
    assert found == alone | {("mild world", 1.0): mild}
    assert set(runs["metric"]) == {"mWACC", "CCC"}
    assert runs.groupby(["knob", "dose", "observer", "metric"]).size().eq(2).all()


def test_at_dose_0_there_is_nothing_to_know(runs):
    plain = runs[(runs["dose"] == 0) & (runs["observer"] != "late fusion")]
    spread = plain.groupby(["seed", "metric"])["value"].agg(np.ptp)
    assert spread.max() < 1e-9


def test_every_seed_has_a_world_of_its_own(runs):
    keys = ["knob", "dose", "observer", "metric"]
    assert runs.groupby(keys)["value"].nunique().eq(2).all()


def test_a_world_is_drawn_again_from_its_seed(runs):
    one = section(seeds=[1], knobs=["burst"], doses=[1.0])
    again = observers.try_observers(SETTINGS, one, progress=False)
    keys = ["knob", "observer", "metric"]
    before = runs[(runs["seed"] == 1) & (runs["dose"] == 1)].set_index(keys)["value"]
    for row in again[again["knob"] == "burst"].itertuples():
        assert before[row.knob, row.observer, row.metric] == row.value


def test_what_is_known_helps_on_many_clips():
    """Closed form: precision-weighed channels are better than equally weighed ones."""
    one = section(
        seeds=[0], knobs=["reliability"], doses=[1.0], clips=3000, training=3000
    )
    found = observers.try_observers(SETTINGS, one, progress=False)
    found = found[found["knob"] == "reliability"]
    value = found.set_index(["observer", "metric"])["value"]
    for metric in ("mWACC", "CCC"):
        full = value["full observer", metric]
        assert full > value["without reliability", metric] + 0.02
        assert full > value["late fusion", metric] + 0.02


def test_late_fusion_is_nearly_ideal_in_the_plain_world():
    settings = seeded(plain(SETTINGS), 0)
    seen, unseen = (
        observers._draw(settings, section(), name, 6000) for name in ("seen", "unseen")
    )
    ideal = dict(
        observers._scores(settings, observers._observe(settings, unseen, ()), unseen)
    )
    linear = dict(observers._late_fusion(settings, seen, unseen))
    assert linear["mWACC"] == pytest.approx(ideal["mWACC"], abs=0.015)
    assert linear["CCC"] == pytest.approx(ideal["CCC"], abs=0.015)


def test_losses_are_paired_by_world():
    rows = [
        ("burst", 1.0, seed, observer, "mWACC", value)
        for seed, values in enumerate([(0.9, 0.8, 0.7), (0.8, 0.72, 0.5)])
        for observer, value in zip(
            ("full observer", "without burst", "late fusion"), values, strict=True
        )
    ]
    columns = ["knob", "dose", "seed", "observer", "metric", "value"]
    table = observers.summarise_observers(pd.DataFrame(rows, columns=columns), 0.9)
    nested = table[table["observer"] == "without burst"].iloc[0]
    low, high = stats.t.interval(0.9, 1, 0.09, stats.sem([0.1, 0.08]))
    assert (nested["estimate"], nested["loss"]) == pytest.approx((0.76, 0.09))
    assert (nested["loss_low"], nested["loss_high"]) == pytest.approx((low, high))
    late = table[table["observer"] == "late fusion"].iloc[0]
    assert late["loss"] == pytest.approx(0.25)


def test_an_unknown_world_or_knob_is_named():
    tree = dict(tiny_trials.TRIALS)
    for change, complaint in (
        ({"world": "mars"}, "mars"),
        ({"knobs": ["missing"]}, "knobs"),
        ({"doses": [1.5]}, "doses"),
    ):
        drawn = {"drawn": tree["observers"]["drawn"] | change}
        with pytest.raises(parameters.ParamsError, match=complaint):
            parse_trials(tree | {"observers": drawn}, SETTINGS, "tiny")


def test_clips_of_different_seeds_differ():
    one, other = (
        observers._draw(seeded(SETTINGS, seed), section(), "unseen", 40)
        for seed in (0, 1)
    )
    assert not np.allclose(one.latents, other.latents)
    assert one.controls["face"].shape[0] == 40
