"""Section `simulation`: the world and the rendering of simulated corpora."""

from typing import Annotated, Literal

from pydantic import Field

from sslmepr.params.base import Modality, Name, Positive, Rate, Section, Share

Dose = Annotated[float, Field(ge=0, le=1)]


class Frame(Section):
    """Width and height in pixels, and frame rate in Hz, of rendered video."""

    width: Positive
    height: Positive
    frames_per_second: Positive


class ChannelStrength(Section):
    """How strongly a channel carries emotions and traits.

    Length of the effect of one standard deviation of a latent, relative to the
    channel's noise, which has standard deviation 1.
    """

    emotion: Annotated[float, Field(ge=0)]
    trait: Annotated[float, Field(ge=0)]


class Domain(Section):
    """How the clips of a domain differ from others beside their labels.

    Attributes
    ----------
    emotion_scale : float
        Factor on the effect of emotions in all channels.
    framing : float
        Size of the person in the frame, relative to 1.
    clutter : float
        Share of objects in the room, 0 to 1.
    audio_noise_db : float
        Level of background noise in dB relative to full scale.
    """

    emotion_scale: Rate
    framing: Rate
    clutter: Share
    audio_noise_db: float


class Knobs(Section):
    """Doses of what makes a world richer than a linear one; 0 has no effect.

    Attributes
    ----------
    reliability, occlusion, incongruence, burst, order, moderation, variants, missing
        Doses 0 to 1 (`sslmepr.simulation.knobs`).
    offset : float
        Dose of the differences between domains in strength and shape of the cues and in
        how common emotions are.
    missing_when_sad : bool
        Whether modalities are absent the likelier the sadder a clip is, not at random.
    shared_looks : float
        Standard deviation of the noise that all channels of a person share.
    cue_overlap : float
        Angle in degrees by which axes of traits turn towards those of emotions.
    """

    reliability: Dose = 0
    occlusion: Dose = 0
    incongruence: Dose = 0
    burst: Dose = 0
    order: Dose = 0
    moderation: Dose = 0
    variants: Dose = 0
    missing: Dose = 0
    offset: Dose = 0
    missing_when_sad: bool = False
    shared_looks: Annotated[float, Field(ge=0)] = 0
    cue_overlap: Annotated[float, Field(ge=0, le=90)] = 0


class Raters(Section):
    """People whose ratings are the labels (`sslmepr.simulation.raters`).

    Attributes
    ----------
    count : int
        Raters of each clip.
    halo : float
        Effect of a rater's impression of the emotions on the ratings of all traits.
    noise_sd : float
        Standard deviation of a rating around the truth, in standard deviations of a
        latent.
    dose : float
        Factor on halo and noise; at 0 every rater says the truth.
    """

    count: Positive
    halo: float
    noise_sd: Annotated[float, Field(ge=0)]
    dose: Dose = 1


class Simulation(Section):
    """The generator of the simulated corpora.

    Attributes
    ----------
    seed : int
        Of people, latents, controls and their rendering.
    seconds : [shortest, longest]
        Length of clips in seconds.
    frame : Frame
    trait_scale : float
        Standard deviation of trait scores around 0.5.
    emotion_threshold, emotion_ceiling : float
        Latent values, in standard deviations, above which an emotion is present and at
        which its intensity reaches 1.
    split : dict of str to float
        Shares of persons in train, dev and test.
    worlds : dict
        World, emotion and trait to their planted correlation; absent: 0.
    channels : dict of str to ChannelStrength
        By modality.
    domains : dict of str to Domain
        By name.
    cue_frames : int
        Moments of a clip at which cues differ under the knobs ``burst`` and ``order``.
    knobs : Knobs
    raters : Raters, optional
        Whose ratings are the labels; absent: the labels are the truth.
    """

    seed: int
    seconds: list[float]
    frame: Frame
    trait_scale: Rate
    emotion_threshold: float
    emotion_ceiling: float
    split: dict[Literal["train", "dev", "test"], Share]
    worlds: dict[Name, dict[str, dict[str, float]]]
    channels: dict[Modality, ChannelStrength]
    domains: dict[Name, Domain]
    cue_frames: Positive
    knobs: Knobs
    raters: Raters | None = None
