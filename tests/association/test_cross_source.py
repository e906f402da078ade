"""The estimator against exact moments, a jackknife and many drawn studies."""

import numpy as np
import pytest
from drawn_laws import CUT, EMOTIONS, MODALITIES, TRAITS, Exact, drawn, laws
from scipy.stats import binom, multivariate_normal, norm

from sslmepr.association import cross_source as module
from sslmepr.association.cross_source import cross_source
from sslmepr.association.influence_tests import intervals, largest_t
from sslmepr.association.labelled_moments import (
    EmotionMoments,
    TraitMoments,
    smoothed,
    tetrachoric,
)
from sslmepr.association.moment_fit import MomentModel, solve
from sslmepr.association.scores import IdentificationError, Scores


@pytest.mark.parametrize("seed", range(3))
def test_exact_moments_give_the_exact_associations(seed):
    joint, of_emotions, of_traits = laws(np.random.default_rng(seed))
    mine = Exact(
        of_emotions @ joint[:, :EMOTIONS],
        of_traits @ joint[:, :EMOTIONS],
        joint[:EMOTIONS, :EMOTIONS],
    )
    theirs = Exact(
        of_emotions @ joint[:, EMOTIONS:],
        of_traits @ joint[:, EMOTIONS:],
        joint[EMOTIONS:, EMOTIONS:],
    )
    pairs = [(m, k) for m in range(MODALITIES) for k in range(MODALITIES) if m != k]
    observed = np.stack([of_emotions[m] @ joint @ of_traits[k].T for m, k in pairs])
    found, model, _ = solve(observed, mine, theirs, pairs)
    np.testing.assert_allclose(found, joint[:EMOTIONS, EMOTIONS:], atol=1e-8)
    np.testing.assert_allclose(model.expected, observed, atol=1e-8)


def test_one_step_from_nothing_adds_one_sided_sources_and_takes_the_two_sided():
    """One emotion, one trait: c = B / F + D / A - W / (A F), with G = R = 1."""
    a, b, d, f, w = 0.8, 0.1, 0.15, 0.7, 0.2
    mine = Exact(np.full((2, 1, 1), a), np.full((2, 1, 1), b), np.eye(1))
    theirs = Exact(np.full((2, 1, 1), d), np.full((2, 1, 1), f), np.eye(1))
    model = MomentModel(np.zeros((1, 1)), mine, theirs, [(0, 1), (1, 0)])
    gain = np.linalg.pinv(model.jacobian())
    step = gain @ (np.full(2, w) - model.expected.ravel())
    # With unit G and R, the slope of the model at 0 is -(A F + D B).
    expected = (a * b + d * f - w) / (a * f + d * b)
    assert step.item() == pytest.approx(expected)
    assert step.item() == pytest.approx(b / f + d / a - w / (a * f), abs=0.02)


def test_slopes_and_curvature_are_those_of_finite_differences():
    rng = np.random.default_rng(3)
    joint, of_emotions, of_traits = laws(rng)
    both = [each @ joint for each in (of_emotions, of_traits)]
    mine = Exact(*(each[..., :EMOTIONS] for each in both), joint[:EMOTIONS, :EMOTIONS])
    theirs = Exact(
        *(each[..., EMOTIONS:] for each in both), joint[EMOTIONS:, EMOTIONS:]
    )
    pairs = [(0, 1), (2, 0)]
    observed = rng.standard_normal((2, EMOTIONS, TRAITS))
    at = 0.1 * rng.standard_normal((EMOTIONS, TRAITS))

    def slope(values):
        model = MomentModel(values.reshape(at.shape), mine, theirs, pairs)
        return -model.jacobian().T @ (observed - model.expected).ravel()

    def squares(values):
        model = MomentModel(values.reshape(at.shape), mine, theirs, pairs)
        return ((observed - model.expected) ** 2).sum() / 2

    steps = 1e-5 * np.eye(at.size)
    numeric = [
        (squares(at.ravel() + e) - squares(at.ravel() - e)) / 2e-5 for e in steps
    ]
    np.testing.assert_allclose(slope(at.ravel()), numeric, atol=1e-6)
    numeric = [(slope(at.ravel() + e) - slope(at.ravel() - e)) / 2e-5 for e in steps]
    model = MomentModel(at, mine, theirs, pairs)
    np.testing.assert_allclose(
        model.hessian(observed - model.expected), numeric, atol=1e-6
    )


@pytest.mark.parametrize("seed", range(4))
def test_no_other_associations_fit_better(seed, monkeypatch):
    """Small noisy corpora, in which Gauss-Newton does not settle."""
    known = {}

    def solve(*arguments):
        known["arguments"] = arguments
        return solve(*arguments)

    monkeypatch.setattr(module, "solve", solve)
    rng = np.random.default_rng([14, seed])
    corpora = drawn(rng, 60, *laws(rng), noise=1.5)
    found = cross_source(*corpora[:2], corpora[2:]).associations
    observed, *rest = known["arguments"]

    def squares(values):
        return ((observed - MomentModel(values, *rest).expected) ** 2).sum()

    for _ in range(20):
        other = found + 0.01 * rng.standard_normal(found.shape)
        assert squares(other) > squares(found)


def test_influence_functions_are_those_of_a_jackknife():
    rng = np.random.default_rng(4)
    corpora = drawn(rng, 150, *laws(rng), per_speaker=3)
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
    assert found.mismatch < 0.01


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


@pytest.mark.parametrize("r", [-0.7, -0.1, 0.0, 0.4, 0.9])
def test_tetrachoric_inverts_the_bivariate_normal(r):
    both = multivariate_normal.cdf([-0.3, -0.8], cov=[[1, r], [r, 1]])
    assert tetrachoric(0.3, 0.8, both) == pytest.approx(r, abs=1e-4)


def test_tetrachoric_stops_at_its_ends():
    assert tetrachoric(0.0, 0.0, 0.0) == -0.999
    assert tetrachoric(0.0, 0.0, 0.5) == 0.999


def test_a_matrix_of_pairs_becomes_one_of_correlations():
    broken = np.array([[1.0, 0.9, -0.9], [0.9, 1.0, 0.9], [-0.9, 0.9, 1.0]])
    assert np.linalg.eigvalsh(broken)[0] < 0
    smooth = smoothed(broken)
    np.testing.assert_allclose(np.diag(smooth), 1)
    assert np.linalg.eigvalsh(smooth)[0] > 0
    assert (np.sign(smooth) == np.sign(broken)).all()
    whole = np.array([[1.0, 0.5], [0.5, 1.0]])
    assert smoothed(whole) is whole


def test_emotions_that_never_meet_leave_finite_associations():
    rng = np.random.default_rng(11)
    emotion, personality, other = drawn(rng, 90, *laws(rng))
    labels = emotion.labels.copy()
    labels[:, 1] &= ~labels[:, 0]
    found = cross_source(emotion._replace(labels=labels), personality, [other])
    assert np.isfinite(found.associations).all()
    assert (found.error > 0).all() and np.isfinite(found.error).all()


def test_intervals_stay_within_the_range_of_a_correlation():
    low, high, p = intervals(np.array([0.1, 0.95]), np.array([0.05, 0.05]), 0.95, 1000)
    assert (low[0], high[0]) == pytest.approx((0.1 - 0.0981, 0.1 + 0.0981), abs=1e-3)
    assert p[0] == pytest.approx(2 * norm.sf(2), abs=1e-3)
    assert low[1] > 0.6 and high[1] < 1


def test_the_largest_t_of_one_cell_is_that_of_a_normal_variable():
    rng = np.random.default_rng(7)
    influence = [rng.standard_normal((400, 1, 1)), rng.standard_normal((300, 1, 1))]
    error = np.sqrt(sum((each**2).sum(0) for each in influence))
    drawn_t = largest_t(influence, error, 4000, 0)
    assert np.mean(drawn_t > norm.isf(0.025)) == pytest.approx(0.05, abs=0.015)


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


def test_parts_know_their_labels():
    rng = np.random.default_rng(10)
    emotion, personality, _ = drawn(rng, 2000, *laws(rng))
    assert EmotionMoments(emotion).matrix[0, 1] == pytest.approx(0.25, abs=0.1)
    assert TraitMoments(personality).matrix[0, 1] == pytest.approx(0.25, abs=0.1)


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
