"""The whole of ``params.yaml`` and ``studies.yaml`` as one typed, frozen object."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from sslmepr.params.analysis import Association, Attention, Evaluate, Folds
from sslmepr.params.base import (
    Modality,
    Name,
    ParamsError,
    Positive,
    Section,
    Task,
    get_path,
    project_root,
    read,
    require_known,
)
from sslmepr.params.corpora import (
    Corpus,
    Described,
    Extract,
    FeatureTable,
    Heard,
    feature_tables,
    given_features,
)
from sslmepr.params.simulation import Simulation
from sslmepr.params.training import Crosstask, Fusion, Replicate, Unimodal, Variant

OUTPUTS = ("data", "runs", "results", "site")
"""Folders of the project that DVC empties before it runs a stage."""


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
        require_known(self.corpora, self.corpus, "corpus", "corpora")
        for where, roles in {"roles": self.roles, **self.replicates}.items():
            used = roles.model_dump().values()
            require_known(used, self.corpora, "listed corpus", where)
        require_known(self.variants, self.variant, "variant", "variants")
        require_known(
            [self.attention.variant],
            self.attentive_variants(),
            "variant with graph attention and task queries",
            "attention.variant",
        )
        require_known([self.study], self.studies, "study", "study")
        parts = list(self.corpora)
        for name in self.corpora:
            parts += getattr(self.corpus[name], "parts", ())
        for name, section in self.folds.items():
            require_known([section.part], parts, "corpus or part", f"folds.{name}")
        for name, corpus in self.corpus.items():
            if corpus.source == "simulated":
                where, known = f"corpus.{name}", self.simulation
                require_known([corpus.world], known.worlds, "world", where)
                require_known(corpus.domains, known.domains, "domain", where)
        return self

    @model_validator(mode="after")
    def _no_video_is_on_both_sides(self) -> "Params":
        """Refuse FIv2 and MM-OCEAN together, which are clips of the same videos.

        MM-OCEAN describes clips of FIv2's test split, and most of their videos have
        clips in its training, too.
        """
        for where, roles in {"roles": self.roles, **self.replicates}.items():
            used = set(roles.model_dump().values())
            found = [sorted(used & self._of_source(n)) for n in ("fiv2", "mm_ocean")]
            if all(found):
                raise ParamsError(
                    f"{where}: {found[0][0]} and {found[1][0]} have clips of the same "
                    "videos, so that a model scored on one would have seen the other; "
                    "give them studies of their own"
                )
        return self

    def _of_source(self, source: str) -> set[str]:
        """Corpora of a published format, or of a variant of it, alone or as a part."""
        return {
            name
            for name, corpus in self.corpus.items()
            for part in (corpus, *getattr(corpus, "parts", {}).values())
            if part.source.startswith(source)
        }

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
        require_known([name], self.studies, "study")
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
        require_known([name], self.replicates, "replicate")
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
        return self.data_root_path() / getattr(self.corpus[corpus], "path", "")

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

    def table_path(self, table: FeatureTable | Described) -> Path:
        """Where the tables of a modality lie: a file, a folder or a pattern."""
        return self.data_root_path() / table.path

    def encoder_of(self, modality: str) -> str:
        """Encoder of a modality of the study, or the tool whose tables it is read from.

        Parameters
        ----------
        modality : str

        Returns
        -------
        str
            That of the first corpus in a role that has tables of it, or measures it as
            a tool does; of descriptions, that of texts; otherwise the one that the
            section ``extract`` chooses.
        """
        given = self.features_of(modality)
        if not given:
            return self.extract.encoder_of(modality)
        described = isinstance(given[0], Described)
        return self.extract.text_encoder if described else given[0].tool

    def features_of(self, modality: str) -> list[FeatureTable | Described | Heard]:
        """What stands in the place of a modality's encoder, over corpora in a role."""
        return [
            given
            for name in self.roles.model_dump().values()
            for place, given in given_features(self.corpus[name]).items()
            if place.rpartition(".")[2] == modality
        ]

    def data_root_path(self) -> Path:
        """The folder of published files; ``SSLMEPR_DATA`` takes its place when set."""
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
        folders = {"data_root": self.data_root_path()}
        for name in self.corpora:
            corpus = self.corpus[name]
            if hasattr(corpus, "path"):
                folders[f"corpus.{name}"] = self.data_path(name)
            for part, each in getattr(corpus, "parts", {}).items():
                where = f"corpus.{name}.parts.{part}"
                folders[where] = self.data_root_path() / each.path
            for place, table in feature_tables(corpus).items():
                folders[f"corpus.{name}.{place}"] = self.table_path(table)
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


def parse(tree: dict, source: str, kind: type = Params) -> Any:
    """Check a nested dictionary of parameters; returns a `kind` of them.

    Parameters
    ----------
    tree : dict
        What a parameters file holds.
    source : str
        Where it came from, for the error.
    kind : type
        The section that it holds.

    Raises
    ------
    ParamsError
        Naming every key that is unknown, missing or of the wrong type.
    """
    try:
        return kind.model_validate(tree)
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
    tree = read(path)
    # Apart from the parameters, since DVC reads those anew for every stage.
    tree["studies"] = read(path.with_name("studies.yaml"))
    found = parse(tree, str(path))
    found.check_paths()
    return found
