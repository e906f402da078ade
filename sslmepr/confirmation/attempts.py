"""The record of confirmations: every attempt, and what came out.

The log only grows. An attempt is entered before anything is drawn, so that one which
was broken off counts as well; the same code is entered once, however often it runs.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sslmepr.confirmation.frozen import FrozenError, git, seed_of
from sslmepr.files import atomic

FOLDER = Path("results", "confirm")
LOG = "attempts.csv"

COLUMNS = ("attempt", "hash", "seed", "revision", "begun")
"""Number from 1, fingerprint, seed, commit, and the date (UTC) when it was entered."""

TABLES = ("endpoints", "worlds", "recognition")
"""What an attempt leaves, each a table of that name."""

HASH_DIGITS = 12
"""Digits of a fingerprint that name the folder of its results."""


class Standing(NamedTuple):
    """What the record says of today's code.

    Attributes
    ----------
    attempts : DataFrame
        `COLUMNS` and finished; one row each.
    current : bool
        Whether an attempt of today's code was finished.
    number : int or None
        Of the attempt whose results are shown: that of today's code, or the last one;
        None if none was finished.
    tables : dict of str to DataFrame
        Its results, by the names of `TABLES`.
    """

    attempts: pd.DataFrame
    current: bool
    number: int | None
    tables: dict[str, pd.DataFrame]


def read_log(folder: str | Path = FOLDER) -> pd.DataFrame:
    """Read the attempts.

    Returns
    -------
    DataFrame
        `COLUMNS`; no row if there is no log yet.

    Raises
    ------
    FrozenError
        If it is not a log: other columns, numbers that are not 1, 2, 3 and so on, or a
        fingerprint that is there twice.
    """
    path = Path(folder, LOG)
    if not path.is_file():
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.read_csv(path, dtype={"hash": str, "revision": str, "begun": str})
    if tuple(table.columns) != COLUMNS:
        raise FrozenError(f"{path}: its columns are not {', '.join(COLUMNS)}")
    if table["attempt"].tolist() != list(range(1, len(table) + 1)):
        raise FrozenError(f"{path}: attempts are not numbered from 1 without a gap")
    if table["hash"].duplicated().any():
        raise FrozenError(f"{path}: the same fingerprint is there twice")
    return table


def require_grown(folder: str | Path = FOLDER, root: str | Path = ".") -> None:
    """Refuse a log that lacks what the last commit has of it.

    Raises
    ------
    FrozenError
        If lines of the committed log are changed or gone.
    """
    path = Path(folder, LOG)
    name = path.as_posix()
    if not git(root, "ls-tree", "HEAD", "--", name).strip():
        return
    committed = git(root, "show", f"HEAD:{name}")
    here = Path(root, path)
    text = here.read_text(encoding="utf-8") if here.is_file() else ""
    if not text.startswith(committed):
        raise FrozenError(
            f"{name}: lacks lines that the last commit has; the log only grows, so put "
            f"them back: git checkout HEAD -- {name}"
        )


def enter(folder: str | Path, fingerprint: str, revision: str) -> bool:
    """Enter an attempt, unless it is of a fingerprint that is there already.

    Parameters
    ----------
    folder : path
    fingerprint : str
    revision : str
        The commit.

    Returns
    -------
    bool
        Whether it is a new one.
    """
    log = read_log(folder)
    if fingerprint in set(log["hash"]):
        return False
    begun = datetime.now(UTC).date().isoformat()
    row = (len(log) + 1, fingerprint, seed_of(fingerprint), revision, begun)
    log.loc[len(log)] = row
    Path(folder).mkdir(parents=True, exist_ok=True)
    with atomic(Path(folder, LOG)) as part:
        log.to_csv(part, index=False)
    return True


def results_of(folder: str | Path, fingerprint: str) -> dict[str, pd.DataFrame] | None:
    """Results of an attempt by the names of `TABLES`; None if it was not finished."""
    own = Path(folder, fingerprint[:HASH_DIGITS])
    paths = {name: own / f"{name}.csv" for name in TABLES}
    if not all(path.is_file() for path in paths.values()):
        return None
    return {
        name: pd.read_csv(path, keep_default_na=False, na_values=[""])
        for name, path in paths.items()
    }


def keep(
    folder: str | Path, fingerprint: str, tables: dict[str, pd.DataFrame]
) -> list[str]:
    """Write the results of an attempt, or compare them with those that are there.

    Parameters
    ----------
    folder : path
    fingerprint : str
    tables : dict of str to DataFrame
        By the names of `TABLES`; written with six digits.

    Returns
    -------
    list of str
        Names of the tables that differ from those on record, which stay as they are.
    """
    own = Path(folder, fingerprint[:HASH_DIGITS])
    texts = {name: tables[name].round(6).to_csv(index=False) for name in TABLES}
    if results_of(folder, fingerprint) is None:
        own.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            with atomic(own / f"{name}.csv") as part:
                part.write_text(text, encoding="utf-8")
        return []
    return [
        name
        for name, text in texts.items()
        if (own / f"{name}.csv").read_text(encoding="utf-8") != text
    ]


def standing(folder: str | Path, fingerprint: str) -> Standing:
    """What the record says of the code with a fingerprint.

    Parameters
    ----------
    folder : path
    fingerprint : str
        Of today's code.

    Raises
    ------
    FrozenError
        As of `read_log`.
    """
    log = read_log(folder)
    results = {each: results_of(folder, each) for each in log["hash"]}
    log = log.assign(finished=[each is not None for each in results.values()])
    done = log[log["finished"]]
    if done.empty:
        return Standing(log, False, None, {})
    own = done[done["hash"] == fingerprint]
    # Results of today's code stand, whatever was tried after it and undone.
    shown = (done if own.empty else own).iloc[-1]
    return Standing(log, not own.empty, int(shown["attempt"]), results[shown["hash"]])
