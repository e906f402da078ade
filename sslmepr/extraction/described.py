"""Modalities that observers have described: sentences for the text encoder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from sslmepr.corpora.feature_tables import Descriptions, read_descriptions
from sslmepr.corpora.schema import CorpusError
from sslmepr.extraction.measured import parts_of
from sslmepr.params import Params
from sslmepr.params.corpora import Described, Heard

FILE_NAME = "descriptions.parquet"


@dataclass
class Found:
    """What was described of the clips of a corpus.

    Attributes
    ----------
    modalities : set of str
        Those that descriptions give.
    sentences : list of (clip id, modality, step, start_seconds, end_seconds, sentence)
    missing, unknown : list of [clip id or id, modality, reason]
        Rows of ``missing.csv``.
    """

    modalities: set[str] = field(default_factory=set)
    sentences: list[tuple] = field(default_factory=list)
    missing: list[list[str]] = field(default_factory=list)
    unknown: list[list[str]] = field(default_factory=list)


def describe_clips(corpus, clips: Sequence[dict], params: Params) -> Found:
    """Give clips the sentences with which their modalities are described.

    Parameters
    ----------
    corpus : section of ``params.corpus``, or None for one that is not listed there
    clips : sequence of dict
        Rows of its clip table, with ``modalities``: those that are described are
        removed from each clip, and their sentences set as ``described`` (modality to
        list of str), so that they are encoded and not taken from media.
    params : Params

    Raises
    ------
    CorpusError
        As `read_descriptions`; and if only some parts of a union are described.
    """
    found = Found()
    for name, section, mine in parts_of(corpus, clips):
        for modality, given in section.features.items():
            if not isinstance(given, Described) or not mine:
                continue
            called = [as_called for _, as_called in mine]
            made = read_descriptions(called, given, params.data_root_path())
            found.modalities.add(modality)
            _add(found, modality, made, mine, name)
    for modality in found.modalities:
        if any(modality in clip["modalities"] for clip in clips):
            raise CorpusError(
                f"features.{modality}: some parts have descriptions and others media; "
                f"leave {modality} out of their modalities, or describe all"
            )
    return found


def _add(found: Found, modality: str, made: Descriptions, mine, start: str) -> None:
    for clip, as_called in mine:
        clip["modalities"] = [each for each in clip["modalities"] if each != modality]
        clip.setdefault("described", {})
        sentences = made.sentences.get(as_called["clip_id"], [])
        if sentences:
            clip["described"][modality] = [each.text for each in sentences]
        found.sentences += [
            (clip["clip_id"], modality, step, *sentence)
            for step, sentence in enumerate(sentences)
        ]
    found.missing += [[start + n, modality, why] for n, why in made.missing.items()]
    found.unknown += [
        [start + name, modality, f"no clip has this id; it is in {place}"]
        for name, place in made.unknown.items()
    ]


def write_sentences(folder: str | Path, found: Found) -> None:
    """Write which sentence each step is, and when; nothing if nothing was described."""
    if not found.modalities:
        return
    columns = ["clip_id", "modality", "step"]
    columns += ["start_seconds", "end_seconds", "sentence"]
    table = pd.DataFrame(found.sentences, columns=columns)
    table.to_parquet(Path(folder) / FILE_NAME, index=False)


def mark_heard(corpus, clips: Sequence[dict], tabulated: Mapping) -> Heard | None:
    """How the voices of a corpus are measured, if not by the speech encoder.

    Parameters
    ----------
    corpus : section of ``params.corpus``, or None
    clips : sequence of dict
        Rows of its clip table; those that are heard get the section, as a dictionary,
        as ``heard``.
    tabulated : mapping
        Modalities that tables give.

    Raises
    ------
    CorpusError
        If parts of a union are heard in different ways.
    """
    ways = []
    for _, section, mine in parts_of(corpus, clips):
        given = section.features.get("audio")
        for clip, _ in mine if isinstance(given, Heard) else ():
            clip["heard"] = given.model_dump()
        if any("audio" in clip["modalities"] for clip, _ in mine):
            ways.append(given if isinstance(given, Heard) else None)
    if len(set(ways)) > 1 or (any(ways) and "audio" in tabulated):
        raise CorpusError(
            "features.audio: parts of the corpus have their voices measured in "
            "different ways; leave audio out of the modalities of some, or give all "
            "the same"
        )
    return ways[0] if ways else None
