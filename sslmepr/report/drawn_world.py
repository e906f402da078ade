"""The simulated world in pictures: how strength shows, and what doses of knobs do.

A few persons of a corpus are shown again and again, in the same clips but for what is
varied. Nothing is left to chance: a channel has no noise of its own, except where it is
the noise that is shown, and of `CLIPS` clips as many are special as the dose says.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sslmepr.labels import MODALITIES, SCORED_EMOTIONS
from sslmepr.params import Params
from sslmepr.params.simulation import Knobs
from sslmepr.report.words import plain
from sslmepr.simulation import words
from sslmepr.simulation.channels import make_channels
from sslmepr.simulation.draw import draw_corpus
from sslmepr.simulation.knobs import (
    CONTRARY_SHARE,
    EXTRAVERSION,
    HIDING,
    LOOKS,
    MARKER_SHIFT,
    QUALITY_NOISE,
    Circumstances,
    draw_controls,
    expressiveness,
    noise_levels,
)
from sslmepr.simulation.plan import ClipPlan, plan_clips
from sslmepr.simulation.signs import signs_of
from sslmepr.simulation.world import LATENTS, make_world

CLIPS = 4
"""In a strip; as many as the classes of ``reliability`` need for their shares."""

FELT = 2.5
"""Strength of the emotion that is felt where knobs are shown, in sd."""

EMOTION = LATENTS.index("anger")
"""That emotion: its forms differ in every channel."""

STRENGTHS = (0.0, 1.0, 2.0, 3.0)
"""Of an emotion, from absent to strong, in standard deviations."""

TRAIT_LEVELS = (-2.0, -1.0, 1.0, 2.0)
"""Of a trait, from low to high."""

OTHER_EMOTION = LATENTS.index("happiness")

CLASSES = (0, 0, 1, 2)
"""Class of ``reliability`` of each clip: as common as they are."""

EXTRAVERTED = (-1.5, -0.5, 0.5, 1.5)
"""Latent extraversion of the persons where it matters."""

THINGS = ("sunglasses", "desk", "scarf", "sunglasses")
"""What hides a part of each clip at dose 1 of ``occlusion``."""

DOSES = (0.0, 0.5, 1.0)
ANGLES = (0.0, 15.0, 30.0)
"""Doses of ``cue_overlap``, which is an angle."""

MOMENTS = (1, 3, 5, 7)
"""Frames of eight that show a clip whose expression changes."""

SEED = 2
"""Of what is random about noise and looks."""


@dataclass(frozen=True)
class Strip:
    """Clips that stand beside each other.

    Attributes
    ----------
    title : str
        What distinguishes the strip from those above and below, such as its dose.
    captions : tuple of str
        Of each picture.
    plans : list of ClipPlan
        One for each picture, or a single one, of which `MOMENTS` are shown.
    heard : int or None
        Which of them is played, and whose words are written; None: none is.
    seen : bool
        Whether there is anything to see.
    """

    title: str
    captions: tuple[str, ...]
    plans: list[ClipPlan]
    heard: int | None = None
    seen: bool = True


class Cast:
    """Persons of a simulated corpus, each in a clip without anything special.

    Parameters
    ----------
    name : str
        Of the corpus, whose first persons they are.
    params : Params
    """

    def __init__(self, name: str, params: Params):
        plain = params.simulation.model_copy(update={"knobs": Knobs()})
        own = params.model_copy(update={"simulation": plain})
        corpus = params.corpus[name]
        few = corpus.model_copy(update={"clips": CLIPS, "persons": CLIPS})
        self.simulation, self.domains = plain, corpus.domains
        self.world = make_world(corpus.world, plain.worlds)
        self.persons = plan_clips(name, draw_corpus(name, few, own), own)

    def plans(
        self,
        latents: np.ndarray,
        knobs: Knobs | None = None,
        persons=range(CLIPS),
        domains: list[str] | None = None,
        noisy: bool = False,
        **given,
    ) -> list[ClipPlan]:
        """Plans of clips of which all is told.

        Parameters
        ----------
        latents : (clip, latent) ndarray
        knobs : Knobs, optional
            All at 0 if not given.
        persons : sequence of int
            Who is in each clip.
        domains : list of str, optional
            Of each clip; the first of the corpus if not given.
        noisy : bool
            Whether channels have noise, the same for equal clips.
        **given
            Attributes of `Circumstances`, where they are not those of a plain clip.
        """
        knobs, count = knobs or Knobs(), len(latents)
        simulation = self.simulation.model_copy(update={"knobs": knobs})
        channels = make_channels(simulation)
        names = {channel: each.controls for channel, each in channels.items()}
        circumstances = replace(_plain(names, count), **given)
        domains = domains or [self.domains[0]] * count
        chance = np.random.default_rng(SEED)
        shown = {}
        for channel, each in channels.items():
            drawn = chance.standard_normal((count, len(each.controls)))
            alike = np.zeros(len(each.controls))  # domains have no offsets here
            spread = each.spread(self.world)
            shown[channel] = [
                draw_controls(
                    channel,
                    replace(each.in_domain(domain, 1.0), offset=alike),
                    latents[[row]],
                    circumstances.at([row]),
                    knobs,
                    simulation.cue_frames,
                    noisy * drawn[[row]],
                    Quiet(),
                )[0]
                / spread
                for row, domain in enumerate(domains)
            ]
        return [
            self._plan(person, domain, row, shown, circumstances, simulation, names)
            for row, (person, domain) in enumerate(zip(persons, domains, strict=True))
        ]

    def _plan(self, person, domain, row, shown, circumstances, simulation, names):
        plan = self.persons[person]
        controls = {channel: values[row] for channel, values in shown.items()}
        return replace(
            plan,
            controls=controls,
            phrases=words.compose(controls["text"][0], domain, plan.seeds[0]),
            signs=signs_of(circumstances, simulation.knobs, names, row),
            domain=simulation.domains[domain],
        )


class Quiet:
    """In the place of a random number generator: no chance at all."""

    def standard_normal(self, size) -> np.ndarray:
        """Zeros."""
        return np.zeros(size)


def _plain(names: Mapping[str, tuple[str, ...]], count: int) -> Circumstances:
    """Circumstances of clips of which nothing is special."""
    return Circumstances(
        {channel: np.ones(count) for channel in names},
        {
            channel: np.zeros((count, len(each)), bool)
            for channel, each in names.items()
        },
        {channel: np.zeros(count, bool) for channel in names},
        np.zeros(count),
        np.zeros(count, bool),
        np.zeros(count, int),
        np.zeros(count, bool),
        np.zeros((count, LOOKS)),
    )


def felt(strengths, latent: int = EMOTION) -> np.ndarray:
    """Latents (clip, latent) of which one has these strengths, and the others none."""
    latents = np.zeros((len(strengths), len(LATENTS)))
    latents[:, latent] = strengths
    return latents


def strength_strips(cast: Cast) -> Iterator[tuple[str, Strip]]:
    """Kind of target (``emotions``, ``traits``) and its strip, for each target.

    Emotions go from absent to strong, traits from low to high. One person shows all.
    """
    someone = [0] * CLIPS
    for latent, name in enumerate(LATENTS):
        emotion = name in SCORED_EMOTIONS
        sizes = STRENGTHS if emotion else TRAIT_LEVELS
        captions = tuple(
            "absent" if not each else f"{_signed(each)} sd" for each in sizes
        )
        plans = cast.plans(felt(sizes, latent), persons=someone)
        kind = "emotions" if emotion else "traits"
        yield kind, Strip(name, captions, plans, heard=CLIPS - 1)


def dose_strips(cast: Cast) -> Iterator[tuple[str, Strip]]:
    """Knob and strip, for each knob that shows in clips and each of three doses."""
    for knob, strip in KNOB_STRIPS.items():
        for dose in ANGLES if knob == "cue_overlap" else DOSES:
            yield knob, strip(cast, dose)


def _reliability(cast: Cast, dose: float) -> Strip:
    levels = noise_levels(dose)[list(CLASSES)]
    plans = cast.plans(
        felt([FELT] * CLIPS),
        Knobs(reliability=dose),
        noisy=True,
        noise=dict.fromkeys(MODALITIES, levels),
    )
    times = QUALITY_NOISE[-1] ** dose
    captions = tuple(("clear", "poor", "nearly gone")[each] for each in CLASSES)
    title = f"noise of the worst class: {times:.0f} times that of the clear one"
    return Strip(_titled(dose, title), captions, plans, heard=CLIPS - 1)


def _occlusion(cast: Cast, dose: float) -> Strip:
    names = {
        name: each.controls for name, each in make_channels(cast.simulation).items()
    }
    covered = round(CLIPS * dose)
    hidden = {name: np.zeros((CLIPS, len(each)), bool) for name, each in names.items()}
    for clip, thing in enumerate(THINGS[:covered]):
        channel, lost = HIDING[thing]
        hidden[channel][clip] = np.isin(names[channel], lost)
    plans = cast.plans(felt([FELT] * CLIPS), Knobs(occlusion=dose), hidden=hidden)
    captions = (*THINGS[:covered], *["nothing hidden"] * (CLIPS - covered))
    return Strip(_titled(dose, f"{dose:.0%} of clips"), captions, plans)


def _incongruence(cast: Cast, dose: float) -> Strip:
    contrary = np.array([dose > 0])
    plans = cast.plans(
        felt([FELT]),
        Knobs(incongruence=dose),
        persons=[0],
        contrary=contrary,
        marker=MARKER_SHIFT * contrary,
    )
    title = f"{CONTRARY_SHARE * dose:.0%} of clips"
    return Strip(_titled(dose, title), (), plans, heard=0, seen=False)


def _burst(cast: Cast, dose: float) -> Strip:
    onset = np.array([MOMENTS[1]])
    plans = cast.plans(felt([FELT]), Knobs(burst=dose), persons=[1], onset=onset)
    return Strip(_titled(dose), _moments(cast), plans, heard=0)


def _order(cast: Cast, dose: float) -> Strip:
    plans = cast.plans(felt([FELT]), Knobs(order=dose), persons=[2])
    return Strip(_titled(dose), _moments(cast), plans, heard=0)


def _moderation(cast: Cast, dose: float) -> Strip:
    latents = felt([FELT] * CLIPS)
    latents[:, EXTRAVERSION] = EXTRAVERTED
    factors = expressiveness(dose, np.array(EXTRAVERTED))
    plans = cast.plans(latents, Knobs(moderation=dose))
    title = f"shown {factors.min():.2f} to {factors.max():.2f} times"
    return Strip(_titled(dose, title), _extraversion(), plans, heard=CLIPS - 1)


def _variants(cast: Cast, dose: float) -> Strip:
    second = np.arange(CLIPS) < round(CLIPS * dose / 2)
    plans = cast.plans(felt([FELT] * CLIPS), Knobs(variants=dose), second=second)
    captions = tuple("cold anger" if each else "hot anger" for each in second)
    return Strip(_titled(dose, f"{dose / 2:.0%} of clips"), captions, plans, heard=0)


def _missing(cast: Cast, dose: float) -> Strip:
    each = round(CLIPS * dose / 2)  # of the clips lack a modality
    lacking = {
        name: np.isin(np.arange(CLIPS), (place + np.arange(each)) % CLIPS)
        for place, name in enumerate(MODALITIES)
    }
    plans = cast.plans(felt([FELT] * CLIPS), Knobs(missing=dose), absent=lacking)
    gone = [[name for name in MODALITIES if lacking[name][n]] for n in range(CLIPS)]
    captions = tuple(
        f"without {', '.join(map(plain, names))}" if names else "all there"
        for names in gone
    )
    title = f"each modality is absent in {dose / 2:.0%} of clips"
    return Strip(_titled(dose, title), captions, plans)


def _cue_overlap(cast: Cast, degrees: float) -> Strip:
    latents = felt(EXTRAVERTED, EXTRAVERSION)
    plans = cast.plans(latents, Knobs(cue_overlap=degrees))
    return Strip(f"{degrees:g} degrees", _extraversion(), plans)


def _shared_looks(cast: Cast, dose: float) -> Strip:
    look = np.random.default_rng(SEED).standard_normal((CLIPS, LOOKS))
    plans = cast.plans(felt([0.0] * CLIPS), Knobs(shared_looks=dose), look=look)
    captions = tuple(f"person {number}" for number in range(1, CLIPS + 1))
    return Strip(_titled(dose), captions, plans)


def _offset(cast: Cast, dose: float) -> Strip:
    latents = felt([FELT, 0.0] * 2) + felt([0.0, FELT] * 2, OTHER_EMOTION)
    pair = list(cast.simulation.domains)[:2]
    domains = [domain for domain in (pair[0], pair[-1]) for _ in range(2)]
    plans = cast.plans(latents, Knobs(offset=dose), persons=[0] * 4, domains=domains)
    captions = tuple(
        f"{LATENTS[latent]}, {domain}"
        for domain, latent in zip(domains, [EMOTION, OTHER_EMOTION] * 2, strict=True)
    )
    return Strip(_titled(dose), captions, plans)


KNOB_STRIPS: dict[str, Callable[[Cast, float], Strip]] = {
    "reliability": _reliability,
    "occlusion": _occlusion,
    "incongruence": _incongruence,
    "burst": _burst,
    "order": _order,
    "moderation": _moderation,
    "variants": _variants,
    "missing": _missing,
    "cue_overlap": _cue_overlap,
    "shared_looks": _shared_looks,
    "offset": _offset,
}
"""Knobs that show in clips, and what makes their strip at a dose."""


def _titled(dose: float, more: str = "") -> str:
    name = {0.5: "½"}.get(dose, f"{dose:g}")
    return f"dose {name}" + (f": {more}" if dose and more else "")


def _moments(cast: Cast) -> tuple[str, ...]:
    count = cast.simulation.cue_frames
    return tuple(f"moment {each + 1} of {count}" for each in MOMENTS)


def _extraversion() -> tuple[str, ...]:
    return tuple(f"extraversion {_signed(each)} sd" for each in EXTRAVERTED)


def _signed(number: float) -> str:
    return f"{number:+g}".replace("-", "−")
