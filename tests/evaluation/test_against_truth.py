import numpy as np
import pandas as pd
import pytest

from sslmepr.association.study_associations import variant_predictions
from sslmepr.evaluation.against_truth import BINS, TRUTH, against_truth, confusion
from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TRAITS


@pytest.fixture(scope="module")
def predictions(trained):
    table = pd.read_parquet(trained[1] / "evaluate" / "predictions.parquet")
    return variant_predictions(table, "multitask", "joint")


def test_bins_hold_as_many_clips_and_their_mean_labels(
    trained, small_params, predictions
):
    table = against_truth(predictions, small_params, trained[0])
    assert list(table.columns) == TRUTH
    assert table["target"].unique().tolist() == [*SCORED_EMOTIONS, *TRAITS]
    clips = predictions["clip_id"].nunique()
    for target, mine in table.groupby("target"):
        assert mine["n"].sum() == clips and mine["bin"].tolist() == [*range(BINS)]
        assert mine["n"].max() - mine["n"].min() <= 1
        assert mine["predicted"].is_monotonic_increasing
        own = predictions[predictions["target"] == target]
        own = own.groupby("clip_id")[["predicted", "true"]].mean()
        lowest = own.sort_values("predicted", kind="stable")["true"].iloc[
            : mine["n"].iloc[0]
        ]
        if target in EMOTIONS:
            lowest = lowest > 0
        assert mine["estimate"].iloc[0] == pytest.approx(lowest.mean())
    held = table["low"] <= table["estimate"]
    assert (held & (table["estimate"] <= table["high"])).all()
    assert table[["low", "high"]].min().min() >= 0 <= 1 - table["high"].max()


def test_a_perfect_prediction_lies_on_the_diagonal(trained, small_params, predictions):
    perfect = predictions.assign(predicted=predictions["true"].astype(float))
    table = against_truth(perfect, small_params, trained[0])
    traits = table[table["task"] == "personality"]
    assert traits["estimate"].to_numpy() == pytest.approx(
        traits["predicted"].to_numpy()
    )


def test_without_labels_there_is_nothing_to_compare(trained, small_params, predictions):
    unlabelled = predictions.assign(true=np.nan)
    assert against_truth(unlabelled, small_params, trained[0]).empty
    assert confusion(unlabelled).empty


def drawn(rows):
    """Predictions from (clip, seed, strongest true, strongest predicted)."""
    return pd.DataFrame(
        [
            (clip, seed, name, float(name == guess), float(name == true))
            for clip, seed, true, guess in rows
            for name in EMOTIONS
        ],
        columns=["clip_id", "seed", "target", "predicted", "true"],
    )


def test_confusions_are_counted_by_clip():
    """Of two seeds the mean decides; the third clip is undecided, the first wins."""
    table = confusion(
        drawn(
            [
                ("a", 0, "fear", "surprise"),
                ("a", 1, "fear", "surprise"),
                ("b", 0, "fear", "fear"),
                ("c", 0, "sadness", "sadness"),
                ("c", 1, "sadness", "anger"),
            ]
        )
    )
    found = table[table["clips"] > 0].set_index(["true", "predicted"])
    assert found["clips"].to_dict() == {
        ("fear", "fear"): 1,
        ("fear", "surprise"): 1,
        ("sadness", "anger"): 1,
    }
    assert found["share"].tolist() == [0.5, 0.5, 1.0]
    assert set(table["true"]) == {"fear", "sadness"} and len(table) == 14
