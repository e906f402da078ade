"""Networks as scores: only of clips that they were not trained on."""

import numpy as np
import pytest
from scipy.special import logit

from sslmepr.association.network_scores import network_scores
from sslmepr.association.probe_scores import study_rows, study_scores
from sslmepr.association.study_associations import read_evaluated
from sslmepr.labels import SCORED_EMOTIONS, TRAITS, select
from sslmepr.training.clips import read_study_clips


@pytest.fixture(scope="module")
def found(trained, small_params):
    data_folder, study_folder, *_ = trained
    predictions = read_evaluated(study_folder / "evaluate").predictions
    scores = network_scores(small_params, predictions, data_folder)
    return scores, predictions, read_study_clips(small_params, data_folder), data_folder


def test_clips_and_labels_are_those_of_the_probes(found, small_params):
    scores, _, _, folder = found
    for mine, other in zip(scores, study_scores(small_params, folder), strict=True):
        np.testing.assert_array_equal(mine.speakers, other.speakers)
        assert mine.present.shape == other.present.shape
        assert (mine.labels is None) == (other.labels is None)
        if mine.labels is not None:
            np.testing.assert_array_equal(mine.labels, other.labels)


def test_training_clips_have_no_scores_and_others_the_logits_of_stage_1(
    found, small_params
):
    scores, predictions, clips, _ = found
    stage = select(predictions, stage="unimodal")
    keys = ["corpus", "clip_id", "modality", "target"]
    values = stage.groupby(keys)["predicted"].mean()
    seen = 0
    for place, rows in enumerate(study_rows(small_params, clips)):
        table = clips.table.iloc[rows].reset_index(drop=True)
        if place < 2:
            trained_on = (table["split"] == "train").to_numpy()
            assert trained_on.any() and not scores[place].present[trained_on].any()
        for clip, m in np.argwhere(scores[place].present)[:10]:
            name = small_params.modalities[m]
            row = table.loc[clip]
            for targets, side in ((SCORED_EMOTIONS, 0), (TRAITS, 1)):
                said = values[row["part"], row["clip_id"], name][list(targets)]
                expected = logit(said.clip(1e-4, 1 - 1e-4))
                np.testing.assert_allclose(
                    scores[place][side][clip, m], expected, rtol=1e-5
                )
                seen += 1
    assert seen > 20
