"""Recordings to predictions, with small untrained models in place of trained ones."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from recordings import write_video

from sslmepr.__main__ import main
from sslmepr.encoders.image import EfficientNetLite0
from sslmepr.features import FeatureStore
from sslmepr.labels import EMOTION_COLUMNS, SCORED_EMOTIONS, TARGETS, TRAIT_COLUMNS
from sslmepr.learning.batches import Standardisation
from sslmepr.learning.checkpoints import load_checkpoint, save_checkpoint
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.fusion import FusionConfig, FusionInput, FusionModel
from sslmepr.models.unimodal import UnimodalConfig
from sslmepr.params import load
from sslmepr.predict import PredictError, find_clips, predict
from sslmepr.weights import WHISPER_TINY_EN

ROOT = Path(__file__).parents[1]
FEATURES = {"face": 1329, "audio": 385}  # those of the encoders, and the length
MADE_BY = {
    "face": ("efficientnet_lite0", EfficientNetLite0.revision),
    "audio": ("whisper_tiny_en", WHISPER_TINY_EN.revision),
}
SEEDS = 3


@pytest.fixture(scope="module")
def params():
    whole = load(ROOT / "params.yaml")
    extract = whole.extract.model_copy(update={"frames": 2})
    compute = whole.compute.model_copy(update={"workers": 1, "device": "cpu"})
    return whole.model_copy(update={"extract": extract, "compute": compute})


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory):
    """Checkpoints of two modalities and three seeds, every weight drawn."""
    folder = tmp_path_factory.mktemp("study")
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    for modality, features in FEATURES.items():
        shape = dict(features=features, hidden=8, block="transformer", layers=1)
        shape |= dict(state=8, heads=2, dropout=0.0)
        model = CrosstaskModel(
            CrosstaskConfig(
                UnimodalConfig("emotion", **shape),
                UnimodalConfig("personality", **shape),
                hidden=8,
                layers=1,
                heads=2,
                dropout=0.0,
            )
        )
        statistics = {
            corpus: Standardisation(
                rng.normal(0, 0.1, features).astype(np.float32),
                rng.uniform(0.5, 2, features).astype(np.float32),
            )
            for corpus in ("a", "b")
        }
        stem = folder / "crosstask" / modality / "model"
        save_checkpoint(drawn(model), stem, statistics, made_by=MADE_BY[modality])
    for seed in range(SEEDS):
        config = FusionConfig(dict.fromkeys(FEATURES, 16), 8, 2, 0.0, features=FEATURES)
        stem = folder / "fusion" / "multitask" / f"seed-{seed}"
        thresholds = dict.fromkeys(SCORED_EMOTIONS, 0.45)
        save_checkpoint(
            drawn(FusionModel(config)), stem, None, {"thresholds": thresholds}
        )
    return folder


def drawn(model):
    with torch.no_grad():
        for each in model.parameters():
            each.copy_(0.3 * torch.randn_like(each))
    return model.eval()


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    folder = tmp_path_factory.mktemp("media")
    (folder / "more").mkdir()
    write_video(folder / "é 1.mp4")
    write_video(folder / "more" / "long.mp4", frames=20)
    write_video(folder / "mute.mp4", with_sound=False)
    (folder / "broken.mp4").write_bytes(b"no film" * 99)
    (folder / "notes.txt").write_text("not a recording")
    return folder


@pytest.fixture(scope="module")
def made(params, study_folder, recordings, tmp_path_factory):
    """The table of a folder and a file that is not there, and the features kept."""
    folder = tmp_path_factory.mktemp("made")
    kept = folder / "kept"
    arguments = [str(recordings), str(recordings / "nowhere.mp4")]
    with pytest.MonkeyPatch.context() as patch:
        keep = SimpleNamespace(rmtree=lambda path: shutil.move(path, kept))
        patch.setattr("sslmepr.predict.shutil", keep)
        table = predict(params, arguments, folder / "out.parquet", study_folder)
    return table, kept / "features", folder


def test_a_row_for_every_clip_in_order(made, recordings):
    table, _, folder = made
    names = ["broken.mp4", "mute.mp4", "more/long.mp4", "é 1.mp4", "nowhere.mp4"]
    paths = sorted((recordings / name).as_posix() for name in names[:4])
    assert table["clip"].tolist() == [*paths, (recordings / names[4]).as_posix()]
    pd.testing.assert_frame_equal(pd.read_parquet(folder / "out.parquet"), table)


def by_name(table):
    return table.set_index(table["clip"].map(lambda path: Path(path).name))


def test_what_fails_says_why_and_predicts_nothing(made):
    table = by_name(made[0])
    numbers = [*EMOTION_COLUMNS, *TRAIT_COLUMNS]
    for name in ("broken.mp4", "nowhere.mp4"):
        assert table.loc[name, numbers].isna().all()
        assert table.loc[name, "failed"].startswith(
            "nothing could be read: face, audio:"
        )
    assert "there is no such file" in table.loc["nowhere.mp4", "failed"]
    assert table.loc["nowhere.mp4", "emotions"] == ""
    for name in ("é 1.mp4", "mute.mp4", "long.mp4"):
        assert table.loc[name, "failed"] == ""
        assert table.loc[name, numbers].between(0, 1).all()


def test_how_each_modality_was_obtained(made):
    table = by_name(made[0])
    assert table.loc["é 1.mp4", "face"] == "detected 2"
    assert table.loc["é 1.mp4", "people"] == 1
    assert table.loc["é 1.mp4", "audio"] == "recorded"
    assert pd.isna(table.loc["mute.mp4", "audio"])
    assert table.loc["mute.mp4", "missing"] == "audio: no audio stream"
    # these models do not use them
    assert table[["body", "scene", "text", "transcript"]].isna().all(axis=None)


def test_predictions_are_those_of_the_models(made, study_folder):
    """One clip by hand: standardise, stage 2, stage 3, mean over seeds."""
    table, features, _ = made
    row = by_name(table).loc["long.mp4"]
    embeddings, means, logits, scores = {}, {}, [], []
    for modality in FEATURES:
        checkpoint = load_checkpoint(study_folder / "crosstask" / modality / "model")
        a, b = checkpoint.statistics["a"], checkpoint.statistics["b"]
        values = FeatureStore.open(features, modality)[row["clip"]]
        length = np.full((len(values), 1), np.log(len(values)), np.float32)
        values = np.hstack([values, length])
        values = (values - (a.mean + b.mean) / 2) / ((a.deviation + b.deviation) / 2)
        given = torch.from_numpy(values)[None]
        with torch.no_grad():
            output = checkpoint.model(given, torch.ones(given.shape[:2], dtype=bool))
        both = [output.emotion_embedding, output.personality_embedding]
        embeddings[modality] = torch.cat(both, 1)
        means[modality] = given.mean(1)
        logits.append(output.emotion_logits)
        scores.append(output.trait_scores)
    inputs = FusionInput(
        embeddings,
        torch.stack(logits, 1),
        torch.stack(scores, 1),
        torch.ones(1, 2, dtype=bool),
        means,
    )
    answers = []
    for seed in range(SEEDS):
        stem = study_folder / "fusion" / "multitask" / f"seed-{seed}"
        with torch.no_grad():
            output = load_checkpoint(stem).model(inputs)
        answers.append(
            torch.cat([output.emotion_logits.sigmoid(), output.trait_scores], 1)
        )
    answers = torch.cat(answers).double().numpy()
    columns = [*EMOTION_COLUMNS, *TRAIT_COLUMNS]
    assert row[columns].to_numpy(float) == pytest.approx(answers.mean(0), abs=1e-5)
    # The 97.5th percentile of Student's t with two degrees of freedom.
    reach = 4.302653 * answers.std(0, ddof=1) / 3**0.5
    low = row[[f"{name}_low" for name in columns]].to_numpy(float)
    assert low == pytest.approx(np.clip(answers.mean(0) - reach, 0, 1), abs=1e-5)
    assert np.ptp(answers, axis=0).max() > 1e-4
    present = [
        name
        for name, value in zip(TARGETS["emotion"], answers.mean(0), strict=False)
        if name != "neutral" and value >= 0.45
    ]
    assert row["emotions"] == (", ".join(present) or "neutral")


def test_clips_alone_and_together_are_predicted_alike(
    made, params, study_folder, recordings, tmp_path
):
    together = by_name(made[0])
    alone = predict(
        params, [str(recordings / "é 1.mp4")], tmp_path / "x.csv", study_folder
    )
    columns = [*EMOTION_COLUMNS, *TRAIT_COLUMNS]
    expected = together.loc["é 1.mp4", columns].to_numpy(float)
    assert alone.loc[0, columns].to_numpy(float) == pytest.approx(expected, abs=1e-4)
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]
    written = pd.read_csv(tmp_path / "x.csv")
    assert list(written.columns) == list(alone.columns)
    text = (tmp_path / "x.csv").read_text(encoding="utf-8")
    assert f",{alone.loc[0, 'trait_openness']:.4f}," in text


def test_interrupted_work_is_taken_up(
    params, study_folder, recordings, tmp_path, monkeypatch
):
    monkeypatch.setattr("sslmepr.extraction.corpus.MEDIA_CHUNK_CLIPS", 1)
    from sslmepr.extraction import chunks

    seen = []
    whole = chunks.extract_chunk

    def interrupted(job):
        seen.append(job.clips[0]["media"])
        if len(seen) == 2:
            raise KeyboardInterrupt
        return whole(job)

    monkeypatch.setattr(chunks, "extract_chunk", interrupted)
    arguments = [str(recordings / "mute.mp4"), str(recordings / "é 1.mp4")]
    out = tmp_path / "out.json"
    with pytest.raises(KeyboardInterrupt):
        predict(params, arguments, out, study_folder)
    assert not out.exists()
    predict(params, arguments, out, study_folder)
    assert seen == ["mute.mp4", "é 1.mp4", "é 1.mp4"]
    rows = json.loads(out.read_text(encoding="utf-8"))
    assert [Path(row["clip"]).name for row in rows] == ["mute.mp4", "é 1.mp4"]
    assert rows[0]["audio"] is None and 0 < rows[0]["trait_openness"] < 1


def test_files_folders_and_patterns(recordings, monkeypatch):
    monkeypatch.chdir(recordings)
    names = ["broken.mp4", "more/long.mp4", "mute.mp4", "é 1.mp4"]
    assert [path.as_posix() for path in find_clips(["."])] == names
    assert find_clips(["m*.mp4", "mute.mp4", "./mute.mp4"]) == [Path("mute.mp4")]
    assert find_clips(["**/long.mp4"]) == [Path("more/long.mp4")]
    assert find_clips(["gone.mp4"]) == [Path("gone.mp4")]
    with pytest.raises(PredictError, match=r"\*\.avi: no file has such a name"):
        find_clips(["*.avi"])


def test_what_cannot_be_asked(params, study_folder, recordings, tmp_path):
    clip = [str(recordings / "mute.mp4")]
    (tmp_path / "old.csv").touch()
    for out, folder, message in (
        ("old.csv", study_folder, "exists already"),
        ("x.xlsx", study_folder, "must end in one of .csv, .json, .parquet"),
        ("x.csv", tmp_path, "no trained model"),
    ):
        with pytest.raises(PredictError, match=message):
            predict(params, clip, tmp_path / out, folder)
    (tmp_path / "empty").mkdir()
    with pytest.raises(PredictError, match="empty: expected .mp4"):
        find_clips([str(tmp_path / "empty")])


def test_features_of_another_encoder_are_refused(
    params, study_folder, recordings, tmp_path
):
    """Another name before anything is extracted, another revision before it is used."""
    clip, out = [str(recordings / "mute.mp4")], tmp_path / "x.csv"
    extract = params.extract.model_copy(update={"image_encoder": "clip_vit_b32"})
    other = params.model_copy(update={"extract": extract})
    message = "face: was trained on features of efficientnet_lite0, .* clip_vit_b32"
    with pytest.raises(PredictError, match=message):
        predict(other, clip, out, study_folder)
    assert not list(tmp_path.iterdir())
    folder = tmp_path / "study"
    shutil.copytree(study_folder, folder)
    path = folder / "crosstask" / "face" / "model.json"
    description = json.loads(path.read_text())
    description["made_by"] = ["efficientnet_lite0", "0123456789ab"]
    path.write_text(json.dumps(description))
    message = "face.safetensors: was made by efficientnet_lite0 579344248a93.*, .* 0123"
    with pytest.raises(PredictError, match=message):
        predict(params, clip, out, folder)


def test_the_command_warns_of_models_that_know_drawn_people(
    study_folder, recordings, tmp_path, monkeypatch, capsys
):
    for name in ("params.yaml", "studies.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(study_folder, tmp_path / "runs" / "simulated")
    monkeypatch.chdir(tmp_path)
    arguments = ["predict", str(recordings / "broken.mp4"), "--out", "table.csv"]
    assert main(arguments) == 0
    told = capsys.readouterr()
    assert "means nothing" in told.err
    assert "table.csv: 1 clips, 1 of them without a prediction (the column" in told.out
    assert main(arguments) == 1
    assert "exists already" in capsys.readouterr().err


def test_an_interruption_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    for name in ("params.yaml", "studies.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sslmepr.predict.predict", interrupted)
    assert main(["predict", "a.mp4", "--out", "table.csv"]) == 130
    assert capsys.readouterr().err.endswith("interrupted; the same command goes on\n")
