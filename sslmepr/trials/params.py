"""The parameters of trials, which lie beside their pipeline."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from sslmepr.params.base import (
    Name,
    ParamsError,
    Positive,
    Rate,
    Section,
    Share,
    get_path,
    read,
    require_known,
)
from sslmepr.params.simulation import Dose, Knobs, Raters
from sslmepr.params.study import Params, parse
from sslmepr.params.training import Block, Component

FILE = Path("notebooks", "trials", "params.yaml")

NESTED_KNOBS = (
    *("reliability", "occlusion", "incongruence", "burst", "order", "moderation"),
    "variants",
)
"""Knobs that an observer may not know of (`sslmepr.simulation.mixture.infer`)."""


CURVE_ARMS = (
    *("late_fusion", "network", "whole", "single_task", "modalities", "as_published"),
    "factor_model",
)
"""Ways of learning whose curves are compared (`sslmepr.trials.curve_arms`)."""

FACTOR_PARTS = (
    *("factor_classes", "factor_contrary", "factor_forms", "factor_expressive"),
    "factor_unlabelled",
)
"""Parts of a factor model (`sslmepr.models.factor_model.Parts`), and whether clips
without labels take part in it."""

LABEL_KNOBS = ("scarcity", "imbalance")
"""Knobs of the labels of drawn studies (`sslmepr.trials.labelling.Labelling`)."""


class Drawn(Section):
    """Studies whose features are simulated directly, without rendering clips.

    ``world`` is one of ``simulation.worlds``, ``features`` the number of features of
    each modality.
    """

    world: str
    features: Positive


class Collapse(Drawn):
    """Effect of pseudo-labels on the corpus that has no labels for a task.

    ``clips`` is the size of a study, half of it labelled for each task; ``offsets`` are
    distances between the two corpora, in standard deviations of a channel's noise.
    """

    clips: Positive
    offsets: list[Annotated[float, Field(ge=0)]]
    seeds: list[int]
    epochs: Positive


class Blocks(Section):
    """Comparison of sequence blocks in stage 1, each trained with every seed.

    Beside the study's own tasks there is a synthetic one that depends on the order of
    steps: ``sequences`` (an even number) of ``steps`` steps each.
    """

    kinds: Annotated[list[Block], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]
    sequences: Annotated[int, Field(ge=4, multiple_of=2)]
    steps: Annotated[int, Field(ge=2)]


class Cues(Section):
    """How strongly a corpus shows emotions and traits, relative to the simulation."""

    emotion: Rate = 1
    trait: Rate = 1


class Condition(Section):
    """Sizes and peculiarities of the studies of one kind.

    Attributes
    ----------
    clips : int
        Of each of the three corpora.
    clips_per_speaker : int
    strengths : list of float
        Absolute values of the planted correlations; 0: nothing is associated.
    knobs : Knobs
        Doses of what makes a world richer than a linear one.
    raters : Raters or None
        Whose ratings are the labels; None: labels are the truth.
    cues : dict of str to Cues
        By role of the corpus; those without an entry show all as the simulation says.
    one_picture : float
        How much of the other two the features of face, body and scene show, as crops of
        a picture do; relative to their own.
    disjoint : bool
        Whether disjoint modalities are analysed as well.
    bridge : int
        Clips of the third corpus that carry both labels, with whose help associations
        are estimated as well; 0: none.
    known_reliability : bool
        Whether the analysis is told how reliable the raters are.
    unscaled : bool
        Whether associations are estimated as well with scales of scores taken as 1.
    """

    clips: Positive = 480
    clips_per_speaker: Positive = 1
    strengths: Annotated[list[Share], Field(min_length=1)] = [0.0, 0.3]
    knobs: Knobs = Knobs()
    raters: Raters | None = None
    cues: dict[Literal["emotion", "personality", "held_out"], Cues] = {}
    one_picture: Annotated[float, Field(ge=0)] = 0
    disjoint: bool = False
    bridge: Annotated[int, Field(ge=0)] = 0
    known_reliability: bool = False
    unscaled: bool = False

    @model_validator(mode="after")
    def _bridge_is_in_the_corpus(self) -> "Condition":
        if self.bridge > self.clips:
            raise ValueError(f"bridge {self.bridge}: more than {self.clips} clips")
        if self.known_reliability and self.raters is None:
            raise ValueError("known_reliability: there are no raters")
        return self


class Power(Drawn):
    """Error rates and power of the analysis, over many simulated worlds.

    Attributes
    ----------
    null_worlds, worlds : int
        Worlds of each condition in which nothing is associated, and of each strength.
    conditions : dict of str to Condition
    """

    null_worlds: Positive
    worlds: Positive
    conditions: Annotated[dict[str, Condition], Field(min_length=1)]


class Observers(Section):
    """What ideal observers lose without the knowledge of a knob.

    Attributes
    ----------
    world : str
        One of ``simulation.worlds``.
    knobs : list of str
        Varied one at a time, the others at 0.
    doses : list of float
    mild : Knobs
        Doses of the world in which knobs are mixed.
    clips, training : int
        Clips that are observed, and clips that late fusion is fitted to.
    seeds : list of int
        A world each.
    """

    world: str
    knobs: list[Literal[NESTED_KNOBS]]
    doses: list[Dose]
    mild: Knobs
    clips: Positive
    training: Positive
    seeds: Annotated[list[int], Field(min_length=1)]


class Doses(Drawn):
    """What a component is worth, by dose of the knob that it is for.

    Attributes
    ----------
    components : dict of str to str
        Component of the fusion model or of its training, or one of `FACTOR_PARTS`, to a
        knob.
    doses : list of float
    clips : int
        Training clips for each task, except under ``scarcity``, whose doses set it.
    seeds : list of int
        A study each.
    epochs : int
    offset : float
        Dose of the world's knob of this name in all studies: how unlike the corpora
        are. Standardising a corpus by itself does not remove it.
    """

    components: dict[
        Component | Literal[FACTOR_PARTS], Literal[NESTED_KNOBS + LABEL_KNOBS]
    ]
    doses: list[Dose]
    clips: Positive
    seeds: Annotated[list[int], Field(min_length=1)]
    epochs: Positive
    offset: Dose = 0


class Curves(Drawn):
    """Learning curves, between a linear model and ideal observers.

    Attributes
    ----------
    knobs : Knobs
        Doses of the world.
    clips : list of int
        Labelled training clips for each task.
    arms : list of str
    held_out : int
        New people, the same at all sizes.
    reference : int
        Training clips for each task of the linear model that bounds linear ones.
    seeds : list of int
        A study each.
    epochs : int
    """

    knobs: Knobs
    clips: Annotated[list[Positive], Field(min_length=1)]
    arms: Annotated[list[Literal[CURVE_ARMS]], Field(min_length=1)]
    held_out: Positive
    reference: Positive
    seeds: Annotated[list[int], Field(min_length=1)]
    epochs: Positive

    @model_validator(mode="after")
    def _reference_is_largest(self) -> "Curves":
        if max(self.clips) > self.reference:
            raise ValueError(
                f"clips {max(self.clips)}: more than the reference, {self.reference}"
            )
        return self


class Timing(Drawn):
    """What the sequence blocks of stage 1 are worth where expressions change over time.

    Attributes
    ----------
    blocks : list of str
    knobs : list of str
        Varied one at a time, the others at 0.
    doses : list of float
    clips : int
        Training clips for each task.
    seeds : list of int
        A study each.
    """

    blocks: Annotated[list[Block], Field(min_length=1)]
    knobs: list[Literal["burst", "order"]]
    doses: list[Dose]
    clips: Positive
    seeds: Annotated[list[int], Field(min_length=1)]


class Range(Section):
    """Numbers from ``low`` to ``high``, whole if both are; ``log``: by their ratio."""

    low: int | float
    high: int | float
    log: bool = False

    @model_validator(mode="after")
    def _has_an_inside(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"low {self.low:g} must be below high {self.high:g}")
        if self.log and not self.low > 0:
            raise ValueError(f"log: low {self.low:g} must be above 0")
        return self

    def __contains__(self, value) -> bool:
        return self.low <= value <= self.high


class Choices(Section):
    """Values of which one is taken."""

    choices: Annotated[list[int | float | str], Field(min_length=1)]

    def __contains__(self, value) -> bool:
        return value in self.choices


class Search(Section):
    """Hyperparameter search in section ``fusion``: trials and search space."""

    trials: Positive
    space: Annotated[
        dict[str, Range | Choices | dict[str, Range | Choices]], Field(min_length=1)
    ]

    def dimensions(self) -> dict[str, Range | Choices]:
        """Parameter, with dots, to what may be tried for it, in alphabetical order.

        Sorted, because the order decides which random number proposes which value;
        a reordered file must propose the same.
        """
        found = {}
        for name, each in self.space.items():
            parts = each if isinstance(each, dict) else {"": each}
            for part, dimension in parts.items():
                found[f"fusion.{name}.{part}".rstrip(".")] = dimension
        return dict(sorted(found.items()))


class Trials(Section):
    """Trials by name: of blocks, pseudo-labels, components, observers, and so on."""

    blocks: dict[Name, Blocks]
    collapse: dict[Name, Collapse]
    curves: dict[Name, Curves]
    doses: dict[Name, Doses]
    observers: dict[Name, Observers]
    power: dict[Name, Power]
    search: dict[Name, Search]
    timing: dict[Name, Timing]


def load_trials(settings: Params) -> Trials:
    """Read the trials' parameters, and check them as `parse_trials` does."""
    return parse_trials(read(FILE), settings, str(FILE))


def parse_trials(tree: dict, settings: Params, source: str) -> Trials:
    """Check what a file of the trials' parameters holds against a study.

    Raises
    ------
    ParamsError
        If a key or value is not in order, if a trial is in a world that the study does
        not have, or if a search would not try a value that the study has now.
    """
    found = parse(tree, source, Trials)
    kinds = ("collapse", "curves", "doses", "observers", "power", "timing")
    drawn_worlds = [getattr(found, kind) for kind in kinds]
    for name, drawn in (pair for each in drawn_worlds for pair in each.items()):
        worlds = settings.simulation.worlds
        require_known([drawn.world], worlds, "world", f"{source}: {name}")
    for name, search in found.search.items():
        where = f"{source}: search.{name}"
        for key, dimension in search.dimensions().items():
            value = get_path({"fusion": settings.fusion.model_dump()}, key, where)
            if value not in dimension:
                raise ParamsError(f"{where}: {key} is now {value}, not to be tried")
    return found
