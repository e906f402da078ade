"""Associations that fit moments best: exact moments, slopes and minima."""

import numpy as np
import pytest
from drawn_laws import EMOTIONS, MODALITIES, TRAITS, Exact, drawn, laws

from sslmepr.association import cross_source as module
from sslmepr.association.cross_source import cross_source
from sslmepr.association.moment_fit import MomentModel, solve


def drawn_weight(rng, size):
    """Positive definite, with 1 as the mean of its diagonal."""
    root = rng.standard_normal((size, 2 * size)) / np.sqrt(2 * size)
    return root @ root.T


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
    weight = drawn_weight(rng, observed.size)
    at = 0.1 * rng.standard_normal((EMOTIONS, TRAITS))

    def slope(values):
        model = MomentModel(values.reshape(at.shape), mine, theirs, pairs)
        return -model.jacobian().T @ weight @ (observed - model.expected).ravel()

    def squares(values):
        model = MomentModel(values.reshape(at.shape), mine, theirs, pairs)
        left = (observed - model.expected).ravel()
        return left @ weight @ left / 2

    steps = 1e-5 * np.eye(at.size)
    numeric = [
        (squares(at.ravel() + e) - squares(at.ravel() - e)) / 2e-5 for e in steps
    ]
    np.testing.assert_allclose(slope(at.ravel()), numeric, atol=1e-6)
    numeric = [(slope(at.ravel() + e) - slope(at.ravel() - e)) / 2e-5 for e in steps]
    model = MomentModel(at, mine, theirs, pairs)
    np.testing.assert_allclose(
        model.hessian(observed - model.expected, weight), numeric, atol=1e-6
    )


def test_effects_are_what_solutions_of_other_moments_differ_by():
    rng = np.random.default_rng(7)
    joint, of_emotions, of_traits = laws(rng)
    pairs = [(m, k) for m in range(MODALITIES) for k in range(MODALITIES) if m != k]
    parts = slice(EMOTIONS), slice(EMOTIONS, None)
    sides = [
        Exact(
            (of_emotions @ joint)[..., own],
            (of_traits @ joint)[..., own],
            joint[own, own].copy(),
        )
        for own in parts
    ]
    observed = np.stack([of_emotions[m] @ joint @ of_traits[k].T for m, k in pairs])
    weight = drawn_weight(rng, observed.size)
    effect = solve(observed, *sides, pairs, weight)[2]

    def slope(moment, change):
        """Of the solution, where a moment moves in a direction."""
        found = []
        for sign in (-1e-5, 1e-5):
            moment += sign * change
            found.append(solve(observed, *sides, pairs, weight)[0])
            moment -= sign * change
        return (found[1] - found[0]).ravel() / 2e-5

    change = rng.standard_normal(observed.shape)
    expected = effect.products.reshape(len(effect.products), -1) @ change.ravel()
    np.testing.assert_allclose(slope(observed, change), expected, atol=1e-5)
    for side, own in zip(sides, parts, strict=True):
        for moment, of_it in (
            (side.emotions, effect.emotions[..., own]),
            (side.traits, effect.traits[..., own]),
            (side.matrix, effect.matrix[:, own, own]),
        ):
            change = rng.standard_normal(moment.shape)
            if moment is side.matrix:
                change = change + change.T
            expected = of_it.reshape(len(of_it), -1) @ change.ravel()
            np.testing.assert_allclose(slope(moment, change), expected, atol=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_no_other_associations_fit_better(seed, monkeypatch):
    """Small noisy corpora, in which Gauss-Newton does not settle."""
    known = {}

    def noted(*arguments):
        known["arguments"] = arguments
        return solve(*arguments)

    monkeypatch.setattr(module, "solve", noted)
    rng = np.random.default_rng([14, seed])
    corpora = drawn(rng, 60, *laws(rng), noise=1.5)
    found = cross_source(*corpora[:2], corpora[2:]).associations
    observed, mine, theirs, pairs, weight, _ = known["arguments"]

    def squares(values):
        model = MomentModel(values, mine, theirs, pairs)
        left = (observed - model.expected).ravel()
        return left @ weight @ left

    for _ in range(20):
        other = found + 0.01 * rng.standard_normal(found.shape)
        assert squares(other) > squares(found)
