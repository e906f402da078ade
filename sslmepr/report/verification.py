"""Numerical comparison of recomputed results with the recorded (committed) ones.

Processors differ in the order of floating-point additions. A feature that is stored in
half precision may round the other way, and what is trained on it ends a little
elsewhere, so that a clip or an association close to a threshold may cross it. Results
are reproduced if both sides have the same files, rows and columns and, but for at most
`OUTSIDE` of the numbers, none differs by more than the tolerance in
`sslmepr.report.verification_table.KINDS`, or, where the number has an interval, by more
than `SHARE` of its width: what the interval says of it, it would say again. Tables with
a row for every clip are compared column by column, by concordance; of the clips that
they show, half must be the same.
"""

import csv
import io
import json
import math
import re
import subprocess
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import yaml

from sslmepr.report.provenance import machine
from sslmepr.report.verification_table import HISTORY, KINDS, read_history
from sslmepr.training.results import write_json

KEYS = frozenset(
    "against arm block clip_id clips comparison condition control corpus emotion epoch "
    "half level method metric modality nominal offset seed source split stage "
    "strength study target task trait trial variant what".split()
)
"""Columns that identify a row."""

VALUES = frozenset(
    "below body covered distinct face fit interval missing reason scene sign_agrees "
    "significant simpson state transcript verdict".split()
)
"""Columns of text that are results; all other columns of text identify a row."""

MISSING = ("", "nan", "NaN")
COUNTS = frozenset(
    "clips count frames n n_cells n_repeated n_seeds n_speakers refused "
    "specifications targets worlds".split()
)
ENDS = re.compile(r"(.*_)?(low|high)")
P = re.compile(r"p(_.*)?")
ONE_CLIP = frozenset(
    [
        "AUC",
        "mAUC",
        "WACC",
        "mWACC",
        "mUAR",
        "UAR",
        "F1",
        "mF1",
        "class F1",
        "macro F1",
        "weighted F1",
    ]
    + ["recall", "coverage", "coverage_present", "coverage_absent", "undecided"]
)
ONE_CELL = frozenset(
    "covers_planted false_positive_rate familywise_error largest_t_error power "
    "sign_agreement significant".split()
)
SHARE = 1 / 3
"""Of the width of its interval, by which a number or an end may differ."""

OUTSIDE = 1 / 1000
"""Of all that is compared, the share that may lie outside: among a hundred thousand
numbers some have neither an interval nor a scale, and some are extremes."""

WITH_INTERVAL = {"metric", "interval end", "one clip", "one cell"}

PROGRESS = {"train_loss", "dev_score", "linear_dev_score", "shares", "added_shares"}
TRAINED = re.compile(r"(unimodal|crosstask|fusion)/[^/]*")
NAMED = 40
"""Largest number of differences outside tolerance that are printed."""

PROVENANCE = "provenance.json"
PARSED = (".csv", ".json", ".yaml")
SENTENCES = "findings.json"
"""Repeat numbers of the tables beside them, which are compared."""


class Difference(NamedTuple):
    """Comparison of one number, or of an item that is missing on one side.

    Attributes
    ----------
    file, where, kind : str
    recorded, computed : str
        As in the file; empty if missing.
    difference, tolerance : float
    """

    file: str
    where: str
    kind: str
    recorded: str
    computed: str
    difference: float
    tolerance: float

    @property
    def outside(self) -> bool:
        """Whether the difference exceeds the tolerance."""
        # Written numbers have six digits: .003 and .0030000001 are the same.
        return not self.difference <= self.tolerance + 1e-9


def compare(
    recorded: Mapping[str, bytes], computed: Mapping[str, bytes]
) -> list[Difference]:
    """Compare all numbers, texts and files of two sets of results.

    Rows are matched by their keys, not by position; rows with equal keys are matched in
    order. Two missing numbers are equal.

    Parameters
    ----------
    recorded, computed : mapping of str to bytes
        Path in the folder of a study to content. Tables (CSV) and trees (JSON, YAML)
        are compared by content, other files and `SENTENCES` by existence.

    Returns
    -------
    list of Difference

    Raises
    ------
    RuntimeError
        If a file is not of the format of its suffix.
    """
    found = []
    for name in sorted({*recorded, *computed}):
        if name not in recorded or name not in computed:
            found.append(_only_one(name, "", name in recorded))
            continue
        try:
            found += _compare_file(name, recorded[name], computed[name])
        except (ValueError, yaml.YAMLError) as error:
            raise RuntimeError(f"{name}: cannot be read: {error}") from error
    return found


def _only_one(file: str, where: str, recorded: bool) -> Difference:
    sides = ("there", "") if recorded else ("", "there")
    return Difference(file, where, "file", *sides, math.inf, 0.0)


def _compare_file(name: str, recorded: bytes, computed: bytes) -> Iterator[Difference]:
    if not name.endswith(PARSED) or name.endswith(SENTENCES):
        yield Difference(name, "", "file", "there", "there", 0.0, 0.0)
        return
    sides = [_read(name, content) for content in (recorded, computed)]
    if TRAINED.fullmatch(name) and name.endswith(".csv"):
        sides = yield from _common_epochs(name, *sides)
    first, second = sides
    if _by_clip(first) or _by_clip(second):
        yield from _compare_clips(name, first, second)
        return
    for where in [*first, *(key for key in second if key not in first)]:
        if where not in first or where not in second:
            yield _only_one(name, where, where in first)
        else:
            yield from _compare_row(name, where, first[where], second[where])


def _by_clip(rows: "Rows") -> bool:
    return any("@clip_id" in row for row in rows.values())


def _compare_clips(name: str, first: "Rows", second: "Rows") -> Iterator[Difference]:
    """Columns of tables by clip, by concordance; which clips are shown may differ."""
    clips = [{row["@clip_id"] for row in rows.values()} for rows in (first, second)]
    both = clips[0] & clips[1]
    other = len(clips[0] ^ clips[1]) / max(len(clips[0]) + len(clips[1]), 1)
    counts = (str(len(each)) for each in clips)
    allowed = KINDS["examples"].tolerance
    yield Difference(name, "clips shown", "examples", *counts, other, allowed)
    for where in [*first, *(key for key in second if key not in first)]:
        row = first.get(where) or second[where]
        if row["@clip_id"] in both and (where not in first or where not in second):
            yield _only_one(name, where, where in first)
    common = [where for where in first if where in second]
    columns = [column for row in first.values() for column in row if column[0] != "@"]
    for column in dict.fromkeys(columns):
        pairs = [
            (first[key].get(column, ""), second[key].get(column, "")) for key in common
        ]
        numbers = [(_number(mine), _number(other)) for mine, other in pairs]
        whole = np.array([pair for pair in numbers if None not in pair], float)
        odd = [
            p for p, n in zip(pairs, numbers, strict=True) if None in n and p[0] != p[1]
        ]
        if odd:
            yield Difference(name, column, "text", *odd[0], math.inf, 0.0)
        if len(whole):
            apart = 1 - _concordance(*whole.T)
            allowed = KINDS["clips"].tolerance
            yield Difference(name, column, "clips", "", "", apart, allowed)


def _concordance(first: np.ndarray, second: np.ndarray) -> float:
    """Lin's coefficient, lower for another scale or mean; 1 for equal columns."""
    if np.array_equal(first, second):
        return 1.0
    apart = first.var() + second.var() + (first.mean() - second.mean()) ** 2
    covariance = np.mean((first - first.mean()) * (second - second.mean()))
    return float(2 * covariance / apart)


Rows = dict[str, dict[str, str]]
"""Key of a row to its columns; a tree is a single row of its leaves."""


def _read(name: str, content: bytes) -> Rows:
    text = content.decode("utf-8-sig")
    if not name.endswith(".csv"):
        tree = json.loads(text) if name.endswith(".json") else yaml.safe_load(text)
        return {"": dict(_leaves(tree, ()))}
    lines = csv.reader(io.StringIO(text))
    columns = next(lines, [])
    table = [dict(zip(columns, line, strict=True)) for line in lines if line]
    # of a confusion matrix, the clips of a cell are what was found
    known = KEYS - {"clips"} if "predicted" in columns else KEYS
    keys = [c for c in columns if c in known or _is_text(c, table)]
    rows: Rows = {}
    for row in table:
        about = where = ", ".join(f"{key} {_plain(row[key])}" for key in keys)
        again = 1
        while where in rows:
            again += 1
            where = f"{about} ({again})"
        rows[where] = {c: value for c, value in row.items() if c not in keys}
        rows[where] |= {f"@{key}": row[key] for key in keys}
    return rows


def _is_text(column: str, table: list[dict]) -> bool:
    values = [row[column] for row in table]
    numbers = all(_number(each) is not None or each in MISSING for each in values)
    return column not in VALUES and not numbers


def _number(text: str) -> float | None:
    """The number that `text` represents; None for other text and for NaN."""
    try:
        number = float(text)
    except ValueError:
        return None
    return None if math.isnan(number) else number


def _plain(text: str) -> str:
    """A key as text, the same for 1, 1.0 and 1e0."""
    number = _number(text)
    return text if number is None else f"{number:g}"


def _leaves(value, path: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, str(key)))
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _leaves(item, (*path, str(place)))
    else:
        yield "/".join(path), "" if value is None else str(value)


def _common_epochs(name: str, first: Rows, second: Rows):
    """Rows of epochs that both have; yields how many each seed has."""
    both = [{} for _ in range(2)]
    for counts, rows in zip(both, (first, second), strict=True):
        for row in rows.values():
            seed = _plain(row.get("@seed", ""))
            counts[seed] = counts.get(seed, 0) + 1
    for seed in [*both[0], *(each for each in both[1] if each not in both[0])]:
        epochs = [counts.get(seed) for counts in both]
        where = f"seed {seed}, epochs"
        if None in epochs:
            yield _only_one(name, where, epochs[1] is None)
        else:
            written = map(str, epochs)
            away = abs(epochs[0] - epochs[1])
            allowed = KINDS["epochs"].tolerance
            yield Difference(name, where, "epochs", *written, away, allowed)
    common = [where for where in first if where in second]
    return [{where: rows[where] for where in common} for rows in (first, second)]


def _compare_row(
    name: str, where: str, first: Mapping[str, str], second: Mapping[str, str]
) -> Iterator[Difference]:
    decisions, moved = [], []
    columns = [*first, *(column for column in second if column not in first)]
    for column in (each for each in columns if not each.startswith("@")):
        place = ", ".join(filter(None, (where, column)))
        values = first.get(column, ""), second.get(column, "")
        if name.endswith(PROVENANCE):
            away = float(values[0] != values[1])
            yield Difference(name, place, "provenance", *values, away, math.inf)
        elif column not in first or column not in second:
            yield _only_one(name, place, column in first)
        elif column == "verdict" or {*values} <= {"True", "False"}:
            decisions.append((place, values))
        else:
            found = _compare_values(name, place, column, values, first)
            moved.append(found)
            yield found
    # A decision may change only if a number of its row does, within its tolerance.
    free = any(0 < each.difference for each in moved)
    free = free and not any(each.outside for each in moved)
    for place, values in decisions:
        away = float(values[0] != values[1])
        yield Difference(name, place, "decision", *values, away, float(free))


def _compare_values(
    name: str, place: str, column: str, values: tuple[str, str], row: Mapping[str, str]
) -> Difference:
    first, second = numbers = [_number(value) for value in values]
    if first is None and second is None:
        written = {"" if value in MISSING else value for value in values}
        away = 0.0 if len(written) == 1 else math.inf
        return Difference(name, place, "text", *values, away, 0.0)
    kind, tolerance = _kind(name, column, row)
    if kind in WITH_INTERVAL:
        tolerance = max(tolerance, SHARE * _width(column, row))
    away = math.inf if None in numbers else abs(first - second)
    if first == second:
        away = 0.0  # the difference of infinite numbers is NaN
    return Difference(name, place, kind, *values, away, tolerance)


def _width(column: str, row: Mapping[str, str]) -> float:
    """Width of the recorded interval of a number, or of one of its ends; 0 without."""
    path, slash, leaf = column.rpartition("/")
    stem = re.sub(r"_?(low|high)$", "", leaf)
    for start in (f"{path}{slash}{stem}_", f"{path}{slash}"):
        low, high = (_number(row.get(f"{start}{end}", "")) for end in ("low", "high"))
        if low is not None and high is not None:
            return high - low
    return 0.0


def _kind(name: str, column: str, row: Mapping[str, str]) -> tuple[str, float]:
    """Kind and tolerance of a number."""
    leaf = column.rpartition("/")[2]
    if TRAINED.fullmatch(name) and leaf == "epochs":
        return "epochs", KINDS["epochs"].tolerance
    if TRAINED.fullmatch(name) and PROGRESS & {*column.split("/")}:
        return "training", KINDS["training"].tolerance
    if "@predicted" in row and leaf in ("clips", "share"):
        every = (
            float(row["clips"]) / (float(row["share"]) or 1) if leaf == "share" else 1
        )
        return "one clip", KINDS["one clip"].tolerance / max(every, 1)
    if leaf in COUNTS or (not name.endswith(".csv") and _is_whole(row[column])):
        return "count", KINDS["count"].tolerance
    if P.fullmatch(leaf):
        return "p", max(KINDS["p"].tolerance, (_number(row[column]) or 0) / 5)
    kind = "interval end" if ENDS.fullmatch(leaf) else "metric"
    tolerance = KINDS[kind].tolerance
    about, comparison = row.get("@metric"), row.get("@comparison")
    cells = row.get("n_cells") or row.get("worlds")
    unnamed = about is comparison is None and leaf in ("estimate", "significant")
    if cells and (about in ONE_CELL or comparison == "signs" or unnamed):
        return "one cell", KINDS["one cell"].tolerance / float(cells)
    single = row.get("@target", "mean") != "mean" or row.get("@seed", "-1") != "-1"
    if about in ONE_CLIP and single:
        clips = float(row["n"]) * float(row.get("targets") or 1)
        return "one clip", max(tolerance, KINDS["one clip"].tolerance / max(clips, 1))
    return kind, tolerance


def _is_whole(text: str) -> bool:
    return re.fullmatch(r"-?\d+", text) is not None


def by_file(found: list[Difference]) -> pd.DataFrame:
    """Summarise differences by file and kind.

    Returns
    -------
    DataFrame
        file, kind, numbers (count of comparisons), largest (difference; infinite if
        something is missing or a text differs), tolerance (the smallest), outside
        (count).
    """
    columns = [*Difference._fields, "outside"]
    table = pd.DataFrame([(*each, each.outside) for each in found], columns=columns)
    groups = table.groupby(["file", "kind"], sort=False)
    return groups.agg(
        numbers=("difference", "size"),
        largest=("difference", "max"),
        tolerance=("tolerance", "min"),
        outside=("outside", "sum"),
    ).reset_index()


def verify(study: str, folder: str | Path = ".") -> bool:
    """Compare a study's results with the committed ones, and report differences.

    Prints differences by file and kind, and lists those outside tolerance. Writes the
    report to ``runs/verification/<study>.json`` and adds a row to `HISTORY`.

    Parameters
    ----------
    study : str
    folder : path
        Root of the project.

    Returns
    -------
    bool
        Whether neither side lacks anything, and at most `OUTSIDE` of the differences
        are beyond their tolerance.

    Raises
    ------
    RuntimeError
        If there is no git repository, no results of the study are committed, or the
        study was not run here.
    """
    folder = Path(folder)
    commit, recorded = _committed(study, folder)
    if not any(folder.glob(f"runs/{study}/notebooks/*.ipynb")):
        raise RuntimeError(
            f"study {study!r} was not run here, so that there is nothing to compare "
            f"with its record; first run: make repro STUDY={study}"
        )
    root = folder / "results" / study
    computed = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }
    found = compare(recorded, computed)
    table, outside = by_file(found), [each for each in found if each.outside]
    differing = table[table["largest"] > 0]
    print(differing.to_string(index=False) if len(differing) else "no difference")
    alike = table["file"].nunique() - differing["file"].nunique()
    print(f"{alike} of {table['file'].nunique()} files hold the very same numbers")
    for each in outside[:NAMED]:
        print(
            f"outside: {each.file}: {each.where or 'the file'}: on record "
            f"{each.recorded or 'missing'}, computed {each.computed or 'missing'} "
            f"({each.kind}, at most {each.tolerance:g})"
        )
    report = folder / "runs" / "verification" / f"{study}.json"
    if len(outside) > NAMED:
        print(f"and {len(outside) - NAMED} more, which {report} names")
    complete = all(each.kind != "file" for each in outside)
    passed = complete and len(outside) <= OUTSIDE * len(found)
    verdict = "reproduced" if passed else "NOT reproduced"
    print(f"{study}: {len(found)} compared, {len(outside)} outside: {verdict}")
    row = {
        "study": study,
        **machine(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": commit,
        "compared": len(found),
        "outside": len(outside),
        "farthest": _farthest(outside),
        **_largest(found),
    }
    # JSON has no infinity.
    files = table.replace([math.inf], math.nan).to_dict("records")
    named = [
        {"file": each.file, "where": each.where, "kind": each.kind}
        | {"recorded": each.recorded, "computed": each.computed}
        for each in outside
    ]
    write_json(row | {"files": files, "named": named}, report)
    _remember(row, folder / HISTORY)
    return passed


def _largest(found: list[Difference]) -> dict[str, float]:
    """Largest difference of each kind with a finite tolerance above zero."""
    largest = {}
    for name, kind in KINDS.items():
        if 0 < kind.tolerance < math.inf:
            mine = [each.difference for each in found if each.kind == name]
            largest[f"largest {name}"] = max(filter(math.isfinite, mine), default=None)
    return largest


def _farthest(outside: list[Difference]) -> str | None:
    """Name the number that is farthest beyond its tolerance."""
    moved = [each for each in outside if math.isfinite(each.difference)]
    if not moved:
        return None
    each = max(moved, key=lambda one: one.difference / max(one.tolerance, 1e-9))
    return (
        f"{each.where} of {each.file} (on record {each.recorded}, computed "
        f"{each.computed})"
    )


def _remember(row: dict, path: Path) -> None:
    """Add a row to the history; it replaces that of the same machine and study."""
    rows = [
        *read_history(path)
        .drop(columns="on_record_now", errors="ignore")
        .to_dict("records"),
        row,
    ]
    table = pd.DataFrame(rows, columns=[*row])
    table = table.drop_duplicates(["study", *machine()], keep="last")
    path.parent.mkdir(exist_ok=True)
    table.round(6).to_csv(path, index=False)


def _committed(study: str, folder: Path) -> tuple[str, dict[str, bytes]]:
    """The commit, and the content of all its result files of a study."""
    try:
        commit = _git(folder, "rev-parse", "--short=12", "HEAD").decode().strip()
    except (OSError, subprocess.CalledProcessError) as error:
        raise RuntimeError(
            "results are compared with what is committed, and here is no git "
            "repository with a commit (an unpacked archive has none); clone the "
            "project with git and run it there"
        ) from error
    listed = _git(folder, "ls-tree", "-r", "-z", "--name-only", "HEAD", "results/")
    names = [name for name in listed.decode().split("\0") if name.count("/") > 1]
    below = f"results/{study}/"
    mine = [name for name in names if name.startswith(below)]
    if not mine:
        known = ", ".join(sorted({name.split("/")[1] for name in names})) or "none"
        raise RuntimeError(
            f"no results of study {study!r} are on record; those of: {known}"
        )
    return commit, {
        name.removeprefix(below): _git(folder, "show", f"HEAD:./{name}")
        for name in mine
    }


def _git(folder: Path, *words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    return done.stdout
