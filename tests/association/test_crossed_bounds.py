"""Bounds against clips that carry both labels, a jackknife and normal quantiles."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from sslmepr.association.crossed_bounds import crossed_bounds, quantile
from sslmepr.association.grid import CELLS
from sslmepr.association.prediction_powered import stacked
from sslmepr.association.scores import Scores
from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.report.figures.bounds import bounds_panels

SIZES = len(SCORED_EMOTIONS), len(TRAITS)


def corpora(rng, clips=300, noise=1.0, modalities=2, per_speaker=1):
    """The same clips as both corpora, so that all labels are known together."""
    mix = rng.standard_normal((sum(SIZES), sum(SIZES)))
    latents = rng.standard_normal((clips, sum(SIZES))) @ mix / np.sqrt(sum(SIZES))
    e, t = latents[:, : SIZES[0]], latents[:, SIZES[0] :]
    sides = [
        each[:, None] + noise * rng.standard_normal((clips, modalities, each.shape[1]))
        for each in (e, t)
    ]
    every = np.ones((clips, modalities), bool)
    names = np.array([f"s{n // per_speaker}" for n in range(clips)])
    return [Scores(*sides, every, names, labels) for labels in (e > 0.3, t)]


@pytest.mark.parametrize("modalities", [1, 2])
def test_the_only_thing_unknown_is_the_covariance_of_the_residuals(modalities):
    scores = corpora(np.random.default_rng(0), modalities=modalities)
    found = crossed_bounds(scores, 0.95)
    e, t = scores[0].labels.astype(float), scores[1].labels
    left = [label - stacked(scores, task)[task] for task, label in enumerate((e, t))]
    for row, (i, j) in zip(found.itertuples(), np.ndindex(*SIZES), strict=True):
        scale = e[:, i].std() * t[:, j].std()
        free = np.cov(left[0][:, i], left[1][:, j], ddof=0)[0, 1] / scale
        known = np.corrcoef(e[:, i], t[:, j])[0, 1]
        assert row.unrelated + free == pytest.approx(known)
        reach = left[0][:, i].std() * left[1][:, j].std() / scale
        assert row.low == pytest.approx(max(row.unrelated - reach, -1))
        assert row.high == pytest.approx(min(row.unrelated + reach, 1))
        assert row.interval_low <= row.low <= known <= row.high <= row.interval_high
        assert row.explained_trait == pytest.approx(
            1 - left[1][:, j].var() / t[:, j].var()
        )
    assert list(zip(found["emotion"], found["trait"], strict=True)) == CELLS
    assert (found["n"] == 600).all() and (found["n_speakers"] == 600).all()


def test_better_predictions_leave_less_open():
    widths = []
    for noise in (0.3, 1.0, 3.0):
        found = crossed_bounds(corpora(np.random.default_rng(1), noise=noise), 0.95)
        widths.append((found["high"] - found["low"]).mean())
    assert widths == sorted(widths) and widths[0] < 0.8 * widths[2]


def test_errors_are_those_of_a_jackknife():
    scores = corpora(np.random.default_rng(2), 200, per_speaker=4)
    names = np.unique(scores[0].speakers)
    found = crossed_bounds(scores, 0.95)
    variance = {"low": 0.0, "high": 0.0}
    for place in (0, 1):
        deleted = []
        for name in names:
            keep = scores[place].speakers != name
            part = Scores(*(each[keep] for each in scores[place][:5]))
            parts = [part if n == place else scores[n] for n in (0, 1)]
            deleted.append(crossed_bounds(parts, 0.95)[["low", "high"]])
        for end in variance:
            values = np.array([each[end] for each in deleted])
            spread = ((values - values.mean(0)) ** 2).sum(0)
            variance[end] += spread * (len(names) - 1) / len(names)
    inner = (found["low"] > -0.99) & (found["high"] < 0.99)
    gap = norm.isf(0.05)  # bounds are many standard errors apart
    assert inner.sum() > 10
    below = (found["low"] - found["interval_low"])[inner] / gap
    above = (found["interval_high"] - found["high"])[inner] / gap
    seen = inner & (found["interval_low"] > -1) & (found["interval_high"] < 1)
    np.testing.assert_allclose(below[seen], np.sqrt(variance["low"])[seen], rtol=0.2)
    np.testing.assert_allclose(above[seen], np.sqrt(variance["high"])[seen], rtol=0.2)


def test_the_quantile_lies_between_one_side_and_two():
    found = quantile(np.array([0.0, 0.05, 5.0]), np.full(3, 0.1), 0.95)
    assert found[0] == pytest.approx(norm.isf(0.025))
    assert found[2] == pytest.approx(norm.isf(0.05))
    assert found[2] < found[1] < found[0]
    width = norm.cdf(found[1] + 0.5) - norm.cdf(-found[1])
    assert width == pytest.approx(0.95)


def test_bounds_are_drawn_with_what_is_known():
    found = crossed_bounds(corpora(np.random.default_rng(3)), 0.95)
    true = pd.DataFrame(CELLS, columns=["emotion", "trait"]).assign(r=0.25)
    figure = bounds_panels.draw(found, true)
    axes = figure.axes[0]
    drawn = [each.get_segments() for each in axes.collections[:2]]
    mine = found[found["emotion"] == SCORED_EMOTIONS[0]]
    for lines, ends in zip(
        drawn, (("interval_low", "interval_high"), ("low", "high")), strict=True
    ):
        shown = sorted(map(tuple, np.array(lines)[:, :, 0]))
        np.testing.assert_allclose(shown, sorted(map(tuple, mine[[*ends]].to_numpy())))
    assert (axes.collections[-1].get_offsets()[:, 0] == 0.25).all()
    plt.close(figure)
