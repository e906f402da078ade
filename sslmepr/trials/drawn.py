"""Studies simulated as features, without rendering media.

People, latents and controls are drawn as in the simulated corpora
(`sslmepr.simulation.world`). Features are a linear map of a channel's controls and of
nuisance factors, which are independent of emotions and traits; all corpora of a study
share the map. A study takes milliseconds, so a method can be tried on many.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sslmepr.params.simulation import Simulation
from sslmepr.simulation.channels import Channel, make_channels
from sslmepr.simulation.world import (
    EMOTION_PART,
    TRAIT_PART,
    World,
    draw_emotions,
    draw_traits,
    emotion_intensities,
    make_world,
    trait_scores,
)

NUISANCES = 12
"""Number of nuisance factors of every channel."""

NUISANCE_SCALE = 2.0
"""Standard deviation of nuisance factors; that of a channel's noise is 1."""

LABELLED = ("emotion", "personality")
ROLES = (*LABELLED, "held_out")


@dataclass(frozen=True)
class DrawnCorpus:
    """Clips with all their labels.

    Attributes
    ----------
    clip_ids, speaker_ids : (clip,) array of str
    split : (clip,) array of str
    emotions : (clip, emotion) array
        Intensities 0..1, neutral first.
    traits : (clip, trait) array
        Scores 0..1.
    latents : (clip, latent) array
        Six emotions and five traits, of unit variance.
    features : dict of str to (clip, feature) array
        By modality.
    """

    clip_ids: np.ndarray
    speaker_ids: np.ndarray
    split: np.ndarray
    emotions: np.ndarray
    traits: np.ndarray
    latents: np.ndarray
    features: dict[str, np.ndarray]

    def standardised(self) -> "DrawnCorpus":
        """Copy with features as float32, standardised to mean 0 and deviation 1.

        Mean and deviation are those of the training clips, or of all clips if none is
        in training.
        """
        known = self.split == "train"
        rows = known if known.any() else slice(None)
        features = {name: zscored(each, rows) for name, each in self.features.items()}
        return replace(self, features=features)


def zscored(values: np.ndarray, rows) -> np.ndarray:
    """Values (clip, feature) as float32, standardised over the clips of `rows`."""
    chosen = values[rows]
    return ((values - chosen.mean(0)) / chosen.std(0)).astype(np.float32)


@dataclass(frozen=True)
class DrawnStudy:
    """The three corpora of a study, named by their roles."""

    emotion: DrawnCorpus
    personality: DrawnCorpus
    held_out: DrawnCorpus

    def __getitem__(self, role: str) -> DrawnCorpus:
        return getattr(self, role)

    def standardised(self) -> "DrawnStudy":
        """Copy in which each corpus is standardised separately."""
        return DrawnStudy(*(self[role].standardised() for role in ROLES))


def signed_world(simulation: Simulation, name: str, strength: float) -> World:
    """World with the signs of another and planted correlations of equal strength.

    Parameters
    ----------
    simulation : Simulation
    name : str
        World that gives the signs; its zeros stay zero.
    strength : float
        Absolute value of the planted correlations.

    Returns
    -------
    World

    Raises
    ------
    WorldError
        If the correlation matrix is not positive definite.
    """
    signs = np.sign(make_world(name, simulation.worlds).association)
    return World(f"{name} at {strength:g}", strength * signs)


def draw_study(
    simulation: Simulation,
    world: World,
    clips: int,
    clips_per_speaker: int,
    features: int,
    offset: float,
    seed: int,
) -> DrawnStudy:
    """Draw the three corpora of a study, with unstandardised features.

    Parameters
    ----------
    simulation : Simulation
        Strengths of the channels, and the mapping from latents to labels.
    world : World
    clips : int
        Number of clips of each corpus.
    clips_per_speaker : int
    features : int
        Number of features of every modality.
    offset : float
        Domain shift: root mean square, over the controls of a channel, of a shift that
        all clips of a corpus share, in standard deviations of the channel's noise. Its
        direction is drawn for each corpus.
    seed : int

    Returns
    -------
    DrawnStudy
    """
    rng = np.random.default_rng(seed)
    channels = make_channels(simulation)
    sources = {
        name: len(channel.controls) + NUISANCES for name, channel in channels.items()
    }
    maps = {
        name: rng.standard_normal((count, features)) / np.sqrt(count)
        for name, count in sources.items()
    }
    speaker = np.arange(clips) // clips_per_speaker
    corpora = {}
    for role in ROLES:
        shift = {
            name: offset * _direction(each, rng) for name, each in channels.items()
        }
        corpora[role] = _corpus(
            role, simulation, world, channels, maps, shift, speaker, rng
        )
    return DrawnStudy(**corpora)


def _direction(channel: Channel, rng: np.random.Generator) -> np.ndarray:
    """Random shift of all controls with a root mean square of 1: (control,)."""
    drawn = rng.standard_normal(len(channel.controls))
    return drawn / np.sqrt((drawn**2).mean())


def _corpus(
    role, simulation, world, channels, maps, shift, speaker, rng
) -> DrawnCorpus:
    count = len(speaker)
    traits = draw_traits(speaker[-1] + 1, rng)[speaker]
    latents = np.hstack([draw_emotions(world, traits, rng), traits])
    split = np.array(list(_splits(role, speaker, simulation.split)))
    features = {}
    for name, channel in channels.items():
        seen = latents @ channel.loadings().T + shift[name]
        seen = seen + rng.standard_normal(seen.shape)
        noise = NUISANCE_SCALE * rng.standard_normal((count, NUISANCES))
        values = np.hstack([seen, noise]) @ maps[name]
        features[name] = values + rng.standard_normal(values.shape)
    return DrawnCorpus(
        np.array([f"{role}-{place:05d}" for place in range(count)]),
        np.array([f"{role}-p{number:05d}" for number in speaker]),
        split,
        emotion_intensities(
            latents[:, EMOTION_PART],
            simulation.emotion_threshold,
            simulation.emotion_ceiling,
        ),
        trait_scores(latents[:, TRAIT_PART], simulation.trait_scale),
        latents,
        features,
    )


def _splits(role: str, speaker: np.ndarray, shares) -> Iterator[str]:
    """Split of each clip; all clips of a speaker are in one split."""
    total = sum(shares.values())
    for place in (speaker + 0.5) / (speaker[-1] + 1):
        if role not in LABELLED or place > (shares["train"] + shares["dev"]) / total:
            yield "test"
        else:
            yield "train" if place <= shares["train"] / total else "dev"
