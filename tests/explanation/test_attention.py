import numpy as np
import pandas as pd
import pytest
import torch

from sslmepr.explanation.attention import (
    contributions,
    weight_table,
    weights_by_modality,
    weights_by_noise,
    weights_following,
    with_noise,
    with_observer,
)
from sslmepr.models.fusion import FusionOutput

MODALITIES, TASKS = ["face", "text"], ["emotion", "personality"]


@pytest.fixture
def output():
    """Two clips, of which the second has no face."""
    graph = [[[0.75, 0.25], [0.5, 0.5]], [[0.0, 0.0], [0.0, 1.0]]]
    query = [[[0.125, 0.875], [0.25, 0.75]], [[0.0, 1.0], [0.0, 1.0]]]
    quality = torch.tensor([[3.0, 1.0], [0.0, 7.0]])
    return FusionOutput(
        *(None, None, torch.tensor(graph), torch.tensor(query)),
        *(torch.empty(0), quality),
    )


def test_weights_are_multiples_of_the_uniform_one(output):
    """By hand: the face receives (.75 + .5) / 2 of 1/2, the mean of 3 and 1 is 2."""
    parts = ["graph_attention", "task_query", "product_of_experts"]
    table = weight_table(output, ["a", "b"], MODALITIES, TASKS, parts)
    assert table.values.tolist() == [
        ["graph_attention", None, "a", "face", 1.25],
        ["graph_attention", None, "a", "text", 0.75],
        ["graph_attention", None, "b", "text", 1.0],
        ["task_query", "emotion", "a", "face", 0.25],
        ["task_query", "emotion", "a", "text", 1.75],
        ["task_query", "emotion", "b", "text", 1.0],
        ["task_query", "personality", "a", "face", 0.5],
        ["task_query", "personality", "a", "text", 1.5],
        ["task_query", "personality", "b", "text", 1.0],
        ["product_of_experts", None, "a", "face", 1.5],
        ["product_of_experts", None, "a", "text", 0.5],
        ["product_of_experts", None, "b", "text", 1.0],
    ]
    assert weight_table(output, ["a", "b"], MODALITIES, TASKS, []).empty


def seen(weight, observer, clips=20):
    """Weights of two modalities that add up to 2, and the observer's shares."""
    ids = [f"clip-{n}" for n in range(clips)]
    rows = [
        ("task_query", "emotion", clip, name, side)
        for clip, value in zip(ids, weight, strict=True)
        for name, side in (("face", value), ("text", 2 - value))
    ]
    columns = ["kind", "task", "clip_id", "modality", "weight"]
    ideal = [
        (clip, task, name, side)
        for task in TASKS
        for clip, value in zip(ids, observer, strict=True)
        for name, side in (("face", value), ("text", 1 - value))
    ]
    precision = pd.DataFrame(ideal, columns=["clip_id", "task", "modality", "weight"])
    return pd.DataFrame(rows, columns=columns), precision, {each: each for each in ids}


def test_weights_that_follow_the_observer_correlate_with_it():
    shares = np.linspace(0.2, 0.8, 20)
    weights, precision, speakers = seen(2 * shares, shares)
    joined = with_observer(weights, precision)
    assert joined["observer"].to_numpy() == pytest.approx(joined["weight"].to_numpy())
    table = weights_by_modality(weights, precision, speakers, 50, 0.95, 0)
    assert table["kind"].tolist() == ["task_query for emotions"] * 2
    assert table["correlation"].to_numpy() == pytest.approx(1)
    assert table["mean"].to_numpy() == pytest.approx(1)
    assert table["lowest"].iloc[0] == pytest.approx(np.quantile(2 * shares, 0.05))


@pytest.mark.parametrize("planted", [True, False])
def test_where_all_is_seen_equally_well_there_is_nothing_to_follow(planted):
    rng = np.random.default_rng(0)
    weights, precision, speakers = seen(rng.uniform(0, 2, 20), np.full(20, 0.3))
    precision = precision if planted else None
    table = weights_by_modality(weights, precision, speakers, 50, 0.95, 0)
    assert table["correlation"].isna().all() and table["mean"].notna().all()


def test_contributions_are_summed_over_pathways_and_share_the_absolute_sum():
    rows = [
        ("a", "anger", "face", "embedding", "emotion", 0.5),
        ("a", "anger", "face", "prediction", "emotion", -0.125),
        ("a", "anger", "face", "embedding", "personality", 0.125),
        ("a", "anger", "text", "embedding", "emotion", -0.5),
        ("b", "anger", "text", "embedding", "emotion", 0.0),
    ]
    columns = ["clip_id", "target", "modality", "pathway", "half", "attribution"]
    table = contributions(pd.DataFrame(rows, columns=columns))
    assert table["attribution"].tolist() == [0.5, -0.5, 0.0]
    assert table["share"].tolist()[:2] == [0.5, 0.5]
    assert table["share"].isna().tolist() == [False, False, True]


def test_weights_stand_beside_the_noise_and_the_observers_weights():
    shares = np.tile([0.2, 0.8], 10)
    weights, precision, speakers = seen(2 * shares, shares)
    # The face is seen as badly as the observer's share of it is small.
    face = precision["modality"] == "face"
    precision["quality"] = np.where(face, np.where(precision["weight"] > 0.5, 4, 1), 1)
    contrary = pd.Series(np.arange(20) < 10, index=list(speakers))
    table = with_noise(weights, precision, contrary)
    assert list(dict.fromkeys(table["kind"])) == [
        *("ideal_observer", "task_query for emotions")
    ]
    faces = table[table["modality"] == "face"]
    assert set(zip(faces["noise"], faces["weight"].round(6), strict=True)) == {
        *((1.0, 0.4), (0.5, 1.6))
    }
    means = weights_by_noise(table, speakers, 50, 0.95, 0)
    mine = means[(means["kind"] == "ideal_observer") & (means["modality"] == "face")]
    assert mine[["noise", "clips", "weight"]].values.tolist() == [
        pytest.approx([0.5, 10, 1.6]),
        pytest.approx([1.0, 10, 0.4]),
    ]
    follows = weights_following(table, speakers, 50, 0.95, 0)
    keys = ["kind", "modality", "follows"]
    found = follows.set_index(keys)["correlation"]
    assert found["ideal_observer", "face", "noise"] == pytest.approx(-1)
    assert np.isnan(found["ideal_observer", "text", "noise"])
    assert abs(found["task_query for emotions", "text", "contrary words"]) < 1e-9
    assert ("ideal_observer", "face", "contrary words") not in found.index


def test_what_an_absent_modality_would_weigh_is_not_asked():
    weights, precision, speakers = seen([1.0] * 4, [0.5] * 4, clips=4)
    precision["quality"] = np.where(precision["clip_id"] == "clip-0", 0.0, 1.0)
    table = with_noise(weights, precision, pd.Series(False, index=list(speakers)))
    assert "clip-0" not in set(table["clip_id"]) and len(table) == 2 * 2 * 3
    nothing = pd.DataFrame(columns=table.columns)
    assert weights_by_noise(nothing, speakers, 5, 0.95, 0).empty
    assert weights_following(nothing, speakers, 5, 0.95, 0).empty
