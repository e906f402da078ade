"""Two forms of showing emotions are found where there are two."""

import numpy as np
import pytest
from scipy import stats

from sslmepr.training.second_forms import Forms, find_forms, latent, log_evidence


def drawn(two: bool, clips=1500, seed=0):
    """Features of face and scene, emotions, presence, and the form of each clip."""
    rng = np.random.default_rng(seed)
    emotions = rng.standard_normal((clips, 6))
    form = rng.integers(0, 2, clips) * two
    maps = rng.standard_normal((2, 6, 16))
    shown = np.einsum("ne,nef->nf", emotions, maps[form])
    features = {
        "face": shown + rng.standard_normal(shown.shape),
        "scene": emotions @ maps[0] + 3 * rng.standard_normal(shown.shape),
    }
    features = {name: (f - f.mean(0)) / f.std(0) for name, f in features.items()}
    return features, {name: np.ones(clips, bool) for name in features}, emotions, form


def test_latents_are_normal_scores_and_means_below_the_threshold():
    found, cut = latent(np.array([[0.0], [0.0], [0.3], [0.9]]))
    assert cut == pytest.approx([0.0])
    low = stats.truncnorm.mean(-np.inf, 0)
    high = stats.norm.ppf([0.625, 0.875])
    assert found[:, 0].tolist() == pytest.approx([low, low, *high])


@pytest.mark.parametrize("two", [True, False])
def test_new_clips_are_likelier_under_two_forms_only_if_there_are_two(two):
    features, present, emotions, _ = drawn(two)
    train, new = slice(0, 1000), slice(1000, None)
    part, known, unseen, there = (
        {name: each[rows] for name, each in table.items()}
        for table, rows in (
            *((features, train), (present, train)),
            *((features, new), (present, new)),
        )
    )
    one, both = (find_forms(part, known, emotions[train], n, 0) for n in (1, 2))
    gain = log_evidence(unseen, there, np.eye(6), both) - log_evidence(
        unseen, there, np.eye(6), one
    )
    # Forms that are alike differ by rounding alone.
    sure = max(3 * gain.std() / len(gain) ** 0.5, 1e-9)
    assert (gain.mean() > sure) == two
    assert both.weights["face"].shape == both.weights["scene"].shape == (2, 6, 16)
    np.testing.assert_array_equal(*both.weights["scene"])
    if two:
        assert both.shares.tolist() == pytest.approx([0.5, 0.5], abs=0.06)


def test_evidence_is_that_of_a_mixture_of_gaussians():
    rng = np.random.default_rng(2)
    weights, errors = rng.standard_normal((2, 3, 4)), np.diag([1.0, 2.0, 0.5, 1.5])
    forms = Forms({"face": weights}, {"face": errors}, np.array([0.3, 0.7]), 0.0)
    values, prior = rng.standard_normal((5, 4)), np.diag([1.0, 0.5, 2.0])
    present = np.array([True, True, True, True, False])
    found = log_evidence({"face": values}, {"face": present}, prior, forms)
    density = [
        share
        * stats.multivariate_normal.pdf(
            values, np.zeros(4), w.T @ np.linalg.inv(prior) @ w + errors
        )
        for share, w in zip(forms.shares, weights, strict=True)
    ]
    expected = np.log(sum(density)) + 2 * np.log(2 * np.pi)
    # The prior's normalising constant is left out; it is the same for all forms.
    expected -= np.linalg.slogdet(prior)[1] / 2
    assert found[:4].tolist() == pytest.approx(expected[:4].tolist())
    assert found[4] == pytest.approx(-np.linalg.slogdet(prior)[1] / 2)
