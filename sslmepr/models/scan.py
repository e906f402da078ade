"""The selective scan of Mamba-2 (state-space duality) in three equivalent forms.

The state S (state, head feature) of each head decays, adds one outer product per step,
and gives the output (Dao & Gu 2024, "Transformers are SSMs", section 2):

    S_t = exp(dt_t A) S_{t-1} + B_t (dt_t x_t)',    y_t = S_t' C_t + D x_t

`ssd_sequential` implements this definition. `ssd_chunked` splits the steps into chunks
(section 6). Within a chunk, the scan is the masked matrix product (C B' * L) (dt x),
where L[t, s] = exp(a_t - a_s) for s <= t and a is the cumulative sum of dt A; the state
at the end of a chunk is passed to the next. `ssd` uses the kernels of `mamba_ssm` where
available, otherwise `ssd_chunked`.

Decays are exponentials of *differences* of a, which are never positive, so no value of
dt or A overflows. The form exp(a_t) exp(-a_s) would save a pass but overflows for
strong decay. Differences are computed in float64, because a grows along the chunk and
float32 would cancel most digits.

Shapes: x (clip, step, head, feature), dt (clip, step, head), A and D (head,),
B and C (clip, step, group, state); all groups have the same number of heads.
"""

import importlib

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable


def ssd(
    x: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    chunk_size: int = 64,
) -> Tensor:
    """Selective scan by the fastest available form.

    On CUDA, with the package `mamba_ssm`, its Triton kernels are used; otherwise
    `ssd_chunked`.

    Parameters
    ----------
    x, dt, A, B, C, D, chunk_size
        As in `ssd_chunked`.

    Returns
    -------
    (clip, step, head, feature) torch.Tensor
    """
    kernel = _kernel() if x.is_cuda else None
    if kernel is None:
        return ssd_chunked(x, dt, A, B, C, D, chunk_size)
    return kernel(x, dt, A, B, C, chunk_size, D=D)


def _kernel():
    try:
        combined = importlib.import_module("mamba_ssm.ops.triton.ssd_combined")
    except ImportError:
        return None
    return combined.mamba_chunk_scan_combined


def ssd_sequential(
    x: Tensor, dt: Tensor, A: Tensor, B: Tensor, C: Tensor, D: Tensor
) -> Tensor:
    """Selective scan step by step: the slow reference for `ssd_chunked`.

    Parameters
    ----------
    x, dt, A, B, C, D
        As in `ssd_chunked`.

    Returns
    -------
    (clip, step, head, feature) torch.Tensor
    """
    repeats = x.shape[2] // B.shape[2]
    B, C = (m.repeat_interleave(repeats, dim=2) for m in (B, C))
    state = x.new_zeros(x.shape[0], *x.shape[2:], B.shape[3])
    steps = []
    for t in range(x.shape[1]):
        decay = torch.exp(dt[:, t] * A)[..., None, None]
        taken = (dt[:, t, :, None] * x[:, t])[..., None] * B[:, t, :, None]
        state = decay * state + taken  # (clip, head, feature, state)
        steps.append((state * C[:, t, :, None]).sum(-1) + D[:, None] * x[:, t])
    return torch.stack(steps, dim=1)


def ssd_chunked(
    x: Tensor,
    dt: Tensor,
    A: Tensor,
    B: Tensor,
    C: Tensor,
    D: Tensor,
    chunk_size: int = 64,
) -> Tensor:
    """Selective scan by matrix products within chunks.

    For the backward pass, only the arguments and one state per chunk are stored;
    matrices over pairs of steps are recomputed.

    Parameters
    ----------
    x : (clip, step, head, feature) torch.Tensor
    dt : (clip, step, head) torch.Tensor
        Step sizes, not negative.
    A : (head,) torch.Tensor
        Decay rates, not positive.
    B, C : (clip, step, group, state) torch.Tensor
        Input and output matrices of the state.
    D : (head,) torch.Tensor
        Weight of the skip connection from `x`.
    chunk_size : int
        Largest number of steps in a chunk.

    Returns
    -------
    (clip, step, head, feature) torch.Tensor
    """
    steps = x.shape[1]
    chunks = max(1, -(-steps // chunk_size))
    spare = -steps % chunks
    if spare:
        # dt = 0 neither decays nor adds: these padded steps leave the state unchanged.
        x, B, C = (F.pad(m, (0, 0, 0, 0, 0, spare)) for m in (x, B, C))
        dt = F.pad(dt, (0, 0, 0, spare))
    y = _ChunkedScan.apply(x, dt, dt * A, B, C, D, chunks)
    return y[:, :steps] if spare else y


class _ChunkedScan(torch.autograd.Function):
    """`ssd_chunked` for a length that `chunks` divides, with a hand-written gradient.

    Axes in the comments: b clip, c chunk, t and s step in the chunk, h head, g group,
    n state, p head feature, v all features of the heads of a group.
    """

    @staticmethod
    def forward(ctx, x, dt, log_decay, B, C, D, chunks):
        given = x, dt, log_decay, B, C, D
        ctx.chunks = chunks
        y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        x, dt, log_decay, B, C, out = _chunked(chunks, *given[:5], y)
        sums = log_decay.double().cumsum(2)  # bcth
        pairs = _pairs(
            _pair_decay(sums, x.dtype), _by_group(C) @ _by_group(B).mT
        )  # bchts
        within = pairs @ _scaled_by_head(x, dt)  # bchtp
        torch.addcmul(within.transpose(2, 3), x, D[:, None], out=out)
        states = None
        if chunks > 1:
            states, read = _between(x, dt, sums, B, C)
            out.add_(read)
        ctx.save_for_backward(*given, states)
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, dy):
        x, dt, log_decay, B, C, D, states = ctx.saved_tensors
        with torch.autocast(x.device.type, enabled=False):
            parts = _chunked(ctx.chunks, x, dt, log_decay, B, C, dy)
            x, dt, log_decay, B, C, dy = parts
            sums = log_decay.double().cumsum(2)
            du, dsums, dB, dC = _within_gradient(x, dt, sums, B, C, dy)
            if ctx.chunks > 1:
                more = _between_gradient(x, dt, sums, B, C, dy, states)
                du, dsums = du.add_(more[0]), dsums + more[1]
                dB, dC = dB.add_(more[2]), dC.add_(more[3])
            ddt = (du * x).sum(-1)  # bcth
            dD = (dy * x).sum((0, 1, 2, 4))
            dx = du.mul_(dt[..., None]).addcmul_(dy, D[:, None])
            # A step's decay is part of every later cumulative sum of its chunk.
            dlog = dsums.flip(2).cumsum(2).flip(2)
        whole = [m.flatten(1, 2) for m in (dx, ddt, dlog, dB, dC)]
        return *whole, dD, None


def _chunked(chunks, *tensors):
    return [m.unflatten(1, (chunks, -1)) for m in tensors]


def _by_group(m):
    """Steps innermost but one: (b, c, t, g, .) to (b, c, g, t, .)."""
    return m.transpose(2, 3)


def _values(m, groups):
    """Concatenate the heads of a group: (b, c, t, h, p) to (b, c, g, t, v)."""
    return m.unflatten(3, (groups, -1)).flatten(4).transpose(2, 3)


def _heads(m, like):
    """Inverse of `_values`: (b, c, g, t, v) to (b, c, t, h, p)."""
    return m.transpose(2, 3).reshape(like.shape)


def _scaled_by_head(x, dt):
    """dt x as (b, c, h, t, p), contiguous for the batched product."""
    b, c, t, h, p = x.shape
    out = x.new_empty(b, c, h, t, p)
    return torch.mul(x.transpose(2, 3), dt.transpose(2, 3)[..., None], out=out)


def _pair_decay(sums, dtype):
    """L: decay from step s to step t; zero for s > t."""
    sums = sums.transpose(2, 3)  # bcht
    decay = torch.empty(*sums.shape, sums.shape[-1], dtype=dtype, device=sums.device)
    torch.sub(sums[..., :, None], sums[..., None, :], out=decay)
    return decay.clamp_(max=0).exp_().tril_()


def _pairs(decay, scores):
    """L * (C B'): decay per head (b, c, h, t, s), scores per group (b, c, g, t, s)."""
    grouped = decay.unflatten(2, (scores.shape[2], -1))
    return (grouped * scores.unsqueeze(3)).flatten(2, 3)


def _between(x, dt, sums, B, C):
    """Contribution of earlier chunks.

    Returns
    -------
    (b, c, g, n, v) torch.Tensor
        State at the start of each chunk.
    (b, c, t, h, p) torch.Tensor
        Its contribution to the output of each step.
    """
    keep = torch.exp(sums[:, :, -1:] - sums).to(x.dtype)
    taken = _values(x * (dt * keep)[..., None], B.shape[3])
    added = _by_group(B).mT @ taken  # bcgnv
    end = _state_decay(sums, added)
    states = torch.zeros_like(added)
    for chunk in range(1, states.shape[1]):
        before = chunk - 1
        torch.addcmul(
            added[:, before], end[:, before], states[:, before], out=states[:, chunk]
        )
    read = _heads(_by_group(C) @ states, x)
    return states, read.mul_(sums.exp().to(x.dtype)[..., None])


def _state_decay(sums, like):
    """Decay of the state over a whole chunk: (b, c, g, 1, v)."""
    end = sums[:, :, -1].exp().to(like.dtype)  # bch
    wide = end.unflatten(2, (like.shape[2], -1))[..., None]
    heads = wide.shape[3]
    return wide.expand(*wide.shape[:4], like.shape[-1] // heads).flatten(3)[
        ..., None, :
    ]


def _within_gradient(x, dt, sums, B, C, dy):
    """Gradients within chunks: of dt x, the cumulative log decays, B and C."""
    groups = B.shape[3]
    B, C = _by_group(B), _by_group(C)
    decay = _pair_decay(sums, x.dtype)
    scores = C @ B.mT
    by_head = dy.transpose(2, 3).contiguous()  # bchtp
    du = _pairs(decay, scores).mT @ by_head
    dpairs = (by_head @ _scaled_by_head(x, dt).mT).mul_(decay)  # bchts
    grouped = dpairs.unflatten(2, (groups, -1))
    dscores = grouped.sum(3)
    # The diagonal cancels in the gradient. Leaving it in would add and subtract the
    # largest entries, whose rounding error exceeds the gradient of strong decays.
    dpairs.diagonal(dim1=-2, dim2=-1).zero_()
    grouped.mul_(scores.unsqueeze(3))
    dsums = (dpairs.sum(-1) - dpairs.sum(-2)).transpose(2, 3)  # bcth
    dB, dC = (dscores.mT @ C), (dscores @ B)
    return du.transpose(2, 3), dsums, _by_group(dB), _by_group(dC)


def _between_gradient(x, dt, sums, B, C, dy, states):
    """The same gradients, through the states passed between chunks."""
    groups = B.shape[3]
    B, C = _by_group(B), _by_group(C)
    seen = sums.exp().to(x.dtype)[..., None]
    keep = torch.exp(sums[:, :, -1:] - sums).to(x.dtype)[..., None]
    dread = dy * seen
    dsums = (dread * _heads(C @ states, x)).sum(-1)  # bcth
    dread = _values(dread, groups)
    dC = dread @ states.mT
    end = _state_decay(sums, states)
    dstart = C.mT @ dread  # bcgnv
    dadded = torch.zeros_like(dstart)
    for chunk in range(states.shape[1] - 1, 0, -1):
        after, before = dstart[:, chunk], dadded[:, chunk - 1]
        torch.addcmul(after, end[:, chunk], dadded[:, chunk], out=before)
    taken = _values(x * dt[..., None] * keep, groups)
    dB = taken @ dadded.mT
    dtaken = _heads(B @ dadded, x)
    lost = (dtaken * _heads(taken, x)).sum(-1)
    lost[:, :, -1] = 0  # the last step of a chunk does not decay within the chunk
    dend = (dadded * states * end).sum(3)  # bcgv
    heads = dend.unflatten(3, (sums.shape[3] // groups, -1)).sum(-1).flatten(2)
    dsums -= lost
    dsums[:, :, -1] += heads + lost.sum(2)
    return dtaken.mul_(keep), dsums, _by_group(dB), _by_group(dC)
