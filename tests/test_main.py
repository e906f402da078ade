from pathlib import Path

import pytest

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
    targets = ["association", "record", "replicate@by_video", "folds@ravdess"]
    assert lines[-1].split() == targets


def test_the_paper_study_takes_its_encoders_and_leaves_rendered_corpora(capsys):
    assert main(["study", "paper"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "-S ++extract.image_encoder=clip_vit_b32" in lines
    assert "-S ++roles.emotion=mosei" in lines
    assert lines[-1].split() == ["association", "record"]


def test_a_simulated_study_runs_every_stage(capsys):
    assert main(["study", "simulated"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("-S ") for line in lines)


def test_unknown_study_is_an_error_that_lists_the_known(capsys):
    assert main(["study", "nonsense"]) == 1
    assert "known: simulated, real, paper, trials, tiny" in capsys.readouterr().err


def test_unknown_notebook_is_an_error(capsys, tmp_path):
    assert main(["run", "nonsense", "--out", str(tmp_path / "x.ipynb")]) == 1
    assert "notebooks/nonsense.ipynb: no such notebook" in capsys.readouterr().err
