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
corpora tell. Two steps are simplified, so that inference is a handful of 11 x 11
matrices for each clip: the class of a modality is inferred from its own features, and
expressiveness takes the extraversion that is expected without it. How a model is
fitted: `sslmepr.trials.factor_fit`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import log_expit, logsumexp
from scipy.stats import norm

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
    loadings : (form, feature, factor) array
    means : (class, feature) array
    errors : (class, feature, feature) array
        Covariances.
    shares : (class,) array
    """

    loadings: np.ndarray
    means: np.ndarray
    errors: np.ndarray
    shares: np.ndarray


@dataclass
class FactorModel:
    """Law of the features of all modalities.

    Attributes
    ----------
    parts : Parts
    channels : dict of str to ChannelLaw
    prior : (factor, factor) array
        Correlations.
    thresholds : (emotion,) array
        Above which an emotion is present.
    second : float
        Share of clips in the second form.
    gate : (feature + 1,) array
        Weights of the voice's features, and bias, of the log odds of contrary words.
    moderation : float
        The d of expressiveness.
    """

    parts: Parts
    channels: dict[str, ChannelLaw]
    prior: np.ndarray
    thresholds: np.ndarray
    second: float
    gate: np.ndarray
    moderation: float = 0.0


@dataclass(frozen=True)
class Evidence:
    """Clips whose factors are inferred.

    Attributes
    ----------
    features : dict of str to (clip, feature) array
        By modality; 0 where absent.
    present : dict of str to (clip,) bool array
    known, precision : (clip, factor) array
        What labels say of the factors: a Gaussian of this mean and precision; precision
        is 0 where there is no label.
    """

    features: Mapping[str, np.ndarray]
    present: Mapping[str, np.ndarray]
    known: np.ndarray
    precision: np.ndarray

    def at(self, rows: np.ndarray) -> "Evidence":
        """The clips of `rows`."""
        return Evidence(
            {name: values[rows] for name, values in self.features.items()},
            {name: values[rows] for name, values in self.present.items()},
            self.known[rows],
            self.precision[rows],
        )

    def unlabelled(self) -> "Evidence":
        """The same clips without what labels say."""
        nothing = np.zeros_like(self.precision)
        return Evidence(self.features, self.present, nothing, nothing)


@dataclass(frozen=True)
class Posterior:
    """Factors of clips: a Gaussian for each case, which is a pair of circumstances.

    Attributes
    ----------
    cases : list of (bool, bool)
        Whether words are contrary, and whether the form is the second.
    weights : (clip, case) array
    means : (case, clip, factor) array
    covariances : (case, clip, factor, factor) array
    classes : dict of str to (clip, class) array
        Probabilities by modality; 0 where it is absent.
    shown : (clip,) array
        Expressiveness.
    log_evidence : float
        Of all clips, but for what does not depend on moderation.
    """

    cases: list[tuple[bool, bool]]
    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    classes: dict[str, np.ndarray]
    shown: np.ndarray
    log_evidence: float

    def expected(self) -> np.ndarray:
        """Mean of the factors: (clip, factor)."""
        return np.einsum("nc,cni->ni", self.weights, self.means)

    def above(self, thresholds: np.ndarray) -> np.ndarray:
        """Probability that each of the first factors exceeds its threshold."""
        count = len(thresholds)
        spread = np.sqrt(np.einsum("cnii->cni", self.covariances))[..., :count]
        chance = norm.sf((thresholds - self.means[..., :count]) / spread)
        return np.einsum("nc,cni->ni", self.weights, chance)

    def chance(self, which: int) -> np.ndarray:
        """Probability of contrary words (0) or of the second form (1): (clip,)."""
        return self.weights @ np.array([float(case[which]) for case in self.cases])


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
    classes = quality_classes(model, given)
    terms = _terms(model, given, classes)
    cases = [
        (contrary, second)
        for contrary in ((False, True) if model.parts.contrary else (False,))
        for second in ((False, True) if model.parts.forms else (False,))
    ]
    prior = np.stack([_log_prior(model, given, *case) for case in cases], 1)

    def weighed(shown: np.ndarray) -> tuple:
        """Factors in each case, weights of the cases, and the log evidence."""
        found = [_gaussian(model, given, terms, case, shown) for case in cases]
        logs = prior + np.stack([each[2] for each in found], 1)
        return found, *_normalised(logs)

    shown = np.ones(len(given.known))
    found, weights, total = weighed(shown)
    if model.moderation:
        place = model.parts.factors.index("extraversion")
        read = sum(
            w * each[0][:, place] for w, each in zip(weights.T, found, strict=True)
        )
        shown = expressiveness(model.moderation, read)
        found, weights, total = weighed(shown)
    means, covariances = (np.stack([each[i] for each in found]) for i in range(2))
    return Posterior(
        cases, weights, means, covariances, classes, shown, float(total.sum())
    )


def expressiveness(moderation: float, extraversion: np.ndarray) -> np.ndarray:
    """Factor on the cues of emotions; its mean square over people is 1."""
    limit = LARGEST_EXTRAVERSION
    bounded = np.clip(extraversion, -limit, limit)
    return np.exp(moderation * bounded - moderation**2)


def quality_classes(model: FactorModel, given: Evidence) -> dict[str, np.ndarray]:
    """Probability of each class of each modality, from its own features.

    Parameters
    ----------
    model : FactorModel
    given : Evidence

    Returns
    -------
    dict of str to (clip, class) array
        0 where the modality is absent.
    """
    found = {}
    for name, channel in model.channels.items():
        values, seen = given.features[name], given.present[name]
        odds = np.zeros((len(values), len(channel.shares)))
        if len(channel.shares) > 1:
            forms = (1 - model.second, model.second)[: len(channel.loadings)]
            forms = np.log(np.array(forms) / sum(forms))
            for place, share in enumerate(channel.shares):
                error, off = channel.errors[place], values - channel.means[place]
                each = [
                    form + _log_density(off, error + axes @ model.prior @ axes.T)
                    for form, axes in zip(forms, channel.loadings, strict=True)
                ]
                odds[:, place] = np.log(share) + logsumexp(each, 0)
        found[name] = _normalised(odds)[0] * seen[:, None]
    return found


def signs(parts: Parts, name: str, contrary: bool) -> np.ndarray:
    """Sign of each factor in what a modality shows: (factor,)."""
    found = np.ones(len(parts.factors))
    if contrary and name == CONTRARY:
        found[: parts.emotions] = -1
    return found


def scales(parts: Parts, shown: np.ndarray) -> np.ndarray:
    """How strongly each factor is shown by expressiveness `shown`: (clip, factor)."""
    found = np.ones((len(shown), len(parts.factors)))
    found[:, : parts.emotions] = shown[:, None]
    return found


def form_of(channel: ChannelLaw, second: bool) -> int:
    """Place of a form among the loadings of a modality."""
    return int(second and len(channel.loadings) > 1)


def _terms(model, given, classes) -> dict:
    """Of (modality, form): precision (clip, factor squared), evidence (clip, factor).

    The precision is J = A' R^-1 A, the evidence h = A' R^-1 (f - o), both expected over
    the classes of the clip.
    """
    found = {}
    for name, channel in model.channels.items():
        weights, values = classes[name], given.features[name]
        for form, axes in enumerate(channel.loadings):
            read = [np.linalg.solve(error, axes) for error in channel.errors]
            precision = np.stack([(axes.T @ each).ravel() for each in read])
            evidence = sum(
                weights[:, [place]] * ((values - channel.means[place]) @ each)
                for place, each in enumerate(read)
            )
            found[name, form] = weights @ precision, evidence
    return found


def _gaussian(model, given, terms, case, shown) -> tuple[np.ndarray, ...]:
    """Mean, covariance and log evidence of the factors of all clips in one case."""
    contrary, second = case
    width = len(model.prior)
    precision, evidence = np.zeros(width**2), np.zeros(width)
    for name, channel in model.channels.items():
        more, read = terms[name, form_of(channel, second)]
        sign = signs(model.parts, name, contrary)
        precision = precision + more * np.outer(sign, sign).ravel()
        evidence = evidence + read * sign
    scale = scales(model.parts, shown)
    precision = precision.reshape(-1, width, width)
    precision = precision * scale[:, :, None] * scale[:, None, :]
    precision = precision + np.linalg.inv(model.prior)
    precision[:, range(width), range(width)] += given.precision
    evidence = evidence * scale + given.precision * given.known
    covariance = np.linalg.inv(precision)
    mean = (covariance @ evidence[..., None])[..., 0]
    fit = (evidence * mean).sum(1) - np.linalg.slogdet(precision)[1]
    return mean, covariance, fit / 2


def _log_prior(model, given, contrary: bool, second: bool) -> np.ndarray:
    """Log probability of a case before what the modalities say of factors: (clip,)."""
    found = np.zeros(len(given.known))
    if model.parts.contrary:
        odds = contrary_odds(model.gate, given)
        found = found + log_expit(odds if contrary else -odds)
    if model.parts.forms:
        found = found + np.log(model.second if second else 1 - model.second)
    return found


def contrary_odds(gate: np.ndarray, given: Evidence) -> np.ndarray:
    """Log odds of contrary words, as read from the voice: (clip,)."""
    return given.features[CONTRADICTS] @ gate[:-1] + gate[-1]


def forms_of(parts: Parts, name: str) -> int:
    """How many forms a modality has."""
    return 2 if parts.forms and name in TWO_FORMS else 1


def _log_density(values: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Log density of a Gaussian of mean 0, but for a constant: (clip,)."""
    root = np.linalg.cholesky(covariance)
    scaled = solve_triangular(root, values.T, lower=True)
    return -np.log(np.diag(root)).sum() - 0.5 * (scaled**2).sum(0)


def _normalised(logs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities from log weights (clip, case), and the logs of their sums."""
    total = logsumexp(logs, 1)
    return np.exp(logs - total[:, None]), total
