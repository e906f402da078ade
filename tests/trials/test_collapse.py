import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score
from tiny_trials import TRIALS

from sslmepr.params.training import Variant
from sslmepr.simulation.world import make_world
from sslmepr.trials import collapse
from sslmepr.trials.collapse import Arm, try_collapse
from sslmepr.trials.drawn import draw_study
from sslmepr.trials.params import Collapse

SECTION = Collapse(**TRIALS["collapse"]["drawn"] | {"seeds": [0, 1]})


def small(settings, workers=2):
    return settings.model_copy(
        update={
            "compute": settings.compute.model_copy(update={"workers": workers}),
            "fusion": settings.fusion.model_copy(update={"hidden": 16, "heads": 2}),
        }
    )


@pytest.fixture(scope="module")
def runs(settings):
    return try_collapse(small(settings), SECTION, progress=False)


def test_every_arm_is_measured_for_what_it_predicts(runs):
    counts = runs.groupby("arm")["metric"].agg(["nunique", "count"])
    assert list(counts.index) == sorted(collapse.ARMS)
    for arm, (metrics, rows) in counts.iterrows():
        single = {"emotion only": 3, "personality only": 2}.get(arm, 6)
        assert (metrics, rows) == (single, 2 * single)
    assert runs["value"].notna().all()


def test_the_number_of_processes_changes_nothing(runs, settings):
    again = try_collapse(small(settings, workers=1), SECTION, progress=False)
    pd.testing.assert_frame_equal(runs, again)


def study(settings):
    world = make_world("planted", settings.simulation.worlds)
    return draw_study(settings.simulation, world, 60, 1, 8, 0.5, 0)


def test_labels_of_the_other_task_and_of_test_clips_are_hidden(settings):
    drawn = study(settings)
    clips = collapse.study_clips(drawn, Arm(Variant()))
    known = {task: clips.labelled(task) for task in clips.labels}
    table = clips.table
    for task in known:
        labelled = (table["corpus"] == task) & (table["split"] != "test")
        assert np.array_equal(known[task], labelled)
    everything = collapse.study_clips(drawn, Arm(Variant(), oracle=True))
    for task in known:
        labelled = everything.table["split"] != "test"
        assert np.array_equal(everything.labelled(task), labelled)


def test_joint_standardisation_uses_training_clips_of_both_corpora(settings):
    drawn, arm = study(settings), Arm(Variant(), by_corpus=False)
    data = collapse.fusion_clips(small(settings), drawn, arm)
    face = data.batch(np.arange(180)).inputs.embeddings["face"].numpy()
    raw = np.concatenate([drawn[c].features["face"] for c in data.clips.corpora])
    train = (data.clips.table["split"] == "train").to_numpy()
    expected = (raw - raw[train].mean(0)) / raw[train].std(0)
    assert face == pytest.approx(expected, abs=1e-4)


def test_emotions_are_measured_by_balanced_accuracy_on_both_corpora(settings):
    """Own scores are of test clips alone, others of clips outside training."""
    drawn, rng = study(settings), np.random.default_rng(0)
    predicted, thresholds = rng.random((180, 7)), np.full(6, 0.3)
    measured = dict(
        collapse._measure(drawn, {"emotion": predicted}, thresholds, np.zeros((6, 5)))
    )
    test = drawn.emotion.split == "test"
    other = drawn.personality.split != "train"
    parts = {
        "own UAR": (drawn.emotion.emotions[test], predicted[:60][test]),
        "other UAR": (
            drawn.personality.emotions[other],
            predicted[60:120][other],
        ),
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
