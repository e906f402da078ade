"""What the chapter on measurement computes, from the results of a trained study."""

import numpy as np
import pytest

from sslmepr.association.construct_reliability import reliability_table
from sslmepr.association.mixed_models import study_mixed
from sslmepr.association.multitrait import (
    convergent_table,
    htmt_table,
    study_multitrait,
)
from sslmepr.association.study_associations import read_evaluated
from sslmepr.training.clips import read_study_clips


@pytest.fixture(scope="module")
def evaluated(trained, small_params):
    """Predictions of the study, and its clips."""
    data_folder, study_folder, *_ = trained
    predictions = read_evaluated(study_folder / "evaluate").predictions
    return predictions, read_study_clips(small_params, data_folder).table


def test_held_out_clips_with_both_modalities_are_compared(evaluated, small_params):
    predictions, clips = evaluated
    found, refused = study_multitrait(small_params, predictions, clips)
    assert refused == "" and found.modalities == ["face", "text"]
    held_out = clips[clips["corpus"] == small_params.roles.held_out]
    assert found.n == len(held_out) == 30 and found.n_speakers == 15
    assert len(convergent_table(found, 0.95)) == 11
    assert len(htmt_table(found, 0.95)) == 55
    assert np.nanmax(np.abs(found.matrix)) <= 1


def test_seeds_and_modalities_are_raters_of_all_constructs(evaluated, small_params):
    predictions, clips = evaluated
    table = reliability_table(small_params, predictions, clips, "multitask")
    assert (table["reason"] == "").all()
    counts = table.groupby("over")["count"].unique()
    assert counts["modalities"] == [2] and counts["seeds"] == [2]
    assert len(table) == 22 and (table[["single", "mean"]] <= 1).all(axis=None)
    assert (table["n"] <= 30).all() and (table["n_speakers"] <= 15).all()


def test_each_corpus_has_models_of_the_side_that_is_annotated(evaluated, small_params):
    predictions, clips = evaluated
    found = study_mixed(predictions, clips, "multitask", ["happiness"], 0.95)
    roles = small_params.roles
    sources = found.groupby("corpus")["source"].unique()
    assert sources[roles.emotion] == ["true_x_predicted"]
    assert sources[roles.personality] == ["predicted_x_true"]
    assert sources[roles.held_out] == ["true_x_true"]
    known = found[found["reason"] == ""]
    assert (known["n_repeated"] > 0).all() and len(known)
    assert known["icc"].between(0, 1).all()
    assert (known["r2_marginal"] <= known["r2_conditional"] + 1e-12).all()
