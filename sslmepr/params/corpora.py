"""Sections on corpora and on the extraction of features from them."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    Tag,
    field_validator,
    model_validator,
)

from sslmepr.labels import ENCODERS, TABLE_TOOLS, TASKS
from sslmepr.params.base import (
    Folder,
    Modality,
    Name,
    Positive,
    Rate,
    Section,
    Share,
    Task,
)


def _below_the_data(path: str) -> str:
    given = PurePosixPath(path)
    if not path or given.is_absolute() or ".." in given.parts:
        raise ValueError(f"{path!r} must be a path below data_root")
    return path


DataPath = Annotated[str, AfterValidator(_below_the_data)]


class FeatureTable(Section):
    """A modality of a corpus that another tool has measured, as tables.

    Attributes
    ----------
    tool : str
        Whose tables they are: says what their columns are called, see
        `sslmepr.corpora.feature_tables.FORMATS`. ``table`` has no names of its own.
    path : str
        A table, in CSV or Parquet, a folder of them or a pattern with ``*``, relative
        to ``data_root``. One table may hold all clips, or there is one for each.
    version : str, optional
        Of the tool, if it is known; for ``table`` also which tool it was.
    columns : list of str, optional
        Those taken as features; ``*`` stands for any characters. Absent: those that
        `FORMATS` names.
    id_column : str, optional
        Which clip, or recording, a row belongs to. Absent: a column that the tool gives
        this meaning; without one, the name of the file.
    id_pattern : str, optional
        A regular expression for the whole id, whose group is what the clip is called.
    time_column : str, optional
        When a row was measured, in seconds from the start of the recording.
    frames_per_second : float, optional
        Of the recording in Hz, where rows have no time or count frames.
    steps_per_second : float, optional
        Rate to which rows are averaged, in Hz; absent: every row is a step.
    confidence_column : str, optional
        How sure the tool is of a row, 0 to 1.
    smallest_confidence : float
        Rows below it are left out.
    sha256 : str, optional
        Digest of the tables; ``sslmepr repro`` writes it, so that DVC sees a change.
    """

    tool: Literal[TABLE_TOOLS]
    path: DataPath
    version: str | None = None
    columns: Annotated[list[str], Field(min_length=1)] | None = None
    id_column: str | None = None
    id_pattern: str | None = None
    time_column: str | None = None
    frames_per_second: Rate | None = None
    steps_per_second: Rate | None = None
    confidence_column: str | None = None
    smallest_confidence: Share = 0.5
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None

    @field_validator("id_pattern")
    @classmethod
    def _has_one_group(cls, pattern: str | None) -> str | None:
        if pattern is None:
            return None
        try:
            groups = re.compile(pattern).groups
        except re.error as error:
            raise ValueError(f"{pattern!r} is no regular expression: {error}") from None
        if groups != 1:
            raise ValueError(f"{pattern!r} has {groups} groups in (), not one")
        return pattern


class Described(Section):
    """A modality of a corpus that observers have described in words.

    Each observation has a beginning, an end and a text, whose sentences become steps in
    time, encoded as transcripts are.

    Attributes
    ----------
    tool : {"described"}
    path : str
        A table, in CSV or Parquet, MM-OCEAN's ``.json`` files, a folder of either or a
        pattern with ``*``, relative to ``data_root``.
    channel : str, optional
        Which observations belong to the modality: those that have this in
        `channel_column`. Absent: all.
    id_column, channel_column, start_column, end_column, text_column : str
        Of a table: which clip a row is about, what it describes, from when to when in
        seconds from the start of the clip, and the description.
    sha256 : str, optional
        As in `FeatureTable`.
    """

    tool: Literal["described"]
    path: DataPath
    channel: str | None = None
    id_column: str = "clip_id"
    channel_column: str = "channel"
    start_column: str = "start_seconds"
    end_column: str = "end_seconds"
    text_column: str = "description"
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class Heard(Section):
    """The voice of a corpus, measured here as librosa does, from its recordings.

    Attributes
    ----------
    tool : {"librosa"}
    recordings : {true}
        In the place of a path to tables.
    version : str, optional
        As in the tables of other corpora of the study, which have to be of one version.
    """

    tool: Literal["librosa"]
    recordings: Literal[True]
    version: str | None = None


def _kind_of_features(given) -> str:
    """Which section says where a modality's features come from."""
    if isinstance(given, Section):
        return type(given).__name__
    if not isinstance(given, dict):
        return "FeatureTable"
    if given.get("tool") == "described":
        return "Described"
    return "Heard" if "recordings" in given else "FeatureTable"


Features = Annotated[
    Annotated[FeatureTable, Tag("FeatureTable")]
    | Annotated[Described, Tag("Described")]
    | Annotated[Heard, Tag("Heard")],
    Discriminator(_kind_of_features),
]


class MeasuredCorpus(Section):
    """A corpus of which other tools, or observers, may have measured modalities.

    Attributes
    ----------
    features : dict of str to FeatureTable, Described or Heard
        Modality to what its features are made from in the place of an encoder.
    """

    features: dict[Modality, Features] = {}

    @field_validator("features")
    @classmethod
    def _hears_voices_alone(cls, features: dict) -> dict:
        for modality, given in features.items():
            if isinstance(given, Heard) and modality != "audio":
                raise ValueError(f"{modality}: only audio is measured from recordings")
        return features


class SimulatedCorpus(MeasuredCorpus):
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
    text_only : int
        Further training clips, of further people, of which there is only a transcript.
    """

    source: Literal["simulated"]
    world: str
    domains: list[str]
    labels: list[Task]
    clips: Positive
    persons: Positive
    text_only: Annotated[int, Field(ge=0)] = 0

    @property
    def held_out(self) -> bool:
        """Whether all its people are in test: it has the labels of both tasks."""
        return set(self.labels) == set(TASKS)

    @model_validator(mode="after")
    def _trains_on_text(self) -> "SimulatedCorpus":
        if self.text_only and self.held_out:
            raise ValueError(
                "text_only: a corpus with the labels of both tasks is held out and has "
                "no training clips"
            )
        return self


class GivenCorpus(MeasuredCorpus):
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
    dev_from_train : int
        If above 0, and the published test split is not there, the published dev split
        is held out in its place, as test, and so many of 100 training speakers are in
        dev. With 0 dev is the published one, also for results.
    """

    source: Literal[
        "mosei", "fiv2", "fiv2_by_video", "meld", "mm_ocean", "ravdess", "folder"
    ]
    path: str
    modalities: list[Modality] | None = None
    standardise: Literal["corpus", "speaker"] = "corpus"
    dev_from_train: Annotated[int, Field(ge=0, lt=100)] = 0

    @model_validator(mode="after")
    def _takes_what_was_measured(self) -> "PublishedCorpus":
        for modality in self.features:
            if self.modalities is not None and modality not in self.modalities:
                raise ValueError(f"features.{modality}: modalities does not list it")
        return self


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


def given_features(corpus) -> dict[str, FeatureTable | Described | Heard]:
    """What stands in the place of encoders, in a corpus and in the parts of a union.

    >>> given_features(PublishedCorpus(source="folder", path="people"))
    {}

    Returns
    -------
    dict of str to section
        By its dotted path in the corpus, which ends in the modality.
    """
    parts = {
        f"parts.{name}.": part for name, part in getattr(corpus, "parts", {}).items()
    }
    return {
        f"{where}features.{modality}": given
        for where, each in ({"": corpus} | parts).items()
        for modality, given in getattr(each, "features", {}).items()
    }


def feature_tables(corpus) -> dict[str, FeatureTable | Described]:
    """Those of `given_features` that are read from files."""
    every = given_features(corpus).items()
    return {place: each for place, each in every if not isinstance(each, Heard)}


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

    def encoder_of(self, modality: str) -> str:
        """Name of the encoder of a modality."""
        by_modality = {"audio": self.speech_encoder, "text": self.text_encoder}
        return by_modality.get(modality, self.image_encoder)
