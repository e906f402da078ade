"""Joint distribution of latent emotions and traits in a simulated population.

A world is linear and Gaussian. A person has five latent traits t ~ N(0, R). In each
clip of that person, six latent emotions g ~ N(M t, S) are drawn, where M and S are
chosen such that every emotion has unit variance and

    corr(g, t) = C    (the planted association)
    corr(g)    = G    (how emotions occur together)

so that M = C R⁻¹ and S = G - C R⁻¹ Cᵀ. Because everything is Gaussian, the posterior
of an ideal observer has a closed form (`sslmepr.simulation.ideal_observer`).
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sslmepr.labels import EMOTIONS, SCORED_EMOTIONS, TRAITS
from sslmepr.statistics.norms import TRAIT_CORRELATION

EMOTION_CORRELATION = np.array(
    [  # ang   dis    fea    hap    sad    sur
        [1.00, 0.35, 0.10, -0.25, 0.15, 0.05],
        [0.35, 1.00, 0.15, -0.20, 0.15, 0.05],
        [0.10, 0.15, 1.00, -0.20, 0.25, 0.20],
        [-0.25, -0.20, -0.20, 1.00, -0.30, 0.15],
        [0.15, 0.15, 0.25, -0.30, 1.00, 0.00],
        [0.05, 0.05, 0.20, 0.15, 0.00, 1.00],
    ]
)
"""G, by assumption: negative emotions correlate positively with each other and
negatively with happiness."""

LATENTS = (*SCORED_EMOTIONS, *TRAITS)
"""Order of the joint latent axis: six emotions, then five traits."""
EMOTION_PART = slice(0, len(SCORED_EMOTIONS))
TRAIT_PART = slice(len(SCORED_EMOTIONS), len(LATENTS))


SMALLEST_EIGENVALUE = 1e-6
"""Of the residual covariance of emotions, below which it counts as impossible."""


class WorldError(ValueError):
    """The association matrix of a world is impossible or names unknown things."""


@dataclass(frozen=True)
class World:
    """How emotions depend on traits.

    Attributes
    ----------
    name : str
    association : (emotion, trait) ndarray
        Planted correlation C of each scored emotion with each trait.

    Raises
    ------
    WorldError
        If no population can have these correlations (the residual covariance is not
        positive definite).
    """

    name: str
    association: np.ndarray

    def __post_init__(self):
        smallest = np.linalg.eigvalsh(self.residual).min()
        if smallest < SMALLEST_EIGENVALUE:
            raise WorldError(
                f"world {self.name}: these associations are too strong to hold"
                " together; the smallest eigenvalue of the residual covariance of"
                f" emotions is {smallest:.3f}"
            )

    @cached_property
    def mapping(self) -> np.ndarray:
        """M = C R⁻¹, (emotion, trait)."""
        return np.linalg.solve(TRAIT_CORRELATION, self.association.T).T

    @cached_property
    def residual(self) -> np.ndarray:
        """S = G - C R⁻¹ Cᵀ, (emotion, emotion)."""
        return EMOTION_CORRELATION - self.mapping @ self.association.T

    @cached_property
    def covariance(self) -> np.ndarray:
        """Prior covariance of emotions and traits together, (latent, latent)."""
        return np.block(
            [
                [EMOTION_CORRELATION, self.association],
                [self.association.T, TRAIT_CORRELATION],
            ]
        )


def make_world(name: str, worlds: dict[str, dict[str, dict[str, float]]]) -> World:
    """Build a world from ``simulation.worlds``.

    Parameters
    ----------
    name : str
        A key of `worlds`.
    worlds : dict
        World, emotion and trait to their correlation; correlations not listed are 0.

    Returns
    -------
    World

    Raises
    ------
    WorldError
        If the world, an emotion or a trait is unknown, or if no population can have
        these correlations.
    """
    if name not in worlds:
        raise WorldError(f"there is no world {name!r}; known: {', '.join(worlds)}")
    where = f"simulation.worlds.{name}"
    association = np.zeros((len(SCORED_EMOTIONS), len(TRAITS)))
    for emotion, row in worlds[name].items():
        _check_known(emotion, SCORED_EMOTIONS, where, "scored emotion")
        for trait, value in row.items():
            _check_known(trait, TRAITS, f"{where}.{emotion}", "trait")
            cell = SCORED_EMOTIONS.index(emotion), TRAITS.index(trait)
            association[cell] = value
    return World(name, association)


def _check_known(name: str, known: tuple[str, ...], where: str, what: str) -> None:
    if name not in known:
        raise WorldError(f"{where}: {name!r} is no {what}; known: {', '.join(known)}")


def draw_traits(count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw latent traits from N(0, R).

    Parameters
    ----------
    count : int
        Number of persons.
    rng : Generator

    Returns
    -------
    (person, trait) ndarray
    """
    factor = np.linalg.cholesky(TRAIT_CORRELATION)
    return rng.standard_normal((count, len(TRAITS))) @ factor.T


def draw_emotions(
    world: World, traits: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Draw latent emotions given latent traits, from N(M t, S).

    Parameters
    ----------
    world : World
    traits : (clip, trait) ndarray
        Latent traits of the person in each clip.
    rng : Generator

    Returns
    -------
    (clip, emotion) ndarray
    """
    factor = np.linalg.cholesky(world.residual)
    noise = rng.standard_normal((len(traits), len(SCORED_EMOTIONS)))
    return traits @ world.mapping.T + noise @ factor.T


def emotion_intensities(
    latents: np.ndarray, threshold: float, ceiling: float
) -> np.ndarray:
    """Emotion labels from latent emotions.

    Parameters
    ----------
    latents : (clip, scored emotion) ndarray
    threshold, ceiling : float
        Latent value up to which an emotion is absent (0) and from which its intensity
        is 1, in standard deviations.

    Returns
    -------
    (clip, emotion) ndarray
        Within 0..1; ``neutral`` is 1 where all others are absent.
    """
    return with_neutral(np.clip((latents - threshold) / (ceiling - threshold), 0, 1))


def with_neutral(scored: np.ndarray) -> np.ndarray:
    """Intensities (clip, emotion) with ``neutral``, from those of scored emotions."""
    neutral = (scored == 0).all(axis=1, keepdims=True).astype(float)
    intensities = np.hstack([neutral, scored])
    assert intensities.shape[1] == len(EMOTIONS)
    return intensities


def trait_scores(latents: np.ndarray, scale: float) -> np.ndarray:
    """Trait labels 0.5 + `scale` · t, clipped to 0..1.

    Parameters
    ----------
    latents : (clip, trait) ndarray
    scale : float
        Standard deviation of a trait label.

    Returns
    -------
    (clip, trait) ndarray
    """
    return np.clip(0.5 + scale * latents, 0, 1)
