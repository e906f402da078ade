import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain import plain

from sslmepr.simulation.draw import draw_corpus, draw_text_only, split_persons
from sslmepr.simulation.knobs import domain_shift


def draw(name, settings):
    return draw_corpus(name, settings.corpus[name], settings)


def test_clips_of_a_person_share_traits_but_not_emotions(settings):
    drawn = draw("emotion", settings)
    emotions, traits = drawn.latents[:, :6], drawn.latents[:, 6:]
    first, second = np.flatnonzero(drawn.persons == 7)
    np.testing.assert_array_equal(traits[first], traits[second])
    assert np.abs(emotions[first] - emotions[second]).min() > 0
    assert drawn.splits[first] == drawn.splits[second]


def test_the_same_seed_draws_the_same_and_corpora_differ(settings):
    one, same = draw("emotion", settings), draw("emotion", settings)
    other = draw("personality", settings)
    np.testing.assert_array_equal(one.latents, same.latents)
    for channel, values in one.controls.items():
        np.testing.assert_array_equal(values, same.controls[channel])
    assert np.abs(one.latents - other.latents).min() > 0


def test_a_corpus_with_both_labels_is_for_testing_only(settings):
    drawn = draw("joint", settings)
    assert set(drawn.splits) == {"test"}
    assert set(drawn.domains) == {"monologue", "vlog"}
    assert set(draw("emotion", settings).domains) == {"monologue"}


def test_what_is_text_alone_is_drawn_by_the_laws_of_the_corpus(settings):
    corpus = settings.corpus["emotion"].model_copy(update={"text_only": 3000})
    many = corpus.model_copy(update={"clips": 3000, "persons": 2000})
    further = draw_text_only("further", corpus, settings)
    whole = draw_corpus("whole", many, settings)
    assert set(further.splits) == {"train"}
    persons = round(3000 * corpus.persons / corpus.clips)
    assert len(np.unique(further.persons)) == persons
    for channel, absent in further.circumstances.absent.items():
        assert absent.all() if channel != "text" else not absent.any()
        assert (further.controls[channel] == 0).all() == absent.all()
    there = ~whole.circumstances.absent["text"]
    drawn, expected = further.controls["text"][:, 0], whole.controls["text"][there, 0]
    error = expected.std(0) / np.sqrt(len(expected) / 2)
    assert (np.abs(drawn.mean(0) - expected.mean(0)) < 5 * error).all()
    np.testing.assert_allclose(drawn.std(0), expected.std(0), rtol=0.15)
    rates = [(each.labels.emotion > 0).mean(0) for each in (further, whole)]
    np.testing.assert_allclose(*rates, atol=5 * np.sqrt(0.5 / 3000))


def test_emotions_of_a_domain_have_its_mean(settings):
    settings = plain(settings)
    knobs = settings.simulation.knobs.model_copy(update={"offset": 1.0})
    simulation = settings.simulation.model_copy(update={"knobs": knobs})
    shifted = draw("joint", settings.model_copy(update={"simulation": simulation}))
    alike = draw("joint", settings)
    for domain in ("monologue", "vlog"):
        rows = alike.domains == domain
        moved = shifted.latents[rows] - alike.latents[rows]
        expected = np.tile(domain_shift(1.0, domain), (rows.sum(), 1))
        np.testing.assert_allclose(moved, expected, atol=1e-12)
    face, scale = shifted.channels["face"], 1.0
    turned = face.in_domain("monologue", scale)
    rows = shifted.domains == "monologue"
    noise = shifted.controls["face"][rows, 0] - turned.offset
    noise -= shifted.latents[rows] @ np.hstack([turned.first, turned.traits]).T
    expected = alike.controls["face"][rows, 0] - alike.channels["face"].offset(
        "monologue"
    )
    expected -= alike.latents[rows] @ alike.channels["face"].loadings(scale).T
    np.testing.assert_allclose(noise, expected, atol=1e-9)


def test_controls_are_those_of_their_domain(settings):
    settings = plain(settings)
    drawn = draw("joint", settings)
    for name, channel in drawn.channels.items():
        for domain in ("monologue", "vlog"):
            rows = drawn.domains == domain
            scale = settings.simulation.domains[domain].emotion_scale
            noise = drawn.controls[name][rows, 0] - channel.offset(domain)
            noise -= drawn.latents[rows] @ channel.loadings(scale).T
            assert noise.mean() == pytest.approx(0, abs=0.1)
            assert noise.std() == pytest.approx(1, abs=0.1)


@settings(max_examples=30, deadline=None)
@given(st.integers(3, 400), st.floats(0.01, 0.9), st.floats(0.01, 0.9))
def test_every_split_gets_someone_and_nobody_is_lost(count, train, dev):
    shares = {"train": train, "dev": dev, "test": 0.15}
    splits = split_persons(count, shares, np.random.default_rng(0))
    assert len(splits) == count
    assert set(splits) == {"train", "dev", "test"}


def test_splits_have_the_size_of_their_share():
    shares = {"train": 0.7, "dev": 0.15, "test": 0.15}
    splits = split_persons(240, shares, np.random.default_rng(0)).tolist()
    assert [splits.count(name) for name in shares] == [168, 36, 36]
    assert set(split_persons(5, {"test": 1.0}, np.random.default_rng(0))) == {"test"}
