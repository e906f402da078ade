"""One training step of the fusion model: as published, made faster, and ours, on CPU.

``python benchmarks/fusion_step.py`` checks that the faster published step gives the
same gradient norms, weights of losses and parameters as the published one, then times
them and ours in turn, trains the published network and ours for as many steps on the
same drawn studies, and updates ``results/benchmarks.csv``.

The published step is what its authors' code does: keys and values of all nodes, for
every loss one more backward pass whose gradients of all parameters are joined to one
vector, and Adam by single operations. The faster one computes the same with what this
library has for it. Ours is the default method as it is used: hidden modalities,
co-trained probes, a product of experts, second forms, clipped gradients, AdamW,
averaged weights. As the published step does, it also makes pseudo-labels and balances
both groups of losses, of labels and of pseudo-labels, by GradNorm, which the default
does without; the default itself is timed beside it.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from functools import partial
from unittest.mock import patch

import drawn
import numpy as np
import table
import timing
import torch
from torch import Tensor

from sslmepr import params
from sslmepr.labels import MODEL_COMPONENTS, OURS, TARGETS, TASKS
from sslmepr.models.fusion import FusionConfig, FusionInput, FusionModel
from sslmepr.models.published import PublishedFusion
from sslmepr.params import Params
from sslmepr.params.training import Variant
from sslmepr.training import fusion_objective
from sslmepr.training.fusion_clips import FusionBatch
from sslmepr.training.fusion_objective import FusionObjective
from sslmepr.training.gradnorm import LossGroup
from sslmepr.training.loop import Run, Schedule
from sslmepr.training.published_objective import PublishedObjective
from sslmepr.trials.collapse import (
    ROLES,
    Arm,
    fusion_clips,
    mean_concordance,
    recall,
    train_on,
)
from sslmepr.trials.curve_arms import base_rates, stretched

# The published widths.
WIDTHS = {"face": 1024, "body": 2048, "scene": 1536, "audio": 512, "text": 512}
SIZES = {"hidden": 256, "heads": 8, "dropout": 0.2, "features": WIDTHS}
CONFIG = FusionConfig(WIDTHS, without=OURS, **SIZES)
BATCH, RATE, DECAY = 32, 1e-4, 1e-5
ROUNDS = 31
STEPS = 5  # that are compared
TOLERANCE = 1e-5
NORM_TOLERANCE = 3e-4  # PyTorch's norm of a vector of two millions is not exacter
SURE = 30  # times the initial weights of the heads, so that there are pseudo-labels
PUBLISHED, FASTER = "as published", "the same, faster"
DEFAULT, OURS = "ours, the default", "ours, with both GradNorm groups"
BALANCED = Variant(adding=["semi_supervised", "gradnorm"])
STUDIES, CLIPS = 2, 500  # of the comparison of quality; labelled clips of each task


class KeysAndValues(PublishedFusion):
    """The published network with the attention that its authors' code calls."""

    def _read(self, nodes: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        queries = self.queries.expand(len(nodes), -1, -1)
        return self.reading(queries, nodes, nodes, key_padding_mask=~present)


class JoinedGradients:
    """Gradient norms as the published code takes them: a backward pass per loss."""

    def __init__(self, losses: Tensor, shared: Sequence[Tensor], _):
        self.losses, self.shared = losses, shared

    def norms(self) -> Tensor:
        norms = []
        for loss in self.losses:
            found = torch.autograd.grad(
                loss, self.shared, retain_graph=True, allow_unused=True
            )
            known = [each.flatten() for each in found if each is not None]
            norms.append(torch.norm(torch.cat(known)))
        return torch.stack(norms)


class AnotherPass(PublishedObjective):
    """The published objective, with a backward pass of its own for the sum."""

    _sum = FusionObjective._sum


def drawn_batch() -> FusionBatch:
    """Clips of which one half has emotions, the other traits."""
    embeddings, features = (
        {name: torch.randn(BATCH, width) for name, width in WIDTHS.items()}
        for _ in range(2)
    )
    labels = {task: torch.rand(BATCH, len(TARGETS[task])) for task in TASKS}
    labels["emotion"][BATCH // 2 :] = torch.nan
    labels["personality"][: BATCH // 2] = torch.nan
    logits = 3 * torch.randn(BATCH, len(WIDTHS), len(TARGETS["emotion"]))
    scores = torch.rand(BATCH, len(WIDTHS), len(TARGETS["personality"]))
    present = torch.ones(BATCH, len(WIDTHS), dtype=torch.bool)
    given = FusionInput(embeddings, logits, scores, present, features)
    return FusionBatch(given, labels)


def published(faster: bool) -> Callable:
    """Step of the published network, as published or faster."""
    torch.manual_seed(0)
    model = (PublishedFusion if faster else KeysAndValues)(CONFIG).train()
    with torch.no_grad():
        for head in model.heads.values():
            head.weight.mul_(SURE)
    variant = Variant(as_published=True)
    teaching = PublishedObjective if faster else AnotherPass
    objective = teaching(params.load().fusion, variant, 0)
    trained = [each for each in model.parameters() if each.requires_grad]
    optimiser = torch.optim.Adam(trained, RATE, weight_decay=DECAY, fused=faster)

    def step(batch):
        optimiser.zero_grad()
        loss = objective(model, None, batch)
        loss.backward()
        optimiser.step()

    if faster:
        return step

    def as_published(batch):
        with patch.multiple(
            fusion_objective,
            LossGradients=JoinedGradients,
            linear_calls=lambda model, shared: nullcontext(),
        ):
            step(batch)

    return as_published


def ours(variant: Variant) -> Callable:
    """Step of our network as `sslmepr.training.loop.fit` takes it."""
    torch.manual_seed(0)
    section = params.load().fusion
    without = [name for name in section.left_out(variant) if name in MODEL_COMPONENTS]
    model = FusionModel(FusionConfig(WIDTHS, without=without, **SIZES)).train()
    objective = FusionObjective(section, variant, 0)
    schedule = Schedule(epochs=100, patience=15, learning_rate=RATE, weight_decay=DECAY)
    return Run(model, schedule, 100, objective).step


def recorded(faster: bool, batch: FusionBatch) -> dict[str, Tensor]:
    """Losses, their gradient norms and their weights in each of some steps."""
    step = published(faster)
    found, update = {"losses": [], "norms": [], "weights": []}, LossGroup.update

    def note(group, losses, norms):
        update(group, losses, norms)
        for kept, values in zip(
            found.values(), (losses, norms, group.weights), strict=True
        ):
            kept.append(values)

    torch.manual_seed(1)  # of dropout
    with patch.object(LossGroup, "update", note):
        for _ in range(STEPS):
            step(batch)
    return {name: torch.stack(values) for name, values in found.items()}


def agreement(batch: FusionBatch) -> list[dict]:
    """Largest relative difference of losses, gradient norms and weights of losses.

    Raises
    ------
    SystemExit
        If one is above the tolerance: then times say nothing.
    """
    expected, found = (recorded(faster, batch) for faster in (False, True))
    rows = []
    for name, values in expected.items():
        tolerance = NORM_TOLERANCE if name == "norms" else TOLERANCE
        largest = (found[name] / values - 1).abs().max().item()
        what = f"fusion step, {FASTER}, {name} against {PUBLISHED}, {STEPS} steps"
        if not (values > 0).all() or not largest <= tolerance:  # so that NaN fails too
            raise SystemExit(f"{what}: {largest}")
        unit, bound = "relative difference", f"≤ {tolerance:f}".rstrip("0")
        rows.append(table.row("fusion_step", what, [largest], unit, bound, digits=8))
    return rows


def speed(batch: FusionBatch) -> list[dict]:
    """Milliseconds of each step, and how many times as fast as published."""
    steps = {
        PUBLISHED: published(faster=False),
        FASTER: published(faster=True),
        DEFAULT: ours(Variant()),
        OURS: ours(BALANCED),
    }
    rows, name = [], "fusion_step"
    with timing.others_busy(rows, name, "fusion step"):
        runs = {what: partial(step, batch) for what, step in steps.items()}
        timing.in_turn(runs, 1)
        times = timing.in_turn(runs, ROUNDS)
    for what, each in times.items():
        values = [1000 * value for value in each]
        rows.append(table.row(name, f"fusion step, {what}", values, "ms", digits=1))
    for what, bound in ((FASTER, "≥ 2"), (DEFAULT, None), (OURS, "≥ 5")):
        values = timing.times_as_fast(times[what], times[PUBLISHED])
        what = f"fusion step, {what}, against {PUBLISHED}"
        rows.append(table.row(name, what, values, "times as fast", bound))
    return rows


def scores(settings: Params, variant: Variant, seed: int) -> tuple[float, float]:
    """mWACC and CCC on new people after the default's epochs in batches of `BATCH`.

    Of all networks alike, emotions are decided at base rates and trait scores are
    stretched to the variance of labels.
    """
    own, study = drawn.draw(settings, CLIPS, seed)
    changes = {"hidden": SIZES["hidden"], "batch": BATCH}
    own = own.model_copy(update={"fusion": own.fusion.model_copy(update=changes)})
    arm = Arm(variant)
    data = fusion_clips(own, study, arm)
    predicted, _ = train_on(own, data, arm, seed)
    new, everyone = study.held_out, np.ones(len(study.held_out.clip_ids), bool)
    dev = data.rows(ROLES.personality, "dev")
    traits = predicted["personality"]
    traits = stretched(traits, traits[dev], data.clips.labels["personality"][dev])
    emotions = predicted["emotion"][-len(everyone) :, 1:]
    return (
        recall(new, everyone, emotions, base_rates(data)),
        mean_concordance(new.traits, traits[-len(everyone) :]),
    )


def quality() -> list[dict]:
    """Scores of the published network and of ours, and the differences."""
    settings, seeds, rows = params.load(), range(STUDIES), []
    variants = {PUBLISHED: Variant(as_published=True), OURS: BALANCED}
    found = {
        what: np.array([scores(settings, variant, seed) for seed in seeds])
        for what, variant in variants.items()
    }
    where = f"{CLIPS} drawn training clips a task, as many steps"
    for place, metric in enumerate(("mWACC", "CCC")):
        for what, each in found.items():
            told = f"fusion step, {what}, {where}"
            rows.append(table.row("fusion_step", told, each[:, place], metric, None, 3))
        gained = found[OURS][:, place] - found[PUBLISHED][:, place]
        told = f"fusion step, {OURS}, above {PUBLISHED}, {where}"
        rows.append(table.row("fusion_step", told, gained, metric, "≥ 0", 3))
    return rows


def main() -> None:
    """Check results, then measure and merge into the table."""
    torch.set_num_threads(2)
    torch.manual_seed(0)
    batch = drawn_batch()
    table.merge(agreement(batch) + speed(batch) + quality())


if __name__ == "__main__":
    main()
