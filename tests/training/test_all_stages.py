"""All stages on a drawn study: what is written, what is read, and what comes out."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from scipy.special import expit

from sslmepr.evaluation.evaluate import evaluate_study
from sslmepr.explanation.cases import load_attention
from sslmepr.labels import EMOTIONS, TRAITS
from sslmepr.models.fusion_parts import PredictProjector
from sslmepr.training import crosstask
from sslmepr.training.all_stages import train_study
from sslmepr.training.batches import ModalityClips
from sslmepr.training.bootstrap_refits import read_refits
from sslmepr.training.checkpoints import (
    CheckpointError,
    load_checkpoint,
    load_seeds,
    save_checkpoint,
)
from sslmepr.training.clips import read_study_clips
from sslmepr.training.co_training import co_train
from sslmepr.training.crosstask import train_crosstask
from sslmepr.training.fusion import train_fusion
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.losses import emotion_loss, trait_loss
from sslmepr.training.outputs import (
    predict_outputs,
    read_outputs,
    study_outputs,
    write_outputs,
)
from sslmepr.training.predictions import dev_score
from sslmepr.training.probes import Linear
from sslmepr.training.stacking import STRENGTHS
from sslmepr.training.stacking_regression import StackingRegression
from sslmepr.training.unimodal import train_unimodal

COLUMNS = [
    *("clip_id", "corpus", "split", "stage", "modality", "task", "variant", "seed"),
    *("target", "predicted"),
]


def predictions(folder, stage, seed=None):
    """Predictions of one stage and seed: (corpus, clip_id) x target."""
    table = pd.read_parquet(folder / "predictions.parquet")
    table = table[table["stage"] == stage]
    if seed is not None:
        table = table[table["seed"] == seed]
    return table.pivot(
        index=["corpus", "clip_id"], columns="target", values="predicted"
    )


def keys(clips, rows):
    return pd.MultiIndex.from_frame(clips.table[["corpus", "clip_id"]].iloc[rows])


@pytest.fixture
def face(trained, small_params):
    """The faces of the trained study, with the probes' logits of stage 1."""
    data_folder, folder, _, _ = trained
    clips = read_study_clips(small_params, data_folder)
    data = ModalityClips(clips, "face", data_folder)
    for task in ("emotion", "personality"):
        rows, outputs = study_outputs(folder / "unimodal" / f"face-{task}", clips)
        data.set_offset_logits(task, rows.numpy(), outputs["probe_logits"])
    return data


def test_files_of_every_cell(trained):
    _, folder, results, _ = trained
    for cell in ("face-emotion", "face-personality", "text-emotion"):
        assert (folder / "unimodal" / cell / "model.safetensors").exists()
    for corpus in ("emotion", "personality", "joint"):
        for cell in ("unimodal/text-emotion", "crosstask/text"):
            assert (folder / cell / f"outputs-{corpus}.safetensors").exists()
    for variant in ("multitask", "emotion_only", "with_everything"):
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
    runs = table[["stage", "modality", "variant", "seed"]].drop_duplicates()
    assert [*runs.itertuples(index=False, name=None)] == [
        ("fusion", "fused", "multitask", 0),
        ("fusion", "fused", "multitask", 1),
    ]
    tasks = table.groupby("task")["target"].unique().map(tuple)
    assert tasks.to_dict() == {"emotion": EMOTIONS, "personality": TRAITS}
    assert len(table) == len(clips) * 12 * 2
    assert set(table["target"]) == {*EMOTIONS, *TRAITS}
    assert table["predicted"].between(0, 1).all()
    for task, names in (("emotion", EMOTIONS), ("personality", TRAITS)):
        stacked = pd.read_parquet(folder / "stacking" / task / "predictions.parquet")
        assert len(stacked) == len(clips) * len(names) * 2
        assert set(stacked["target"]) == {*names} and set(stacked["task"]) == {task}
        identity = stacked[["stage", "modality", "variant", "seed"]].drop_duplicates()
        assert identity.values.tolist() == [
            ["stacking", "fused", "any", small_params.seed],
            ["linear", "fused", "any", small_params.seed],
        ]
    single = pd.read_parquet(folder / "fusion" / "emotion_only" / "predictions.parquet")
    assert set(single["target"]) == set(EMOTIONS)
    assert set(single["variant"]) == {"emotion_only"}
    text = pd.read_parquet(folder / "crosstask" / "text" / "predictions.parquet")
    assert 0 < text["clip_id"].nunique() < len(clips)


def test_history_starts_before_training(trained):
    results = trained[2]
    runs = [
        results["unimodal"]["face-emotion"],
        results["crosstask"]["text"],
        *results["fusion"]["multitask"]["seeds"],
    ]
    for run in runs:
        epochs = [row["epoch"] for row in run["history"]]
        assert epochs == list(range(run["epochs"] + 1)) and 1 <= run["epochs"] <= 3
        losses = [row["train_loss"] for row in run["history"]]
        assert np.isnan(losses).tolist() == [True] + [False] * run["epochs"]


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_stage_1_says_what_its_network_adds_to_the_linear_model(trained, face, task):
    """The loss on dev is never above that of the probe, whose score is there too."""
    result, folder = trained[2]["unimodal"][f"face-{task}"], trained[1]
    model = load_checkpoint(folder / "unimodal" / f"face-{task}" / "model").model
    assert result["scale"] == pytest.approx(float(model.scale))
    dev = face.labelled_rows(task, task, "dev")
    start = face.offset_logits(task, dev)
    found = predict_outputs(model, face, dev, ["logits"], task)["logits"]
    added = found - start.numpy()
    own, other = added.var(0), start.numpy().var(0)
    assert result["share"] == pytest.approx((own / (own + other)).mean(), abs=1e-4)
    true = torch.from_numpy(face.clips.labels[task][dev])
    measured = {"emotion": emotion_loss, "personality": _trait_loss_of_logits}[task]
    before, after = (measured(each, true) for each in (start, torch.from_numpy(found)))
    assert after <= before + 1e-6
    said = expit(start.numpy())
    first = dev_score(task, face.clips.labels[task][dev], said)
    if task == "emotion":
        assert result["linear_dev_score"] == pytest.approx(first, abs=1e-6)


def _trait_loss_of_logits(logits, true):
    return trait_loss(logits.sigmoid(), true)


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_probe_logits_are_those_of_the_linear_model_out_of_fold(trained, face, task):
    """Exactly the training clips of the probe get out-of-fold logits."""
    _, folder, _, _ = trained
    run, clips = folder / "unimodal" / f"face-{task}", face.clips
    rows, outputs = study_outputs(run, clips)
    rows, logits = rows.numpy(), outputs["probe_logits"].numpy()
    assert sorted(rows) == face.present(np.arange(len(clips.table))).tolist()
    columns = list({"emotion": EMOTIONS, "personality": TRAITS}[task])
    linear = predictions(run, "linear").loc[keys(clips, rows), columns]
    said = 1 / (1 + np.exp(-logits))
    if task == "personality":
        said = np.clip(0.5 + logits / 4, 0, 1)
    same = np.isclose(said, linear, atol=1e-5).all(1)
    train = np.isin(rows, face.labelled_rows(task, task, "train"))
    assert same[~train].all() and not same[train].any()
    # Refitted from the features: each clip's own speaker decides the fold.
    train, dev = (face.labelled_rows(task, task, split) for split in ("train", "dev"))
    true = clips.labels[task]
    pooled = face.pooled(train), face.pooled(dev)
    model = Linear(task, pooled[0], true[train], pooled[1], true[dev])
    speakers = clips.table["speaker_id"].to_numpy()[train]
    expected = model.out_of_fold(speakers)
    found = logits[[rows.tolist().index(row) for row in train]]
    assert found == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_refits_are_of_other_training_samples_and_of_unseen_clips(
    trained, small_params, face, task
):
    table = read_refits(trained[1], ["face", "text"])
    mine = table[table["modality"] == "face"].drop(columns="modality")
    clips = face.clips.table
    unseen = np.flatnonzero((clips["split"] != "train").to_numpy())
    refits = small_params.unimodal.refits
    assert len(mine) == len(unseen) * refits and set(mine["refit"]) == {*range(refits)}
    columns = list({"emotion": EMOTIONS, "personality": TRAITS}[task])
    wide = mine.set_index(["refit", "corpus", "clip_id"])[columns]
    train, dev = (face.labelled_rows(task, task, split) for split in ("train", "dev"))
    true = face.clips.labels[task]
    model = Linear(task, face.pooled(train), true[train], face.pooled(dev), true[dev])
    speakers = clips["speaker_id"].to_numpy()[train]
    probes = model.refitted(speakers, 2, small_params.seed)
    for refit, (weights, bias) in enumerate(probes):
        expected = face.pooled(unseen) @ weights.T + bias
        found = wide.loc[refit].loc[keys(face.clips, unseen)].to_numpy()
        assert found == pytest.approx(expected, abs=1e-4)
    evaluated = pd.read_parquet(trained[1] / "evaluate" / "refits.parquet")
    pd.testing.assert_frame_equal(evaluated, table)


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_stage_1_checkpoint_gives_its_predictions_again(trained, face, task):
    run = trained[1] / "unimodal" / f"face-{task}"
    model = load_checkpoint(run / "model").model
    # Clips of both labelled corpora (train, dev, test) and of the held-out corpus.
    rows = np.array([3, 70, 100, 145, 155, 180])
    batch = face.batch(rows)
    columns = list({"emotion": EMOTIONS, "personality": TRAITS}[task])
    table = predictions(run, "unimodal")
    expected = table.loc[keys(face.clips, rows), columns].to_numpy()
    with torch.no_grad():
        given = model(
            batch.values, batch.mask, batch.offset_logits[task]
        ).predicted.numpy()
        own = model(batch.values, batch.mask).predicted.numpy()
    assert given == pytest.approx(expected, abs=1e-5)
    # Without offset logits, only the training clips of its probe change.
    same = np.isclose(own, expected, atol=1e-5).all(1)
    training = np.isin(rows, face.labelled_rows(task, task, "train"))
    assert same.tolist() == (~training).tolist() and training.sum() == 1


def test_checkpoints_know_what_made_their_features(
    trained, face, small_params, tmp_path
):
    for stem in ("unimodal/face-emotion", "crosstask/face"):
        assert load_checkpoint(trained[1] / stem / "model").made_by == face.made_by
    assert load_checkpoint(trained[1] / "fusion/multitask/seed-0").made_by is None
    shutil.copytree(trained[1] / "unimodal", tmp_path / "unimodal")
    stem = tmp_path / "unimodal" / "face-personality" / "model"
    save_checkpoint(load_checkpoint(stem).model, stem, made_by=("other", "abc"))
    with pytest.raises(
        CheckpointError, match=r"face-personality.* of \('other', 'abc'\), but"
    ):
        train_crosstask(small_params, "face", tmp_path, tmp_path / "x", trained[0])


def test_models_record_the_models_they_were_trained_on(trained, small_params):
    digests = {
        f"{stage}/{cell}": load_checkpoint(trained[1] / stage / cell / "model").digest
        for stage, cell in (
            ("unimodal", "face-emotion"),
            ("unimodal", "face-personality"),
            ("crosstask", "face"),
            ("crosstask", "text"),
        )
    }
    assert len(set(digests.values())) == 4
    second = load_checkpoint(trained[1] / "crosstask" / "face" / "model")
    assert second.trained_on == dict(list(digests.items())[:2])
    for seed, third in load_seeds(trained[1] / "fusion" / "multitask").items():
        assert third.trained_on == dict(list(digests.items())[2:])
        assert third.seeds == tuple(small_params.fusion.seeds) and seed in third.seeds


def test_an_interrupted_stage_2_is_not_taken_for_a_whole_one(
    trained, small_params, tmp_path
):
    """A new checkpoint beside old outputs, as a kill between the two leaves them."""
    shutil.copytree(trained[1], tmp_path, dirs_exist_ok=True)
    stem = tmp_path / "unimodal" / "face-emotion" / "model"
    old = load_checkpoint(stem)
    arguments = old.statistics, {"dev_score": 0.1}, old.made_by
    save_checkpoint(old.model, stem, *arguments)
    with pytest.raises(
        CheckpointError, match="outputs of another model; `dvc repro unimodal@face-em"
    ):
        train_crosstask(small_params, "face", tmp_path, tmp_path / "x", trained[0])
    # Stage 3 was trained on outputs of the stage-2 model that is there no longer.
    outputs = tmp_path / "crosstask" / "text"
    clips = read_study_clips(small_params, trained[0])
    rows, values = study_outputs(outputs, clips)
    values = {name: each.numpy() for name, each in values.items()}
    assert (np.diff(rows.numpy()) > 0).all()
    write_outputs(outputs, clips, rows.numpy(), values, "another")
    with pytest.raises(
        CheckpointError,
        match="with_everything: was trained on another model than lies in "
        "crosstask/text; `dvc repro fusion@with_everything`",
    ):
        load_attention(small_params, "with_everything", tmp_path, trained[0])
    load_attention(small_params, "with_everything", trained[1], trained[0])


def test_an_interrupted_stage_3_leaves_nothing_of_an_earlier_one(
    trained, small_params, tmp_path, monkeypatch
):
    folder = tmp_path / "fusion" / "multitask"
    shutil.copytree(trained[1] / "fusion" / "multitask", folder)

    def killed(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("sslmepr.training.fusion.train_variant", killed)
    with pytest.raises(KeyboardInterrupt):
        train_fusion(small_params, "multitask", trained[1], folder, trained[0], False)
    with pytest.raises(CheckpointError, match="no trained model"):
        load_seeds(folder)


def test_stage_2_checkpoint_gives_its_outputs_again(
    trained, small_params, face, monkeypatch, tmp_path
):
    def learned(model, *_):
        """Weights by hand: where training leads, and whether it does, is not asked."""
        with torch.no_grad():
            for weights in model.parameters():
                if weights.requires_grad:
                    weights.add_(0.05 * torch.randn(weights.shape, generator=rng))
        model.eval()
        return pd.DataFrame({"epoch": [0], "train_loss": 0.0, "dev_score": 0.0})

    rng, run = torch.Generator().manual_seed(0), tmp_path / "face"
    monkeypatch.setattr(crosstask, "fit", learned)
    train_crosstask(small_params, "face", trained[1], run, trained[0], False)
    model = load_checkpoint(run / "model").model
    found, outputs = study_outputs(run, face.clips)
    rows = np.array([3, 70, 100, 180])
    places = [found.tolist().index(row) for row in rows]
    batch = face.batch(rows)
    with torch.no_grad():
        again = model(batch.values, batch.mask, batch.offset_logits)._asdict()
    # Training clips of a task have out-of-fold probe logits.
    for task, name in (("emotion", "emotion_logits"), ("personality", "trait_scores")):
        training = torch.from_numpy(
            np.isin(rows, face.labelled_rows(task, task, "train"))
        )
        assert training.any() and not training.all()
        offset = batch.offset_logits[task]
        offset = offset if task == "emotion" else offset.sigmoid()
        assert not torch.allclose(again[name][training], offset[training], atol=1e-4)
        again[name] = torch.where(training[:, None], offset, again[name])
    for name, values in outputs.items():
        torch.testing.assert_close(again[name], values[places], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_stage_3_starts_from_a_stacking_regression_on_all_logits(
    trained, small_params, task
):
    """Its predictions and score, and its place in the network, which training keeps."""
    data_folder, folder, results, _ = trained
    run, device = folder / "fusion" / "multitask", torch.device("cpu")
    clips = read_study_clips(small_params, data_folder)
    data = FusionClips.read(clips, ["face", "text"], folder, device)
    train, dev = (data.rows(task, split) for split in ("train", "dev"))
    true, rows = clips.labels[task], np.arange(len(clips.table))
    start = PredictProjector(task, 2, data.feature_counts)
    start.centre(data.batch(train).inputs)
    speakers = clips.table["speaker_id"].to_numpy()[train]
    probes, found = co_train(small_params, data, task), []

    def set_probes(strength):
        for modality, probe in probes.items():
            scaled = (torch.from_numpy(strength * each) for each in probe)
            start.set_probe(modality, *scaled)

    for strength in STRENGTHS:
        set_probes(strength)
        centred = start.centred_logits(data.batch(rows).inputs).numpy()
        model = StackingRegression(
            task, centred[train], true[train], centred[dev], true[dev]
        )
        score = model.choose_by_cross_fitting(speakers)
        found.append((score, -strength, model, centred))
    _, weaker, model, centred = max(found, key=lambda each: each[:2])
    set_probes(-weaker)
    expected = model.predict(centred)
    columns = list({"emotion": EMOTIONS, "personality": TRAITS}[task])
    stacking = folder / "stacking" / task
    written = predictions(stacking, "stacking").loc[keys(clips, rows), columns]
    assert written.to_numpy() == pytest.approx(expected, abs=1e-5)
    result = results["stacking"][task]
    assert result["dev_score"] == pytest.approx(
        dev_score(task, true[dev], expected[dev])
    )
    assert results["fusion"]["multitask"]["linear_dev_score"][task] == pytest.approx(
        result["dev_score"]
    )
    assert result["penalty"] == model.penalty
    # Logits are ordered by modality, then by target.
    count = true.shape[1]
    same = [model.weights[place, place::count] for place in range(count)]
    weights = pd.DataFrame(result["weights"]).T
    assert weights["weight"].tolist() == pytest.approx(np.mean(same, 0).tolist())
    assert (weights["low"] < weights["weight"]).all()
    assert [*result["weights"]] == ["face", "text"]
    for seed in (0, 1):
        projector = load_checkpoint(run / f"seed-{seed}").model.predict_projectors[task]
        weights, bias = model.probe()
        linear = projector.linear
        assert torch.equal(projector.mean, start.mean)
        for modality, probe in projector.probes.items():
            assert torch.equal(probe.weight, start.probes[modality].weight)
            assert probe.weight.any()
        assert linear.weight.detach().numpy() == pytest.approx(weights, abs=1e-5)
        assert linear.bias.detach().numpy() == pytest.approx(bias, abs=1e-5)


def test_stage_2_outputs_belong_to_their_clips(trained, small_params):
    data_folder, folder, _, _ = trained
    ids, outputs = read_outputs(folder / "crosstask" / "text", "personality")
    table = pd.read_parquet(folder / "crosstask" / "text" / "predictions.parquet")
    wide = table.pivot(index="clip_id", columns="target", values="predicted")
    assert outputs["trait_scores"].numpy() == pytest.approx(
        wide.loc[ids, list(TRAITS)].to_numpy(), abs=1e-6
    )
    clips = read_study_clips(small_params, data_folder)
    fused = FusionClips.read(clips, ["text"], folder, torch.device("cpu"))
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
        (folder / "unimodal" / "text-emotion", tmp_path / "u"),
        (folder / "fusion" / "multitask", tmp_path / "f"),
    ]
    for old, new in pairs:
        assert {p.name for p in old.iterdir()} == {p.name for p in new.iterdir()}
        for path in new.iterdir():
            assert (old / path.name).read_bytes() == path.read_bytes(), path.name


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
    written = sorted((tmp_path / "u").iterdir())
    assert len(written) == 7
    for path in written:
        old = folder / "unimodal" / "text-emotion" / path.name
        assert old.read_bytes() == path.read_bytes(), path.name


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_stage_3_leaves_clips_without_labels_to_the_pseudo_labels(
    trained, small_params, tmp_path, task
):
    from sslmepr.corpora.schema import read_clips, write_clips

    data_folder, folder, _, _ = trained
    for corpus in ("emotion", "personality", "joint"):
        table = read_clips(data_folder / corpus / "corpus")
        names = [name for name in table if name.startswith(("emotion_", "trait_"))]
        table.loc[:5, names] = np.nan
        write_clips(table, tmp_path / corpus / "corpus")
    fusion = small_params.fusion.model_copy(update={"seeds": [0]})
    params = small_params.model_copy(update={"fusion": fusion})
    train_fusion(params, f"{task}_only", folder, tmp_path / "f", tmp_path, False)
    clips = read_study_clips(params, tmp_path)
    data = FusionClips.read(clips, ["face", "text"], folder, torch.device("cpu"))
    train, dev = data.rows(task, "train")[6:], data.rows(task, "dev")
    projector = load_checkpoint(tmp_path / "f" / "seed-0").model.predict_projectors[
        task
    ]
    said = [
        projector.centred_logits(data.batch(rows).inputs).numpy()
        for rows in (train, dev)
    ]
    true = clips.labels[task]
    model = StackingRegression(task, said[0], true[train], said[1], true[dev])
    model.choose_by_cross_fitting(clips.table["speaker_id"].to_numpy()[train])
    weights, _ = model.probe()
    assert projector.linear.weight.detach().numpy() == pytest.approx(weights, abs=1e-5)


def test_a_modality_without_labelled_clips_predicts_the_mean(
    study, small_params, tmp_path
):
    """Faces are known where emotions are annotated, words where traits are."""
    shutil.copytree(study[0], tmp_path, dirs_exist_ok=True)
    (tmp_path / "personality" / "features" / "face.safetensors").unlink()
    (tmp_path / "emotion" / "features" / "text.safetensors").unlink()
    params = small_params.model_copy(update={"variants": ["multitask"]})
    folder = tmp_path / "apart"
    results = train_study(params, folder, tmp_path, progress=False)
    untaught = results["unimodal"]["face-personality"]
    assert untaught["clips"] == {"train": 0, "dev": 0}
    assert untaught["dev_score"] is None and untaught["epochs"] == 0

    clips = read_study_clips(params, tmp_path)
    training = clips.rows("personality", "train")
    mean = clips.labels["personality"][training].mean(0)
    found = predictions(folder / "unimodal" / "face-personality", "unimodal")
    assert set(found.index.get_level_values("corpus")) == {"emotion", "joint"}
    constant = np.tile(mean, (len(found), 1))
    assert found[list(TRAITS)].to_numpy() == pytest.approx(
        1 / (1 + np.exp(-4 * (constant - 0.5))), abs=1e-5
    )
    linear = predictions(folder / "unimodal" / "face-personality", "linear")
    assert linear[list(TRAITS)].to_numpy() == pytest.approx(constant, abs=1e-6)
    assert np.ptp(predictions(folder / "crosstask" / "face", "crosstask"), 0).any()

    fused = predictions(folder / "fusion" / "multitask", "fusion", seed=0)
    words = predictions(folder / "crosstask" / "text", "crosstask")
    assert set(fused.index) == {*found.index, *words.index}
    evaluation = evaluate_study(params, folder, tmp_path)
    summary = evaluation["summary"]["dev"]
    fused = summary["fusion"]["multitask"]
    assert 0 < fused["mWACC"]["estimate"] < 1
    assert -1 < fused["CCC"]["estimate"] < 1
    assert "CCC" not in summary["unimodal"].get("face", {})
