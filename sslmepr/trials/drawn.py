"""Studies simulated as features, without rendering media.

People, latents and controls are drawn as in the simulated corpora
(`sslmepr.simulation.world`). Features are a linear map of a channel's controls,
averaged over the clip, and of nuisance factors, which are independent of emotions and
traits. All corpora of a study share the map. Where the world has knobs, signs of what
is special about a clip are among its features, as an occluder or a noise would be. The
three corpora are domains of their own (knob ``offset``). Their labels may be scarce or
unequal (`sslmepr.trials.labelling`). A study takes milliseconds, so a method can be
tried on many.

Where expressions change over the clip (knobs ``burst`` and ``order``), face, body and
voice are also drawn as sequences, whose mean over the steps are the features. Nuisance
factors and noise of a step have sqrt(L) times the standard deviation that they have in
the mean over all L steps, as the noise of controls has. The signal of an emotion in the
best linear contrast over steps is therefore the same at every dose.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from sslmepr.params.simulation import Knobs, Simulation
from sslmepr.simulation.channels import Channel, make_channels
from sslmepr.simulation.knobs import (
    Circumstances,
    domain_shift,
    draw_circumstances,
    draw_controls,
)
from sslmepr.simulation.raters import label_clips
from sslmepr.simulation.world import (
    World,
    draw_emotions,
    draw_traits,
    make_world,
)
from sslmepr.trials.labelling import LABELLED, Labelling, worse_raters

NUISANCES = 12
"""Number of nuisance factors of every channel."""

NUISANCE_SCALE = 2.0
"""Standard deviation of nuisance factors; that of a channel's noise is 1."""

SIGNS = 3
"""Signs of noise, of hidden controls, and of contrary words."""

SIGN_SCALE = 3.0
"""Size of a sign, against noise of 1. By convention: the signs are plain to see."""

ROLES = (*LABELLED, "held_out")


@dataclass(frozen=True)
class DrawnCorpus:
    """Clips with all their labels.

    Attributes
    ----------
    clip_ids, speaker_ids : (clip,) array of str
    split : (clip,) array of str
    labelled : (clip,) bool array
        Whether a method may use the labels of the clip's own task.
    emotions : (clip, emotion) array
        Intensities 0..1, neutral first.
    traits : (clip, trait) array
        Scores 0..1.
    latents : (clip, latent) array
        Six emotions and five traits, of unit variance.
    rated : (clip, latent) array
        The same as the labels have them (`sslmepr.simulation.raters.Labels`).
    features : dict of str to (clip, feature) array
        By modality; 0 where a clip lacks it.
    sequences : dict of str to (clip, step, feature) array
        By modality; `features` are their means. A single step where nothing changes.
    present : dict of str to (clip,) bool array
        By modality.
    controls : dict of str to (clip, frame, control) array
        By channel, as `sslmepr.simulation.knobs.draw_controls` gives them.
    given : Circumstances
        What is special about the clips.
    """

    clip_ids: np.ndarray
    speaker_ids: np.ndarray
    split: np.ndarray
    labelled: np.ndarray
    emotions: np.ndarray
    traits: np.ndarray
    latents: np.ndarray
    rated: np.ndarray
    features: dict[str, np.ndarray]
    sequences: dict[str, np.ndarray]
    present: dict[str, np.ndarray]
    controls: dict[str, np.ndarray]
    given: Circumstances

    def at(self, rows: np.ndarray) -> "DrawnCorpus":
        """The clips of `rows`, in that order."""
        return DrawnCorpus(
            **{
                name: {key: each[rows] for key, each in values.items()}
                if isinstance(values, dict)
                else (values.at(rows) if name == "given" else values[rows])
                for name, values in vars(self).items()
            }
        )

    def standardised(self) -> "DrawnCorpus":
        """Copy with features as float32, standardised to mean 0 and deviation 1.

        Mean and deviation are those of the training clips, or of all clips if none is
        in training; for sequences, those of their steps.
        """
        known = self.split == "train"
        rows = known if known.any() else slice(None)
        features, sequences = (
            {name: zscored(each, rows) for name, each in field.items()}
            for field in (self.features, self.sequences)
        )
        return replace(self, features=features, sequences=sequences)


def zscored(values: np.ndarray, rows) -> np.ndarray:
    """Values (clip, ..., feature) as float32, standardised over the clips of `rows`."""
    chosen = values[rows].reshape(-1, values.shape[-1])
    return ((values - chosen.mean(0)) / chosen.std(0)).astype(np.float32)


@dataclass(frozen=True)
class DrawnStudy:
    """The three corpora of a study, named by their roles.

    `maps` are, by modality, the linear maps (source, feature) that features come from;
    sources are controls, nuisance factors and, in worlds with knobs, signs.
    """

    emotion: DrawnCorpus
    personality: DrawnCorpus
    held_out: DrawnCorpus
    maps: dict[str, np.ndarray]

    def __getitem__(self, role: str) -> DrawnCorpus:
        return getattr(self, role)

    def standardised(self) -> "DrawnStudy":
        """Copy in which each corpus is standardised separately."""
        return DrawnStudy(*(self[role].standardised() for role in ROLES), self.maps)


def with_doses(simulation: Simulation, **doses) -> Simulation:
    """The simulation with these doses of knobs alone, and the truth as labels."""
    changes = {"knobs": Knobs(**doses), "raters": None}
    return simulation.model_copy(update=changes)


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
    labelling: Labelling | None = None,
    moving: bool = True,
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
    labelling : Labelling, optional
        Numbers and quality of the labels of the training corpora; `clips` labelled
        clips of each and nothing else if not given.
    moving : bool
        Whether sequences have all their steps; if not, the features are a single one,
        which takes less memory.

    Returns
    -------
    DrawnStudy
    """
    rng = np.random.default_rng(seed)
    channels = make_channels(simulation)
    signs = SIGNS if simulation.knobs != Knobs() else 0
    sources = {
        name: len(channel.controls) + NUISANCES + signs
        for name, channel in channels.items()
    }
    maps = {
        name: rng.standard_normal((count, features)) / np.sqrt(count)
        for name, count in sources.items()
    }
    labelling = labelling or Labelling(dict.fromkeys(LABELLED, clips))
    corpora = {}
    for number, role in enumerate(ROLES):
        key = [seed, number]
        shift = {
            name: offset * _direction(each, rng) for name, each in channels.items()
        }
        known = labelling.clips.get(role, clips)
        speaker = np.arange(known) // clips_per_speaker
        more = np.arange(labelling.unlabelled.get(role, 0)) // clips_per_speaker
        speaker = np.concatenate([speaker, speaker[-1] + 1 + more])
        own = simulation.model_copy(
            update={
                "raters": worse_raters(
                    simulation.raters, labelling.worse.get(role, 1.0)
                )
            }
        )
        corpora[role] = _corpus(
            role,
            own,
            world,
            channels,
            maps,
            shift,
            speaker,
            known,
            rng,
            key,
            moving,
        )
    return DrawnStudy(**corpora, maps=maps)


def _direction(channel: Channel, rng: np.random.Generator) -> np.ndarray:
    """Random shift of all controls with a root mean square of 1: (control,)."""
    drawn = rng.standard_normal(len(channel.controls))
    return drawn / np.sqrt((drawn**2).mean())


def _corpus(
    role,
    simulation,
    world,
    channels,
    maps,
    shift,
    speaker,
    known,
    rng,
    key,
    moving,
) -> DrawnCorpus:
    count, special = len(speaker), np.random.default_rng(key)
    knobs, frames = simulation.knobs, simulation.cue_frames
    traits = draw_traits(speaker[-1] + 1, rng)[speaker]
    latents = np.hstack([draw_emotions(world, traits, rng), traits])
    latents = latents + domain_shift(knobs.offset, role)
    split = np.full(count, "train", dtype="<U5")
    split[:known] = list(_splits(role, speaker[:known], simulation.split))
    names = {name: channel.controls for name, channel in channels.items()}
    given = draw_circumstances(knobs, names, latents, speaker, frames, special)
    features, sequences, controls = {}, {}, {}
    for place, (name, channel) in enumerate(channels.items()):
        loadings = replace(channel.in_domain(role, 1.0), offset=shift[name])
        own = rng.standard_normal((count, len(channel.controls)))
        shown = draw_controls(
            name, loadings, latents, given, knobs, frames, own, special
        )
        controls[name], seen = shown, shown.mean(1)
        noise = NUISANCE_SCALE * rng.standard_normal((count, NUISANCES))
        parts = [seen, noise]
        if knobs != Knobs():
            parts.append(_signs(name, given, special))
        values = np.hstack(parts) @ maps[name]
        values = values + rng.standard_normal(values.shape)
        features[name] = np.where(given.absent[name][:, None], 0.0, values)
        sequences[name] = features[name][:, None]
        if not moving:
            continue
        # A generator of its own: features are the same with and without sequences.
        further = np.random.default_rng([*key, place])
        steps = _around_mean(shown - seen[:, None], maps[name], further)
        steps = np.where(given.absent[name][:, None, None], 0.0, steps)
        sequences[name] = sequences[name] + steps
    labels = label_clips(latents, simulation, simulation.raters, special)
    return DrawnCorpus(
        np.array([f"{role}-{place:05d}" for place in range(count)]),
        np.array([f"{role}-p{number:05d}" for number in speaker]),
        split,
        np.arange(count) < known,
        labels.emotion,
        labels.personality,
        latents,
        labels.rated,
        features,
        sequences,
        {name: ~absent for name, absent in given.absent.items()},
        controls,
        given,
    )


def _around_mean(
    shown: np.ndarray, feature_map: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """What features of steps (clip, step, feature) add to their mean over the clip.

    Parameters
    ----------
    shown : (clip, step, control) array
        Controls less their mean.
    feature_map : (source, feature) array
        Of which the first sources are the controls, the next the nuisance factors.
    rng : Generator
    """
    clips, steps, controls = shown.shape
    if steps == 1:
        return np.zeros((clips, 1, feature_map.shape[1]))
    drawn = [
        size * rng.standard_normal((clips, steps, count))
        for size, count in ((NUISANCE_SCALE, NUISANCES), (1, feature_map.shape[1]))
    ]
    nuisance, noise = (
        np.sqrt(steps) * (each - each.mean(1, keepdims=True)) for each in drawn
    )
    known = np.concatenate([shown, nuisance], -1)
    return known @ feature_map[: controls + NUISANCES] + noise


def _signs(name: str, given: Circumstances, rng: np.random.Generator) -> np.ndarray:
    """What shows that a clip is special, with noise: (clip, sign)."""
    means = sign_means(name, given)
    return means + rng.standard_normal(means.shape)


def sign_means(name: str, given: Circumstances) -> np.ndarray:
    """What the signs among the features of a modality stand for: (clip, sign).

    Parameters
    ----------
    name : str
        Of the modality.
    given : Circumstances
    """
    noise = np.log(given.noise[name])
    hidden = given.hidden[name].any(1)
    marker = given.marker if name == "audio" else np.zeros(len(noise))
    return SIGN_SCALE * np.column_stack([noise, hidden, marker])


def _splits(role: str, speaker: np.ndarray, shares) -> Iterator[str]:
    """Split of each clip; all clips of a speaker are in one split."""
    total = sum(shares.values())
    for place in (speaker + 0.5) / (speaker[-1] + 1):
        if role not in LABELLED or place > (shares["train"] + shares["dev"]) / total:
            yield "test"
        else:
            yield "train" if place <= shares["train"] / total else "dev"
