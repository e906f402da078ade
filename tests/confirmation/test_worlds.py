"""Worlds that are drawn for a confirmation."""

import numpy as np
import pytest

from sslmepr.association.grid import CELLS
from sslmepr.confirmation import worlds
from sslmepr.confirmation.plan import Bounds, ConfirmationPlan
from sslmepr.confirmation.worlds import (
    PLANTED,
    UNRELATED,
    clips_per_person,
    draw_worlds,
    kind_of_world,
)
from sslmepr.simulation.raters import rated_association
from sslmepr.simulation.world import make_world
from sslmepr.trials.drawn import ROLES

PLAN = ConfirmationPlan(
    written="today", worlds=2, features=8, bounds={"slope": Bounds(most=1.0)}
)


def small(settings, workers):
    changes = {"compute.workers": workers, "association.resamples": 50}
    for name, clips in {"emotion": 120, "personality": 90, "joint": 60}.items():
        changes |= {f"corpus.{name}.clips": clips, f"corpus.{name}.persons": 60}
    return settings.changed(changes, "test")


@pytest.fixture(scope="module")
def cells(settings):
    return draw_worlds(small(settings, 1), PLAN, 7, progress=False)


def test_every_world_has_all_pairs_and_worlds_differ(cells):
    found = cells.groupby(["condition", "world"], sort=False).size()
    assert found.to_dict() == {
        (kind, number): len(CELLS)
        for kind in (PLANTED, UNRELATED)
        for number in range(2)
    }
    r = cells["recovered"].to_numpy().reshape(4, len(CELLS))
    assert len(np.unique(r, axis=0)) == 4
    assert (cells["error"] > 0).all() and cells["p_family"].between(0, 1).all()


def test_what_is_planted_is_the_studys_world_as_raters_see_it(cells, settings):
    world = make_world("planted", settings.simulation.worlds)
    expected = rated_association(world, settings.simulation.raters).ravel()
    planted = cells[cells["condition"] == PLANTED]["planted"].to_numpy()
    np.testing.assert_allclose(planted, np.tile(expected, 2))
    assert settings.simulation.raters.halo > 0


def test_nothing_is_planted_in_unrelated_worlds_though_raters_err(cells, settings):
    assert (cells[cells["condition"] == UNRELATED]["planted"] == 0).all()
    simulation, _ = kind_of_world(settings, UNRELATED)
    raters = settings.simulation.raters
    assert simulation.raters == raters.model_copy(update={"halo": 0.0})
    assert simulation.raters.noise_sd == raters.noise_sd > 0
    assert simulation.knobs == settings.simulation.knobs


def test_worlds_follow_from_the_seed_and_not_from_the_processes(cells, settings):
    again = draw_worlds(small(settings, 2), PLAN, 7, progress=False)
    np.testing.assert_array_equal(again["recovered"], cells["recovered"])
    other = draw_worlds(small(settings, 1), PLAN, 8, progress=False)
    assert not np.isclose(other["recovered"], cells["recovered"]).any()


def test_corpora_have_the_sizes_of_the_study(settings, monkeypatch):
    asked, real = [], worlds.draw_study

    def noted(*arguments):
        asked.append(real(*arguments))
        return asked[-1]

    monkeypatch.setattr(worlds, "draw_study", noted)
    one = PLAN.model_copy(update={"worlds": 1})
    draw_worlds(small(settings, 1), one, 7, progress=False)
    for study in asked:
        sizes = [len(study[role].speaker_ids) for role in ROLES]
        assert sizes == [120, 90, 60]
        assert len(set(study.emotion.speaker_ids)) == 60


def test_clips_of_a_person_are_the_mean_of_the_labelled_corpora(settings):
    changes = {"corpus.emotion.clips": 300, "corpus.emotion.persons": 100}
    changes |= {"corpus.personality.clips": 100, "corpus.personality.persons": 100}
    assert clips_per_person(settings.changed(changes, "test")) == 2
    changes |= {"corpus.emotion.clips": 100}
    assert clips_per_person(settings.changed(changes, "test")) == 1
