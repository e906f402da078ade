from itertools import product

import numpy as np
import pytest
from scipy.stats import kstest, multivariate_normal, norm

from sslmepr.params.simulation import Knobs
from sslmepr.simulation.knobs import (
    FRAMED,
    Circumstances,
    Loadings,
    draw_circumstances,
    draw_controls,
    envelopes,
    look_loadings,
)
from sslmepr.simulation.mixture import NODES, Known, Mixture, infer
from sslmepr.simulation.world import draw_emotions, draw_traits, make_world

WORLD = make_world(
    "planted",
    {
        "planted": {
            "anger": {"agreeableness": -0.45},
            "happiness": {"extraversion": 0.5},
            "sadness": {"extraversion": -0.4, "emotional_stability": -0.3},
        }
    },
)
CONTROLS = {
    "face": tuple("abcdefgh"),
    "scene": tuple("abc"),
    "text": tuple("abcd"),
    "audio": tuple("ab"),
}
MILD = Knobs(reliability=0.5, incongruence=0.5, moderation=0.4, variants=0.5, burst=0.7)


@pytest.fixture(autouse=True)
def few_hidden(monkeypatch):
    hiding = {"scarf": ("face", ("a", "b")), "desk": ("body", ("c",))}
    monkeypatch.setattr("sslmepr.simulation.knobs.HIDING", hiding)


def some_loadings(strength=0.6):
    rng = np.random.default_rng(3)
    return {
        name: Loadings(
            strength * rng.standard_normal((len(controls), 6)),
            strength * rng.standard_normal((len(controls), 6)),
            strength * rng.standard_normal((len(controls), 5)),
            rng.standard_normal(len(controls)),
        )
        for name, controls in CONTROLS.items()
    }


def some_clips(knobs, loadings, clips, frames, seed=0):
    rng = np.random.default_rng(seed)
    traits = draw_traits(clips, rng)
    latents = np.hstack([draw_emotions(WORLD, traits, rng), traits])
    persons = np.arange(clips)
    given = draw_circumstances(knobs, CONTROLS, latents, persons, frames, rng)
    controls = {
        name: draw_controls(
            name,
            each,
            latents,
            given,
            knobs,
            frames,
            rng.standard_normal((clips, len(each.offset))),
            rng,
        )
        for name, each in loadings.items()
    }
    return latents, controls, given


def all_of(loadings, controls, given, knobs, frames, without=()):
    parts = [
        mixture
        for _, mixture in infer(
            Known(WORLD.covariance, loadings, knobs, frames, without), controls, given
        )
    ]
    return Mixture(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("weight", "mean", "deviation")
        )
    )


def stacked(loadings, controls, given, knobs, frames, clip, circumstance):
    """Seen values less their offset, loadings and noise covariance, frame by frame."""
    form, contrary, onset, kappa = circumstance
    values, rows, noise = [], [], []
    for name, each in loadings.items():
        seen = ~(given.hidden[name] | given.absent[name][:, None])[clip]
        weight = envelopes(knobs, frames)[onset] if name in FRAMED else [1.0]
        moved = each.second if form and name in FRAMED else each.first
        sign = -1 if contrary and name == "text" else 1
        looks = look_loadings(knobs.shared_looks, name, len(each.offset))
        for frame, w in enumerate(weight):
            values.append((controls[name][clip, frame] - each.offset)[seen])
            rows.append(np.hstack([sign * kappa * w * moved, each.traits, looks])[seen])
            scale = given.noise[name][clip] ** 2 * len(weight)
            noise.append(np.full(seen.sum(), scale))
    return np.concatenate(values), np.vstack(rows), np.diag(np.concatenate(noise))


@pytest.mark.parametrize(
    "knobs",
    [
        MILD,
        Knobs(order=0.6, burst=0.5, occlusion=1, missing=0.6, incongruence=1),
        Knobs(shared_looks=0.8, variants=1, burst=1),
    ],
    ids=["mild", "time_and_gaps", "looks"],
)
def test_posterior_is_the_enumerated_mixture(knobs):
    loadings, frames = some_loadings(), 3
    _, controls, given = some_clips(knobs, loadings, 4, frames, seed=5)
    posterior = all_of(loadings, controls, given, knobs, frames)
    prior = np.zeros((14, 14))
    prior[:11, :11], prior[11:, 11:] = WORLD.covariance, np.eye(3)
    nodes, weights = np.array([0.0]), np.array([1.0])
    if knobs.moderation:
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
    v = prior[:, 8]
    for clip in range(4):
        means, variances, logs = [], [], []
        cases = product(
            range(2 if knobs.variants else 1),
            range(2 if knobs.incongruence else 1),
            range(len(envelopes(knobs, frames))),
            zip(nodes, weights, strict=True),
        )
        for form, contrary, onset, (node, weight) in cases:
            kappa = np.exp(knobs.moderation * node - knobs.moderation**2)
            z, h, d = stacked(
                loadings,
                controls,
                given,
                knobs,
                frames,
                clip,
                (form, contrary, onset, kappa),
            )
            mu, p = np.zeros(14), prior
            if knobs.moderation:
                mu, p = node * v, prior - np.outer(v, v)
            cover = h @ p @ h.T + d
            gain = np.linalg.solve(cover, h @ p).T
            means.append((mu + gain @ (z - h @ mu))[:11])
            variances.append(np.diag(p - gain @ h @ p)[:11])
            share = knobs.variants / 2 if form else 1 - knobs.variants / 2
            against = 0.3 * knobs.incongruence
            logs.append(
                multivariate_normal(h @ mu, cover).logpdf(z)
                + np.log(share * weight * (against if contrary else 1 - against))
            )
            if not given.absent["audio"][clip]:
                logs[-1] += norm.logpdf(given.marker[clip], 2.5 * contrary)
        share = np.exp(np.array(logs) - max(logs))
        share /= share.sum()
        mean = share @ np.array(means)
        second = share @ (np.array(variances) + np.square(means))
        np.testing.assert_allclose(posterior.expected()[clip], mean, atol=1e-8)
        np.testing.assert_allclose(
            posterior.variance()[clip], second - mean**2, atol=1e-8
        )


def test_posterior_without_knobs_is_the_closed_form():
    loadings = some_loadings()
    _, controls, given = some_clips(Knobs(), loadings, 5, 8)
    posterior = all_of(loadings, controls, given, Knobs(), 8)
    h = np.vstack([np.hstack([each.first, each.traits]) for each in loadings.values()])
    offset = np.hstack([each.offset for each in loadings.values()])
    z = np.hstack([each[:, 0] for each in controls.values()]) - offset
    covariance = np.linalg.inv(np.linalg.inv(WORLD.covariance) + h.T @ h)
    np.testing.assert_allclose(posterior.expected(), z @ h @ covariance, atol=1e-10)
    np.testing.assert_allclose(
        posterior.variance(), np.tile(np.diag(covariance), (5, 1)), atol=1e-10
    )
    np.testing.assert_allclose(posterior.median(), posterior.expected(), atol=2e-6)


@pytest.mark.parametrize(
    "knobs",
    [
        MILD,
        Knobs(missing=1, missing_when_sad=True),
        Knobs(reliability=1, occlusion=0.5, shared_looks=1),
    ],
    ids=["mild", "missing_when_sad", "seen"],
)
def test_posterior_is_calibrated(knobs):
    loadings = some_loadings()
    latents, controls, given = some_clips(knobs, loadings, 3000, 4, seed=11)
    placed = np.vstack(
        [
            mixture.below(latents[rows])
            for rows, mixture in infer(
                Known(WORLD.covariance, loadings, knobs, 4), controls, given
            )
        ]
    )
    # Extraversion under moderation and sadness under missing_when_sad lie on the nodes
    # of a quadrature, where a distribution function has steps.
    stepped = {8} if knobs.moderation else {4} if knobs.missing_when_sad else set()
    for latent in set(range(11)) - stepped:
        assert kstest(placed[:, latent], "uniform").pvalue > 1e-4
    for latent in stepped:
        assert abs(placed[:, latent].mean() - 0.5) < 0.02


def test_sadness_is_told_from_absence():
    loadings, clips = some_loadings(strength=1e-9), 3
    del loadings["audio"]
    given = Circumstances(
        noise={name: np.ones(clips) for name in loadings},
        hidden={
            name: np.zeros((clips, len(CONTROLS[name])), bool) for name in loadings
        },
        absent={
            "face": np.array([False, True, True]),
            "scene": np.array([False, False, True]),
            "text": np.zeros(clips, bool),
        },
        marker=np.zeros(clips),
        contrary=np.zeros(clips, bool),
        onset=np.zeros(clips, int),
        second=np.zeros(clips, bool),
        look=np.zeros((clips, 3)),
    )
    controls = {
        name: np.tile(each.offset, (clips, 1, 1)) for name, each in loadings.items()
    }
    knobs = Knobs(missing=0.8, missing_when_sad=True)
    posterior = all_of(loadings, controls, given, knobs, 1)
    g = np.linspace(-8, 8, 20001)
    chance = 0.8 * norm.cdf(g)
    density = norm.pdf(g) * np.array(
        [
            (1 - chance) ** 3,
            chance * (1 - chance) ** 2,
            chance**2 * (1 - chance) + chance**3 / 3,
        ]
    )
    density /= density.sum(1, keepdims=True)
    sadness = density @ g
    # Everything else follows sadness by its correlation with it.
    expected = sadness[:, None] * WORLD.covariance[4]
    np.testing.assert_allclose(posterior.expected(), expected, atol=1e-4)


@pytest.mark.parametrize(
    ("knob", "other"),
    [
        ("reliability", {"reliability": 0}),
        ("incongruence", {"incongruence": 0}),
        ("moderation", {"moderation": 0}),
        ("variants", {"variants": 0}),
    ],
)
def test_observer_without_a_knob_believes_in_a_world_without_it(knob, other):
    loadings = some_loadings()
    _, controls, given = some_clips(MILD, loadings, 6, 4)
    if knob == "reliability":
        plain = {name: np.ones(6) for name in CONTROLS}
        seen = Circumstances(**{**vars(given), "noise": plain})
    else:
        seen = given
    np.testing.assert_allclose(
        all_of(loadings, controls, given, MILD, 4, [knob]).expected(),
        all_of(loadings, controls, seen, MILD.model_copy(update=other), 4).expected(),
        atol=1e-12,
    )


def test_observer_without_time_sees_the_mean_over_frames():
    loadings, knobs = some_loadings(), Knobs(burst=0.7)
    _, controls, given = some_clips(knobs, loadings, 6, 4)
    mean = envelopes(knobs, 4).mean()
    pooled = {name: z.mean(1, keepdims=True) for name, z in controls.items()}
    weaker = loadings | {
        name: Loadings(mean * each.first, mean * each.second, each.traits, each.offset)
        for name, each in loadings.items()
        if name in FRAMED
    }
    np.testing.assert_allclose(
        all_of(loadings, controls, given, knobs, 4, ["burst"]).expected(),
        all_of(weaker, pooled, given, Knobs(), 4).expected(),
        atol=1e-10,
    )


def test_median_of_a_mixture():
    mixture = Mixture(
        np.array([[0.25, 0.75]]),
        np.array([[[-2.0], [3.0]]]),
        np.array([[[0.5], [2.0]]]),
    )
    (median,) = mixture.median()
    assert 0.25 * norm.cdf((median + 2) / 0.5) + 0.75 * norm.cdf(
        (median - 3) / 2
    ) == pytest.approx(0.5, abs=1e-6)
