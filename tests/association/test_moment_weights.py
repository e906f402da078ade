"""Weights against products of clips that are paired at random."""

import numpy as np
import pytest
from drawn_laws import EMOTIONS, TRAITS, drawn, laws

from sslmepr.association.cross_source import cross_source, fit, observe
from sslmepr.association.moment_fit import solve
from sslmepr.association.moment_weights import OWN, normal_theory_weight


def paired(seen, model):
    """Covariances of what is left, where scores and labels are of different clips.

    Under normal theory, the covariance of products is that of independent factors.
    """
    total = 0.0
    loadings = [(model.lam, model.phi), (model.gam, model.psi)]
    for place, corpus in enumerate(seen.corpora):
        share = corpus.present.mean(0)
        clips, parts = len(corpus.present), []
        for n in range(clips):
            for other in range(clips):
                each = np.zeros((len(seen.pairs), EMOTIONS, TRAITS))
                for p, (m, k) in enumerate(seen.pairs):
                    s = corpus.emotions[n, m] * corpus.present[n, m] / share[m]
                    u = corpus.traits[other, k] * corpus.present[other, k] / share[k]
                    each[p] = seen.weights[place, p] * np.outer(s, u)
                    if place < 2:
                        labels = (seen.mine, seen.theirs)[place].values
                        mine = loadings[place][0][m] @ labels[n]
                        theirs = loadings[place][1][k] @ labels[other]
                        each[p] += np.outer(mine, theirs)
                        each[p] -= np.outer(s, theirs) + np.outer(mine, u)
                parts.append(each.ravel())
        parts = np.array(parts)
        total = total + parts.T @ parts / len(parts) / clips
    return total


def test_they_are_the_inverse_of_covariances_of_independent_factors():
    rng = np.random.default_rng(0)
    corpora = drawn(rng, 25, *laws(rng))
    seen = observe(*corpora[:2], corpora[2:])
    model = solve(seen.covariances, seen.mine, seen.theirs, seen.pairs)[1]
    labelled = seen.mine, seen.theirs
    found = normal_theory_weight(
        seen.corpora, labelled, seen.weights, seen.pairs, model
    )
    expected = paired(seen, model)
    expected = np.linalg.inv(expected + OWN * np.diag(np.diag(expected)))
    assert np.diag(found).mean() == pytest.approx(1)
    np.testing.assert_allclose(found / found[0, 0], expected / expected[0, 0])


def test_with_them_associations_are_more_precise():
    found = {"equal": [], "weighted": []}
    law = laws(np.random.default_rng(3))
    for seed in range(40):
        corpora = drawn(np.random.default_rng([3, seed]), 150, *law, noise=1.2)
        # Scores of one modality go together.
        corpora = [
            each._replace(emotions=each.emotions + each.emotions.mean(2, keepdims=True))
            for each in corpora
        ]
        seen = observe(*corpora[:2], corpora[2:])
        given = seen.covariances, seen.mine, seen.theirs, seen.pairs
        found["equal"].append(solve(*given)[0])
        found["weighted"].append(fit(seen)[0])
    truth = law[0][:EMOTIONS, EMOTIONS:]
    error = {
        name: np.sqrt(((np.array(each) - truth) ** 2).mean())
        for name, each in found.items()
    }
    assert error["weighted"] < error["equal"]


def test_scores_on_another_scale_change_nothing():
    """Nor do sums and differences of the scores of a modality, but for `OWN`."""
    rng = np.random.default_rng(5)
    corpora = drawn(rng, 400, *laws(rng))
    mixed = np.array([[1.0, 1, 0], [1, -1, 0], [0, 0, 2]])
    other = [
        each._replace(emotions=each.emotions @ mixed, traits=3 * each.traits)
        for each in corpora
    ]
    found, same = (cross_source(*each[:2], each[2:]) for each in (corpora, other))
    np.testing.assert_allclose(
        same.associations, found.associations, atol=0.5 * found.error.min()
    )
