"""Two forms of showing emotions are found where there are two."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from sslmepr.models.fusion import FusionInput
from sslmepr.params.study import Roles
from sslmepr.training.clips import StudyClips
from sslmepr.training.fusion_clips import FusionClips
from sslmepr.training.second_forms import (
    WIDEST,
    Forms,
    find_forms,
    fit_second_forms,
    latent,
    log_evidence,
)


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


def study(two: bool, width: int):
    """Clips whose faces have `width` features, of which 16 carry emotions."""
    features, _, emotions, _ = drawn(two)
    clips, present = len(emotions), emotions > 0.5
    wide = np.random.default_rng(1).standard_normal((clips, width))
    wide[:, ::-1][:, :16] += 4 * features["face"]
    neutral = ~present.any(1, keepdims=True)
    # An intensity is the probability of less, so it keeps the order of latents.
    labels = np.hstack([neutral, np.where(present, stats.norm.cdf(emotions), 0)])
    table = pd.DataFrame(
        {
            "corpus": "a",
            "clip_id": np.arange(clips).astype(str),
            "split": np.repeat(["train", "dev", "test"], [900, 200, clips - 1100]),
        }
    )
    seen = {"face": torch.tensor(wide, dtype=torch.float32)}
    there = torch.ones(clips, 1, dtype=torch.bool)
    there[::9] = False
    seen["face"][~there[:, 0]] = torch.nan
    nothing = torch.zeros(clips, 1, 7), torch.full((clips, 1, 5), 0.5)
    nan = np.full((clips, 5), np.nan)
    tasks = {"emotion": labels.astype(np.float32), "personality": nan}
    return (
        FusionClips(
            StudyClips(table, tasks, ["a"]),
            FusionInput(seen, *nothing, there, seen),
            torch.device("cpu"),
        ),
        present,
    )


@pytest.mark.parametrize("width", [16, WIDEST + 20])
def test_what_forms_change_is_right_on_new_clips(small_params, width):
    data, present = study(two=True, width=width)
    roles = Roles(emotion="a", personality="a", held_out="a")
    forms = fit_second_forms(small_params.model_copy(update={"roles": roles}), data)
    new = np.arange(1100, len(present))
    given = data.batch(new).inputs
    change = forms(given.features, given.present)[:, 1:].numpy()
    there = given.present[:, 0].numpy()
    right = (change * np.where(present[new], 1, -1)).mean(1)[there]
    assert right.mean() > 3 * right.std() / len(right) ** 0.5
    np.testing.assert_allclose(change[~there], 0, atol=1e-5)


def test_nothing_changes_where_there_is_one_form_or_labels_are_few(
    small_params, monkeypatch
):
    roles = Roles(emotion="a", personality="a", held_out="a")
    params = small_params.model_copy(update={"roles": roles})

    def weights(two):
        data, _ = study(two, width=WIDEST + 20)
        return fit_second_forms(params, data).probes["face"].weight

    assert weights(two=True).any() and not weights(two=False).any()
    for fewest in (900, 901):  # none has more; not all together have as many
        monkeypatch.setattr("sslmepr.training.second_forms.FEWEST", fewest)
        assert not weights(two=True).any()


def test_forms_that_differ_by_rounding_alone_are_one(small_params, monkeypatch):
    """Two forms that are the same give the same evidence, but for the last digits."""
    roles = Roles(emotion="a", personality="a", held_out="a")
    params = small_params.model_copy(update={"roles": roles})
    data, _ = study(two=True, width=16)

    def alike(features, present, emotions, count, seed):
        found = find_forms(features, present, emotions, 1, seed)
        weights = {name: each.repeat(count, 0) for name, each in found.weights.items()}
        hair = {name: each * (1 - 1e-12 * (count - 1)) for name, each in weights.items()}
        return found._replace(weights=hair, shares=np.full(count, 1 / count))

    monkeypatch.setattr("sslmepr.training.second_forms.find_forms", alike)
    assert not fit_second_forms(params, data).probes["face"].weight.any()
