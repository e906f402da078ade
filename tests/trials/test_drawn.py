from pathlib import Path

import numpy as np
import pytest
from plain import plain

from sslmepr import params as parameters
from sslmepr.params.simulation import Knobs, Raters
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.knobs import domain_shift
from sslmepr.simulation.world import WorldError, make_world
from sslmepr.trials.drawn import draw_study, signed_world, with_doses
from sslmepr.trials.labelling import (
    PANEL,
    Labelling,
    imbalanced,
    scarce,
    worse_raters,
)

PARAMS = plain(parameters.load(Path(__file__).parents[2] / "params.yaml"))
SIMULATION = PARAMS.simulation
PLANTED = make_world("planted", SIMULATION.worlds)


MOVING = ("face", "body", "audio")


def draw(
    clips=400,
    each=1,
    offset=0.0,
    seed=0,
    world=PLANTED,
    features=16,
    labelling=None,
    **knobs,
):
    simulation = SIMULATION.model_copy(update={"knobs": Knobs(**knobs)})
    return draw_study(simulation, world, clips, each, features, offset, seed, labelling)


def test_clips_and_their_splits():
    study = draw(clips=200, each=4)
    for role in ("emotion", "personality", "held_out"):
        corpus = study[role]
        assert len(set(corpus.clip_ids)) == 200 and len(set(corpus.speaker_ids)) == 50
        assert {each.shape for each in corpus.features.values()} == {(200, 16)}
        by_speaker = {}
        for name, split in zip(corpus.speaker_ids, corpus.split, strict=True):
            by_speaker.setdefault(name, set()).add(split)
        assert all(len(splits) == 1 for splits in by_speaker.values())
    assert (study.held_out.split == "test").all()
    shares = [np.mean(study.emotion.split == s) for s in ("train", "dev", "test")]
    assert shares == pytest.approx([0.7, 0.15, 0.15], abs=0.02)


def test_clips_of_a_speaker_have_the_traits_of_that_speaker():
    corpus = draw(clips=40, each=4).emotion
    assert np.ptp(corpus.latents[:4, 6:], axis=0).max() == 0
    assert np.ptp(corpus.latents[:4, :6], axis=0).min() > 0
    assert np.ptp(corpus.latents[3:5, 6:], axis=0).min() > 0


def test_latents_are_associated_as_planted():
    latents = draw(clips=20_000).held_out.latents
    found = np.corrcoef(latents.T)[:6, 6:]
    assert found == pytest.approx(PLANTED.association, abs=0.03)
    assert latents.std(0) == pytest.approx(1, abs=0.03)


def test_labels_follow_from_latents():
    corpus = draw(clips=300).personality
    shown = corpus.emotions[:, 1:] > 0
    assert np.array_equal(shown, corpus.latents[:, :6] > SIMULATION.emotion_threshold)
    assert np.array_equal(corpus.emotions[:, 0] > 0, ~shown.any(1))
    expected = np.clip(0.5 + SIMULATION.trait_scale * corpus.latents[:, 6:], 0, 1)
    assert corpus.traits == pytest.approx(expected)


def test_each_corpus_is_standardised_by_its_training_clips():
    study = draw(offset=1.0).standardised()
    for corpus in (study.emotion, study.held_out):
        train = corpus.split == "train"
        rows = train if train.any() else slice(None)
        for values in corpus.features.values():
            assert values.dtype == np.float32
            assert values[rows].mean(0) == pytest.approx(0, abs=1e-5)
            assert values[rows].std(0) == pytest.approx(1, abs=1e-4)


def test_an_offset_shifts_controls_by_its_root_mean_square():
    """Seen through the map, which the same seed draws again."""
    near, far = (draw(offset=o) for o in (0.0, 2.0))
    rng = np.random.default_rng(0)
    for name, channel in make_channels(SIMULATION).items():
        count = len(channel.controls)
        seen = rng.standard_normal((count + 12, 16)) / np.sqrt(count + 12)
        moved = far.emotion.features[name] - near.emotion.features[name]
        assert np.ptp(moved, axis=0).max() < 1e-4  # the same for all clips
        if count <= 16:
            shift = np.linalg.lstsq(seen[:count].T, moved[0], rcond=None)[0]
            assert (shift**2).mean() == pytest.approx(4, rel=1e-3)


def test_the_same_seed_draws_the_same():
    first, again, other = draw(seed=1), draw(seed=1), draw(seed=2)
    face = [each.emotion.features["face"] for each in (first, again, other)]
    assert np.array_equal(face[0], face[1]) and not np.allclose(face[0], face[2])


def test_numbers_are_those_from_before_there_were_scarce_labels(pytestconfig):
    study = draw_study(SIMULATION, PLANTED, 50, 1, 16, 0.5, 0)
    exact = 1e-9 if pytestconfig.getoption("noise") is None else 1e-3
    found = [study.emotion.features[name].sum() for name in ("face", "text")]
    assert found == pytest.approx([136.6669296175993, 23.99271522941965], abs=exact)
    assert study.held_out.emotions.sum() == pytest.approx(29.22015964101888, abs=1e-9)
    assert study.held_out.traits.sum() == pytest.approx(126.68048603304523, abs=1e-9)
    assert study.emotion.labelled.all() and study.held_out.labelled.all()


def test_scarce_labels_are_few_beside_many_clips_without():
    for dose, count in ((0, 2000), (0.5, 340), (1, 100), (0.75, round(34000**0.5))):
        found = scarce(dose, 0.7)
        assert set(found.clips.values()) == {round(np.round(count) / 0.7)}
        assert found.unlabelled["emotion"] == pytest.approx(10 * count, abs=10)
    study = draw(clips=60, labelling=scarce(1, 0.7))
    assert len(study.held_out.split) == 60
    for corpus in (study.emotion, study.personality):
        assert len(corpus.split) == len(set(corpus.speaker_ids)) == 1143
        assert not corpus.labelled[143:].any() and corpus.labelled[:143].all()
        assert set(corpus.split[143:]) == {"train"}
        assert (corpus.split[:143] == "train").sum() == 100


def test_one_task_has_fewer_and_worse_labels():
    study = draw(clips=2000, labelling=imbalanced(1, 2000))
    assert len(study.emotion.split) == 10 * len(study.personality.split) == 2000
    np.testing.assert_array_equal(study.emotion.rated, study.emotion.latents)
    np.testing.assert_array_equal(study.held_out.rated, study.held_out.latents)
    more = draw(
        clips=200,
        labelling=Labelling({"personality": 20_000}, {}, {"personality": 5.0}),
    )
    error = (more.personality.rated - more.personality.latents)[:, 6:]
    panel = PANEL.noise_sd / np.sqrt(PANEL.count)
    assert error.std() == pytest.approx(panel * np.sqrt(24), rel=0.02)
    same = draw(labelling=imbalanced(0, 400)).personality
    np.testing.assert_array_equal(same.traits, draw().personality.traits)


def test_worse_raters_have_as_many_times_the_noise():
    own = Raters(count=7, halo=0.3, noise_sd=0.5)
    assert worse_raters(own, 5.0) == Raters(count=7, halo=0.3, noise_sd=2.5)
    assert worse_raters(own, 1.0) == own and worse_raters(None, 1.0) is None
    none = worse_raters(None, 1.0001)
    assert none.count == 5 and none.noise_sd < 0.01


def test_labels_of_a_study_are_from_its_raters():
    raters = Raters(count=5, halo=0.0, noise_sd=1.0)
    simulation = SIMULATION.model_copy(update={"raters": raters})
    study = draw_study(simulation, PLANTED, 4000, 1, 4, 0.0, 0)
    for role in ("emotion", "personality", "held_out"):
        corpus = study[role]
        error = (corpus.rated - corpus.latents)[:, 6:].std()
        assert error == pytest.approx(5**-0.5, rel=0.03)
        expected = np.clip(0.5 + 0.15 * corpus.rated[:, 6:], 0, 1)
        assert corpus.traits == pytest.approx(expected)


def test_corpora_are_domains_that_differ_in_their_emotions():
    knobs = Knobs(offset=1.0)
    simulation = SIMULATION.model_copy(update={"knobs": knobs})
    study = draw_study(simulation, PLANTED, 20_000, 1, 4, 0.0, 0)
    for role in ("emotion", "personality", "held_out"):
        found = study[role].latents.mean(0)
        assert found == pytest.approx(domain_shift(1.0, role), abs=0.04)


@pytest.mark.parametrize("knobs", [{}, {"burst": 0.5}, {"order": 1.0, "missing": 0.5}])
def test_features_are_the_means_of_sequences(knobs):
    corpus = draw(clips=60, **knobs).emotion
    for name, values in corpus.sequences.items():
        moves = name in MOVING and ("burst" in knobs or "order" in knobs)
        assert values.shape == (60, SIMULATION.cue_frames if moves else 1, 16)
        assert values.mean(1) == pytest.approx(corpus.features[name], abs=1e-9)
        assert not values[~corpus.present[name]].any()


def test_steps_vary_by_the_root_of_their_number():
    """All of a clip's variance over steps but that of its emotions: noise, nuisances
    and noise of controls, whose means have the variance of a single step's over L."""
    corpus = draw(clips=3000, features=40, burst=1e-9).emotion
    shape = SIMULATION.cue_frames
    rng = np.random.default_rng(0)
    for name, channel in make_channels(SIMULATION).items():
        count = len(channel.controls)
        seen = rng.standard_normal((count + 15, 40)) / np.sqrt(count + 15)
        if name in MOVING:
            expected = (seen[:count] ** 2).sum(0) + 4 * (seen[count:-3] ** 2).sum(0) + 1
            within = corpus.sequences[name].var(1, ddof=1).mean(0) / shape
            assert within == pytest.approx(expected, rel=0.06)


def test_the_slope_has_at_dose_1_of_order_what_the_mean_has_at_dose_0():
    """The share of variance of latent emotions that least squares explain."""
    # Next to dose 0, for the same map from controls to features as at dose 1.
    still, moving = (draw(clips=4000, order=dose).emotion for dose in (1e-9, 1.0))
    steps = SIMULATION.cue_frames
    time = np.arange(steps) - (steps - 1) / 2
    for name in MOVING:
        slope = np.tensordot(moving.sequences[name], time / time.std(), (1, 0)) / steps
        found = [
            _explained(values, corpus.latents[:, :6])
            for corpus, values in (
                (still, still.features[name]),
                (moving, slope),
                (moving, moving.features[name]),
            )
        ]
        assert found[1] == pytest.approx(found[0], abs=0.03)
        assert found[2] < 0.5 * found[0]


def _explained(features, latents):
    design = np.column_stack([np.ones(len(features)), features])
    rest = latents - design @ np.linalg.lstsq(design, latents, rcond=None)[0]
    return 1 - rest.var() / latents.var()


def test_sequences_are_standardised_over_steps():
    corpus = draw(order=0.5).standardised().emotion
    known = corpus.sequences["face"][corpus.split == "train"].reshape(-1, 16)
    assert known.dtype == np.float32
    assert known.mean(0) == pytest.approx(0, abs=1e-5)
    assert known.std(0) == pytest.approx(1, abs=1e-4)


def test_a_signed_world_keeps_the_signs_only():
    world = signed_world(SIMULATION, "planted", 0.2)
    assert np.array_equal(np.sign(world.association), np.sign(PLANTED.association))
    assert set(np.abs(world.association).ravel().tolist()) == {0.0, 0.2}
    assert not signed_world(SIMULATION, "planted", 0.0).association.any()


def test_an_impossible_strength_is_an_error():
    with pytest.raises(WorldError, match="planted at 0.9: these associations are too"):
        signed_world(SIMULATION, "planted", 0.9)


def test_a_world_of_some_doses_has_no_others_and_no_raters():
    mild = SIMULATION.model_copy(
        update={"knobs": Knobs(burst=0.7), "raters": PANEL, "seed": 5}
    )
    found = with_doses(mild, order=0.5)
    assert found.knobs == Knobs(order=0.5) and found.raters is None and found.seed == 5
