"""Associations that fit moments best: exact moments, slopes and minima."""

import numpy as np
import pytest
from drawn_laws import EMOTIONS, MODALITIES, TRAITS, Exact, drawn, laws

from sslmepr.association import cross_source as module
from sslmepr.association.cross_source import cross_source
from sslmepr.association.moment_fit import MomentModel, solve


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

    def noted(*arguments):
        known["arguments"] = arguments
        return solve(*arguments)

    monkeypatch.setattr(module, "solve", noted)
    rng = np.random.default_rng([14, seed])
    corpora = drawn(rng, 60, *laws(rng), noise=1.5)
    found = cross_source(*corpora[:2], corpora[2:]).associations
    observed, *rest = known["arguments"]

    def squares(values):
        return ((observed - MomentModel(values, *rest).expected) ** 2).sum()

    for _ in range(20):
        other = found + 0.01 * rng.standard_normal(found.shape)
        assert squares(other) > squares(found)
