"""Both blocks, padding, positions and the mean over time."""

import pytest
import torch
import torch.nn.functional as F

from sslmepr.models.sequence import (
    SequenceEncoder,
    masked_max,
    masked_mean,
    rise,
    sinusoids,
)

BLOCKS = ("mamba", "transformer", "state_free")


def encoder(block, layers=2):
    torch.manual_seed(0)
    return SequenceEncoder(6, 16, block, layers, state=4, heads=2, dropout=0.1).eval()


def test_mean_counts_real_steps_only():
    values = torch.tensor([[[1.0], [3.0], [float("nan")]], [[5.0], [7.0], [9.0]]])
    mask = torch.tensor([[True, True, False], [True, False, True]])
    assert masked_mean(values, mask).tolist() == [[2.0], [7.0]]


def test_clips_without_steps_are_named():
    mask = torch.tensor([[True], [False], [False]])
    with pytest.raises(ValueError, match=r"\[1, 2\]"):
        masked_mean(torch.zeros(3, 1, 2), mask)


def test_rise_counts_real_steps_only():
    mask = torch.tensor([[True] * 3 + [False], [True] * 4, [True] + [False] * 3])
    found = rise(mask)
    expected = torch.tensor([-1.0, 0.0, 1.0, 0.0]) * 1.5**0.5
    torch.testing.assert_close(found[0], expected)
    torch.testing.assert_close(found[1], torch.tensor([-3.0, -1.0, 1.0, 3.0]) / 5**0.5)
    assert not found[2].any()
    torch.testing.assert_close(found.square().sum(1), torch.tensor([3.0, 4.0, 0.0]))


def test_sinusoids():
    table = sinusoids(3, 4)
    angle = torch.tensor(2 / 100.0)
    expected = torch.tensor([torch.tensor(2.0).sin(), torch.tensor(2.0).cos(), 0, 0])
    expected[2:] = torch.stack([angle.sin(), angle.cos()])
    torch.testing.assert_close(table[2], expected)
    assert sinusoids(5, 3).shape == (5, 3)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("fill", [0.0, 7.0, float("nan")])
def test_padding_changes_nothing(block, fill):
    model, values = encoder(block), torch.randn(2, 5, 6)
    alone = model(values, torch.ones(2, 5, dtype=torch.bool))
    padded = F.pad(values, (0, 0, 0, 4), value=fill)
    out = model(padded, torch.arange(9).expand(2, -1) < 5)
    torch.testing.assert_close(out[:, :5], alone, atol=1e-5, rtol=1e-4)
    assert (out[:, 5:] == 0).all()


@pytest.mark.parametrize("block", BLOCKS)
def test_training_over_padding_keeps_gradients_finite(block):
    model = encoder(block).train()
    values = torch.randn(2, 5, 6)
    mask = torch.arange(5) < torch.tensor([[2], [5]])
    values[~mask] = float("nan")
    masked_mean(model(values, mask), mask).square().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


@pytest.mark.parametrize("block", BLOCKS)
def test_blocks_that_mix_steps_depend_on_their_order(block):
    model, values = encoder(block), torch.randn(1, 6, 6)
    mask = torch.ones(1, 6, dtype=torch.bool)
    forward = masked_mean(model(values, mask), mask)
    backward = masked_mean(model(values.flip(1), mask), mask)
    assert ((forward - backward).abs().max() > 1e-3) == (block != "state_free")


@pytest.mark.parametrize("block", BLOCKS)
def test_autocast(block):
    model, values = encoder(block).train(), torch.randn(2, 5, 6)
    mask = torch.ones(2, 5, dtype=torch.bool)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = model(values, mask)
    out.float().square().sum().backward()
    assert all(p.grad.isfinite().all() for p in model.parameters())


def test_unknown_block_and_bad_heads():
    with pytest.raises(ValueError, match="lstm"):
        encoder("lstm")
    with pytest.raises(ValueError, match="heads=3"):
        SequenceEncoder(6, 16, "transformer", 1, state=4, heads=3, dropout=0.0)


def test_masked_max_is_over_real_steps():
    values = torch.tensor([[[1.0, -5.0], [-2.0, -3.0], [9.0, torch.nan]]])
    mask = torch.tensor([[True, True, False]])
    torch.testing.assert_close(masked_max(values, mask), torch.tensor([[1.0, -3.0]]))
