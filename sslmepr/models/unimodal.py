"""Stage 1: network for one modality and one task, a correction of a linear probe.

A probe on mean-pooled features is fitted first (ridge regression for traits, logistic
regression for emotions) and frozen. It may read the largest value of each feature over
the steps as well (``peaks``): a mean over many words dilutes the one that tells. And it
may read how similar the clip is to training clips (`KernelMap`). The network learns a
correction of its logits, the sum of three parts:

- evidence of single steps, weighted by attention over steps (`StepEvidence`), for what
  shows in a moment;
- evidence from the slope over the clip, which a mean does not contain;
- a head on the mean and on the slope of the encoded sequence.

Filters that turn features into evidence start at those of linear models (matched
filters), which few clips suffice for; an encoder that has to find them among hundreds
of features fits noise. The encoder therefore reads the evidence of each step, its
square and the time. Stage 2 may need what else is there: a fixed random projection of a
few principal components is added to the sequence that it receives, and not to what the
correction reads. The correction is multiplied by ``scale``, which training chooses on
dev.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sslmepr.labels import TARGETS
from sslmepr.models.sequence import SequenceEncoder, masked_max, masked_mean, rise


@dataclass(frozen=True)
class UnimodalConfig:
    """Configuration of a `UnimodalModel`; plain values that JSON can hold.

    Attributes
    ----------
    task : str
        `emotion` or `personality`.
    features : int
        Number of features per step.
    hidden, block, layers, state, heads, dropout
        As in `SequenceEncoder`.
    targets : int, optional
        Number of logits; that of the task's targets if not given.
    peaks : bool
        Whether the probe also reads the largest value of each feature over the steps.
    landmarks : int
        Training clips of its `KernelMap`, which the probe reads too; 0: it has none.

    Raises
    ------
    ValueError
        If `task` is unknown.
    """

    task: str
    features: int
    hidden: int
    block: str
    layers: int
    state: int
    heads: int
    dropout: float
    targets: int | None = None
    peaks: bool = False
    landmarks: int = 0

    def __post_init__(self):
        if self.task not in TARGETS:
            raise ValueError(f"task={self.task!r}: choose one of {', '.join(TARGETS)}")


class UnimodalOutput(NamedTuple):
    """Output of a `UnimodalModel` for a batch of clips.

    Attributes
    ----------
    sequence : (clip, step, hidden) torch.Tensor
        Zero where there is no real step.
    embedding : (clip, hidden) torch.Tensor
        Mean of `sequence` over real steps.
    logits : (clip, target) torch.Tensor
        One per emotion (multi-label) or one per trait.
    """

    sequence: Tensor
    embedding: Tensor
    logits: Tensor

    @property
    def predicted(self) -> Tensor:
        """Probabilities of emotions or scores of traits, in 0..1: (clip, target)."""
        return torch.sigmoid(self.logits)


def head(width: int, hidden: int, targets: int, dropout: float) -> nn.Sequential:
    """Two-layer head whose logits are 0 at initialisation.

    Parameters
    ----------
    width, hidden, targets : int
        Sizes of the embedding, the hidden layer and the output.
    dropout : float
    """
    last = nn.Linear(hidden, targets)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Dropout(dropout), last)


def set_linear(layer: nn.Linear, weights: Tensor, bias: Tensor) -> None:
    """Set a linear layer to the solution of a linear model and freeze it.

    Parameters
    ----------
    layer : Linear
    weights : (target, feature) torch.Tensor
    bias : (target,) torch.Tensor
    """
    with torch.no_grad():
        layer.weight.copy_(weights)
        layer.bias.copy_(bias)
    layer.requires_grad_(False)


REACH = 0.5
"""Exponent of the Gaussian kernel per squared distance that is usual between a clip and
the mean clip. 0.25, 1 and 2 were tried on dev of First Impressions, without a video on
both sides: only 2 is worse."""

JITTER = 1e-4
"""Added to the landmarks' own kernel before its root is inverted, so that rounding
errors are not blown up."""


class KernelMap(nn.Module):
    """Features in which a linear model is a Gaussian kernel machine (Nyström method).

    A linear model says that twice as much of a feature has twice the effect. In these
    features it can learn that the middle of a range, or a combination, is what counts.
    Their inner product approximates the kernel, and equals it between landmarks
    (Williams and Seeger 2001, Using the Nyström method to speed up kernel machines).

    Parameters
    ----------
    width, landmarks : int
        Features that it reads, and that it returns.
    """

    def __init__(self, width: int, landmarks: int):
        super().__init__()
        self.mean: Tensor
        self.scale: Tensor
        self.landmarks: Tensor
        self.root: Tensor
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))
        self.register_buffer("landmarks", torch.zeros(landmarks, width))
        self.register_buffer("root", torch.eye(landmarks))

    @torch.no_grad()
    def choose(self, features: Tensor, seed: int) -> None:
        """Take landmarks from training clips, at random.

        Parameters
        ----------
        features : (clip, width) torch.Tensor
            At least as many clips as landmarks.
        seed : int
        """
        drawn = np.random.default_rng(seed).permutation(len(features))
        self.mean.copy_(features.mean(0))
        self.scale.copy_(features.std(0, correction=0) + 1e-6)
        chosen = features[torch.from_numpy(drawn[: len(self.landmarks)])].float()
        self.landmarks.copy_((chosen - self.mean) / self.scale)
        kernel = self._similarity(self.landmarks).double()
        kernel.diagonal().add_(JITTER)
        size, axes = torch.linalg.eigh(kernel)
        self.root.copy_(axes / size.sqrt() @ axes.T)

    def forward(self, features: Tensor) -> Tensor:
        """Map (clip, width) to (clip, landmark)."""
        return self._similarity((features.float() - self.mean) / self.scale) @ self.root

    def _similarity(self, values: Tensor) -> Tensor:
        """Gaussian kernel with every landmark: (clip, landmark)."""
        squares = values.square().sum(-1)[:, None] + self.landmarks.square().sum(-1)
        distance = (squares - 2 * values @ self.landmarks.T).clamp(min=0)
        return torch.exp(-REACH / values.shape[-1] * distance)


SLOPE_SHARE = 0.5
"""Share of the slope's evidence at the start of training: filters are fitted in sample,
and so say too much. By convention, not tuned."""

SHARPNESS = 0.1
"""Factor of a step's energy in attention at the start. The log-likelihood ratio of a
step with a signal of variance S in noise of variance N has S / (S + N) there. 0.25 was
tried too, on dev of one drawn study and with other changes; it is not tuned."""

CONTEXT = 16
"""Principal components that stage 2 receives. By convention, not tuned."""


class StepEvidence(nn.Module):
    """Matched filters: logits that single steps, and the slope over a clip, speak for.

    Steps are weighted by softmax attention. Its logits are the energy of a step's
    evidence, the sum of squares over targets, and what the encoder adds. With the right
    filters and Gaussian noise, the energy is the log-likelihood ratio of an expression
    at that step.

    Parameters
    ----------
    features, hidden, targets : int
        Widths of a step's features and of the encoder's output; number of logits.

    Attributes
    ----------
    width : int
        Of what `describe` returns.
    """

    def __init__(self, features: int, hidden: int, targets: int):
        super().__init__()
        self.level = nn.Linear(features, targets, bias=False)
        self.slope = nn.Linear(features, targets, bias=False)
        self.attend = nn.Linear(hidden, 1, bias=False)
        for layer in (self.level, self.slope, self.attend):
            nn.init.zeros_(layer.weight)
        self.context = nn.Linear(features, min(CONTEXT, features), bias=False)
        self.carry = nn.Linear(self.context.out_features, hidden, bias=False)
        for layer in (self.context, self.carry):
            layer.requires_grad_(False)
        self.width = 2 * targets + 1
        self.sharpness = nn.Parameter(torch.tensor(SHARPNESS))
        self.slope_share = nn.Parameter(torch.full((targets,), SLOPE_SHARE))
        self.spread: Tensor
        self.register_buffer("spread", torch.ones(targets))

    @torch.no_grad()
    def match(
        self, level: Tensor, slope: Tensor, spread: Tensor, context: Tensor
    ) -> None:
        """Start from filters of linear models, which are trained further.

        Parameters
        ----------
        level, slope : (target, feature) torch.Tensor
            Weights of linear models on the mean and on the slope of features.
        spread : (target,) torch.Tensor
            Standard deviation of the evidence of a step.
        context : (component, feature) torch.Tensor
            At most `CONTEXT` components, of unit variance.
        """
        self.context.weight.zero_()
        self.context.weight[: len(context)] = context
        self.level.weight.copy_(level)
        self.slope.weight.copy_(slope)
        self.spread.copy_(spread)

    def describe(self, values: Tensor, mask: Tensor) -> Tensor:
        """What the encoder reads: (clip, step, feature) to (clip, step, width)."""
        evidence, time = self.level(values) / self.spread, rise(mask)[..., None]
        return torch.cat([evidence, evidence.square(), time], -1)

    def carried(self, values: Tensor, mask: Tensor) -> Tensor:
        """What stage 2 receives beside the encoded steps: (clip, step, hidden)."""
        carried = self.carry(self.context(values))
        return carried.masked_fill(~mask[..., None], 0.0)

    def forward(self, values: Tensor, mask: Tensor, sequence: Tensor) -> Tensor:
        """Logits to add: (clip, target).

        Parameters
        ----------
        values : (clip, step, feature) torch.Tensor
            Finite in padding.
        mask : (clip, step) torch.Tensor of bool
        sequence : (clip, step, hidden) torch.Tensor
            Encoded steps.
        """
        evidence = self.level(values)  # (clip, step, target)
        energy = (evidence / self.spread).square().sum(-1) / 2
        asked = self.sharpness * energy + self.attend(sequence)[..., 0]
        attention = asked.masked_fill(~mask, -torch.inf).softmax(1)
        even = mask / mask.sum(1, keepdim=True)
        moment = ((attention - even)[..., None] * evidence).sum(1)
        slope = self.slope(masked_mean(values * rise(mask)[..., None], mask))
        return moment + self.slope_share * slope


class UnimodalModel(nn.Module):
    """Sum of a linear probe and of a correction by what happens over the steps.

    Attributes
    ----------
    scale : () torch.Tensor
        Factor of the correction, 0 (the probe alone) to 1.
    """

    def __init__(self, config: UnimodalConfig):
        super().__init__()
        self.config = config
        targets = config.targets or len(TARGETS[config.task])
        self.evidence = StepEvidence(config.features, config.hidden, targets)
        self.encoder = SequenceEncoder(
            self.evidence.width,
            config.hidden,
            config.block,
            config.layers,
            config.state,
            config.heads,
            config.dropout,
        )
        self.head = head(2 * config.hidden, config.hidden, targets, config.dropout)
        width = (1 + config.peaks) * config.features
        self.kernel = KernelMap(width, config.landmarks) if config.landmarks else None
        self.probe = nn.Linear(width + config.landmarks, targets)
        self.scale: Tensor
        self.register_buffer("scale", torch.tensor(1.0))

    def forward(
        self, values: Tensor, mask: Tensor, offset_logits: Tensor | None = None
    ) -> UnimodalOutput:
        """Predict one task.

        Parameters
        ----------
        values : (clip, step, feature) torch.Tensor
        mask : (clip, step) torch.Tensor of bool
            True at real steps.
        offset_logits : (clip, target) torch.Tensor, optional
            Base logits that the network corrects, instead of the probe's own: out of
            fold for training clips, on which the probe's own are in-sample.

        Returns
        -------
        UnimodalOutput

        Raises
        ------
        ValueError
            If a clip has no real step.
        """
        values = values.masked_fill(~mask[..., None], 0.0)
        time = rise(mask)[..., None]
        encoded = self.encoder(self.evidence.describe(values, mask), mask)
        if offset_logits is None:
            offset_logits = self.probe(self._pooled(values, mask))
        change = [masked_mean(encoded, mask), masked_mean(encoded * time, mask)]
        correction = self.head(torch.cat(change, -1))
        correction = correction + self.evidence(values, mask, encoded)
        logits = self.scale * correction.float() + offset_logits.float()
        sequence = encoded + self.evidence.carried(values, mask)
        return UnimodalOutput(sequence, masked_mean(sequence, mask), logits)

    def summary(self, pooled: Tensor) -> Tensor:
        """What the probe reads: (clip, feature).

        Parameters
        ----------
        pooled : (clip, feature) torch.Tensor
            As from `sslmepr.training.batches.ModalityClips.summary`.
        """
        if self.kernel is None:
            return pooled
        return torch.cat([pooled, self.kernel(pooled)], -1)

    def _pooled(self, values: Tensor, mask: Tensor) -> Tensor:
        mean = masked_mean(values, mask)
        if self.config.peaks:
            mean = torch.cat([mean, masked_max(values, mask)], -1)
        return self.summary(mean)
