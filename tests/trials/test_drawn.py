from pathlib import Path

import numpy as np
import pytest

from sslmepr import params as parameters
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.world import WorldError, make_world
from sslmepr.trials.drawn import draw_study, signed_world

PARAMS = parameters.load(Path(__file__).parents[2] / "params.yaml")
SIMULATION = PARAMS.simulation
PLANTED = make_world("planted", SIMULATION.worlds)


def draw(clips=400, each=1, offset=0.0, seed=0, world=PLANTED, **changes):
    return draw_study(SIMULATION, world, clips, each, 16, offset, seed, **changes)


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


def test_a_signed_world_keeps_the_signs_only():
    world = signed_world(SIMULATION, "planted", 0.2)
    assert np.array_equal(np.sign(world.association), np.sign(PLANTED.association))
    assert set(np.abs(world.association).ravel().tolist()) == {0.0, 0.2}
    assert not signed_world(SIMULATION, "planted", 0.0).association.any()


def test_an_impossible_strength_is_an_error():
    with pytest.raises(WorldError, match="planted at 0.9: these associations are too"):
        signed_world(SIMULATION, "planted", 0.9)
