"""One attempt from its fingerprint to the record, on a small study."""

import shutil

import pandas as pd
import pytest
import yaml
from frozen_repository import commit, make_repository

from sslmepr.confirmation import attempts, confirm, people
from sslmepr.confirmation.confirm import FRESH, KNOWN, count_worlds
from sslmepr.confirmation.frozen import FrozenError, fingerprint, seed_of
from sslmepr.confirmation.plan import FILE, read_plan
from sslmepr.training.checkpoints import CheckpointError


@pytest.fixture
def project(trained, small_params, tmp_path, monkeypatch):
    """(repository, parameters, seeds of new people); these are those of the fixture."""
    data, runs, *_ = trained
    make_repository(tmp_path)
    plan = yaml.safe_load((tmp_path / FILE).read_text()) | {"worlds": 2, "features": 6}
    (tmp_path / FILE).write_text(yaml.safe_dump(plan))
    commit(tmp_path)
    changes = {"compute.workers": 1, "association.resamples": 50}
    for name in ("emotion", "personality", "joint"):
        changes |= {f"corpus.{name}.clips": 240, f"corpus.{name}.persons": 240}
    params = small_params.changed(changes, "test")
    params = params.model_copy(update={"studies": {params.study: {}}})
    (tmp_path / "data").symlink_to(data)
    (tmp_path / "runs").mkdir()
    shutil.copytree(runs, tmp_path / "runs" / params.study)
    seeds = []

    def meet(study, folder, progress):
        seeds.append(study.simulation.seed)
        shutil.copytree(data, folder, ignore=shutil.ignore_patterns("runs"))

    monkeypatch.setattr(people, "meet", meet)
    return tmp_path, params, seeds


def test_an_attempt_is_logged_kept_and_reproduced(project):
    root, params, seeds = project
    mark, folder = fingerprint(params, root), root / attempts.FOLDER
    assert confirm.confirm(params, root, progress=False)
    log = (folder / attempts.LOG).read_text()
    assert seeds == [seed_of(mark)]
    found = attempts.standing(folder, mark)
    assert found.current and found.number == 1
    assert len(found.tables["endpoints"]) == 6
    assert found.tables["recognition"]["people"].tolist() == 3 * [KNOWN] + 3 * [FRESH]
    # The new people are those of the fixture, whose scores are known.
    scores = found.tables["recognition"].groupby("people")["estimate"].agg(list)
    assert scores[KNOWN] == scores[FRESH]
    assert set(found.tables["worlds"]["condition"]) == {"planted", "unrelated"}
    assert not (root / "runs" / "confirm").exists()
    commit(root)
    assert not confirm.confirm(params, root, progress=False)
    assert (folder / attempts.LOG).read_text() == log
    other = pd.read_csv(folder / mark[:12] / "worlds.csv")
    other.assign(estimate=0.5).to_csv(folder / mark[:12] / "worlds.csv", index=False)
    with pytest.raises(FrozenError, match=r"worlds: not what attempt .* on record"):
        confirm.confirm(params, root, progress=False)


def test_other_code_is_another_attempt_and_the_first_stays(project):
    root, params, seeds = project
    confirm.confirm(params, root, progress=False)
    first = attempts.read_log(root / attempts.FOLDER)
    (root / "sslmepr/one.py").write_text("one = 2\n")
    commit(root)
    mark = fingerprint(params, root)
    assert not attempts.standing(root / attempts.FOLDER, mark).current
    assert confirm.confirm(params, root, progress=False)
    log = attempts.read_log(root / attempts.FOLDER)
    pd.testing.assert_frame_equal(log.iloc[:1], first)
    assert len(log) == len(set(seeds)) == 2


def test_an_attempt_that_was_broken_off_counts_and_goes_on(project, monkeypatch):
    root, params, _ = project
    with monkeypatch.context() as broken:
        broken.setattr(people, "meet", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            confirm.confirm(params, root, progress=False)
    log = attempts.read_log(root / attempts.FOLDER)
    assert len(log) == 1
    assert not confirm.confirm(params, root, progress=False)
    pd.testing.assert_frame_equal(attempts.read_log(root / attempts.FOLDER), log)
    mark = fingerprint(params, root)
    assert attempts.standing(root / attempts.FOLDER, mark).current


def test_nothing_is_entered_where_something_is_not_in_order(project):
    root, params, seeds = project
    (root / "sslmepr/one.py").write_text("one = 2\n")
    with pytest.raises(FrozenError, match=r"one\.py"):
        confirm.confirm(params, root, progress=False)
    commit(root)
    shutil.rmtree(root / "runs" / params.study / "fusion")
    with pytest.raises(CheckpointError, match="multitask"):
        confirm.confirm(params, root, progress=False)
    assert not (root / attempts.FOLDER).exists() and seeds == []


def test_worlds_are_summarised_and_judged(project):
    root, params, _ = project
    table = count_worlds(params, read_plan(root / FILE), progress=False)
    by = table.set_index(["condition", "metric"])
    assert (by["worlds"] == 2).all()
    assert by.loc[("unrelated", "largest_t_error"), "most"] == 0.05
    assert by.loc[("planted", "covers_planted"), ["least", "most"]].tolist() == [
        *(0.93, 0.98)
    ]
    assert (by.loc[[("planted", "rmse"), ("planted", "slope")], "verdict"] == "").all()
    assert by.loc[("planted", "covers_planted"), "verdict"] != ""
