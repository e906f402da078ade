"""The random part of a simulated corpus: persons, latents and controls of clips."""

import zlib
from dataclasses import dataclass

import numpy as np

from sslmepr.labels import TASKS
from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.simulation.channels import Channel, make_channels
from sslmepr.simulation.knobs import (
    Circumstances,
    domain_shift,
    draw_circumstances,
    draw_controls,
)
from sslmepr.simulation.raters import Labels, label_clips
from sslmepr.simulation.world import (
    World,
    draw_emotions,
    draw_traits,
    make_world,
)


@dataclass(frozen=True)
class Draw:
    """Everything about a corpus that is random, before anything is rendered.

    Attributes
    ----------
    world : World
    channels : dict of str to Channel
    persons : (clip,) int ndarray
        Who is in each clip.
    domains : (clip,) ndarray of str
    splits : (clip,) ndarray of str
    latents : (clip, latent) ndarray
    circumstances : Circumstances
    labels : Labels
    controls : dict of str to (clip, frame, control) ndarray
        By channel, in units of the channel's noise; a single frame for what does not
        change over a clip.
    """

    world: World
    channels: dict[str, Channel]
    persons: np.ndarray
    domains: np.ndarray
    splits: np.ndarray
    latents: np.ndarray
    circumstances: Circumstances
    labels: Labels
    controls: dict[str, np.ndarray]


def draw_corpus(name: str, corpus: SimulatedCorpus, params: Params) -> Draw:
    """Draw persons, emotions and controls of a corpus from ``simulation.seed``.

    A corpus with the labels of both tasks is held out: all its persons are in test.

    Parameters
    ----------
    name : str
        Name of the corpus; corpora of other names get independent random numbers.
    corpus : SimulatedCorpus
    params : Params

    Returns
    -------
    Draw

    Raises
    ------
    WorldError
        If the corpus's world is unknown or impossible.
    """
    simulation = params.simulation
    world = make_world(corpus.world, simulation.worlds)
    channels = make_channels(simulation)
    key = np.random.SeedSequence([simulation.seed, zlib.crc32(name.encode())])
    people, feelings, noise, order, luck, moments, judgement = map(
        np.random.default_rng, key.spawn(7)
    )
    persons = np.arange(corpus.clips) % corpus.persons
    traits = draw_traits(corpus.persons, people)[persons]
    latents = np.hstack([draw_emotions(world, traits, feelings), traits])
    domains = np.array(corpus.domains)[persons % len(corpus.domains)]
    dose = simulation.knobs.offset
    shifts = np.array([domain_shift(dose, domain) for domain in corpus.domains])
    latents = latents + shifts[persons % len(corpus.domains)]
    names = {channel.name: channel.controls for channel in channels.values()}
    knobs, frames = simulation.knobs, simulation.cue_frames
    given = draw_circumstances(knobs, names, latents, persons, frames, luck)
    controls = {}
    for channel in channels.values():
        drawn = {}
        for domain in corpus.domains:
            rows = np.flatnonzero(domains == domain)
            scale = simulation.domains[domain].emotion_scale
            values = draw_controls(
                channel.name,
                channel.in_domain(domain, scale),
                latents[rows],
                given.at(rows),
                knobs,
                frames,
                noise.standard_normal((len(rows), len(channel.controls))),
                moments,
            )
            drawn.update(zip(rows, values, strict=True))
        controls[channel.name] = np.stack([drawn[row] for row in range(corpus.clips)])
    held_out = set(corpus.labels) == set(TASKS)
    shares = {"test": 1.0} if held_out else simulation.split
    splits = split_persons(corpus.persons, shares, order)[persons]
    labels = label_clips(latents, simulation, simulation.raters, judgement)
    return Draw(
        *(world, channels, persons, domains, splits, latents, given, labels, controls)
    )


def split_persons(
    count: int, shares: dict[str, float], rng: np.random.Generator
) -> np.ndarray:
    """Assign persons to splits at random.

    Parameters
    ----------
    count : int
        Number of persons.
    shares : dict of str to float
        Split to its share; they need not sum to 1. Every split with a share above 0
        gets at least one person if there are enough.
    rng : Generator

    Returns
    -------
    (person,) ndarray of str
    """
    shares = {split: share for split, share in shares.items() if share > 0}
    bounds = np.cumsum(list(shares.values())) / sum(shares.values()) * count
    sizes = np.diff(np.rint(bounds).astype(int), prepend=0)
    while count >= len(sizes) and sizes.min() == 0:
        sizes[sizes.argmax()] -= 1
        sizes[sizes.argmin()] += 1
    return rng.permutation(np.repeat(list(shares), sizes))
