"""The estimator against exact moments, a jackknife and many drawn studies."""

import numpy as np
import pytest
from drawn_laws import CUT, EMOTIONS, MODALITIES, TRAITS, drawn, laws
from scipy.stats import binom

from sslmepr.association.cross_source import cross_source
from sslmepr.association.influence_tests import intervals
from sslmepr.association.scores import IdentificationError, Scores


def test_influence_functions_are_those_of_a_jackknife():
    """To first order: what is left of it in small corpora is gone in large ones."""
    rng = np.random.default_rng(4)
    corpora = drawn(rng, 3000, *laws(rng), per_speaker=3)
    found = cross_source(*corpora[:2], corpora[2:])
    for place, corpus in enumerate(corpora):
        names = np.unique(corpus.speakers)
        deleted = []
        for name in names[:12]:
            keep = corpus.speakers != name
            part = Scores(*(None if each is None else each[keep] for each in corpus))
            fewer = [*corpora[:place], part, *corpora[place + 1 :]]
            deleted.append(cross_source(*fewer[:2], fewer[2:]).associations)
        change = found.associations - np.array(deleted)
        influence = found.influence[place][:12]
        slope = (change * influence).sum() / (influence**2).sum()
        assert slope == pytest.approx(1, abs=0.1)
        assert np.corrcoef(change.ravel(), influence.ravel())[0, 1] > 0.97


def test_without_leaks_and_noise_it_is_the_ordinary_correlation():
    """Scores that are the latents themselves, in two corpora of the same clips."""
    rng = np.random.default_rng(5)
    joint, *_ = laws(rng, 0.0)
    latents = rng.multivariate_normal(np.zeros(len(joint)), joint, 40_000)
    latents = (latents - latents.mean(0)) / latents.std(0)
    emotions, traits = latents[:, :EMOTIONS], latents[:, EMOTIONS:]
    every = np.ones((len(latents), 2), bool)
    speakers = np.arange(len(latents)).astype(str)
    both = [np.repeat(each[:, None], 2, 1) for each in (emotions, traits)]
    corpora = [
        Scores(*both, every, speakers, each) for each in (emotions > CUT, traits)
    ]
    found = cross_source(*corpora)
    expected = np.corrcoef(latents.T)[:EMOTIONS, EMOTIONS:]
    np.testing.assert_allclose(found.associations, expected, atol=0.02)


def test_intervals_cover_and_leaks_leave_no_bias():
    """Drawn studies: coverage of all cells together, and the mean of the estimates."""
    rng = np.random.default_rng(6)
    law = laws(rng)
    truth = law[0][:EMOTIONS, EMOTIONS:]
    studies, covered, estimates = 60, 0, []
    for _ in range(studies):
        corpora = drawn(rng, 300, *law)
        found = cross_source(*corpora[:2], corpora[2:])
        low, high, _ = intervals(found.associations, found.error, 0.95, 300)
        covered += ((low <= truth) & (truth <= high)).sum()
        estimates.append(found.associations)
    few, many = binom.interval(0.999, studies * truth.size, 0.95)
    assert few - 10 <= covered <= many + 10  # cells of a study are not independent
    deviation = np.std(estimates, 0) / np.sqrt(studies)
    assert (np.abs(np.mean(estimates, 0) - truth) < 4 * deviation).all()


def test_clips_with_a_single_modality_leave_no_bias_and_narrow_the_intervals():
    """Four times as many labelled clips of which only one modality is seen."""
    law = laws(np.random.default_rng(5))
    truth, estimates, errors = law[0][:EMOTIONS, EMOTIONS:], [], []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        corpora, further = drawn(rng, 400, *law), drawn(rng, 1600, *law)
        more = []
        for each, other in zip(corpora[:2], further, strict=False):
            single = np.zeros_like(other.present)
            single[:, -1] = True
            speakers = np.char.add("x", other.speakers)
            other = other._replace(present=single, speakers=speakers)
            both = zip(each, other, strict=True)
            more.append(Scores(*map(np.concatenate, [*both][:5])))
        found = [cross_source(*pair, corpora[2:]) for pair in (corpora[:2], more)]
        estimates.append(found[1].associations)
        errors.append([each.error for each in found])
    few, many = np.mean(errors, 0)
    assert (many < few).all()
    deviation = np.std(estimates, 0)
    error = np.abs(np.mean(estimates, 0) - truth)
    assert (error < 4 * deviation / np.sqrt(len(estimates))).all()
    np.testing.assert_allclose(many, deviation, rtol=0.5)


def test_emotions_that_never_meet_leave_finite_associations():
    rng = np.random.default_rng(11)
    emotion, personality, other = drawn(rng, 90, *laws(rng))
    labels = emotion.labels.copy()
    labels[:, 1] &= ~labels[:, 0]
    found = cross_source(emotion._replace(labels=labels), personality, [other])
    assert np.isfinite(found.associations).all()
    assert (found.error > 0).all() and np.isfinite(found.error).all()


def test_what_is_not_identified_is_refused():
    rng = np.random.default_rng(8)
    emotion, personality, other = drawn(rng, 80, *laws(rng))
    alone = np.eye(MODALITIES, dtype=bool)[np.zeros(80, int)]
    single = [each._replace(present=alone) for each in (emotion, personality, other)]
    with pytest.raises(IdentificationError, match="no two modalities"):
        cross_source(*single[:2], single[2:])
    never = emotion._replace(labels=np.zeros((80, EMOTIONS)))
    with pytest.raises(IdentificationError, match="in all clips or in none"):
        cross_source(never, personality)
    alike = personality._replace(labels=np.ones((80, TRAITS)))
    with pytest.raises(IdentificationError, match="the same in all clips"):
        cross_source(emotion, alike)


def test_absent_scores_are_never_read():
    rng = np.random.default_rng(9)
    corpora = drawn(rng, 120, *laws(rng))
    spoiled = [
        each._replace(
            emotions=np.where(each.present[..., None], each.emotions, np.nan),
            traits=np.where(each.present[..., None], each.traits, np.inf),
        )
        for each in corpora
    ]
    found = cross_source(*corpora[:2], corpora[2:])
    again = cross_source(*spoiled[:2], spoiled[2:])
    np.testing.assert_array_equal(found.associations, again.associations)
    np.testing.assert_array_equal(found.error, again.error)


def test_pairs_of_one_recording_are_left_out():
    """Two cameras, one microphone: what only cameras have in common is not read."""
    rng = np.random.default_rng(11)
    emotion, personality, other = drawn(rng, 120, *laws(rng))
    two = other._replace(present=np.tile([True, True, False], (120, 1)))
    traits = two.traits.copy()
    traits[:, 1] = traits[::-1, 1]
    mixed = two._replace(traits=traits)
    recorded = ("camera", "camera", "microphone")
    by_default, apart = (
        [
            cross_source(
                emotion._replace(sensors=names), personality, [each]
            ).associations
            for each in (two, mixed)
        ]
        for names in (None, recorded)
    )
    np.testing.assert_allclose(apart[0], apart[1], atol=1e-9)
    assert np.abs(by_default[0] - by_default[1]).max() > 1e-3
    with pytest.raises(IdentificationError, match="no two modalities"):
        cross_source(emotion._replace(sensors=("camera",) * 3), personality, [other])


def test_a_corpus_that_is_not_counted_changes_nothing():
    """But the unit of the scores, to which copies contribute what there was before."""
    rng = np.random.default_rng(12)
    emotion, personality, other = drawn(rng, 120, *laws(rng))
    found = cross_source(emotion, personality)
    copies = [each._replace(labels=None) for each in (emotion, personality)]
    again = cross_source(
        emotion, personality, copies, counted=(True, True, False, False)
    )
    np.testing.assert_allclose(again.associations, found.associations, atol=1e-9)
    np.testing.assert_allclose(again.error, found.error, atol=1e-9)
    assert not again.influence[2].any() and not again.influence[3].any()
    alone = cross_source(emotion, personality, [other], counted=(False, False, True))
    assert np.abs(alone.associations - found.associations).max() > 1e-3


def categories(rng, count, labels):
    """Clips with one of four emotions or none, and traits that depend on which."""
    shown = rng.choice(5, count, p=[0.15, 0.2, 0.1, 0.25, 0.3])
    emotions = np.eye(5)[shown][:, :4]
    likes = np.array([[0.6, -0.3], [0.0, 0.5], [-0.8, 0.1], [0.2, 0.2]])
    traits = emotions @ likes + rng.standard_normal((count, 2)) @ [[1, 0.4], [0, 0.8]]
    every = np.hstack([emotions, traits])
    law = np.random.default_rng(0)
    scores = np.stack([every @ law.standard_normal((6, 6)) for _ in range(2)], 1)
    scores += 0.5 * rng.standard_normal(scores.shape)
    own = {"emotion": emotions, "personality": traits}.get(labels)
    speakers = np.arange(count).astype(str)
    present = np.ones((count, 2), bool)
    return Scores(scores[..., :4], scores[..., 4:], present, speakers, own), every


def test_emotions_that_exclude_each_other_are_categories():
    """Nothing is latent then: associations are those of the labels themselves."""
    rng = np.random.default_rng(11)
    many = categories(rng, 400_000, None)[1]
    expected = np.corrcoef(many.T)[:4, 4:]
    corpora = [
        categories(rng, 16_000, each)[0] for each in ("emotion", "personality", "")
    ]
    found = cross_source(*corpora[:2], corpora[2:])
    np.testing.assert_allclose(found.associations, expected, atol=0.05)
    away = (found.associations - expected) / found.error
    assert np.sqrt((away**2).mean()) < 2
    # nothing but whether an emotion is shown counts
    halved = corpora[0]._replace(labels=corpora[0].labels / 2)
    again = cross_source(halved, corpora[1], corpora[2:])
    assert (again.associations == found.associations).all()
