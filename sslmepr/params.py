"""``params.yaml`` and ``studies.yaml`` as typed, frozen objects.

papermill only warns of a parameter that a notebook does not know, and DVC accepts a
word where a number belongs. Every notebook therefore reads its settings here, where an
unknown key, a missing key or a value of the wrong type is an error that names it.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import CollectionEndEvent, CollectionStartEvent

from sslmepr.labels import COMPONENTS, ENCODERS, MODALITIES, TASKS

Modality = Literal[MODALITIES]
Task = Literal[TASKS]
Block = Literal["mamba", "transformer", "state_free"]
Component = Literal[COMPONENTS]
Positive = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Rate = Annotated[float, Field(gt=0)]

OUTPUTS = ("data", "runs", "results", "site")
"""Folders of the project that DVC empties before it runs a stage."""


def _fit_for_paths(name: str) -> str:
    """A name that can stand in a path, in a command and as a value in YAML."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]*", name):
        raise ValueError(
            f"{name!r} becomes a part of paths and commands; a name has only letters "
            "from a to z, digits, _ and -, and does not begin with -"
        )
    if not isinstance(yaml.safe_load(name), str):
        raise ValueError(f"{name!r} is no name, since YAML reads it as a value")
    return name


def project_root() -> Path:
    """The folder that relative paths in ``params.yaml`` are relative to.

    It is the working directory, except in an experiment that DVC runs in a copy of the
    repository below ``.dvc/tmp/exps``: there it is the repository.
    """
    for folder in Path.cwd().parents:
        if folder.parts[-3:] == (".dvc", "tmp", "exps"):
            return folder.parents[2]
    return Path()


def _from_root(folder: str) -> str:
    root = project_root()
    return folder if root == Path() else str(root / folder)


Name = Annotated[str, AfterValidator(_fit_for_paths)]
Folder = Annotated[str, AfterValidator(_from_root)]


MOST_LEVELS = 20
"""Levels of a parameters file; it needs six."""


class ParamsError(ValueError):
    """A parameters file is unreadable or holds something unexpected."""


class Section(BaseModel):
    """A section of ``params.yaml``: frozen, strict about types, closed to new keys."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )


class Compute(Section):
    """How things are computed, which no result depends on.

    ``engine`` is what extracts: ``local`` in processes of this machine, ``ray`` on the
    cluster at ``address``, or on this machine where that is null.
    """

    device: Literal["auto", "cpu", "cuda"]
    workers: Positive
    engine: Literal["local", "ray"]
    address: Annotated[str, Field(pattern=r"^[^\s/]+:[0-9]+$")] | None


class Roles(Section):
    """Which corpus has the training labels of each task, and which is held out."""

    emotion: str
    personality: str
    held_out: str


class SimulatedCorpus(Section):
    """A corpus that `sslmepr.simulation` renders.

    Attributes
    ----------
    world : str
        Emotion-trait correlations of its people, a key of ``simulation.worlds``.
    domains : list of str
        Recording styles of its clips, keys of ``simulation.domains``.
    labels : list of str
        Tasks whose labels are kept; those of the other task become null.
    clips, persons : int
        How many clips are rendered, and of how many people.
    """

    source: Literal["simulated"]
    world: str
    domains: list[str]
    labels: list[Task]
    clips: Positive
    persons: Positive


class GivenCorpus(Section):
    """A corpus below ``data_root``; an ``optional`` one that is not there is empty."""

    optional: bool = False


class PublishedCorpus(GivenCorpus):
    """A corpus in its published format, in a folder below ``data_root``.

    Attributes
    ----------
    source : str
        The published format, a key of `sslmepr.corpora.build.READERS`.
    path : str
        Its folder, relative to ``data_root``.
    modalities : list of str, optional
        Those taken from its clips; absent: all.
    standardise : {"corpus", "speaker"}
        Over which clips features are scaled to mean 0 and standard deviation 1.
        ``speaker`` removes what is constant in a person, such as the pitch of the
        voice; it needs many clips per speaker.
    """

    source: Literal["mosei", "fiv2", "fiv2_by_video", "meld", "ravdess", "folder"]
    path: str
    modalities: list[Modality] | None = None
    standardise: Literal["corpus", "speaker"] = "corpus"


class TableCorpus(GivenCorpus):
    """A study of one's own: a table in a folder below ``data_root``.

    Attributes
    ----------
    path, table : str
        Its folder, relative to ``data_root``, and the table's file name in it.
    columns : dict of str to str
        Column of the clip table to the column of this table that holds it.
    scales : dict of str to [low, high]
        Task to the end points of its rating scale.
    split : dict of str to float
        Shares of speakers in train, dev and test, used if the table has no split.
    """

    source: Literal["table"]
    path: str
    table: str
    columns: dict[str, str] = {}
    scales: dict[Task, Annotated[list[float], Field(min_length=2, max_length=2)]] = {}
    split: dict[Literal["train", "dev", "test"], Share] = {
        "train": 0.7,
        "dev": 0.15,
        "test": 0.15,
    }

    @model_validator(mode="after")
    def _has_valid_scales_and_shares(self) -> "TableCorpus":
        for task, (low, high) in self.scales.items():
            if not low < high:
                raise ValueError(f"scales.{task}: {low:g} must be below {high:g}")
        if not sum(self.split.values()) > 0:
            raise ValueError("split: one of the shares must be above 0")
        return self


class UnionCorpus(Section):
    """Several corpora as one, for a task whose labels lie in several.

    Its parts are published corpora; where a part lists ``modalities``, only those are
    taken from its clips.
    """

    source: Literal["union"]
    parts: Annotated[dict[Name, PublishedCorpus], Field(min_length=1)]


Corpus = Annotated[
    SimulatedCorpus | PublishedCorpus | TableCorpus | UnionCorpus,
    Field(discriminator="source"),
]


class Extract(Section):
    """How clips become feature sequences.

    Attributes
    ----------
    frames : int
        Frames per clip, at equal distances in time.
    detector_threshold : float
        Smallest confidence of the face detector at which a face counts, 0 to 1.
    mask_person : bool
        Whether the person is greyed out in scene crops.
    image_encoder, speech_encoder, text_encoder : str
        Encoders by name, see `sslmepr.labels.ENCODERS`.
    speech_steps_per_second : float
        Rate of speech features in Hz; the encoder's own rate is the maximum.
    transcriber : str
        Whisper model for clips that come without a transcript.
    batch : int
        Crops or texts per forward pass.
    checkpoint_dir : path or null
        Folder with the paper's encoders; null: they are fetched from the hub.
    """

    frames: Positive
    detector_threshold: Share
    mask_person: bool
    image_encoder: Literal[tuple(ENCODERS["image"])]
    speech_encoder: Literal[tuple(ENCODERS["speech"])]
    text_encoder: Literal[tuple(ENCODERS["text"])]
    speech_steps_per_second: Rate
    transcriber: str
    batch: Positive
    checkpoint_dir: Folder | None


class Training(Section):
    """Network size and optimisation, common to all training stages.

    Attributes
    ----------
    hidden, heads : int
        Width of the hidden layers and number of attention heads, which divides it.
    dropout : float
        Dropout probability.
    epochs : int
        Most passes over the training clips.
    patience : int
        Epochs without a better dev score after which training stops.
    batch : int
        Clips per optimisation step.
    learning_rate, weight_decay : float
        Of AdamW; biases and other vectors are not decayed.
    """

    hidden: Positive
    heads: Positive
    dropout: Annotated[float, Field(ge=0, lt=1)]
    epochs: Positive
    patience: Positive
    batch: Positive
    learning_rate: Rate
    weight_decay: Annotated[float, Field(ge=0)]


class Unimodal(Training):
    """Stage 1: one model per modality and task.

    Attributes
    ----------
    blocks : dict of str to str
        Modality to its kind of sequence block.
    layers : int
        Blocks in sequence.
    state : int
        Mamba-2 state size per head.
    refits : int
        Cluster-bootstrap samples of the training speakers, to which the regressions are
        refitted to estimate the error from the finite training sample.
    """

    blocks: dict[Modality, Block]
    layers: Positive
    state: Positive
    refits: Annotated[int, Field(ge=0)]


class Crosstask(Training):
    """Stage 2: cross-attention between the two stage-1 encoders of a modality.

    Attributes
    ----------
    layers : int
        Layers of cross-attention.
    """

    layers: Positive


class CoTraining(Section):
    """Size of the co-trained probes' contribution, by task.

    It is the standard deviation of a probe's output, relative to that of the modality's
    own logits; at 0 the probes contribute nothing.
    """

    emotion: Annotated[float, Field(ge=0)]
    personality: Annotated[float, Field(ge=0)]


class SemiSupervised(Section):
    """Pseudo-labels from the fusion model itself, on clips without labels.

    Attributes
    ----------
    weight : float
        Budget of the pseudo-label losses relative to that of the supervised losses,
        where ``gradnorm`` does not balance them.
    emotion_threshold : float
        Smallest max(p, 1 - p) at which an emotion's probability p is a pseudo-label.
    trait_margin : float
        Smallest distance of a trait score from 0.5 at which it is one.
    """

    weight: Annotated[float, Field(ge=0)]
    emotion_threshold: Share
    trait_margin: Annotated[float, Field(ge=0, le=0.5)]


class GradNormGroup(Section):
    """One group of losses that GradNorm balances.

    Attributes
    ----------
    alpha : float
        Exponent of the relative training rate.
    step : float
        Step size of the loss weights.
    budget : float
        Sum of the loss weights when both tasks are trained.
    """

    alpha: Annotated[float, Field(ge=0)]
    step: Rate
    budget: Rate


class GradNorm(Section):
    """Loss balancing by gradient norms, for labels and for pseudo-labels.

    Attributes
    ----------
    supervised, semi_supervised : GradNormGroup
    floor : float
        Smallest loss weight before the weights are scaled to their budget.
    """

    supervised: GradNormGroup
    semi_supervised: GradNormGroup
    floor: Rate


class Variant(Section):
    """A fusion model by its differences from the default one.

    Attributes
    ----------
    as_published : bool
        Whether network, losses and loss balancing are those of the published method
        (`sslmepr.models.published`), with all its components.
    tasks : list of str
        Tasks that it predicts.
    adding, without : list of str
        Components added to and removed from ``fusion.components``.
    modalities : list of str, optional
        Modalities that it reads; absent: those of the study.
    """

    as_published: bool = False
    tasks: list[Task] = ["emotion", "personality"]
    adding: list[Component] = []
    without: list[Component] = []
    modalities: list[Modality] | None = None


class Fusion(Training):
    """Stage 3: fusion of all modalities, for both tasks.

    Attributes
    ----------
    components : list of str
        Optional parts that the model has, of `sslmepr.labels.COMPONENTS`.
    seeds : list of int
        One model is trained per seed.
    co_training, semi_supervised, gradnorm
        Settings of the components of these names.
    """

    components: list[Component]
    seeds: list[int]
    co_training: CoTraining
    semi_supervised: SemiSupervised
    gradnorm: GradNorm

    def left_out(self, variant: Variant) -> list[Component]:
        """Components that a variant does not have."""
        if variant.as_published:
            chosen = [name for name in COMPONENTS if name != "co_training"]
        else:
            chosen = [*self.components, *variant.adding]
        return [n for n in COMPONENTS if n not in chosen or n in variant.without]


class Folds(Section):
    """Cross-validation over the speakers of a corpus, or of a part of a union.

    ``modality`` is the one that is evaluated, ``folds`` the number of groups of
    speakers that are held out in turn.
    """

    part: str
    modality: Modality
    folds: Annotated[int, Field(ge=2)]


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


class Power(Drawn):
    """Power and false-positive rate of the analysis, over many simulated worlds.

    Attributes
    ----------
    strengths : list of float
        Absolute values of the planted correlations; their signs are those of ``world``.
    worlds : int
        Simulated worlds per condition.
    clips, clips_per_speaker : list of int
        Sizes of a study; one is varied while the other keeps its first value.
    """

    strengths: list[Share]
    worlds: Positive
    clips: list[Positive]
    clips_per_speaker: list[Positive]


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

        The order decides which random numbers propose what, and no file should.
        """
        found = {}
        for name, each in self.space.items():
            parts = each if isinstance(each, dict) else {"": each}
            for part, dimension in parts.items():
                found[f"fusion.{name}.{part}".rstrip(".")] = dimension
        return dict(sorted(found.items()))


class Replicate(Section):
    """Seeds of the fusion models of a replicate, in place of ``fusion.seeds``."""

    seeds: list[int]


class Evaluate(Section):
    """Intervals of metrics: cluster bootstrap over speakers.

    ``resamples`` is the number of bootstrap samples, ``confidence`` the confidence
    level.
    """

    resamples: Positive
    confidence: Share


class Association(Section):
    """Intervals and tests of emotion-trait correlations.

    Attributes
    ----------
    resamples : int
        Bootstrap samples of speakers.
    confidence : float
        Confidence level of intervals.
    correction : str
        Correction for multiple testing, a method of statsmodels' ``multipletests``.
    alpha : float
        Significance level after correction.
    """

    resamples: Positive
    confidence: Share
    correction: str
    alpha: Share


class Attention(Section):
    """What the chapter on attention shows.

    Attributes
    ----------
    clips : int
        Example clips, spread over the clips ranked by error.
    steps : int
        Steps of integrated gradients.
    variant : str
        Fusion model whose attention is shown; it has graph attention and task queries.
    """

    clips: Positive
    steps: Positive
    variant: str


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


class Simulation(Section):
    """The generator of the simulated corpora.

    Attributes
    ----------
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
    """

    seconds: list[float]
    frame: Frame
    trait_scale: Rate
    emotion_threshold: float
    emotion_ceiling: float
    split: dict[Literal["train", "dev", "test"], Share]
    worlds: dict[Name, dict[str, dict[str, float]]]
    channels: dict[Modality, ChannelStrength]
    domains: dict[Name, Domain]


class Params(Section):
    """The whole of ``params.yaml``, and the studies of ``studies.yaml`` beside it."""

    study: str
    seed: int
    data_root: str
    modalities: list[Modality]
    tasks: list[Task]
    variants: list[str]
    corpora: list[str]
    roles: Roles
    replicates: dict[Name, Roles]
    folds: dict[Name, Folds]
    blocks: dict[Name, Blocks]
    collapse: dict[Name, Collapse]
    power: dict[Name, Power]
    search: dict[Name, Search]
    findings: Literal["validity", "association"]
    compute: Compute
    corpus: dict[Name, Corpus]
    extract: Extract
    unimodal: Unimodal
    crosstask: Crosstask
    fusion: Fusion
    variant: dict[Name, Variant]
    replicate: Replicate
    evaluate: Evaluate
    association: Association
    attention: Attention
    simulation: Simulation
    studies: dict[Name, dict[str, Any]]

    @model_validator(mode="after")
    def _names_refer_to_something(self) -> "Params":
        def check(names, known, where, what):
            for name in names:
                if name not in known:
                    raise ValueError(
                        f"{where}: there is no {what} {name!r}; "
                        f"known: {', '.join(sorted(known))}"
                    )

        check(self.corpora, self.corpus, "corpora", "corpus")
        for where, roles in {"roles": self.roles, **self.replicates}.items():
            check(roles.model_dump().values(), self.corpora, where, "listed corpus")
        check(self.variants, self.variant, "variants", "variant")
        check(
            [self.attention.variant],
            self.attentive_variants(),
            "attention.variant",
            "variant with graph attention and task queries",
        )
        check([self.study], self.studies, "study", "study")
        parts = set(self.corpora)
        for name in self.corpora:
            parts |= set(getattr(self.corpus[name], "parts", ()))
        for name, section in self.folds.items():
            check([section.part], parts, f"folds.{name}", "corpus or part")
        for section in ("collapse", "power"):
            for name, drawn in getattr(self, section).items():
                where = f"{section}.{name}"
                check([drawn.world], self.simulation.worlds, where, "world")
        for name, search in self.search.items():
            for key, dimension in search.dimensions().items():
                where = f"search.{name}"
                value = get_path({"fusion": self.fusion.model_dump()}, key, where)
                if value not in dimension:
                    raise ValueError(f"{where}: {key} is now {value}, not to be tried")
        for name, corpus in self.corpus.items():
            if corpus.source == "simulated":
                where = f"corpus.{name}"
                check([corpus.world], self.simulation.worlds, where, "world")
                check(corpus.domains, self.simulation.domains, where, "domain")
        return self

    def for_study(self, name: str) -> "Params":
        """These parameters with the defaults and the changes that study `name` lists.

        Raises
        ------
        ParamsError
            If there is no such study, if one of its keys names no parameter, or if it
            does not train the variant whose attention is to be shown.
        """
        study = self.changed(self.study_changes(name), f"studies.{name}")
        if study.attention.variant not in study.variants:
            able = self.attentive_variants()
            raise ParamsError(
                f"studies.{name}: attention.variant is {study.attention.variant!r}, "
                f"which is not one of its variants ({', '.join(study.variants)}); add "
                "it to them, or let attention.variant name one of them that has graph "
                f"attention and task queries ({', '.join(able)})"
            )
        return study

    def study_changes(self, name: str) -> dict[str, Any]:
        """What study `name` sets, key with dots to value.

        The first study lists the default of every key that another study sets, so the
        result does not depend on which study these parameters are of. ``findings``
        follows from the corpora, unless the study sets it.

        Raises
        ------
        ParamsError
            If there is no such study, or if one of its keys names no parameter.
        """
        if name not in self.studies:
            raise ParamsError(
                f"there is no study {name!r}; known: {', '.join(self.studies)}"
            )
        default = self.studies[next(iter(self.studies))]
        changes = {**default, **self.studies[name]}
        study = self.changed(changes, f"studies.{name}")
        truth = study.replicates and all(
            study.corpus[corpus].source == "simulated"
            for corpus in study.used_corpora()
        )
        findings = "validity" if truth else "association"
        return {**changes, "findings": self.studies[name].get("findings", findings)}

    def attentive_variants(self) -> list[str]:
        """Fusion models that have graph attention and task queries."""
        needed = {"graph_attention", "task_query"}
        return [
            name
            for name, each in self.variant.items()
            if not each.as_published and not needed & set(self.fusion.left_out(each))
        ]

    def changed(self, values: dict[str, Any], where: str) -> "Params":
        """These parameters with some values replaced.

        Parameters
        ----------
        values : dict of str to Any
            Dotted path to its new value.
        where : str
            Origin of the values, for the error message.

        Raises
        ------
        ParamsError
            If a key names no parameter or a value does not fit; it names `where`.
        """
        tree = self.model_dump()
        for key, value in values.items():
            parent, _, last = key.rpartition(".")
            get_path(tree, key, where)
            (get_path(tree, parent, where) if parent else tree)[last] = value
        return parse(tree, where)

    def replicate_study(self, name: str) -> "Params":
        """These parameters for replicate `name`: its corpora, its seeds, full model.

        Raises
        ------
        ParamsError
            If there is no such replicate.
        """
        if name not in self.replicates:
            raise ParamsError(
                f"there is no replicate {name!r}; known: {', '.join(self.replicates)}"
            )
        return self.model_copy(
            update={
                "study": name,
                "roles": self.replicates[name],
                "variants": ["multitask"],
                "fusion": self.fusion.model_copy(
                    update={"seeds": self.replicate.seeds}
                ),
            }
        )

    @property
    def truth_known(self) -> bool:
        """Whether the book compares with what was planted."""
        return self.findings == "validity"

    def used_corpora(self) -> list[str]:
        """Those of ``corpora`` that have a role in the study or in a replicate."""
        roles = (self.roles, *self.replicates.values())
        used = {name for each in roles for name in each.model_dump().values()}
        return [name for name in self.corpora if name in used]

    def possible_variants(self) -> list[str]:
        """Fusion models that the study has all modalities for."""
        return [
            name
            for name, each in self.variant.items()
            if set(each.modalities or []) <= set(self.modalities)
        ]

    def data_path(self, corpus: str) -> Path:
        """Where the published files of `corpus` lie; a union's parts lie below it.

        ``SSLMEPR_DATA`` takes the place of ``data_root`` when it is set.
        """
        return self._data_root() / getattr(self.corpus[corpus], "path", "")

    def media_root(self, corpus: str, folder: str | Path) -> Path:
        """The folder that the ``media`` column of a corpus's clip table is relative to.

        Parameters
        ----------
        corpus : str
            A key of ``corpus``.
        folder : path
            Of the clip table; what is rendered lies there too.
        """
        if self.corpus[corpus].source == "simulated":
            return Path(folder)
        return self.data_path(corpus)

    def _data_root(self) -> Path:
        root = Path(os.environ.get("SSLMEPR_DATA", self.data_root))
        return root if root.is_absolute() else project_root() / root

    def check_paths(self) -> None:
        """Refuse recordings that lie where DVC empties folders.

        Raises
        ------
        ParamsError
            If the folder of recordings, or that of a corpus, lies in a folder of
            results, or that of a corpus holds one.
        """
        outputs = {name: Path(name).resolve() for name in OUTPUTS}
        folders = {"data_root": self._data_root()}
        for name in self.corpora:
            corpus = self.corpus[name]
            if hasattr(corpus, "path"):
                folders[f"corpus.{name}"] = self.data_path(name)
            for part, each in getattr(corpus, "parts", {}).items():
                where = f"corpus.{name}.parts.{part}"
                folders[where] = self._data_root() / each.path
        for where, folder in folders.items():
            folder = folder.resolve()
            for name, output in outputs.items():
                inside = folder.is_relative_to(output)
                if inside or (where != "data_root" and output.is_relative_to(folder)):
                    raise ParamsError(
                        f"{where}: recordings lie in {folder}, which "
                        f"{'lies in' if inside else 'holds'} {output}, and DVC "
                        f"empties what is in {name}/ before it runs a stage; move them"
                    )


def get_path(tree: dict, dotted: str, where: str = "params") -> Any:
    """Value of a nested dictionary of parameters at a dotted path.

    Parameters
    ----------
    tree : dict
        Nested parameters.
    dotted : str
        Keys from the outermost in, such as ``fusion.learning_rate``.
    where : str
        Origin of the path, for the error message.

    Raises
    ------
    ParamsError
        If there is no such key.
    """
    for key in dotted.split("."):
        if not isinstance(tree, dict) or key not in tree:
            raise ParamsError(f"{where}: there is no parameter {dotted!r}")
        tree = tree[key]
    return tree


def parse(tree: dict, source: str) -> Params:
    """Check a nested dictionary of parameters.

    Parameters
    ----------
    tree : dict
        What a parameters file holds.
    source : str
        Where it came from, for the error.

    Raises
    ------
    ParamsError
        Naming every key that is unknown, missing or of the wrong type.
    """
    try:
        return Params.model_validate(tree)
    except ValidationError as error:
        lines = [
            f"  {'.'.join(map(str, item['loc'])) or 'params'}: {item['msg']}"
            for item in error.errors()
        ]
        raise ParamsError("\n".join([f"{source}:", *lines])) from None


def load(path: str | Path = "params.yaml") -> Params:
    """Read and check a parameters file and ``studies.yaml`` beside it.

    Raises
    ------
    ParamsError
        If a file is absent, is not YAML, repeats a key, uses tags or anchors, or
        holds anything unexpected, or if recordings lie where DVC empties folders.
    """
    path = Path(path)
    tree = _read(path)
    # Apart from the parameters, since DVC reads those anew for every stage.
    tree["studies"] = _read(path.with_name("studies.yaml"))
    found = parse(tree, str(path))
    found.check_paths()
    return found


def _read(path: Path) -> dict:
    try:
        text = path.read_text(encoding="utf-8")
        reader = YAML(typ="safe")  # as DVC reads it; a key given twice is an error
        _require_plain(reader.parse(text), path)
        tree = reader.load(text)
    except FileNotFoundError:
        raise ParamsError(f"{path}: no such file") from None
    except ParamsError:
        raise
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f", line {mark.line + 1}" if mark else ""
        raise ParamsError(
            f"{path}{place}: not readable as YAML: {error.problem}; correct it"
        ) from None
    except (OSError, YAMLError, ValueError) as error:
        raise ParamsError(
            f"{path}: not readable as YAML: {error}; correct it"
        ) from None
    if not isinstance(tree, dict):
        raise ParamsError(f"{path}: holds no parameters")
    return tree


def _require_plain(events, path: Path) -> None:
    """Refuse tags, which construct other objects than the text suggests, and anchors,
    with which ten lines can stand for more values than fit into memory."""
    depth = 0
    for event in events:
        place = f"{path}, line {event.start_mark.line + 1}"
        if getattr(event, "tag", None):
            raise ParamsError(f"{place}: remove the tag {event.tag}")
        if getattr(event, "anchor", None):
            raise ParamsError(
                f"{place}: write the value out in place of the anchor {event.anchor}"
            )
        depth += isinstance(event, CollectionStartEvent)
        depth -= isinstance(event, CollectionEndEvent)
        if depth > MOST_LEVELS:
            raise ParamsError(f"{place}: more than {MOST_LEVELS} levels; correct it")
