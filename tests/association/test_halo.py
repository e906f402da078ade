"""What is common to all traits, and what it could explain."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr import params as parameters
from sslmepr.association.grid import tidy_matrix
from sslmepr.association.halo import (
    SELF_REPORTS,
    common_part,
    halo_weight,
    sensitivity,
    trait_correlation,
    without_halo,
)
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params.simulation import Raters
from sslmepr.simulation.raters import IMPRESSION, halo_rows, label_clips
from sslmepr.simulation.world import (
    EMOTION_CORRELATION,
    draw_emotions,
    draw_traits,
    make_world,
)
from sslmepr.statistics.norms import TRAIT_CORRELATION


def predictions(read, annotated, corpus="a"):
    """Tidy predictions of traits from two (clip, trait) arrays; two equal seeds."""
    clips = [f"c{n}" for n in range(len(read))]
    parts = [
        pd.DataFrame(
            {"clip_id": clips, "predicted": read[:, at], "true": annotated[:, at]}
        ).assign(
            target=trait, corpus=corpus, stage="fusion", variant="multitask", seed=seed
        )
        for at, trait in enumerate(TRAITS)
        for seed in (0, 1)
    ]
    return pd.concat(parts, ignore_index=True)


def test_common_part_is_the_mean_correlation_of_two_traits():
    rng = np.random.default_rng(0)
    read = rng.standard_normal((40, 5)) + rng.standard_normal((40, 1))
    known = rng.standard_normal((40, 5))
    table = common_part(predictions(read, known), ["a", "absent"], "multitask")
    assert list(table["traits"]) == ["annotated", "read by the model", SELF_REPORTS]
    for row, values in zip(table.itertuples(), (known, read), strict=False):
        r = pd.DataFrame(values).corr().to_numpy()
        expected = np.mean([r[i, j] for i in range(5) for j in range(i)])
        assert row.mean_correlation == pytest.approx(expected)
        assert row.clips == 40
    # The norms: .41, .28, .24, .54, .07, .22, .26 and three close to nothing.
    assert table["mean_correlation"].iloc[-1] == pytest.approx(0.198)


def test_a_corpus_without_trait_labels_has_no_annotated_row():
    read = np.random.default_rng(1).standard_normal((20, 5))
    table = common_part(predictions(read, np.full((20, 5), np.nan)), "a", "multitask")
    assert list(table["traits"]) == ["read by the model", SELF_REPORTS]


RATERS = Raters(count=2, halo=0.5, noise_sd=0)
VARIANCE = 1 + 1 / 2
"""Of the mean impression of two raters: of the emotions, and of each rater's own."""

WEIGHT = np.sqrt(0.25 * VARIANCE / (1 + 0.25 * VARIANCE))
"""Share of halo in the standard deviation of a label."""

WORLD = make_world(
    "odd", {"odd": {"surprise": {"openness": 0.35, "extraversion": 0.3}}}
)
"""Surprise makes no impression, so that halo is independent of the traits."""

KAPPA = EMOTION_CORRELATION @ IMPRESSION / np.sqrt(VARIANCE)
"""Correlation of each emotion with the mean impression."""


def with_halo(b):
    """Correlations of labels that hold halo of weight b, by the definition."""
    mixing = np.hstack([np.sqrt(1 - b**2) * np.eye(5), np.full((5, 1), b)])
    causes = np.eye(6)
    causes[:5, :5] = TRAIT_CORRELATION
    return mixing @ causes @ mixing.T


@pytest.fixture(scope="module")
def rated():
    """Latent emotions and trait labels of raters with halo and without noise."""
    rng = np.random.default_rng(0)
    traits = draw_traits(200_000, rng)
    latents = np.hstack([draw_emotions(WORLD, traits, rng), traits])
    simulation = parameters.load().simulation
    return latents[:, :6], label_clips(latents, simulation, RATERS, rng).personality


@pytest.mark.parametrize("b", [0.0, 0.2, 0.5, 0.9])
def test_weight_of_halo_by_its_definition(b):
    assert halo_weight(with_halo(b)) == pytest.approx(b, abs=1e-7)


def test_labels_that_correlate_less_than_traits_hold_no_halo():
    assert halo_weight(np.eye(5)) == 0
    assert halo_weight(np.ones((5, 5))) == 1


def test_weight_of_halo_of_simulated_raters(rated):
    rows = halo_rows(RATERS)
    covariance = rows @ WORLD.covariance @ rows.T + 0.25 / 2
    deviation = np.sqrt(np.diag(covariance))
    exact = covariance / np.outer(deviation, deviation)
    assert halo_weight(exact) == pytest.approx(WEIGHT)
    assert halo_weight(trait_correlation(rated[1])) == pytest.approx(WEIGHT, abs=0.005)


def test_at_the_true_kappa_the_true_association_is_left(rated):
    emotions, labels = rated
    observed = np.corrcoef(emotions, labels, rowvar=False)[:6, 6:]
    weight = halo_weight(trait_correlation(labels))
    np.testing.assert_allclose(
        without_halo(observed, weight, KAPPA[:, None]), WORLD.association, atol=0.01
    )
    # Labels themselves associate happiness, which is associated with nothing.
    assert observed[3].min() > 0.2
    table = tidy_matrix(pd.DataFrame(observed, SCORED_EMOTIONS, TRAITS), "r")
    table = table.assign(low=table["r"] - 0.05, high=table["r"] + 0.05)
    found = sensitivity(table, trait_correlation(labels))
    happy = found[found["emotion"] == "happiness"]
    np.testing.assert_allclose(happy["kappa"], KAPPA[3], atol=0.02)
    assert (happy["robustness"] < KAPPA[3]).all()


def cells(r, half=0.1):
    table = pd.DataFrame({"emotion": "anger", "trait": TRAITS[: len(r)], "r": r})
    return table.assign(low=table["r"] - half, high=table["r"] + half)


def test_robustness_by_hand():
    found = sensitivity(cells([0.3, -0.2, 0.05, 0.7]), with_halo(0.5))
    np.testing.assert_allclose(found["weight"], 0.5)
    np.testing.assert_allclose(found["kappa"], [0.6, -0.4, 0.1, 1.4])
    # Ends nearest to 0: .2, -.1, none, and .6, for which no halo suffices.
    np.testing.assert_allclose(found["robustness"], [0.4, 0.2, 0, 1.2], atol=1e-9)
    assert list(found["trait"]) == list(TRAITS[:4])


def test_without_halo_in_the_labels_none_can_explain_anything():
    found = sensitivity(cells([0.3, -0.3, 0.0]), TRAIT_CORRELATION)
    assert found["kappa"].tolist() == [np.inf, -np.inf, 0]
    assert found["robustness"].tolist() == [np.inf, np.inf, 0]


def test_an_undefined_cell_stays_undefined():
    found = sensitivity(cells([np.nan, 0.3]), with_halo(0.5))
    assert found[["kappa", "robustness"]].isna().to_numpy().tolist() == [
        [True, True],
        [False, False],
    ]


@settings(deadline=None)
@given(st.floats(0.05, 0.95), st.floats(-0.9, 0.9), st.floats(0.001, 0.5))
def test_robustness_is_the_smallest_halo_that_reaches_zero(b, r, half):
    found = sensitivity(cells([r], half), with_halo(b)).iloc[0]
    reach = np.sign(r) * found["robustness"]
    ends = found[["low", "high"]].to_numpy(float)
    low, high = without_halo(ends, b, reach)
    assert low <= 1e-6 and high >= -1e-6
    for kappa in np.array([-0.99, 0.5, 0.99]) * reach:
        low, high = without_halo(ends, b, kappa)
        assert reach == 0 or low > 0 or high < 0
    assert without_halo(r, b, found["kappa"]) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("wrong", [np.eye(4), np.full((5, 5), np.nan), 2 * np.eye(5)])
def test_what_are_no_correlations_is_an_error(wrong):
    with pytest.raises(ValueError, match="not 5 by 5 numbers from -1 to 1"):
        halo_weight(wrong)


def test_what_is_no_matrix_of_correlations_is_an_error():
    for wrong in (np.tri(5), np.zeros((5, 5))):
        with pytest.raises(ValueError, match="not symmetric, or not 1 on the diagonal"):
            halo_weight(wrong)


def test_correlations_are_of_clips_with_all_labels():
    labels = np.random.default_rng(2).random((30, 5))
    labels[4, 2] = labels[7] = np.nan
    expected = pd.DataFrame(labels).dropna().corr()
    np.testing.assert_allclose(trait_correlation(labels), expected)
    labels[:, 1] = 0.5
    with pytest.raises(ValueError, match="labels of traits: conscientiousness does no"):
        trait_correlation(labels)
    with pytest.raises(ValueError, match="labels of traits: 0 clips have them"):
        trait_correlation(np.full((30, 5), np.nan))
