"""How strongly corpora show things: exact factors, a jackknife, and coverage."""

import numpy as np
import pytest
from drawn_laws import EMOTIONS, MODALITIES, drawn, laws
from scipy.stats import binom

from sslmepr.association.cue_strength import COLUMNS, cue_strengths
from sslmepr.association.scores import Scores

NAMES = ["emotion", "personality", "other"]


def shown(law, emotion, trait):
    """Loadings of a corpus that shows emotions and traits that many times as much."""
    joint, *loadings = law
    times = np.where(np.arange(len(joint)) < EMOTIONS, emotion, trait)
    return joint, *(each * times for each in loadings)


def corpora(rng, clips, noise=0.7, emotion=0.8, trait=0.7, per_speaker=1):
    """Emotions are weaker in all corpora but the first, traits in all but the second.

    Without leaks, so that the factors are those of the covariances.
    """
    law = laws(np.random.default_rng(1), leak=0.0)
    settings = {"noise": noise, "per_speaker": per_speaker}
    first = drawn(rng, clips, *shown(law, 1, trait), **settings)[0]
    second = drawn(rng, clips, *shown(law, emotion, 1), **settings)[1]
    third = drawn(rng, clips, *shown(law, emotion, trait), **settings)[2]
    return [first, second, third]


def test_scores_that_are_scaled_have_exactly_that_strength():
    rng = np.random.default_rng(0)
    first, second, _ = drawn(rng, 300, *laws(rng))
    scaled = [
        each._replace(emotions=0.8 * one.emotions, traits=0.6 * one.traits)
        for one, each in ((first, first), (second, second))
    ]
    scaled = [each._replace(labels=None) for each in scaled]
    found = cue_strengths([first, second, *scaled], [*NAMES, "more"], 0.95)
    assert [*found.columns] == COLUMNS
    strength = found.set_index(["task", "corpus"])["cue_strength"]
    assert strength["emotion", "other"] == pytest.approx(0.8)
    assert strength["personality", "more"] == pytest.approx(0.6)
    assert (found["low"] < found["cue_strength"]).all() and len(found) == 6


def test_its_influence_is_that_of_a_jackknife():
    parts = corpora(np.random.default_rng(2), 120, per_speaker=6)
    logs = np.log(cue_strengths(parts, NAMES, 0.95)["cue_strength"].to_numpy())
    total = np.zeros(len(logs))
    for place, corpus in enumerate(parts):
        for name in np.unique(corpus.speakers):
            keep = corpus.speakers != name
            part = Scores(*(None if each is None else each[keep] for each in corpus))
            fewer = [*parts[:place], part, *parts[place + 1 :]]
            left = cue_strengths(fewer, NAMES, 0.95)["cue_strength"].to_numpy()
            total += (np.log(left) - logs) ** 2
    found = cue_strengths(parts, NAMES, 0.95)
    width = np.log(found["high"] / found["low"]).to_numpy() / (2 * 1.959964)
    np.testing.assert_allclose(width, np.sqrt(total), rtol=0.1)


def test_intervals_hold_the_factors_of_drawn_corpora():
    truth = {"emotion": 0.8, "personality": 0.7}
    covered, studies = 0, 30
    for seed in range(studies):
        parts = corpora(np.random.default_rng([3, seed]), 300)
        found = cue_strengths(parts, NAMES, 0.95)
        true = found["task"].map(truth)
        covered += ((found["low"] <= true) & (true <= found["high"])).sum()
    few, many = binom.interval(0.999, 4 * studies, 0.95)
    assert few - 5 <= covered <= many + 5  # those of a study are not independent


def test_without_pairs_of_different_sensors_it_says_why():
    first, second, third = corpora(np.random.default_rng(4), 100)
    camera = ["camera"] * MODALITIES
    one = [each._replace(sensors=camera) for each in (first, second, third)]
    found = cue_strengths(one, NAMES, 0.95)
    assert found["cue_strength"].isna().all() and (found["n"] == 0).all()
    assert found["reason"].str.contains("different sensors").all()
    turned = third._replace(emotions=third.emotions * np.array([1, -1, 1])[:, None])
    found = cue_strengths([first, second, turned], NAMES, 0.95)
    reasons = found.set_index(["task", "corpus"])["reason"]
    assert "too little in common" in reasons["emotion", "other"]
    assert reasons["personality", "other"] == ""
