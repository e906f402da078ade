"""Discriminant analysis against scikit-learn, and the choice of its shrinkage."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from sslmepr.training.discriminant import SHRINKAGES, Discriminant

CLASSES, SPEAKERS = 3, 6


def drawn(features: int, repeats: int = 4, seed: int = 0):
    """Clips of speakers who show every class, in noise that few directions share."""
    rng = np.random.default_rng(seed)
    speaker, label, _ = np.indices((SPEAKERS, CLASSES, repeats)).reshape(3, -1)
    nuisance = 5 * rng.standard_normal((2, features))
    values = rng.standard_normal((CLASSES, features))[label]
    values = values + rng.standard_normal((len(label), 2)) @ nuisance
    return values + 0.5 * rng.standard_normal(values.shape), label, speaker


@pytest.mark.parametrize("features", [5, 200])
@pytest.mark.parametrize("shrinkage", [0.01, 0.4, 1.0])
def test_scores_are_those_of_scikit_learn_but_for_a_constant(features, shrinkage):
    values, label, speaker = drawn(features)
    ours = Discriminant(values, label, speaker, [shrinkage])
    scaled = (values - values.mean(0)) / (values.std(0) + 1e-6)
    # scikit-learn shrinks the covariance of standardised features
    within = scaled - np.stack([scaled[label == c].mean(0) for c in range(3)])[label]
    theirs = LinearDiscriminantAnalysis(
        solver="lsqr",
        priors=[1 / CLASSES] * CLASSES,
        covariance_estimator=Shrunken(within, shrinkage),
    ).fit(scaled, label)
    found, expected = ours.scores(values), theirs.decision_function(scaled)
    differences = found - found[:, :1], expected - expected[:, :1]
    np.testing.assert_allclose(*differences, rtol=1e-6, atol=1e-6)


class Shrunken:
    """The covariance within classes, shrunken as Friedman does."""

    def __init__(self, within, shrinkage):
        self.covariance = (1 - shrinkage) * within.T @ within / len(within)
        level = (within**2).mean()
        self.covariance[np.diag_indices_from(self.covariance)] += shrinkage * level

    def fit(self, _):
        self.covariance_ = self.covariance
        return self


def test_directions_in_which_clips_of_a_class_differ_count_for_little():
    values, label, speaker = drawn(40)
    unseen, other = speaker == 0, speaker != 0
    shrunken = Discriminant(values[other], label[other], speaker[other])
    centroids = Discriminant(values[other], label[other], speaker[other], [1.0])
    right = [
        (each.scores(values[unseen]).argmax(1) == label[unseen]).mean()
        for each in (shrunken, centroids)
    ]
    assert shrunken.shrinkage < max(SHRINKAGES)
    assert right[0] == 1 and right[1] < 0.8


def test_the_shrinkage_is_that_of_the_highest_recall_of_left_out_speakers():
    values, label, speaker = drawn(40)
    found = Discriminant(values, label, speaker)
    recalls = []
    for shrinkage in SHRINKAGES:
        right = np.zeros(len(label))
        for fold in ([0, 4], [1, 5], [2], [3]):
            unseen = np.isin(speaker, fold)
            model = Discriminant(
                values[~unseen], label[~unseen], speaker[~unseen], [shrinkage]
            )
            right[unseen] = model.scores(values[unseen]).argmax(1) == label[unseen]
        recalls.append(np.mean([right[label == c].mean() for c in range(CLASSES)]))
    assert found.shrinkage == SHRINKAGES[int(np.argmax(recalls))]


def test_one_speaker_has_no_folds():
    values, label, _ = drawn(5)
    found = Discriminant(values, label, np.zeros(len(label)), (0.1, 0.2, 0.3))
    assert found.shrinkage == 0.2


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 10), st.floats(-5, 5))
def test_units_of_a_feature_do_not_matter(seed, unit, zero):
    values, label, speaker = drawn(6, repeats=2, seed=seed)
    changed = values.copy()
    changed[:, 2] = unit * values[:, 2] + zero
    scores = [
        Discriminant(each, label, speaker, [0.3]).scores(each)
        for each in (values, changed)
    ]
    np.testing.assert_allclose(*scores, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shrinkage", [0.0, -0.1, 1.1])
def test_a_shrinkage_outside_its_range_is_an_error(shrinkage):
    values, label, speaker = drawn(5)
    with pytest.raises(ValueError, match=r"shrinkages: .* not all in \(0, 1\]"):
        Discriminant(values, label, speaker, [shrinkage])


def test_a_class_without_clips_is_an_error():
    values, label, speaker = drawn(5)
    with pytest.raises(ValueError, match="no training clip of class 1"):
        Discriminant(values, 2 * label, speaker)
