"""Modalities of a corpus that other tools have measured, from their tables."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from sslmepr.corpora.feature_tables import Measured, read_feature_tables
from sslmepr.corpora.schema import PART_SEPARATOR, CorpusError
from sslmepr.features import write_store
from sslmepr.params import Params
from sslmepr.params.corpora import FeatureTable


def measured_modalities(
    corpus, clips: Sequence[dict], params: Params
) -> dict[str, Measured]:
    """Read the modalities of a corpus that its section gives tables of.

    Parameters
    ----------
    corpus : section of ``params.corpus``, or None for one that is not listed there
    clips : sequence of dict
        Rows of its clip table, with ``modalities``: those that tables give are removed
        from each clip, so that they are not taken from media.
    params : Params

    Returns
    -------
    dict of str to Measured
        By modality. Those of a union are joined over its parts.

    Raises
    ------
    CorpusError
        As `read_feature_tables`; and if parts of a union have tables of different tools
        or columns, or only some of them have tables of a modality that the others take
        from media.
    """
    found: dict[str, Measured] = {}
    for name, section, mine in parts_of(corpus, clips):
        for modality, table in section.features.items():
            if not isinstance(table, FeatureTable):
                continue
            for clip, _ in mine:
                wanted = [each for each in clip["modalities"] if each != modality]
                clip["modalities"] = wanted
            if not mine:  # an optional corpus that is not there
                continue
            called = [as_called for _, as_called in mine]
            made = read_feature_tables(called, table, params.data_root_path())
            _join(found, modality, _named(made, name))
    for modality in found:
        if any(modality in clip["modalities"] for clip in clips):
            raise CorpusError(
                f"features.{modality}: some parts have tables and others media; leave "
                f"{modality} out of their modalities, or give tables of all"
            )
    return found


def parts_of(corpus, clips: Sequence[dict]):
    """Name, section and clips of each part; a clip also as its part calls it."""
    if corpus is None:
        return
    if corpus.source != "union":
        yield "", corpus, [(clip, clip) for clip in clips]
        return
    for name, section in corpus.parts.items():
        start = name + PART_SEPARATOR
        mine = [clip for clip in clips if clip["clip_id"].startswith(start)]
        called = [{**c, "clip_id": c["clip_id"].removeprefix(start)} for c in mine]
        yield start, section, list(zip(mine, called, strict=True))


def _named(made: Measured, start: str) -> Measured:
    """With the ids that clips have in a union."""
    for kind in ("sequences", "missing", "unknown"):
        named = {start + name: each for name, each in getattr(made, kind).items()}
        setattr(made, kind, named)
    return made


def _join(found: dict[str, Measured], modality: str, made: Measured) -> None:
    before = found.setdefault(modality, made)
    if before is made:
        return
    if (before.encoder, before.revision) != (made.encoder, made.revision):
        raise CorpusError(
            f"features.{modality}: one part has features of {before.encoder} "
            f"{before.revision}, another of {made.encoder} {made.revision}; tool, "
            "version and columns must be the same"
        )
    for kind in ("sequences", "missing", "unknown"):
        getattr(before, kind).update(getattr(made, kind))


def missing_of(measured: Mapping[str, Measured]) -> list[list[str]]:
    """What clips lack, as rows of ``missing.csv``."""
    return [
        [clip_id, modality, reason]
        for modality, each in measured.items()
        for clip_id, reason in each.missing.items()
    ]


def unknown_of(measured: Mapping[str, Measured]) -> list[list[str]]:
    """What tables say of no clip, as rows of ``missing.csv``."""
    return [
        [name, modality, f"no clip has this id; it is in {place}"]
        for modality, each in measured.items()
        for name, place in each.unknown.items()
    ]


def write_measured(folder: str | Path, modality: str, measured: Measured):
    """Write the store of a modality; its table.

    Beside each clip stand ``steps_per_second``, ``rows`` of the tables, how many of
    them were ``kept``, and the ``certainty``.
    """
    extra = pd.DataFrame(
        {
            "clip_id": pd.Series(list(measured.sequences), dtype="str"),
            **{
                name: np.array(
                    [getattr(s, name) for s in measured.sequences.values()], t
                )
                for name, t in (
                    ("steps_per_second", np.float64),
                    ("rows", np.int64),
                    ("kept", np.int64),
                    ("certainty", np.float64),
                )
            },
        }
    )
    return write_store(
        folder,
        modality,
        ((name, each.values) for name, each in measured.sequences.items()),
        measured.encoder,
        measured.revision,
        extra,
        columns=measured.columns,
    )
