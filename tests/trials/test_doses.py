"""Gains of a component by dose of a knob."""

import numpy as np
import pandas as pd
import pytest
import tiny_trials
from scipy import stats

from sslmepr import params as parameters
from sslmepr.labels import EMOTIONS
from sslmepr.trials import doses
from sslmepr.trials.params import parse_trials

SETTINGS = parameters.load()


def section(**changes):
    found = parse_trials(tiny_trials.TRIALS, SETTINGS, "tiny").doses["drawn"]
    return found.model_copy(update=changes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("kept")


@pytest.fixture(scope="module")
def runs(folder):
    return doses.try_doses(SETTINGS, section(), folder, progress=False)


def test_all_arms_are_scored_on_the_same_studies(runs):
    assert list(runs.columns) == [
        *("component", "knob", "offset", "dose", "seed", "arm", "metric", "value")
    ]
    assert set(runs["component"]) == {"product_of_experts"}
    counts = runs.groupby(["dose", "seed", "metric"])["arm"].agg(sorted)
    assert len(counts) == 4
    assert counts.map(lambda arms: arms == ["late fusion", "with", "without"]).all()
    value = runs.set_index(["metric", "arm", "dose"])["value"]
    assert value["mWACC"].between(0, 1).all() and value["CCC"].between(-1, 1).all()


def test_the_same_seed_gives_the_same(runs, tmp_path):
    again = doses.try_doses(SETTINGS, section(doses=[1.0]), tmp_path, progress=False)
    before = runs[runs["dose"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, before)


def test_what_is_kept_is_not_learned_again(runs, folder, monkeypatch):
    def learn(*_, **__):
        raise AssertionError("learned again")

    monkeypatch.setattr(doses, "_cell", learn)
    cell = ("product_of_experts", "reliability", 1.0, 0)
    found = doses._kept_cell(SETTINGS, section(doses=[1.0]), folder, *cell)
    expected = runs[runs["dose"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(found, expected)
    for changes in ({"epochs": 2}, {"clips": 71}, {"offset": 0.5}):
        with pytest.raises(AssertionError, match="learned again"):
            doses._kept_cell(SETTINGS, section(**changes), folder, *cell)


def test_labels_are_scarce_or_unequal_as_the_dose_says(monkeypatch):
    seen = []

    def watched(params, data, arm, seed):
        counts = {
            role: data.clips.labelled(role)[data.rows(role, "train")].sum()
            for role in ("emotion", "personality")
        }
        seen.append((arm.variant, counts, len(data.rows("emotion"))))
        return trained(params, data, arm, seed)

    trained = doses.train_on
    monkeypatch.setattr(doses, "train_on", watched)
    pairs = {"semi_supervised": "scarcity", "gradnorm": "imbalance"}
    chosen = section(components=pairs, clips=200)
    for pair in pairs.items():
        found = doses._cell(SETTINGS, chosen, *pair, 1.0, 0)
        assert found["value"].notna().all() and set(found["knob"]) == {pair[1]}
    (_, scarce, many), _, (variant, unequal, few), _ = seen
    assert scarce == {"emotion": 100, "personality": 100}
    assert many == 1000 + round(100 / 0.7)
    assert unequal["emotion"] == pytest.approx(200, abs=1)
    assert unequal["personality"] == pytest.approx(20, abs=1)
    assert few == round(200 / 0.7)
    assert variant.without == ["gradnorm"]


@pytest.mark.parametrize("knob", ["scarcity", "incongruence"])
def test_corpora_are_as_unlike_as_the_trial_says(monkeypatch, knob):
    class Drawn(Exception):
        pass

    def draw_study(simulation, *args, **kwargs):
        raise Drawn(simulation.knobs.model_dump(exclude_defaults=True))

    monkeypatch.setattr(doses, "draw_study", draw_study)
    chosen = section(offset=0.75)
    with pytest.raises(Drawn) as found:
        doses._cell(SETTINGS, chosen, "co_training", knob, 1.0, 0)
    own = {} if knob == "scarcity" else {knob: 1.0}
    assert found.value.args == ({"offset": 0.75} | own,)


def test_a_part_is_tried_beside_what_it_is_a_part_of(monkeypatch):
    tried = {}

    def train_on(params, data, arm, seed):
        left_out = params.fusion.left_out(arm.variant)
        tried[len(tried)] = {"product_of_experts", "contrary_words"} - set(left_out)
        assert params.fusion.patience is None
        clips = len(data.clips.table)
        predicted = {
            "emotion": np.zeros((clips, 7)),
            "personality": np.ones((clips, 5)),
        }
        return predicted, np.full(6, 0.5)

    monkeypatch.setattr(doses, "train_on", train_on)
    doses._cell(SETTINGS, section(), "contrary_words", "incongruence", 1.0, 0)
    assert tried == {
        0: {"product_of_experts"},
        1: {"product_of_experts", "contrary_words"},
    }


def test_scores_are_of_the_last_clips(runs):
    class Unseen:
        clip_ids, speaker_ids = np.array(list("ab")), np.array(list("ab"))
        emotions = np.array([[1.0, *[0.0] * 6], [0.0, *[1.0] * 6]])
        traits = np.array([[0.2] * 5, [0.8] * 5])

    emotions = np.zeros((5, len(EMOTIONS)))
    predicted = {"emotion": emotions, "personality": np.ones((5, 5))}
    predicted["emotion"][-1] = 1.0
    predicted["personality"][-2:] = Unseen.traits
    found = dict(doses._scores(Unseen, predicted, np.full(6, 0.5)))
    assert found == {"mWACC": 1.0, "CCC": pytest.approx(1.0)}


def test_gains_are_paired_by_study():
    values = {"with": (0.8, 0.9), "without": (0.7, 0.84), "late fusion": (0.5, 0.9)}
    rows = [
        ("product_of_experts", "reliability", 0.5, 1.0, seed, arm, "mWACC", each[seed])
        for arm, each in values.items()
        for seed in (0, 1)
    ]
    columns = [
        *("component", "knob", "offset", "dose", "seed", "arm", "metric"),
        "value",
    ]
    table = doses.gains(pd.DataFrame(rows, columns=columns), 0.9)
    found = table.set_index("against")
    assert set(found.index) == {"without", "late fusion"}
    assert set(found["offset"]) == {0.5}
    low, high = stats.t.interval(0.9, 1, 0.08, stats.sem([0.1, 0.06]))
    assert found.loc["without", ["estimate", "low", "high"]].tolist() == pytest.approx(
        [0.08, low, high]
    )
    assert found.loc["late fusion", "estimate"] == pytest.approx(0.15)


def test_what_is_no_component_or_knob_is_named():
    for components in ({"gate": "reliability"}, {"product_of_experts": "missing"}):
        drawn = tiny_trials.TRIALS["doses"]["drawn"] | {"components": components}
        with pytest.raises(parameters.ParamsError, match="components"):
            parse_trials(
                tiny_trials.TRIALS | {"doses": {"drawn": drawn}}, SETTINGS, "tiny"
            )


@pytest.mark.parametrize(
    ("part", "knob"),
    [("factor_contrary", "incongruence"), ("factor_unlabelled", "scarcity")],
)
def test_parts_of_a_factor_model_are_tried_like_components(part, knob, monkeypatch):
    seen = []

    def watched(params, data, **options):
        seen.append(options)
        return learned(params, data, **options)

    learned = doses.fit_factor_expert
    monkeypatch.setattr(doses, "fit_factor_expert", watched)
    chosen = section(components={part: knob}, clips=200)
    found = doses._cell(SETTINGS, chosen, part, knob, 1.0, 0)
    assert found["value"].notna().all()
    assert set(found["arm"]) == {"with", "without"}
    if part == "factor_unlabelled":
        assert seen == [{"unlabelled": False}, {"unlabelled": True}]
        return
    without, both = (options["candidates"] for options in seen)
    assert without == [doses.NOTHING]
    assert both[0] == doses.NOTHING and both[1].contrary
    assert not (both[1].forms or both[1].expressive) and both[1].classes == 1
