"""The chunked scan against its definition, over the range of decays."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sslmepr.models.scan import ssd, ssd_chunked, ssd_sequential


def arguments(clips, steps, heads, groups, dt_bias=-2.0, strongest=16.0, **options):
    """x, dt, A, B, C, D as `Mamba2` would pass them."""
    random = torch.Generator().manual_seed(steps)
    shapes = [(clips, steps, heads, 3), (clips, steps, heads), (heads,)]
    shapes += [(clips, steps, groups, 5)] * 2 + [(heads,)]
    x, dt, A, B, C, D = (
        torch.randn(shape, generator=random, **options) for shape in shapes
    )
    dt = torch.nn.functional.softplus(dt + dt_bias)
    A = -torch.linspace(1, strongest, heads, **options)
    return x, dt, A, B, C, D


def gradients(scan, given, weights):
    given = [tensor.clone().requires_grad_() for tensor in given]
    return torch.autograd.grad((scan(*given) * weights).sum(), given)


def test_sequential_matches_a_scan_worked_out_by_hand():
    x = torch.tensor([1.0, 2.0]).view(1, 2, 1, 1)
    dt = torch.tensor([0.5, 1.0]).view(1, 2, 1)
    a, d = torch.tensor([-1.0]), torch.tensor([10.0])
    b = torch.tensor([3.0, 4.0]).view(1, 2, 1, 1)
    c = torch.tensor([5.0, 6.0]).view(1, 2, 1, 1)
    # S1 = .5*3*1 = 1.5; S2 = e^-1*1.5 + 1*4*2
    expected = torch.tensor([1.5 * 5 + 10, (1.5 * 0.36787944 + 8) * 6 + 20])
    torch.testing.assert_close(ssd_sequential(x, dt, a, b, c, d).flatten(), expected)


@given(
    steps=st.integers(1, 21),
    chunk_size=st.integers(1, 24),
    groups=st.sampled_from([1, 2, 4]),
)
@settings(max_examples=25, deadline=None)
def test_chunked_equals_sequential(steps, chunk_size, groups):
    given = arguments(2, steps, 4, groups, dtype=torch.float64)
    expected = ssd_sequential(*given)
    weights = torch.cos(torch.arange(expected.numel())).view_as(expected)

    def chunked(*tensors):
        return ssd_chunked(*tensors, chunk_size)

    torch.testing.assert_close(chunked(*given), expected, atol=1e-12, rtol=1e-10)
    pairs = zip(
        gradients(chunked, given, weights),
        gradients(ssd_sequential, given, weights),
        strict=True,
    )
    for fast, slow in pairs:
        torch.testing.assert_close(fast, slow, atol=1e-11, rtol=1e-9)


@pytest.mark.parametrize("dt_bias", range(-7, 3))
@pytest.mark.parametrize("strongest", [1.0, 4.0, 16.0])
def test_float32_holds_for_weak_and_strong_decay(dt_bias, strongest):
    given = arguments(2, 150, 4, 1, dt_bias, strongest)
    exact = [tensor.double() for tensor in given]
    expected = ssd_sequential(*exact)
    torch.testing.assert_close(
        ssd_chunked(*given, 64).double(), expected, atol=1e-4, rtol=1e-4
    )
    weights = torch.ones_like(given[0])
    fast = gradients(lambda *tensors: ssd_chunked(*tensors, 64), given, weights)
    slow = gradients(ssd_sequential, exact, weights.double())
    for a, b in zip(fast, slow, strict=True):
        scale = b.abs().max().clamp(min=1.0)
        torch.testing.assert_close(a / scale, (b / scale).float(), atol=1e-5, rtol=1e-3)


def test_small_steps_after_a_large_one_keep_their_precision():
    # The large step brings the running sum to -3200, where float32 resolves 2e-4 only.
    x, dt, A, B, C, D = arguments(1, 64, 2, 1)
    dt[:, :8], dt[:, 8:] = 25.0, 1e-4
    given = x, dt, torch.full((2,), -16.0), B, C, D
    expected = ssd_sequential(*(tensor.double() for tensor in given))
    torch.testing.assert_close(
        ssd_chunked(*given).double(), expected, atol=1e-5, rtol=1e-5
    )


def test_steps_with_dt_0_leave_the_state_unchanged():
    x, dt, A, B, C, D = arguments(2, 9, 4, 1, dtype=torch.float64)
    keep = [0, 1, 4, 5, 6, 8]
    dropped = [i for i in range(9) if i not in keep]
    dt[:, dropped] = 0
    all_steps = ssd_chunked(x, dt, A, B, C, D, 4)
    kept = ssd_chunked(x[:, keep], dt[:, keep], A, B[:, keep], C[:, keep], D, 4)
    torch.testing.assert_close(all_steps[:, keep], kept)


def test_backward_is_the_derivative():
    given = arguments(1, 7, 2, 1, dtype=torch.float64)
    given = [tensor.requires_grad_() for tensor in given]
    assert torch.autograd.gradcheck(lambda *t: ssd_chunked(*t, 3), given)


@pytest.mark.cuda
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_kernels_equal_the_chunked_scan():
    pytest.importorskip("mamba_ssm")
    random = torch.Generator().manual_seed(0)
    shapes = [(2, 100, 4, 64), (2, 100, 4), (4,), (2, 100, 1, 32), (2, 100, 1, 32)]
    x, dt, A, B, C = (torch.randn(s, generator=random).cuda() for s in shapes)
    given = x, torch.nn.functional.softplus(dt - 3), -A.abs() - 0.1, B, C
    D = torch.ones(4).cuda()
    torch.testing.assert_close(
        ssd(*given, D), ssd_chunked(*given, D), atol=1e-2, rtol=1e-2
    )
