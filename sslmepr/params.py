"""``params.yaml`` and ``studies.yaml`` as typed, frozen objects.

papermill only warns of a parameter that a notebook does not know, and DVC accepts a
word where a number belongs. Every notebook therefore reads its settings here, where an
unknown key, a missing key or a value of the wrong type is an error that names it.
"""

import os
import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

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

Modality = Literal["face", "body", "scene", "audio", "text"]
Task = Literal["emotion", "personality"]
Block = Literal["mamba", "transformer", "state_free"]
Component = Literal[
    "graph_attention",
    "task_query",
    "predict_projector",
    "guide_bank",
    "co_training",
    "semi_supervised",
    "gradnorm",
]
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
    """A parameters file says something that the compendium does not understand."""


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
    """Which corpus teaches which task, and which is only predicted."""

    emotion: str
    personality: str
    held_out: str


class SimulatedCorpus(Section):
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

    ``modalities`` are those that are taken from its clips (absent: all). With
    ``standardise: speaker`` each speaker's features are set to mean 0 and deviation 1,
    which removes the voice and leaves how it varies; it takes many clips of each.
    """

    source: Literal["mosei", "fiv2", "fiv2_by_video", "meld", "ravdess", "folder"]
    path: str
    modalities: list[Modality] | None = None
    standardise: Literal["corpus", "speaker"] = "corpus"


class TableCorpus(GivenCorpus):
    """A study of one's own: a table in a folder below ``data_root``."""

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
    def _can_be_dealt(self) -> "TableCorpus":
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
    frames: Positive
    detector_threshold: Share
    mask_person: bool
    image_encoder: Literal["efficientnet_lite0", "clip_vit_b32"]
    speech_encoder: Literal["whisper_tiny_en", "egemaps", "wav2vec2_emotion"]
    text_encoder: Literal["minilm_l6", "bge_small_en"]
    speech_steps_per_second: Rate
    transcriber: str
    batch: Positive
    checkpoint_dir: Folder | None


class Training(Section):
    """What every training stage needs to know about its optimisation."""

    hidden: Positive
    heads: Positive
    dropout: Annotated[float, Field(ge=0, lt=1)]
    epochs: Positive
    patience: Positive
    batch: Positive
    learning_rate: Rate
    weight_decay: Annotated[float, Field(ge=0)]


class Unimodal(Training):
    blocks: dict[Modality, Block]
    layers: Positive
    state: Positive
    refits: Annotated[int, Field(ge=0)]


class Crosstask(Training):
    layers: Positive


class CoTraining(Section):
    """Weight of what modalities teach each other, by task."""

    emotion: Annotated[float, Field(ge=0)]
    personality: Annotated[float, Field(ge=0)]


class SemiSupervised(Section):
    weight: Annotated[float, Field(ge=0)]
    emotion_threshold: Share
    trait_margin: Annotated[float, Field(ge=0, le=0.5)]


class GradNormGroup(Section):
    alpha: Annotated[float, Field(ge=0)]
    step: Rate
    budget: Rate


class GradNorm(Section):
    supervised: GradNormGroup
    semi_supervised: GradNormGroup
    floor: Rate


class Variant(Section):
    """A fusion model by its differences from the one that is used.

    ``as_published`` takes the network, the losses and the balance of losses that the
    method was published with (`sslmepr.models.published`), and all its components.
    """

    as_published: bool = False
    tasks: list[Task] = ["emotion", "personality"]
    adding: list[Component] = []
    without: list[Component] = []
    modalities: list[Modality] | None = None


class Fusion(Training):
    components: list[Component]
    seeds: list[int]
    co_training: CoTraining
    semi_supervised: SemiSupervised
    gradnorm: GradNorm

    def left_out(self, variant: Variant) -> list[Component]:
        """Components that a variant does not have."""
        known = get_args(Component)
        if variant.as_published:
            chosen = [name for name in known if name != "co_training"]
        else:
            chosen = [*self.components, *variant.adding]
        return [n for n in known if n not in chosen or n in variant.without]


class Folds(Section):
    """A corpus (or a part of a union) whose speakers are left out in turn."""

    part: str
    modality: Modality
    folds: Annotated[int, Field(ge=2)]


class Drawn(Section):
    """Studies whose features are drawn from the channels, without any rendering.

    ``world`` is one of ``simulation.worlds``, ``features`` the width of each modality.
    """

    world: str
    features: Positive


class Collapse(Drawn):
    """What pseudo-labels do where a corpus has no label for a task.

    ``clips`` are those of a study, half of them labelled for each task; ``offsets`` are
    distances between the two corpora, in standard deviations of a channel's noise.
    """

    clips: Positive
    offsets: list[Annotated[float, Field(ge=0)]]
    seeds: list[int]
    epochs: Positive


class Blocks(Section):
    """Kinds of block in stage 1, each trained from every seed.

    Beside the study's own tasks they learn one that needs the order of steps, from an
    even number of drawn ``sequences`` of ``steps`` steps.
    """

    kinds: Annotated[list[Block], Field(min_length=1)]
    seeds: Annotated[list[int], Field(min_length=1)]
    sequences: Annotated[int, Field(ge=4, multiple_of=2)]
    steps: Annotated[int, Field(ge=2)]


class Power(Drawn):
    """What the analysis finds, and what it invents, in many drawn worlds.

    Of ``world`` only the signs are taken; every planted correlation then has the
    absolute value of one of ``strengths``. The first of ``clips`` and of
    ``clips_per_speaker`` is kept while the other is varied.
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
    """Settings of section ``fusion`` to try, in so many trials."""

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
    """Differences of a replicate's training from the study's own."""

    seeds: list[int]


class Evaluate(Section):
    resamples: Positive
    level: Share


class Association(Section):
    resamples: Positive
    level: Share
    correction: str
    alpha: Share


class Attention(Section):
    """``variant`` is the fusion model whose attention is shown."""

    clips: Positive
    steps: Positive
    variant: str


class Frame(Section):
    width: Positive
    height: Positive
    frames_per_second: Positive


class Channel(Section):
    emotion: Annotated[float, Field(ge=0)]
    trait: Annotated[float, Field(ge=0)]


class Domain(Section):
    emotion_scale: Rate
    framing: Rate
    clutter: Share
    audio_noise_db: float


class Simulation(Section):
    seconds: list[float]
    frame: Frame
    trait_scale: Rate
    emotion_threshold: float
    emotion_ceiling: float
    split: dict[Literal["train", "dev", "test"], Share]
    worlds: dict[Name, dict[str, dict[str, float]]]
    channels: dict[Modality, Channel]
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

        The first study lists the defaults of all that others change, so that it does
        not matter which study these parameters are of. ``findings`` follows from the
        corpora, unless the study says otherwise.

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
        """These parameters with others in their place; dots lead into sections.

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
    """What a nested dictionary of parameters holds under a key with dots.

    Raises
    ------
    ParamsError
        If it has no such key.
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
        If a file is absent, is not YAML, says a thing twice, uses tags or anchors, or
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
    """No tag, which makes other things than it seems, and no anchor: ten lines of them
    stand for more values than fit any memory."""
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
