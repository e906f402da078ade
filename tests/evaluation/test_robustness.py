"""Absent and disturbed modalities: what changes, what must not, and who is scored."""

import numpy as np
import pandas as pd
import pytest

from sslmepr.evaluation import robustness as module
from sslmepr.evaluation.robustness import robustness
from sslmepr.evaluation.scores import NOISE, NONE, REMOVED
from sslmepr.labels import select
from sslmepr.statistics.metrics import concordance
from sslmepr.training.clips import read_study_clips
from sslmepr.training.fusion_clips import FusionClips


@pytest.fixture(scope="module")
def scored(trained, small_params):
    data_folder, study_folder, *_ = trained
    found = robustness(small_params, study_folder, data_folder)
    data = FusionClips.of_study(
        small_params, small_params.modalities, study_folder, data_folder
    )
    return found, data


def test_every_model_meets_every_disturbance(scored, small_params):
    found, _ = scored
    for task, own in (("emotion", "emotion_only"), ("personality", None)):
        mine = found[found["task"] == task]
        models = {"linear_fusion", "late_fusion", "multitask", "with_everything"}
        models |= {"as_published"} | ({own} if own else set())
        assert set(mine["model"]) == models
        seen = set(
            zip(mine["disturbance"], mine["modality"], mine["dose"], strict=True)
        )
        noise = {(NOISE, m, d) for m in small_params.modalities for d in module.DOSES}
        removed = {(REMOVED, m, 0.0) for m in small_params.modalities}
        assert seen == {(NONE, "", 0.0)} | removed | noise
    assert found.groupby(["task", "model"])["disturbance"].count().nunique() == 2


def test_labelled_dev_clips_with_two_modalities_are_scored(scored, small_params):
    found, data = scored
    for task in ("emotion", "personality"):
        rows = data.rows(getattr(small_params.roles, task), "dev")
        both = data.present.numpy()[rows].all(1) & data.clips.labelled(task)[rows]
        assert 0 < both.sum() < len(rows)
        assert set(found.loc[found["task"] == task, "n"]) == {both.sum()}


def test_undisturbed_scores_are_those_of_recorded_predictions(
    scored, trained, small_params
):
    found, data = scored
    rows = data.rows(small_params.roles.personality, "dev")
    rows = rows[data.present.numpy()[rows].all(1)]
    ids = data.clips.table["clip_id"].iloc[rows]
    path = trained[1] / "fusion" / "multitask" / "predictions.parquet"
    table = select(pd.read_parquet(path), task="personality")
    table = table[table["clip_id"].isin(ids)]
    expected = []
    for _, seed in table.groupby("seed"):
        wide = seed.pivot(index="clip_id", columns="target", values="predicted")
        columns = [name for name in seed["target"].unique()]
        predicted = wide.loc[ids, columns].to_numpy()
        true = data.clips.labels["personality"][rows]
        expected.append(
            np.mean([concordance(true[:, k], predicted[:, k]) for k in range(5)])
        )
    mine = select(found, model="multitask", disturbance=NONE, metric="CCC")
    assert mine["estimate"].item() == pytest.approx(np.mean(expected), abs=1e-6)


def test_noise_of_size_0_changes_nothing(trained, small_params, monkeypatch):
    monkeypatch.setattr(module, "DOSES", (0.0,))
    found = robustness(small_params, trained[1], trained[0])
    unchanged = found[found["disturbance"].isin([NOISE, NONE])]
    assert unchanged["change"].abs().max() < 1e-4
    linear = found[found["model"] == "linear_fusion"]
    assert (linear["above"] == 0).all()


def test_what_is_removed_is_as_if_it_had_never_been_there(
    trained, small_params, scored
):
    found, data = scored
    rows = data.rows(small_params.roles.personality, "dev")
    rows = rows[data.present.numpy()[rows].all(1)]
    models = module.load_seeds(trained[1] / "fusion" / "with_everything")
    alone = FusionClips.of_study(
        small_params, small_params.modalities, trained[1], trained[0]
    )
    alone.present[rows, 1] = False  # on the CPU, models read the same tensor
    true = data.clips.labels["personality"][rows]
    expected = [
        np.mean([concordance(true[:, k], predicted[:, k]) for k in range(5)])
        for predicted in (
            module.predict_fused(each.model, alone, rows)["personality"]
            for each in models.values()
        )
    ]
    mine = select(found, model="with_everything", disturbance=REMOVED, metric="CCC")
    mine = select(mine, modality="text")
    assert mine["estimate"].item() == pytest.approx(np.mean(expected), abs=1e-6)


def test_labels_of_the_test_split_are_not_read(trained, small_params):
    clips = read_study_clips(small_params, trained[0])
    test = (clips.table["split"] == "test").to_numpy()
    assert all(np.isnan(each[test]).all() for each in clips.labels.values())
    text = open(module.__file__).read()
    assert "true_labels" not in text
