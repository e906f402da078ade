"""Recordings to predictions, with small untrained models in place of trained ones."""

import codecs
import csv
import errno
import json
import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from drawn_calibration import calibrate
from recordings import write_video

from sslmepr.__main__ import main
from sslmepr.encoders.image import EfficientNetLite0
from sslmepr.encoders.quality import REVISION
from sslmepr.encoders.speech import Egemaps
from sslmepr.extraction import extract_corpus
from sslmepr.features import FeatureStore
from sslmepr.labels import (
    EMOTION_COLUMNS,
    FEATURE_COUNTS,
    SCORED_EMOTIONS,
    TARGETS,
    TRAIT_COLUMNS,
)
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.fusion import FusionConfig, FusionInput, FusionModel
from sslmepr.models.unimodal import UnimodalConfig
from sslmepr.predict import WRITERS, PredictError, find_clips, predict
from sslmepr.training.batches import Standardisation, pieces
from sslmepr.training.calibration import FILE
from sslmepr.training.checkpoints import load_checkpoint, save_checkpoint
from sslmepr.training.new_clips import BATCH, BATCH_STEPS, StudyModels

ROOT = Path(__file__).parents[1]
FEATURES = {  # those of the stores, and the length
    "face": FEATURE_COUNTS["efficientnet_lite0"] + 1,
    "audio": FEATURE_COUNTS[Egemaps.name] + 1,
}
MADE_BY = {
    "face": ("efficientnet_lite0", EfficientNetLite0.revision + REVISION),
    "audio": (Egemaps.name, Egemaps.revision + REVISION),
}
SEEDS = 3
PEOPLE = 140
"""Of the calibration; each emotion is shown by 20."""


@pytest.fixture(scope="module")
def study_folder(tmp_path_factory):
    """Checkpoints of two modalities and three seeds, every weight drawn."""
    folder = tmp_path_factory.mktemp("study")
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    digests = {}
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
        digests[f"crosstask/{modality}"] = save_checkpoint(
            drawn(model), stem, statistics, made_by=MADE_BY[modality]
        )
    for seed in range(SEEDS):
        config = FusionConfig(dict.fromkeys(FEATURES, 16), 8, 2, 0.0, features=FEATURES)
        stem = folder / "fusion" / "multitask" / f"seed-{seed}"
        thresholds = dict.fromkeys(SCORED_EMOTIONS, 0.45)
        save_checkpoint(
            drawn(FusionModel(config)),
            stem,
            metrics={"thresholds": thresholds},
            trained_on=digests,
            seeds=range(SEEDS),
        )
    recalibrate(folder)
    return folder


def recalibrate(folder, people=PEOPLE):
    """Calibrate the models that are there, on predictions of one half for all."""
    stage_3 = folder / "fusion" / "multitask"
    models = {
        str(seed): load_checkpoint(stage_3 / f"seed-{seed}").digest
        for seed in range(SEEDS)
    }
    return calibrate(np.random.default_rng(1), models, people, stage_3)


def retrain(folder, modality, made_by):
    """Another model of stage 2."""
    stem = folder / "crosstask" / modality / "model"
    old = load_checkpoint(stem)
    save_checkpoint(old.model, stem, old.statistics, {"again": 1}, made_by)


def refit(folder, seed):
    """A seed of stage 3 that was trained on the models of stage 2 that are there."""
    stem = folder / "fusion" / "multitask" / f"seed-{seed}"
    old = load_checkpoint(stem)
    digests = {
        name: load_checkpoint(folder / name / "model").digest for name in old.trained_on
    }
    save_checkpoint(
        old.model, stem, metrics=old.metrics, trained_on=digests, seeds=old.seeds
    )
    recalibrate(folder)


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
        keep = SimpleNamespace(rmtree=lambda path: shutil.copytree(path, kept))
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
    assert np.ptp(answers, axis=0).max() > 1e-4
    present = [
        name
        for name, value in zip(TARGETS["emotion"], answers.mean(0), strict=False)
        if name != "neutral" and value >= 0.45
    ]
    assert row["emotions"] == (", ".join(present) or "neutral")


def test_intervals_and_sets_are_those_of_the_calibration(made, study_folder):
    table = made[0]
    read = table[table["failed"] == ""]
    true = recalibrate(study_folder)
    # The 134th of 140 residuals: 141 times 0.95, rounded up.
    widths = np.sort(abs(true["personality"] - 0.5), axis=0)[133]
    for name, width in zip(TRAIT_COLUMNS, widths, strict=True):
        low, high = (read[name] + sign * width for sign in (-1, 1))
        assert read[f"{name}_low"].to_numpy() == pytest.approx(low.clip(0, 1))
        assert read[f"{name}_high"].to_numpy() == pytest.approx(high.clip(0, 1))
    # All calibration clips have probability 0.5, with an emotion and without.
    for name in EMOTION_COLUMNS[1:]:
        expected = np.where(read[name] < 0.5, "absent", "present")
        assert read[f"{name}_set"].tolist() == expected.tolist()
    names = [name for name in table if name.endswith(("_low", "_high", "_set"))]
    assert len(names) == 2 * 5 + 6
    failed = table[table["failed"] != ""]
    assert not (failed[names].notna() & (failed[names] != "")).any(axis=None)
    assert set(table["confidence"]) == {0.95}
    assert set(table["calibrated_on"]) == {
        "140 people of rated_for_emotion (dev); 140 people of rated_for_personality "
        "(dev)"
    }
    first, second, _ = table.attrs["promises"]
    assert "like the 140 people of rated_for_emotion (dev)" in first
    assert "at least 95 % of those with an emotion and 95 % of those without" in first
    assert "(from _low to _high): of new people like the 140 people of rated" in second


def test_with_too_few_people_there_is_no_interval(
    params, study_folder, recordings, tmp_path
):
    folder = tmp_path / "study"
    shutil.copytree(study_folder, folder)
    recalibrate(folder, people=14)
    clip = [str(recordings / "mute.mp4")]
    table = predict(params, clip, tmp_path / "x.csv", folder)
    assert 0 < table.loc[0, "trait_openness"] < 1
    ends = [f"{name}{end}" for name in TRAIT_COLUMNS for end in ("_low", "_high")]
    assert table[ends].isna().all(axis=None)
    sets = table[[f"{name}_set" for name in EMOTION_COLUMNS[1:]]]
    assert (sets == "absent or present").all(axis=None)
    _, few, many, none, _ = table.attrs["promises"]
    assert "never says 'absent' alone; so with anger (2), disgust (2), " in few
    assert few.startswith("Where fewer than 19 people show an emotion, ")
    assert "never says 'present' alone; so with anger (12), disgust (12)" in many
    assert none == (
        "No interval of a trait holds at 95 %: 19 people are needed, and there are the "
        "14 people of rated_for_personality (dev)."
    )
    again = predict(params, clip, tmp_path / "y.csv", folder, confidence=0.9)
    assert again[ends].notna().all(axis=None)
    assert set(again["confidence"]) == {0.9}
    for level in (0.0, 1.0, 95.0, np.nan):
        with pytest.raises(PredictError, match=f"confidence: {level} is not between"):
            predict(params, clip, tmp_path / "z.csv", folder, confidence=level)


def test_a_calibration_of_other_models_is_refused(
    params, study_folder, recordings, tmp_path
):
    arguments = params, [str(recordings / "mute.mp4")], tmp_path / "x.csv"
    folder = tmp_path / "study"
    shutil.copytree(study_folder, folder)
    path = folder / "fusion" / "multitask" / FILE
    text = path.read_text()
    mends = ".*`dvc repro fusion@multitask` makes it anew$"
    for content, message in (
        (text.replace('"0": "', '"0": "f'), "is the calibration of other models than"),
        (text[:-9], "calibration.json: not readable as a calibration"),
        (text.replace('"split"', '"part"'), "not readable as a calibration.*'part'"),
        (text.replace('"openness"', '"candour"'), "targets of personality are candour"),
        (text.replace("[0, 1,", "[1,"), r"true of emotion must be \(139, 7\) finite"),
        (text.replace("0.5,", "NaN,", 1), "predicted of emotion must be .* finite"),
    ):
        path.write_text(content)
        with pytest.raises(PredictError, match=message + mends):
            predict(*arguments, folder)
    path.unlink()
    with pytest.raises(PredictError, match="calibration.json: is missing" + mends):
        predict(*arguments, folder)


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
    text = (tmp_path / "x.csv").read_text(encoding="utf-8-sig")
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
    assert rows[0]["audio"] is None and 0 <= rows[0]["trait_openness"] <= 1


@pytest.mark.parametrize(
    "steps, parts",
    [
        ([], []),
        ([9], [1]),
        ([1] * 600, [256, 256, 88]),
        ([1] * 255 + [50_000], [255, 1]),
        ([20_000, 25_000, 25_001], [2, 1]),
        ([10, 60_000, 60_000], [1, 1, 1]),
    ],
)
def test_one_long_clip_does_not_lengthen_a_batch(steps, parts):
    # Every second clip lacks the modality, and those that have it come in any order.
    order = np.random.default_rng(0).permutation(len(steps))
    known = np.full(2 * len(steps), np.nan)
    known[2 * order] = steps
    found = pieces(2 * order, known, BATCH, BATCH_STEPS)
    assert [len(part) for part in found] == parts
    assert [row for part in found for row in part] == (2 * order).tolist()


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
        ("x.csv", tmp_path, "no trained model; `dvc repro fusion@multitask` makes it"),
    ):
        with pytest.raises(PredictError, match=message):
            predict(params, clip, tmp_path / out, folder)
    with pytest.raises(PredictError, match=r"\*.avi: no file has such a name"):
        predict(params, ["*.avi"], tmp_path / "x.csv", study_folder)
    assert os.listdir(tmp_path) == ["old.csv"]
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
    retrain(folder, "face", ("efficientnet_lite0", "0123456789ab"))
    for seed in range(SEEDS):
        refit(folder, seed)
    message = "face.safetensors: was made by efficientnet_lite0 579344248a93.*, .* 0123"
    with pytest.raises(PredictError, match=message):
        predict(params, clip, out, folder)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {},
            "face: the models read it from tables of openface; add --tables face=PATH",
        ),
        ({"face": "of"}, "face: params.yaml has no tables of openface in the study"),
        (
            {"face": "of", "audio": "v.csv"},
            "audio: the models read no tables of it; .* read of: face",
        ),
    ],
)
def test_models_of_tables_ask_for_them(
    params, study_folder, recordings, tmp_path, tables, message
):
    folder = tmp_path / "study"
    shutil.copytree(study_folder, folder)
    retrain(folder, "face", ("openface", "2.2.0+01234567"))
    for seed in range(SEEDS):
        refit(folder, seed)
    clips, out = [str(recordings / "mute.mp4")], tmp_path / "x.csv"
    with pytest.raises(PredictError, match=message):
        predict(params, clips, out, folder, tables=tables)
    assert not out.exists()


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
    assert "at least 95 % get a score from raters that lies there" in told.out
    assert "seed" not in told.out
    assert main([*arguments[:-1], "less.csv", "--confidence", "0.8"]) == 0
    assert "at least 80 % get a score" in capsys.readouterr().out
    assert main(arguments) == 1
    assert "exists already" in capsys.readouterr().err


@pytest.mark.parametrize("given", ["face", "face="])
def test_tables_without_a_path_are_refused(given, capsys):
    """An empty path would be the folder in which the command is run."""
    with pytest.raises(SystemExit):
        main(["predict", "a.mp4", "--out", "table.csv", "--tables", given])
    said = capsys.readouterr().err
    assert f"--tables: '{given}' is not of the form MODALITY=PATH" in said


def test_an_interruption_is_told_in_one_line(tmp_path, monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    for name in ("params.yaml", "studies.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sslmepr.predict.predict", interrupted)
    assert main(["predict", "a.mp4", "--out", "table.csv"]) == 130
    assert capsys.readouterr().err.endswith("interrupted; the same command goes on\n")


def test_models_that_do_not_belong_together_are_refused(
    params, study_folder, recordings, tmp_path
):
    """As after an interrupted run: stage 2 anew, stage 3 old or new in part."""
    arguments = params, [str(recordings / "broken.mp4")], tmp_path / "x.csv"
    folder = tmp_path / "study"
    shutil.copytree(study_folder, folder)
    retrain(folder, "audio", MADE_BY["audio"])
    mends = ".*`dvc repro fusion@multitask` makes it anew$"
    message = "multitask: was trained on another model than lies in crosstask/audio"
    with pytest.raises(PredictError, match=message + mends):
        predict(*arguments, folder)
    refit(folder, 0)
    with pytest.raises(PredictError, match="were not trained together" + mends):
        predict(*arguments, folder)
    refit(folder, 1)
    (folder / "fusion" / "multitask" / "seed-2.safetensors").unlink()
    message = "holds seed-0, seed-1, where seed-0, seed-1, seed-2 were trained together"
    with pytest.raises(PredictError, match=message + mends):
        predict(*arguments, folder)
    shutil.copytree(study_folder / "fusion", folder / "fusion", dirs_exist_ok=True)
    for seed in range(SEEDS):
        refit(folder, seed)
    assert len(predict(*arguments, folder)) == 1


def test_a_variant_that_the_study_lacks_is_told(params, recordings, tmp_path):
    arguments = params, [str(recordings / "broken.mp4")], tmp_path / "x.csv", tmp_path
    with pytest.raises(
        PredictError, match="other: no model of .* which has multitask,"
    ):
        predict(*arguments, "other")


def test_a_full_disk_leaves_no_half_table_and_the_retry_works(
    params, study_folder, recordings, tmp_path, monkeypatch
):
    out = tmp_path / "out.csv"
    arguments = params, [str(recordings / "broken.mp4")], out, study_folder

    def full(table, path):
        path.write_text("clip,emotions\nbro")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setitem(WRITERS, ".csv", full)
        message = "out.csv: not written: .*No space left on device.*the same command go"
        with pytest.raises(PredictError, match=message):
            predict(*arguments)
    assert os.listdir(tmp_path) == ["out.csv.partial"]
    assert not [path for path in (tmp_path / "out.csv.partial").glob(".out*")]
    predict(*arguments)
    assert os.listdir(tmp_path) == ["out.csv"] and len(pd.read_csv(out)) == 1


def test_two_runs_do_not_write_one_table(
    params, study_folder, recordings, tmp_path, monkeypatch
):
    """The second begins while the first is at work, and leaves it alone."""
    out = tmp_path / "out.csv"
    arguments = params, [str(recordings / "broken.mp4")], out, study_folder
    told = []

    def meanwhile(*given, **options):
        with pytest.raises(PredictError) as caught:
            predict(*arguments)
        told.append(str(caught.value))
        return extract_corpus(*given, **options)

    monkeypatch.setattr("sslmepr.predict.extract_corpus", meanwhile)
    assert len(predict(*arguments)) == 1
    assert told == [
        f"{out}: another run writes this table; wait for its end or choose another name"
    ]
    assert os.listdir(tmp_path) == ["out.csv"]


def test_what_appears_meanwhile_is_kept(
    params, study_folder, recordings, tmp_path, monkeypatch
):
    out = tmp_path / "out.csv"

    def meanwhile(*given, **options):
        out.write_text("mine")
        return extract_corpus(*given, **options)

    monkeypatch.setattr("sslmepr.predict.extract_corpus", meanwhile)
    with pytest.raises(PredictError, match="out.csv: exists already"):
        predict(params, [str(recordings / "broken.mp4")], out, study_folder)
    assert out.read_text() == "mine"


@pytest.mark.parametrize("content", [None, "notes.txt"])
def test_a_folder_of_ones_own_is_kept(
    params, study_folder, recordings, tmp_path, content
):
    folder = tmp_path / "out.csv.partial"
    folder.mkdir()
    if content:
        (folder / content).write_text("mine")
    with pytest.raises(
        PredictError, match="out.csv.partial: is in the way.*move it aw"
    ):
        predict(
            params,
            [str(recordings / "broken.mp4")],
            tmp_path / "out.csv",
            study_folder,
        )
    assert os.listdir(folder) == ([content] if content else [])
    assert os.listdir(tmp_path) == ["out.csv.partial"]


def test_a_clip_that_cannot_be_opened_ends_no_run(
    params, study_folder, recordings, tmp_path
):
    """A name that is not UTF-8, alone and in a folder, and a pipe without an end."""
    folder = tmp_path / "clips"
    folder.mkdir()
    try:
        (folder / os.fsdecode(b"caf\xe9.mp4")).write_bytes(b"no film")
        os.mkfifo(folder / "pipe.mp4")
    except (OSError, AttributeError):
        pytest.skip("this file system has no such files")
    shutil.copy(recordings / "broken.mp4", folder)
    arguments = [str(folder), str(folder / "pipe.mp4")]
    for suffix in (".csv", ".parquet", ".json"):
        out = tmp_path / f"out{suffix}"
        table = by_name(predict(params, arguments, out, study_folder))
        assert table.index.tolist() == ["broken.mp4", "caf\\xe9.mp4", "pipe.mp4"]
        failed = table["failed"]
        assert failed.iloc[0].startswith("nothing could be read: face, audio: ")
        assert failed.iloc[1] == "its name is not UTF-8: rename the file"
        assert failed.iloc[2] == "it is not a file"
        assert table[[*EMOTION_COLUMNS, *TRAIT_COLUMNS]].isna().all(axis=None)
    alone = tmp_path / "alone.csv"
    name = str(folder / os.fsdecode(b"caf\xe9.mp4"))
    assert len(predict(params, [name], alone, study_folder)) == 1


def test_a_clip_of_which_a_model_knows_no_number_is_told(
    params, study_folder, recordings, tmp_path, monkeypatch
):
    whole = StudyModels.predict

    def without_numbers(self, clip_ids, features):
        predicted = whole(self, clip_ids, features)
        predicted["personality"][1, 0, 2] = np.nan
        return predicted

    monkeypatch.setattr(StudyModels, "predict", without_numbers)
    clips = [str(recordings / name) for name in ("é 1.mp4", "more/long.mp4")]
    table = predict(params, clips, tmp_path / "x.csv", study_folder)
    assert table["failed"].tolist() == ["the models gave no number", ""]


TEXTS = [
    "=cmd|' /C calc'!A0",
    "+1",
    "-1",
    "@x",
    "\tx",
    "\rx",
    "\nx",
    "＝1",
    "José",
    "a=b",
]
SAFE = ["'" + text for text in TEXTS[:8]] + TEXTS[8:]


@pytest.fixture
def strange():
    """Words that a spreadsheet would calculate, and numbers that begin alike."""
    count = len(TEXTS)
    table = pd.DataFrame({"clip": TEXTS, "transcript": [None, *TEXTS[1:]]})
    return table.assign(number=-0.5 * np.arange(count), missing=np.nan)


def test_csv_for_people(strange, tmp_path):
    """Excel takes it for UTF-8, and nothing in it for a formula."""
    path = tmp_path / "x.csv"
    WRITERS[".csv"](strange, path)
    assert path.read_bytes().startswith(codecs.BOM_UTF8 + b"clip,transcript,number,")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["clip"] for row in rows] == SAFE
    assert [row["transcript"] for row in rows] == ["", *SAFE[1:]]
    assert [row["number"] for row in rows][1:3] == ["-0.5000", "-1.0000"]
    assert {row["missing"] for row in rows} == {""}


def test_files_for_programs_hold_text_as_it_is(strange, tmp_path):
    WRITERS[".json"](strange, tmp_path / "x.json")
    rows = json.loads((tmp_path / "x.json").read_text(encoding="utf-8"))
    assert [row["clip"] for row in rows] == TEXTS
    assert [row["number"] for row in rows][1:3] == [-0.5, -1.0]
    WRITERS[".parquet"](strange, tmp_path / "x.parquet")
    assert pd.read_parquet(tmp_path / "x.parquet")["clip"].tolist() == TEXTS


def test_the_help_tells_of_the_apostrophe(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    told = " ".join(capsys.readouterr().out.split())
    assert "an apostrophe stands before text that a spreadsheet would take" in told
