"""Learning curves: arms, bounds, what is kept, and the share of the way."""

import numpy as np
import pandas as pd
import pytest
import tiny_trials
from scipy import stats

from sslmepr import params as parameters
from sslmepr.trials import curve_arms, curves, kept
from sslmepr.trials.params import CURVE_ARMS, parse_trials

SETTINGS = parameters.load()
MODALITIES = ["face", "body", "scene", "audio", "text"]


def section(**changes):
    found = parse_trials(tiny_trials.TRIALS, SETTINGS, "tiny").curves["drawn"]
    return found.model_copy(update=changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def runs(folder):
    return curves.try_curves(SETTINGS, section(), folder, progress=False)


def test_all_arms_and_bounds_are_scored(runs):
    assert list(runs.columns) == ["clips", "seed", "arm", "metric", "value"]
    expected = {
        *("late fusion", "network on all features", "whole method"),
        *(f"{name} alone" for name in MODALITIES),
        *curves.BOUNDS,
    }
    assert set(runs["arm"]) == expected
    assert (runs.groupby("arm")["metric"].agg(list).map(len) == 3).all()
    assert runs["value"].between(-1, 1).all()
    value = runs.set_index(["arm", "metric"])["value"]
    assert value[curves.FULL, "CCC"] > value["face alone", "CCC"]


def test_what_is_kept_is_not_learned_again(runs, folder, monkeypatch):
    def learn(*_, **__):
        raise AssertionError("learned again")

    monkeypatch.setattr(curves, "ARMS", dict.fromkeys(curves.ARMS, learn))
    monkeypatch.setattr(curves, "draw_study", learn)
    one = SETTINGS.model_copy(
        update={"compute": SETTINGS.compute.model_copy(update={"workers": 1})}
    )
    found = curves._study(one, section(), folder, 0)
    pd.testing.assert_frame_equal(found, runs)
    for changes in ({"epochs": 2}, {"held_out": 61}):
        with pytest.raises(AssertionError, match="learned again"):
            curves._study(one, section(**changes), folder, 0)
    monkeypatch.setattr(kept, "digest_of_code", lambda module: "other code")
    with pytest.raises(AssertionError, match="learned again"):
        curves._study(one, section(), folder, 0)


def test_smaller_studies_are_parts_of_larger_ones():
    simulation = curves.with_doses(SETTINGS.simulation)
    own = SETTINGS.model_copy(update={"simulation": simulation})
    world = curves.make_world("planted", simulation.worlds)
    whole = curves._draw(own, section(), world, 0)
    sizes = {}
    for share in (0.25, 0.5):
        part = curves.fewer(whole, share)
        assert part.held_out is whole.held_out
        sizes[share] = set(part.emotion.clip_ids)
        counts = [(part.emotion.split == each).sum() for each in ("train", "dev")]
        assert counts == [round(140 * share), round(30 * share)]
        assert not (part.personality.split == "test").any()
        rows = np.searchsorted(whole.emotion.clip_ids, part.emotion.clip_ids)
        np.testing.assert_array_equal(
            part.emotion.features["face"], whole.emotion.features["face"][rows]
        )
    assert sizes[0.25] < sizes[0.5]


def table(values):
    """Runs of two seeds from arm to its two scores."""
    rows = [
        (70, seed, arm, "mWACC", each[seed])
        for arm, each in values.items()
        for seed in (0, 1)
    ]
    return pd.DataFrame(rows, columns=["clips", "seed", "arm", "metric", "value"])


BOUNDED = table(
    {
        curves.LIMIT: (0.7, 0.72),
        curves.OF_FEATURES: (0.8, 0.82),
        curves.FULL: (0.9, 0.92),
        "whole method": (0.75, 0.8),
        "late fusion": (0.69, 0.71),
    }
)


def test_the_share_of_the_way_is_taken_in_each_study():
    found = curves.covered(BOUNDED, 0.9).set_index(["arm", "observer"])
    assert set(found.index.get_level_values("arm")) == {"whole method", "late fusion"}
    low, high = stats.t.interval(0.9, 1, 0.65, stats.sem([0.5, 0.8]))
    row = found.loc["whole method", curves.OF_FEATURES]
    assert row[["estimate", "low", "high"]].tolist() == pytest.approx([0.65, low, high])
    assert found.loc[("whole method", curves.FULL), "estimate"] == pytest.approx(0.325)
    assert found.loc[("late fusion", curves.FULL), "estimate"] == pytest.approx(-0.05)
    assert (found["n"] == 2).all()


def test_the_whole_method_is_compared_with_all_arms_but_the_bounds():
    found = curves.ahead(BOUNDED, 0.9)
    assert found["arm"].tolist() == ["whole method"]
    assert found["against"].tolist() == ["late fusion"]
    assert found["estimate"].item() == pytest.approx((0.06 + 0.09) / 2)
    without = BOUNDED[BOUNDED["arm"] != "whole method"]
    assert curves.ahead(without, 0.9).empty
    factors = without.replace({"arm": {"late fusion": "factor model"}})
    found = curves.ahead(pd.concat([BOUNDED, factors]), 0.9)
    gain = found.set_index(["arm", "against"])["estimate"]
    assert set(gain.index) == {
        ("whole method", "late fusion"),
        ("whole method", "factor model"),
        ("factor model", "late fusion"),
        ("factor model", "whole method"),
    }
    assert gain["factor model", "late fusion"] == pytest.approx(0)
    less = gain["factor model", "whole method"]
    assert less == pytest.approx(-gain["whole method", "factor model"])
    assert less == pytest.approx(-(0.06 + 0.09) / 2)


def test_arms_are_those_that_may_be_named():
    assert tuple(curve_arms.ARMS) == CURVE_ARMS


def test_a_size_above_the_reference_is_an_error():
    drawn = tiny_trials.TRIALS["curves"]["drawn"] | {"clips": [70, 141]}
    with pytest.raises(parameters.ParamsError, match="141: more than the reference"):
        parse_trials(
            tiny_trials.TRIALS | {"curves": {"drawn": drawn}}, SETTINGS, "tiny"
        )
