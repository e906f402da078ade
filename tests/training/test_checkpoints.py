import dataclasses
import hashlib
import json
import shutil

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from sslmepr import models, training
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel
from sslmepr.training import checkpoints
from sslmepr.training.batches import Standardisation
from sslmepr.training.checkpoints import (
    CheckpointError,
    load_checkpoint,
    load_seeds,
    remedy,
    require_trained_on,
    save_checkpoint,
)


def unimodal(task="emotion"):
    return UnimodalConfig(
        task=task,
        features=6,
        hidden=8,
        block="mamba",
        layers=1,
        state=4,
        heads=2,
        dropout=0.1,
    )


STATISTICS = Standardisation(np.arange(6, dtype=np.float32), np.ones(6))
MODELS = {
    "unimodal": lambda: UnimodalModel(unimodal()),
    "crosstask": lambda: CrosstaskModel(
        CrosstaskConfig(unimodal(), unimodal("personality"), 8, 1, 2, 0.1)
    ),
    "fusion": lambda: FusionModel(
        FusionConfig(
            {"text": 6, "face": 4},
            8,
            2,
            0.1,
            without=("guide_bank",),
            features={"text": 3, "face": 2},
        )
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_round_trip_needs_nothing_else(name, tmp_path):
    torch.manual_seed(0)
    model = MODELS[name]()
    statistics = {"a": Standardisation(np.arange(6, dtype=np.float32), np.ones(6))}
    stem, made_by = tmp_path / "run" / "seed-0", ("minilm_l6", "53aa51172d14")
    save_checkpoint(model, stem, statistics, {"dev_score": 0.5}, made_by)
    found = load_checkpoint(stem)
    assert found.made_by == made_by
    assert type(found.model) is type(model) and found.model.config == model.config
    assert list(found.model.state_dict()) == list(model.state_dict())
    for key, value in model.state_dict().items():
        assert torch.equal(found.model.state_dict()[key], value)
    assert found.statistics["a"].mean.tolist() == [0, 1, 2, 3, 4, 5]
    assert found.metrics == {"dev_score": 0.5} and not found.model.training


def test_same_model_same_bytes(tmp_path):
    torch.manual_seed(0)
    model = MODELS["fusion"]()
    for name in ("a", "b"):
        save_checkpoint(model, tmp_path / name, metrics={"dev_score": 1})
    assert load_checkpoint(tmp_path / "a").made_by is None
    for ending in (".json", ".safetensors"):
        first, second = (tmp_path / f"{name}{ending}" for name in "ab")
        assert first.read_bytes() == second.read_bytes()


def changed(tmp_path, **changes):
    """A checkpoint with another description and the hash of it."""
    stem = tmp_path / "m"
    save_checkpoint(MODELS["unimodal"](), stem, {"a": STATISTICS})
    return signed(stem, json.loads(stem.with_suffix(".json").read_text()) | changes)


def signed(stem, description):
    weights = stem.with_suffix(".safetensors").read_bytes()
    described = {k: v for k, v in description.items() if k != "sha256"}
    text = json.dumps(described, sort_keys=True).encode()
    described["sha256"] = hashlib.sha256(text + weights).hexdigest()
    stem.with_suffix(".json").write_text(json.dumps(described))
    return stem


def test_other_label_order_is_refused(tmp_path):
    labels = json.loads(json.dumps({"emotion": ["anger"], "personality": []}))
    with pytest.raises(CheckpointError, match="trained with labels"):
        load_checkpoint(changed(tmp_path, labels=labels))


def test_unknown_class_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="unknown class 'Other'"):
        load_checkpoint(changed(tmp_path, **{"class": "Other"}))


def test_config_that_does_not_fit_the_weights_is_refused(tmp_path):
    config = dataclasses.asdict(unimodal()) | {"hidden": 16}
    with pytest.raises(CheckpointError, match="does not fit a UnimodalModel"):
        load_checkpoint(changed(tmp_path, config=config))


@pytest.mark.parametrize(
    "changes",
    [
        {"class": ["UnimodalModel"]},
        {"class": "FusionModel"},
        {"config": None},
        {"config": []},
        {"config": {}},
        {"config": dataclasses.asdict(unimodal()) | {"hidden": "two"}},
        {"config": dataclasses.asdict(unimodal()) | {"block": "other"}},
        {"config": dataclasses.asdict(unimodal()) | {"more": 1}},
        {"labels": "emotion"},
        {"made_by": 7},
        {"metrics": 7},
        {"trained_on": 7},
        {"seeds": 7},
    ],
    ids=str,
)
def test_a_wrong_description_is_refused(tmp_path, changes):
    with pytest.raises(
        CheckpointError, match=r"m\.(json|safetensors): .*train it again"
    ):
        load_checkpoint(changed(tmp_path, **changes))


@pytest.mark.parametrize("key", ["config", "made_by", "metrics", "trained_on", "seeds"])
def test_an_incomplete_description_is_refused(tmp_path, key):
    stem = changed(tmp_path)
    description = json.loads(stem.with_suffix(".json").read_text())
    del description[key]
    with pytest.raises(CheckpointError, match=f"does not fit a UnimodalModel: '{key}'"):
        load_checkpoint(signed(stem, description))


@pytest.mark.parametrize(
    "change",
    [
        lambda tensors: tensors.pop("probe.weight"),
        lambda tensors: tensors.update(more=torch.zeros(1)),
        lambda tensors: tensors.update({"probe.weight": torch.zeros(2, 2)}),
        lambda tensors: tensors.pop("statistics/a/deviation"),
    ],
)
def test_wrong_tensors_are_refused(tmp_path, change):
    stem = changed(tmp_path)
    path = stem.with_suffix(".safetensors")
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path)
    signed(stem, json.loads(stem.with_suffix(".json").read_text()))
    with pytest.raises(CheckpointError, match="m.safetensors: does not fit"):
        load_checkpoint(stem)


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"null", b"7", b"{", b"\xff", b"[" * 9999]
)
def test_what_describes_no_model_is_refused(tmp_path, content):
    stem = changed(tmp_path)
    stem.with_suffix(".json").write_bytes(content)
    with pytest.raises(CheckpointError, match="m.json: .*train it again"):
        load_checkpoint(stem)


@pytest.mark.parametrize("suffix", [".json", ".safetensors"])
@pytest.mark.parametrize("how", ["absent", "a folder"])
def test_missing_files_are_named_with_the_remedy(tmp_path, suffix, how):
    stem = tmp_path / "runs" / "mine" / "crosstask" / "face" / "model"
    save_checkpoint(MODELS["crosstask"](), stem)
    stem.with_suffix(suffix).unlink()
    if how == "a folder":
        stem.with_suffix(suffix).mkdir()
    message = (
        rf"model{suffix}: not readable: .*`dvc repro crosstask@face` makes it anew"
    )
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(stem)


def test_the_remedy_is_the_stage_that_trains_what_lies_there():
    for folder, words in {
        "runs/mine/unimodal/face-emotion": "`dvc repro unimodal@face-emotion` makes",
        "/a/runs/mine/fusion/multitask": "`dvc repro fusion@multitask` makes",
        "runs/mine/replicate/null/crosstask/face": "`dvc repro replicate@null` makes",
        "elsewhere": "train it again",
        "/": "train it again",
    }.items():
        assert remedy(folder).startswith(words)


def test_files_of_two_trainings_are_not_one_model(tmp_path):
    torch.manual_seed(0)
    for name in "ab":
        save_checkpoint(MODELS["unimodal"](), tmp_path / name)
    shutil.copy(tmp_path / "a.safetensors", tmp_path / "b.safetensors")
    message = "b.safetensors: damaged, or not of the training that b.json is of"
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(tmp_path / "b")


def test_a_model_of_an_earlier_version_is_refused(tmp_path):
    stem = changed(tmp_path)
    description = json.loads(stem.with_suffix(".json").read_text())
    del description["sha256"]
    stem.with_suffix(".json").write_text(json.dumps(description))
    with pytest.raises(CheckpointError, match="m.json: was written by an earlier vers"):
        load_checkpoint(stem)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    torch.manual_seed(1)
    stem = tmp_path_factory.mktemp("whole") / "m"
    save_checkpoint(MODELS["unimodal"](), stem, {"a": STATISTICS}, {"dev_score": 0.25})
    files = {each: stem.with_suffix(each) for each in (".json", ".safetensors")}
    return stem, {suffix: path.read_bytes() for suffix, path in files.items()}


@settings(
    max_examples=300,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.data())
def test_no_damaged_file_opens_wrongly(whole, data):
    """Cut short, lengthened, bytes changed: refused, or of no consequence (a blank)."""
    stem, files = whole
    suffix = data.draw(st.sampled_from(sorted(files)))
    content = bytearray(files[suffix])
    place = data.draw(st.integers(0, len(content) - 1))
    how = data.draw(st.sampled_from(["cut", "drop", "insert", "flip", "zero"]))
    if how == "cut":
        del content[place:]
    elif how == "drop":
        del content[place : place + data.draw(st.integers(1, 9))]
    elif how == "insert":
        content[place:place] = data.draw(st.binary(min_size=1, max_size=9))
    elif how == "flip":
        content[place] ^= 1 << data.draw(st.integers(0, 7))
    else:
        content[place : place + 64] = bytes(len(content[place : place + 64]))
    expected = files[".safetensors"]
    for each, before in files.items():
        stem.with_suffix(each).write_bytes(content if each == suffix else before)
    try:
        found = load_checkpoint(stem)
    except CheckpointError as error:
        assert str(stem) in str(error) and "train it again" in str(error)
    else:
        assert stem.with_suffix(".safetensors").read_bytes() == expected
        told = stem.with_suffix(".json").read_bytes()
        assert json.loads(told) == json.loads(files[".json"])
        assert found.metrics == {"dev_score": 0.25}


SEEDS = 0, 1, 10


def fused(folder, seeds=SEEDS, trained_on=("x", "y"), listed=None):
    """A fusion variant, as far as what it belongs to goes."""
    for seed in seeds:
        stem = folder / "fusion" / "multitask" / f"seed-{seed}"
        digests = dict(
            zip(("crosstask/text", "crosstask/face"), trained_on, strict=True)
        )
        save_checkpoint(
            MODELS["fusion"](), stem, trained_on=digests, seeds=listed or seeds
        )
    return folder / "fusion" / "multitask"


def test_all_seeds_of_a_training(tmp_path):
    found = load_seeds(fused(tmp_path))
    assert list(found) == [0, 1, 10]
    assert all(each.seeds == (0, 1, 10) for each in found.values())
    digests = {"crosstask/text": "x", "crosstask/face": "y"}
    require_trained_on(found[0], tmp_path, digests)
    for others in ({"crosstask/text": "x"}, digests | {"crosstask/face": "z"}):
        with pytest.raises(CheckpointError, match="another model .* in crosstask/face"):
            require_trained_on(found[0], tmp_path, others)
    with pytest.raises(CheckpointError, match="another model .* in crosstask/body"):
        require_trained_on(found[0], tmp_path, digests | {"crosstask/body": "z"})


@pytest.mark.parametrize(
    "second, message",
    [
        (
            dict(seeds=(2,), listed=SEEDS),
            "holds seed-0, seed-1, seed-10, seed-2, where",
        ),
        (
            dict(seeds=(1,), listed=(1, 2)),
            "seed-1 and seed-0 were not trained together",
        ),
        (
            dict(seeds=(1,), listed=SEEDS, trained_on=("x", "z")),
            "seed-1 and seed-0 were not trained together",
        ),
    ],
)
def test_models_of_two_trainings_are_refused(tmp_path, second, message):
    folder = fused(tmp_path)
    fused(tmp_path, **second)
    with pytest.raises(CheckpointError, match=message + ".*`dvc repro fusion@multit"):
        load_seeds(folder)


@pytest.mark.parametrize("suffix", [".safetensors", ".*"])
def test_too_few_seeds_are_refused(tmp_path, suffix):
    folder = fused(tmp_path)
    for path in folder.glob(f"seed-10{suffix}"):
        path.unlink()
    message = (
        "holds seed-0, seed-1, where seed-0, seed-1, seed-10 were trained together"
    )
    with pytest.raises(
        CheckpointError, match=message + ".*`dvc repro fusion@multitask"
    ):
        load_seeds(folder)


def test_no_model_at_all_is_told_with_the_command(tmp_path):
    with pytest.raises(
        CheckpointError, match="no trained model; `dvc repro fusion@multitask` makes it"
    ):
        load_seeds(tmp_path / "fusion" / "multitask")


@pytest.mark.parametrize("package", [models, training])
def test_the_revision_is_of_the_code_that_models_and_trains(
    monkeypatch, tmp_path, package
):
    """Another byte in either package is another revision, and nothing else is."""
    before = checkpoints.code_revision.__wrapped__()
    copy = tmp_path / "copy"
    shutil.copytree(package.__path__[0], copy)
    monkeypatch.setattr(package, "__path__", [str(copy)])
    assert checkpoints.code_revision.__wrapped__() == before
    changed = sorted(copy.glob("*.py"))[-1]
    changed.write_bytes(changed.read_bytes() + b"#")
    assert checkpoints.code_revision.__wrapped__() != before
