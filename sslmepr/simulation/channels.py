"""Linear model of the five channels: latents to controls of picture, voice and words.

A channel has a few named controls (how far the brows are raised, how fast a person
speaks). In a clip they take the values

    z = emotion · scale · A g + trait · B t + offset + noise,    noise ~ N(0, I),

with the channel's strengths from ``simulation.channels``, the domain's emotion scale,
and axes A and B whose columns are unit vectors. The domain's offset is the same in all
of its clips. The modules that draw and speak get z in units of its standard deviation.

What changes this from clip to clip are the knobs (`sslmepr.simulation.knobs`). The
trait axes are made orthogonal to the emotion axes of the same channel as far as its
controls allow, and then turned towards them by ``simulation.knobs.cue_overlap``.
"""

import zlib
from dataclasses import dataclass

import numpy as np

from sslmepr.params.simulation import Simulation
from sslmepr.simulation import picture, voice, words
from sslmepr.simulation.knobs import Loadings, overlapping
from sslmepr.simulation.world import World

OFFSET_SCALE = 0.25  # standard deviation of a domain's offset, against noise of 1


@dataclass(frozen=True)
class Channel:
    """One channel of a corpus.

    Attributes
    ----------
    name : str
        The modality it is perceived in.
    controls : tuple of str
    emotion_axes : (control, emotion) ndarray
        A times the channel's emotion strength.
    second_axes : (control, emotion) ndarray
        The same for the second form of emotions (``simulation.knobs.variants``).
    trait_axes : (control, trait) ndarray
        B times the channel's trait strength.
    unlikeness : float
        Of domains, the dose of ``simulation.knobs.offset``.
    """

    name: str
    controls: tuple[str, ...]
    emotion_axes: np.ndarray
    second_axes: np.ndarray
    trait_axes: np.ndarray
    unlikeness: float = 0.0

    def loadings(self, emotion_scale: float = 1.0) -> np.ndarray:
        """Effect of every latent on every control, (control, latent)."""
        return np.hstack([emotion_scale * self.emotion_axes, self.trait_axes])

    def offset(self, domain: str) -> np.ndarray:
        """Shift of every control in a domain, (control,)."""
        key = zlib.crc32(f"{domain}/{self.name}".encode())
        rng = np.random.default_rng(key)
        return OFFSET_SCALE * rng.standard_normal(len(self.controls))

    def in_domain(self, domain: str, emotion_scale: float) -> Loadings:
        """The linear model of the channel in a domain.

        Parameters
        ----------
        domain : str
        emotion_scale : float
            Factor on the effect of emotions.

        Returns
        -------
        Loadings
        """
        alike = Loadings(
            emotion_scale * self.emotion_axes,
            emotion_scale * self.second_axes,
            self.trait_axes,
            self.offset(domain),
        )
        return alike.in_other_domain(self.unlikeness, self.name, domain)

    def spread(self, world: World, moments: int = 1) -> np.ndarray:
        """Standard deviation of every control at emotion scale 1, (control,).

        Parameters
        ----------
        world : World
        moments : int
            Of a clip, whose mean has noise of variance 1; each has as much as that
            times their number.
        """
        loadings = self.loadings()
        explained = np.einsum("cl,lm,cm->c", loadings, world.covariance, loadings)
        return np.sqrt(explained + moments)


def make_channel(
    name: str,
    controls: tuple[str, ...],
    emotion_axes: np.ndarray,
    trait_axes: np.ndarray,
    emotion_strength: float,
    trait_strength: float,
    second_axes: np.ndarray | None = None,
    cue_overlap: float = 0.0,
    unlikeness: float = 0.0,
) -> Channel:
    """A channel from raw axes, which only give directions.

    Parameters
    ----------
    name : str
    controls : tuple of str
    emotion_axes : (control, emotion) array
    trait_axes : (control, trait) array
    emotion_strength, trait_strength : float
        Length of each column, against noise of standard deviation 1 in each control.
    second_axes : (control, emotion) array, optional
        Of the second form of emotions; `emotion_axes` if not given.
    cue_overlap : float
        Angle in degrees by which traits share the cues of emotions.
    unlikeness : float
        Dose of the differences between domains (``simulation.knobs.offset``).
    """
    second = _unit_columns(
        np.asarray(emotion_axes if second_axes is None else second_axes, dtype=float)
    )
    emotion_axes = _unit_columns(np.asarray(emotion_axes, dtype=float))
    trait_axes = _unit_columns(np.asarray(trait_axes, dtype=float))
    trait_axes = _unit_columns(_away_from(trait_axes, emotion_axes))
    trait_axes = overlapping(trait_axes, emotion_axes, cue_overlap)
    return Channel(
        name,
        tuple(controls),
        emotion_strength * emotion_axes,
        emotion_strength * second,
        trait_strength * trait_axes,
        unlikeness,
    )


def _unit_columns(axes: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(axes, axis=0)
    return np.divide(axes, lengths, out=np.zeros_like(axes), where=lengths > 0)


def _away_from(axes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Remove from `axes` what lies in the column space of `others`.

    An axis that would lose all but a tenth of its length is left as it is: a channel
    with few controls has no direction left that is orthogonal to all emotions.
    """
    left, sizes, _ = np.linalg.svd(others, full_matrices=False)
    basis = left[:, sizes > 1e-9]
    rest = axes - basis @ (basis.T @ axes)
    keep = np.linalg.norm(rest, axis=0) > 0.1
    return np.where(keep, rest, axes)


def make_channels(simulation: Simulation) -> dict[str, Channel]:
    """The channels of ``simulation.channels``, by modality."""
    sources = {
        name: (controls, picture.EMOTION_AXES[name], picture.TRAIT_AXES[name])
        for name, controls in (
            ("face", picture.FACE_CONTROLS),
            ("body", picture.BODY_CONTROLS),
            ("scene", picture.SCENE_CONTROLS),
        )
    } | {
        "audio": (voice.AUDIO_CONTROLS, voice.EMOTION_AXES, voice.TRAIT_AXES),
        "text": (words.TEXT_CONTROLS, words.EMOTION_AXES, words.TRAIT_AXES),
    }
    second = picture.SECOND_EMOTION_AXES | {"audio": voice.SECOND_EMOTION_AXES}
    return {
        name: make_channel(
            name,
            *sources[name],
            strength.emotion,
            strength.trait,
            second.get(name),
            simulation.knobs.cue_overlap,
            simulation.knobs.offset,
        )
        for name, strength in simulation.channels.items()
    }
