"""Sequence blocks of stage 1 where expressions change over the clip."""

import numpy as np
import pandas as pd
import pytest
import tiny_trials
from scipy import stats

from sslmepr import params as parameters
from sslmepr.params.simulation import Knobs
from sslmepr.params.training import Variant
from sslmepr.simulation.world import make_world
from sslmepr.training.batches import ModalityClips
from sslmepr.trials import timing
from sslmepr.trials.collapse import Arm, study_clips
from sslmepr.trials.drawn import draw_study
from sslmepr.trials.params import parse_trials

FULL = parameters.load()
SETTINGS = FULL.model_copy(
    update={
        "unimodal": FULL.unimodal.model_copy(
            update={"hidden": 16, "heads": 2, "state": 8, "epochs": 1}
        )
    }
)


def section(**changes):
    found = parse_trials(tiny_trials.TRIALS, SETTINGS, "tiny").timing["drawn"]
    return found.model_copy(update=changes)


@pytest.fixture(scope="module")
def runs():
    return timing.try_timing(SETTINGS, section(), progress=False)


def test_all_arms_are_scored_on_the_same_studies(runs):
    assert list(runs.columns) == [
        *("knob", "dose", "seed", "modality", "arm", "metric", "value")
    ]
    scores = runs[runs["metric"].isin(["mWACC", "CCC"])]
    arms = scores.groupby(["dose", "modality", "metric"])["arm"].agg(sorted)
    assert len(arms) == 2 * 4 * 2
    expected = ["pooling", "pooling and slope", "transformer"]
    assert arms.map(lambda names: names == expected).all()
    assert scores["value"].between(-1, 1).all()
    shares = runs[runs["metric"].str.endswith("share")]
    assert set(shares["modality"]) == {"face", "body", "audio"}
    assert set(shares["arm"]) == {"transformer"} and len(shares) == 2 * 3 * 2
    assert shares["value"].between(0, 1).all()


def test_the_same_seed_gives_the_same(runs):
    again = timing.try_timing(SETTINGS, section(doses=[1.0]), progress=False)
    before = runs[runs["dose"] == 1].reset_index(drop=True)
    pd.testing.assert_frame_equal(again, before)


def test_networks_see_the_drawn_sequences(tmp_path):
    simulation = SETTINGS.simulation.model_copy(update={"knobs": Knobs(order=0.5)})
    world = make_world("planted", simulation.worlds)
    study = draw_study(simulation, world, 30, 1, 16, 0.0, 0)
    timing.write_sequences(study, "body", tmp_path)
    data = ModalityClips(study_clips(study, Arm(Variant())), "body", tmp_path)
    rows = data.clips.rows("personality")
    values, mask = data.padded(rows)
    assert mask.all() and mask.shape[1] == simulation.cue_frames
    corpus = study.personality
    drawn = corpus.sequences["body"]
    known = drawn[corpus.split == "train"].reshape(-1, 16)
    expected = (drawn - known.mean(0)) / known.std(0)
    assert values[..., :16] == pytest.approx(expected, abs=0.01)  # stored as float16


def test_gains_are_paired_by_study():
    values = {
        "mamba": (0.8, 0.9),
        "pooling": (0.7, 0.84),
        "pooling and slope": (0.75, 1),
    }
    rows = [
        ("order", 1.0, seed, "face", arm, metric, each[seed])
        for arm, each in values.items()
        for seed in (0, 1)
        for metric in ("mWACC", "emotion share")
    ]
    columns = ["knob", "dose", "seed", "modality", "arm", "metric", "value"]
    table = timing.timing_gains(pd.DataFrame(rows, columns=columns), 0.9)
    found = table.set_index(["arm", "against"])
    assert set(found.index) == {
        ("mamba", "pooling"),
        ("pooling and slope", "pooling"),
        ("mamba", "pooling and slope"),
    }
    low, high = stats.t.interval(0.9, 1, 0.08, stats.sem([0.1, 0.06]))
    mine = found.loc[("mamba", "pooling"), ["estimate", "low", "high"]]
    assert mine.tolist() == pytest.approx([0.08, low, high])
    late = found.loc[("mamba", "pooling and slope"), "estimate"]
    assert late == pytest.approx(np.mean([0.05, -0.1]))


@pytest.mark.parametrize("change", [{"knobs": ["variants"]}, {"blocks": ["lstm"]}])
def test_what_is_no_block_or_knob_of_time_is_named(change):
    drawn = tiny_trials.TRIALS["timing"]["drawn"] | change
    with pytest.raises(parameters.ParamsError, match=next(iter(change))):
        parse_trials(tiny_trials.TRIALS | {"timing": {"drawn": drawn}}, SETTINGS, "x")
