"""Who the people of a simulated corpus are, and what they feel.

A world is linear and Gaussian. A person has five latent traits t ~ N(0, R). In each
clip of that person, six latent emotions g ~ N(M t, S) are drawn, where M and S are
chosen such that every emotion has unit variance and

    corr(g, t) = C    (the planted association)
    corr(g)    = G    (how emotions occur together)

so that M = C R⁻¹ and S = G - C R⁻¹ Cᵀ. Because everything is Gaussian, what an ideal
observer can know is a closed form (`sslmepr.simulation.ideal_observer`).
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
"""G. Chosen, not measured: unpleasant emotions occur together and exclude happiness."""

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
    """Build a world from ``simulation.worlds``; what is not listed is zero.

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
    """Latent traits of `count` persons, (person, trait)."""
    factor = np.linalg.cholesky(TRAIT_CORRELATION)
    return rng.standard_normal((count, len(TRAITS))) @ factor.T


def draw_emotions(
    world: World, traits: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Latent emotions given latent traits, (clip, trait) to (clip, emotion)."""
    factor = np.linalg.cholesky(world.residual)
    noise = rng.standard_normal((len(traits), len(SCORED_EMOTIONS)))
    return traits @ world.mapping.T + noise @ factor.T


def emotion_intensities(
    latents: np.ndarray, threshold: float, ceiling: float
) -> np.ndarray:
    """Emotion labels, (clip, scored emotion) to (clip, emotion) within 0..1.

    An emotion is absent (0) up to `threshold` and reaches 1 at `ceiling`, both in
    standard deviations of its latent; ``neutral`` is 1 where all others are absent.
    """
    scored = np.clip((latents - threshold) / (ceiling - threshold), 0, 1)
    neutral = (scored == 0).all(axis=1, keepdims=True).astype(float)
    intensities = np.hstack([neutral, scored])
    assert intensities.shape[1] == len(EMOTIONS)
    return intensities


def trait_scores(latents: np.ndarray, scale: float) -> np.ndarray:
    """Trait labels 0.5 + `scale` · t, cut to 0..1, (clip, trait)."""
    return np.clip(0.5 + scale * latents, 0, 1)
