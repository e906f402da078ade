"""Exact posterior of emotions and traits in a world with knobs.

Given the circumstances omega of a clip (onset u, contrary words, form of the emotions,
latent extraversion v), emotions and traits x are Gaussian, and so are the controls
given x. With prior N(mu, B B') and x = mu + B y, the information J = sum_f H' D^-1 H
and h = sum_f H' D^-1 (z - o) of all frames and channels give

    M = I + B' J B,  r = B' (h - J mu),  E[x] = mu + B M^-1 r,  Cov[x] = B M^-1 B',
    log p(z | omega) = const + h' mu - mu' J mu / 2 + r' M^-1 r / 2 - log det(M) / 2

(Bishop 2006, Pattern recognition and machine learning, section 2.3). The posterior is
the mixture of these Gaussians over omega, whose scalar part v is on the nodes of
Gauss-Hermite quadrature. What is seen (noise, hidden controls, absent modalities)
enters D; expressiveness kappa scales the columns of emotions in H.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from sslmepr.params.simulation import Knobs
from sslmepr.simulation.knobs import (
    CONTRARY_SHARE,
    EXTRAVERSION,
    FRAMED,
    LOOKS,
    MARKER_SHIFT,
    SADNESS,
    Circumstances,
    Loadings,
    envelopes,
    expressiveness,
    look_loadings,
)
from sslmepr.simulation.world import EMOTION_PART, LATENTS

NODES = 31
"""Of the quadrature over latent extraversion, and over latent sadness."""

CHUNK_COMPONENTS = 60_000
"""Components (clip x circumstance) that are computed at once, for memory."""

EMOTIONS = EMOTION_PART.stop


@dataclass(frozen=True)
class Mixture:
    """Posterior of each clip, a mixture of Gaussians.

    Attributes
    ----------
    weight : (clip, component) ndarray
        Sums to 1.
    mean, deviation : (clip, component, latent) ndarray
    """

    weight: np.ndarray
    mean: np.ndarray
    deviation: np.ndarray

    def part(self, chosen: slice, noise: float = 0.0) -> "Mixture":
        """Posterior of some latents, plus independent noise of variance `noise`."""
        deviation = np.sqrt(self.deviation[..., chosen] ** 2 + noise)
        return Mixture(self.weight, self.mean[..., chosen], deviation)

    def expected(self) -> np.ndarray:
        """Posterior mean, (clip, latent)."""
        return np.einsum("nk,nkl->nl", self.weight, self.mean)

    def variance(self) -> np.ndarray:
        """Posterior variance, (clip, latent)."""
        second = np.einsum("nk,nkl->nl", self.weight, self.mean**2 + self.deviation**2)
        return np.maximum(second - self.expected() ** 2, 0)

    def below(self, values: np.ndarray) -> np.ndarray:
        """Posterior probability that a latent is below `values`, (clip, latent)."""
        gap = np.asarray(values)[..., None, :] - self.mean
        with np.errstate(divide="ignore"):
            return np.einsum("nk,nkl->nl", self.weight, ndtr(gap / self.deviation))

    def median(self) -> np.ndarray:
        """Posterior median, (clip, latent), to 1e-6."""
        low = (self.mean - 6 * self.deviation).min(1)
        high = (self.mean + 6 * self.deviation).max(1)
        for _ in range(int(np.ceil(np.log2(max((high - low).max(), 1) / 1e-6)))):
            middle = (low + high) / 2
            under = self.below(middle) < 0.5
            low, high = np.where(under, middle, low), np.where(under, high, middle)
        return (low + high) / 2


@dataclass(frozen=True)
class Draws:
    """Draws from the posterior of each clip.

    Attributes
    ----------
    weight : (clip, draw) ndarray
        Sums to 1.
    latents : (clip, draw, latent) ndarray
        With the looks of the person (`sslmepr.simulation.knobs.shared_looks`) at the
        end, where they have a dose.
    targets : (clip, draw, target) ndarray
        Latents without looks, and further linear functions of them.
    emotion_factor : (clip, draw) ndarray
        On the effect of emotions on words: expressiveness, negative where words are
        contrary.
    """

    weight: np.ndarray
    latents: np.ndarray
    targets: np.ndarray
    emotion_factor: np.ndarray


@dataclass(frozen=True)
class Known:
    """What an observer takes for known of all clips of one domain.

    Attributes
    ----------
    prior : (latent, latent) ndarray
        Covariance of the latents.
    loadings : mapping of str to Loadings
        Of the channels that are seen.
    knobs : Knobs
    frames : int
        Moments of a clip (``simulation.cue_frames``).
    without : collection of str
        Knobs that it does not know of: it takes every clip as equally clear
        (``reliability``), hidden controls as seen (``occlusion``), words at face value
        (``incongruence``), the mean over frames for all there is (``burst``,
        ``order``), everybody as equally expressive (``moderation``), emotions to have
        one form (``variants``), and absence to mean nothing (``missing_when_sad``).
    mean : (latent,) ndarray, optional
        Of the latents in the prior; 0 if not given.
    further : (target, latent) ndarray, optional
        Linear functions of the latents, whose posterior is appended to that of the
        latents.
    """

    prior: np.ndarray
    loadings: Mapping[str, Loadings]
    knobs: Knobs
    frames: int
    without: Collection[str] = ()
    mean: np.ndarray | None = None
    further: np.ndarray | None = None

    @property
    def believed(self) -> Knobs:
        """Doses of what is known of and can be told from the channels that are seen."""
        none = set(self.without)
        if not set(FRAMED) & set(self.loadings):
            none |= {"burst", "order", "variants"}
        if "text" not in self.loadings:
            none.add("incongruence")
        return self.knobs.model_copy(update=dict.fromkeys(none, 0))

    @property
    def pooled(self) -> bool:
        """Whether only the mean over frames is seen."""
        return not {"burst", "order"}.isdisjoint(self.without)

    @property
    def envelopes(self) -> np.ndarray:
        """Strength of an expression by onset and frame, (onset, frame)."""
        if self.pooled:
            return np.full((1, 1), envelopes(self.knobs, self.frames).mean())
        return envelopes(self.believed, self.frames)


def infer(
    known: Known, controls: Mapping[str, np.ndarray], given: Circumstances
) -> Iterator[tuple[slice, Mixture]]:
    """Posterior of the latents of clips of one domain.

    Parameters
    ----------
    known : Known
    controls : mapping of str to (clip, frame, control) ndarray
    given : Circumstances
        Of which only what is seen is used.

    Yields
    ------
    rows : slice
        Of the clips.
    mixture : Mixture
    """
    for rows, parts, seen in _of_chunks(known, controls, given):
        yield rows, parts.posterior(*seen)


def draw_posterior(
    known: Known,
    controls: Mapping[str, np.ndarray],
    given: Circumstances,
    draws: int,
    rng: np.random.Generator,
) -> Iterator[tuple[slice, Draws]]:
    """Draw from the posterior of the latents and of what is unseen of a clip.

    Parameters
    ----------
    known, controls, given
        See `infer`.
    draws : int
        Of each clip.
    rng : Generator

    Yields
    ------
    rows : slice
        Of the clips.
    drawn : Draws
    """
    for rows, parts, seen in _of_chunks(known, controls, given):
        yield rows, parts.draws(*seen, draws, rng)


def _of_chunks(known: Known, controls, given: Circumstances):
    """Components of the posterior, and what is seen of some clips at a time."""
    parts = _Components(known)
    step = max(1, CHUNK_COMPONENTS // parts.count)
    for start in range(0, len(given.marker), step):
        rows = slice(start, start + step)
        information, linear = _information(known, controls, given, rows)
        absent = np.stack([each[rows] for each in given.absent.values()], 1)
        heard = "audio" in known.loadings and ~given.absent["audio"][rows]
        marker = np.where(heard, given.marker[rows], np.nan)
        yield rows, parts, (information, linear, marker, absent)


def _information(known: Known, controls, given: Circumstances, rows: slice):
    """J (clip, form, contrary, onset, latent, latent) and h (..., latent)."""
    clips = len(given.marker[rows])
    believed, shape, pooled = known.believed, known.envelopes, known.pooled
    forms, signs = (2 if believed.variants else 1), (2 if believed.incongruence else 1)
    looks = LOOKS if believed.shared_looks else 0
    latents = len(LATENTS) + looks
    sizes = clips, forms, signs, len(shape)
    information = np.zeros((*sizes, latents, latents))
    linear = np.zeros((*sizes, latents))
    for name, each in known.loadings.items():
        z = controls[name][rows] - each.offset  # (clip, frame, control)
        noise = given.noise[name][rows]
        if "reliability" in known.without:
            noise = np.ones(len(noise))
        seen = ~given.absent[name][rows][:, None] * np.ones(z.shape[-1])
        if "occlusion" not in known.without:
            seen = seen * ~given.hidden[name][rows]
        own = np.square(noise).reshape(len(noise), -1)  # of a channel, or by control
        precision = seen / own  # (clip, control)
        framed = name in FRAMED and (known.knobs.burst or known.knobs.order)
        if pooled or not framed:
            z = z.mean(1, keepdims=True)
        weight = shape if framed else np.ones((1, 1))  # (onset, frame)
        timed = np.einsum("uf,nfc->nuc", weight, z) / weight.shape[1]
        square, mean = (weight**2).mean(1), weight.mean(1)
        still = [each.traits]
        if looks:
            still.append(look_loadings(believed.shared_looks, name, len(each.offset)))
        still = np.hstack(still)  # (control, trait + look)
        rest = _gram(still, precision, still)
        for form in range(forms):
            moved = each.second if form and name in FRAMED else each.first
            own, cross = _gram(moved, precision, moved), _gram(moved, precision, still)
            for contrary in range(signs):
                sign = -1 if contrary and name == "text" else 1
                j, h = information[:, form, contrary], linear[:, form, contrary]
                j[:, :, :EMOTIONS, :EMOTIONS] += square[:, None, None] * own[:, None]
                j[:, :, :EMOTIONS, EMOTIONS:] += (
                    sign * mean[:, None, None] * cross[:, None]
                )
                j[:, :, EMOTIONS:, EMOTIONS:] += rest[:, None]
                h[:, :, :EMOTIONS] += sign * (timed * precision[:, None]) @ moved
                h[:, :, EMOTIONS:] += ((z.mean(1) * precision) @ still)[:, None]
    lower = information[..., :EMOTIONS, EMOTIONS:].swapaxes(-1, -2)
    information[..., EMOTIONS:, :EMOTIONS] = lower
    return information, linear


def _gram(left, precision, right):
    """left' diag(precision) right of each clip: (clip, latent, latent)."""
    outer = left[:, :, None] * right[:, None, :]
    flat = precision @ outer.reshape(len(left), -1)
    return flat.reshape(len(precision), left.shape[1], right.shape[1])


class _Components:
    """Prior of the latents in each circumstance that is not seen."""

    def __init__(self, known: Known):
        prior, knobs, onsets = known.prior, known.believed, len(known.envelopes)
        mean = np.zeros(len(prior)) if known.mean is None else known.mean
        targets = np.eye(len(prior))
        if known.further is not None:
            targets = np.vstack([targets, known.further])
        self.knobs = knobs
        if knobs.shared_looks:
            mean = np.append(mean, np.zeros(LOOKS))
            targets = np.hstack([targets, np.zeros((len(targets), LOOKS))])
            sizes = len(prior), LOOKS
            prior = np.block(
                [
                    [prior, np.zeros(sizes)],
                    [np.zeros(sizes[::-1]), np.eye(LOOKS)],
                ]
            )
        nodes, weights = np.zeros(1), np.ones(1)
        covariance, means = prior, mean[None]
        if knobs.moderation:
            nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
            weights = weights / weights.sum()
            column = prior[:, EXTRAVERSION]
            covariance = prior - np.outer(column, column)
            means = mean + nodes[:, None] * column
        values, vectors = np.linalg.eigh(covariance)
        kept = values > 1e-9
        self.basis = vectors[:, kept] * np.sqrt(values[kept])  # (latent, free)
        self.means = means  # (node, latent)
        self.targets = targets @ self.basis  # (target, free)
        self.target_means = means @ targets.T  # (node, target)
        factor = expressiveness(knobs.moderation, nodes)
        self.scales = np.ones((len(nodes), len(prior)))
        self.scales[:, :EMOTIONS] = factor[:, None]
        forms = np.array([1 - knobs.variants / 2, knobs.variants / 2])
        signs = CONTRARY_SHARE * knobs.incongruence
        self.forms = forms if knobs.variants else np.ones(1)
        self.signs = np.array([1 - signs, signs]) if signs else np.ones(1)
        self.weights, self.onsets = weights, onsets
        self.count = len(self.forms) * len(self.signs) * onsets * len(weights)

    def _gaussians(self, information, linear, marker):
        """Weight, mean (..., free) and covariance of y in each (clip, k, node)."""
        clips, latents = len(marker), self.basis.shape[0]
        j = information.reshape(clips, -1, 1, latents, latents)
        h = linear.reshape(clips, -1, 1, latents)
        basis = self.scales[..., None] * self.basis  # (node, latent, free)
        known = self.scales * self.means  # (node, latent)
        m = np.eye(basis.shape[-1]) + basis.swapaxes(-1, -2) @ (j @ basis)
        explained = (j @ known[..., None])[..., 0]  # (clip, k, node, latent)
        r = np.einsum("qlf,nkql->nkqf", basis, h - explained, optimize=True)
        inverse = np.linalg.inv(m)
        y = (inverse @ r[..., None])[..., 0]
        evidence = ((h - explained / 2) * known).sum(-1)
        evidence = evidence + (r * y).sum(-1) / 2 - np.linalg.slogdet(m)[1] / 2
        evidence += self._log_prior(marker)
        weight = np.exp(evidence - evidence.max((1, 2), keepdims=True))
        return weight.reshape(clips, -1), y, inverse

    def draws(self, information, linear, marker, absent, count, rng) -> Draws:
        """Draws of the mixture over circumstances, `count` of each clip."""
        weight, y, inverse = self._gaussians(information, linear, marker)
        clips, components = weight.shape
        free = y.shape[-1]
        # Unlikely components are drawn, too, for whoever weighs the draws anew.
        weight = weight / weight.sum(1, keepdims=True)
        flat = np.sqrt(weight)
        chance = 0.8 * weight + 0.2 * flat / flat.sum(1, keepdims=True)
        share = chance.cumsum(1)
        # Equal steps from a random start: each component about as often as it weighs.
        places = (np.arange(count) + rng.random((clips, 1))) / count
        pairs = zip(share, places, strict=True)
        chosen = np.array([np.searchsorted(each, place) for each, place in pairs])
        chosen = np.minimum(chosen, components - 1)
        flat = np.arange(clips)[:, None] * components + chosen
        roots = np.linalg.cholesky(inverse.reshape(-1, free, free))
        noise = rng.standard_normal((clips, count, free, 1))
        drawn = y.reshape(-1, free)[flat] + (roots[flat] @ noise)[..., 0]
        others, node = np.divmod(chosen, len(self.weights))
        latents = self.means[node] + drawn @ self.basis.T
        contrary = others // self.onsets % len(self.signs)
        weight = np.take_along_axis(weight, chosen, 1)
        weight /= np.take_along_axis(chance, chosen, 1)
        if self.knobs.missing_when_sad:
            weight *= _absence(absent, self.knobs.missing, latents[..., SADNESS])
        weight /= weight.sum(1, keepdims=True)
        targets = self.target_means[node] + drawn @ self.targets.T
        factor = self.scales[node, 0] * (1 - 2 * contrary)
        return Draws(weight, latents, targets, factor)

    def posterior(self, information, linear, marker, absent) -> Mixture:
        """Mixture over circumstances from J, h, marker and absent modalities."""
        clips = len(marker)
        weight, y, inverse = self._gaussians(information, linear, marker)
        count = len(self.targets)
        mean = (self.target_means + y @ self.targets.T).reshape(clips, -1, count)
        spread = self.targets @ inverse  # (clip, k, node, target, free)
        variance = (spread * self.targets).sum(-1).reshape(clips, -1, count)
        if self.knobs.missing_when_sad:
            with_sadness = spread @ self.targets[SADNESS]
            nodes, tilt = _sadness_nodes(
                absent,
                self.knobs.missing,
                mean[..., SADNESS],
                np.sqrt(variance[..., SADNESS]),
            )
            slope = with_sadness.reshape(clips, -1, count)
            slope = slope / slope[..., SADNESS, None]
            shift = nodes - mean[..., SADNESS, None]
            mean = mean[:, :, None] + shift[..., None] * slope[:, :, None]
            variance = variance - slope**2 * variance[..., SADNESS, None]
            variance = np.broadcast_to(variance[:, :, None], mean.shape)
            weight = weight[..., None] * tilt
        shape = clips, -1, count
        weight = weight.reshape(clips, -1)
        return Mixture(
            weight / weight.sum(1, keepdims=True),
            mean.reshape(shape),
            np.sqrt(np.maximum(variance, 1e-12)).reshape(shape),
        )

    def _log_prior(self, marker):
        """Log prior of circumstances and likelihood of the marker: (clip, k, node).

        A marker that is not heard (NaN) says nothing.
        """
        likelihood = np.ones((len(marker), len(self.signs)))
        if len(self.signs) == 2:
            shifts = MARKER_SHIFT * np.arange(2)
            likelihood = np.exp(-0.5 * (marker[:, None] - shifts) ** 2)
            likelihood = np.maximum(np.nan_to_num(likelihood, nan=1.0), 1e-300)
        parts = (
            self.forms[:, None, None] * (likelihood * self.signs)[:, None, :, None]
        ) * np.full(self.onsets, 1 / self.onsets)
        return np.log(parts.reshape(len(marker), -1, 1) * self.weights)


def _sadness_nodes(absent: np.ndarray, dose: float, mean, deviation):
    """Nodes of latent sadness in each component, weighed by what is absent.

    Parameters
    ----------
    absent : (clip, channel) bool ndarray
    dose : float
        A modality is absent with the probability ``dose`` times the share of clips
        that are less sad; of a clip that would lose all, one is kept at random.
    mean, deviation : (clip, component) ndarray
        Posterior of latent sadness.

    Returns
    -------
    nodes : (clip, component, node) ndarray
    weights : (clip, component, node) ndarray
    """
    places, weights = np.polynomial.hermite_e.hermegauss(NODES)
    nodes = mean[..., None] + deviation[..., None] * places
    likelihood = _absence(absent, dose, nodes.reshape(len(nodes), -1))
    return nodes, likelihood.reshape(nodes.shape) * weights / weights.sum()


def _absence(absent: np.ndarray, dose: float, sadness: np.ndarray) -> np.ndarray:
    """Likelihood of what is absent, (clip, n), at values of sadness, (clip, n)."""
    chance = dose * ndtr(sadness)
    missing = absent.sum(1)[:, None]
    there = absent.shape[1] - missing
    likelihood = chance**missing * (1 - chance) ** there
    return likelihood + (there == 1) * chance ** absent.shape[1] / absent.shape[1]
