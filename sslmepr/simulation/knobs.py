"""Knobs of a world: what hides, weakens, reverses, times and forms the cues of a clip.

Every knob has a dose from 0, where it has no effect, to 1. Given a few discrete or
scalar circumstances of a clip the world stays linear and Gaussian,

    z_f = o + kappa e_f(u) E g + T t + s l + noise,

for the controls z of a channel at frame f, the latent emotions g and traits t of a clip
and the look l of its person, so that the ideal observer stays exact
(`sslmepr.simulation.ideal_observer`). The circumstances are:

- ``reliability``: the standard deviation of the noise, of three classes that are seen;
- ``occlusion``: controls of face or body that something visible hides;
- ``incongruence``: contrary words, whose cues have the opposite sign, and a marker of
  them in the voice;
- ``burst``, ``order``: the envelope e of an expression over the frames, with its onset
  u;
- ``moderation``: expressiveness kappa, which rises with latent extraversion;
- ``variants``: a second form of the emotions, with axes of its own;
- ``missing``: absent modalities;
- ``shared_looks``: noise that all channels of a person share;
- ``offset``: how the cues of a domain differ from those of others, and how common
  emotions are in it. The domain of a clip is seen.
"""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtr

from sslmepr.labels import SCORED_EMOTIONS, TRAITS
from sslmepr.params.simulation import Knobs
from sslmepr.simulation.world import EMOTION_PART, LATENTS, TRAIT_PART

QUALITY_NOISE = (1.0, 3.0, 9.0)
"""Relative noise of a channel that is clear, poor or nearly gone, at dose 1."""

QUALITY_SHARES = (0.5, 0.25, 0.25)
"""Shares of these classes."""

FRAMED = ("face", "body", "audio")
"""Channels whose cues of emotions change over the frames of a clip."""

HIDING = {
    "sunglasses": ("face", ("brow_squeeze", "lid_opening", "eye_rings")),
    "scarf": ("face", ("mouth_curve", "mouth_opening", "mouth_width")),
    "desk": ("body", ("hand_height", "hand_opening", "gesture_amplitude")),
}
"""Thing to the channel and the controls that it hides."""

CONTRARY_SHARE = 0.3
"""Share of clips with contrary words at dose 1 of ``incongruence``."""

MARKER_SHIFT = 2.5
"""Of the marker of contrary words, in standard deviations of its noise."""

LOOKS = 3
"""Dimensions of the look of a person that all channels share."""

GAIN_SPREAD = 0.5
"""Standard deviation of the logarithm of a channel's gain over domains at dose 1 of
``offset``, by convention."""

TURN = 0.5
"""Size of what ``offset`` adds to an axis at dose 1, relative to the axis."""

EMOTION_SHIFT = 0.5
"""Standard deviation over domains of the mean of a latent emotion at dose 1 of
``offset``."""

EXTRAVERSION = LATENTS.index("extraversion")
SADNESS = LATENTS.index("sadness")


@dataclass(frozen=True)
class Loadings:
    """Linear model of a channel in a domain.

    Attributes
    ----------
    first, second : (control, emotion) ndarray
        Effects of the emotions in their two forms.
    traits : (control, trait) ndarray
    offset : (control,) ndarray
    """

    first: np.ndarray
    second: np.ndarray
    traits: np.ndarray
    offset: np.ndarray

    def in_other_domain(self, dose: float, name: str, domain: str) -> "Loadings":
        """As they are in a domain under ``offset``: of another strength and shape.

        All axes H of a channel become exp(dose xi) (H + dose Delta), with xi and the
        directions of Delta drawn for each channel and domain.

        Parameters
        ----------
        dose : float
            Of ``offset``; 0 changes nothing.
        name, domain : str
            Of the channel and of the domain.

        Returns
        -------
        Loadings
        """
        rng = np.random.default_rng(zlib.crc32(f"{domain}/{name}/shape".encode()))
        gain, turned = np.exp(dose * GAIN_SPREAD * rng.standard_normal()), []
        for axes in (self.first, self.second, self.traits):
            drawn = rng.standard_normal(axes.shape)
            length = np.linalg.norm(axes, axis=0) / np.linalg.norm(drawn, axis=0)
            turned.append(gain * (axes + dose * TURN * length * drawn))
        return Loadings(*turned, self.offset)


def domain_shift(dose: float, domain: str) -> np.ndarray:
    """Mean of the latents in a domain, (latent,); that of traits is 0.

    Parameters
    ----------
    dose : float
        Of ``offset``.
    domain : str
    """
    rng = np.random.default_rng(zlib.crc32(f"{domain}/shift".encode()))
    shift = np.zeros(len(LATENTS))
    shift[EMOTION_PART] = dose * EMOTION_SHIFT * rng.standard_normal(EMOTION_PART.stop)
    return shift


@dataclass(frozen=True)
class Circumstances:
    """What is special about clips; all but `contrary`, `onset` and `second` is seen.

    Attributes
    ----------
    noise : dict of str to (clip,) ndarray
        Channel to the standard deviation of its noise.
    hidden : dict of str to (clip, control) bool ndarray
        Channel to the controls that are not seen.
    absent : dict of str to (clip,) bool ndarray
        Channel to whether the clip lacks it.
    marker : (clip,) ndarray
        Sign of contrary words in the voice, which is heard where audio is not absent.
    contrary : (clip,) bool ndarray
        Whether the words say the opposite.
    onset : (clip,) int ndarray
        Frame of the burst.
    second : (clip,) bool ndarray
        Whether emotions are shown in their second form.
    look : (clip, look) ndarray
    """

    noise: dict[str, np.ndarray]
    hidden: dict[str, np.ndarray]
    absent: dict[str, np.ndarray]
    marker: np.ndarray
    contrary: np.ndarray
    onset: np.ndarray
    second: np.ndarray
    look: np.ndarray

    def with_noise(self, channel: str, noise: np.ndarray) -> "Circumstances":
        """The same, but for the standard deviation of the noise of one channel."""
        return replace(self, noise={**self.noise, channel: noise})

    def at(self, rows) -> "Circumstances":
        """Those of some clips."""
        return Circumstances(
            **{
                name: {channel: each[rows] for channel, each in values.items()}
                if isinstance(values, dict)
                else values[rows]
                for name, values in vars(self).items()
            }
        )


def draw_circumstances(
    knobs: Knobs,
    controls: Mapping[str, tuple[str, ...]],
    latents: np.ndarray,
    persons: np.ndarray,
    frames: int,
    rng: np.random.Generator,
) -> Circumstances:
    """Draw the circumstances of clips.

    Parameters
    ----------
    knobs : Knobs
        Doses.
    controls : mapping of str to tuple of str
        Channel to the names of its controls.
    latents : (clip, latent) ndarray
    persons : (clip,) int ndarray
    frames : int
        Number of frames of a clip.
    rng : Generator

    Returns
    -------
    Circumstances
    """
    clips = len(latents)
    levels = noise_levels(knobs.reliability)
    noise = {
        name: rng.choice(levels, clips, p=QUALITY_SHARES)
        if knobs.reliability
        else np.ones(clips)
        for name in controls
    }
    hidden = {
        name: np.zeros((clips, len(each)), bool) for name, each in controls.items()
    }
    things = list(HIDING)
    thing = rng.integers(len(things), size=clips)
    covered = rng.random(clips) < knobs.occlusion
    for place, (name, lost) in enumerate(HIDING.values()):
        if name in hidden:
            unseen = np.isin(controls[name], lost)
            hidden[name] |= (covered & (thing == place))[:, None] & unseen
    contrary = rng.random(clips) < CONTRARY_SHARE * knobs.incongruence
    marker = MARKER_SHIFT * contrary + rng.standard_normal(clips)
    onset = rng.integers(frames, size=clips)
    second = rng.random(clips) < knobs.variants / 2
    absent = _draw_absent(knobs, list(controls), latents, rng)
    look = rng.standard_normal((persons.max() + 1, LOOKS))[persons]
    return Circumstances(noise, hidden, absent, marker, contrary, onset, second, look)


def _draw_absent(knobs, names, latents, rng) -> dict[str, np.ndarray]:
    """Absent modalities: at random, or the likelier the sadder; never all."""
    chance = np.full(len(latents), knobs.missing / 2)
    if knobs.missing_when_sad:
        chance = knobs.missing * ndtr(latents[:, SADNESS])
    absent = rng.random((len(latents), len(names))) < chance[:, None]
    order = rng.integers(len(names), size=len(latents))
    nothing = absent.all(1)
    absent[nothing, order[nothing]] = False
    return dict(zip(names, absent.T, strict=True))


def noise_levels(dose: float) -> np.ndarray:
    """Standard deviation of the noise in each class; its mean precision is 1.

    Parameters
    ----------
    dose : float
        Of ``reliability``.

    Returns
    -------
    (class,) ndarray
    """
    relative = np.array(QUALITY_NOISE) ** dose
    return relative * np.sqrt(np.dot(QUALITY_SHARES, relative**-2.0))


def envelopes(knobs: Knobs, frames: int) -> np.ndarray:
    """Strength of an expression over the frames of a clip, for each onset.

    Of mean square 1 for each onset. ``burst`` makes the frame of the onset stand out,
    ``order`` lets the expression rise from its opposite over the clip.

    Parameters
    ----------
    knobs : Knobs
    frames : int

    Returns
    -------
    (onset, frame) ndarray
        A single onset without ``burst``.
    """
    time = np.arange(frames)
    slope = 2 * time - frames + 1
    rise = np.sqrt(3) * slope / np.sqrt(frames**2 - 1) if frames > 1 else 0.0 * time
    order = np.sqrt(1 - knobs.order) + np.sqrt(knobs.order) * rise
    if not knobs.burst:
        shape = order[None]
    else:
        peak = knobs.burst * np.sqrt(frames) * np.eye(frames)
        shape = ((1 - knobs.burst) + peak) * order
    return shape / np.sqrt((shape**2).mean(1, keepdims=True))


def expressiveness(dose: float, extraversion: np.ndarray) -> np.ndarray:
    """Factor kappa on the cues of emotions; its mean square over people is 1.

    Parameters
    ----------
    dose : float
        Of ``moderation``.
    extraversion : ndarray
        Latent, standard normal.
    """
    return np.exp(dose * extraversion - dose**2)


def overlapping(trait_axes: np.ndarray, emotion_axes: np.ndarray, degrees: float):
    """Turn trait axes towards emotion axes, so that traits share cues with emotions.

    Openness and extraversion turn towards happiness, conscientiousness away from
    disgust, agreeableness away from anger, emotional stability away from sadness.

    Parameters
    ----------
    trait_axes : (control, trait) ndarray
    emotion_axes : (control, emotion) ndarray
    degrees : float
        Angle; 0 changes nothing.

    Returns
    -------
    (control, trait) ndarray
        Columns keep their lengths. Where a channel has no axis of the emotion, the
        trait keeps its own.
    """
    angle, turned = np.deg2rad(degrees), trait_axes.copy()
    for trait, (emotion, sign) in OVERLAP.items():
        own = trait_axes[:, TRAITS.index(trait)]
        other = emotion_axes[:, SCORED_EMOTIONS.index(emotion)]
        length = np.linalg.norm(other)
        if length > 0:
            towards = sign * np.linalg.norm(own) * other / length
            turned[:, TRAITS.index(trait)] = (
                np.cos(angle) * own + np.sin(angle) * towards
            )
    return turned


OVERLAP = {
    "openness": ("happiness", 1),
    "extraversion": ("happiness", 1),
    "conscientiousness": ("disgust", -1),
    "agreeableness": ("anger", -1),
    "emotional_stability": ("sadness", -1),
}
"""Trait to the emotion whose cues it shares under ``cue_overlap``, and the sign."""


def look_loadings(dose: float, name: str, controls: int) -> np.ndarray:
    """Effect of a person's look on the controls of a channel, (control, look).

    Rows have a mean square of 1 at dose 1; they are the same in every corpus.
    """
    rng = np.random.default_rng([len(name), *name.encode()])
    drawn = rng.standard_normal((controls, LOOKS))
    return dose * drawn / np.sqrt((drawn**2).sum(1).mean())


def draw_controls(
    name: str,
    loadings: Loadings,
    latents: np.ndarray,
    given: Circumstances,
    knobs: Knobs,
    frames: int,
    noise: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Controls of a channel.

    Parameters
    ----------
    name : str
    loadings : Loadings
    latents : (clip, latent) ndarray
    given : Circumstances
    knobs : Knobs
    frames : int
    noise : (clip, control) ndarray
        Standard normal: the mean over the frames of a clip.
    rng : Generator
        For the rest of the noise of frames.

    Returns
    -------
    (clip, frame, control) ndarray
        A single frame for channels that are not in `FRAMED`, and without ``burst`` and
        ``order``. Hidden controls and those of absent channels are 0.
    """
    emotions, traits = latents[:, EMOTION_PART], latents[:, TRAIT_PART]
    second = given.second[:, None] & (name in FRAMED)
    shown = np.where(second, emotions @ loadings.second.T, emotions @ loadings.first.T)
    if name == "text":
        shown = np.where(given.contrary[:, None], -shown, shown)
    shown = shown * expressiveness(knobs.moderation, latents[:, EXTRAVERSION])[:, None]
    rest = traits @ loadings.traits.T + loadings.offset
    count = noise.shape[1]
    rest = rest + given.look @ look_loadings(knobs.shared_looks, name, count).T
    values, spread = shown[:, None], noise[:, None]
    if name in FRAMED and (knobs.burst or knobs.order):
        shape = envelopes(knobs, frames)
        values = values * shape[given.onset % len(shape)][..., None]
        extra = rng.standard_normal((len(latents), frames, count))
        spread = spread + np.sqrt(frames) * (extra - extra.mean(1, keepdims=True))
    values = values + rest[:, None] + given.noise[name][:, None, None] * spread
    unseen = given.hidden[name] | given.absent[name][:, None]
    return np.where(unseen[:, None], 0.0, values)
