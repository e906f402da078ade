"""Sections on the three training stages and on their replicates."""

from typing import Annotated, Literal

from pydantic import Field

from sslmepr.labels import COMPONENTS, OURS
from sslmepr.params.base import Modality, Positive, Rate, Section, Share, Task

Block = Literal["mamba", "transformer", "state_free"]
Component = Literal[COMPONENTS]


class Training(Section):
    """Network size and optimisation, common to all training stages.

    Attributes
    ----------
    hidden, heads : int
        Width of the hidden layers and number of attention heads, which divides it.
    dropout : float
        Dropout probability.
    epochs : int
        Most passes over the training clips.
    patience : int, optional
        Epochs without a better dev score after which training stops; without it, all
        epochs are a fixed budget.
    batch : int
        Clips per optimisation step.
    learning_rate, weight_decay : float
        Of AdamW; biases and other vectors are not decayed.
    """

    hidden: Positive
    heads: Positive
    dropout: Annotated[float, Field(ge=0, lt=1)]
    epochs: Positive
    patience: Positive | None
    batch: Positive
    learning_rate: Rate
    weight_decay: Annotated[float, Field(ge=0)]


class Unimodal(Training):
    """Stage 1: one model per modality and task.

    Attributes
    ----------
    blocks : dict of str to str
        Modality to its kind of sequence block.
    layers : int
        Blocks in sequence.
    state : int
        Mamba-2 state size per head.
    peaks : list of str
        Modalities whose probes read, beside the mean over the steps, the largest value
        of each feature over them.
    landmarks : dict of str to int
        Modality to the number of training clips to which its probes compare a clip
        (`sslmepr.models.unimodal.KernelMap`), where that predicts dev better.
    refits : int
        Cluster-bootstrap samples of the training speakers, to which the regressions are
        refitted to estimate the error from the finite training sample.
    """

    blocks: dict[Modality, Block]
    layers: Positive
    state: Positive
    peaks: list[Modality]
    landmarks: dict[Modality, Positive]
    refits: Annotated[int, Field(ge=0)]


class Crosstask(Training):
    """Stage 2: cross-attention between the two stage-1 encoders of a modality.

    Attributes
    ----------
    layers : int
        Layers of cross-attention.
    """

    layers: Positive


class CoTraining(Section):
    """Size of the co-trained probes' contribution, by task.

    It is the standard deviation of a probe's output, relative to that of the modality's
    own logits; at 0 the probes contribute nothing. It is the smallest of those that are
    tried beside 0 (`sslmepr.training.stacking.STRENGTHS`).
    """

    emotion: Annotated[float, Field(ge=0)]
    personality: Annotated[float, Field(ge=0)]


class SemiSupervised(Section):
    """Pseudo-labels from the fusion model itself, on clips without labels.

    Attributes
    ----------
    weight : float
        Budget of the pseudo-label losses relative to that of the supervised losses,
        where ``gradnorm`` does not balance them.
    emotion_threshold : float
        Smallest max(p, 1 - p) at which an emotion's probability p is a pseudo-label.
    trait_margin : float
        Smallest distance of a trait score from 0.5 at which it is one.
    """

    weight: Annotated[float, Field(ge=0)]
    emotion_threshold: Share
    trait_margin: Annotated[float, Field(ge=0, le=0.5)]


class GradNormGroup(Section):
    """One group of losses that GradNorm balances.

    Attributes
    ----------
    alpha : float
        Exponent of the relative training rate.
    step : float
        Step size of the loss weights.
    budget : float
        Sum of the loss weights when both tasks are trained.
    """

    alpha: Annotated[float, Field(ge=0)]
    step: Rate
    budget: Rate


class GradNorm(Section):
    """Loss balancing by gradient norms, for labels and for pseudo-labels.

    Attributes
    ----------
    supervised, semi_supervised : GradNormGroup
    floor : float
        Smallest loss weight before the weights are scaled to their budget.
    """

    supervised: GradNormGroup
    semi_supervised: GradNormGroup
    floor: Rate


class Variant(Section):
    """A fusion model by its differences from the default one.

    Attributes
    ----------
    as_published : bool
        Whether network, losses and loss balancing are those of the published method
        (`sslmepr.models.published`), with all its components.
    tasks : list of str
        Tasks that it predicts.
    adding, without : list of str
        Components added to and removed from ``fusion.components``.
    modalities : list of str, optional
        Modalities that it reads; absent: those of the study.
    """

    as_published: bool = False
    tasks: list[Task] = ["emotion", "personality"]
    adding: list[Component] = []
    without: list[Component] = []
    modalities: list[Modality] | None = None


class Fusion(Training):
    """Stage 3: fusion of all modalities, for both tasks.

    Attributes
    ----------
    components : list of str
        Optional parts that the model has, of `sslmepr.labels.COMPONENTS`.
    seeds : list of int
        One model is trained per seed.
    co_training, semi_supervised, gradnorm
        Settings of the components of these names.
    """

    components: list[Component]
    seeds: list[int]
    co_training: CoTraining
    semi_supervised: SemiSupervised
    gradnorm: GradNorm

    def left_out(self, variant: Variant) -> list[Component]:
        """Components that a variant does not have."""
        if variant.as_published:
            chosen = [name for name in COMPONENTS if name not in OURS]
        else:
            chosen = [*self.components, *variant.adding]
        return [n for n in COMPONENTS if n not in chosen or n in variant.without]


class Replicate(Section):
    """Seeds of the fusion models of a replicate, in place of ``fusion.seeds``."""

    seeds: list[int]
