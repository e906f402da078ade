"""Mamba-2 against transformers' mixer, its own definition, and padding."""

import pytest
import torch
import torch.nn.functional as F
from transformers import Mamba2Config
from transformers.models.mamba2.modeling_mamba2 import Mamba2Mixer

from sslmepr.models import mamba
from sslmepr.models.mamba import GatedRMSNorm, Mamba2
from sslmepr.models.scan import ssd_sequential

SMALL = {"d_model": 16, "d_state": 8, "headdim": 8}


def mixer(width, state, heads, groups, bias=False):
    config = Mamba2Config(
        hidden_size=width,
        state_size=state,
        num_heads=heads,
        head_dim=2 * width // heads,
        n_groups=groups,
        expand=2,
        chunk_size=8,
        use_bias=bias,
        num_hidden_layers=1,
    )
    return Mamba2Mixer(config, 0)


def test_parameters_are_those_of_mamba_ssm():
    block = Mamba2(d_model=32, d_state=16, headdim=16, ngroups=2)
    shapes = {name: tuple(p.shape) for name, p in block.state_dict().items()}
    assert shapes == {
        "in_proj.weight": (64 + 64 + 2 * 2 * 16 + 4, 32),
        "conv1d.weight": (64 + 2 * 2 * 16, 1, 4),
        "conv1d.bias": (128,),
        "dt_bias": (4,),
        "A_log": (4,),
        "D": (4,),
        "norm.weight": (64,),
        "out_proj.weight": (32, 64),
    }


def test_initial_decays_lie_in_their_ranges():
    torch.manual_seed(0)
    block = Mamba2(d_model=256, d_state=4, headdim=2)
    step, decay = F.softplus(block.dt_bias), block.A_log.exp()
    assert 0.001 <= step.min() and step.max() <= 0.1001
    assert 1 <= decay.min() and decay.max() <= 16
    # Log-uniform and uniform: the means are (ln .001 + ln .1) / 2 and 8.5.
    assert abs(step.log().mean() - (-4.605)) < 0.25
    assert abs(decay.mean() - 8.5) < 0.9
    assert (block.D == 1).all() and (block.norm.weight == 1).all()


@pytest.mark.parametrize("groups, bias", [(1, False), (2, True)])
@pytest.mark.parametrize("steps", [1, 3, 8, 19])
def test_equals_mamba2_mixer(groups, bias, steps):
    torch.manual_seed(steps)
    ours = Mamba2(
        d_model=16, d_state=6, headdim=8, ngroups=groups, bias=bias, chunk_size=5
    )
    theirs = mixer(16, 6, 4, groups, bias)
    theirs.load_state_dict(ours.state_dict())
    u = torch.randn(2, steps, 16)
    results = []
    for block in (ours, theirs):
        given = u.clone().requires_grad_()
        out = block(given)
        out.sin().sum().backward()
        grads = {name: p.grad for name, p in block.named_parameters()}
        results.append((out, given.grad, grads))
    torch.testing.assert_close(*(r[0] for r in results), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(*(r[1] for r in results), atol=1e-5, rtol=1e-4)
    for name, grad in results[0][2].items():
        torch.testing.assert_close(grad, results[1][2][name], atol=2e-5, rtol=1e-4)


def test_same_block_on_the_sequential_scan(monkeypatch):
    torch.manual_seed(0)
    block, u = Mamba2(**SMALL, chunk_size=4), torch.randn(2, 11, 16)
    fast = block(u)
    monkeypatch.setattr(mamba, "ssd", lambda *given: ssd_sequential(*given[:6]))
    torch.testing.assert_close(fast, block(u), atol=1e-6, rtol=1e-5)


@pytest.mark.parametrize("bias", [False, True])
def test_padding_has_no_influence(bias):
    torch.manual_seed(0)
    block, u = Mamba2(**SMALL, bias=bias, chunk_size=4), torch.randn(3, 6, 16)
    alone = block(u)
    after = F.pad(u, (0, 0, 0, 5), value=float("nan"))
    before = F.pad(u, (0, 0, 5, 0), value=float("inf"))
    steps = torch.arange(11).expand(3, -1)
    results = block(after, steps < 6), block(before, steps >= 5)
    for out, real in zip(results, (slice(0, 6), slice(5, 11)), strict=True):
        torch.testing.assert_close(out[:, real], alone, atol=1e-6, rtol=1e-5)
        out[:, real] = 0
        assert (out == 0).all()


def test_padding_has_no_gradient():
    torch.manual_seed(0)
    block = Mamba2(**SMALL)
    u = torch.randn(2, 9, 16)
    mask = torch.arange(9) < torch.tensor([[4], [9]])
    u[~mask] = float("nan")
    u.requires_grad_()
    block(u, mask).square().sum().backward()
    assert (u.grad[~mask] == 0).all() and (u.grad[mask] != 0).any(-1).all()
    assert all(p.grad.isfinite().all() for p in block.parameters())


def test_it_is_causal():
    torch.manual_seed(0)
    block, u = Mamba2(**SMALL, chunk_size=3), torch.randn(1, 8, 16)
    changed = u.clone()
    changed[:, 5] += 1
    difference = (block(u) - block(changed)).abs().sum(-1)[0]
    assert (difference[:5] == 0).all() and (difference[5:] > 0).all()


def test_norm_divides_each_group_by_its_root_mean_square():
    norm = GatedRMSNorm(4, groups=2, epsilon=0.0)
    y, gate = torch.tensor([[3.0, 4.0, 0.5, 0.0]]), torch.full((1, 4), 2.0)
    half = 0.5**0.5
    expected = torch.tensor([[3 / 5 / half, 4 / 5 / half, 1 / half, 0.0]])
    torch.testing.assert_close(norm(y, gate), expected)


def test_autocast_keeps_the_scan_in_float32():
    torch.manual_seed(0)
    block, u = Mamba2(**SMALL), torch.randn(2, 9, 16)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = block(u)
        out.float().square().sum().backward()
    torch.testing.assert_close(out.float(), block(u), atol=0.03, rtol=0.05)
    assert all(p.grad.isfinite().all() for p in block.parameters())


@pytest.mark.parametrize(
    "wrong, message", [({"headdim": 5}, "headdim=5"), ({"ngroups": 3}, "ngroups=3")]
)
def test_sizes_that_do_not_divide(wrong, message):
    with pytest.raises(ValueError, match=message):
        Mamba2(**SMALL | wrong)
