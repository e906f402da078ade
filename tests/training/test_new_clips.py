"""The models of a study applied to clips as if they were new."""

import shutil

import numpy as np
import pytest

from sslmepr.labels import TARGETS
from sslmepr.training.checkpoints import CheckpointError, load_checkpoint
from sslmepr.training.new_clips import StudyModels


def test_a_modality_without_features_is_absent(trained, tmp_path):
    data_folder, folder, _, _ = trained
    models = StudyModels(folder, folder / "fusion" / "multitask", "cpu")
    clip_ids = [f"joint-{n:05d}" for n in range(6)]
    whole = models.predict(clip_ids, data_folder / "joint" / "features")
    for file in ("face.safetensors", "face.parquet"):
        shutil.copy(data_folder / "joint" / "features" / file, tmp_path)
    part = models.predict(clip_ids, tmp_path)
    nothing = models.predict(clip_ids, tmp_path / "nowhere")
    for task in ("emotion", "personality"):
        assert part[task].shape == (2, 6, len(TARGETS[task]))
        assert np.isfinite(part[task]).all() and np.isnan(nothing[task]).all()
        assert not np.allclose(part[task], whole[task], atol=1e-3)


def test_statistics_are_those_of_all_corpora_alike(trained):
    """In whatever order a checkpoint lists them."""
    _, folder, _, _ = trained
    models = StudyModels(folder, folder / "fusion" / "multitask", "cpu")
    statistics = load_checkpoint(folder / "crosstask" / "face" / "model").statistics
    names = sorted(statistics)
    assert names == ["emotion", "joint", "personality"]
    mean = np.mean([statistics[name].mean for name in names], axis=0)
    assert models._pooled["face"].mean.tolist() == mean.tolist()


def test_models_of_another_stage_are_refused(trained, tmp_path):
    _, folder, _, _ = trained
    for suffix in (".json", ".safetensors"):
        model = folder / "crosstask" / "face" / f"model{suffix}"
        shutil.copy(model, tmp_path / f"seed-0{suffix}")
    with pytest.raises(CheckpointError, match="seed|stage 3"):
        StudyModels(folder, tmp_path, "cpu")
