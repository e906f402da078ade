"""What the fit leaves: its influence, its distribution, and what it sees."""

import numpy as np
import pytest
from drawn_laws import EMOTIONS, MODALITIES, TRAITS, drawn, laws, read_less
from scipy import stats
from scipy.linalg import null_space

from sslmepr.association.cross_source import observe
from sslmepr.association.domain_scales import domain_scales
from sslmepr.association.moment_fit import solve
from sslmepr.association.overidentification import (
    _influence,
    covariance_difference,
    overidentification,
)
from sslmepr.association.scores import (
    IdentificationError,
    Scores,
    centred,
    of_unit_variance,
)

MOMENTS = MODALITIES * (MODALITIES - 1) * EMOTIONS * TRAITS


@pytest.mark.parametrize(("clips", "alone"), [(1000, 0), (80, 1000)])
def test_p_values_are_uniform_where_all_conditions_hold(clips, alone):
    """200 drawn worlds, each with laws and people of its own.

    With few clips, where scales are drawn to 1, they may be somewhat larger.

    Further clips of the labelled corpora, of which a single modality was seen, are no
    further people who tell how uncertain covariances of scores are.
    """
    p = []
    for seed in range(200):
        rng = np.random.default_rng([16, seed])
        corpora = drawn(rng, clips + alone, *laws(rng), per_speaker=1 + seed % 2)
        for each in corpora[:2]:
            each.present[clips:] = each.present[clips:] & (np.arange(MODALITIES) == 0)
        corpora[2] = Scores(*(x if x is None else x[:clips] for x in corpora[2][:5]))
        found = overidentification(*corpora[:2], corpora[2:])
        assert found.freedom == MOMENTS - EMOTIONS * TRAITS
        p.append(found.p)
    sides = "two-sided" if clips == 1000 else "greater"
    assert stats.kstest(p, "uniform", alternative=sides).pvalue > 0.001
    assert (np.array(p) <= 0.05).sum() <= stats.binom.ppf(0.9995, len(p), 0.05)


def test_errors_that_modalities_share_are_seen():
    rng = np.random.default_rng(1)
    corpora = drawn(rng, 300, *laws(rng))
    shared = []
    for each in corpora:
        noise = rng.standard_normal((len(each.present), 1, 1))
        shared.append(
            each._replace(emotions=each.emotions + noise, traits=each.traits + noise)
        )
    assert overidentification(*corpora[:2], corpora[2:]).p > 0.001
    found = overidentification(*shared[:2], shared[2:])
    assert found.p < 1e-6
    sizes = [np.sqrt((x**2).mean()) for x in (found.residual, found.error)]
    assert sizes[0] > 1.5 * sizes[1]


def test_influence_is_that_of_a_jackknife():
    """Of people on what is left, in the directions that the fit has not taken."""
    rng = np.random.default_rng(4)
    corpora = drawn(rng, 1500, *laws(rng), per_speaker=3)

    def fitted(parts):
        seen = observe(*parts[:2], parts[2:])
        _, model, _ = solve(seen.covariances, seen.mine, seen.theirs, seen.pairs)
        return seen, model, (seen.covariances - model.expected).ravel()

    seen, model, residual = fitted(corpora)
    left = null_space(model.jacobian().T)
    for place, influence in enumerate(_influence(seen, model)):
        change = []
        for name in (names := np.unique(corpora[place].speakers)[:12]):
            keep = corpora[place].speakers != name
            part = Scores(*(None if x is None else x[keep] for x in corpora[place][:5]))
            parts = [*corpora[:place], part, *corpora[place + 1 :]]
            change.append((residual - fitted(parts)[2]) @ left)
        mine = influence[: len(names)] @ left
        slope = (change * mine).sum() / (mine**2).sum()
        assert slope == pytest.approx(1, abs=0.1)
        assert np.corrcoef(np.ravel(change), mine.ravel())[0, 1] > 0.97


def test_the_smallest_singular_value_is_that_of_a_side_that_is_hardly_read():
    joint, of_emotions, of_traits = laws(np.random.default_rng(2), 0.0)
    hardly = of_emotions * np.array([1, 1, 0.02])[:, None]
    sizes = []
    for law in (of_emotions, hardly):
        corpora = drawn(np.random.default_rng(2), 2000, joint, law, of_traits, 0.5)
        sizes.append(overidentification(*corpora[:2], corpora[2:]).smallest)
    # Scores are latents of unit variance with noise of .5.
    expected = {"emotions": 1 / np.sqrt(1.25), "traits": 1 / np.sqrt(1.25)}
    expected["joint"] = np.linalg.eigvalsh(joint)[0]
    assert sizes[0] == pytest.approx(expected, abs=0.06)
    assert sizes[1]["emotions"] < 0.15 and sizes[1]["traits"] > 0.8


def test_more_conditions_than_people_leave_no_p_value():
    rng = np.random.default_rng(3)
    corpora = drawn(rng, 60, *laws(rng), per_speaker=10)
    found = overidentification(*corpora[:2], corpora[2:])
    assert found.n_speakers == 18 and np.isnan(found.p)


def test_another_law_in_one_corpus_changes_covariances_and_a_scale_does_not():
    rng = np.random.default_rng(5)
    joint, of_emotions, of_traits = laws(rng)
    first, second, _ = drawn(rng, 400, joint, of_emotions, of_traits)
    change, influence = covariance_difference(first, second)
    assert change.shape == (MODALITIES * (MODALITIES - 1), EMOTIONS, TRAITS)
    error = np.sqrt(sum((each**2).sum(0) for each in influence))
    assert np.sqrt(np.mean((change / error) ** 2)) == pytest.approx(1, abs=0.35)
    less = read_less(second, ["emotions"], np.array([0.6, 0.8, 0.7]))
    change, influence = covariance_difference(first, less)
    error = np.sqrt(sum((each**2).sum(0) for each in influence))
    assert np.sqrt(np.mean((change / error) ** 2)) == pytest.approx(1, abs=0.35)
    turned = joint.copy()
    turned[:EMOTIONS, EMOTIONS:] *= -1
    turned[EMOTIONS:, :EMOTIONS] *= -1
    other = drawn(rng, 400, turned, of_emotions, of_traits)[1]
    change, influence = covariance_difference(first, other)
    error = np.sqrt(sum((each**2).sum(0) for each in influence))
    assert np.abs(change / error).max() > 5


def test_the_difference_is_that_of_ordinary_covariances():
    rng = np.random.default_rng(6)
    first, second, _ = drawn(rng, 200, *laws(rng))
    every = [
        each._replace(present=np.ones_like(each.present)) for each in (first, second)
    ]
    change, _ = covariance_difference(*every)
    scales = domain_scales(of_unit_variance([centred(each) for each in every])).values
    values = []
    for place, each in enumerate(every):
        sides = []
        for name in ("emotions", "traits"):
            own = getattr(each, name) - getattr(each, name).mean(0)
            both = np.concatenate(
                [getattr(x, name) - getattr(x, name).mean(0) for x in every]
            )
            sides.append(own / both.std(0))
        scale = scales[0, place, 0] * scales[1, place, 1]
        values.append(sides[0][:, 0].T @ sides[1][:, 1] / len(own) / scale)
    np.testing.assert_allclose(change[0], values[0] - values[1], atol=1e-10)


def test_what_no_corpora_have_in_common_is_refused():
    rng = np.random.default_rng(7)
    first, second, _ = drawn(rng, 100, *laws(rng))
    seen = [
        each.present & [True, n == 0, n == 1] for n, each in enumerate((first, second))
    ]
    parts = [x._replace(present=y) for x, y in zip((first, second), seen, strict=True)]
    with pytest.raises(IdentificationError, match="together in both"):
        covariance_difference(*parts)
