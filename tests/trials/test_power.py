from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sslmepr import params as parameters
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.trials import power
from sslmepr.trials.drawn import draw_study, signed_world
from sslmepr.trials.power import Design, designs, summarise, try_power

FULL = parameters.load(Path(__file__).parents[2] / "params.yaml")


def tiny(workers=2):
    study = FULL.for_study("tiny")
    changes = {
        "compute": study.compute.model_copy(update={"workers": workers}),
        "unimodal": study.unimodal.model_copy(update={"refits": 3}),
    }
    return study.model_copy(update=changes)


@pytest.fixture(scope="module")
def cells():
    return try_power(tiny(), "drawn", progress=False)


def test_one_thing_is_varied_at_a_time():
    section = (
        FULL.for_study("trials")
        .power["drawn"]
        .model_copy(
            update={"strengths": [0.1], "clips": [8, 4], "clips_per_speaker": [1, 2]}
        )
    )
    assert designs(section) == [(0.1, 8, 1), (0.1, 4, 1), (0.1, 8, 2)]


def test_every_cell_of_every_world_from_both_sources(cells):
    assert len(cells) == 2 * 2 * 2 * 30  # strengths, worlds, sources, pairs
    planted = cells.groupby("strength")["planted"].agg(lambda v: set(v.abs()))
    assert planted.to_dict() == {0.0: {0.0}, 0.3: {0.0, 0.3}}
    pair = cells[(cells["emotion"] == "anger") & (cells["trait"] == "agreeableness")]
    assert set(pair.loc[pair["strength"] > 0, "planted"]) == {-0.3}
    assert cells["r"].between(cells["low"], cells["high"]).all()


def test_the_number_of_processes_changes_nothing(cells):
    again = try_power(tiny(workers=1), "drawn", progress=False)
    pd.testing.assert_frame_equal(cells, again)


def test_the_shortcut_is_the_correlation_of_summed_logits(cells):
    """Of the first world with associations, drawn and learned from again."""
    settings = tiny()
    world = signed_world(settings.simulation, "planted", 0.3)
    seed = [settings.seed, 0, 300, 80, 1]
    study = draw_study(settings.simulation, world, 80, 1, 8, 0.0, seed)
    logits, refits = power._learned(study, 3, 0)
    assert set(logits) == set(study.held_out.features) and len(refits) == 5 * 3 * 80
    summed = sum(logits.values())[:, 1:]
    expected = np.corrcoef(summed.T)[:6, 6:]
    found = cells[
        (cells["strength"] == 0.3)
        & (cells["world"] == 0)
        & (cells["source"] == "predicted_x_predicted")
    ].set_index(["emotion", "trait"])["r"]
    for (row, emotion), (column, trait) in [
        ((0, "anger"), (3, "agreeableness")),
        ((5, "surprise"), (0, "openness")),
    ]:
        assert (SCORED_EMOTIONS[row], TRAITS[column]) == (emotion, trait)
        assert found[emotion, trait] == pytest.approx(expected[row, column], abs=1e-6)


def by_hand(world, *rows):
    columns = ["emotion", "trait", "planted", "r", "low", "high", "significant"]
    return pd.DataFrame(rows, columns=columns).assign(
        source="s", **Design(0.3, 10, 1)._asdict(), world=world
    )


def test_summary_by_hand():
    cells = pd.concat(
        [
            by_hand(
                0,
                ("anger", "openness", 0.3, 0.2, 0.1, 0.35, True),
                ("fear", "openness", 0.0, 0.1, 0.05, 0.2, True),
                ("anger", "extraversion", -0.3, -0.1, -0.2, 0.1, False),
            ),
            by_hand(
                1,
                ("anger", "openness", 0.3, 0.4, 0.3, 0.5, True),
                ("fear", "openness", 0.0, 0.0, -0.1, 0.1, False),
                ("anger", "extraversion", -0.3, -0.3, -0.4, -0.2, True),
            ),
        ]
    )
    found = summarise(cells, 0.95).set_index("metric")
    expected = {
        "found": (0.5, 1.0),
        "invented": (1.0, 0.0),
        "any invented": (1.0, 0.0),
        "slope": ((0.06 + 0.03) / 0.18, (0.12 + 0.09) / 0.18),
        "r": tuple(
            np.corrcoef([0.3, 0, -0.3], values)[0, 1]
            for values in ([0.2, 0.1, -0.1], [0.4, 0, -0.3])
        ),
        "covers planted": (1 / 3, 1.0),
        # Means over the worlds are .3, .05 and -.2.
        "covers expected": (1.0, 1.0),
    }
    assert set(found.index) == set(expected)
    for metric, values in expected.items():
        row = found.loc[metric]
        assert row["estimate"] == pytest.approx(np.mean(values)), metric
        half = stats.t.ppf(0.975, 1) * np.std(values, ddof=1) / np.sqrt(2)
        high = np.mean(values) + half
        if metric not in ("slope", "r"):
            high = min(high, 1)
        assert row["high"] == pytest.approx(high), metric
        assert row["n"] == 2


def test_a_world_without_associations_has_no_slope(cells):
    table = summarise(cells, 0.95)
    nothing = set(table.loc[table["strength"] == 0, "metric"])
    assert nothing == {"invented", "any invented", "covers planted", "covers expected"}
