import json

import numpy as np
import pytest
import torch

from sslmepr.learning.batches import Standardisation
from sslmepr.learning.checkpoints import (
    CheckpointError,
    load_checkpoint,
    save_checkpoint,
)
from sslmepr.models.crosstask import CrosstaskConfig, CrosstaskModel
from sslmepr.models.fusion import FusionConfig, FusionModel
from sslmepr.models.unimodal import UnimodalConfig, UnimodalModel


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
    save_checkpoint(MODELS["unimodal"](), tmp_path / "m")
    path = tmp_path / "m.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return tmp_path / "m"


def test_other_label_order_is_refused(tmp_path):
    labels = json.loads(json.dumps({"emotion": ["anger"], "personality": []}))
    with pytest.raises(CheckpointError, match="trained with labels"):
        load_checkpoint(changed(tmp_path, labels=labels))


def test_unknown_class_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="unknown class 'Other'"):
        load_checkpoint(changed(tmp_path, **{"class": "Other"}))


def test_config_that_does_not_fit_the_weights_is_refused(tmp_path):
    save_checkpoint(MODELS["unimodal"](), tmp_path / "m")
    path = tmp_path / "m.json"
    description = json.loads(path.read_text())
    description["config"]["hidden"] = 16
    path.write_text(json.dumps(description))
    with pytest.raises(CheckpointError, match="does not fit a UnimodalModel"):
        load_checkpoint(tmp_path / "m")


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(CheckpointError, match="absent.json: not readable"):
        load_checkpoint(tmp_path / "absent")
    save_checkpoint(MODELS["unimodal"](), tmp_path / "m")
    (tmp_path / "m.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="m.safetensors: not readable"):
        load_checkpoint(tmp_path / "m")
