"""Several published corpora as one clip table.

Labels of one task may lie in corpora that share no modality: lines of a television
series without sound, acted speech whose words carry no emotion. One model is trained on
all of them. A clip's id then begins with the name of its part (`schema.part_of`).
"""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd

from sslmepr.corpora.schema import (
    COLUMNS,
    PART_SEPARATOR,
    CorpusError,
    part_of,
    validate,
)
from sslmepr.corpora.splits import hold_out_dev
from sslmepr.labels import MODALITIES
from sslmepr.params.corpora import GivenCorpus, PublishedCorpus


def read_given(
    name: str, corpus: GivenCorpus, folder: Path, read: Callable[[Path], pd.DataFrame]
) -> pd.DataFrame:
    """The clip table of a corpus; an empty one if it is optional and not there.

    Parameters
    ----------
    name : str
        What to call it where it is missing.
    corpus : GivenCorpus
    folder : path
        Where it is looked for.
    read : callable
        Makes the clip table of the folder.

    Raises
    ------
    CorpusError
        As `read` does.
    """
    if not corpus.optional or folder.is_dir():
        percent = getattr(corpus, "dev_from_train", 0)
        return hold_out_dev(name, read(folder), percent)
    empty = pd.DataFrame(columns=list(COLUMNS))
    return validate(
        empty, name, left_out={name: f"not given: {name}, put it in {folder}"}
    )


def read_union(
    root: Path,
    parts: Mapping[str, PublishedCorpus],
    readers: Mapping[str, Callable[[Path], pd.DataFrame]],
) -> pd.DataFrame:
    """The clip table of all parts, one after the other.

    Parameters
    ----------
    root : path
        Folder that holds the parts' own; media paths are relative to it.
    parts : mapping of str to PublishedCorpus
    readers : mapping
        Source to the function that reads a folder into a clip table.

    Raises
    ------
    CorpusError
        As the part's own reader does, or naming a part whose name is not allowed.
    """
    tables, shared, left_out, dev_as_test = [], False, {}, []
    for name, part in parts.items():
        if PART_SEPARATOR in name:
            raise CorpusError(f"a part's name may have no {PART_SEPARATOR!r}: {name!r}")
        table = read_given(name, part, root / part.path, readers[part.source])
        shared |= table.attrs.get("shared_speakers", False)
        dev_as_test += table.attrs.get("dev_as_test", [])
        for left, reason in table.attrs.get("left_out", {}).items():
            left_out[name + PART_SEPARATOR + left] = reason
        for column in ("clip_id", "speaker_id"):
            table[column] = name + PART_SEPARATOR + table[column]
        table["media"] = Path(part.path).as_posix() + "/" + table["media"]
        table.attrs = {}  # they differ, and would not be joined
        tables.append(table)
    names, joined = " and ".join(parts), pd.concat(tables, ignore_index=True)
    return validate(joined, names, shared, left_out, dev_as_test)


def wanted_modalities(corpus, clip_ids: Iterable[str]) -> list[list[str]]:
    """Which modalities are to be taken from each clip.

    Parameters
    ----------
    corpus : section of ``params.corpus``, or None for one that is not listed there
    clip_ids : iterable of str

    Returns
    -------
    list of list of str
        Modalities of each clip, in the order of `clip_ids`.
    """
    if getattr(corpus, "source", None) != "union":
        chosen = getattr(corpus, "modalities", None) or list(MODALITIES)
        return [chosen for _ in clip_ids]
    chosen = {
        name: part.modalities or list(MODALITIES) for name, part in corpus.parts.items()
    }
    return [chosen[name] for name in part_of(clip_ids)]
