from pathlib import Path

import pytest

from sslmepr import project


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository's folder; the working directory is its ``notebooks``."""
    (tmp_path / "notebooks").mkdir()
    (tmp_path / "studies.yaml").touch()
    monkeypatch.chdir(tmp_path / "notebooks")
    monkeypatch.delenv(project.STAGE, raising=False)
    return tmp_path


def test_the_nearest_folder_above_that_has_a_pipeline(repository):
    assert project.root() == repository
    assert project.root(repository) == repository
    inner = repository / "notebooks" / "inner"
    inner.mkdir()
    (inner / "studies.yaml").touch()
    assert project.root(inner) == inner


def test_outside_of_a_repository_is_an_error_that_says_what_to_do(repository):
    (repository / "studies.yaml").unlink()
    with pytest.raises(
        project.ProjectError, match=r"(?s)notebooks: .*studies\.yaml; open"
    ):
        project.enter()
    assert Path.cwd() == repository / "notebooks"


def test_by_hand_results_go_to_a_folder_of_their_own(repository, capsys):
    project.enter()
    assert Path.cwd() == repository
    assert str(repository / "runs" / "by-hand") in capsys.readouterr().out
    path = project.output("results", "simulated", "association")
    assert path == Path("runs/by-hand/results/simulated/association")
    assert path.parent.is_dir() and not path.exists()
    assert not (repository / "results").exists()


def test_a_stage_writes_to_the_repository_and_prints_nothing(
    repository, capsys, monkeypatch
):
    monkeypatch.setenv(project.STAGE, "association")
    monkeypatch.chdir(repository)
    project.enter()
    assert Path.cwd() == repository
    assert project.output("results", "x", "y.csv") == Path("results/x/y.csv")
    assert capsys.readouterr().out == ""
    assert [path.name for path in repository.rglob("*") if path.is_file()] == [
        "studies.yaml"
    ]
