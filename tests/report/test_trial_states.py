"""On which state of the library trials ran, read from a lock file."""

import hashlib

import pytest
import yaml

from sslmepr.report.trial_states import (
    folder_checksum,
    state_findings,
    state_table,
    trial_states,
)


@pytest.fixture
def library(tmp_path):
    for name in ("training", "models", "simulation"):
        folder = tmp_path / "sslmepr" / name / "inner"
        folder.mkdir(parents=True)
        folder.joinpath("b.py").write_text(name)
        folder.parent.joinpath("a.py").write_text("same")
    return tmp_path / "sslmepr"


def test_a_folder_has_the_checksum_that_dvc_gives_it(library):
    found = folder_checksum(library / "training")
    a, b = (hashlib.md5(text).hexdigest() for text in (b"same", b"training"))
    listed = (
        f'[{{"md5": "{a}", "relpath": "a.py"}}, '
        f'{{"md5": "{b}", "relpath": "inner/b.py"}}]'
    )
    assert found == f"{hashlib.md5(listed.encode()).hexdigest()}.dir"
    (library / "training" / "a.pyc").write_text("compiled")
    assert folder_checksum(library / "training") == found
    (library / "training" / "a.py").write_text("other")
    assert folder_checksum(library / "training") != found


def test_trials_are_told_by_the_code_they_ran_on(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "results" / "trials" / "doses"
    folder.mkdir(parents=True)
    for name in ("now", "then", "changed", "unlocked"):
        (folder / f"{name}.csv").write_text(name)
        (folder / f"{name}-gains.csv").write_text("made from it")
    now = {name: folder_checksum(library / name) for name in ("training", "models")}

    def entry(name, models):
        deps = {"training": now["training"], "models": models}
        digest = hashlib.md5(name.encode()).hexdigest()
        path = f"results/trials/doses/{name}.csv"
        return {
            "deps": [{"path": f"sslmepr/{k}", "md5": v} for k, v in deps.items()],
            "outs": [{"path": path, "md5": digest}],
            "params": {"params.yaml": {"fusion": {"components": ["co_training"]}}},
        }

    stages = {f"doses@{n}": entry(n, now["models"]) for n in ("now", "changed")}
    stages["doses@then"] = entry("then", "0123456789.dir")
    (folder / "changed.csv").write_text("by hand")
    (tmp_path / "dvc.lock").write_text(yaml.safe_dump({"stages": stages}))
    components = ["co_training", "second_forms"]
    found = trial_states("results/trials", "dvc.lock", "sslmepr", components)
    old, same, unknown = "without second forms", "as it is now", ["not recorded"] * 4
    assert found.fillna("").values.tolist() == [
        ["doses, changed", *unknown],
        ["doses, now", old, same, same, ""],
        ["doses, then", old, same, "0123456", ""],
        ["doses, unlocked", *unknown],
    ]
    (told,) = state_findings(found).sentences
    assert "Of 4 trials on record, 1 ran on the library as it is now" in told
    assert "1 ran on 1 earlier states" in told and "of 2 the state" in told
    assert len(state_table(found).frame) == 4
    found = trial_states("results/trials", "dvc.lock", "sslmepr", ["co_training"])
    assert found["model"].tolist()[1] == "as it is now"
