"""Studies drawn as features, without any rendering.

People, latents and controls are those of the simulated corpora
(`sslmepr.corpora.simulated`). From the controls of a channel, and from factors that
have nothing to do with anybody's emotions or traits, a linear map that all corpora of a
study share leads to features. A study takes milliseconds, so that a method can be tried
on many.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sslmepr.params import Simulation
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
"""Factors of every channel that tell nothing."""

NUISANCE_SCALE = 2.0
"""Their standard deviation, against 1 of a channel's noise."""

TAUGHT = ("emotion", "personality")
ROLES = (*TAUGHT, "held_out")


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
        """Features as float32, set to mean 0 and deviation 1.

        Both are those of the training clips, or, where there are none, of all.
        """
        known = self.split == "train"
        rows = known if known.any() else slice(None)
        features = {
            name: ((each - each[rows].mean(0)) / each[rows].std(0)).astype(np.float32)
            for name, each in self.features.items()
        }
        return replace(self, features=features)


@dataclass(frozen=True)
class DrawnStudy:
    """The corpora of a study, by the names of the roles they play."""

    emotion: DrawnCorpus
    personality: DrawnCorpus
    held_out: DrawnCorpus

    def __getitem__(self, role: str) -> DrawnCorpus:
        return getattr(self, role)

    def standardised(self) -> "DrawnStudy":
        """The same people, features of each corpus standardised by itself."""
        return DrawnStudy(*(self[role].standardised() for role in ROLES))


def signed_world(simulation: Simulation, name: str, strength: float) -> World:
    """A world with the signs of another, all planted correlations equally strong.

    Raises
    ------
    WorldError
        If no population can have these correlations.
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
    """Draw the three corpora of a study, with features as they come.

    Parameters
    ----------
    simulation : Simulation
        Strengths of the channels, and how latents become labels.
    world : World
    clips : int
        Of each corpus.
    clips_per_speaker : int
    features : int
        Width of every modality.
    offset : float
        Root mean square, over the controls of a channel, of a shift that all clips of a
        corpus share, in standard deviations of the channel's noise; its direction is
        drawn for each corpus.
    seed : int
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
    """A shift of every control by 1 on average, to either side."""
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
    """Split of each clip; speakers are dealt whole, in their order."""
    total = sum(shares.values())
    for place in (speaker + 0.5) / (speaker[-1] + 1):
        if role not in TAUGHT or place > (shares["train"] + shares["dev"]) / total:
            yield "test"
        else:
            yield "train" if place <= shares["train"] / total else "dev"
