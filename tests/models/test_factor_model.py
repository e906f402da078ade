"""Inference in a factor model, held against Gaussian conditioning in full."""

import numpy as np
import pytest
import torch
from factor_laws import FEATURES, model, tensor
from scipy.linalg import block_diag
from scipy.special import logsumexp
from scipy.stats import multivariate_normal, norm

from sslmepr.labels import MODALITIES
from sslmepr.models.factor_model import (
    ChannelLaw,
    Evidence,
    FactorModel,
    Parts,
    expressiveness,
    infer,
    quality_classes,
)

PLAIN = Parts(classes=1, contrary=False, forms=False, expressive=False)
CLIPS = 6


def clips(parts, seed=1, labels=False):
    rng, width = np.random.default_rng(seed), len(parts.factors)
    present = {name: rng.random(CLIPS) > 0.3 for name in MODALITIES}
    present["scene"][:] = True
    features = {
        name: tensor(2 * rng.standard_normal((CLIPS, FEATURES)) * seen[:, None])
        for name, seen in present.items()
    }
    known = tensor(rng.standard_normal((CLIPS, width)))
    precision = tensor(rng.random((CLIPS, width)) * labels)
    present = {name: torch.from_numpy(seen) for name, seen in present.items()}
    return Evidence(features, present, known, precision)


def in_full(law, given, clip, contrary=False, second=False, shown=1.0):
    """Posterior mean, covariance and log density of the features of one clip."""
    axes, values, errors = [], [], []
    emotions, prior = law.parts.emotions, law.prior.numpy()
    for name, channel in law.channels.items():
        if not given.present[name][clip]:
            continue
        form = channel.loadings[int(second and len(channel.loadings) > 1)].numpy()
        form = form.copy()
        form[:, :emotions] *= shown * (-1 if contrary and name == "text" else 1)
        axes.append(form)
        values.append((given.features[name][clip] - channel.means[0]).numpy())
        errors.append(channel.errors[0].numpy())
    for place in np.flatnonzero(given.precision[clip]):
        axes.append(np.eye(len(prior))[[place]])
        values.append(given.known[clip, [place]].numpy())
        errors.append(np.array([[1 / given.precision[clip, place].item()]]))
    axes, values = np.vstack(axes), np.concatenate(values)
    noise = block_diag(*errors)
    covariance = axes @ prior @ axes.T + noise
    gain = prior @ axes.T @ np.linalg.inv(covariance)
    fit = multivariate_normal(cov=covariance).logpdf(values)
    return gain @ values, prior - gain @ axes @ prior, fit


@pytest.mark.parametrize("labels", [False, True])
@pytest.mark.parametrize("tasks", [("emotion", "personality"), ("personality",)])
def test_posterior_is_that_of_the_joint_gaussian(tasks, labels):
    parts = Parts(tasks, 1, False, False, False)
    law, given = model(parts), clips(parts, labels=labels)
    found = infer(law, given)
    for clip in range(CLIPS):
        mean, covariance, _ = in_full(law, given, clip)
        np.testing.assert_allclose(found.expected()[clip], mean, atol=1e-9)
        np.testing.assert_allclose(found.covariances[0, clip], covariance, atol=1e-9)


def test_cases_are_weighed_by_what_the_features_say_and_what_the_voice_tells():
    parts = Parts(classes=1, expressive=False)
    law, given = model(parts), clips(parts)
    found = infer(law, given)
    assert found.cases == [(False, False), (False, True), (True, False), (True, True)]
    voice = (given.features["audio"] @ law.gate[:-1] + law.gate[-1]).numpy()
    for clip in range(CLIPS):
        contrary = 1 / (1 + np.exp(-voice[clip]))
        each = [in_full(law, given, clip, *case) for case in found.cases]
        logs = np.array([fit for *_, fit in each])
        logs += np.log([1 - contrary, 1 - contrary, contrary, contrary])
        logs += np.log([0.7, 0.3, 0.7, 0.3])
        weights = np.exp(logs - logsumexp(logs))
        np.testing.assert_allclose(found.weights[clip], weights, atol=1e-9)
        mean = sum(w * m for w, (m, *_) in zip(weights, each, strict=True))
        np.testing.assert_allclose(found.expected()[clip], mean, atol=1e-9)
        above = sum(
            w * norm.sf(0.8, m[:6], np.sqrt(np.diag(c)[:6]))
            for w, (m, c, _) in zip(weights, each, strict=True)
        )
        chance = found.above(law.thresholds)[clip]
        np.testing.assert_allclose(chance, above, atol=1e-9)
        assert found.chance(0)[clip].item() == pytest.approx(weights[2:].sum())
        assert found.chance(1)[clip].item() == pytest.approx(weights[1::2].sum())


def test_expressiveness_takes_the_extraversion_that_is_expected_without_it():
    parts = Parts(classes=1, contrary=False, forms=False)
    law, given = model(parts), clips(parts)
    plain = infer(law, given)
    law.moderation = 0.4
    found = infer(law, given)
    place = parts.factors.index("extraversion")
    read = np.clip(plain.expected()[:, place].numpy(), -2.5, 2.5)
    np.testing.assert_allclose(found.shown, np.exp(0.4 * read - 0.16))
    for clip in range(CLIPS):
        mean, *_ = in_full(law, given, clip, shown=found.shown[clip].item())
        np.testing.assert_allclose(found.expected()[clip], mean, atol=1e-9)


def test_expressiveness_has_a_mean_square_of_1():
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    square = expressiveness(0.3, tensor(nodes)).numpy() ** 2 @ weights / weights.sum()
    assert square == pytest.approx(1, abs=0.01)


def test_classes_of_quality_follow_bayes_and_choose_the_errors():
    parts = Parts(contrary=False, forms=False, expressive=False)
    law, given = model(parts), clips(parts)
    law.channels["face"].shares = tensor([0.2, 0.8])
    found = quality_classes(law, given)
    for name, channel in law.channels.items():
        (axes,), prior = channel.loadings.numpy(), law.prior.numpy()
        logs = np.stack(
            [
                np.log(share)
                + multivariate_normal(mean, error + axes @ prior @ axes.T).logpdf(
                    given.features[name]
                )
                for share, mean, error in zip(
                    *map(np.asarray, (channel.shares, channel.means, channel.errors)),
                    strict=True,
                )
            ],
            1,
        )
        expected = np.exp(logs - logsumexp(logs, 1, keepdims=True))
        expected[~given.present[name]] = 0
        np.testing.assert_allclose(found[name], expected, atol=1e-9)
    # A class that is certain leaves the errors and means of that class alone.
    for channel in law.channels.values():
        channel.shares = tensor([1 - 1e-300, 1e-300])
    first = infer(law, given)
    for clip in range(CLIPS):
        mean, *_ = in_full(law, given, clip)
        np.testing.assert_allclose(first.expected()[clip], mean, atol=1e-6)


def test_the_other_modalities_help_to_tell_how_well_one_was_seen():
    # With two modalities and one case, the class of the first has the odds of a
    # mixture over its own classes, where the second has one: that is enumerated.
    parts = Parts(contrary=False, forms=False, expressive=False)
    law, given = model(parts), clips(parts)
    law.channels = {name: law.channels[name] for name in ("face", "scene")}
    scene = law.channels["scene"]
    for key in ("means", "errors"):
        getattr(scene, key)[1] = getattr(scene, key)[0]
    found = infer(law, given)
    for clip in np.flatnonzero(given.present["face"]):
        logs = []
        for place, share in enumerate(law.channels["face"].shares):
            face = law.channels["face"]
            alone = ChannelLaw(
                face.loadings, face.means[[place]], face.errors[[place]], face.shares
            )
            channels = {"face": alone, "scene": scene}
            one = FactorModel(
                parts, channels, law.prior, law.thresholds, law.second, law.gate
            )
            logs.append(np.log(share.item()) + in_full(one, given, clip)[2])
        expected = np.exp(logs - logsumexp(logs))
        np.testing.assert_allclose(found.classes["face"][clip], expected, atol=1e-9)


def test_clips_are_inferred_one_by_one():
    parts = Parts()
    law, given = model(parts), clips(parts, labels=True)
    law.moderation = 0.2
    every, rows = infer(law, given), np.array([4, 1])
    some = infer(law, given.at(rows))
    np.testing.assert_allclose(some.expected(), every.expected()[rows], atol=1e-9)
    blind = given.unlabelled()
    assert not blind.precision.any() and blind.features is given.features
