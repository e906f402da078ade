"""A joint model of emotions, traits and cues, and inference in it.

Late fusion and networks learn how to predict labels from cues. This model is of the
cues themselves, a mixture of factor analysers (Ghahramani and Hinton 1996) in which the
factors x are the emotions and traits:

    f_m = o_mk + A_mj S x + e_m,    e_m ~ N(0, R_mk),    x ~ N(0, P),

for the features f_m of modality m. Four circumstances of a clip, none of which is ever
labelled, change what its features tell:

- the *quality* class k of a modality, each with a covariance of errors and a mean of
  its own, so that a modality counts for less where it is hardly seen;
- *contrary* words: S reverses the emotions of the text, with odds that are read from
  the voice;
- the *form* j in which face, body and voice show emotions;
- *expressiveness*: S scales emotions by exp(d v - d^2), for the extraversion v.

Given the circumstances everything is Gaussian. The posterior of the factors is a
product of experts, one for each modality, with the prior P, which joins what the two
corpora tell. Three steps are simplified, so that inference is a handful of 11 x 11
matrices for each clip: precisions are expected over the classes of a modality; these
classes are inferred from its own features and from what the other modalities say of the
factors in the most probable case of the clip; and expressiveness takes the extraversion
that is expected without it. How a model is fitted: `sslmepr.training.factor_fit`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from sslmepr.labels import SCORED_EMOTIONS, TASKS, TRAITS
from sslmepr.models.fusion_parts import CONTRADICTS, CONTRARY
from sslmepr.models.second_forms import TWO_FORMS

FACTORS = {"emotion": SCORED_EMOTIONS, "personality": TRAITS}
"""Task to its factors."""

LARGEST_EXTRAVERSION = 2.5
"""Standard deviations to which extraversion is bounded where it scales emotions."""


@dataclass(frozen=True)
class Parts:
    """What a model knows of.

    Attributes
    ----------
    tasks : tuple of str
        Whose factors it has.
    classes : int
        Of quality; 1: all clips of a modality are alike.
    contrary, forms, expressive : bool
        Whether words may be contrary, whether emotions have two forms, and whether
        people differ in expressiveness, which needs both tasks.
    """

    tasks: tuple[str, ...] = TASKS
    classes: int = 2
    contrary: bool = True
    forms: bool = True
    expressive: bool = True

    @property
    def factors(self) -> tuple[str, ...]:
        """Names of all factors, in order."""
        return tuple(name for task in self.tasks for name in FACTORS[task])

    @property
    def emotions(self) -> int:
        """How many factors, the first ones, are emotions."""
        return len(SCORED_EMOTIONS) if "emotion" in self.tasks else 0


@dataclass
class ChannelLaw:
    """Law of the features of one modality.

    Attributes
    ----------
    loadings : (form, feature, factor) torch.Tensor
    means : (class, feature) torch.Tensor
    errors : (class, feature, feature) torch.Tensor
        Covariances.
    shares : (class,) torch.Tensor
    """

    loadings: Tensor
    means: Tensor
    errors: Tensor
    shares: Tensor


@dataclass
class FactorModel:
    """Law of the features of all modalities.

    Attributes
    ----------
    parts : Parts
    channels : dict of str to ChannelLaw
    prior : (factor, factor) torch.Tensor
        Correlations.
    thresholds : (emotion,) torch.Tensor
        Above which an emotion is present.
    second : float
        Share of clips in the second form.
    gate : (feature + 1,) torch.Tensor
        Weights of the voice's features, and bias, of the log odds of contrary words.
    moderation : float
        The d of expressiveness.
    """

    parts: Parts
    channels: dict[str, ChannelLaw]
    prior: Tensor
    thresholds: Tensor
    second: float
    gate: Tensor
    moderation: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """Clips whose factors are inferred.

    Attributes
    ----------
    features : dict of str to (clip, feature) torch.Tensor
        By modality; 0 where absent.
    present : dict of str to (clip,) torch.Tensor of bool
    known, precision : (clip, factor) torch.Tensor
        What labels say of the factors: a Gaussian of this mean and precision; precision
        is 0 where there is no label.
    """

    features: Mapping[str, Tensor]
    present: Mapping[str, Tensor]
    known: Tensor
    precision: Tensor

    def at(self, rows) -> "Evidence":
        """The clips of `rows`."""
        rows = torch.as_tensor(rows)
        return Evidence(
            {name: values[rows] for name, values in self.features.items()},
            {name: values[rows] for name, values in self.present.items()},
            self.known[rows],
            self.precision[rows],
        )

    def unlabelled(self) -> "Evidence":
        """The same clips without what labels say."""
        nothing = torch.zeros_like(self.precision)
        return Evidence(self.features, self.present, nothing, nothing)


@dataclass(frozen=True)
class Posterior:
    """Factors of clips: a Gaussian for each case, which is a pair of circumstances.

    Attributes
    ----------
    cases : list of (bool, bool)
        Whether words are contrary, and whether the form is the second.
    weights : (clip, case) torch.Tensor
    means : (case, clip, factor) torch.Tensor
    covariances : (case, clip, factor, factor) torch.Tensor
    classes : dict of str to (clip, class) torch.Tensor
        Probabilities by modality; 0 where it is absent.
    shown : (clip,) torch.Tensor
        Expressiveness.
    log_evidence : float
        Of all clips, but for what does not depend on moderation.
    """

    cases: list[tuple[bool, bool]]
    weights: Tensor
    means: Tensor
    covariances: Tensor
    classes: dict[str, Tensor]
    shown: Tensor
    log_evidence: float

    def expected(self) -> Tensor:
        """Mean of the factors: (clip, factor)."""
        return torch.einsum("nc,cni->ni", self.weights, self.means)

    def above(self, thresholds: Tensor) -> Tensor:
        """Probability that each of the first factors exceeds its threshold."""
        count = len(thresholds)
        spread = self.covariances.diagonal(dim1=-2, dim2=-1)[..., :count].sqrt()
        chance = torch.special.ndtr((self.means[..., :count] - thresholds) / spread)
        return torch.einsum("nc,cni->ni", self.weights, chance)

    def chance(self, which: int) -> Tensor:
        """Probability of contrary words (0) or of the second form (1): (clip,)."""
        said = [float(case[which]) for case in self.cases]
        return self.weights @ self.weights.new_tensor(said)


def infer(model: FactorModel, given: Evidence) -> Posterior:
    """Posterior of the factors of clips.

    Parameters
    ----------
    model : FactorModel
    given : Evidence

    Returns
    -------
    Posterior
    """
    reads = {name: _Read.of(each) for name, each in model.channels.items()}
    classes = quality_classes(model, given)
    cases = [
        (contrary, second)
        for contrary in ((False, True) if model.parts.contrary else (False,))
        for second in ((False, True) if model.parts.forms else (False,))
    ]
    prior = torch.stack([_log_prior(model, given, *case) for case in cases], 1)

    def weighed(classes: Mapping[str, Tensor], shown: Tensor) -> tuple:
        """Terms, factors in each case, weights of the cases, and the log evidence."""
        terms = _terms(model, given, reads, classes)
        found = [_gaussian(model, given, terms, case, shown) for case in cases]
        total = prior + torch.stack([each.fit for each in found], 1)
        return terms, found, total.softmax(1), total.logsumexp(1)

    shown = torch.ones_like(given.known[:, 0])
    terms, found, weights, total = weighed(classes, shown)
    if model.parts.classes > 1:
        classes = _joint_classes(model, given, reads, terms, cases, found, weights)
    if model.moderation:
        place = model.parts.factors.index("extraversion")
        each = torch.stack([case.mean[:, place] for case in found], 1)
        shown = expressiveness(model.moderation, (weights * each).sum(1))
    if model.parts.classes > 1 or model.moderation:
        _, found, weights, total = weighed(classes, shown)
    means = torch.stack([each.mean for each in found])
    covariances = torch.stack([each.covariance for each in found])
    fit = float(total.detach().sum())
    return Posterior(cases, weights, means, covariances, classes, shown, fit)


def expressiveness(moderation: float, extraversion: Tensor) -> Tensor:
    """Factor on the cues of emotions; its mean square over people is 1."""
    limit = LARGEST_EXTRAVERSION
    return (moderation * extraversion.clamp(-limit, limit) - moderation**2).exp()


def quality_classes(model: FactorModel, given: Evidence) -> dict[str, Tensor]:
    """Probability of each class of each modality, from its own features.

    Parameters
    ----------
    model : FactorModel
    given : Evidence

    Returns
    -------
    dict of str to (clip, class) torch.Tensor
        0 where the modality is absent.
    """
    found = {}
    for name, channel in model.channels.items():
        values, seen = given.features[name], given.present[name]
        odds = values.new_zeros(len(values), len(channel.shares))
        if len(channel.shares) > 1:
            shares = values.new_tensor([1 - model.second, model.second])
            shares = shares[: len(channel.loadings)]
            forms = (shares / shares.sum()).log()
            for place, share in enumerate(channel.shares):
                error, off = channel.errors[place], values - channel.means[place]
                each = [
                    form + _log_density(off, error + axes @ model.prior @ axes.T)
                    for form, axes in zip(forms, channel.loadings, strict=True)
                ]
                odds[:, place] = share.log() + torch.stack(each).logsumexp(0)
        found[name] = odds.softmax(1) * seen[:, None]
    return found


def signs(parts: Parts, name: str, contrary: bool, like: Tensor) -> Tensor:
    """Sign of each factor in what a modality shows: (factor,)."""
    found = like.new_ones(len(parts.factors))
    if contrary and name == CONTRARY:
        found[: parts.emotions] = -1
    return found


def scales(parts: Parts, shown: Tensor) -> Tensor:
    """How strongly each factor is shown by expressiveness `shown`: (clip, factor)."""
    found = shown[:, None].expand(-1, parts.emotions)
    return F.pad(found, (0, len(parts.factors) - parts.emotions), value=1.0)


def form_of(channel: ChannelLaw, second: bool) -> int:
    """Place of a form among the loadings of a modality."""
    return int(second and len(channel.loadings) > 1)


class _Read(NamedTuple):
    """What the features of a modality say of the factors, by class and form.

    With J = A' R^-1 A and h = A' R^-1 (f - o), their evidence is h and J its precision.
    """

    maps: Tensor  # (class, form, feature, factor): R^-1 A
    precision: Tensor  # (class, form, factor, factor): J

    @classmethod
    def of(cls, channel: ChannelLaw) -> "_Read":
        factors = torch.linalg.cholesky(channel.errors)
        maps = torch.cholesky_solve(channel.loadings, factors[:, None])
        return cls(maps, channel.loadings.mT @ maps)

    def evidence(self, channel: ChannelLaw, values: Tensor) -> Tensor:
        """h of each clip: (class, form, clip, factor)."""
        off = values - channel.means[:, None]
        return off[:, None] @ self.maps


class _Case(NamedTuple):
    """Gaussian of the factors of all clips in one case, with its log evidence."""

    mean: Tensor
    covariance: Tensor
    precision: Tensor
    evidence: Tensor  # precision times mean
    fit: Tensor


class _Term(NamedTuple):
    """What a modality says of the factors, expected over the classes of each clip."""

    precision: Tensor  # (form, clip, factor, factor)
    evidence: Tensor  # (form, clip, factor)


def _terms(model, given, reads, classes) -> dict[str, _Term]:
    found = {}
    for name, channel in model.channels.items():
        read, weights = reads[name], classes[name]
        said = read.evidence(channel, given.features[name])
        found[name] = _Term(
            torch.einsum("nk,kfij->fnij", weights, read.precision),
            torch.einsum("nk,kfni->fni", weights, said),
        )
    return found


def _gaussian(model, given, terms, case, shown) -> _Case:
    """Factors of all clips in one case."""
    contrary, second = case
    width, like = len(model.prior), given.known
    precision, evidence = like.new_zeros(1, width, width), like.new_zeros(1, width)
    for name, channel in model.channels.items():
        form, sign = form_of(channel, second), signs(model.parts, name, contrary, like)
        term = terms[name]
        precision = precision + term.precision[form] * torch.outer(sign, sign)
        evidence = evidence + term.evidence[form] * sign
    scale = scales(model.parts, shown)
    precision = precision * scale[:, :, None] * scale[:, None, :]
    precision = precision + torch.linalg.inv(model.prior)
    precision = precision + torch.diag_embed(given.precision)
    evidence = evidence * scale + given.precision * given.known
    factor = torch.linalg.cholesky(precision)
    covariance = torch.cholesky_inverse(factor)
    mean = (covariance @ evidence[..., None])[..., 0]
    fit = (evidence * mean).sum(1) / 2 - _log_root(factor)
    return _Case(mean, covariance, precision, evidence, fit)


def _joint_classes(model, given, reads, terms, cases, found, weights) -> dict:
    """Classes from own features and from what all others say of the factors.

    The others' Gaussian is that of the clip's most probable case, less what the
    modality itself has added to it.
    """
    top, rows = weights.argmax(1), torch.arange(len(weights), device=weights.device)
    precision = torch.stack([each.precision for each in found])[top, rows]
    evidence = torch.stack([each.evidence for each in found])[top, rows]
    contrary, second = torch.tensor(cases, device=top.device)[top].T
    classes = {}
    for name, channel in model.channels.items():
        values, read = given.features[name], reads[name]
        form = second.long() if len(channel.loadings) > 1 else torch.zeros_like(top)
        both = [signs(model.parts, name, which, values) for which in (False, True)]
        sign = torch.stack(both)[contrary.long()]
        square = sign[:, :, None] * sign[:, None, :]
        others = precision - terms[name].precision[form, rows] * square
        told = evidence - terms[name].evidence[form, rows] * sign
        said = read.evidence(channel, values)
        odds = []
        for place, share in enumerate(channel.shares):
            own = read.precision[place][form] * square
            factor = torch.linalg.cholesky(others + own)
            both = told + said[place][form, rows] * sign
            mean = torch.cholesky_solve(both[..., None], factor)[..., 0]
            fit = _log_density(values - channel.means[place], channel.errors[place])
            fit = fit + (both * mean).sum(1) / 2 - _log_root(factor)
            odds.append(share.log() + fit)
        seen = given.present[name][:, None]
        classes[name] = torch.stack(odds, 1).softmax(1) * seen
    return classes


def _log_prior(model, given, contrary: bool, second: bool) -> Tensor:
    """Log probability of a case before what the modalities say of factors: (clip,)."""
    found = torch.zeros_like(given.known[:, 0])
    if model.parts.contrary:
        odds = contrary_odds(model.gate, given)
        found = found + F.logsigmoid(odds if contrary else -odds)
    if model.parts.forms:
        share = model.second if second else 1 - model.second
        found = found + found.new_tensor(share).log()
    return found


def contrary_odds(gate: Tensor, given: Evidence) -> Tensor:
    """Log odds of contrary words, as read from the voice: (clip,)."""
    return given.features[CONTRADICTS] @ gate[:-1] + gate[-1]


def forms_of(parts: Parts, name: str) -> int:
    """How many forms a modality has."""
    return 2 if parts.forms and name in TWO_FORMS else 1


def _log_density(values: Tensor, covariance: Tensor) -> Tensor:
    """Log density of a Gaussian of mean 0, but for a constant: (clip,)."""
    root = torch.linalg.cholesky(covariance)
    scaled = torch.linalg.solve_triangular(root, values.T, upper=False)
    return -_log_root(root) - 0.5 * scaled.square().sum(0)


def _log_root(factor: Tensor) -> Tensor:
    """Half the log determinant of a matrix, from its Cholesky factor."""
    return factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
