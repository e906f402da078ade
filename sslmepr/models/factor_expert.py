"""Emotions and traits by a factor model, as logits for the fusion network."""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor, nn

from sslmepr.labels import TARGETS
from sslmepr.models.factor_model import (
    FACTORS,
    ChannelLaw,
    Evidence,
    FactorModel,
    Parts,
    Posterior,
    forms_of,
    infer,
)
from sslmepr.models.fusion_parts import CONTRADICTS, unimodal_logits

WIDEST = 64
"""Features up to which they are modelled themselves; of more, a few hundred clips tell
too little. That of the features of drawn studies, in which the model was tried."""

COMPONENTS = 32
"""Principal components that are modelled of more features: what varies together. The
rest is noise of single features, whose covariances a few thousand clips do not tell.
Chosen on drawn studies with other seeds than those of trials, among 22, 27, 32, 40 and
all 64."""

MOST_CLASSES, MOST_FORMS = 2, 2
"""Of a factor model of the fusion network."""

LEAST = 1e-9
"""Share of the largest variance from which a component is told from none."""

SMALLEST_CHANCE, SMALLEST_SCORE = 1e-6, 1e-3
"""Probabilities and trait scores are kept this far from 0 and 1."""


class FactorExpert(nn.Module):
    """Logits of both tasks, each by a factor model of its own choice.

    The factor model (`sslmepr.models.factor_model`) is of the features of a modality,
    of the first principal ones of more than `COMPONENTS`, or, of more than `WIDEST`, of
    what the unimodal model says, the logits of all tasks. It is frozen, and says
    nothing until it is set (`sslmepr.training.factor_choice`).

    Parameters
    ----------
    features : mapping of str to int
        Modality to its number of features.
    tasks : sequence of str

    Attributes
    ----------
    awake : bool
        Whether it has been set. Kept beside the tensors, as all is that decides what is
        computed: a device need not be waited for.
    """

    ready: Tensor
    level: Tensor
    spread: Tensor

    def __init__(self, features: Mapping[str, int], tasks: Sequence[str]):
        super().__init__()
        self.tasks = tuple(tasks)
        count = len(Parts(self.tasks).factors)
        self.said = tuple(name for name, width in features.items() if width > WIDEST)
        shown = {
            name: count if name in self.said else width
            for name, width in features.items()
        }
        self.widths = {name: min(width, COMPONENTS) for name, width in shown.items()}
        self.register_buffer("ready", torch.tensor(False))
        for name in ("level", "spread"):
            self.register_buffer(name, torch.zeros(len(TARGETS["personality"])))
        self.centres = nn.ParameterDict(
            {name: _frozen(2, width) for name, width in shown.items()}
        )
        self.axes = nn.ParameterDict(
            {
                name: _frozen(width, COMPONENTS)
                for name, width in shown.items()
                if width > COMPONENTS
            }
        )
        self.laws = nn.ModuleDict(
            {task: _Law(self.widths, self.tasks) for task in self.tasks}
        )
        self.register_load_state_dict_post_hook(lambda self, _: self._note())
        self._note()

    def standardise(self, given) -> None:
        """Set mean, deviation and principal components of what each modality shows.

        Parameters
        ----------
        given : FusionInput
            Training clips.
        """
        for name, (values, seen) in self._shown(given).items():
            known = values[seen]
            if len(known):
                scale = known.std(0, correction=0)
                scale = torch.where(scale > 0, scale, torch.ones_like(scale))
                self.centres[name].copy_(torch.stack([known.mean(0), scale]))
                if name in self.axes:
                    scaled = (known - known.mean(0)) / scale
                    self.axes[name].copy_(_principal(scaled, COMPONENTS))

    def evidence(self, given) -> Evidence:
        """What the modalities show, of mean 0 and deviation 1, without labels.

        Parameters
        ----------
        given : FusionInput
        """
        features, present = {}, {}
        for name, (values, seen) in self._shown(given).items():
            mean, scale = self.centres[name]
            scaled = (values - mean) / scale
            if name in self.axes:
                scaled = scaled @ self.axes[name]
            features[name] = scaled.masked_fill(~seen[:, None], 0.0)
            present[name] = seen
        count = len(Parts(self.tasks).factors)
        nothing = next(iter(features.values())).new_zeros(len(given.present), count)
        return Evidence(features, present, nothing, nothing)

    def set_laws(
        self, laws: Mapping[str, FactorModel], level: Tensor, spread: Tensor
    ) -> None:
        """Set the factor model of each task, and the scale of trait scores.

        Parameters
        ----------
        laws : mapping of str to FactorModel
        level, spread : (trait,) torch.Tensor
            Mean and standard deviation of the scores of the training clips.
        """
        for task, law in laws.items():
            self._law(task).set(law)
        self.level.copy_(level)
        self.spread.copy_(spread)
        self.ready.fill_(True)
        self._note()

    def _note(self) -> None:
        self.awake = bool(self.ready)
        laws = [self._law(task) for task in self.tasks]
        self.same = all(laws[0].equals(law) for law in laws)
        for law in laws:
            law.note()

    def forward(self, given) -> dict[str, Tensor]:
        """Logits of a `FusionInput` by task; ``neutral``, which is no factor, has 0.

        Returns
        -------
        dict of str to (clip, target) torch.Tensor
        """
        evidence, found, posterior = self.evidence(given), {}, None
        for task in self.tasks:
            if posterior is None or not self.same:
                posterior = self._law(task).posterior(evidence)
            found[task] = self._logits(task, posterior)
        return found

    def of(self, task: str, given) -> Tensor:
        """Logits of one task: (clip, target)."""
        return self._logits(task, self._law(task).posterior(self.evidence(given)))

    def _logits(self, task: str, posterior: Posterior) -> Tensor:
        if task == "emotion":
            chance = posterior.above(self._law(task).thresholds)
            found = torch.logit(chance, SMALLEST_CHANCE)
            return nn.functional.pad(found, (1, 0)).float()
        traits = posterior.expected()[:, -len(self.level) :]
        return torch.logit(self.level + self.spread * traits, SMALLEST_SCORE).float()

    def _law(self, task: str) -> "_Law":
        return cast(_Law, self.laws[task])

    def _shown(self, given) -> dict[str, tuple[Tensor, Tensor]]:
        """By modality what it shows, (clip, feature), and which clips have it."""
        logits = [
            unimodal_logits(task, given)[..., -len(FACTORS[task]) :]
            for task in self.tasks
        ]
        every = torch.cat(logits, -1).double()
        found = {}
        for place, (name, features) in enumerate(given.features.items()):
            said = name in self.said
            values = every[:, place] if said else features.double()
            found[name] = values, given.present[:, place]
        return found


class _Law(nn.Module):
    """A `FactorModel` as frozen parameters, of the largest shape that it may have."""

    def __init__(self, widths: Mapping[str, int], tasks: tuple[str, ...]):
        super().__init__()
        self.tasks, known = tasks, Parts(tasks)
        count, emotions = len(known.factors), known.emotions
        self.channels = nn.ModuleDict()
        for name, width in widths.items():
            shapes = {
                "loadings": (MOST_FORMS, width, count),
                "means": (MOST_CLASSES, width),
                "errors": (MOST_CLASSES, width, width),
                "shares": (MOST_CLASSES,),
            }
            self.channels[name] = nn.ParameterDict(
                {key: _frozen(*shape) for key, shape in shapes.items()}
            )
        self.prior, self.thresholds = _frozen(count, count), _frozen(emotions)
        self.gate = _frozen(widths.get(CONTRADICTS, 0) + 1)
        # Classes, contrary, forms, expressive; share of the second form, moderation.
        self.parts, self.rates = _frozen(4), _frozen(2)

    def set(self, law: FactorModel) -> None:
        """Copy a factor model, and nothing of the last one stays."""
        for each in self.parameters():
            each.zero_()
        for name, channel in law.channels.items():
            for key, values in vars(channel).items():
                self._channel(name)[key][: len(values)] = values
        self.prior.copy_(law.prior)
        self.thresholds.copy_(law.thresholds)
        if law.parts.contrary:
            self.gate.copy_(law.gate)
        parts = law.parts
        flags = [parts.classes, parts.contrary, parts.forms, parts.expressive]
        self.parts.copy_(torch.tensor(flags))
        self.rates.copy_(torch.tensor([law.second, law.moderation]))

    def posterior(self, given: Evidence) -> Posterior:
        """Factors of clips, from the modalities of which the model has a law."""
        law = self.law()
        features = {name: given.features[name] for name in law.channels}
        present = {name: given.present[name] for name in law.channels}
        return infer(law, Evidence(features, present, given.known, given.precision))

    def equals(self, other: "_Law") -> bool:
        """Whether another law is the same."""
        mine, others = self.state_dict(), other.state_dict()
        return all(torch.equal(each, others[key]) for key, each in mine.items())

    def _channel(self, name: str) -> nn.ParameterDict:
        return cast(nn.ParameterDict, self.channels[name])

    def note(self) -> None:
        """Keep beside the tensors what decides what is computed."""
        self.known = tuple(self.parts.tolist()), tuple(self.rates.tolist())
        self.learned = [
            name for name in self.channels if self._channel(name)["shares"].any()
        ]

    def law(self) -> FactorModel:
        """The factor model, without modalities that too few clips had."""
        flags, (second, moderation) = self.known
        classes, contrary, forms, expressive = map(int, flags)
        parts = Parts(
            self.tasks, classes, bool(contrary), bool(forms), bool(expressive)
        )
        channels = {}
        for name in self.learned:
            channel = self._channel(name)
            channels[name] = ChannelLaw(
                channel["loadings"][: forms_of(parts, name)],
                *(channel[key][:classes] for key in ("means", "errors", "shares")),
            )
        return FactorModel(
            parts, channels, self.prior, self.thresholds, second, self.gate, moderation
        )


def _principal(values: Tensor, count: int) -> Tensor:
    """Weights of the first principal components of unit variance.

    Parameters
    ----------
    values : (clip, feature) torch.Tensor
        Of mean 0.
    count : int
        Of components.

    Returns
    -------
    (feature, component) torch.Tensor
        0 for components without variance.
    """
    sizes, axes = torch.linalg.eigh(values.T @ values / len(values))
    sizes, axes = sizes[-count:].flip(0), axes[:, -count:].flip(1)
    # The sign of an axis is arbitrary, and would differ from processor to processor.
    largest = axes.gather(0, axes.abs().argmax(0, keepdim=True))
    known = sizes > LEAST * sizes[0]
    return axes * largest.sign() * torch.where(known, sizes.abs().rsqrt(), 0.0)


def _frozen(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.zeros(shape, dtype=torch.float64), requires_grad=False)
