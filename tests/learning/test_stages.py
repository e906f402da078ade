"""All stages on a drawn study: what is written, what is read, and what comes out."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TRAITS
from sslmepr.learning.batches import ModalityClips
from sslmepr.learning.checkpoints import load_checkpoint
from sslmepr.learning.clips import read_study_clips
from sslmepr.learning.crosstask_stage import read_outputs
from sslmepr.learning.fusion_stage import FusionClips
from sslmepr.learning.stages import evaluate_study, train_fusion, train_unimodal

COLUMNS = ["clip_id", "corpus", "split", "variant", "seed", "target", "predicted"]


def test_files_of_every_cell(trained):
    _, folder, results, _ = trained
    for cell in ("face-emotion", "face-personality", "text-emotion"):
        assert (folder / "unimodal" / cell / "model.safetensors").exists()
    for corpus in ("emotion", "personality", "joint"):
        assert (
            folder / "crosstask" / "text" / f"outputs-{corpus}.safetensors"
        ).exists()
    for variant in ("multitask", "emotion_only", "no_gradnorm"):
        names = {path.name for path in (folder / "fusion" / variant).iterdir()}
        assert {"seed-0.safetensors", "seed-1.json", "predictions.parquet"} <= names
    assert (
        json.loads(json.dumps(results))["fusion"]["multitask"]["seeds"][1]["seed"] == 1
    )


def test_predictions_cover_every_clip_of_every_corpus(trained, small_params):
    data, folder, _, _ = trained
    table = pd.read_parquet(folder / "fusion" / "multitask" / "predictions.parquet")
    assert list(table.columns) == COLUMNS
    clips = read_study_clips(small_params, data).table
    assert len(table) == len(clips) * 12 * 2
    assert set(table["target"]) == {*EMOTIONS, *TRAITS}
    assert table["predicted"].between(0, 1).all()
    single = pd.read_parquet(folder / "fusion" / "emotion_only" / "predictions.parquet")
    assert set(single["target"]) == set(EMOTIONS)
    text = pd.read_parquet(folder / "crosstask" / "text" / "predictions.parquet")
    assert 0 < text["clip_id"].nunique() < len(clips)


def test_stage_1_checkpoint_gives_its_predictions_again(trained, small_params):
    data_folder, folder, _, _ = trained
    run = folder / "unimodal" / "face-personality"
    table = pd.read_parquet(run / "predictions.parquet")
    table = table[table["variant"] == "face-personality"]
    data = ModalityClips(
        read_study_clips(small_params, data_folder), "face", data_folder
    )
    batch = data.batch(np.array([3, 100]))
    with torch.no_grad():
        output = load_checkpoint(run / "model").model(batch.values, batch.mask).output
    for place, row in enumerate(batch.rows):
        name = data.clips.table["clip_id"].iloc[row]
        expected = table[table["clip_id"] == name]["predicted"].to_numpy()
        assert output[place].numpy() == pytest.approx(expected, abs=1e-5)


def test_stage_2_outputs_belong_to_their_clips(trained, small_params):
    data_folder, folder, _, _ = trained
    ids, outputs = read_outputs(folder / "crosstask" / "text", "personality")
    table = pd.read_parquet(folder / "crosstask" / "text" / "predictions.parquet")
    wide = table.pivot(index="clip_id", columns="target", values="predicted")
    assert outputs["trait_scores"].numpy() == pytest.approx(
        wide.loc[ids, list(TRAITS)].to_numpy(), abs=1e-6
    )
    clips = read_study_clips(small_params, data_folder)
    fused = FusionClips(clips, ["text"], folder, torch.device("cpu"))
    row = int(np.flatnonzero(clips.table["clip_id"] == ids[5])[0])
    batch = fused.batch(np.array([row]))
    assert torch.equal(batch.inputs.trait_scores[0, 0], outputs["trait_scores"][5])
    assert batch.inputs.present.tolist() == [[True]]


def test_training_is_deterministic(trained, small_params, tmp_path):
    data_folder, folder, _, _ = trained
    train_unimodal(
        small_params, "text", "emotion", tmp_path / "u", data_folder, progress=False
    )
    train_fusion(
        small_params, "multitask", folder, tmp_path / "f", data_folder, progress=False
    )
    pairs = [
        (folder / "unimodal" / "text-emotion", tmp_path / "u", "model"),
        (folder / "fusion" / "multitask", tmp_path / "f", "seed-1"),
    ]
    for old, new, stem in pairs:
        for name in (f"{stem}.safetensors", f"{stem}.json", "predictions.parquet"):
            assert (old / name).read_bytes() == (new / name).read_bytes(), name


def test_training_never_sees_test_labels(trained, small_params, study, tmp_path):
    """Stage 1 gives the same model when all test labels are changed."""
    from sslmepr.corpora.schema import read_clips, write_clips

    data_folder, folder, _, _ = trained
    for corpus in ("emotion", "personality", "joint"):
        target = tmp_path / corpus
        target.mkdir()
        (target / "features").symlink_to(data_folder / corpus / "features")
        table = read_clips(data_folder / corpus / "corpus")
        test = table["split"] == "test"
        for name in [c for c in table if c.startswith(("emotion_", "trait_"))]:
            table.loc[test & table[name].notna(), name] = 0.123
        write_clips(table, target / "corpus")
    train_unimodal(small_params, "text", "emotion", tmp_path / "u", tmp_path, False)
    for name in ("model.safetensors", "model.json", "predictions.parquet"):
        old = folder / "unimodal" / "text-emotion" / name
        assert old.read_bytes() == (tmp_path / "u" / name).read_bytes(), name


def test_evaluation_table(trained):
    metrics = trained[3]["metrics"]
    variants = set(metrics["variant"])
    assert {"multitask", "emotion_only", "baseline", "face-emotion"} <= variants
    assert {"text-crosstask", "text-personality-linear"} <= variants
    places = set(zip(metrics["corpus"], metrics["split"], metrics["task"], strict=True))
    assert places == {
        ("emotion", "dev", "emotion"),
        ("emotion", "test", "emotion"),
        ("joint", "all", "emotion"),
        ("personality", "dev", "personality"),
        ("personality", "test", "personality"),
        ("joint", "all", "personality"),
    }
    one = metrics[
        (metrics["variant"] == "multitask")
        & (metrics["metric"] == "CCC")
        & (metrics["target"] == "mean")
        & (metrics["split"] == "test")
    ].set_index("seed")["estimate"]
    assert sorted(one.index) == [-1, 0, 1]
    assert one[-1] == pytest.approx((one[0] + one[1]) / 2)


def test_baseline_scores_chance(trained):
    metrics = trained[3]["metrics"]
    row = metrics[(metrics["variant"] == "baseline") & (metrics["seed"] == -1)]
    for metric, expected in {"mWACC": 0.5, "mAUC": 0.5}.items():
        found = row[(row["metric"] == metric)]["estimate"]
        assert found.to_numpy() == pytest.approx(expected)


def test_metric_agrees_with_the_written_predictions(trained):
    _, folder, _, evaluation = trained
    table = pd.read_parquet(folder / "evaluate" / "predictions.parquet")
    mine = table[
        (table["variant"] == "multitask")
        & (table["seed"] == 1)
        & (table["corpus"] == "joint")
    ]
    traits = mine[mine["target"].isin(TRAITS)]
    error = (traits["predicted"] - traits["true"]).abs().mean()
    emotions = mine[mine["target"] == SCORED_EMOTIONS[0]]
    present, decided = emotions["true"] > 0, emotions["decided"].astype(bool)
    metrics = evaluation["metrics"]
    row = metrics[
        (metrics["variant"] == "multitask")
        & (metrics["seed"] == 1)
        & (metrics["corpus"] == "joint")
    ].set_index(["metric", "target"])["estimate"]
    assert row["mACC", "mean"] == pytest.approx(1 - error)
    recall = (decided[present].mean() + (~decided[~present]).mean()) / 2
    assert row["WACC", SCORED_EMOTIONS[0]] == pytest.approx(recall)


def test_summary_is_json_with_intervals(trained):
    summary = json.loads(json.dumps(trained[3]["summary"], allow_nan=False))
    assert set(summary) == {"dev", "test", "held_out"}
    cell = summary["test"]["multitask"]["mWACC"]
    assert set(cell) == {"estimate", "low", "high", "n", "deviation_over_seeds"}


def test_evaluation_is_deterministic(trained, small_params):
    data_folder, folder, _, evaluation = trained
    again = evaluate_study(small_params, folder, data_folder)
    pd.testing.assert_frame_equal(evaluation["metrics"], again["metrics"])
