"""The random part of a simulated corpus: persons, latents and controls of clips."""

import zlib
from dataclasses import dataclass, replace

import numpy as np

from sslmepr.params import Params
from sslmepr.params.corpora import SimulatedCorpus
from sslmepr.simulation.channels import Channel, make_channels
from sslmepr.simulation.knobs import (
    Circumstances,
    domain_shift,
    draw_circumstances,
    draw_controls,
)
from sslmepr.simulation.raters import Labels, label_clips, raters_in
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
    shares = {"test": 1.0} if corpus.held_out else simulation.split
    splits = split_persons(corpus.persons, shares, order)[persons]
    raters = raters_in(world, simulation.raters)
    labels = label_clips(latents, simulation, raters, judgement)
    return Draw(
        *(world, channels, persons, domains, splits, latents, given, labels, controls)
    )


def draw_text_only(name: str, corpus: SimulatedCorpus, params: Params) -> Draw:
    """Draw the clips of a corpus of which there is only a transcript.

    They come from the same world and raters as the others, from random numbers of their
    own, so that the others are the same with and without them.

    Parameters
    ----------
    name : str
        What to call them; no corpus may have this name.
    corpus : SimulatedCorpus
        Its ``text_only`` is above 0.
    params : Params

    Returns
    -------
    Draw
        All in train. As many clips per person as in the rest of the corpus.
    """
    count = corpus.text_only
    persons = max(1, round(count * corpus.persons / corpus.clips))
    further = corpus.model_copy(update={"clips": count, "persons": persons})
    # Nothing is absent at random: a clip without its transcript would be nothing.
    knobs = params.simulation.knobs.model_copy(update={"missing": 0.0})
    simulation = params.simulation.model_copy(update={"knobs": knobs})
    own = params.model_copy(update={"simulation": simulation})
    draw = draw_corpus(name, further, own)
    absent = {channel: np.full(count, channel != "text") for channel in draw.channels}
    controls = {
        channel: values if channel == "text" else np.zeros_like(values)
        for channel, values in draw.controls.items()
    }
    return replace(
        draw,
        splits=np.full(count, "train"),
        circumstances=replace(draw.circumstances, absent=absent),
        controls=controls,
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
