import shutil
from pathlib import Path

import pytest
from drawn_pairs import study

from sslmepr import params
from sslmepr.__main__ import main
from sslmepr.training.checkpoints import CheckpointError

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def at_root(monkeypatch):
    monkeypatch.chdir(ROOT)


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder with the parameters of the repository, and DVC's part left out."""
    for name in ("params.yaml", "studies.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    asked = []
    monkeypatch.setattr("sslmepr.pipeline.reproduce.reproduce", asked.append)
    return asked


def test_repro_writes_the_study_and_settings_then_runs_it(project):
    words = ["-S", "compute.engine=ray", "-S", "compute.address=one:6379"]
    assert main(["repro", "real", *words]) == 0
    settings = params.load()
    assert settings.study == "real" and settings.modalities == ["audio", "text"]
    assert settings.compute.engine == "ray"
    assert settings.compute.address == "one:6379"
    assert main(["repro", "--only", "book"]) == 0
    assert params.load() == settings
    assert project == [None, ["book"]]


@pytest.mark.parametrize("word", ["seeds=1", "seed=one", "seed"])
def test_repro_refuses_a_setting_that_does_not_fit(project, capsys, word):
    assert main(["repro", "-S", word]) == 1
    assert "params.yaml" in capsys.readouterr().err
    assert project == []
    assert Path("params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()


def test_unknown_study_is_an_error_that_lists_the_known(capsys):
    assert main(["repro", "nonsense"]) == 1
    assert (
        "known: simulated, plain, real, described, paper, trials, tiny"
        in capsys.readouterr().err
    )


def test_unknown_notebook_is_an_error(capsys, tmp_path):
    assert main(["run", "nonsense", "--out", str(tmp_path / "x.ipynb")]) == 1
    assert "notebooks/nonsense.ipynb: no such notebook" in capsys.readouterr().err


def test_a_sweep_is_of_the_study_that_is_named(project, capsys, monkeypatch):
    told = []

    def pretend(settings, jobs):
        told.append((settings.study, jobs))
        return ["multitask"]

    monkeypatch.setattr("sslmepr.pipeline.sweep.sweep", pretend)
    assert main(["sweep", "--jobs", "1"]) == 0
    assert main(["sweep", "trials", "--jobs", "3"]) == 0
    assert told == [("simulated", 1), ("trials", 3)]
    assert "1 variants trained" in capsys.readouterr().out


def test_a_sweep_needs_a_job_and_a_study(capsys):
    assert main(["sweep", "--jobs", "0"]) == 1
    assert "--jobs must be at least 1" in capsys.readouterr().err
    assert main(["sweep", "nonsense"]) == 1
    assert "there is no study 'nonsense'" in capsys.readouterr().err


class TestPlan:
    @pytest.fixture(autouse=True)
    def precision(self, project):
        """A study whose associations have been estimated; returns the file."""
        path = Path("results/simulated/association/precision.csv")
        path.parent.mkdir(parents=True)
        study()[1].to_csv(path, index=False)
        return path

    def test_clips_and_people_are_printed(self, capsys):
        assert main(["plan", "--r", ".2", "--power", ".8"]) == 0
        said = capsys.readouterr().out
        assert "power of 0.8, study 'simulated'" in said
        assert said.count("Find a pair with r = ±.20") == 2 and "Measure" not in said
        words = "plan --half-width .05 --emotion fear --trait openness".split()
        assert main(words) == 0
        said = capsys.readouterr().out
        assert said.count("chosen: fear with openness") == 3
        assert "Measure a pair to ±.05" in said

    @pytest.mark.parametrize(
        ("words", "message"),
        [
            (["--r", "0"], "r: 0 is not a correlation"),
            (["--r", "1"], "r: 1 is not a correlation"),
            (["--power", "1.2"], "power: 1.2 is not between 0 and 1"),
            (["--power", "0"], "power: 0 is not between 0 and 1"),
            (["--half-width", "-1"], "half width: -1 is not between 0 and 1"),
            (["--emotion", "joy"], "emotion: 'joy' is none of anger"),
        ],
    )
    def test_what_cannot_be_planned_is_refused(self, capsys, words, message):
        assert main(["plan", *words]) == 1
        assert message in capsys.readouterr().err

    def test_without_standard_errors_there_is_no_plan(self, precision, capsys):
        study()[1].head(0).to_csv(precision, index=False)
        assert main(["plan"]) == 1
        assert (
            "associations of this study are not identified" in capsys.readouterr().err
        )
        precision.unlink()
        assert main(["plan"]) == 1
        assert "run `dvc repro association` first" in capsys.readouterr().err


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").mkdir()
    assert main(["repro", "real"]) == 1
    said = capsys.readouterr().err
    assert said.startswith("sslmepr: ") and "params.yaml" in said


def test_confirm_is_of_the_first_study_with_models_of_this_code(monkeypatch, capsys):
    asked, stale = [], [{}]

    def confirmed(settings):
        asked.append(settings.study)
        if len(asked) > 2:
            raise CheckpointError("runs: no trained model")
        return len(asked) == 1

    monkeypatch.setattr("sslmepr.confirmation.confirm.confirm", confirmed)
    monkeypatch.setattr(
        "sslmepr.pipeline.parallel.stale_stages", lambda targets: stale[0]
    )
    assert main(["confirm"]) == 0
    assert "a new attempt" in capsys.readouterr().out
    assert main(["confirm"]) == 0
    assert "not counted" in capsys.readouterr().out
    assert main(["confirm"]) == 1
    assert "sslmepr: runs: no trained model" in capsys.readouterr().err
    stale[0] = {"unimodal@face-emotion": set(), "fusion@multitask": set()}
    assert main(["confirm"]) == 1
    assert "unimodal@face-emotion is out of date" in capsys.readouterr().err
    other = params.load().for_study("real").model_copy(update={"study": "real"})
    monkeypatch.setattr("sslmepr.params.load", lambda: other)
    assert main(["confirm"]) == 1
    assert "make repro STUDY=simulated" in capsys.readouterr().err
    assert asked == ["simulated"] * 3
