"""Doubly labelled clips with predictions, against pooling, a jackknife and worlds."""

import numpy as np
import pandas as pd
import pytest
from drawn_laws import CUT, EMOTIONS, drawn, laws
from scipy.stats import binom, norm

from sslmepr.association.influence_tests import intervals
from sslmepr.association.prediction_powered import (
    bridge_labels,
    combined,
    comparable,
    prediction_powered,
    stacked,
)
from sslmepr.association.scores import IdentificationError, Scores
from sslmepr.labels import SCORED_EMOTIONS, TRAITS


def study(rng, clips=200, bridge=120, per_speaker=1, noise=0.7):
    """Scores of three corpora, and both labels of the third."""
    law = laws(rng)
    corpora = drawn(rng, clips, *law, noise, per_speaker)
    latents = rng.multivariate_normal(np.zeros(len(law[0])), law[0], bridge)
    sides = [
        np.einsum("nl,msl->nms", latents, each)
        + noise * rng.standard_normal((bridge, *each.shape[:2]))
        for each in law[1:]
    ]
    speakers = np.array([f"b{n // per_speaker}" for n in range(bridge)])
    third = Scores(*sides, np.ones((bridge, 3), bool), speakers)
    return [*corpora[:2], third], labelled(latents), law[0][:EMOTIONS, EMOTIONS:]


def labelled(latents):
    labels = latents.copy()
    labels[:, :EMOTIONS] = latents[:, :EMOTIONS] > CUT
    return labels


def test_with_predictions_that_are_constant_elsewhere_refused():
    scores, labels, _ = study(np.random.default_rng(0))
    flat = scores[1]._replace(emotions=np.zeros_like(scores[1].emotions))
    with pytest.raises(IdentificationError, match="the same in all clips"):
        prediction_powered([scores[0], flat, scores[2]], labels)


def test_few_people_with_both_labels_are_refused():
    scores, labels, _ = study(np.random.default_rng(1))
    labels[29:] = np.nan
    with pytest.raises(IdentificationError, match="29 people .* 30 are needed"):
        prediction_powered(scores, labels)


def test_useless_predictions_leave_the_correlation_of_the_bridge_sample():
    """Biserial r by its textbook formula, with the standard error of drawn samples."""
    rng = np.random.default_rng(2)
    scores, labels, _ = study(rng, clips=4000, bridge=4000)
    noise = [
        each._replace(
            emotions=rng.standard_normal(each.emotions.shape),
            traits=rng.standard_normal(each.traits.shape),
        )
        for each in scores
    ]
    found = prediction_powered(noise, labels)
    e, t = labels[:, :EMOTIONS], labels[:, EMOTIONS:]
    for i in range(EMOTIONS):
        for j in range(t.shape[1]):
            shown = e[:, i] > 0
            p = shown.mean()
            gap = t[shown, j].mean() - t[~shown, j].mean()
            biserial = gap / t[:, j].std() * p * (1 - p) / norm.pdf(norm.isf(p))
            # Controls that mean nothing move it by a small part of its error.
            assert found.associations[i, j] == pytest.approx(biserial, abs=0.01)


def test_perfect_predictions_pool_all_clips():
    """What is predicted is what is labelled: all clips are as good as labelled.

    Without the scale of latents, the best estimate would be that of all clips pooled;
    its variance is smaller than that of the bridge sample by the ratio of clips.
    """
    rng = np.random.default_rng(3)
    joint = laws(rng)[0]
    parts = []
    for count in (6000, 6000, 500):
        latents = rng.multivariate_normal(np.zeros(len(joint)), joint, count)
        both = labelled(latents)
        shown, traits = both[:, :EMOTIONS], both[:, EMOTIONS:]
        sides = [np.repeat(each[:, None], 2, 1) for each in (shown, traits)]
        speakers = np.arange(count).astype(str)
        parts.append((Scores(*sides, np.ones((count, 2), bool), speakers), both))
    (first, one), (second, two), (third, labels) = parts
    scores = [
        first._replace(labels=one[:, :EMOTIONS]),
        second._replace(labels=two[:, EMOTIONS:]),
        third,
    ]
    # Copies of one control would leave their shares undetermined.
    jitter = [
        each._replace(
            emotions=each.emotions + 0.05 * rng.standard_normal(each.emotions.shape),
            traits=each.traits + 0.05 * rng.standard_normal(each.traits.shape),
        )
        for each in scores
    ]
    found = prediction_powered(jitter, labels)
    every = np.vstack([one, two, labels])
    share = every[:, :EMOTIONS].mean(0)
    factor = np.sqrt(share * (1 - share)) / norm.pdf(norm.isf(share))
    pooled = np.corrcoef(every.T)[:EMOTIONS, EMOTIONS:] * factor[:, None]
    np.testing.assert_allclose(found.associations, pooled, atol=0.02)
    alone = 1 / np.sqrt(500)
    assert (found.error < 0.5 * alone).all()


def test_influence_functions_are_those_of_a_jackknife():
    scores, labels, _ = study(np.random.default_rng(4), 240, 240, per_speaker=3)
    found = prediction_powered(scores, labels)
    for place, corpus in enumerate(scores):
        deleted = []
        names = np.unique(corpus.speakers)[:15]
        for name in names:
            keep = corpus.speakers != name
            part = Scores(*(None if each is None else each[keep] for each in corpus))
            fewer = [*scores[:place], part, *scores[place + 1 :]]
            rest = labels[keep] if place == 2 else labels
            deleted.append(prediction_powered(fewer, rest).associations)
        change = found.associations - np.array(deleted)
        influence = found.influence[place][:15]
        slope = (change * influence).sum() / (influence**2).sum()
        assert slope == pytest.approx(1, abs=0.15)
        assert np.corrcoef(change.ravel(), influence.ravel())[0, 1] > 0.95


def test_intervals_cover_and_predictions_make_them_shorter():
    rng = np.random.default_rng(5)
    studies, covered, estimates, errors = 60, 0, [], []
    for number in range(studies):
        scores, labels, truth = study(np.random.default_rng([5, number]), 500, 150)
        found = prediction_powered(scores, labels)
        low, high, _ = intervals(
            found.associations, found.error, 0.95, found.n_speakers
        )
        covered += ((low <= truth) & (truth <= high)).sum()
        estimates.append(found.associations - truth)
        noise = [
            each._replace(
                emotions=rng.standard_normal(each.emotions.shape),
                traits=rng.standard_normal(each.traits.shape),
            )
            for each in scores
        ]
        errors.append([found.error, prediction_powered(noise, labels).error])
    few, many = binom.interval(0.999, studies * truth.size, 0.95)
    assert few - 10 <= covered <= many + 10  # cells of a study are not independent
    deviation = np.std(estimates, 0)
    assert (np.abs(np.mean(estimates, 0)) < 4 * deviation / np.sqrt(studies)).all()
    with_scores, alone = np.mean(errors, 0)
    assert (with_scores < alone).all()
    np.testing.assert_allclose(with_scores, deviation, rtol=0.35)


def test_the_combination_has_the_smallest_variance_of_all_means():
    rng = np.random.default_rng(6)
    scores, labels, _ = study(rng)
    first = prediction_powered(scores, labels)
    other = [0.5 * each for each in first.influence]
    other[0] = other[0] + 0.02 * rng.standard_normal(other[0].shape)
    second = first._replace(associations=first.associations + 0.1, influence=other)
    both = combined(first, second)
    for weight in np.linspace(0, 1, 101):
        mixed = [
            weight * two + (1 - weight) * one
            for one, two in zip(first.influence, other, strict=True)
        ]
        variance = sum((each**2).sum(0) for each in mixed)
        assert (variance >= both.error**2 - 1e-9).all()
    share = (both.associations - first.associations) / 0.1
    assert ((share >= 0) & (share <= 1)).all() and share.std() > 0


def test_an_estimate_without_error_of_its_own_is_not_mixed_with_a_worse_one():
    scores, labels, _ = study(np.random.default_rng(7))
    first = prediction_powered(scores, labels)
    worse = first._replace(influence=[2 * each for each in first.influence])
    np.testing.assert_array_equal(combined(first, worse).error, first.error)


def test_clips_of_a_single_modality_are_left_aside_where_others_have_more():
    present = np.array([[True, True], [True, False], [False, False]])
    empty = np.zeros((3, 2, 1))
    scores = Scores(empty, empty, present, np.array(["a", "b", "c"]))
    assert comparable(scores).tolist() == [True, False, False]
    alone = scores._replace(present=present & [True, False])
    assert comparable(alone).tolist() == [True, True, False]


def test_weights_are_those_of_least_squares():
    scores, *_ = study(np.random.default_rng(8))
    every = [each._replace(present=np.ones_like(each.present)) for each in scores]
    found = stacked(every, 1)[1]
    design = np.column_stack([np.ones(200), every[1].traits[:, :, 1]])
    fitted = design @ np.linalg.lstsq(design, every[1].labels[:, 1])[0]
    np.testing.assert_allclose(found[:, 1], fitted - fitted.mean(), atol=1e-9)


def test_labels_are_read_in_the_order_of_clips():
    names = [*SCORED_EMOTIONS, *TRAITS]
    rows = [
        {
            "corpus": "j",
            "clip_id": clip,
            "target": name,
            "true": value + place,
            "predicted": 0.5,
        }
        for clip, value in (("b", 10), ("a", 20))
        for place, name in enumerate(names)
    ]
    table = pd.concat([pd.DataFrame(rows)] * 2)  # of two models
    table.loc[(table["clip_id"] == "b") & (table["target"] == "fear"), "true"] = np.nan
    other = table.assign(corpus="other", true=0.0)
    clips = pd.DataFrame({"part": "j", "clip_id": ["a", "b", "c"]})
    labels = bridge_labels(pd.concat([other, table]), clips)
    np.testing.assert_array_equal(labels[0], 20 + np.arange(11))
    assert np.isnan(labels[1, 2]) and labels[1, 3] == 13
    assert np.isnan(labels[2]).all()
