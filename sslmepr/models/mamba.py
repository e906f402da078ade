"""The Mamba-2 block (Dao & Gu 2024, "Transformers are SSMs", section 7).

    z, x, B, C, dt = W_in u           joint input projection
    x, B, C = silu(conv(x, B, C))     short causal depthwise convolution
    y = ssd(x, softplus(dt + b), -exp(A_log), B, C, D)
    out = W_out RMSNorm(y silu(z))

Parameters have the names, shapes and initial distributions of `mamba_ssm.Mamba2`, so
that weights can be exchanged.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sslmepr.models.scan import ssd


class GatedRMSNorm(nn.Module):
    """Gated RMS norm: y silu(gate), normalised within each group of features."""

    def __init__(self, features: int, groups: int = 1, epsilon: float = 1e-5):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(features))
        self.groups = groups
        self.epsilon = epsilon

    def forward(self, y: Tensor, gate: Tensor) -> Tensor:
        """Gate `y` by `gate` and normalise; all are (clip, step, feature)."""
        gated = (y * F.silu(gate)).unflatten(-1, (self.groups, -1))
        power = gated.square().mean(-1, keepdim=True)
        return (gated * torch.rsqrt(power + self.epsilon)).flatten(-2) * self.weight


class Mamba2(nn.Module):
    """A Mamba-2 block over padded sequences.

    Parameters
    ----------
    d_model, d_state, d_conv, expand, headdim, ngroups : int
        Input and output width, state size per head, convolution length in steps, ratio
        of inner width to width, features per head, and groups of heads that share B and
        C. Argument and parameter names are those of `mamba_ssm`.
    a_range : tuple of float
        Range of the uniform initial distribution of -A.
    dt_range : tuple of float
        Range of the log-uniform initial distribution of the step size.
    dt_floor : float
        Smallest initial step size.
    bias, conv_bias : bool
        Whether the projections and the convolution have biases.
    chunk_size : int
        Steps per chunk of the scan; affects speed, not results.

    Raises
    ------
    ValueError
        If the inner width is no multiple of `headdim`, or the number of heads is no
        multiple of `ngroups`.
    """

    def __init__(
        self,
        d_model: int,
        d_state: int = 128,
        d_conv: int = 4,
        expand: int = 2,
        headdim: int = 64,
        ngroups: int = 1,
        a_range: tuple[float, float] = (1.0, 16.0),
        dt_range: tuple[float, float] = (0.001, 0.1),
        dt_floor: float = 1e-4,
        bias: bool = False,
        conv_bias: bool = True,
        chunk_size: int = 64,
    ):
        super().__init__()
        self.d_inner, self.d_state = expand * d_model, d_state
        if self.d_inner % headdim:
            raise ValueError(
                f"headdim={headdim} does not divide the inner width {self.d_inner}"
            )
        self.nheads, self.headdim, self.ngroups = (
            self.d_inner // headdim,
            headdim,
            ngroups,
        )
        if self.nheads % ngroups:
            raise ValueError(f"ngroups={ngroups} does not divide {self.nheads} heads")
        self.chunk_size = chunk_size
        channels = self.d_inner + 2 * ngroups * d_state
        self.widths = [self.d_inner, channels, self.nheads]
        self.in_proj = nn.Linear(d_model, sum(self.widths), bias=bias)
        self.conv1d = nn.Conv1d(
            channels, channels, d_conv, groups=channels, bias=conv_bias
        )
        low, high = map(math.log, dt_range)
        dt = torch.exp(torch.empty(self.nheads).uniform_(low, high)).clamp(min=dt_floor)
        # Inverse of softplus, in a form that is accurate for small values.
        self.dt_bias = nn.Parameter(dt + torch.log(-torch.expm1(-dt)))
        self.A_log = nn.Parameter(torch.empty(self.nheads).uniform_(*a_range).log())
        self.D = nn.Parameter(torch.ones(self.nheads))
        self.norm = GatedRMSNorm(self.d_inner, ngroups)
        self.out_proj = nn.Linear(self.d_inner, d_model, bias=bias)

    def forward(self, u: Tensor, mask: Tensor | None = None) -> Tensor:
        """Causal mixing over time: a step depends on itself and on earlier steps.

        Parameters
        ----------
        u : (clip, step, width) torch.Tensor
        mask : (clip, step) torch.Tensor of bool, optional
            True at real steps. Masked steps leave the state unchanged, whatever their
            values and positions; the convolution sees zeros there. Their output is 0.

        Returns
        -------
        (clip, step, width) torch.Tensor
        """
        absent = None if mask is None else ~mask[..., None]
        if absent is not None:
            u = u.masked_fill(absent, 0.0)
        z, xbc, dt = self.in_proj(u).split(self.widths, dim=-1)
        if absent is not None and self.in_proj.bias is not None:
            xbc = xbc.masked_fill(absent, 0.0)
        xbc = F.silu(self._convolve(xbc))
        # The exponents of the scan and the norm need float32, also under autocast.
        with torch.autocast(u.device.type, enabled=False):
            dt = F.softplus(dt.float() + self.dt_bias)
            if absent is not None:
                dt = dt.masked_fill(absent, 0.0)  # dt = 0 carries the state over
            y = self.norm(self._scan(xbc.float(), dt), z.float())
        out = self.out_proj(y)
        return out if absent is None else out.masked_fill(absent, 0.0)

    def _convolve(self, xbc: Tensor) -> Tensor:
        """Causal convolution over (clip, step, channel)."""
        weight, bias = self.conv1d.weight, self.conv1d.bias
        # A 2-D convolution with channels last gives the same sums without a transposed
        # copy, in about half the time on CPU.
        padded = F.pad(xbc, (0, 0, weight.shape[-1] - 1, 0))
        image = padded.transpose(1, 2).unsqueeze(2)  # (clip, channel, 1, step)
        out = F.conv2d(image, weight.unsqueeze(2), bias, groups=weight.shape[0])
        return out.squeeze(2).transpose(1, 2)

    def _scan(self, xbc: Tensor, dt: Tensor) -> Tensor:
        shared = self.ngroups * self.d_state
        x, b, c = xbc.split([self.d_inner, shared, shared], dim=-1)
        x = x.unflatten(-1, (self.nheads, self.headdim))
        b, c = (m.unflatten(-1, (self.ngroups, self.d_state)) for m in (b, c))
        decay = -torch.exp(self.A_log.float())
        return ssd(x, dt, decay, b, c, self.D, self.chunk_size).flatten(-2)
