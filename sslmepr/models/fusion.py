"""Stage 3: fusion network for any subset of modalities and both tasks.

Every modality is a node. Nodes exchange information by graph attention (Velickovic et
al. 2018), and one learned query per task attends to them. Heads and guide banks correct
the logits of the predict projectors, which are stacking regressions (late fusion) on
the unimodal predictions. An absent modality is masked: it receives no attention and
enters no sum, and its values, even NaN, change neither outputs nor gradients.

The published predict projector adds the mean of the unimodal predictions to the
representation. Ours has a weight for every prediction of every modality and adds the
result to the logits. If the errors of modalities are independent, the sum of their
logits is more confident than their mean, as it should be.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, cast

import torch
from torch import Tensor, nn

from sslmepr.labels import EMOTIONS, MODEL_COMPONENTS, PARTS, TARGETS, TASKS, TRAITS
from sslmepr.models.factor_expert import FactorExpert
from sslmepr.models.fusion_parts import (
    CONTRADICTS,
    CONTRARY,
    GraphAttention,
    GuideBank,
    PredictProjector,
    Product,
    ProductOfExperts,
    Projector,
    QueryReading,
    Readings,
    mixed,
)
from sslmepr.models.second_forms import SecondForms


@dataclass(frozen=True)
class FusionConfig:
    """Configuration of a `FusionModel`; plain values that JSON can hold.

    Attributes
    ----------
    widths : dict of str to int
        Modality to the width of its [emotion | personality] embedding. Its order is
        the order of every modality axis.
    hidden, heads : int
    dropout : float
    tasks : sequence of str
        Predicted tasks; their order is the order of every task axis.
    without : sequence of str
        Components of `MODEL_COMPONENTS` that are left out. Without `graph_attention`,
        nodes do not exchange information; without `task_query`, the representation of
        every task is the mean of the nodes; without `predict_projector`, unimodal
        predictions are not used; without `guide_bank`, the heads alone give the logits;
        without `co_training`, no co-trained probes are added to the unimodal logits;
        without `product_of_experts`, every modality of every clip counts alike; without
        `contrary_words`, words are taken as said, and without `expressiveness`, all
        people as equally expressive. These two are parts of a product of experts; where
        the tasks or modalities that they need are not there, they have no effect.
        Without `second_forms`, emotions are taken as shown in one form, and without
        `factor_model`, late fusion is not joined by a model of the cues themselves.
    features : dict of str to int
        Modality to its number of features, the input of co-trained probes and readings.

    Raises
    ------
    ValueError
        If a name is unknown, a list is empty, `features` does not match `widths`,
        `heads` does not divide `hidden`, a product of experts or a factor model has no
        predict projector beside it, or a part of a component is without it.
    """

    widths: dict[str, int]
    hidden: int
    heads: int
    dropout: float
    tasks: tuple[str, ...] = TASKS
    without: tuple[str, ...] = ()
    features: dict[str, int] = field(default_factory=dict)

    def __post_init__(self):
        for name, known in (("tasks", TASKS), ("without", MODEL_COMPONENTS)):
            chosen = tuple(getattr(self, name))
            object.__setattr__(self, name, chosen)
            unknown = [each for each in chosen if each not in known]
            if unknown:
                raise ValueError(
                    f"{name}: unknown {', '.join(unknown)}; known: {', '.join(known)}"
                )
        for name in ("widths", "tasks"):
            if not getattr(self, name):
                raise ValueError(f"{name}: at least one is needed")
        probing = {*("co_training", "product_of_experts"), "second_forms"}
        probing = (probing | {"factor_model"}) - set(self.without)
        if probing and list(self.features) != list(self.widths):
            raise ValueError(
                f"features: {' and '.join(sorted(probing))} need a width for "
                f"{', '.join(self.widths)}; found {', '.join(self.features) or 'none'}"
            )
        if self.hidden % self.heads:
            raise ValueError(f"heads={self.heads} does not divide hidden={self.hidden}")
        for name in ("product_of_experts", "factor_model"):
            if name not in self.without and "predict_projector" in self.without:
                raise ValueError(f"{name}: needs the predict_projector")
        for part, whole in PARTS.items():
            if part not in self.without and whole in self.without:
                raise ValueError(f"{part}: needs the {whole}")


class FusionInput(NamedTuple):
    """Outputs of stage 2 for a batch of clips.

    Attributes
    ----------
    embeddings : dict of str to (clip, width) torch.Tensor
        Per modality [emotion | personality].
    emotion_logits : (clip, modality, emotion) torch.Tensor
    trait_scores : (clip, modality, trait) torch.Tensor
    present : (clip, modality) torch.Tensor of bool
        Where False, values of the other fields are arbitrary and never used.
    features : dict of str to (clip, feature) torch.Tensor
        Mean-pooled features per modality.
    factored : dict of str to (clip, target) torch.Tensor
        What a model's factor expert says of the clips, if it has been asked before;
        empty otherwise. It is frozen, and training need not ask it in every epoch.
    """

    embeddings: dict[str, Tensor]
    emotion_logits: Tensor
    trait_scores: Tensor
    present: Tensor
    features: dict[str, Tensor]
    factored: Mapping[str, Tensor] = {}  # noqa: RUF012 (never changed)

    def at(self, rows: Tensor) -> "FusionInput":
        """Select clips of the batch by position."""
        return self._each(lambda values: values[rows])

    def to(self, device: torch.device) -> "FusionInput":
        """The batch on another device."""
        return self._each(lambda values: values.to(device))

    def _each(self, change: Callable[[Tensor], Tensor]) -> "FusionInput":
        return FusionInput(
            {name: change(values) for name, values in self.embeddings.items()},
            change(self.emotion_logits),
            change(self.trait_scores),
            change(self.present),
            {name: change(values) for name, values in self.features.items()},
            {name: change(values) for name, values in self.factored.items()},
        )


class FusionOutput(NamedTuple):
    """Output of a `FusionModel` for a batch of clips.

    Attributes
    ----------
    emotion_logits : (clip, emotion) torch.Tensor or None
        None where emotion is not among the tasks.
    trait_scores : (clip, trait) torch.Tensor or None
        In 0..1; None where personality is not among the tasks.
    graph_attention : (clip, modality, modality) torch.Tensor
        Attention of each modality (first axis) to each. Rows of present modalities sum
        to one, the others are zero.
    query_attention : (clip, task, modality) torch.Tensor
        Attention of each task to each modality, mean over heads; sums to one.
    representation : (clip, task, hidden) torch.Tensor
        Input of heads and guide banks.
    quality : (clip, modality) torch.Tensor
        How well each modality was seen, relative to the usual (product of experts); 1
        without that component, and 0 where absent.
    """

    emotion_logits: Tensor | None
    trait_scores: Tensor | None
    graph_attention: Tensor
    query_attention: Tensor
    representation: Tensor
    quality: Tensor

    def of(self, task: str) -> Tensor:
        """Output of a predicted task: logits of emotions or scores of traits."""
        output = self.emotion_logits if task == "emotion" else self.trait_scores
        if output is None:
            raise ValueError(f"{task} is not among the predicted tasks")
        return output


class FusionModel(nn.Module):
    """Multimodal, multi-task fusion model, or an ablation of it.

    Attributes
    ----------
    shares : (task,) torch.Tensor
        Of the corrections of heads and guide banks, how much is added to the logits of
        late fusion; 1 unless it is set (`sslmepr.training.corrections`).
    weighing : (task,) torch.Tensor
        How far the product of experts takes the place of the plain sum of the terms of
        late fusion, from 0 to 1; set in the same way.
    believing : (task,) torch.Tensor
        How far the factor model takes the place of both, likewise.
    """

    shares: Tensor
    weighing: Tensor
    believing: Tensor

    activation: type[nn.Module] = nn.GELU
    """Of the projectors. With the kink of ReLU, a rounding error of the input can set a
    unit going that is silent otherwise, and training takes another path."""

    def __init__(self, config: FusionConfig):
        super().__init__()
        self.config = config
        hidden = config.hidden
        for name in ("shares", "weighing", "believing"):
            self.register_buffer(name, torch.ones(len(config.tasks)))
        self.projectors = nn.ModuleDict(
            {
                modality: Projector(width, hidden, config.dropout, self.activation)
                for modality, width in config.widths.items()
            }
        )
        self.graph = self.queries = self.reading = None
        if "graph_attention" not in config.without:
            self.graph = GraphAttention(hidden)
        if "task_query" not in config.without:
            start = torch.randn(len(config.tasks), hidden) / hidden**0.5
            self.queries = nn.Parameter(start)
            # No attention dropout, so that the reported attention sums to one.
            self.reading = QueryReading(hidden, config.heads)
        self.predict_projectors, self.banks = nn.ModuleDict(), nn.ModuleDict()
        self.heads = nn.ModuleDict()
        for task in config.tasks:
            targets = len(TARGETS[task])
            self.heads[task] = head = nn.Linear(hidden, targets)
            if "predict_projector" not in config.without:
                nn.init.zeros_(head.weight)
                nn.init.zeros_(head.bias)
                features = None if "co_training" in config.without else config.features
                self.predict_projectors[task] = PredictProjector(
                    task, len(config.widths), features
                )
            if "guide_bank" not in config.without:
                self.banks[task] = GuideBank(targets, hidden)
        self.experts = self.readings = None
        if "product_of_experts" not in config.without:
            self.readings = Readings(config.features)
            self.experts = _experts(config)
        self.forms = None
        if "second_forms" not in config.without and "emotion" in config.tasks:
            self.forms = SecondForms(config.features)
        self.factors = None
        if "factor_model" not in config.without:
            self.factors = FactorExpert(config.features, config.tasks)
        self.dropout = nn.Dropout(config.dropout)

    @property
    def co_trained(self) -> bool:
        """Whether the model has co-trained probes."""
        return any(
            len(getattr(p, "probes", ())) for p in self.predict_projectors.values()
        )

    @staticmethod
    def emotion_probabilities(logits: Tensor) -> Tensor:
        """Sigmoid probability of each emotion (multi-label): (clip, emotion)."""
        return logits.sigmoid()

    def predicted(self, output: FusionOutput) -> dict[str, Tensor]:
        """Task to probabilities of emotions or scores of traits, (clip, target)."""
        answers = {task: output.of(task) for task in self.config.tasks}
        if "emotion" in answers:
            answers["emotion"] = self.emotion_probabilities(answers["emotion"])
        return answers

    def last_shared_matrices(self) -> list[nn.Parameter]:
        """Weights of the last layer that all tasks share, in one or more matrices."""
        if self.reading is not None:
            return [self.reading.get_parameter("out_proj.weight")]
        if self.graph is not None:
            return [self.graph.get_parameter("weight.weight")]
        return [
            each.get_parameter("adapter.3.weight") for each in self.projectors.values()
        ]

    def forward(self, given: FusionInput) -> FusionOutput:
        """Predict from the present modalities.

        Parameters
        ----------
        given : FusionInput

        Returns
        -------
        FusionOutput

        Raises
        ------
        ValueError
            If a clip has no modality; the message gives its position in the batch.
        """
        present = given.present
        alone = (~present.any(1)).nonzero().flatten().tolist()
        if alone:
            raise ValueError(f"no modality present in clips {alone} of the batch")
        nodes = self._nodes(given.embeddings, present)
        late = self._late_fusion(given)
        product = self._product(given)
        factored = self.factored(given)
        quality = present.to(nodes.dtype) if product is None else product.quality
        if self.graph is None:
            graph_attention = torch.diag_embed(present.to(nodes.dtype))
        else:
            nodes, graph_attention = self.graph(nodes, present)
        representation, query_attention = self._read(nodes, present)
        outputs = {
            task: self._decide(
                task,
                representation[:, place],
                given,
                late.get(task),
                product,
                factored.get(task),
            )
            for place, task in enumerate(self.config.tasks)
        }
        return FusionOutput(
            outputs.get("emotion"),
            outputs.get("personality"),
            graph_attention,
            query_attention,
            representation,
            quality,
        )

    def factored(self, given: FusionInput) -> Mapping[str, Tensor]:
        """What the factor model says, by task: (clip, target); empty without one."""
        if self.factors is None or not self.factors.awake:
            return {}
        return given.factored or self.factors(given)

    @property
    def _projectors(self) -> dict[str, PredictProjector]:
        return {
            task: cast(PredictProjector, self.predict_projectors[task])
            for task in TASKS
            if task in self.predict_projectors
        }

    def _late_fusion(self, given: FusionInput) -> dict[str, Tensor]:
        """Logits of the predict projectors by task."""
        return {task: each(given) for task, each in self._projectors.items()}

    def _product(self, given: FusionInput) -> Product | None:
        """Product of experts whose terms are those of the predict projectors."""
        if self.experts is None or self.readings is None:
            return None
        terms = [each.terms(given) for each in self._projectors.values()]
        readings, log_odds = self.readings(given)
        return self.experts(readings, torch.cat(terms, -1), given.present, log_odds)

    def _nodes(self, embeddings: dict[str, Tensor], present: Tensor) -> Tensor:
        nodes = []
        for place, (modality, projector) in enumerate(self.projectors.items()):
            absent = ~present[:, place, None]
            nodes.append(projector(embeddings[modality].masked_fill(absent, 0.0)))
        return torch.stack(nodes, dim=1).float()  # (clip, modality, hidden)

    def _read(self, nodes: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Representation of each task and its attention to the modalities."""
        if self.queries is None or self.reading is None:
            share = present / present.sum(1, keepdim=True)
            share = share[:, None].expand(-1, len(self.config.tasks), -1)
            return share @ nodes, share
        found, share = self.reading.read(self.queries, nodes, present)
        return found.float(), share.float()

    def _decide(
        self,
        task: str,
        representation: Tensor,
        given: FusionInput,
        late: Tensor | None,
        product: Product | None,
        factored: Tensor | None,
    ) -> Tensor:
        """Logits of late fusion plus a share of the mean of head and guide bank."""
        corrections = [self.heads[task](self.dropout(representation)).float()]
        if task in self.banks:
            corrections.append(self.banks[task](representation))
        place = self.config.tasks.index(task)
        logits = correction = self.shares[place] * torch.stack(corrections).mean(0)
        if late is not None:
            logits = late + correction
        if product is not None:
            weighed = self._weighed(task, correction, product)
            logits = torch.lerp(logits, weighed, self.weighing[place])
        if task == "emotion" and self.forms is not None:
            logits = logits + self.forms(given.features, given.present)
        if factored is not None:
            other = factored + correction
            if task == "emotion":  # neutral is no factor
                other = torch.cat([logits[:, :1], other[:, 1:]], 1)
            logits = torch.lerp(logits, other, self.believing[place])
        return torch.sigmoid(logits) if task == "personality" else logits

    def _weighed(self, task: str, correction: Tensor, product: Product) -> Tensor:
        """Logits of a task by the product of experts, with their correction."""
        names = list(self._projectors)
        place = names.index(task)
        mean = product.mean.split([len(TARGETS[name]) for name in names], -1)[place]
        each = mean + self._projectors[task].linear.bias + correction[:, None]
        if task == "emotion":
            each = each * product.sharpness[..., : each.shape[-1]]
        return mixed(each, product.weights)


def _experts(config: FusionConfig) -> ProductOfExperts:
    """Product of experts with the parts that the tasks and modalities allow."""
    targets = sum(len(TARGETS[task]) for task in config.tasks)
    names, emotional = list(config.widths), "emotion" in config.tasks
    contrary = extraversion = None
    if "contrary_words" not in config.without and emotional:
        if {CONTRARY, CONTRADICTS} <= set(names):
            contrary = names.index(CONTRARY)
    if "expressiveness" not in config.without and set(TASKS) <= set(config.tasks):
        extraversion = len(EMOTIONS) + TRAITS.index("extraversion")
    emotions = len(EMOTIONS) if emotional else 0
    return ProductOfExperts(targets, emotions, len(names), contrary, extraversion)
