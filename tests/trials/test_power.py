from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.proportion import proportion_confint

from sslmepr import params as parameters
from sslmepr.analysis.disjoint import disjoint_tables
from sslmepr.analysis.sources import BOTH_PREDICTED, DISJOINT
from sslmepr.corpora.simulated.world import WorldError
from sslmepr.labels import EMOTIONS, MODALITIES, SCORED_EMOTIONS, TRAITS
from sslmepr.learning.baselines import Linear
from sslmepr.params import Power
from sslmepr.trials import power
from sslmepr.trials.drawn import draw_study, signed_world
from sslmepr.trials.power import (
    GROUP,
    cell_means,
    summarise,
    try_power,
)

FULL = parameters.load(Path(__file__).parents[2] / "params.yaml")
TINY = Power(
    world="planted",
    features=8,
    strengths=[0.0, 0.3],
    worlds=2,
    clips=[60, 80],
    clips_per_speaker=[1, 2],
)


def tiny(workers=2, **changes):
    return FULL.model_copy(
        update={
            "power": {"drawn": TINY.model_copy(update=changes)},
            "compute": FULL.compute.model_copy(update={"workers": workers}),
            "unimodal": FULL.unimodal.model_copy(update={"refits": 3}),
            "association": FULL.association.model_copy(update={"resamples": 50}),
        }
    )


@pytest.fixture(scope="module")
def cells():
    return try_power(tiny(), "drawn", progress=False)


def test_one_number_is_varied_at_a_time_and_the_first_kept(cells):
    found = cells.groupby([*GROUP, "world"], sort=False).size().reset_index()
    assert (found[0] == 30).all() and len(found) == 2 * 3 * 2 * 2
    sizes = found[["clips", "clips_per_speaker"]].drop_duplicates()
    assert sizes.to_numpy().tolist() == [[60, 1], [80, 1], [60, 2]]
    planted = cells.groupby("strength")["planted"].agg(lambda r: sorted(set(abs(r))))
    assert planted.to_dict() == {0.0: [0.0], 0.3: [0.0, 0.3]}


def test_worlds_differ(cells):
    r = cells.pivot_table(
        index=["emotion", "trait"],
        columns=["source", "strength", "clips", "clips_per_speaker", "world"],
        values="recovered",
    )
    assert r.T.drop_duplicates().shape[0] == r.shape[1]


def test_the_number_of_processes_changes_nothing(cells):
    again = try_power(tiny(workers=1), "drawn", progress=False)
    pd.testing.assert_frame_equal(cells, again, check_exact=True)


def test_impossible_worlds_are_refused():
    with pytest.raises(WorldError, match="planted at 0.9"):
        try_power(tiny(workers=1, strengths=[0.9]), "drawn", progress=False)


def test_readings_are_those_of_the_pipeline():
    """Against regressions fitted here, and the tables made from predictions."""
    params = tiny()
    world = signed_world(FULL.simulation, "planted", 0.3)
    study = draw_study(FULL.simulation, world, 60, 2, 8, 0.0, 0).standardised()
    found = power._readings(params, study)
    unseen, parts, sums = study.held_out, [], 0
    for modality in MODALITIES:
        logits = []
        for task in ("emotion", "personality"):
            taught, features = study[task], study[task].features[modality]
            true = taught.emotions if task == "emotion" else taught.traits
            train, dev = taught.split == "train", taught.split == "dev"
            model = Linear(task, features[train], true[train], features[dev], true[dev])
            weights, bias = model.probe()
            logits.append(unseen.features[modality] @ weights.T + bias)
        logits = np.hstack(logits)
        sums = sums + logits[:, 1:]
        wide = pd.DataFrame(1 / (1 + np.exp(-logits)), columns=[*EMOTIONS, *TRAITS])
        long = wide.assign(clip_id=unseen.clip_ids).melt(
            "clip_id", var_name="target", value_name="predicted"
        )
        parts.append(long.assign(variant=f"{modality}-crosstask", split="test"))
    none = pd.DataFrame(
        columns=["modality", "clip_id", "refit", *SCORED_EMOTIONS, *TRAITS]
    )
    speakers = pd.Series(unseen.speaker_ids, unseen.clip_ids)
    expected = disjoint_tables(pd.concat(parts), none, speakers).table
    values = list(expected.columns[2:])
    mine = found[DISJOINT]
    assert mine.table[["clip_id", "speaker_id"]].equals(
        expected[["clip_id", "speaker_id"]]
    )
    assert mine.table[values].to_numpy() == pytest.approx(
        expected[values].to_numpy(), abs=1e-6
    )
    assert len(mine.refits) == 3
    assert found[BOTH_PREDICTED].table[values].to_numpy() == pytest.approx(
        sums, abs=1e-6
    )
    assert found[BOTH_PREDICTED].refits == []


def by_hand(recovered, planted, significant, **changes):
    """Cells of one source and size: a row per world."""
    recovered = np.array(recovered, float)
    rows = [
        {
            "source": DISJOINT,
            "strength": 0.2,
            "clips": 100,
            "clips_per_speaker": 1,
            "world": world,
            "emotion": SCORED_EMOTIONS[cell],
            "trait": TRAITS[0],
            "planted": planted[cell],
            "recovered": r,
            "low": r - 0.1,
            "high": r + 0.1,
            "significant": significant[world][cell],
            "covered": abs(r - planted[cell]) <= 0.1,
        }
        for world, row in enumerate(recovered)
        for cell, r in enumerate(row)
    ]
    return pd.DataFrame(rows).astype({"covered": "boolean"}).assign(**changes)


RECOVERED = [[0.1, -0.2, 0.05], [0.3, 0.0, -0.05], [0.2, -0.1, 0.3]]
PLANTED = [0.2, -0.2, 0.0]
CALLED = [[True, True, False], [True, False, False], [True, False, True]]


def summary(table):
    return summarise(table, 0.95, 500, 0).set_index("metric")


def test_summary_by_hand():
    found = summary(by_hand(RECOVERED, PLANTED, CALLED))
    r, planted = np.array(RECOVERED), np.array(PLANTED)
    expected = {
        "recovered": 0.9 / 6,
        "slope": (r @ planted).sum() / (3 * planted @ planted),
        "correlation": np.mean([np.corrcoef(row, planted)[0, 1] for row in r]),
        "found": 4 / 6,
        "invented": 1 / 3,
        "any_invented": 1 / 3,
        # All but 0.0 for -0.2 and 0.3 for 0.0.
        "covers_planted": 7 / 9,
        # Deviations from the means .2, -.1, .1, stretched by sqrt(3 / 2): those of
        # 0.1, 0.3, -0.2, 0.0, -0.05 and 0.3 exceed the half width of 0.1.
        "covers_expected": 3 / 9,
    }
    assert found["estimate"].to_dict() == pytest.approx(expected)
    assert (found["worlds"] == 3).all()
    inside = found["estimate"].between(found["low"], found["high"])
    assert inside.all()
    wilson = proportion_confint(1, 3, 0.05, method="wilson")
    assert found.loc["any_invented", ["low", "high"]].tolist() == pytest.approx(wilson)


def test_shares_that_all_worlds_have_still_have_an_interval():
    found = summary(by_hand(RECOVERED, PLANTED, np.zeros((3, 3), bool)))
    high = proportion_confint(0, 3, 0.05, method="wilson")[1]
    for metric in ("found", "invented"):
        assert found.loc[metric, "estimate"] == 0
        assert found.loc[metric, ["low", "high"]].tolist() == pytest.approx([0, high])


def test_null_worlds_have_nothing_to_find():
    found = summary(by_hand(RECOVERED, [0.0] * 3, CALLED))
    assert set(found.index) == {
        "invented",
        "any_invented",
        "covers_planted",
        "covers_expected",
    }
    assert found.loc["invented", "estimate"] == pytest.approx(5 / 9)


def test_undefined_cells_are_left_out():
    table = by_hand(RECOVERED, PLANTED, CALLED)
    gone = table["emotion"] == SCORED_EMOTIONS[2]
    table.loc[gone, ["recovered", "low", "high"]] = np.nan
    table.loc[gone, "covered"] = pd.NA
    found = summary(table)
    assert "invented" not in found.index
    assert found.loc["covers_planted", "estimate"] == pytest.approx(5 / 6)


def test_one_world_says_nothing_of_spread():
    found = summary(by_hand(RECOVERED[:1], PLANTED, CALLED))
    assert "covers_expected" not in found.index
    assert np.isnan(found.loc["slope", "low"])


def test_intervals_that_allow_for_sampling_cover_what_is_expected():
    """Normal cells with known error: 95 % of 1.96-sigma intervals hold the mean."""
    rng = np.random.default_rng(0)
    r = 0.1 + 0.05 * rng.standard_normal((400, 3))
    table = by_hand(r, PLANTED, np.zeros((400, 3), bool))
    table = table.assign(
        low=table["recovered"] - 0.098, high=table["recovered"] + 0.098
    )
    share = summary(table).loc["covers_expected", "estimate"]
    assert share == pytest.approx(0.95, abs=0.02)


def test_means_of_cells_by_hand():
    means = cell_means(by_hand(RECOVERED, PLANTED, CALLED))
    assert means["expected"].tolist() == pytest.approx([0.2, -0.1, 0.1])
    assert means["deviation"].tolist() == pytest.approx(
        np.std(RECOVERED, axis=0, ddof=1).tolist()
    )
    assert means["significant"].tolist() == pytest.approx([1, 1 / 3, 1 / 3])
    assert means["worlds"].tolist() == [3, 3, 3]
