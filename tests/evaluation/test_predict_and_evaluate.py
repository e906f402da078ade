"""Recordings of one's own and clips of a study are predicted alike.

Evaluation standardises a held-out corpus by itself, `predict` has no corpus. So stage 2
is given the statistics of the held-out corpus here, which is the only difference.
"""

import numpy as np
import pandas as pd
import pytest

from sslmepr.labels import TARGETS, TASKS
from sslmepr.training.batches import ModalityClips
from sslmepr.training.checkpoints import load_checkpoint, load_seeds, save_checkpoint
from sslmepr.training.clips import read_study_clips
from sslmepr.training.new_clips import StudyModels


@pytest.fixture
def served(trained, small_params, tmp_path):
    """The trained models for the features of the held-out corpus."""
    data_folder, folder, _, _ = trained
    clips = read_study_clips(small_params, data_folder)
    held_out, digests = small_params.roles.held_out, {}
    for modality in small_params.modalities:
        data = ModalityClips(clips, modality, data_folder)
        name = f"crosstask/{modality}"
        digests[name] = save_checkpoint(
            load_checkpoint(folder / name / "model").model,
            tmp_path / name / "model",
            {held_out: data.statistics[held_out]},
        )
    for variant in ("multitask", "as_published"):
        for seed, each in load_seeds(folder / "fusion" / variant).items():
            save_checkpoint(
                each.model,
                tmp_path / "fusion" / variant / f"seed-{seed}",
                metrics=each.metrics,
                trained_on=digests,
                seeds=each.seeds,
            )
    return tmp_path


@pytest.mark.parametrize("variant", ["multitask", "as_published"])
def test_predict_says_what_evaluation_says(trained, served, small_params, variant):
    data_folder, folder, _, _ = trained
    held_out, seeds = small_params.roles.held_out, small_params.fusion.seeds
    table = pd.read_parquet(folder / "evaluate" / "predictions.parquet")
    table = table[(table["variant"] == variant) & (table["corpus"] == held_out)]
    wide = table.pivot(index="clip_id", columns=["seed", "target"], values="predicted")
    # In another order than there, and a clip of which nothing is known.
    clip_ids = [*wide.index[::-1], "nobody"]
    models = StudyModels(served, served / "fusion" / variant, "cpu")
    predicted = models.predict(clip_ids, data_folder / held_out / "features")
    assert len(wide) == 30
    for task in TASKS:
        assert predicted[task].shape == (len(seeds), 31, len(TARGETS[task]))
        assert np.isnan(predicted[task][:, -1]).all()
        for place, seed in enumerate(seeds):
            expected = wide[seed].loc[clip_ids[:-1], list(TARGETS[task])].to_numpy()
            assert predicted[task][place, :-1] == pytest.approx(expected, abs=1e-5)
