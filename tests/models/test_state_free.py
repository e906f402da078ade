import torch

from sslmepr.models.state_free import StateFreeBlock


def test_by_hand():
    torch.manual_seed(0)
    block = StateFreeBlock(4, 3, dropout=0.5).eval()
    values = torch.randn(2, 5, 4)
    x = values @ block.into.weight.T + block.into.bias
    x = x + x @ block.b.weight.T + block.b.bias + x @ block.c.weight.T + block.c.bias
    added = values + x.clamp(min=0) @ block.out.weight.T + block.out.bias
    centred = added - added.mean(-1, keepdim=True)
    expected = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    mask = torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(block(values, mask), expected, atol=1e-5, rtol=1e-4)


def test_nothing_passes_from_one_step_to_another():
    torch.manual_seed(0)
    block = StateFreeBlock(4, 3, dropout=0.0)
    values, order = torch.randn(1, 6, 4), torch.tensor([3, 1, 5, 0, 2, 4])
    mask = torch.ones(1, 6, dtype=torch.bool)
    torch.testing.assert_close(
        block(values[:, order], mask), block(values, mask)[:, order]
    )
