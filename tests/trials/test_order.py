import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression

from sslmepr.models.sequence import masked_mean
from sslmepr.trials.order import HEIGHT, draw_order, train_order


def brief(settings, **changes):
    sizes = {"hidden": 16, "heads": 2, "state": 8, "epochs": 14, "patience": 14}
    sizes |= {"dropout": 0.0, "learning_rate": 0.01} | changes
    return settings.model_copy(
        update={
            "unimodal": settings.unimodal.model_copy(update=sizes),
            "compute": settings.compute.model_copy(update={"device": "cpu"}),
        }
    )


@pytest.fixture(scope="module")
def drawn():
    return draw_order(240, 4, seed=0)


@pytest.fixture(scope="module")
def trained(settings, drawn):
    kinds = ("mamba", "transformer", "state_free")
    return {kind: train_order(brief(settings), kind, drawn, 0) for kind in kinds}


def logits(model, values):
    values = torch.from_numpy(np.ascontiguousarray(values))
    mask = torch.ones(values.shape[:2], dtype=torch.bool)
    with torch.no_grad():
        return model(values, mask).logits[:, 0].numpy()


def randomise(model, rng):
    with torch.no_grad():
        for weights in model.parameters():
            weights.copy_(torch.randn(weights.shape, generator=rng) / 2)


def encoded(model, values):
    """Mean of the encoded steps, by an encoder that is not told the time."""
    values = torch.from_numpy(np.ascontiguousarray(values))
    mask = torch.ones(values.shape[:2], dtype=torch.bool)
    with torch.no_grad():
        described = model.evidence.describe(values, mask)
        described[..., -1] = 0
        return masked_mean(model.encoder(described, mask), mask).numpy()


@hypothesis_settings(max_examples=30, deadline=None)
@given(
    pairs=st.integers(2, 20), steps=st.integers(2, 9), seed=st.integers(0, 2**32 - 1)
)
def test_labels_are_the_order_of_the_marks(pairs, steps, seed):
    drawn = draw_order(2 * pairs, steps, seed)
    for values, before in zip(drawn.values, drawn.before, strict=True):
        (first,), (second,) = (np.flatnonzero(values[:, k]) for k in (0, 1))
        assert first != second and (first < second) == before
        assert values[first, 0] == values[second, 1] == HEIGHT
    assert 0 < drawn.train.sum() < 2 * pairs


def test_each_sequence_has_its_reverse_in_the_same_split(drawn):
    values, before, train = drawn.values, drawn.before, drawn.train
    assert values.shape == (240, 4, 8) and values.dtype == np.float32
    assert np.array_equal(values[120:], values[:120, ::-1])
    assert np.array_equal(before[120:], ~before[:120])
    assert np.array_equal(train[120:], train[:120]) and train.sum() == 168


def test_a_seed_draws_the_same_again_and_another_does_not(drawn):
    again, other = draw_order(240, 4, seed=0), draw_order(240, 4, seed=1)
    assert np.array_equal(again.values, drawn.values)
    assert not np.array_equal(other.values, drawn.values)


def test_a_regression_on_means_is_zero(drawn):
    means, before = drawn.values[drawn.train].mean(1), drawn.before[drawn.train]
    fitted = LogisticRegression(C=1e6, tol=1e-8).fit(means, before)
    assert fitted.coef_ == pytest.approx(0, abs=1e-5)
    assert fitted.intercept_ == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("sequences", [2, 7])
def test_sequences_come_in_pairs_for_two_splits(sequences):
    with pytest.raises(ValueError, match=f"sequences={sequences}: an even number"):
        draw_order(sequences, 4, 0)


def test_two_marks_need_two_steps():
    with pytest.raises(ValueError, match="steps=1"):
        draw_order(8, 1, 0)


def test_scores_before_training_are_at_chance(trained):
    assert {scores[0] for _, scores in trained.values()} == {0.5}
    assert {len(scores) for _, scores in trained.values()} == {15}


def test_only_blocks_that_mix_steps_distinguish_a_sequence_from_its_reverse(
    trained, drawn
):
    """Whatever the weights are; what training makes of them, the trial measures."""
    values, rng = drawn.values, torch.Generator().manual_seed(0)
    for kind, (model, _) in trained.items():
        randomise(model, rng)
        said = encoded(model, values)
        for order in ([3, 2, 1, 0], [2, 0, 3, 1]):
            change = np.abs(encoded(model, values[:, order]) - said).max()
            assert change < 1e-4 if kind == "state_free" else change > 0.01
    free = encoded(trained["state_free"][0], values)
    assert np.ptp(free, 0).max() > 0.1
    assert free[:120] == pytest.approx(free[120:], abs=1e-4)


def test_the_network_is_told_the_time_whatever_its_blocks_are(trained, drawn):
    values, rng = drawn.values, torch.Generator().manual_seed(0)
    for model, _ in trained.values():
        randomise(model, rng)
        change = logits(model, values[:, ::-1]) - logits(model, values)
        assert np.abs(change).max() > 0.01


def test_the_same_seed_trains_the_same(settings, drawn, trained):
    _, again = train_order(brief(settings), "state_free", drawn, 0)
    assert np.array_equal(again, trained["state_free"][1])


def test_an_unknown_block_is_named(settings, drawn):
    with pytest.raises(ValueError, match="block='lstm'"):
        train_order(brief(settings), "lstm", drawn, 0)
