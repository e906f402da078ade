"""Noise of raters against exact moments, drawn studies and Spearman's formula."""

import numpy as np
import pytest
from drawn_laws import EMOTIONS, TRAITS, Exact, drawn, laws

from sslmepr import params as parameters
from sslmepr.association.cross_source import Reliability, cross_source
from sslmepr.association.label_noise import (
    ASSUMED,
    COLUMNS,
    alike,
    disattenuated,
    known_reliability,
    reliability_range,
)
from sslmepr.association.moment_fit import solve
from sslmepr.association.preregistration import read_preregistration
from sslmepr.association.scores import IdentificationError, Scores
from sslmepr.params.simulation import Raters
from sslmepr.simulation.raters import label_clips, rated_association
from sslmepr.simulation.world import World

SHARES = np.array([0.9, 0.7, 0.8]), np.array([0.6, 0.75])
KNOWN = Reliability(*SHARES, np.zeros(EMOTIONS), np.zeros(TRAITS))


def noisy(rng, corpora, shares=SHARES):
    """Labels of unit variance of which a share is what the clips show."""
    emotion, personality, *others = corpora
    traits = personality.labels * np.sqrt(shares[1])
    traits = traits + np.sqrt(1 - shares[1]) * rng.standard_normal(traits.shape)
    return [emotion, personality._replace(labels=traits), *others]


def moments(joint, of_emotions, of_traits, shares):
    """Of endless corpora whose standardised labels hold noise of raters."""
    scale = np.sqrt(np.concatenate(shares))
    rated = joint * np.outer(scale, scale)
    np.fill_diagonal(rated, 1)
    seen = [(each @ joint) * scale for each in (of_emotions, of_traits)]
    parts = slice(EMOTIONS), slice(EMOTIONS, None)
    corpora = [
        Exact(seen[0][..., part], seen[1][..., part], rated[part, part].copy())
        for part in parts
    ]
    pairs = [(0, 1), (1, 0), (0, 2), (2, 1)]
    observed = np.stack([of_emotions[m] @ joint @ of_traits[k].T for m, k in pairs])
    return observed, *corpora, pairs, rated[parts]


@pytest.mark.parametrize("seed", range(3))
def test_with_the_reliability_exact_moments_give_the_exact_associations(seed):
    law = laws(np.random.default_rng(seed))
    observed, mine, theirs, pairs, truth = moments(*law, SHARES)
    blind = solve(observed, mine, theirs, pairs)[0]
    assert np.abs(blind - truth).max() > 0.02
    np.fill_diagonal(mine.matrix, SHARES[0])
    np.fill_diagonal(theirs.matrix, SHARES[1])
    found = solve(observed, mine, theirs, pairs)[0]
    np.testing.assert_allclose(found, truth, atol=1e-8)


def test_every_reliability_fits_the_same_moments():
    """One score of each kind: without the reliability, C is not identified."""
    observed = np.full((2, 1, 1), 0.3)
    found = []
    for share in (1.0, 0.8, 0.6):
        mine = Exact(np.full((2, 1, 1), 0.5), np.full((2, 1, 1), 0.1), np.eye(1))
        theirs = Exact(np.full((2, 1, 1), 0.1), np.full((2, 1, 1), 0.5), np.eye(1))
        mine.matrix[:] = theirs.matrix[:] = share
        estimate, model, _ = solve(observed, mine, theirs, [(0, 1), (1, 0)])
        np.testing.assert_allclose(model.expected, observed, atol=1e-6)
        found.append(estimate.item())
    assert len(np.unique(np.round(found, 3))) == 3


def test_noise_distorts_associations_and_its_reliability_mends_it():
    law = laws(np.random.default_rng(5))
    scale = np.sqrt(SHARES[1])
    truth = law[0][:EMOTIONS, EMOTIONS:] * scale
    known = KNOWN._replace(emotions=np.ones(EMOTIONS))
    estimates = []
    for seed in range(30):
        rng = np.random.default_rng([5, seed])
        corpora = noisy(rng, drawn(rng, 500, *law))
        estimates.append(
            [
                cross_source(*corpora[:2], corpora[2:], reliability=each).associations
                for each in (None, known)
            ]
        )
    blind, mended = np.mean(estimates, 0)
    error = np.std(estimates, 0)[1] / np.sqrt(len(estimates))
    assert (np.abs(mended - truth) < 4 * error).all()
    errors = [np.sqrt(((each - truth) ** 2).mean()) for each in (blind, mended)]
    assert errors[0] > 1.5 * errors[1]


def test_an_uncertain_reliability_widens_intervals_by_its_slope():
    rng = np.random.default_rng(6)
    corpora = noisy(rng, drawn(rng, 20_000, *laws(rng)))
    known = KNOWN._replace(emotions=np.ones(EMOTIONS))
    sure = cross_source(*corpora[:2], corpora[2:], reliability=known)
    errors = np.array([0.0, 0.05]), np.array([0.1, 0.0])
    unsure = known._replace(
        emotion_errors=np.r_[0.0, errors[0]], trait_errors=errors[1]
    )
    found = cross_source(*corpora[:2], corpora[2:], reliability=unsure)
    np.testing.assert_array_equal(found.associations, sure.associations)
    assert found.n_speakers == sure.n_speakers
    step, added = 1e-4, 0.0
    for name, place, error in (("emotions", 2, 0.05), ("traits", 0, 0.1)):
        moved = []
        for sign in (-1, 1):
            shares = getattr(known, name).copy()
            shares[place] += sign * step
            other = known._replace(**{name: shares})
            moved.append(
                cross_source(*corpora[:2], corpora[2:], reliability=other).associations
            )
        added = added + ((moved[1] - moved[0]) / (2 * step) * error) ** 2
    np.testing.assert_allclose(
        found.error**2 - sure.error**2, added, rtol=0.1, atol=1e-5
    )


def test_what_clips_show_is_by_the_formula_of_spearman():
    rng = np.random.default_rng(7)
    corpora = noisy(rng, drawn(rng, 300, *laws(rng)))
    unsure = KNOWN._replace(trait_errors=np.array([0.1, 0.0]))
    found = cross_source(*corpora[:2], corpora[2:], reliability=unsure)
    shown = disattenuated(found, unsure)
    factor = 1 / np.sqrt(np.outer(*SHARES))
    np.testing.assert_allclose(shown.associations, factor * found.associations)
    # By the chain rule, for the reliability of the first trait.
    slope = found.influence[-1][EMOTIONS, :, 0] / 0.1
    np.testing.assert_allclose(
        shown.influence[-1][EMOTIONS, :, 0] / 0.1,
        factor[:, 0] * slope - shown.associations[:, 0] / (2 * SHARES[1][0]),
    )


def test_labels_that_explain_less_than_scores_are_refused():
    rng = np.random.default_rng(8)
    corpora = drawn(rng, 300, *laws(rng))
    none = KNOWN._replace(emotions=np.full(EMOTIONS, 0.1), traits=np.full(TRAITS, 0.1))
    with pytest.raises(IdentificationError):
        cross_source(*corpora[:2], corpora[2:], reliability=none)


def test_reliability_of_simulated_raters_is_that_of_drawn_labels():
    settings = parameters.load()
    raters = Raters(count=3, halo=0.0, noise_sd=0.7)
    simulation = settings.simulation.model_copy(update={"raters": raters})
    known = known_reliability(settings.model_copy(update={"simulation": simulation}))
    rng = np.random.default_rng(9)
    latents = rng.standard_normal((60_000, 11))
    rated = label_clips(latents, simulation, raters, rng).rated
    expected = [np.corrcoef(latents[:, n], rated[:, n])[0, 1] ** 2 for n in range(11)]
    np.testing.assert_allclose(np.r_[known.emotions, known.traits], expected, atol=0.01)
    weak = rated_association(World("w", np.full((6, 5), 0.1)), raters)
    np.testing.assert_allclose(
        weak, 0.1 * np.sqrt(np.outer(known.emotions, known.traits)), rtol=1e-6
    )
    without = simulation.model_copy(update={"raters": None})
    assert (
        known_reliability(settings.model_copy(update={"simulation": without})) is None
    )


def test_endpoints_are_shown_for_each_reliability():
    rng = np.random.default_rng(10)
    size = 11
    joint = np.eye(size)
    joint[3, 6:] = joint[6:, 3] = 0.3
    loadings = 0.2 * rng.standard_normal((2, 3, size, size)) + np.eye(size)
    corpora = []
    for place in range(3):
        latents = rng.multivariate_normal(np.zeros(size), joint, 400)
        scores = [
            np.einsum("nl,msl->nms", latents, each[:, part])
            + 0.7 * rng.standard_normal((400, 3, len(range(size)[part])))
            for each, part in zip(loadings, (slice(6), slice(6, None)), strict=True)
        ]
        labels = [latents[:, :6] > 0.5, latents[:, 6:], None][place]
        names = np.arange(400).astype(str)
        corpora.append(Scores(*scores, np.ones((400, 3), bool), names, labels))
    settings = parameters.load().association.model_copy(update={"resamples": 100})
    endpoints = read_preregistration().endpoints
    table = reliability_range(corpora, endpoints, settings, 0, alike(0.95))
    assert list(table) == COLUMNS
    assert table["reliability"].unique().tolist()[0] == "raters"
    assert len(table["reliability"].unique()) == 1 + len(ASSUMED)
    known = table.dropna(subset=["r"])
    assert len(known) and (known.groupby("reliability").size() == len(endpoints)).all()
    whole = known[known["reliability"] == "1"]
    plain = cross_source(corpora[0], corpora[1], corpora[2:])
    assert whole["r"].iloc[0] == pytest.approx(plain.associations[3].mean())
    np.testing.assert_allclose(whole["shown"], whole["r"])
    ninety = known[known["reliability"] == "0.9"]
    np.testing.assert_allclose(ninety["shown"], ninety["r"] / 0.9)
