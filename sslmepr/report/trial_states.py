"""On which state of the library each trial on record ran, from DVC's lock file."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
import yaml

from sslmepr.report.overview import Findings
from sslmepr.report.tables import Table
from sslmepr.report.words import plain

CODE = ("training", "models", "simulation")
"""Packages that decide what comes out of a trial."""

KINDS = (
    *("blocks", "collapse", "curves", "doses", "observers", "power", "search"),
    "timing",
)
UNKNOWN, NOW, DIGITS = "not recorded", "as it is now", 7


def folder_checksum(folder: str | Path) -> str:
    """Checksum of a folder of sources, as DVC writes it into a lock file.

    Parameters
    ----------
    folder : path

    Returns
    -------
    str
        Of hexadecimal digits, and ``.dir``.
    """
    files = [each for each in Path(folder).rglob("*") if each.is_file()]
    found = [
        (each.relative_to(folder).parts, _checksum(each))
        for each in files
        if each.suffix != ".pyc"
    ]
    listed = [{"md5": md5, "relpath": "/".join(parts)} for parts, md5 in sorted(found)]
    text = json.dumps(listed, sort_keys=True)
    return f"{hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()}.dir"


def _checksum(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def trial_states(
    results: str | Path,
    lock: str | Path,
    library: str | Path,
    components: Sequence[str],
) -> pd.DataFrame:
    """State of the library by trial on record.

    Parameters
    ----------
    results : path
        Of the trials, relative to the current folder as in the lock file.
    lock : path
        The lock file of the trials' pipeline.
    library : path
        Folder of the library.
    components : sequence of str
        Of the default model today.

    Returns
    -------
    DataFrame
        trial, model (the default's components then, as `NOW` or by what they lacked or
        had in addition; missing where none was trained), and for each of `CODE` the
        first digits of its checksum when the trial ran, `NOW` if the package is the
        same today; missing if the trial did not use it. `UNKNOWN` if the lock file has
        no such entry for the table that lies there.
    """
    stages = yaml.safe_load(Path(lock).read_text(encoding="utf-8"))["stages"]
    now = {name: folder_checksum(Path(library, name)) for name in CODE}
    rows = []
    for path in _tables(Path(results)):
        trial = path.parent.name, path.stem
        entry = stages.get("@".join(trial), {"deps": [], "outs": []})
        made = {each["path"]: each["md5"] for each in entry["outs"]}
        row = {"trial": ", ".join(trial).replace("_", " ")} | dict.fromkeys(
            ("model", *CODE), UNKNOWN
        )
        if made.get(path.as_posix()) == _checksum(path):
            used = {each["path"]: each["md5"] for each in entry["deps"]}
            row["model"] = _default(entry, components)
            for name in CODE:
                then = used.get(f"sslmepr/{name}")
                row[name] = NOW if then == now[name] else then and then[:DIGITS]
        rows.append(row)
    return pd.DataFrame(rows, columns=["trial", "model", *CODE])


def _default(entry: Mapping, components: Sequence[str]) -> str | None:
    """How the default model of a trial differs from today's."""
    fusion = entry.get("params", {}).get("params.yaml", {}).get("fusion")
    if fusion is None:
        return None
    then = fusion["components"]
    told = [f"without {plain(each)}" for each in components if each not in then]
    told += [f"with {plain(each)}" for each in then if each not in components]
    return ", ".join(told) or NOW


def _tables(results: Path) -> Iterator[Path]:
    """The table of each trial, without those made from it."""
    for kind in KINDS:
        yield from (
            path
            for path in sorted(results.joinpath(kind).glob("*.csv"))
            if not path.with_name(f"{path.stem.rpartition('-')[0]}.csv").exists()
        )


def state_findings(states: pd.DataFrame) -> Findings:
    """How many trials ran on the library as it is now, and on how many other states.

    Parameters
    ----------
    states : DataFrame
        From `trial_states`.
    """
    known = states[states[CODE[0]] != UNKNOWN].fillna(NOW)
    same = (known[[*CODE]] == NOW).all(axis=1)
    earlier = len(known.loc[~same, list(CODE)].drop_duplicates())
    return Findings(
        [
            f"Of {len(states)} trials on record, {same.sum()} ran on the library as it "
            f"is now; {(~same).sum()} ran on {earlier} earlier states of training, "
            f"models and simulation, and of {len(states) - len(known)} the state is "
            "not recorded. Numbers of different states may differ for that reason."
        ]
    )


def state_table(states: pd.DataFrame) -> Table:
    """One row for each trial, from `trial_states`."""
    caption = (
        "Default model and code of each trial: as it is now, or how the model differed "
        "and the start of the code's checksum when the trial ran. Trials with the same "
        "checksums ran on the same code."
    )
    return Table(states, caption)
