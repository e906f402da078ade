"""Labels as raters give them: with halo, noise, and cutpoints of their own.

Each clip is rated by K raters of its own. With emotions g and traits t of the clip,
rater r puts the traits at

    y_r = t + delta b h_r + delta s noise,    h_r = kappa' g + N(0, 1),

where the impression h_r of the emotions colours all traits alike: a halo (Thorndike
1920, A constant error in psychological ratings). An emotion is present for a rater if
g + delta s noise exceeds the threshold, which is the same as a cutpoint of the rater's
own. The label of a trait is the mean over raters. That of an emotion is the mean
intensity over raters if most of them see it, else 0.

Raters differ from clip to clip, so that the share of the mean rating's variance that is
not noise is the intraclass correlation ICC(1, K) (Shrout and Fleiss 1979), and no
prediction can have a concordance with the labels above its square root.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr
from scipy.stats import norm

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params.simulation import Raters, Simulation
from sslmepr.simulation.world import (
    EMOTION_CORRELATION,
    EMOTION_PART,
    TRAIT_PART,
    World,
    emotion_intensities,
    trait_scores,
    with_neutral,
)

_SIGNS = {"anger": -1, "disgust": -1, "fear": -1, "happiness": 1, "sadness": -1}
_impression = np.array([_SIGNS.get(name, 0) for name in SCORED_EMOTIONS], float)

IMPRESSION = _impression / np.sqrt(_impression @ EMOTION_CORRELATION @ _impression)
"""kappa: happy people make a good impression and negative emotions a bad one, by
assumption. The impression of the emotions has unit variance over clips."""

NODES = 25
"""Of the quadrature over the error of a majority."""

REACH = 5.5
"""Of its nodes, in standard deviations."""


@dataclass(frozen=True)
class Labels:
    """Labels of clips, and what they say about the latents.

    Attributes
    ----------
    emotion : (clip, emotion) ndarray
        Intensities 0..1, neutral first.
    personality : (clip, trait) ndarray
        Scores 0..1.
    rated : (clip, latent) ndarray
        Latents as rated: the largest value that most raters' ratings of an emotion
        reach, and the mean rating of a trait. An emotion is labelled present where this
        exceeds the threshold. Without raters, these are the latents.
    """

    emotion: np.ndarray
    personality: np.ndarray
    rated: np.ndarray


def raters_in(world: World, raters: Raters | None) -> Raters | None:
    """Raters of the clips of a world: without halo where nothing is associated.

    Halo associates happiness with all traits in the labels. A world without
    associations is to have none, whatever one estimates.

    Parameters
    ----------
    world : World
    raters : Raters or None
        Of worlds with associations.
    """
    if raters is None or world.association.any():
        return raters
    return raters.model_copy(update={"halo": 0.0})


def label_clips(
    latents: np.ndarray,
    simulation: Simulation,
    raters: Raters | None,
    rng: np.random.Generator,
) -> Labels:
    """Labels of clips from raters, or from the truth if there are none.

    Parameters
    ----------
    latents : (clip, latent) ndarray
    simulation : Simulation
        Gives the scales of the labels.
    raters : Raters or None
    rng : Generator

    Returns
    -------
    Labels
    """
    low, high = simulation.emotion_threshold, simulation.emotion_ceiling
    emotions, traits = latents[:, EMOTION_PART], latents[:, TRAIT_PART]
    if raters is None:
        rated, intensities = latents, emotion_intensities(emotions, low, high)
    else:
        sizes = len(latents), raters.count
        noise = raters.dose * raters.noise_sd
        shown = emotions[:, None] + noise * rng.standard_normal(
            (*sizes, emotions.shape[1])
        )
        halo = rng.standard_normal(sizes) + (emotions @ IMPRESSION)[:, None]
        traits = traits + raters.dose * raters.halo * halo.mean(1, keepdims=True)
        scatter = rng.standard_normal((*sizes, len(TRAITS)))
        traits = traits + noise * scatter.mean(1)
        agreed = np.sort(shown, 1)[:, _rank(raters) - 1]
        rated = np.hstack([agreed, traits])
        each = np.clip((shown - low) / (high - low), 0, 1)
        intensities = with_neutral(np.where(agreed > low, each.mean(1), 0))
    scores = trait_scores(rated[:, TRAIT_PART], simulation.trait_scale)
    return Labels(intensities, scores, rated)


def _rank(raters: Raters) -> int:
    """Place, counted from the smallest, of the largest rating that most reach."""
    return raters.count - raters.count // 2


def halo_rows(raters: Raters) -> np.ndarray:
    """Traits as raters without noise see them, of the latents: (trait, latent)."""
    coloured = np.tile(raters.dose * raters.halo * IMPRESSION, (len(TRAITS), 1))
    return np.hstack([coloured, np.eye(len(TRAITS))])


def noise_variance(raters: Raters) -> float:
    """Variance of the mean rating of a trait around `halo_rows`."""
    return raters.dose**2 * (raters.halo**2 + raters.noise_sd**2) / raters.count


def majority_errors(raters: Raters) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the error of `Labels.rated` in an emotion.

    The error is an order statistic of K normal variables. Its density is smooth and
    falls off fast on both sides, where the trapezoidal rule converges geometrically
    (Trefethen and Weideman 2014, SIAM Review 56:385).

    Parameters
    ----------
    raters : Raters

    Returns
    -------
    nodes, weights : (node,) ndarray
    """
    rank, count = _rank(raters), raters.count
    wide = np.linspace(-9, 9, 4001)
    density = _order_statistic(wide, rank, count)
    mean = density @ wide
    spread = np.sqrt(density @ (wide - mean) ** 2)
    nodes = mean + spread * np.linspace(-REACH, REACH, NODES)
    return raters.dose * raters.noise_sd * nodes, _order_statistic(nodes, rank, count)


def _order_statistic(values, rank, count):
    """Density of the order statistic at `values`, scaled to a sum of 1."""
    density = ndtr(values) ** (rank - 1) * ndtr(-values) ** (count - rank)
    density = density * norm.pdf(values)
    return density / density.sum()


def rating_ceiling(world: World, raters: Raters) -> np.ndarray:
    """Largest possible concordance with the labels, the root of ICC(1, K): (trait,).

    It holds for who knows traits and emotions of each clip, whatever is seen.

    Parameters
    ----------
    world : World
    raters : Raters
    """
    rows = halo_rows(raters)
    known = np.einsum("tl,lm,tm->t", rows, world.covariance, rows)
    return np.sqrt(known / (known + noise_variance(raters)))


def rated_association(world: World, raters: Raters | None) -> np.ndarray:
    """Correlations of emotions with traits as raters see them: (emotion, trait).

    Halo associates emotions with all traits, even in a world that does not, and noise
    weakens what is there. This is what labels can show, however many clips there are.

    Parameters
    ----------
    world : World
    raters : Raters or None
    """
    if raters is None:
        return world.association
    rows, (errors, weights) = halo_rows(raters), majority_errors(raters)
    shared = world.covariance[EMOTION_PART] @ rows.T
    traits = np.einsum("tl,lm,tm->t", rows, world.covariance, rows)
    emotions = np.diag(world.covariance)[EMOTION_PART]
    spread = weights @ errors**2 - (weights @ errors) ** 2
    return shared / np.sqrt(
        np.outer(emotions + spread, traits + noise_variance(raters))
    )
