import json

import pandas as pd

from sslmepr.training.results import learning_history, write_json, write_result

HISTORY = [{"epoch": 0, "train_loss": 0.12345678, "dev_score": 0.5}]


def test_result_of_one_run(tmp_path):
    result = {"modality": "face", "dev_score": 1 / 3, "history": HISTORY}
    write_result(result, tmp_path / "unimodal" / "face")
    written = json.loads((tmp_path / "unimodal" / "face.json").read_text())
    assert written == {"modality": "face", "dev_score": 0.333333}
    history = pd.read_csv(tmp_path / "unimodal" / "face.csv")
    assert history.to_dict("records") == [
        {"epoch": 0, "train_loss": 0.123457, "dev_score": 0.5, "seed": 0}
    ]


def test_result_of_several_seeds(tmp_path):
    seeds = [{"seed": seed, "epochs": 1, "history": HISTORY} for seed in (3, 5)]
    write_result({"variant": "multitask", "seeds": seeds}, tmp_path / "multitask")
    written = json.loads((tmp_path / "multitask.json").read_text())
    assert written["seeds"] == [{"seed": 3, "epochs": 1}, {"seed": 5, "epochs": 1}]
    assert learning_history({"seeds": seeds})["seed"].tolist() == [3, 5]


def test_undefined_numbers_become_null(tmp_path):
    write_json({"a": [float("nan"), 1]}, tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": [None, 1]}
