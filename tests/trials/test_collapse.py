from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import balanced_accuracy_score

from sslmepr import params as parameters
from sslmepr.corpora.simulated.world import make_world
from sslmepr.params import Variant
from sslmepr.trials import collapse
from sslmepr.trials.collapse import Arm, differences, summarise, try_collapse
from sslmepr.trials.drawn import draw_study

FULL = parameters.load(Path(__file__).parents[2] / "params.yaml")


def tiny(workers=2):
    section = FULL.for_study("tiny").collapse["drawn"]
    section = section.model_copy(update={"seeds": [0, 1]})
    return FULL.model_copy(
        update={
            "collapse": {"drawn": section},
            "compute": FULL.compute.model_copy(update={"workers": workers}),
            "fusion": FULL.fusion.model_copy(update={"hidden": 16, "heads": 2}),
        }
    )


@pytest.fixture(scope="module")
def runs():
    return try_collapse(tiny(), "drawn", progress=False)


def test_every_arm_is_measured_for_what_it_predicts(runs):
    counts = runs.groupby("arm")["metric"].agg(["nunique", "count"])
    assert list(counts.index) == sorted(collapse.ARMS)
    for arm, (metrics, rows) in counts.iterrows():
        single = {"emotion only": 3, "personality only": 2}.get(arm, 6)
        assert (metrics, rows) == (single, 2 * single)
    assert runs["value"].notna().all()


def test_the_number_of_processes_changes_nothing(runs):
    again = try_collapse(tiny(workers=1), "drawn", progress=False)
    pd.testing.assert_frame_equal(runs, again)


def study():
    world = make_world("planted", FULL.simulation.worlds)
    return draw_study(FULL.simulation, world, 60, 1, 8, 0.5, 0)


def test_labels_of_the_other_task_and_of_test_clips_are_hidden():
    drawn = study()
    clips = collapse._study_clips(drawn, Arm(Variant()))
    known = {task: clips.labelled(task) for task in clips.labels}
    table = clips.table
    for task in known:
        taught = (table["corpus"] == task) & (table["split"] != "test")
        assert np.array_equal(known[task], taught)
    everything = collapse._study_clips(drawn, Arm(Variant(), oracle=True))
    for task in known:
        taught = everything.table["split"] != "test"
        assert np.array_equal(everything.labelled(task), taught)


def test_together_means_by_the_training_clips_of_both_corpora():
    drawn, arm = study(), Arm(Variant(), by_corpus=False)
    data = collapse._fusion_clips(tiny(), drawn, arm)
    face = data.batch(np.arange(180)).inputs.embeddings["face"].numpy()
    raw = np.concatenate([drawn[c].features["face"] for c in data.clips.corpora])
    train = (data.clips.table["split"] == "train").to_numpy()
    expected = (raw - raw[train].mean(0)) / raw[train].std(0)
    assert face == pytest.approx(expected, abs=1e-4)


def test_emotions_are_measured_by_balanced_accuracy_on_both_corpora():
    """Own scores are of test clips alone, those of the other corpus of all clips."""
    drawn, rng = study(), np.random.default_rng(0)
    predicted, thresholds = rng.random((180, 7)), np.full(6, 0.3)
    measured = dict(
        collapse._measure(drawn, {"emotion": predicted}, thresholds, np.zeros((6, 5)))
    )
    test = drawn.emotion.split == "test"
    parts = {
        "own UAR": (drawn.emotion.emotions[test], predicted[:60][test]),
        "other UAR": (drawn.personality.emotions, predicted[60:120]),
    }
    assert set(measured) == {*parts, "confidence"}
    for name, (true, values) in parts.items():
        present, decided = true[:, 1:] > 0, values[:, 1:] >= 0.3
        mixed = np.flatnonzero(present.any(0) & ~present.all(0))
        scores = [balanced_accuracy_score(present[:, k], decided[:, k]) for k in mixed]
        assert measured[name] == pytest.approx(np.mean(scores))
    values = predicted[60:120, 1:]
    assert measured["confidence"] == pytest.approx(
        np.maximum(values, 1 - values).mean()
    )


RUNS = pd.DataFrame(
    [("a", 0.5, seed, "other CCC", value) for seed, value in enumerate((0.1, 0.2, 0.6))]
    + [
        ("b", 0.5, seed, "other CCC", value)
        for seed, value in enumerate((0.0, 0.0, 0.3))
    ]
    + [("b", 0.5, 0, "other UAR", 0.7)],
    columns=["arm", "offset", "seed", "metric", "value"],
)


def test_summary_by_hand():
    table = summarise(RUNS, 0.95).set_index(["arm", "metric"])
    found = table.loc[("a", "other CCC")]
    half = stats.t.ppf(0.975, 2) * np.std([0.1, 0.2, 0.6], ddof=1) / np.sqrt(3)
    assert found["estimate"] == pytest.approx(0.3) and found["n"] == 3
    assert found["low"] == pytest.approx(0.3 - half)
    assert found["high"] == pytest.approx(0.3 + half)
    assert np.isnan(table.loc[("b", "other UAR"), "low"])


def test_differences_are_paired_and_speak_for_the_reference():
    table = differences(RUNS, "a", 0.95)
    assert table[["arm", "metric"]].to_numpy().tolist() == [["b", "other CCC"]]
    paired = stats.ttest_1samp([0.1, 0.2, 0.3], 0).confidence_interval(0.95)
    assert table["estimate"].item() == pytest.approx(0.2)
    assert table["low"].item() == pytest.approx(paired.low)
    assert table["high"].item() == pytest.approx(paired.high)
    with pytest.raises(ValueError, match="no arm 'c'"):
        differences(RUNS, "c", 0.95)
