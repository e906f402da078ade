import numpy as np
import pandas as pd
import pytest

from sslmepr.association.cross_source import cross_source
from sslmepr.association.disjoint_modalities import disjoint_tables
from sslmepr.association.grid import CELLS
from sslmepr.association.label_noise import reliability_of
from sslmepr.association.prediction_powered import combined, prediction_powered
from sslmepr.association.probe_scores import scores_of
from sslmepr.association.sources import BRIDGED, COMBINED, CROSS, DISJOINT, UNSCALED
from sslmepr.labels import EMOTIONS, MODALITIES, SCORED_EMOTIONS, TRAITS
from sslmepr.params.simulation import Knobs, Raters
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.raters import rated_association
from sslmepr.simulation.world import WorldError
from sslmepr.training.probes import Linear
from sslmepr.trials import power
from sslmepr.trials.drawn import signed_world
from sslmepr.trials.params import Condition, Power
from sslmepr.trials.power import GROUP, draw_condition, try_power

RATERS = Raters(count=2, halo=0.3, noise_sd=0.5)
TINY = Power(
    world="planted",
    features=8,
    null_worlds=3,
    worlds=2,
    conditions={
        "plain": Condition(clips=100, disjoint=True),
        "rich": Condition(clips=110, knobs=Knobs(missing=0.4), raters=RATERS),
    },
)


def small(settings, workers=2):
    return settings.model_copy(
        update={
            "compute": settings.compute.model_copy(update={"workers": workers}),
            "association": settings.association.model_copy(update={"resamples": 50}),
        }
    )


@pytest.fixture(scope="module")
def cells(settings):
    return try_power(small(settings), TINY, progress=False)


def test_every_world_of_a_condition_has_all_cells(cells):
    found = cells.groupby([*GROUP, "world"], sort=False).size()
    assert (found == len(CELLS)).all()
    worlds = found.groupby(GROUP, sort=False).size()
    assert worlds.to_dict() == {
        (CROSS, "plain", 0.0): 3,
        (DISJOINT, "plain", 0.0): 3,
        (CROSS, "plain", 0.3): 2,
        (DISJOINT, "plain", 0.3): 2,
        (CROSS, "rich", 0.0): 3,
        (CROSS, "rich", 0.3): 2,
    }


def test_what_is_planted_are_associations_of_the_labels(cells, settings):
    plain = cells[cells["condition"] == "plain"].groupby("strength")["planted"]
    assert plain.agg(lambda r: sorted(set(abs(r)))).to_dict() == {
        0.0: [0.0],
        0.3: [0.0, 0.3],
    }
    rich = cells[(cells["condition"] == "rich") & (cells["strength"] == 0)]
    expected = rated_association(signed_world(settings.simulation, "none", 0), RATERS)
    np.testing.assert_allclose(rich["planted"].iloc[:30], expected.ravel())


def test_errors_belong_to_three_sources_alone(cells):
    mine = cells["source"] == CROSS
    assert (cells.loc[mine, "error"] > 0).all()
    assert cells.loc[mine, "p_family"].between(0, 1).all()
    assert cells.loc[~mine, ["error", "p_family"]].isna().all(axis=None)


def test_clips_with_both_labels_give_what_the_estimators_give(settings):
    params = small(settings)
    kind = Condition(clips=120, strengths=[0.3], bridge=60)
    section = TINY.model_copy(update={"conditions": {"a": kind}, "worlds": 1})
    cells = try_power(params, section, progress=False)
    assert list(dict.fromkeys(cells["source"])) == [CROSS, BRIDGED, COMBINED]
    key = np.random.SeedSequence([params.seed, 0, 300_000, 0])
    seed = int(key.generate_state(1)[0])
    study = draw_condition(params, section, kind, 0.3, seed)
    scores = power.probe_scores(study)
    labels = np.full((120, 11), np.nan)
    labels[:60, :6] = study.held_out.emotions[:60, 1:]
    labels[:60, 6:] = study.held_out.traits[:60]
    expected = {CROSS: cross_source(*scores[:2], scores[2:])}
    expected[BRIDGED] = prediction_powered(scores, labels)
    expected[COMBINED] = combined(*expected.values())
    for source, estimate in expected.items():
        mine = cells[cells["source"] == source]
        np.testing.assert_allclose(mine["recovered"], estimate.associations.ravel())
        np.testing.assert_allclose(mine["error"], estimate.error.ravel())
    alone = kind.model_copy(update={"bridge": 0})
    section = section.model_copy(update={"conditions": {"a": alone}})
    without = try_power(params, section, progress=False)
    pd.testing.assert_frame_equal(
        without, cells[cells["source"] == CROSS], check_exact=True
    )


def test_reliability_and_scales_are_used_where_a_condition_says_so(settings):
    params, raters = small(settings), Raters(count=1, halo=0, noise_sd=0.3)
    scaled = Condition(clips=110, raters=raters, unscaled=True)
    told = scaled.model_copy(update={"unscaled": False, "known_reliability": True})
    section = TINY.model_copy(update={"conditions": {"a": scaled}, "worlds": 1})
    same = section.model_copy(update={"conditions": {"a": told}})
    first, second = (
        try_power(params, each, progress=False) for each in (section, same)
    )
    study = draw_condition(params, section, scaled, 0.3, _seed(params, 0.3))
    scores = power.probe_scores(study)
    known = reliability_of(signed_world(params.simulation, "planted", 0.3), raters)
    expected = {
        CROSS: cross_source(*scores[:2], scores[2:]),
        "told": cross_source(*scores[:2], scores[2:], reliability=known),
    }
    expected[UNSCALED] = cross_source(*scores[:2], scores[2:], scaled=False)
    for source, of in ((CROSS, first), (UNSCALED, first), ("told", second)):
        rows = of[(of["strength"] == 0.3) & (of["world"] == 0)]
        rows = rows[rows["source"] == (CROSS if source == "told" else source)]
        np.testing.assert_allclose(
            rows["recovered"], expected[source].associations.ravel(), rtol=1e-8
        )


def _seed(params, strength):
    key = [params.seed, 0, round(1e6 * strength), 0]
    return int(np.random.SeedSequence(key).generate_state(1)[0])


def test_reliability_is_that_of_raters():
    with pytest.raises(ValueError, match="known_reliability: there are no raters"):
        Condition(clips=100, known_reliability=True)


def test_a_bridge_is_no_larger_than_its_corpus():
    with pytest.raises(ValueError, match="bridge 200: more than 100 clips"):
        Condition(clips=100, bridge=200)


def test_worlds_differ(cells):
    r = cells.pivot_table(
        index=["emotion", "trait"], columns=[*GROUP, "world"], values="recovered"
    )
    assert r.T.drop_duplicates().shape[0] == r.shape[1]


def test_the_number_of_processes_changes_nothing(cells, settings):
    again = try_power(small(settings, workers=1), TINY, progress=False)
    pd.testing.assert_frame_equal(cells, again, check_exact=True)


def test_impossible_worlds_are_an_error(settings):
    strong = TINY.model_copy(update={"conditions": {"a": Condition(strengths=[0.9])}})
    with pytest.raises(WorldError, match="planted at 0.9"):
        try_power(small(settings, 1), strong, progress=False)


def test_cues_make_a_corpus_show_less(settings):
    """By as much as the axes of emotions say, and nothing else is drawn anew."""
    params = small(settings)
    plain, weak = (
        draw_condition(params, TINY, Condition(clips=40, cues=cues), 0.3, 2)
        for cues in ({}, {"personality": {"emotion": 0.5}})
    )
    for role in ("emotion", "held_out"):
        for name in MODALITIES:
            np.testing.assert_array_equal(
                plain[role].features[name], weak[role].features[name]
            )
    axes = make_channels(params.simulation)["face"].emotion_axes
    shown = [each.personality.controls["face"].mean(1) for each in (plain, weak)]
    emotions = plain.personality.latents[:, : len(SCORED_EMOTIONS)]
    np.testing.assert_allclose(shown[0] - shown[1], 0.5 * emotions @ axes.T, atol=1e-9)


def test_crops_of_one_picture_show_parts_of_each_other(settings):
    params = small(settings)
    plain, mixed = (
        draw_condition(params, TINY, Condition(clips=80, one_picture=dose), 0.3, 3)
        for dose in (0.0, 0.5)
    )
    for name in ("audio", "text"):
        np.testing.assert_array_equal(
            plain.emotion.features[name], mixed.emotion.features[name]
        )
    features = plain.emotion.features
    parts = np.hstack([features[name] for name in ("face", "body", "scene")])
    for given, exact in ((features["face"], False), (parts, True)):
        given = np.column_stack([given, np.ones(len(given))])
        _, left, *_ = np.linalg.lstsq(given, mixed.emotion.features["face"])
        assert (left.max() < 1e-6) == exact


def test_three_sources_are_those_of_all_three_corpora(settings):
    params = small(settings)
    study = draw_condition(params, TINY, TINY.conditions["rich"], 0.3, 5)
    roles = (study.emotion, study.personality, study.held_out)
    scores = scores_of(
        {name: [each.features[name] for each in roles] for name in MODALITIES},
        [np.column_stack([each.present[n] for n in MODALITIES]) for each in roles],
        [study.emotion.emotions[:, 1:] > 0, study.personality.traits],
        [each.speaker_ids for each in roles],
    )
    expected = cross_source(*scores[:2], scores[2:])
    found = power.from_three_sources(params, study)
    np.testing.assert_allclose(found["r"], expected.associations.ravel())
    np.testing.assert_allclose(found["error"], expected.error.ravel())


def test_disjoint_modalities_are_those_of_the_pipeline(settings, monkeypatch):
    """Against regressions fitted here, and the tables made from predictions."""
    params = small(settings)
    study = draw_condition(params, TINY, TINY.conditions["plain"], 0.3, 0)
    unseen, parts = study.held_out, []
    for modality in MODALITIES:
        logits = []
        for task in ("emotion", "personality"):
            source, features = study[task], study[task].features[modality]
            true = source.emotions if task == "emotion" else source.traits
            train, dev = source.split == "train", source.split == "dev"
            model = Linear(task, features[train], true[train], features[dev], true[dev])
            weights, bias = model.probe()
            logits.append(unseen.features[modality] @ weights.T + bias)
        wide = pd.DataFrame(
            1 / (1 + np.exp(-np.hstack(logits))), columns=[*EMOTIONS, *TRAITS]
        )
        long = wide.assign(clip_id=unseen.clip_ids).melt(
            "clip_id", var_name="target", value_name="predicted"
        )
        parts.append(long.assign(stage="crosstask", modality=modality, split="test"))
    none = pd.DataFrame(
        columns=["modality", "clip_id", "refit", *SCORED_EMOTIONS, *TRAITS]
    )
    speakers = pd.Series(unseen.speaker_ids, unseen.clip_ids)
    expected = disjoint_tables(pd.concat(parts), none, speakers).table
    taken = {}
    kept = power.association

    def association(table, *rest, **more):
        taken["table"] = table
        return kept(table, *rest, **more)

    monkeypatch.setattr(power, "association", association)
    power.from_disjoint_modalities(params, study)
    mine, values = taken["table"], list(expected.columns[2:])
    names = ["clip_id", "speaker_id"]
    assert mine[names].equals(expected[names])
    assert mine[values].to_numpy() == pytest.approx(
        expected[values].to_numpy(), abs=1e-6
    )
