"""Factor models fitted to clips that are drawn from a known one."""

import numpy as np
import pytest
import torch
from scipy.stats import norm, rankdata, truncnorm

from sslmepr.labels import MODALITIES
from sslmepr.models.factor_model import Evidence, Parts, infer
from sslmepr.training.factor_fit import LABEL_VARIANCE, evidence_of, fit_factors

FEATURES, CUT = 16, 0.8
FACTORS = Parts().factors


def draw(count, contrary=0.0, second=0.0, moderation=0.0, noises=(1.0,), seed=0):
    """Clips of a known world: features, labels, and what is true of the clips."""
    rng, width = np.random.default_rng(seed), len(FACTORS)
    prior = np.eye(width)
    prior[0, 6] = prior[6, 0] = 0.4
    factors = rng.multivariate_normal(np.zeros(width), prior, count)
    said, other = rng.random(count) < contrary, rng.random(count) < second
    shown = np.exp(moderation * factors[:, FACTORS.index("extraversion")])
    features, axes, bad = {}, {}, {}
    for name in MODALITIES:
        forms = 0.8 * rng.standard_normal((2, FEATURES, width))
        forms[1, :, 6:] = forms[0, :, 6:]
        seen = factors.copy()
        seen[:, :6] *= shown[:, None]
        if name == "text":
            seen[said, :6] *= -1
        values = seen @ forms[0].T
        if name in ("face", "body", "audio"):
            values = np.where(other[:, None], seen @ forms[1].T, values)
        bad[name] = rng.integers(len(noises), size=count)
        noise = np.array(noises)[bad[name]]
        values = values + noise[:, None] * rng.standard_normal((count, FEATURES))
        values[:, 0] += 3 * np.log(noise)
        if name == "audio":
            values[:, 1] += 4 * said
        features[name], axes[name] = values - values.mean(0), forms
    half = np.arange(count) < count // 2
    emotions = np.clip((factors[:, :6] - CUT) / 2, 0, 1)
    labels = {
        "emotion": np.where(half[:, None], emotions, np.nan),
        "personality": np.where(half[:, None], np.nan, factors[:, 6:]),
    }
    present = {name: np.ones(count, bool) for name in MODALITIES}
    true = {"said": said, "other": other, "factors": factors, "axes": axes, "bad": bad}
    return features, present, labels, true


def given_of(features, present, labels, parts):
    """The clips as evidence, and the thresholds of their emotions."""
    known, precision, thresholds = evidence_of(labels, parts.tasks)
    shown = {name: torch.from_numpy(each) for name, each in features.items()}
    seen = {name: torch.from_numpy(each) for name, each in present.items()}
    return Evidence(shown, seen, known, precision), thresholds


def fit(parts, said=(), **world):
    features, present, labels, true = draw(3000, **world)
    given, thresholds = given_of(features, present, labels, parts)
    law = fit_factors(given, thresholds, parts, said=said)
    return law, infer(law, given.unlabelled()), true


def test_labels_become_normal_scores_and_truncated_normals():
    *_, labels, _ = draw(400)
    known, precision, thresholds = map(np.asarray, evidence_of(labels, Parts().tasks))
    assert known.shape == precision.shape == (400, 11)
    assert not precision[200:, :6].any() and not precision[:200, 6:].any()
    traits = labels["personality"][200:, 2]
    scores = norm.ppf((rankdata(traits) - 0.5) / 200)
    np.testing.assert_allclose(known[200:, 8], scores)
    np.testing.assert_allclose(precision[200:, 8], 1 / LABEL_VARIANCE)
    emotion = labels["emotion"][:200, 0]
    absent, share = emotion == 0, (emotion > 0).mean()
    assert thresholds[0] == pytest.approx(norm.ppf(1 - share))
    # With the standard normal prior, an absent emotion is the truncated normal.
    below = truncnorm(-np.inf, thresholds[0])
    sure, mean = precision[:200, 0][absent], known[:200, 0][absent]
    np.testing.assert_allclose(1 / (1 + sure), below.var(), atol=1e-9)
    np.testing.assert_allclose(sure * mean / (1 + sure), below.mean(), atol=1e-9)
    order = np.argsort(emotion[~absent])
    assert (np.diff(known[:200, 0][~absent][order]) > 0).all()
    assert known[:200, 0][~absent].min() > thresholds[0]


@pytest.mark.parametrize("task", ["emotion", "personality"])
def test_a_task_by_itself_has_its_own_factors(task):
    *_, labels, _ = draw(200)
    known, precision, thresholds = evidence_of(labels, (task,))
    assert known.shape[1] == {"emotion": 6, "personality": 5}[task]
    assert len(thresholds) == (6 if task == "emotion" else 0)
    told = (precision > 0).all(1).numpy()
    np.testing.assert_array_equal(told, np.isfinite(labels[task]).all(1))


def test_the_law_of_plain_clips_is_found_though_no_clip_has_both_labels():
    law, found, true = fit(Parts(classes=1, contrary=False, forms=False))
    sample = np.corrcoef(true["factors"].T)
    np.testing.assert_allclose(law.prior, sample, atol=0.12)
    assert abs(law.moderation) < 0.08
    for name, axes in true["axes"].items():
        loadings = law.channels[name].loadings[0]
        assert np.corrcoef(loadings.ravel(), axes[0].ravel())[0, 1] > 0.97
    r = np.corrcoef(found.expected().T, true["factors"].T)[:11, 11:].diagonal()
    assert r.min() > 0.9


def test_loadings_of_what_is_said_of_the_factors_are_drawn_to_common_gains(monkeypatch):
    rng, parts = np.random.default_rng(0), Parts(classes=1, contrary=False, forms=False)
    _, present, labels, true = draw(2000)
    factors, gains = true["factors"], np.repeat([0.9, 0.4], [6, 5])
    features = {
        name: gains * factors + rng.standard_normal(factors.shape) for name in present
    }
    given, thresholds = given_of(features, present, labels, parts)
    monkeypatch.setattr("sslmepr.training.factor_fit.PENALTY", 1e9)
    law = fit_factors(given, thresholds, parts, said=["face", "scene", "text"])
    loadings = law.channels["face"].loadings[0].numpy()
    assert np.ptp(loadings.diagonal()[:6]) < 1e-4 > np.ptp(loadings.diagonal()[6:])
    np.testing.assert_allclose(loadings.diagonal(), gains, atol=0.15)
    assert np.abs(loadings - np.diag(loadings.diagonal())).max() < 1e-4
    assert np.abs(law.channels["body"].loadings.numpy()).max() < 1e-4


def test_contrary_words_are_found_in_the_voice():
    law, found, true = fit(Parts(classes=1, forms=False), contrary=0.2)
    assert found.chance(0).mean() == pytest.approx(0.2, abs=0.03)
    assert np.corrcoef(found.chance(0), true["said"])[0, 1] > 0.9


def test_two_forms_are_found():
    law, found, true = fit(Parts(classes=1, contrary=False), second=0.3)
    assert law.second == pytest.approx(0.3, abs=0.05)
    assert np.corrcoef(found.chance(1), true["other"])[0, 1] > 0.8


def test_moderation_is_found():
    law, *_ = fit(Parts(classes=1, contrary=False, forms=False), moderation=0.4)
    assert law.moderation == pytest.approx(0.4, abs=0.12)


def test_classes_of_quality_are_found():
    parts = Parts(contrary=False, forms=False, expressive=False)
    law, found, true = fit(parts, noises=(1.0, 4.0))
    for name, classes in found.classes.items():
        assert abs(np.corrcoef(classes[:, 0], true["bad"][name])[0, 1]) > 0.9
        spread = law.channels[name].errors.diagonal(dim1=1, dim2=2).sum(1)
        assert spread.max() > 4 * spread.min()


def test_the_same_clips_and_seed_give_the_same():
    features, present, labels, _ = draw(300)
    given, thresholds = given_of(features, present, labels, Parts())
    one, two = (fit_factors(given, thresholds, Parts(), 3) for _ in range(2))
    np.testing.assert_array_equal(one.prior, two.prior)
    assert one.moderation == two.moderation


def test_an_absent_modality_changes_nothing():
    features, present, labels, _ = draw(400)
    present["body"] = np.arange(400) % 3 > 0
    features["body"][~present["body"]] = 0
    given, thresholds = given_of(features, present, labels, Parts())
    law = fit_factors(given, thresholds, Parts())
    gone = ~present["body"]
    other = {**features, "body": np.where(gone[:, None], 7.0, features["body"])}
    again, _ = given_of(other, present, labels, Parts())
    found, same = (infer(law, each.unlabelled()) for each in (given, again))
    assert (found.classes["body"][gone] == 0).all()
    np.testing.assert_allclose(same.expected(), found.expected(), atol=1e-9)
