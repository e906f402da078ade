import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import Ridge

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.simulation.phrases import OPENERS, PHRASES, TOPICS
from sslmepr.simulation.words import TEXT_CONTROLS, compose, said, transcript


def clauses_of(name, level):
    return PHRASES[name][level]


def test_every_latent_has_words_for_both_directions_and_strengths():
    assert tuple(PHRASES) == (*SCORED_EMOTIONS, *TRAITS) == TEXT_CONTROLS
    clauses = [
        clause
        for levels in PHRASES.values()
        for level in (-2, -1, 1, 2)
        for clause in levels[level]
    ]
    assert len(clauses) == len(set(clauses))
    assert all(2 <= len(clause.split()) <= 6 for clause in clauses)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(-4, 4), min_size=11, max_size=11),
    st.sampled_from(["monologue", "vlog", "elsewhere"]),
    st.integers(0, 1000),
)
def test_sentences_fit_into_a_clip(controls, domain, seed):
    phrases = compose(np.array(controls), domain, seed)
    assert 8 <= len(" ".join(phrases).split()) <= 13
    assert phrases == compose(np.array(controls), domain, seed)


def test_the_three_largest_deviations_are_said():
    controls = np.array(
        [[0.1, -1.5, 0.5, 0.9, 0, -0.6, 1.4, 0.2, 0, 0, 0], np.zeros(11)]
    )
    assert said(controls).tolist() == [[0, -2, 0, 1, 0, 0, 2, 0, 0, 0, 0], [0] * 11]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-4, 4), min_size=11, max_size=11), st.integers(0, 1000))
def test_all_that_is_said_has_room(controls, seed):
    sentence = transcript(compose(np.array(controls), "vlog", seed)).lower()
    for name, level in zip(TEXT_CONTROLS, said(np.array(controls)), strict=True):
        told = [
            strength
            for strength, clauses in PHRASES[name].items()
            if any(clause.lower() in sentence for clause in clauses)
        ]
        assert told == ([level] if level else [])


@pytest.mark.parametrize("name", TEXT_CONTROLS)
@pytest.mark.parametrize(("value", "level"), [(2, 2), (1, 1), (-1, -1), (-2, -2)])
def test_a_deviation_is_put_into_words(name, value, level):
    controls = np.zeros(11)
    controls[TEXT_CONTROLS.index(name)] = value
    sentence = transcript(compose(controls, "vlog", 3)).lower()
    assert any(clause.lower() in sentence for clause in clauses_of(name, level))


def test_nothing_to_say_is_said_about_the_topics_of_the_domain():
    sentence = transcript(compose(np.zeros(11), "monologue", 3))
    assert sum(topic in sentence for topic in TOPICS["monologue"]) >= 1
    assert not any(opener in sentence for opener in ("Hey guys", "Hi everyone"))
    assert set(OPENERS) == set(TOPICS)


def test_a_transcript_is_a_sentence():
    assert (
        transcript(["so", "I am glad", "that is all"]) == "So, I am glad, that is all."
    )


@pytest.mark.parametrize("controls", [np.zeros(3), np.full(11, np.nan)])
def test_bad_controls_are_refused(controls):
    with pytest.raises(ValueError, match="11 finite controls"):
        compose(controls, "vlog", 0)


def test_words_tell_all_controls():
    controls = np.random.default_rng(0).standard_normal((1500, 11))
    sentences = [
        transcript(compose(row, "vlog", seed)) for seed, row in enumerate(controls)
    ]
    counts = CountVectorizer(ngram_range=(1, 3), min_df=3).fit_transform(sentences)
    predicted = Ridge(3.0).fit(counts[:1200], controls[:1200]).predict(counts[1200:])
    error = np.square(controls[1200:] - predicted).mean(axis=0)
    explained = 1 - error / controls[1200:].var(axis=0)
    assert explained.mean() > 0.45
    assert explained.min() > 0.3


def garbled(loss, seed=3):
    phrases = compose(np.array([2.0, *np.zeros(10)]), "vlog", seed)
    return phrases, transcript(phrases, loss, seed)


def test_a_clear_transcript_is_whole():
    phrases, written = garbled(0.0)
    assert written == transcript(phrases)


@pytest.mark.parametrize("loss", [0.25, 0.5, 1.0])
@pytest.mark.parametrize("seed", range(5))
def test_a_poor_transcript_keeps_the_clauses_that_mean_something(loss, seed):
    phrases, written = garbled(loss, seed)
    assert any(clause.lower() in written.lower() for clause in clauses_of("anger", 2))
    before = {word.strip(",.").lower() for word in transcript(phrases).split()}
    after = [word.strip(",.").lower() for word in written.split()]
    assert any(word not in before for word in after)
    assert len(after) - len(transcript(phrases).split()) == int(
        np.ceil(loss * (len(phrases) + 1))
    )
    assert written == garbled(loss, seed)[1]


def test_the_poorer_the_transcript_the_more_of_it_is_garbled():
    def strange(loss):
        pairs = [garbled(loss, seed) for seed in range(30)]
        return sum(
            word not in transcript(phrases).lower().split()
            for phrases, written in pairs
            for word in written.lower().split()
        )

    assert 0 == strange(0.0) < strange(0.25) < strange(0.5) < strange(1.0)
