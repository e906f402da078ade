from pathlib import Path

import pytest
import yaml

from sslmepr.__main__ import main

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def test_study_prints_dvc_options(capsys):
    assert main(["study", "real"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "-S ++study=real" in lines
    assert "-S ++modalities=[audio,text]" in lines
    assert "-S ++roles.emotion=meld_ravdess" in lines
    assert "-S ++folds.ravdess.modality=audio" in lines
    assert "-S ~replicates.unrelated" in lines
    assert "-S ++findings=association" in lines
    assert lines[-1] == "book"


def test_the_paper_study_takes_its_encoders_and_leaves_rendered_corpora(capsys):
    assert main(["study", "paper"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "-S ++extract.image_encoder=clip_vit_b32" in lines
    assert "-S ++roles.emotion=mosei" in lines
    assert lines[-1] == "book"


def test_a_simulated_study_runs_every_stage(capsys):
    assert main(["study", "simulated"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("-S ") for line in lines)


def test_unknown_study_is_an_error_that_lists_the_known(capsys):
    assert main(["study", "nonsense"]) == 1
    assert (
        "known: simulated, real, paper, trials, search, tiny" in capsys.readouterr().err
    )


def test_unknown_notebook_is_an_error(capsys, tmp_path):
    assert main(["run", "nonsense", "--out", str(tmp_path / "x.ipynb")]) == 1
    assert "notebooks/nonsense.ipynb: no such notebook" in capsys.readouterr().err


def test_a_search_is_set_key_by_key_and_taken_back(capsys, tmp_path, monkeypatch):
    assert main(["study", "search"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "-S ++search.fusion.space.hidden.choices=[64,128,256]" in lines
    assert "-S ++search.fusion.space.learning_rate.log=true" in lines
    tree = yaml.safe_load((ROOT / "params.yaml").read_text())
    studies = yaml.safe_load((ROOT / "studies.yaml").read_text())
    tree["search"] = studies["search"]["search"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(tree))
    (tmp_path / "studies.yaml").write_text(yaml.safe_dump(studies))
    monkeypatch.chdir(tmp_path)
    assert main(["study", "simulated"]) == 0
    assert "-S ~search.fusion" in capsys.readouterr().out.splitlines()


def test_a_sweep_is_of_the_study_that_is_named(capsys, monkeypatch):
    told = []

    def pretend(params, changes, jobs):
        told.append((params.study, changes[:2], jobs))
        return ["multitask"]

    monkeypatch.setattr("sslmepr.sweep.sweep", pretend)
    assert main(["sweep", "trials", "--jobs", "3"]) == 0
    assert main(["sweep", "--jobs", "1"]) == 0
    assert told == [
        ("trials", ["-S", "++study=trials"], 3),
        ("simulated", [], 1),
    ]
    assert "1 variants trained" in capsys.readouterr().out


def test_a_sweep_needs_a_job_and_a_study(capsys):
    assert main(["sweep", "--jobs", "0"]) == 1
    assert "--jobs must be at least 1" in capsys.readouterr().err
    assert main(["sweep", "nonsense"]) == 1
    assert "there is no study 'nonsense'" in capsys.readouterr().err
