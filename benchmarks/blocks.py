"""Our Mamba-2 block beside transformers' mixer and PyTorch's encoder layer, on CPU.

``python benchmarks/blocks.py [FORMAT ...]`` checks that the two forms of Mamba-2 agree
with each other and with the recurrence step by step, then times them in the named
number formats (`float32` and `bfloat16` by default) and updates
``results/benchmarks.csv``.

All are timed in turn, round after round, so that whatever else the machine does falls
on all alike; a ratio is taken within its round. That is not enough where the two
threads have to wait for a processor at each operation: then their number is measured,
and so a row says how busy other programs were. Without the packages `mamba_ssm` and
`causal_conv1d` the mixer runs in plain PyTorch, as ours does. In bfloat16 all run under
autocast with float32 weights, which is how ours is meant to be trained. The encoder
layer has the usual inner width of four times its width and no dropout; its attention is
PyTorch's fused one, also without gradients, where `nn.TransformerEncoderLayer` would
otherwise take an older path of its own.
"""

import functools
import math
import statistics
import sys
from collections.abc import Callable
from contextlib import nullcontext
from unittest.mock import patch

import table
import timing
import torch
from torch import Tensor, nn
from torch.profiler import ProfilerActivity, profile
from transformers import Mamba2Config
from transformers.models.mamba2.modeling_mamba2 import Mamba2Mixer

from sslmepr.models import mamba
from sslmepr.models.scan import ssd_sequential

SHAPES = [(32, 30, 256), (16, 256, 256), (16, 750, 256), (8, 1500, 512)]
STATE, HEAD = 128, 64  # the defaults of both forms of Mamba-2
ROUNDS = 7
# Each kind of pass, and how many times as fast as the mixer ours should be.
PASSES = {"forward": "≥ 2.5", "forward and backward": "≥ 2.0"}
TOLERANCE = 1e-4
OURS, MIXER, ENCODER = "Mamba2", "Mamba2Mixer", "TransformerEncoderLayer"


def blocks(width: int) -> dict[str, nn.Module]:
    """The competitors at one width; those that are Mamba-2 share their weights."""
    torch.manual_seed(0)
    ours = mamba.Mamba2(width, d_state=STATE, headdim=HEAD)
    found = {OURS: ours}
    for chunk in (32, 64):
        config = Mamba2Config(
            hidden_size=width,
            state_size=STATE,
            num_heads=ours.nheads,
            head_dim=HEAD,
            n_groups=1,
            expand=2,
            chunk_size=chunk,
            use_bias=False,
            num_hidden_layers=1,
        )
        mixer = Mamba2Mixer(config, 0)
        mixer.load_state_dict(ours.state_dict())
        found[f"{MIXER}, chunks of {chunk}"] = mixer
    encoder = nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, batch_first=True)
    return found | {ENCODER: encoder}


def call(block: nn.Module, u: Tensor, backward: bool, autocast: bool) -> None:
    """One pass over `u` (clip, step, width), leaving no gradient behind."""
    cast = torch.autocast("cpu", torch.bfloat16) if autocast else nullcontext()
    with torch.set_grad_enabled(backward):
        with cast:
            out = block(u)
        if backward:
            out.float().square().sum().backward()
            block.zero_grad()
            u.grad = None


def peak(run: Callable[[], None]) -> float:
    """MiB that PyTorch's allocator holds at most during one call, beyond its start."""
    run()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as found:
        run()
    events = found.profiler.kineto_results.events()
    changes = [(e.start_ns(), e.nbytes()) for e in events if e.name() == "[memory]"]
    held = highest = 0
    for _, size in sorted(changes):
        held += size
        highest = max(highest, held)
    return highest / 2**20


def largest_difference(a: Tensor, b: Tensor) -> float:
    return (a - b).abs().max().item()


def sequentially(block: nn.Module, u: Tensor) -> Tensor:
    """What our block gives when its scan is the recurrence itself, in float64."""

    def scan(*given):
        return ssd_sequential(*(m.double() for m in given[:6])).float()

    with patch.object(mamba, "ssd", scan):
        return block(u)


@torch.no_grad()
def agreement() -> list[dict]:
    """Largest differences of outputs, over all shapes, then over all decays.

    Raises
    ------
    SystemExit
        If one is above the tolerance: then times say nothing.
    """
    mixers, recurrence, decays = [], [], []
    for _, length, width in SHAPES:
        ours, *theirs = list(blocks(width).values())[:-1]
        u = torch.randn(2, length, width)
        out = ours(u)
        mixers.append(max(largest_difference(out, mixer(u)) for mixer in theirs))
        recurrence.append(largest_difference(out, sequentially(ours, u)))
    block, u = blocks(256)[OURS], torch.randn(2, 256, 256)
    block.A_log.copy_(torch.linspace(1, 16, block.nheads).log())
    for dt_bias in range(-7, 3):
        block.dt_bias.fill_(dt_bias)
        decays.append(largest_difference(block(u), sequentially(block, u)))
    rows = []
    for against, found in (
        (MIXER, mixers),
        ("the recurrence", recurrence),
        ("the recurrence, dt_bias -7 to 2 and A up to 16", decays),
    ):
        what, largest = f"{OURS}, output against {against}", max(found)
        if not largest <= TOLERANCE:  # so that NaN fails too
            raise SystemExit(f"{what}: {largest}")
        bound = f"≤ {TOLERANCE}"
        rows.append(table.row("blocks_agree", what, [largest], "difference", bound, 7))
    return rows


def compare(shape: tuple[int, int, int], kind: str, dtype: str) -> dict[str, dict]:
    """Milliseconds of each competitor in each round, and its peak MiB.

    Of the mixers only the one whose median is smaller is kept.
    """
    clips, length, width = shape
    backward = kind != "forward"
    u = torch.randn(clips, length, width, requires_grad=backward)
    found = {}
    for name, block in blocks(width).items():
        run = functools.partial(
            call, block.train(backward), u, backward, dtype == "bfloat16"
        )
        found[name] = {"run": run, "peak": peak(run)}
    runs = {name: each["run"] for name, each in found.items()}
    for name, times in timing.in_turn(runs, ROUNDS).items():
        found[name]["times"] = [1000 * each for each in times]
    mixers = [name for name in found if name.startswith(MIXER)]
    better = min(mixers, key=lambda name: statistics.median(found[name]["times"]))
    return {
        OURS: found[OURS],
        MIXER: found[better] | {"chunk": better.removeprefix(f"{MIXER}, ")},
        ENCODER: found[ENCODER],
    }


def geometric_mean(rounds: list[list[float]]) -> list[float]:
    """Over shapes, in each round: (shape, round) to (round,)."""
    return [math.prod(each) ** (1 / len(each)) for each in zip(*rounds, strict=True)]


def speed(kind: str, dtype: str) -> list[dict]:
    """All shapes in one kind of pass and one number format."""
    bounded, group = dtype == "float32", f"blocks_{kind}_{dtype}".replace(" ", "_")
    rows, faster, memory = [], [], []
    with timing.others_busy(rows, group, f"{kind}, {dtype}"):
        for shape in SHAPES:
            print(f"{kind}, {dtype}, {shape}", flush=True)
            found = compare(shape, kind, dtype)
            case = f"{kind}, {dtype}, {'×'.join(map(str, shape))}"
            for name, each in found.items():
                label = ", ".join(filter(None, [name, each.get("chunk"), case]))
                rows.append(table.row(group, label, each["times"], "ms", digits=1))
                rows.append(table.row(group, label, [each["peak"]], "MiB", digits=1))
            bound = "≥ 1" if bounded and shape[1] >= 256 else None
            times = {name: each["times"] for name, each in found.items()}
            what = f"{OURS} against {ENCODER}, {case}"
            values = timing.times_as_fast(times[OURS], times[ENCODER])
            rows.append(table.row(group, what, values, "times as fast", bound))
            faster.append(timing.times_as_fast(times[OURS], times[MIXER]))
            memory.append([found[OURS]["peak"] / found[MIXER]["peak"]])
    for measured, unit, bound in (
        (faster, "times as fast", PASSES[kind]),
        (memory, "times its memory", "≤ 0.5"),
    ):
        what = f"{OURS} against {MIXER}, {kind}, {dtype}, geometric mean"
        values = geometric_mean(measured)
        rows.append(table.row(group, what, values, unit, bound if bounded else None))
    return rows


def main(formats: list[str]) -> None:
    """Check outputs, then measure and merge into the table, part by part."""
    torch.set_num_threads(2)
    torch.backends.mha.set_fastpath_enabled(False)
    table.merge(agreement())
    for dtype in formats or ["float32", "bfloat16"]:
        for kind in PASSES:
            table.merge(speed(kind, dtype))


if __name__ == "__main__":
    main(sys.argv[1:])
