"""Several recordings at once: the table of `sslmepr predict`, row by row.

Each is read as a question of its own, so that one that cannot be read, or that ends
the worker, spoils no other.
"""

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from sslmepr.app.elements import Section, paragraph, scrolling, section
from sslmepr.labels import TRAIT_COLUMNS, TRAITS
from sslmepr.predict import WRITERS
from sslmepr.report.tables import Table, interval


def packed(table: pd.DataFrame) -> str:
    """A table as text that loses nothing of it."""
    buffer = io.BytesIO()
    table.to_parquet(buffer, index=False)
    return base64.b64encode(buffer.getvalue()).decode()


def unpacked(text: str) -> pd.DataFrame:
    """The inverse of :func:`packed`."""
    return pd.read_parquet(io.BytesIO(base64.b64decode(text)))


def joined(rows: Sequence[dict], work: Path) -> dict:
    """The table of several recordings, as an answer of the worker.

    Parameters
    ----------
    rows : sequence of dict
        Of each recording its name, and row, a :func:`packed` table of one row, or
        failed, why there is none.
    work : Path
        Where files may be written.

    Returns
    -------
    dict
        sections, files, transcript, incomplete and comparable, as of
        `sslmepr.app.reading.Reader`.
    """
    table = pd.concat(map(_row, rows), ignore_index=True)
    files = {}
    for suffix, write in WRITERS.items():
        target = work / f"scores{suffix}"
        write(table, target)
        files[target.name] = base64.b64encode(target.read_bytes()).decode()
    return {
        "sections": [_section(table)],
        "files": files,
        "transcript": "",
        "incomplete": bool((table["failed"] != "").any()),
        "comparable": None,
    }


def _row(each: dict) -> pd.DataFrame:
    if "row" in each:
        return unpacked(each["row"]).assign(clip=each["name"])
    lost = {"clip": each["name"], "missing": "", "failed": each["failed"]}
    return pd.DataFrame([lost])


def _section(table: pd.DataFrame) -> Section:
    lost = table["failed"] != ""
    said = f"{len(table)} recordings, {lost.sum()} of them without a prediction."
    shown = pd.DataFrame({"recording": table["clip"]})
    shown["read"] = [
        f"no: {row.failed}" if row.failed else _partly(row.missing)
        for row in table.itertuples()
    ]
    if "emotions" in table:
        shown["emotions"] = table["emotions"].where(~lost, None)
    for name, column in zip(TRAITS, TRAIT_COLUMNS, strict=True):
        if column in table:
            bounds = table[[column, f"{column}_low", f"{column}_high"]].to_numpy()
            shown[name] = [interval(*each, digits=2) for each in bounds]
    note = (
        "in the order in which they were chosen, which ranks nobody; an interval holds "
        "for one recording by itself, not for all of them together"
    )
    parts = paragraph(said), scrolling(Table(shown, "Several recordings", note))
    return section("several", "Several recordings", *parts)


def _partly(missing: str) -> str:
    return f"without {missing}" if missing else "whole"
