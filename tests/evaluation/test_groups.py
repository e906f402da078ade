"""Groups of the simulated people, and scores in them against a computation by hand."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.association.study_associations import variant_predictions
from sslmepr.evaluation.groups import SKINS, drawn_groups, group_scores
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.plan import plan_clips
from sslmepr.statistics.metrics import concordance


def test_people_are_grouped_as_they_were_drawn(settings):
    params = settings.for_study("tiny")
    name = params.roles.held_out
    groups = drawn_groups(name, params).set_index("clip_id")
    plans = plan_clips(name, draw_corpus(name, params.corpus[name], params), params)
    assert groups.index.tolist() == [plan.clip_id for plan in plans]
    darkness = {
        skin: [-sum(p.look.skin) for p in plans if groups.skin[p.clip_id] == skin]
        for skin in SKINS
    }
    assert [len(each) for each in darkness.values()] == [4, 4, 4]
    # The sum orders the tones of `SKIN_TONES` as luminance does.
    assert np.mean(darkness["light"]) < np.mean(darkness["medium"])
    assert np.mean(darkness["medium"]) < np.mean(darkness["dark"])
    for plan in plans:
        assert (groups.glasses[plan.clip_id] == "with") == plan.look.glasses
        assert f"+{groups.voice[plan.clip_id][0]}" in plan.voice.variant


def test_published_people_have_no_drawn_groups(settings):
    groups = drawn_groups("meld", settings)
    assert groups.empty and list(groups) == ["clip_id", "skin", "voice", "glasses"]


@pytest.fixture(scope="module")
def predictions(trained):
    table = pd.read_parquet(trained[1] / "evaluate" / "predictions.parquet")
    return variant_predictions(table, "multitask", "joint")


def scores(trained, small_params, predictions, groups):
    return group_scores(predictions, groups, small_params, trained[0])


def test_scores_are_those_of_the_clips_of_a_group(trained, small_params, predictions):
    ids = predictions["clip_id"].unique()
    groups = pd.DataFrame({"clip_id": ids, "half": ["a", "b"] * (len(ids) // 2)})
    table = scores(trained, small_params, predictions, groups)
    assert table[["metric", "group"]].to_numpy().tolist() == [
        *(["mWACC", "a"], ["mWACC", "b"]),
        *(["CCC", "a"], ["CCC", "b"]),
    ]
    table = table.set_index(["metric", "group"])
    mine = predictions[predictions["clip_id"].isin(ids[::2])]
    right, concordances = [], []
    for _, part in mine.groupby("seed"):
        wide = part.pivot(index="clip_id", columns="target")
        for name in SCORED_EMOTIONS:
            true = wide["true"][name] > 0
            decided = wide["decided"][name].astype(bool)
            if 0 < true.sum() < len(true):
                right.append((decided[true].mean() + 1 - decided[~true].mean()) / 2)
        pairs = (
            wide[kind][list(TRAITS)].to_numpy(float) for kind in ("true", "predicted")
        )
        concordances.append(concordance(*pairs).mean())
    assert table.estimate["mWACC", "a"] == pytest.approx(np.mean(right))
    assert table.estimate["CCC", "a"] == pytest.approx(np.mean(concordances))
    assert table.difference["CCC", "a"] == pytest.approx(
        table.estimate["CCC", "a"] - table.estimate["CCC", "b"]
    )
    assert table.difference["CCC", "b"] == pytest.approx(-table.difference["CCC", "a"])
    assert (table.low <= table.estimate).all() and (table.estimate <= table.high).all()
    assert (table.lowest < table.difference).all()
    assert (table.difference < table.highest).all()


def test_a_group_that_is_read_worse_is_found(trained, small_params, predictions):
    """Predictions of the group are those of other clips of it."""
    ids = predictions["clip_id"].unique()
    groups = pd.DataFrame({"clip_id": ids, "half": ["a", "b"] * (len(ids) // 2)})
    spoilt = predictions.copy()
    spoilt["predicted"] = spoilt["true"].astype(float)
    inside = spoilt["clip_id"].isin(ids[::2])
    rng = np.random.default_rng(0)
    spoilt.loc[inside, "predicted"] = rng.random(inside.sum())
    table = scores(trained, small_params, spoilt, groups).set_index(["metric", "group"])
    assert table.estimate["CCC", "b"] == pytest.approx(1)
    assert table.highest["CCC", "a"] < -0.5 < 0.5 < table.lowest["CCC", "b"]


def test_few_people_have_a_difference_without_an_interval(
    trained, small_params, predictions
):
    ids = predictions["clip_id"].unique()
    few = ["a"] * 5 + ["b"] * (len(ids) - 5)
    groups = pd.DataFrame({"clip_id": ids, "half": few})
    table = scores(trained, small_params, predictions, groups)
    assert table["difference"].notna().all()
    assert table[["lowest", "highest"]].isna().all(axis=None)


def test_a_group_without_others_is_left_out(trained, small_params, predictions):
    ids = predictions["clip_id"].unique()
    groups = pd.DataFrame({"clip_id": ids, "all": "a"})
    assert scores(trained, small_params, predictions, groups).empty
